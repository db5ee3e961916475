// Where messages are written: text, files, the message answered or edited.

import { el } from './dom.js';
import { icon } from './icons.js';
import { previewOf } from './sync-client.js';

const MAX_FILES = 10;

export function composer(app, id) {
  let files = []; // {file, name, attachment?, error?}
  let target = null; // {kind: 'reply' | 'edit', message}
  let toldAt = 0; let telling = false; let idle;

  const text = el('textarea', { rows: 1, maxLength: 10_000, placeholder: 'Message', 'aria-label': 'Message', dir: 'auto', onkeydown: keys, oninput: typed, onpaste: paste });
  const picker = el('input', { type: 'file', multiple: true, hidden: true, tabIndex: -1, onchange: () => { add([...picker.files]); picker.value = ''; } });
  const attach = el('button.round', { type: 'button', title: 'Attach files', 'aria-label': 'Attach files', onclick: () => picker.click() }, icon('clip'));
  const submit = el('button.round.send', { type: 'submit', title: 'Send', 'aria-label': 'Send' }, icon('send'));
  const above = el('.target', { hidden: true });
  const tray = el('.tray', { hidden: true, 'aria-label': 'Files to send' });
  const form = el('form.compose', { onsubmit: event => { event.preventDefault(); send(); } }, above, tray, el('.write', {}, attach, picker, text, submit));
  const refusal = el('p.refusal', { hidden: true });
  const node = el('footer.composer', { ondragover: event => event.preventDefault(), ondrop: event => { event.preventDefault(); add([...event.dataTransfer.files]); } }, form, refusal);

  function keys(event) {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
    if (event.key === 'Escape' && target) { event.stopPropagation(); aim(null); }
    if (event.key === 'ArrowUp' && !text.value && !target) {
      const last = app.replica.messages(id).findLast(m => m.sender.id === app.me.id && !m.deleted && m.kind !== 'system' && m.text);
      if (last) { event.preventDefault(); aim('edit', last); }
    }
  }

  function grow() {
    text.style.height = 'auto';
    text.style.height = `${Math.min(text.scrollHeight, 160)}px`;
  }

  function typed() {
    grow();
    if (target?.kind === 'edit') return;
    clearTimeout(idle);
    if (!text.value) return quiet();
    if (Date.now() - toldAt > 2500) {
      toldAt = Date.now();
      telling = true;
      app.conn.command('typing', { conversation_id: id, active: true }).catch(() => {});
    }
    idle = setTimeout(quiet, 4000);
  }

  function quiet(tell = true) {
    clearTimeout(idle);
    if (telling && tell) app.conn.command('typing', { conversation_id: id, active: false }).catch(() => {});
    telling = false;
  }

  function paste(event) {
    if (event.clipboardData.files.length) { event.preventDefault(); add([...event.clipboardData.files]); }
  }

  function add(chosen) {
    if (target?.kind === 'edit') return;
    for (const file of chosen.slice(0, MAX_FILES - files.length)) {
      const entry = { file, name: file.name || 'picture' };
      files.push(entry);
      app.api.upload(file).then(attachment => { entry.attachment = attachment; }, error => { entry.error = error.message; app.fail(error); files = files.filter(other => other !== entry); }).then(show);
    }
    if (chosen.length > MAX_FILES) app.toast(`At most ${MAX_FILES} files`);
    show();
    text.focus();
  }

  function drop(entry) {
    files = files.filter(other => other !== entry);
    if (entry.attachment) app.api.delete(`attachments/${entry.attachment.id}`).catch(() => {});
    show();
  }

  function show() {
    tray.hidden = files.length === 0;
    tray.replaceChildren(...files.map(entry => el('.chip', { class: entry.attachment ? '' : 'busy' }, el('span.ellipsis', {}, entry.name), el('button', { type: 'button', 'aria-label': `Remove ${entry.name}`, onclick: () => drop(entry) }, icon('close')))));
    submit.disabled = files.some(entry => !entry.attachment);
    above.hidden = !target;
    if (target) {
      above.replaceChildren(el('span.lines', {}, el('strong', {}, target.kind === 'edit' ? 'Edit message' : `Reply to ${target.message.sender.id === app.me.id ? 'yourself' : target.message.sender.name}`), el('span.ellipsis', { dir: 'auto' }, previewOf(target.message))),
        el('button.round', { type: 'button', 'aria-label': 'Cancel', title: 'Cancel', onclick: () => aim(null) }, icon('close')));
    }
  }

  function aim(kind, message) {
    if (target?.kind === 'edit' || kind === 'edit') text.value = kind === 'edit' ? message.text ?? '' : '';
    target = kind ? { kind, message } : null;
    show();
    grow();
    text.focus();
  }

  async function send() {
    const value = text.value.trim();
    if (submit.disabled || (!value && !files.length)) return;
    if (target?.kind === 'edit') {
      const { message } = target;
      aim(null);
      if (value !== message.text) app.edit(message, value);
      return;
    }
    const attachments = files.map(entry => entry.attachment);
    app.send(id, { text: value, attachments, replyTo: target?.kind === 'reply' ? target.message : undefined });
    text.value = '';
    files = [];
    target = null;
    quiet(false);
    show();
    grow();
  }

  function update(conversation) {
    const blocked = conversation.peer && app.replica.blocked.has(conversation.peer.id);
    const allowed = app.canWrite(conversation);
    form.hidden = !allowed;
    refusal.hidden = allowed;
    refusal.textContent = blocked ? `You blocked ${conversation.peer.name}.` : 'You cannot write here.';
  }

  return { node, update, aim, focus: () => text.focus(), leave: () => quiet() };
}
