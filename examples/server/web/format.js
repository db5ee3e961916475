// Words for times, sizes, people and system lines.

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' });
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

const midnight = time => new Date(time).setHours(0, 0, 0, 0);
const daysAgo = time => Math.round((midnight(Date.now()) - midnight(time)) / 86_400_000);

export const dayKey = time => midnight(time);
export const timeOf = time => clock.format(new Date(time));
export const exactTime = time => exact.format(new Date(time));

export function dayOf(time) {
  const days = daysAgo(time);
  if (days <= 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return days < 7 ? weekday.format(new Date(time)) : date.format(new Date(time));
}

export const listTime = time => (daysAgo(time) <= 0 ? timeOf(time) : dayOf(time));

export function sizeOf(bytes) {
  const units = ['B', 'KB', 'MB', 'GB'];
  let unit = 0;
  for (; bytes >= 1024 && unit < 3; unit += 1) bytes /= 1024;
  return `${bytes < 10 && unit ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}

/** What somebody says of himself: an emoji, some words, or nothing. */
export const statusWords = presence => [presence?.status_emoji, presence?.status_text].filter(Boolean).join(' ');

export function presenceText(presence) {
  const there = presence?.dnd ? 'do not disturb' : presence?.status;
  if (there && there !== 'offline') return [there, statusWords(presence)].filter(Boolean).join(' · ');
  if (!presence?.last_seen_at) return 'offline';
  const days = daysAgo(presence.last_seen_at);
  return `last seen ${days <= 0 ? '' : `${dayOf(presence.last_seen_at)} `}at ${timeOf(presence.last_seen_at)}`;
}

const SPANS = [[86_400_000, 'day'], [3_600_000, 'hour'], [60_000, 'minute'], [1000, 'second']];

/** `90 minutes`, `1 day`: in the largest unit that divides it. */
export function spanOf(ms) {
  const [unit, name] = SPANS.find(([size]) => ms >= size && ms % size === 0) ?? SPANS.at(-1);
  const count = Math.round(ms / unit);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

/** When a mute or the like ends, in words. */
export const untilText = until => (until === 'forever' ? 'for good' : `until ${exactTime(until)}`);

export const initials = name => [...(name || '?').trim().split(/\s+/).slice(0, 2).map(word => [...word][0] ?? '')].join('').toUpperCase() || '?';

/** One of eight colours, always the same for the same id. */
export function hueOf(id) {
  let sum = 0;
  for (const letter of String(id)) sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
  return `hue${sum % 8}`;
}

export function typingText(names) {
  if (names.length === 1) return `${names[0]} is typing…`;
  if (names.length === 2) return `${names[0]} and ${names[1]} are typing…`;
  return `${names.length} people are typing…`;
}

/** A line for a system message; `nameOf` turns user ids into names. */
export function systemText({ code, params = {} }, actor, nameOf) {
  const ids = params.user_ids ?? (params.user_id ? [params.user_id] : []);
  const who = ids.map(id => nameOf(id).replace(/^You$/, 'you')).join(', ') || 'somebody';
  const rank = { admin: 'an admin', member: 'a plain member' }[params.role];
  const lines = {
    conversation_created: () => `${actor} created the group`,
    member_added: () => `${actor} added ${who}`,
    member_removed: () => `${actor} removed ${who}`,
    member_left: () => `${ids.length && who !== 'you' ? who : actor} left`,
    renamed: () => `${actor} changed the name${params.name ? ` to “${params.name}”` : ''}`,
    avatar_changed: () => `${actor} changed the picture`,
    description_changed: () => `${actor} changed the description`,
    permissions_changed: () => `${actor} changed who may do what`,
    admin_changed: () => (rank ? `${actor} made ${who} ${rank}` : `${actor} changed the role of ${who}`),
    owner_changed: () => (who === 'you' ? 'You are the owner now' : `${who} is the owner now`),
    frozen: () => `${actor} froze the group`,
    unfrozen: () => `${actor} lifted the freeze`,
    message_pinned: () => `${actor} pinned a message`,
    timer_changed: () => (params.message_ttl_ms ? `${actor} set messages to disappear after ${spanOf(params.message_ttl_ms)}` : `${actor} turned disappearing messages off`),
  };
  return lines[code]?.() ?? `${actor}: ${String(code).replaceAll('_', ' ')}`;
}
