// Mentions: who may be mentioned, who is in a text, and the marking of them.

import { el } from './dom.js';

const ALL = '@all';

/** The others of a conversation as `{id, name}` as far as they are known here, everybody first where that is allowed. */
export function mentionable(app, conversation) {
  if (conversation.kind !== 'group') return [];
  const others = (conversation.members ?? []).map(m => m.user).filter(user => user.id !== app.me.id);
  return [...(conversation.my.can?.includes('mention_all') ? [{ id: ALL, name: 'all' }] : []), ...others];
}

/** The same by the beginning of a name; large groups carry no list, there the server is asked. */
export async function findMentionable(app, conversation, words, most) {
  const fits = user => user.name.toLowerCase().startsWith(words) && user.name.toLowerCase() !== words.trimEnd();
  const known = mentionable(app, conversation).filter(fits);
  if (conversation.kind !== 'group' || conversation.members || !words) return known.slice(0, most);
  const { items } = await app.api.get(`conversations/${conversation.id}/members`, { q: words.trimEnd(), limit: 50 });
  return [...known, ...items.map(m => m.user).filter(user => user.id !== app.me.id && fits(user))].slice(0, most);
}

/** Who of these is mentioned in a text, as `@Name`; of names that begin alike the longest counts. */
export function mentionsIn(text, users) {
  return [...new Set(cut(text, users).filter(part => part.user).map(part => part.user.id))];
}

/** A text in parts, those that mention somebody with the user. */
function cut(text, users) {
  const byLength = [...users].sort((a, b) => b.name.length - a.name.length);
  const parts = [];
  let from = 0;
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const user = byLength.find(one => text.startsWith(one.name, at + 1) && !/[\p{L}\p{N}]/u.test(text[at + 1 + one.name.length] ?? ''));
    if (!user || at < from || /[\p{L}\p{N}]/u.test(text[at - 1] ?? '')) continue;
    parts.push({ text: text.slice(from, at) }, { text: `@${user.name}`, user });
    from = at + 1 + user.name.length;
  }
  return [...parts, { text: text.slice(from) }];
}

/** Mentioned ids as `{id, name}`. */
export const namesOf = (app, ids, conversation) => (ids ?? []).map(id => ({ id, name: id === ALL ? 'all' : id === app.me.id ? app.me.name : app.nameOf(id, conversation) }));

/** The text of a message with its mentions marked. */
export function mentioned(app, message, conversation) {
  if (!message.mentions?.length) return message.text;
  return cut(message.text, namesOf(app, message.mentions, conversation)).map(({ text, user }) => (user ? el('span.mention', { class: [app.me.id, ALL].includes(user.id) ? 'me' : '' }, text) : text));
}
