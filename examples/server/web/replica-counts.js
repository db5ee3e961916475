// What a message means for the list of conversations: the newest line, what is unread, and how far one's own got.

const WORDS = { image: 'Photo', video: 'Video', audio: 'Audio', file: 'File', location: 'Location', meeting: 'Meeting', custom: 'Message', system: 'Update' };
const RANKS = ['sent', 'delivered', 'read'];

const countable = message => message.kind !== 'system' && !message.silent && !message.deleted && !message.from_blocked;

/** What the list shows of a message. */
export const previewOf = message => message.text || WORDS[message.kind] || '';

/**
 * Counts a message in its conversation. Answers false when only the server can tell what the list shows now: the newest
 * message may be one that is not here.
 */
export function countIn(conversation, message, userId) {
  const newest = message.seq > conversation.last_seq;
  if (newest) conversation.last_seq = message.seq;
  const last = conversation.last_message;
  if (message.gone || message.deleted) return !(last?.seq === message.seq || message.seq > conversation.my.read_seq);
  // Lines of the engine do not stand in the list, but for the one that tells of the beginning.
  const shows = message.kind !== 'system' || message.system?.code === 'conversation_created';
  if (shows && (!last || message.seq >= last.seq)) {
    conversation.last_message = { seq: message.seq, kind: message.kind, sender_id: message.sender.id, preview: message.from_blocked ? WORDS[message.kind] ?? 'Message' : previewOf(message), created_at: message.created_at, expires_at: message.expires_at };
    if (newest && countable(message)) conversation.last_activity_at = message.created_at;
  }
  if (newest && countable(message) && message.sender.id !== userId) {
    const my = conversation.my;
    if (!my.unread_count) my.first_unread_seq = message.seq;
    my.unread_count += 1;
    if (message.mentions?.some(user => user === userId || user === '@all')) my.mention_count += 1;
    if (!my.muted_until) my.archived = false;
  }
  return true;
}

/** How far one's own message got: what the server said, or what the members' marks say since. Never goes back. */
export function statusOf(message, conversation, userId) {
  const others = (conversation?.members ?? []).filter(m => m.user.id !== userId && m.joined_at <= message.created_at);
  const all = mark => others.length > 0 && others.every(m => m[mark] >= message.seq);
  const seen = all('read_seq') ? 2 : all('delivered_seq') ? 1 : 0;
  return RANKS[Math.max(seen, RANKS.indexOf(message.status ?? 'sent'))];
}

/** Conversations in the order of the list, archived ones among them: pinned first, then by activity. */
export function ordered(conversations) {
  const time = c => c.last_activity_at ?? c.created_at;
  return [...conversations].filter(c => !c.my.hidden)
    .sort((a, b) => Boolean(b.my.pinned_at) - Boolean(a.my.pinned_at) || (time(b) < time(a) ? -1 : time(b) > time(a) ? 1 : 0));
}
