// How one wants to be seen: a status, a word with it, and until when.

import { el } from './dom.js';
import { openDialog } from './dialog.js';
import { exactTime } from './format.js';

const STATUS = [['auto', 'As I am', 'Online while you look at the chat'], ['away', 'Away', ''], ['dnd', 'Do not disturb', 'No notifications'], ['invisible', 'Invisible', 'You look offline to everybody']];
const HOUR = 3_600_000;

const tonight = () => new Date(new Date().setHours(24, 0, 0, 0));

/** One's own presence as a dot and a line of words. */
export function ownPresence({ status = 'auto', text, emoji } = {}) {
  const word = { auto: '', away: 'away', dnd: 'do not disturb', invisible: 'invisible' }[status];
  return { dot: { status: { auto: 'online', invisible: 'offline' }[status] ?? 'away', dnd: status === 'dnd' }, words: [word, [emoji, text].filter(Boolean).join(' ')].filter(Boolean).join(' · ') };
}

export async function statusDialog(app) {
  let now;
  try { now = await app.api.get('me/presence'); } catch (error) { return app.fail(error); }
  openDialog('Your status', close => {
    const emoji = el('input', { value: now.emoji ?? '', maxLength: 16, placeholder: '🙂' });
    const text = el('input', { value: now.text ?? '', maxLength: 100, placeholder: 'For instance: on the train' });
    const ends = [['', 'Until I change it'], ['1', 'For an hour'], ['8', 'For 8 hours'], ['day', 'For today'], ...(now.until ? [['same', `Until ${exactTime(now.until)}`]] : [])];
    const until = el('select', {}, ends.map(([key, words]) => el('option', { value: key, selected: key === (now.until ? 'same' : '') }, words)));
    const problem = el('p.problem', { role: 'alert' });
    const choices = el('fieldset.choices', {}, el('legend', {}, 'Show me as'), STATUS.map(([key, label, hint]) => el('label.check', {},
      el('input', { type: 'radio', name: 'status', value: key, checked: key === now.status }), el('span.lines', {}, el('span', {}, label), hint && el('small', {}, hint)))));
    const send = async event => {
      event.preventDefault();
      const end = { '': undefined, same: now.until, day: tonight().toISOString() };
      try {
        app.replica.personal.presence = await app.conn.command('set_presence', {
          status: choices.querySelector(':checked').value, text: text.value.trim() || undefined, emoji: emoji.value.trim() || undefined,
          until: until.value in end ? end[until.value] : new Date(Date.now() + until.value * HOUR).toISOString(),
        });
        app.profileChanged();
        close();
      } catch (error) { problem.textContent = error.message; }
    };
    return el('form.form', { onsubmit: send }, choices,
      el('.pair', {}, el('label.field', {}, el('span', {}, 'Emoji'), emoji), el('label.field.grow', {}, el('span', {}, 'In words'), text)),
      el('label.field', {}, el('span', {}, 'How long'), until),
      problem, el('.buttons', {}, el('button', { type: 'button', onclick: () => { emoji.value = text.value = ''; choices.querySelector('[value=auto]').checked = true; until.value = ''; } }, 'Clear'), el('button.primary', { type: 'submit' }, 'Save')));
  }, 'small');
}
