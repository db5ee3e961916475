// What can be done with a conversation: pin, mute, timer, clear, block, leave; its members.

import { el } from './dom.js';
import { ask, openDialog } from './dialog.js';
import { openMenu } from './menu.js';
import { presenceText } from './format.js';
import { groupSettingsDialog } from './view-group.js';
import { membersList } from './view-members.js';
import { reportDialog } from './view-report.js';
import { timerField } from './view-timer.js';
import { avatar } from './view-avatar.js';
import { addMembersDialog } from './view-people.js';

const HOUR = 3_600_000;

export function infoDialog(app, id) {
  const found = { words: '' }; // stays when the dialog is drawn anew
  const conversation = () => app.replica.conversations.get(id);
  const path = `conversations/${id}`;
  const dialog = openDialog(conversation().kind === 'group' ? 'Group' : 'Conversation', build);
  const body = dialog.querySelector('.content');

  async function act(work) {
    try { await work(); } catch (error) { app.fail(error); return; }
    if (!conversation()) return dialog.close();
    // Whoever works by keyboard goes on where he was.
    const controls = () => [...body.querySelectorAll('button, input, select')];
    const at = controls().indexOf(document.activeElement);
    body.replaceChildren(...build().filter(Boolean));
    controls()[at]?.focus();
  }
  const set = patch => act(async () => app.replica.put(await app.api.patch(`${path}/settings`, patch)));

  function mute(event) {
    const until = hours => ({ muted_until: new Date(Date.now() + hours * HOUR).toISOString() });
    if (conversation().my.muted_until) return set({ muted_until: null });
    return openMenu(event.currentTarget, [['For 1 hour', () => set(until(1))], ['For 8 hours', () => set(until(8))], ['For a week', () => set(until(168))], ['For ever', () => set({ muted_until: 'forever' })]], { label: 'Mute' });
  }

  const toggleBlock = peer => act(async () => {
    if (app.replica.personal.blocked.has(peer.id)) {
      await app.api.delete(`blocks/${encodeURIComponent(peer.id)}`);
      app.replica.personal.block(peer.id, false);
    } else if (await ask(`Block ${peer.name}?`, 'Neither of you can write to the other, or see when the other is online.', 'Block', 'danger')) {
      await app.api.put(`blocks/${encodeURIComponent(peer.id)}`);
      app.replica.personal.block(peer.id, true);
    }
    await app.refresh(id);
  });

  async function leave() {
    if (!await ask('Leave this group?', 'You will not get its messages any more.', 'Leave', 'danger')) return;
    act(async () => { await app.api.post(`${path}/leave`); app.close(); await app.replica.synchronise(); dialog.close(); });
  }

  async function clear() {
    if (!await ask('Clear this conversation?', 'Its messages disappear for you. The others keep them.', 'Clear', 'danger')) return;
    act(async () => { await app.api.post(`${path}/clear`); app.replica.unload(id); await app.replica.synchronise(); await app.replica.load(id); });
  }

  async function hide() {
    if (!await ask('Delete this chat?', 'It leaves your list with all its messages. The others keep them, and a new message brings it back.', 'Delete', 'danger')) return;
    act(async () => { await app.api.post(`${path}/hide`); app.close(); await app.replica.synchronise(); dialog.close(); });
  }

  function build() {
    const c = conversation();
    const presence = c.peer && app.presenceOf(c.peer.id);
    const can = new Set(c.my.can);
    const group = c.kind === 'group';
    return [
      el('.profile', {}, avatar(app.media, c.peer ?? { id: c.id, name: app.titleOf(c), avatar_url: c.avatar_url }, presence), el('strong', {}, app.titleOf(c)), el('small', {}, group ? c.description ?? '' : presenceText(presence))),
      el('.actions', {},
        el('button', { type: 'button', 'aria-pressed': String(Boolean(c.my.pinned_at)), onclick: () => set({ pinned: !c.my.pinned_at }) }, c.my.pinned_at ? 'Unpin' : 'Pin'),
        el('button', { type: 'button', 'aria-pressed': String(Boolean(c.my.muted_until)), onclick: mute }, c.my.muted_until ? 'Unmute' : 'Mute'),
        el('button', { type: 'button', 'aria-pressed': String(c.my.archived), onclick: () => set({ archived: !c.my.archived }) }, c.my.archived ? 'Unarchive' : 'Archive'),
        el('button', { type: 'button', onclick: () => act(async () => { await app.conn.command('mark_unread', { conversation_id: id, seq: c.last_seq || undefined }); await app.refresh(id); app.close(); dialog.close(); }) }, 'Mark unread'),
        group && (can.has('edit_info') || can.has('configure')) && el('button', { type: 'button', onclick: () => { dialog.close(); groupSettingsDialog(app, id); } }, 'Group settings'),
        group && can.has('add_members') && el('button', { type: 'button', onclick: () => { dialog.close(); addMembersDialog(app, c); } }, 'Add members')),
      timerField(c, ms => act(async () => app.replica.put(await app.api.patch(path, { message_ttl_ms: ms })))),
      ...(group ? membersList(app, c, { act, leave: () => dialog.close(), found }) : []),
      el('.actions', {},
        el('button.danger', { type: 'button', onclick: clear }, 'Clear conversation'),
        el('button.danger', { type: 'button', onclick: hide }, 'Delete chat'),
        c.peer && el('button.danger', { type: 'button', onclick: () => toggleBlock(c.peer) }, app.replica.personal.blocked.has(c.peer.id) ? `Unblock ${c.peer.name}` : `Block ${c.peer.name}`),
        c.peer && el('button.danger', { type: 'button', onclick: () => reportDialog(app, { user_id: c.peer.id, conversation_id: id }, c.peer.name) }, `Report ${c.peer.name}`),
        group && el('button.danger', { type: 'button', onclick: leave }, 'Leave group'))];
  }
}
