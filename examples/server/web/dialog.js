// Modal dialogs (native ones: they keep the focus and close on Escape).

import { el } from './dom.js';
import { icon } from './icons.js';

/** Opens a dialog; `build(close)` gives its content. */
export function openDialog(title, build, kind = '') {
  const dialog = el('dialog', { class: kind, 'aria-label': title });
  const close = () => dialog.close();
  dialog.append(el('header.bar', {}, el('h2.grow.ellipsis', {}, title), el('button.round', { type: 'button', 'aria-label': 'Close', title: 'Close', onclick: close }, icon('close'))), el('.content', {}, build(close)));
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', event => { if (event.target === dialog) close(); });
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector('input:not([hidden]), textarea, form select')?.focus();
  return dialog;
}

/** A question with a yes; the promise tells the answer. */
export function ask(title, text, yes, kind = 'primary') {
  return new Promise(answer => {
    const dialog = openDialog(title, close => [
      el('p', {}, text),
      el('.buttons', {}, el('button', { type: 'button', onclick: close }, 'Cancel'), el('button', { type: 'button', class: kind, onclick: () => { answer(true); close(); } }, yes))], 'small');
    dialog.addEventListener('close', () => answer(false));
  });
}
