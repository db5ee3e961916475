// Messages that contain what was searched for, under the list of conversations.

import { el } from './dom.js';
import { messageHit } from './view-pages.js';

/** The text around the first place where the words are, with them marked. */
function excerpt(text, words) {
  const at = text.toLowerCase().indexOf(words.toLowerCase());
  if (at < 0) return [text];
  const from = Math.max(0, at - 24);
  return [from ? '…' : '', text.slice(from, at), el('mark', {}, text.slice(at, at + words.length)), text.slice(at + words.length, at + 120)];
}

export function searchHits(app) {
  const hits = el('ul.conversations.hits', { 'aria-label': 'Messages found' });
  const more = el('button', { type: 'button', hidden: true, onclick: () => ask(true) }, 'More');
  const hint = el('p.hint', { 'aria-live': 'polite' });
  const node = el('.found', { hidden: true }, el('h3', {}, 'Messages'), hint, hits, more);
  let words = ''; let cursor; let turn = 0; let timer;

  const row = message => messageHit(app, message, { words: excerpt(message.text ?? '', words) });

  async function ask(further = false) {
    const mine = turn += 1;
    try {
      const page = await app.api.get('search/messages', { q: words, limit: 20, cursor: further ? cursor : undefined });
      if (mine !== turn) return;
      if (!further) hits.replaceChildren();
      hits.append(...page.items.map(row));
      hint.textContent = hits.children.length ? '' : 'No message contains this.';
      cursor = page.next_cursor;
      more.hidden = !cursor;
    } catch (error) {
      if (mine !== turn) return;
      if (error.code === 'rate_limited') timer = setTimeout(ask, 1000);
      else hint.textContent = error.message;
    }
  }

  /** Searches for `text`; none hides the hits. */
  function search(text) {
    if (text === words) return;
    words = text;
    turn += 1;
    clearTimeout(timer);
    node.hidden = !words;
    hits.replaceChildren();
    more.hidden = true;
    if (words) { hint.textContent = 'Searching…'; timer = setTimeout(ask, 350); }
  }

  return { node, search };
}
