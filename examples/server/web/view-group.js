// The settings of a group: what it is called, who may do what, how fast, and its end.

import { el } from './dom.js';
import { ask, openDialog } from './dialog.js';
import { spanOf } from './format.js';

const RIGHTS = [['send', 'Who writes'], ['add_members', 'Who adds members'], ['edit_info', 'Who changes name and picture'], ['pin_messages', 'Who pins messages']];
const WHO = [['everyone', 'Everybody'], ['admins', 'Admins only']];
const PAUSES = [0, 10_000, 30_000, 60_000, 300_000, 3_600_000];

export function groupSettingsDialog(app, id) {
  const c = app.replica.conversations.get(id);
  const path = `conversations/${id}`;

  const change = async patch => {
    try { app.replica.put(await app.api.patch(path, patch)); app.toast('Saved'); } catch (error) { app.fail(error); }
  };
  const choice = (label, options, chosen, pick) => el('label.field', {}, el('span', {}, label),
    el('select', { onchange: event => pick(event.target.value) }, options.map(([key, text]) => el('option', { value: String(key), selected: key === chosen }, text))));

  function info() {
    const name = el('input', { value: c.name ?? '', maxLength: 120, required: true });
    const description = el('textarea', { rows: 2, maxLength: 500, value: c.description ?? '' });
    const picker = el('input', { type: 'file', accept: 'image/*', hidden: true, tabIndex: -1, onchange: async () => {
      const [file] = picker.files;
      if (!file) return;
      try { await change({ avatar_attachment_id: (await app.api.upload(file)).id }); } catch (error) { app.fail(error); }
    } });
    return el('form.form', { onsubmit: event => { event.preventDefault(); change({ name: name.value.trim(), description: description.value.trim() || null }); } },
      el('label.field', {}, el('span', {}, 'Name'), name), el('label.field', {}, el('span', {}, 'Description'), description), picker,
      el('.buttons', {}, el('button', { type: 'button', onclick: () => picker.click() }, 'Change picture'), el('button.primary', { type: 'submit' }, 'Save')));
  }

  function rules() {
    const pause = c.slow_mode_ms ?? 0;
    const pauses = [...new Set([...PAUSES, pause])].sort((a, b) => a - b);
    return [
      el('h3', {}, 'Who may do what'),
      ...RIGHTS.map(([key, label]) => choice(label, WHO, c.permissions?.[key], who => change({ permissions: { [key]: who } }))),
      choice('Pause between two messages of a member', pauses.map(ms => [ms, ms ? spanOf(ms) : 'None']), pause, ms => change({ slow_mode_ms: Number(ms) || null })),
      el('label.check', {}, el('input', { type: 'checkbox', checked: c.frozen, onchange: event => change({ frozen: event.target.checked }) }), el('span.lines', {}, el('span', {}, 'Frozen'), el('small', {}, 'Nobody writes, edits or reacts until this is taken back')))];
  }

  async function end(close) {
    if (!await ask('Delete this group?', 'It ends for everybody, with all its messages. This cannot be taken back.', 'Delete', 'danger')) return;
    try {
      await app.api.delete(path);
      close();
      app.replica.forget(id);
    } catch (error) { app.fail(error); }
  }

  openDialog('Group settings', close => [
    app.can(id, 'edit_info') && info(),
    ...(app.can(id, 'configure') ? rules() : []),
    app.can(id, 'delete') && el('.actions', {}, el('button.danger', { type: 'button', onclick: () => end(close) }, 'Delete group'))].filter(Boolean));
}
