// After what time the messages of a conversation disappear: set and shown.

import { el } from './dom.js';
import { icon } from './icons.js';
import { spanOf } from './format.js';

const MINUTE = 60_000;
const SPANS = [MINUTE, 10 * MINUTE, 60 * MINUTE, 24 * 60 * MINUTE, 7 * 24 * 60 * MINUTE, 28 * 24 * 60 * MINUTE];

/** For the head of a conversation. */
export function timerMark({ message_ttl_ms: ttl }) {
  return ttl && el('span.mark', { title: `Messages disappear after ${spanOf(ttl)}` }, icon('timer'), el('small', {}, spanOf(ttl)));
}

/** For the details of a conversation; `set(ms or null)`. */
export function timerField(conversation, set) {
  const now = conversation.message_ttl_ms ?? 0;
  const can = conversation.my.can?.includes('set_timer');
  const spans = [0, ...new Set([...SPANS, ...(now ? [now] : [])])].sort((a, b) => a - b);
  return el('label.field', {}, el('span', {}, 'Disappearing messages'),
    el('select', { disabled: !can, onchange: event => set(Number(event.target.value) || null) },
      spans.map(ms => el('option', { value: String(ms), selected: ms === now }, ms ? `After ${spanOf(ms)}` : 'Off'))));
}
