// Messages that mention oneself, over all conversations.

import { el } from './dom.js';
import { messagesDialog } from './view-pages.js';

export function mentionsDialog(app) {
  let unread = false;
  const only = reload => el('label.check', {}, el('input', { type: 'checkbox', onchange: event => { unread = event.target.checked; reload(); } }), el('span', {}, 'Unread only'));
  messagesDialog(app, 'Mentions', {
    load: cursor => app.api.get('mentions', { cursor, limit: 30, unread: unread || undefined }),
    none: 'Nobody has mentioned you here.',
    above: only,
  });
}
