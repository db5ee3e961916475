// One message, as a row of the conversation.

import { el } from './dom.js';
import { icon } from './icons.js';
import { exactTime, hueOf, sizeOf, systemText, timeOf } from './format.js';
import { editsDialog, mayReadEdits } from './view-edits.js';
import { mentioned } from './mentions.js';
import { avatar } from './view-avatar.js';
import { previewOf } from './replica-counts.js';

const TICKS = { sending: ['◷', 'sending'], failed: ['!', 'not sent'], sent: ['✓', 'sent'], delivered: ['✓✓', 'delivered'], read: ['✓✓', 'read'] };

function attachment(app, file) {
  if (file.kind === 'image') {
    const image = el('img', { alt: file.filename, width: file.width, height: file.height });
    const button = el('button.picture', { type: 'button', title: `Open ${file.filename}`, onclick: () => app.showImage(file) }, image);
    app.media.url(file.url).then(src => { image.src = src; }, () => button.replaceChildren(el('span.problem', {}, 'The picture cannot be loaded')));
    return button;
  }
  if (file.kind === 'audio' || file.kind === 'video') {
    const player = el(file.kind, { controls: true, 'aria-label': file.filename });
    app.media.url(file.url).then(src => { player.src = src; }, () => {});
    return player;
  }
  return el('button.file', { type: 'button', onclick: () => app.media.save(file).catch(app.fail) }, icon('file'),
    el('span.lines', {}, el('span.ellipsis', {}, file.filename), el('small', {}, sizeOf(file.size))));
}

function quote(app, reply, conversation) {
  const { preview, state } = reply;
  const gone = { deleted: 'This message was deleted', unavailable: 'This message is not available' };
  return el('button.quote', { type: 'button', onclick: () => app.jumpTo(reply.seq) },
    preview && el('strong', { class: hueOf(preview.sender_id) }, app.nameOf(preview.sender_id, conversation)),
    el('span.ellipsis', { dir: 'auto' }, state === 'visible' ? preview?.text || previewOf(preview ?? {}) : gone[state]));
}

function ticks(status) {
  const [text, label] = TICKS[status];
  return el('span.ticks', { class: status, role: 'img', 'aria-label': label, title: label }, text);
}

function systemLine(app, message, conversation) {
  const name = id => app.nameOf(id, conversation);
  const text = systemText(message.system ?? {}, name(message.sender.id), name);
  const { seq } = message.system?.code === 'message_pinned' ? message.system.params : {};
  return el('.system', {}, seq ? el('button.link', { type: 'button', onclick: () => app.jumpTo(seq) }, text) : text);
}

/** The small line at the end of a bubble: marks, time, how far it got. */
function metaLine(app, message, conversation, { mine, status }) {
  const mark = (name, label) => el('span.mark', { title: label, role: 'img', 'aria-label': label }, icon(name));
  const alive = !message.deleted;
  const edited = alive && message.edited_at && (mayReadEdits(app, conversation)
    ? el('button.link', { type: 'button', title: 'What it said before', onclick: () => editsDialog(app, message) }, 'edited')
    : el('span', { title: exactTime(message.edited_at) }, 'edited'));
  return el('span.meta', {},
    message.pinned && mark('pin', 'Pinned'), message.starred && mark('star', 'Starred'),
    message.kept ? mark('keep', 'Kept: it does not disappear') : message.expires_at && mark('timer', `Disappears ${exactTime(message.expires_at)}`),
    edited, el('time', { dateTime: message.created_at, title: exactTime(message.created_at) }, timeOf(message.created_at)), mine && alive && ticks(status));
}

/** `grouped`: the message above is of the same author, a moment ago. */
export function messageRow(app, message, conversation, { grouped, status }) {
  const mine = message.sender.id === app.me.id;
  if (message.kind === 'system') return systemLine(app, message, conversation);
  if (message.from_blocked && !app.unfolded.has(message.id)) {
    return el('.system', {}, el('button.link', { type: 'button', onclick: () => { app.unfolded.add(message.id); app.replica.changed(conversation.id); } }, 'A message of somebody you blocked. Show it'));
  }
  const named = !mine && conversation.kind === 'group';
  const body = message.deleted
    ? el('p.gone', {}, message.deleted.by === 'moderator' ? 'Deleted by a moderator' : mine ? 'You deleted this message' : 'This message was deleted')
    : [message.forwarded && el('small.forwarded', {}, message.forwarded.name ? `Forwarded from ${message.forwarded.name}` : 'Forwarded'),
      message.reply_to && quote(app, message.reply_to, conversation),
      ...(message.attachments ?? []).map(file => attachment(app, file)),
      message.text && el('p.text', { dir: 'auto' }, mentioned(app, message, conversation)),
      message.location && el('p.text', {}, `📍 ${message.location.label ?? ''} ${message.location.latitude.toFixed(5)}, ${message.location.longitude.toFixed(5)}`),
      message.meeting && el('p.text', {}, `📅 ${message.meeting.place ?? 'Meeting'} · ${exactTime(message.meeting.scheduled_at)} · ${message.meeting.status}`),
      message.kind === 'custom' && el('p.text', {}, `[${message.custom?.type ?? 'custom'}]`)];
  const meta = metaLine(app, message, conversation, { mine, status });
  const bubble = el('.bubble', {}, named && !grouped && el('strong.author', { class: hueOf(message.sender.id) }, message.sender.name), body, meta);
  const tools = status === 'failed'
    ? el('.tools', { class: 'stay' }, el('button', { type: 'button', onclick: () => app.resend(message) }, 'Try again'), el('button', { type: 'button', onclick: () => app.discard(message) }, 'Discard'))
    : message.id && el('.tools', { role: 'group', 'aria-label': 'Message actions' },
      !message.deleted && app.canWrite(conversation) && [
        el('button', { type: 'button', title: 'React', 'aria-label': 'React', onclick: event => app.reactMenu(event.currentTarget, message) }, icon('smile')),
        el('button', { type: 'button', title: 'Reply', 'aria-label': 'Reply', onclick: () => app.reply(message) }, icon('reply'))],
      el('button', { type: 'button', title: 'More', 'aria-label': 'More actions', 'aria-haspopup': 'menu', onclick: event => app.messageMenu(event.currentTarget, message) }, icon('more')));
  const reactions = message.reactions?.length > 0 && el('.reactions', {}, message.reactions.map(({ emoji, count, mine: own, users }) =>
    el('button.reaction', { type: 'button', 'aria-pressed': String(own), title: users.map(id => app.nameOf(id, conversation)).join(', '), onclick: () => app.react(message, emoji, !own) }, emoji, el('span', {}, String(count)))));
  return el('.message', { class: `${mine ? 'mine' : 'theirs'} ${grouped ? 'grouped' : ''}` },
    named && (grouped ? el('span.portrait') : avatar(app.media, message.sender)), el('.column', {}, el('.with-tools', {}, bubble, tools), reactions));
}
