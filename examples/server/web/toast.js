// A line at the bottom that goes by itself.

let timer;

export function toast(text) {
  const box = document.getElementById('toast');
  box.textContent = text;
  box.className = 'shown';
  // A dialog is drawn above everything else; a popover opened after it is above the dialog.
  if (box.matches(':popover-open')) box.hidePopover();
  box.showPopover();
  clearTimeout(timer);
  timer = setTimeout(() => { box.className = ''; box.hidePopover(); }, 4000);
}
