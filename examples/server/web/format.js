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

export function presenceText(presence) {
  if (presence?.status === 'online') return 'online';
  if (presence?.status === 'away') return 'away';
  if (!presence?.last_seen_at) return 'offline';
  const days = daysAgo(presence.last_seen_at);
  return `last seen ${days <= 0 ? '' : `${dayOf(presence.last_seen_at)} `}at ${timeOf(presence.last_seen_at)}`;
}

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
  const who = ids.map(nameOf).join(', ') || 'somebody';
  const lines = {
    conversation_created: () => `${actor} created the group`,
    member_added: () => `${actor} added ${who}`,
    member_removed: () => `${actor} removed ${who}`,
    member_left: () => `${ids.length ? who : actor} left`,
    renamed: () => `${actor} changed the name${params.name ? ` to “${params.name}”` : ''}`,
    avatar_changed: () => `${actor} changed the picture`,
    description_changed: () => `${actor} changed the description`,
    permissions_changed: () => `${actor} changed who may do what`,
    admin_changed: () => `${actor} changed the role of ${who}`,
    owner_changed: () => `${who} is the owner now`,
  };
  return lines[code]?.() ?? `${actor}: ${String(code).replaceAll('_', ' ')}`;
}
