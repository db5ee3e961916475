// Files about to be sent: uploaded at once, shown as chips.

import { el } from './dom.js';
import { icon } from './icons.js';

const MAX_FILES = 10;

/** `changed()` is called whenever a file came, went or arrived. */
export function fileTray(app, changed) {
  let files = []; // {name, attachment?}
  const node = el('.tray', { hidden: true, 'aria-label': 'Files to send' });

  function show() {
    node.hidden = files.length === 0;
    node.replaceChildren(...files.map(entry => el('.chip', { class: entry.attachment ? '' : 'busy' }, el('span.ellipsis', {}, entry.name), el('button', { type: 'button', 'aria-label': `Remove ${entry.name}`, onclick: () => drop(entry) }, icon('close')))));
    changed();
  }

  function add(chosen) {
    for (const file of chosen.slice(0, MAX_FILES - files.length)) {
      const entry = { name: file.name || 'picture' };
      files.push(entry);
      app.api.upload(file).then(attachment => { entry.attachment = attachment; }, error => { app.fail(error); files = files.filter(other => other !== entry); }).then(show);
    }
    if (chosen.length > MAX_FILES) app.toast(`At most ${MAX_FILES} files`);
    show();
  }

  function drop(entry) {
    files = files.filter(other => other !== entry);
    if (entry.attachment) app.api.delete(`attachments/${entry.attachment.id}`).catch(() => {});
    show();
  }

  return {
    node, add,
    count: () => files.length,
    busy: () => files.some(entry => !entry.attachment),
    attachments: () => files.map(entry => entry.attachment),
    clear: () => { files = []; show(); },
  };
}
