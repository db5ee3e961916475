// Telling the moderators of a message or a user.

import { el } from './dom.js';
import { openDialog } from './dialog.js';

export const REASONS = { spam: 'Spam', abuse: 'Insults or threats', illegal: 'Against the law', self_harm: 'Somebody may harm himself', other: 'Something else' };

/** `target`: `{message_id}`, or `{user_id, conversation_id?}`; `what` names it. */
export function reportDialog(app, target, what) {
  openDialog(`Report ${what}`, close => {
    const reason = el('select', {}, Object.entries(REASONS).map(([key, text]) => el('option', { value: key }, text)));
    const note = el('textarea', { rows: 3, maxLength: 1000 });
    const problem = el('p.problem', { role: 'alert' });
    const submit = el('button.primary', { type: 'submit' }, 'Send report');
    const send = async event => {
      event.preventDefault();
      submit.disabled = true;
      try {
        await app.api.post('reports', { ...target, reason: reason.value, note: note.value.trim() || undefined });
        close();
        app.toast('Reported. The moderators will look at it.');
      } catch (error) { problem.textContent = error.message; }
      submit.disabled = false;
    };
    return el('form.form', { onsubmit: send },
      el('p.hint', {}, 'Moderators see it as it is now. Who is reported does not learn of it.'),
      el('label.field', {}, el('span', {}, 'Why'), reason),
      el('label.field', {}, el('span', {}, 'More about it (if you like)'), note),
      problem, el('.buttons', {}, el('button', { type: 'button', onclick: close }, 'Cancel'), submit));
  });
}
