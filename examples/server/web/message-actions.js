// What can be done with one message, and the menu that offers it.

import { el } from './dom.js';
import { ask, openDialog } from './dialog.js';
import { openMenu } from './menu.js';
import { exactTime } from './format.js';

const EMOJI = ['👍', '❤️', '😂', '😮', '😢', '🎉'];

/** `aim(kind, message)` points the composer at a message, to answer or to edit it. */
export function messageActions(app, { aim }) {
  const change = async (op, data) => {
    try { const answer = await app.conn.command(op, data); if (answer.message) app.replica.take(answer.message); } catch (error) { app.fail(error); }
  };
  const edit = (message, text) => change('edit_message', { message_id: message.id, text, expected_version: message.version });
  const react = (message, emoji, on) => change(on ? 'add_reaction' : 'remove_reaction', { message_id: message.id, emoji });
  const reactMenu = (anchor, message) => openMenu(anchor, EMOJI.map(emoji => [emoji, () => react(message, emoji, !message.reactions?.some(r => r.emoji === emoji && r.mine))]), { row: true, label: 'Reactions' });

  async function remove(message, scope) {
    const everyone = scope === 'everyone';
    if (!await ask(everyone ? 'Delete for everyone?' : 'Delete for you?', everyone ? 'Nobody will see this message any more.' : 'The others keep this message.', 'Delete', 'danger')) return;
    try {
      await app.conn.command('delete_message', { message_id: message.id, for: scope });
      if (everyone) await app.api.get(`messages/${message.id}`).then(left => app.replica.take(left));
      else { app.replica.timelines.get(message.conversation_id)?.items.delete(message.seq); await app.refresh(message.conversation_id); }
    } catch (error) { app.fail(error); }
  }

  async function receipts(message) {
    const line = ({ user, delivered_at: delivered, read_at: read }) => el('li.person', {}, el('span.lines', {}, el('span', {}, user.name), el('small', {}, read ? `Read ${exactTime(read)}` : delivered ? `Delivered ${exactTime(delivered)}` : 'Not delivered yet')));
    try {
      const { items } = await app.api.get(`messages/${message.id}/receipts`, { limit: 100 });
      openDialog('Message info', () => el('ul.people', {}, items.map(line)));
    } catch (error) { app.fail(error); }
  }

  function messageMenu(anchor, message) {
    const c = app.replica.conversations.get(message.conversation_id);
    const mine = message.sender.id === app.me.id;
    const alive = !message.deleted;
    const touch = matchMedia('(hover: none)').matches && alive && app.canWrite(c); // no buttons beside the message there
    openMenu(anchor, [
      touch && ['React', () => reactMenu(anchor, message)],
      touch && ['Reply', () => aim('reply', message)],
      message.text && ['Copy', () => navigator.clipboard?.writeText(message.text).catch(() => app.toast('Copying is not possible here'))],
      mine && alive && message.text && ['Edit', () => aim('edit', message)],
      mine && alive && ['Info', () => receipts(message)],
      ['Delete for me', () => remove(message, 'me'), 'danger'],
      alive && (mine || (c.kind === 'group' && c.my.role !== 'member')) && ['Delete for everyone', () => remove(message, 'everyone'), 'danger'],
    ]);
  }

  return { edit, react, reactMenu, messageMenu };
}
