// One's own profile, privacy and notifications.

import { el } from './dom.js';
import { openDialog } from './dialog.js';
import { avatar } from './view-avatar.js';

const WHO = [['everyone', 'Everyone'], ['contacts', 'People I talk to'], ['nobody', 'Nobody']];
const LEVEL = [['all', 'All messages'], ['mentions', 'Mentions only'], ['none', 'Nothing']];
const CONTENT = [['full', 'Sender and text'], ['sender_only', 'Sender only'], ['generic', 'That there is a message'], ['id_only', 'Nothing, the app decides']];
const QUIET = [['', 'Off'], ['1', 'For 1 hour'], ['8', 'For 8 hours'], ['24', 'For a day']];

export async function settingsDialog(app) {
  let settings;
  try { settings = await app.api.get('me/settings'); } catch (error) { return app.fail(error); }

  const change = async patch => {
    try { settings = await app.api.patch('me/settings', patch); app.toast('Saved'); } catch (error) { app.fail(error); }
  };
  const choice = (label, value, options, pick) => el('label.field', {}, el('span', {}, label),
    el('select', { onchange: event => pick(event.target.value) }, options.map(([key, text]) => el('option', { value: key, selected: key === value }, text))));

  openDialog('Settings', close => {
    const face = el('span.face', {}, avatar(app.media, app.me));
    const name = el('input', { value: app.me.name, maxLength: 120, required: true, autocomplete: 'name' });
    const profile = async patch => {
      try {
        Object.assign(app.me, await app.api.patch('me', patch));
        face.replaceChildren(avatar(app.media, app.me));
        app.profileChanged();
        app.toast('Saved');
      } catch (error) { app.fail(error); }
    };
    const picker = el('input', { type: 'file', accept: 'image/*', hidden: true, tabIndex: -1, onchange: async () => {
      const [file] = picker.files;
      if (!file) return;
      try { await profile({ avatar_attachment_id: (await app.api.upload(file)).id }); } catch (error) { app.fail(error); }
    } });
    const quiet = settings.dnd_until && new Date(settings.dnd_until) > new Date();
    return [
      el('form.profile', { onsubmit: event => { event.preventDefault(); profile({ name: name.value.trim() }); } },
        face, picker, el('button', { type: 'button', onclick: () => picker.click() }, 'Change picture'),
        el('label.field', {}, el('span', {}, 'Name'), name), el('button', { type: 'submit' }, 'Save name')),
      el('h3', {}, 'Privacy'),
      choice('Who sees that I have read', settings.receipts, WHO, receipts => change({ receipts })),
      choice('Who sees that I am online', settings.show_online, WHO, show_online => change({ show_online })),
      choice('Who sees when I was last online', settings.show_last_seen, WHO, show_last_seen => change({ show_last_seen })),
      el('p.hint', {}, 'What you hide of yourself you do not see of others either.'),
      el('h3', {}, 'Notifications'),
      choice('Notify me of', settings.push, LEVEL, push => change({ push })),
      choice('Show', settings.push_content, CONTENT, push_content => change({ push_content })),
      choice('Do not disturb', quiet ? 'on' : '', quiet ? [['on', `Until ${new Date(settings.dnd_until).toLocaleString()}`], ...QUIET] : QUIET,
        hours => hours !== 'on' && change({ dnd_until: hours ? new Date(Date.now() + hours * 3_600_000).toISOString() : null })),
      el('.buttons', {}, el('button.danger', { type: 'button', onclick: () => { close(); app.signOut(); } }, 'Sign out'))];
  });
}
