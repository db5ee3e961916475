// Small menus beside a button, closed by Escape or a click elsewhere (native popovers).

import { el } from './dom.js';

/** `items`: [label, action, class?]; a row of plain buttons when `row` is set. */
export function openMenu(anchor, items, { row = false, label = 'Actions' } = {}) {
  const menu = el('div.menu', { class: row ? 'row' : '', popover: 'auto', role: 'menu', 'aria-label': label });
  for (const [text, action, kind] of items.filter(Boolean)) {
    menu.append(el('button', { type: 'button', role: 'menuitem', class: kind, onclick: () => { menu.hidePopover(); action(); } }, text));
  }
  menu.addEventListener('toggle', event => { if (event.newState === 'closed') { menu.remove(); if (anchor.isConnected && !document.querySelector('.menu:popover-open')) anchor.focus({ preventScroll: true }); } });
  menu.addEventListener('keydown', event => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const all = [...menu.children];
    all.at((all.indexOf(document.activeElement) + step) % all.length)?.focus();
    event.preventDefault();
  });
  // Outside an open dialog nothing can be clicked.
  (anchor.closest('dialog') ?? document.body).append(menu);
  menu.showPopover();
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  menu.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`;
  menu.style.top = `${at.bottom + height + 8 > innerHeight ? Math.max(8, at.top - height - 4) : at.bottom + 4}px`;
  menu.firstElementChild?.focus({ preventScroll: true });
}
