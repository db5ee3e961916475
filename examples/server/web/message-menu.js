// The menu of one message: what may be done with it, as far as the page knows.

import { el } from './dom.js';
import { openDialog } from './dialog.js';
import { openMenu } from './menu.js';
import { exactTime } from './format.js';
import { forwardDialog } from './view-forward.js';
import { reportDialog } from './view-report.js';

const STILL = new Set(['meeting']); // kinds that are not forwarded

async function receiptsDialog(app, message) {
  const line = ({ user, delivered_at: delivered, read_at: read }) => el('li.person', {}, el('span.lines', {}, el('span', {}, user.name), el('small', {}, read ? `Read ${exactTime(read)}` : delivered ? `Delivered ${exactTime(delivered)}` : 'Not delivered yet')));
  try {
    const { items } = await app.api.get(`messages/${message.id}/receipts`, { limit: 100 });
    openDialog('Message info', () => el('ul.people', {}, items.map(line)));
  } catch (error) { app.fail(error); }
}

/** `aim(kind, message)` points the composer at a message, to answer or to edit it. */
export function messageMenu(app, aim, anchor, message) {
  const c = app.replica.conversations.get(message.conversation_id);
  const can = name => app.can(c.id, name);
  const mine = message.sender.id === app.me.id;
  const alive = !message.deleted;
  const touch = matchMedia('(hover: none)').matches && alive && app.canWrite(c); // no buttons beside the message there
  const travels = alive && !STILL.has(message.kind) && !(message.location?.live_until);
  openMenu(anchor, [
    touch && ['React', () => app.reactMenu(anchor, message)],
    touch && ['Reply', () => aim('reply', message)],
    travels && ['Forward', () => forwardDialog(app, message)],
    message.text && ['Copy', () => navigator.clipboard?.writeText(message.text).catch(() => app.toast('Copying is not possible here'))],
    alive && [message.starred ? 'Remove the star' : 'Star', () => app.star(message, !message.starred)],
    alive && can('pin_messages') && [message.pinned ? 'Unpin' : 'Pin', () => app.pin(message, !message.pinned)],
    alive && can('keep') && message.expires_at && ['Keep', () => app.keep(message, true)],
    alive && can('keep') && message.kept && ['Let it disappear', () => app.keep(message, false)],
    mine && alive && message.text && ['Edit', () => aim('edit', message)],
    mine && alive && ['Info', () => receiptsDialog(app, message)],
    !mine && alive && ['Report', () => reportDialog(app, { message_id: message.id }, 'message')],
    ['Delete for me', () => app.remove(message, 'me'), 'danger'],
    alive && (mine || can('moderate')) && ['Delete for everyone', () => app.remove(message, 'everyone'), 'danger'],
  ]);
}
