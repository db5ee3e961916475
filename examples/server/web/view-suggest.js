// Names offered while one writes `@`.

import { el } from './dom.js';
import { avatar } from './view-avatar.js';
import { mentionable } from './mentions.js';

const MOST = 6;

/** For a text field; `conversation()` tells where it writes. Keys go through `key(event)` first: true means it was for here. */
export function suggestions(app, field, conversation) {
  const list = el('ul.suggest', { role: 'listbox', 'aria-label': 'Mention somebody', hidden: true, id: 'suggest' });
  let found = []; let at = 0; let from = -1;

  /** What is being written behind the last `@`, where one stands at the beginning of a word. */
  function wanted() {
    const before = field.value.slice(0, field.selectionStart);
    const place = before.lastIndexOf('@');
    if (place < 0 || /[\p{L}\p{N}]/u.test(before[place - 1] ?? '') || before.length - place > 40 || before.includes('\n', place)) return undefined;
    from = place;
    return before.slice(place + 1).toLowerCase();
  }

  function update() {
    const words = wanted();
    found = words === undefined ? [] : mentionable(app, conversation()).filter(user => user.name.toLowerCase().startsWith(words) && user.name.toLowerCase() !== words.trimEnd()).slice(0, MOST);
    at = 0;
    draw();
  }

  function draw() {
    list.hidden = !found.length;
    field.setAttribute('aria-expanded', String(!list.hidden));
    list.replaceChildren(...found.map((user, i) => el('li.person', { role: 'option', id: `suggest${i}`, 'aria-selected': String(i === at), onpointerdown: event => { event.preventDefault(); pick(user); } },
      avatar(app.media, user), el('span.ellipsis', {}, user.id === '@all' ? 'all: everybody here' : user.name))));
    if (found.length) field.setAttribute('aria-activedescendant', `suggest${at}`); else field.removeAttribute('aria-activedescendant');
  }

  function pick(user) {
    const end = field.selectionStart;
    field.setRangeText(`@${user.name} `, from, end, 'end');
    close();
    field.focus();
  }

  function close() { found = []; draw(); }

  function key(event) {
    if (!found.length || event.isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { at = (at + step + found.length) % found.length; draw(); } else if (event.key === 'Enter' || event.key === 'Tab') pick(found[at]); else if (event.key === 'Escape') close(); else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  return { node: list, update, close, key };
}
