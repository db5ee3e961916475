// Where messages are written: text, files, the message answered or edited.

import { el } from './dom.js';
import { icon } from './icons.js';
import { untilText } from './format.js';
import { mentionable, mentionsIn, namesOf } from './mentions.js';
import { previewOf } from './replica-counts.js';
import { waitOf } from './slow-mode.js';
import { typing } from './typing.js';
import { scheduleDialog, scheduledBar } from './view-scheduled.js';
import { suggestions } from './view-suggest.js';
import { fileTray } from './view-tray.js';

export function composer(app, id) {
  let ticking;
  let target = null; // {kind: 'reply' | 'edit', message}
  const conversation = () => app.replica.conversations.get(id);
  const type = typing(app, id);

  const text = el('textarea', { rows: 1, maxLength: 10_000, placeholder: 'Message', 'aria-label': 'Message', 'aria-autocomplete': 'list', 'aria-controls': 'suggest', dir: 'auto', onkeydown: keys, oninput: typed, onblur: () => suggest.close(), onpaste: paste });
  const suggest = suggestions(app, text, conversation);
  const tray = fileTray(app, () => show());
  const picker = el('input', { type: 'file', multiple: true, hidden: true, tabIndex: -1, onchange: () => { add([...picker.files]); picker.value = ''; } });
  const attach = el('button.round', { type: 'button', title: 'Attach files', 'aria-label': 'Attach files', onclick: () => picker.click() }, icon('clip'));
  const later = el('button.round', { type: 'button', hidden: true, title: 'Send later', 'aria-label': 'Send later', onclick: schedule }, icon('clock'));
  const submit = el('button.round.send', { type: 'submit', title: 'Send', 'aria-label': 'Send' }, icon('send'));
  const above = el('.target', { hidden: true });
  const scheduled = scheduledBar(app, id);
  const form = el('form.compose', { onsubmit: event => { event.preventDefault(); send(); } }, above, tray.node, suggest.node, el('.write', {}, attach, picker, text, later, submit));
  const refusal = el('p.refusal', { hidden: true });
  const slow = el('p.slow', { hidden: true });
  const node = el('footer.composer', { ondragover: event => event.preventDefault(), ondrop: event => { event.preventDefault(); add([...event.dataTransfer.files]); } }, scheduled.node, slow, form, refusal);

  function keys(event) {
    if (suggest.key(event)) return;
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
    if (event.key === 'Escape' && target) { event.stopPropagation(); aim(null); }
    if (event.key === 'ArrowUp' && !text.value && !target) {
      const last = app.replica.messages(id).findLast(m => m.sender.id === app.me.id && !m.deleted && m.kind !== 'system' && m.text);
      if (last) { event.preventDefault(); aim('edit', last); }
    }
  }

  function typed() {
    show();
    suggest.update();
    if (target?.kind === 'edit') return;
    if (text.value) type.go(); else type.stop();
  }

  function paste(event) {
    if (event.clipboardData.files.length) { event.preventDefault(); add([...event.clipboardData.files]); }
  }

  function add(files) {
    if (target?.kind === 'edit') return;
    tray.add(files);
    text.focus();
  }

  const empty = () => !text.value.trim() && !tray.count();

  function show() {
    text.style.height = 'auto';
    text.style.height = `${Math.min(text.scrollHeight, 160)}px`;
    later.disabled = tray.busy();
    pause();
    later.hidden = empty() || target?.kind === 'edit';
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
    text.focus();
  }

  /** Whom the text may mention: members, those chosen here, those whom the message edited or answered mentions. */
  const mentionables = () => [...mentionable(app, conversation()), ...suggest.picked(), ...namesOf(app, target?.message.mentions, conversation())];

  /** What stands here, as it would be sent. */
  const draft = () => ({
    text: text.value.trim(), attachments: tray.attachments(), mentions: mentionsIn(text.value, mentionables()),
    replyTo: target?.kind === 'reply' ? target.message : undefined,
  });

  function clear() {
    text.value = '';
    target = null;
    type.stop(false);
    suggest.close();
    tray.clear();
  }

  function send() {
    if (tray.busy() || empty()) return;
    const now = draft();
    if (target?.kind === 'edit') {
      const { message } = target;
      aim(null);
      if (now.text !== message.text) app.edit(message, now.text, conversation().kind === 'group' ? now.mentions : undefined);
      return;
    }
    if (submit.disabled) return;
    app.send(id, now);
    clear();
  }

  function schedule() {
    if (empty()) return;
    const what = draft();
    const key = app.newKey();
    scheduleDialog(app, { title: 'Send later', action: 'Schedule', done: async sendAt => {
      const { scheduled: one } = await app.conn.command('schedule_message', { ...app.asMessage(what), conversation_id: id, client_id: key, send_at: sendAt });
      app.replica.personal.schedule(one);
      app.replica.changed(id);
      clear();
    } });
  }

  const mutedHere = c => c.members?.find(m => m.user.id === app.me.id)?.muted_until;

  /** Why nothing can be written, in words. */
  function reason(c) {
    if (c.peer && app.replica.personal.blocked.has(c.peer.id)) return `You blocked ${c.peer.name}.`;
    const muted = mutedHere(c);
    if (muted) return `An admin has muted you here ${untilText(muted)}.`;
    if (c.frozen) return 'This conversation is frozen.';
    if (c.permissions?.send === 'admins' && c.my.role === 'member') return 'Only admins write here.';
    return 'You cannot write here.';
  }

  function update(c) {
    const allowed = app.canWrite(c);
    form.hidden = !allowed;
    refusal.hidden = allowed;
    refusal.textContent = allowed ? '' : reason(c);
    scheduled.update();
    pause();
  }

  /** Tells how long to wait, where the group asks for a pause, and counts down. */
  function pause() {
    clearTimeout(ticking);
    const c = conversation();
    const wait = c && app.canWrite(c) ? waitOf(app, c) : 0;
    slow.hidden = wait <= 0;
    slow.textContent = wait > 0 ? `Slow mode: the next message in ${Math.ceil(wait / 1000)} s` : '';
    submit.disabled = wait > 0 || tray.busy();
    if (wait > 0) ticking = setTimeout(pause, Math.min(1000, wait));
    // A mute ends by the clock, and nobody tells of it.
    const end = c && !app.canWrite(c) ? Date.parse(mutedHere(c)) - app.now() : NaN;
    if (end > 0 && end < 86_400_000) ticking = setTimeout(() => app.refresh(id).catch(() => {}), end + 500);
  }

  return { node, update, aim, focus: () => text.focus(), leave: () => { type.stop(); clearTimeout(ticking); } };
}
