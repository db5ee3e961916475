// Lists that the server gives page by page, and messages as rows of such lists.

import { el } from './dom.js';
import { openDialog } from './dialog.js';
import { listTime } from './format.js';
import { previewOf } from './replica-counts.js';
import { avatar } from './view-avatar.js';

/** `load(cursor)` gives a page, `row(item, reload)` an element for an item; `none` are the words for an empty list. */
export function pagedList({ load, row, none, label, kind }) {
  const list = el('ul.plain', { class: kind, 'aria-label': label });
  const hint = el('p.hint', { 'aria-live': 'polite' }, 'Loading…');
  const more = el('button', { type: 'button', hidden: true, onclick: () => read(cursor) }, 'More');
  let cursor; let turn = 0;

  async function read(from) {
    const mine = turn += 1;
    try {
      const page = await load(from);
      if (mine !== turn) return;
      if (!from) list.replaceChildren();
      list.append(...page.items.map(item => row(item, reload)));
      hint.textContent = list.children.length ? '' : none;
      cursor = page.next_cursor;
      more.hidden = !cursor;
    } catch (error) {
      if (mine === turn) hint.textContent = error.message;
    }
  }
  const reload = () => read();

  read();
  return { nodes: [hint, list, more], reload };
}

/** A message with where it is, or with another title; a click leads there. `left()` is called then; `tools` stand beside it. */
export function messageHit(app, message, { title, words, left, tools } = {}) {
  const c = app.replica.conversations.get(message.conversation_id);
  const go = () => { left?.(); app.openAt(message.conversation_id, message.seq); };
  return el('li.hit', {}, el('button.conversation', { type: 'button', onclick: go },
    avatar(app.media, message.sender),
    el('span.lines', {},
      el('span.line', {}, el('span.title.ellipsis', {}, title ?? (c ? app.titleOf(c) : message.sender.name)), el('time', { dateTime: message.created_at }, listTime(message.created_at))),
      el('span.preview.ellipsis', { dir: 'auto' }, words ?? [(c?.kind === 'group' || message.sender.id === app.me.id) && `${app.nameOf(message.sender.id, c)}: `, previewOf(message)]))), tools);
}

/** Messages in a dialog; choosing one closes it and leads there. */
export function messagesDialog(app, title, { load, none, tools, above }) {
  return openDialog(title, close => {
    const row = (message, reload) => messageHit(app, message, { left: close, tools: tools?.(message, reload) });
    const { nodes, reload } = pagedList({ load, row, none, label: title });
    return [above?.(reload), ...nodes];
  });
}
