// Messages that are sent later: choosing when, the list of them, and the hint above the composer.

import { el } from './dom.js';
import { openDialog } from './dialog.js';
import { exactTime } from './format.js';
import { icon } from './icons.js';
import { previewOf } from './replica-counts.js';

const WHY = {
  not_permitted: 'you may not write there any more', you_blocked: 'you blocked this user', conversation_not_found: 'you are not there any more', conversation_gone: 'the group was deleted',
  forbidden: 'your role does not allow it', user_not_found: 'there is no such user', attachment_not_found: 'a file is gone', message_not_found: 'the message answered is gone',
};

const pad = number => String(number).padStart(2, '0');
/** A time as a field of the browser takes it: local, to the minute. */
const fieldTime = date => `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}T${pad(date.getHours())}:${pad(date.getMinutes())}`;

function morning(days) {
  const date = new Date();
  date.setDate(date.getDate() + days);
  date.setHours(9, 0, 0, 0);
  return date;
}

/** Asks for a time; `done(time, text)` may throw a refusal, which is shown. With `text` that is asked for, too. */
export function scheduleDialog(app, { title, action, at, text, done }) {
  openDialog(title, close => {
    const words = text !== undefined && el('textarea', { rows: 3, maxLength: 10_000, value: text, dir: 'auto' });
    const when = el('input', { type: 'datetime-local', required: true, value: fieldTime(at ?? new Date(Date.now() + 3_600_000)), min: fieldTime(new Date()) });
    const problem = el('p.problem', { role: 'alert' });
    const submit = el('button.primary', { type: 'submit' }, action);
    const preset = (label, date) => el('button', { type: 'button', onclick: () => { when.value = fieldTime(date); } }, label);
    const send = async event => {
      event.preventDefault();
      problem.textContent = '';
      submit.disabled = true;
      try { await done(new Date(when.value).toISOString(), words ? words.value.trim() : undefined); close(); } catch (error) { problem.textContent = error.message; }
      submit.disabled = false;
    };
    return el('form.form', { onsubmit: send },
      words && el('label.field', {}, el('span', {}, 'Text'), words),
      el('.presets', { role: 'group', 'aria-label': 'Usual times' }, preset('In an hour', new Date(Date.now() + 3_600_000)), preset('Tomorrow, 9:00', morning(1)), preset('Monday, 9:00', morning((8 - new Date().getDay()) % 7 || 7))),
      el('label.field', {}, el('span', {}, 'Send at'), when),
      problem, el('.buttons', {}, el('button', { type: 'button', onclick: close }, 'Cancel'), submit));
  }, 'small');
}

/** What waits to be sent, in one conversation or in all. */
export function scheduledDialog(app, id) {
  const list = el('ul.plain', { 'aria-label': 'Scheduled messages' });
  const hint = el('p.hint', {}, 'Nothing is scheduled. Write a message and choose “Send later”.');

  async function act(work) {
    try { await work(); } catch (error) { app.fail(error); }
    draw();
  }

  const cancel = one => act(async () => {
    await app.conn.command('cancel_scheduled_message', { scheduled_id: one.id });
    app.replica.personal.scheduled.delete(one.id);
    app.replica.changed(one.conversation_id ?? null);
  });

  const change = one => scheduleDialog(app, { title: 'Change', action: 'Save', at: new Date(one.send_at), text: one.message.text, done: async (sendAt, text) => {
    const { scheduled } = await app.conn.command('update_scheduled_message', { scheduled_id: one.id, send_at: sendAt, text: text === one.message.text ? undefined : text, expected_version: one.version });
    app.replica.personal.schedule(scheduled);
    draw();
  } });

  function row(one) {
    const c = app.replica.conversations.get(one.conversation_id);
    const failed = one.state === 'failed';
    return el('li.entry', {},
      el('span.line', {}, el('strong.grow.ellipsis', {}, c ? app.titleOf(c) : 'Conversation'), el('time', { dateTime: one.send_at }, exactTime(one.send_at))),
      el('p.text', { dir: 'auto' }, previewOf({ kind: 'text', ...one.message })),
      failed && el('p.problem', {}, `Not sent: ${WHY[one.error_code] ?? String(one.error_code).replaceAll('_', ' ')}`),
      el('.buttons', {}, !failed && el('button', { type: 'button', onclick: () => change(one) }, 'Change'), el('button.danger', { type: 'button', onclick: () => cancel(one) }, failed ? 'Remove' : 'Cancel sending')));
  }

  function draw() {
    const all = app.replica.personal.scheduledFor(id);
    hint.hidden = all.length > 0;
    list.replaceChildren(...all.map(row));
  }

  const quit = app.onChange(draw);
  openDialog('Scheduled messages', () => [hint, list]).addEventListener('close', quit);
  draw();
}

/** One line above the composer, while something is scheduled for this conversation. */
export function scheduledBar(app, id) {
  const label = el('span');
  const node = el('button.scheduled', { type: 'button', hidden: true, onclick: () => scheduledDialog(app, id) }, icon('clock'), label);

  function update() {
    const all = app.replica.personal.scheduledFor(id);
    const failed = all.filter(one => one.state === 'failed').length;
    node.hidden = !all.length;
    node.classList.toggle('failed', failed > 0);
    label.textContent = failed ? `${failed} scheduled could not be sent` : `${all.length} scheduled, next ${all.length ? exactTime(all[0].send_at) : ''}`;
  }

  return { node, update };
}
