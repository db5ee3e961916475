// One's own starred messages, in a list.

import { el } from './dom.js';
import { icon } from './icons.js';
import { messagesDialog } from './view-pages.js';

export function starredDialog(app) {
  const unstar = (message, reload) => el('button.round.lit', { type: 'button', title: 'Remove the star', 'aria-label': 'Remove the star', onclick: async () => { await app.star(message, false); reload(); } }, icon('star'));
  messagesDialog(app, 'Starred messages', {
    load: cursor => app.api.get('starred', { cursor, limit: 30 }),
    none: 'No message is starred. Star one from its menu to find it here.',
    tools: unstar,
  });
}
