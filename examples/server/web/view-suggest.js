// Names offered while one writes `@`.

import { el } from './dom.js';
import { avatar } from './view-avatar.js';
import { findMentionable } from './mentions.js';

const MOST = 6;

/** For a text field; `conversation()` tells where it writes. Keys go through `key(event)` first: true means it was for here. */
export function suggestions(app, field, conversation) {
  const list = el('ul.suggest', { role: 'listbox', 'aria-label': 'Mention somebody', hidden: true, id: 'suggest' });
  const picked = new Map(); // user id => user, of all that were chosen here
  let found = []; let at = 0; let from = -1; let turn = 0;

  /** What is being written behind the last `@`, where one stands at the beginning of a word. */
  function wanted() {
    const before = field.value.slice(0, field.selectionStart);
    const place = before.lastIndexOf('@');
    if (place < 0 || /[\p{L}\p{N}]/u.test(before[place - 1] ?? '') || before.length - place > 40 || before.includes('\n', place)) return undefined;
    from = place;
    return before.slice(place + 1).toLowerCase();
  }

  async function update() {
    const mine = turn += 1;
    const words = wanted();
    let users = [];
    // Who cannot be looked up now is not offered; the text is written all the same.
    if (words !== undefined) try { users = await findMentionable(app, conversation(), words, MOST); } catch (error) { if (error.code !== 'rate_limited') app.fail(error); }
    if (mine !== turn) return;
    found = users;
    at = 0;
    draw();
  }

  function draw() {
    list.hidden = !found.length;
    list.replaceChildren(...found.map((user, i) => el('li.person', { role: 'option', id: `suggest${i}`, 'aria-selected': String(i === at), onpointerdown: event => { event.preventDefault(); pick(user); } },
      avatar(app.media, user), el('span.ellipsis', {}, user.id === '@all' ? 'all: everybody here' : user.name))));
    if (found.length) field.setAttribute('aria-activedescendant', `suggest${at}`); else field.removeAttribute('aria-activedescendant');
  }

  function pick(user) {
    const end = field.selectionStart;
    picked.set(user.id, user);
    if (user.id !== '@all') app.replica.names.set(user.id, user.name);
    field.setRangeText(`@${user.name} `, from, end, 'end');
    close();
    field.focus();
  }

  function close() { turn += 1; found = []; draw(); }

  function key(event) {
    if (!found.length || event.isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { at = (at + step + found.length) % found.length; draw(); } else if (event.key === 'Enter' || event.key === 'Tab') pick(found[at]); else if (event.key === 'Escape') close(); else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  return { node: list, update, close, key, picked: () => [...picked.values()] };
}
