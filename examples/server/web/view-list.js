// The list of conversations.

import { el, reconcile } from './dom.js';
import { icon } from './icons.js';
import { listTime, typingText } from './format.js';
import { avatar } from './view-avatar.js';
import { mainMenu } from './main-menu.js';
import { searchHits } from './view-search.js';
import { settingsDialog } from './view-settings.js';
import { ownPresence } from './view-status.js';

const VIEWS = [
  ['all', 'All', c => !c.my.archived],
  ['unread', 'Unread', c => !c.my.archived && (c.my.unread_count > 0 || c.my.marked_unread)],
  ['group', 'Groups', c => !c.my.archived && c.kind === 'group'],
  ['archived', 'Archived', c => c.my.archived],
];

export function listView(app) {
  let view = VIEWS[0];
  const hits = searchHits(app);
  const find = el('input', { type: 'search', placeholder: 'Search', 'aria-label': 'Search conversations and messages', oninput: () => { update(); hits.search(find.value.trim()); } });
  const views = el('.views', { role: 'group', 'aria-label': 'Show' }, VIEWS.map(one => el('button.view', { type: 'button', 'aria-pressed': String(one === view), onclick: event => {
    view = one;
    for (const button of views.children) button.setAttribute('aria-pressed', String(button === event.currentTarget));
    update();
  } }, one[1])));
  const own = el('button.own', { type: 'button', title: 'Settings', 'aria-label': 'Settings', onclick: () => settingsDialog(app) });
  const none = el('p.hint', { hidden: true }, 'Nothing here.');
  const list = el('ul.conversations', { 'aria-label': 'Conversations', onkeydown: arrows });
  const empty = el('.hint', {}, el('p', {}, 'No conversations yet.'), el('button.primary', { type: 'button', onclick: app.newDirect }, 'Find somebody to talk to'));
  const node = el('nav.sidebar', { 'aria-label': 'Conversations' },
    el('header.bar', {},
      own,
      el('button.round', { type: 'button', title: 'New conversation', 'aria-label': 'New conversation', onclick: app.newDirect }, icon('plus')),
      el('button.round', { type: 'button', title: 'New group', 'aria-label': 'New group', onclick: app.newGroup }, icon('group')),
      el('button.round', { type: 'button', title: 'Menu', 'aria-label': 'Menu', 'aria-haspopup': 'menu', onclick: event => mainMenu(app, event.currentTarget) }, icon('more'))),
    el('.search', {}, icon('find'), find), views, el('.lists', {}, list, none, hits.node), empty);

  function profile() {
    const { dot, words } = ownPresence(app.replica.personal.presence);
    const { name, avatar_url: url } = app.me;
    reconcile(own, [
      { key: 'face', sign: JSON.stringify([name, url, dot]), make: () => avatar(app.media, app.me, dot) },
      { key: 'name', sign: JSON.stringify([name, words]), make: () => el('span.lines', {}, el('strong.ellipsis', { title: name }, name), words && el('small.ellipsis', { title: words }, words)) }]);
  }

  function arrows(event) {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    const all = [...list.querySelectorAll('button.conversation')];
    const next = all[all.indexOf(document.activeElement) + (event.key === 'ArrowDown' ? 1 : -1)];
    if (next) { next.focus(); event.preventDefault(); }
  }

  function subtitle(c) {
    const typing = app.typistsOf(c.id);
    if (typing.length) return { text: c.kind === 'direct' ? 'typing…' : typingText(typing), live: true };
    const last = c.last_message;
    if (!last) return { text: c.kind === 'group' ? `${c.member_count} members` : 'No messages yet' };
    if (last.kind === 'system') return { text: 'Group created' };
    const mine = last.sender_id === app.me.id;
    const who = mine ? 'You: ' : c.kind === 'group' ? `${app.nameOf(last.sender_id, c)}: ` : '';
    return { text: who + last.preview };
  }

  function row(c) {
    const presence = c.peer && app.presenceOf(c.peer.id);
    const { text, live } = subtitle(c);
    const { unread_count: unread, marked_unread: marked } = c.my;
    const time = c.last_message?.created_at ?? c.created_at;
    const sign = JSON.stringify([app.titleOf(c), text, live, unread, marked, c.my.mention_count, c.my.pinned_at, c.my.muted_until, presence, listTime(time), app.openId === c.id]);
    const make = () => el('li', {}, el('button.conversation', { type: 'button', 'aria-current': app.openId === c.id ? 'true' : undefined, onclick: () => app.open(c.id) },
      avatar(app.media, c.peer ?? { id: c.id, name: app.titleOf(c), avatar_url: c.avatar_url }, presence),
      el('span.lines', {},
        el('span.line', {}, el('span.title.ellipsis', {}, app.titleOf(c)), c.my.muted_until && el('span.mark', { title: 'Muted' }, icon('mute')), c.my.pinned_at && el('span.mark', { title: 'Pinned' }, icon('pin')), el('time', { dateTime: time }, listTime(time))),
        el('span.line', {}, el('span.preview.ellipsis', { class: live ? 'live' : '', dir: 'auto' }, text),
          (unread > 0 || marked) && el('span.badge', { class: c.my.muted_until ? 'quiet' : '', 'aria-label': unread ? `${unread} unread` : 'marked unread' }, c.my.mention_count ? '@' : '', unread ? (unread > 99 ? '99+' : String(unread)) : '•')))));
    return { key: c.id, sign, make };
  }

  function update() {
    profile();
    const words = find.value.trim().toLowerCase();
    const all = app.replica.list();
    const shown = all.filter(c => (words || view[2](c)) && app.titleOf(c).toLowerCase().includes(words));
    reconcile(list, shown.map(row));
    empty.hidden = all.length > 0 || !app.synced;
    none.hidden = shown.length > 0 || all.length === 0 || Boolean(words);
    views.hidden = all.length === 0;
    const unread = all.reduce((sum, c) => sum + (c.my.muted_until || c.my.archived ? 0 : c.my.unread_count), 0);
    document.title = unread ? `(${unread}) Chat` : 'Chat';
  }

  return { node, update };
}
