// One open conversation: its head, its messages, and where to write.

import { el, reconcile } from './dom.js';
import { icon } from './icons.js';
import { dayKey, dayOf, presenceText, typingText } from './format.js';
import { avatar } from './view-avatar.js';
import { composer } from './view-composer.js';
import { infoDialog } from './view-info.js';
import { messageRow } from './view-message.js';
import { pinBar } from './view-pins.js';
import { timerMark } from './view-timer.js';

const NEAR = 80;
const GROUP_MS = 5 * 60_000;

export function chatView(app, id) {
  const conversation = () => app.replica.conversations.get(id);
  const firstUnread = conversation().my.unread_count > 0 ? conversation().my.first_unread_seq : undefined;
  let stick = !firstUnread; // at the bottom, and to stay there
  let loading = false;
  let loaded = Promise.resolve();
  let placed = false;

  const face = el('span.face');
  const title = el('strong.ellipsis');
  const timer = el('span.line');
  const pins = pinBar(app, id);
  const subtitle = el('small.ellipsis', { 'aria-live': 'polite' });
  const head = el('header.bar', {},
    el('button.round.back', { type: 'button', title: 'Back', 'aria-label': 'Back to the list', onclick: () => app.close() }, icon('back')),
    el('button.head', { type: 'button', title: 'Details', onclick: () => infoDialog(app, id) }, face, el('span.lines', {}, el('span.line', {}, title, timer), subtitle)),
    el('button.round', { type: 'button', title: 'Details', 'aria-label': 'Details', onclick: () => infoDialog(app, id) }, icon('info')));
  const rows = el('.rows', { role: 'log', 'aria-label': 'Messages', 'aria-live': 'polite' });
  const scroll = el('.scroll', { tabIndex: 0, 'aria-label': 'History', onscroll: scrolled }, rows);
  const down = el('button.round.down', { type: 'button', hidden: true, title: 'Newest messages', 'aria-label': 'Newest messages', onclick: () => { stick = true; bottom(); } }, icon('down'));
  const write = composer(app, id);
  const node = el('section.chat', { 'aria-label': 'Conversation', }, head, pins.node, el('.frame', {}, scroll, down), write.node);
  const resized = new ResizeObserver(() => { if (stick) bottom(); });
  resized.observe(rows);
  resized.observe(scroll);

  const distance = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight;
  const bottom = () => { scroll.scrollTop = scroll.scrollHeight; };

  function scrolled() {
    if (!placed) return;
    stick = distance() < NEAR;
    down.hidden = distance() < 400;
    if (scroll.scrollTop < 300) older();
    if (stick) app.readable();
  }

  async function older() {
    if (loading || !app.replica.timelines.get(id)?.more) return;
    loading = true;
    try {
      const height = scroll.scrollHeight;
      const top = scroll.scrollTop;
      await app.replica.load(id, true);
      draw();
      scroll.scrollTop = top + scroll.scrollHeight - height;
    } catch (error) { app.fail(error); } finally { loading = false; }
  }

  /** Scrolls to a message of the past, loading what lies between. */
  async function jumpTo(seq) {
    await loaded;
    for (let turn = 0; turn < 20; turn += 1) {
      const timeline = app.replica.timelines.get(id);
      if (!timeline || timeline.from <= seq || !timeline.more) break;
      await app.replica.load(id, true);
    }
    draw();
    const row = rows.querySelector(`[data-key="m${Number(seq)}"]`);
    if (!row) return app.toast('This message is not available');
    stick = false;
    row.scrollIntoView({ block: 'center' });
    row.classList.add('flash');
    setTimeout(() => row.classList.remove('flash'), 1500);
  }

  function* lines(c) {
    const timeline = app.replica.timelines.get(id);
    if (timeline && !timeline.more) yield { key: 'start', sign: '', make: () => el('.system', {}, c.kind === 'group' ? 'The beginning of this group' : 'The beginning of this conversation') };
    let before; let day;
    let divided = !firstUnread || (timeline?.from > firstUnread && timeline.more);
    for (const message of [...app.replica.messages(id), ...app.pendingOf(id)]) {
      const on = dayKey(message.created_at);
      if (on !== day) {
        day = on;
        before = undefined;
        yield { key: `d${on}`, sign: dayOf(message.created_at), make: () => el('.day', {}, el('span', {}, dayOf(message.created_at))) };
      }
      if (!divided && message.seq >= firstUnread) {
        divided = true;
        before = undefined;
        yield { key: 'unread', sign: '', make: () => el('.unread', { role: 'separator' }, el('span', {}, 'New messages')) };
      }
      const grouped = Boolean(before) && before.kind !== 'system' && message.kind !== 'system' && before.sender.id === message.sender.id && new Date(message.created_at) - new Date(before.created_at) < GROUP_MS;
      const status = message.pending ?? (message.sender.id === app.me.id ? app.replica.statusOf(message) : undefined);
      const sign = JSON.stringify([message.rev, message.version, status, grouped, message.reactions, message.reply_to?.state, message.starred, message.from_blocked && app.unfolded.has(message.id), app.canWrite(c), c.my.role]);
      yield { key: message.pending ? `p${message.client_id}` : `m${message.seq}`, sign, make: () => messageRow(app, message, c, { grouped, status }) };
      before = message;
    }
  }

  function draw() {
    const c = conversation();
    if (!c) return;
    const presence = c.peer && app.presenceOf(c.peer.id);
    const typing = app.typistsOf(id);
    reconcile(face, [{ key: 'face', sign: JSON.stringify([app.titleOf(c), presence, c.avatar_url]), make: () => avatar(app.media, c.peer ?? { id, name: app.titleOf(c), avatar_url: c.avatar_url }, presence) }]);
    title.textContent = app.titleOf(c);
    const names = (c.members ?? []).filter(m => m.user.id !== app.me.id).map(m => m.user.name);
    subtitle.textContent = typing.length ? (c.kind === 'direct' ? 'typing…' : typingText(typing)) : c.kind === 'direct' ? presenceText(presence) : `${c.member_count} members${names.length ? `: ${names.join(', ')}, you` : ''}`;
    subtitle.classList.toggle('live', typing.length > 0);
    reconcile(timer, c.message_ttl_ms ? [{ key: 'timer', sign: String(c.message_ttl_ms), make: () => timerMark(c) }] : []);
    pins.update();
    reconcile(rows, [...lines(c)]);
    write.update(c);
  }

  function update() {
    draw();
    if (!placed || !app.replica.timelines.has(id)) { if (!loading) loaded = load(); } else if (stick) bottom();
  }

  async function load() {
    if (loading) return;
    loading = true;
    try {
      let timeline = await app.replica.load(id);
      // The first unread message is where one wants to go on reading, unless it is far away.
      for (let turn = 0; turn < 4 && firstUnread < timeline.from && timeline.more; turn += 1) timeline = await app.replica.load(id, true);
      draw();
      const divider = rows.querySelector('.unread');
      if (!placed && divider) divider.scrollIntoView({ block: 'center' }); else bottom();
      placed = true;
      stick = distance() < NEAR;
      app.readable();
    } catch (error) { if (error.code !== 'offline') app.fail(error); } finally { loading = false; }
    // Where nothing can be scrolled up, no scrolling would ever ask for more.
    if (scroll.scrollTop < 300) await older();
    if (stick) bottom();
  }

  function leave() {
    resized.disconnect();
    write.leave();
  }

  return { node, id, update, jumpTo, leave, aim: write.aim, focus: write.focus, atBottom: () => placed && stick, toBottom: () => { stick = true; } };
}
