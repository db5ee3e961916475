// The bar of pinned messages under the head of a conversation, and the list behind it.

import { el, reconcile } from './dom.js';
import { openDialog } from './dialog.js';
import { icon } from './icons.js';
import { previewOf } from './replica-counts.js';
import { messageHit } from './view-pages.js';

export function pinBar(app, id) {
  const node = el('.pinned', { role: 'region', 'aria-label': 'Pinned messages', hidden: true });
  let loading = false;
  let notBefore = 0; // what failed is not tried again at once

  function load() {
    if (loading || !app.conn.ready || Date.now() < notBefore) return;
    loading = true;
    app.replica.pins.load(id, () => app.api.get(`conversations/${id}/pins`, { limit: 100 })).catch(error => { notBefore = Date.now() + 5000; if (error.code !== 'offline') app.fail(error); }).finally(() => { loading = false; app.replica.changed(id); });
  }

  function all() {
    const can = app.can(id, 'pin_messages');
    const dialog = openDialog('Pinned messages', close => {
      const list = el('ul.plain', { 'aria-label': 'Pinned messages' });
      const draw = () => {
        const pins = app.replica.pins.of(id) ?? [];
        if (!pins.length) return close();
        list.replaceChildren(...pins.map(message => messageHit(app, message, { left: close,
          title: app.nameOf(message.sender.id, app.replica.conversations.get(id)), words: previewOf(message),
          tools: can && el('button.round', { type: 'button', title: 'Unpin', 'aria-label': 'Unpin', onclick: async () => { await app.pin(message, false); draw(); } }, icon('close')) })));
      };
      setTimeout(draw);
      return list;
    });
    return dialog;
  }

  function row([newest, ...others]) {
    return el('.pin', {},
      el('button.pinline', { type: 'button', title: 'Show the pinned message', onclick: () => app.jumpTo(newest.seq) }, icon('pin'),
        el('span.lines', {}, el('strong', {}, 'Pinned'), el('span.ellipsis', { dir: 'auto' }, previewOf(newest)))),
      others.length > 0 && el('button', { type: 'button', onclick: all }, `All ${others.length + 1}`),
      others.length === 0 && app.can(id, 'pin_messages') && el('button.round', { type: 'button', title: 'Unpin', 'aria-label': 'Unpin', onclick: () => app.pin(newest, false) }, icon('close')));
  }

  function update() {
    const pins = app.replica.pins.of(id);
    if (!pins) load();
    node.hidden = !pins?.length;
    reconcile(node, pins?.length ? [{ key: 'pins', sign: JSON.stringify([pins.map(m => [m.id, m.rev]), app.can(id, 'pin_messages')]), make: () => row(pins) }] : []);
  }

  return { node, update };
}
