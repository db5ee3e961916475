// A line at the bottom that goes by itself.

let timer;

export function toast(text) {
  const box = document.getElementById('toast');
  // A dialog is drawn above everything else; a popover opened after it is above the dialog.
  if (box.matches(':popover-open')) box.hidePopover();
  box.showPopover();
  // Only then the words: screen readers tell of what changes in a place that is there.
  box.textContent = text;
  box.className = 'shown';
  clearTimeout(timer);
  timer = setTimeout(() => { box.className = ''; box.hidePopover(); }, 4000);
}
