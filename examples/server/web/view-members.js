// The members of a group: who they are, what rank they have, and what may be done with each.

import { ask } from './dialog.js';
import { el } from './dom.js';
import { presenceText, untilText } from './format.js';
import { icon } from './icons.js';
import { openMenu } from './menu.js';
import { avatar } from './view-avatar.js';
import { pagedList } from './view-pages.js';
import { reportDialog } from './view-report.js';

const HOUR = 3_600_000;
const ORDER = { owner: 0, admin: 1, member: 2 };
const byRank = (a, b) => ORDER[a.role] - ORDER[b.role] || a.user.name.localeCompare(b.user.name);

/** `act(work)` does something, shows a refusal and draws anew; `leave()` closes the dialog around this list; `found.words` is what was looked for. */
export function membersList(app, c, { act, leave, found }) {
  const path = `conversations/${c.id}`;
  const mine = c.my.role;
  const rules = member => mine === 'owner' || (mine === 'admin' && member.role === 'member');

  function menu(anchor, member) {
    const { id, name } = member.user;
    const one = `${path}/members/${encodeURIComponent(id)}`;
    const change = work => act(async () => { await work(); await app.refresh(c.id); });
    const role = to => change(() => app.api.patch(one, { role: to }));
    const mute = until => change(() => app.api.put(`${one}/mute`, { until }));
    const muteFor = hours => mute(new Date(Date.now() + hours * HOUR).toISOString());
    const handOver = async () => { if (await ask(`Make ${name} the owner?`, 'You stay as an admin. Only the new owner can give it back.', 'Hand over', 'danger')) change(() => app.api.put(`${path}/owner`, { user_id: id })); };
    const remove = async () => { if (await ask(`Remove ${name}?`, 'Only an admin can bring somebody back who was removed.', 'Remove', 'danger')) change(() => app.api.delete(one)); };
    openMenu(anchor, [
      ['Send a message', () => { leave(); app.openDirect(id); }],
      mine === 'owner' && (member.role === 'admin' ? ['Make a plain member', () => role('member')] : ['Make an admin', () => role('admin')]),
      mine === 'owner' && ['Make the owner', handOver],
      rules(member) && (member.muted_until ? ['Let write again', () => change(() => app.api.delete(`${one}/mute`))] : ['Mute here', () => openMenu(anchor, [['For an hour', () => muteFor(1)], ['For a day', () => muteFor(24)], ['For good', () => mute('forever')]], { label: 'How long' })]),
      [app.replica.personal.muted.has(id) ? 'Notify me again' : 'Do not notify me', () => act(async () => {
        const on = !app.replica.personal.muted.has(id);
        await (on ? app.api.put(`mutes/${encodeURIComponent(id)}`, {}) : app.api.delete(`mutes/${encodeURIComponent(id)}`));
        app.replica.personal.mute(id, on);
      })],
      ['Report', () => reportDialog(app, { user_id: id, conversation_id: c.id }, name)],
      rules(member) && ['Remove from the group', remove, 'danger'],
    ], { label: `Actions for ${name}` });
  }

  function row(member) {
    const me = member.user.id === app.me.id;
    const presence = me ? undefined : app.presenceOf(member.user.id) ?? member.user.presence;
    return el('li', {}, el('button.person', { type: 'button', disabled: me, 'aria-haspopup': me ? undefined : 'menu', onclick: event => menu(event.currentTarget, member) },
      avatar(app.media, member.user, presence),
      el('span.lines', {}, el('span.ellipsis', {}, me ? `${member.user.name} (you)` : member.user.name), !me && el('small.ellipsis', {}, presenceText(presence))),
      app.replica.personal.muted.has(member.user.id) && el('span.mark', { title: 'You are not notified of these messages', role: 'img', 'aria-label': 'Not notified' }, icon('mute')),
      member.muted_until && el('span.role.muted', { title: `May not write ${untilText(member.muted_until)}` }, icon('mute'), 'muted'),
      member.role !== 'member' && el('span.role', {}, member.role)));
  }

  const title = el('h3', {}, `${c.member_count} members`);
  if (c.members) return [title, el('ul.people', { 'aria-label': 'Members' }, [...c.members].sort(byRank).map(row))];
  // Large groups carry no list: it is read in pages, and by name.
  const find = el('input', { type: 'search', placeholder: 'Find a member', 'aria-label': 'Find a member', value: found.words, oninput: () => { found.words = find.value; list.reload(); } });
  const list = pagedList({ load: cursor => app.api.get(`${path}/members`, { q: found.words.trim(), cursor }), row, none: 'Nobody found.', label: 'Members', kind: 'people' });
  return [title, el('.search', {}, icon('find'), find), ...list.nodes];
}
