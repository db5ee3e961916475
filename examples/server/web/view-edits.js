// What a message said before it was edited, and who may know.

import { el } from './dom.js';
import { openDialog } from './dialog.js';
import { exactTime } from './format.js';
import { pagedList } from './view-pages.js';

/** Whether the server would tell, as far as the page knows its policy. */
export function mayReadEdits(app, conversation) {
  const policy = app.policies.edit_history;
  return policy === 'members' || (policy === 'moderators' && (conversation.my.can ?? []).includes('moderate'));
}

export function editsDialog(app, message) {
  const line = (text, title, time) => el('li.former', {}, el('small', {}, title, time && ` ${exactTime(time)}`), el('p.text', { dir: 'auto' }, text));
  openDialog('Edits', () => {
    const former = pagedList({
      load: cursor => app.api.get(`messages/${message.id}/edits`, { cursor }),
      row: ({ version, text, edited_at: until }) => line(text, version === 1 ? 'First, until' : 'Then, until', until),
      none: 'What it said before was not kept.', label: 'Former texts',
    });
    return [el('ul.plain', {}, line(message.text ?? '', 'Now, since', message.edited_at)), ...former.nodes];
  });
}
