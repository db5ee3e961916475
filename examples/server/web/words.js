// What a refusal of the server says to people. Its own words are good where they name the case; these are for the others.

const seconds = ms => (ms >= 60_000 ? `${Math.ceil(ms / 60_000)} min` : `${Math.max(1, Math.ceil(ms / 1000))} s`);
const again = (text, ms) => `${text} ${ms ? `Try again in ${seconds(ms)}.` : 'Try again in a moment.'}`;

const WORDS = {
  conversation_not_found: () => 'This conversation is not there any more.',
  conversation_gone: () => 'This group was deleted.',
  message_not_found: () => 'This message is not there any more.',
  version_conflict: () => 'It was changed meanwhile. Look at it again.',
  window_closed: () => 'The time for this has passed.',
  payload_too_large: () => 'This is too large.',
  unsupported_media_type: () => 'This sort of file is not taken.',
  rate_limited: ({ retry_after_ms: ms }) => again('Too fast.', ms),
  slow_mode: ({ retry_after_ms: ms }) => again('Slow mode is on here.', ms),
  unavailable: ({ retry_after_ms: ms }) => again('The server is busy.', ms),
  overloaded: ({ retry_after_ms: ms }) => again('The server is busy.', ms),
  outcome_unknown: () => 'It may have happened or not. Look again in a moment.',
  storage_full: () => 'The server has no room left.',
  internal: () => 'Something went wrong on the server.',
  'invalid_argument send_at': () => 'Choose a time that lies ahead, at most a year.',
};

/** Words for a problem: `{code, detail?, field?, retry_after_ms?}`. */
export function wordsOf(problem) {
  const { code, detail, field } = problem;
  const words = WORDS[`${code} ${field}`] ?? WORDS[code];
  if (words) return words(problem);
  const text = detail || String(code).replaceAll('_', ' ');
  const whole = code === 'invalid_argument' && field ? `${field.replaceAll('_', ' ')}: ${text}` : text;
  return whole[0].toUpperCase() + whole.slice(1);
}
