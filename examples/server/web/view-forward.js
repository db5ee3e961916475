// Sending a copy of a message on: to one conversation or several.

import { el } from './dom.js';
import { icon } from './icons.js';
import { openDialog } from './dialog.js';
import { previewOf } from './replica-counts.js';
import { avatar } from './view-avatar.js';

export function forwardDialog(app, message) {
  const chosen = new Map(); // conversation id => client id, kept so that trying again sends nothing twice
  openDialog('Forward to', close => {
    const find = el('input', { type: 'search', placeholder: 'Filter conversations', 'aria-label': 'Filter conversations', oninput: draw });
    const list = el('ul.people', { 'aria-label': 'Conversations to forward to' });
    const problem = el('p.problem', { role: 'alert' });
    const submit = el('button.primary', { type: 'button', disabled: true, onclick: send }, 'Forward');

    function toggle(id, button) {
      if (!chosen.delete(id)) chosen.set(id, app.newKey());
      button.setAttribute('aria-pressed', String(chosen.has(id)));
      settle();
    }

    function settle() {
      submit.disabled = !chosen.size;
      submit.textContent = chosen.size > 1 ? `Forward to ${chosen.size}` : 'Forward';
    }

    function draw() {
      const words = find.value.trim().toLowerCase();
      const fit = app.replica.list().filter(c => app.canWrite(c) && app.titleOf(c).toLowerCase().includes(words));
      list.replaceChildren(...fit.map(c => el('li', {}, el('button.person', { type: 'button', 'aria-pressed': String(chosen.has(c.id)), onclick: event => toggle(c.id, event.currentTarget) },
        avatar(app.media, c.peer ?? { id: c.id, name: app.titleOf(c), avatar_url: c.avatar_url }), el('span.lines', {}, el('span.ellipsis', {}, app.titleOf(c))), icon('check')))));
      if (!fit.length) list.replaceChildren(el('li.hint', {}, 'No such conversation.'));
    }

    async function send() {
      submit.disabled = true;
      problem.textContent = '';
      const refused = [];
      for (const [id, key] of [...chosen]) {
        try {
          const { message: sent } = await app.conn.command('forward_message', { message_id: message.id, conversation_id: id, client_id: key });
          app.replica.take(sent);
          chosen.delete(id);
        } catch (error) { refused.push(`${app.titleOf(app.replica.conversations.get(id) ?? {})}: ${error.message}`); }
      }
      if (!refused.length) { close(); return app.toast('Forwarded'); }
      problem.textContent = refused.join('\n');
      draw();
      settle();
    }

    draw();
    return [el('p.quoted.ellipsis', { dir: 'auto' }, previewOf(message)), el('.search', {}, icon('find'), find), list, problem, el('.buttons', {}, submit)];
  });
}
