// What can be done with one message.

import { ask } from './dialog.js';
import { openMenu } from './menu.js';

const EMOJI = ['👍', '❤️', '😂', '😮', '😢', '🎉'];

export function messageActions(app) {
  /** Does a command and takes the message it answers with; tells whether it went well. */
  const change = async (op, data) => {
    try {
      const answer = await app.conn.command(op, data);
      if (answer.message) app.replica.take(answer.message);
      return true;
    } catch (error) { app.fail(error); return false; }
  };
  const of = message => ({ message_id: message.id });

  const edit = (message, text, mentions) => change('edit_message', { ...of(message), text, mentions, expected_version: message.version });
  const react = (message, emoji, on) => change(on ? 'add_reaction' : 'remove_reaction', { ...of(message), emoji });
  const keep = (message, on) => change(on ? 'keep_message' : 'unkeep_message', of(message));

  async function star(message, on) {
    if (await change(on ? 'star_message' : 'unstar_message', of(message))) app.replica.star(message.conversation_id, message.id, on);
  }

  /** Over REST: so this page, too, hears of the line that tells of a pin. */
  async function pin(message, on) {
    const path = `conversations/${message.conversation_id}/pins/${message.id}`;
    try {
      if (on) app.replica.take(await app.api.put(path));
      else { await app.api.delete(path); app.replica.take(await app.api.get(`messages/${message.id}`)); }
    } catch (error) { app.fail(error); }
  }

  async function remove(message, scope) {
    const everyone = scope === 'everyone';
    if (!await ask(everyone ? 'Delete for everyone?' : 'Delete for you?', everyone ? 'Nobody will see this message any more.' : 'The others keep this message.', 'Delete', 'danger')) return;
    try {
      await app.conn.command('delete_message', { ...of(message), for: scope });
      if (everyone) app.replica.take(await app.api.get(`messages/${message.id}`));
      else { app.replica.drop(message); await app.refresh(message.conversation_id); }
    } catch (error) { app.fail(error); }
  }

  const reactMenu = (anchor, message) => openMenu(anchor, EMOJI.map(emoji => [emoji, () => react(message, emoji, !message.reactions?.some(r => r.emoji === emoji && r.mine))]), { row: true, label: 'Reactions' });

  return { edit, react, reactMenu, keep, star, pin, remove };
}
