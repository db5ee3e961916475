// Building elements. Data only ever becomes text nodes and properties, never markup.

/** `el('button.primary', {title, onclick, 'aria-label': …}, 'text', child)`. */
export function el(spec, props = {}, ...children) {
  const [tag, ...classes] = spec.split('.');
  const node = document.createElement(tag || 'div');
  if (classes.length) node.className = classes.join(' ');
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (key === 'class') node.className += ` ${value}`;
    else if (key in node && !key.startsWith('aria')) node[key] = value;
    else node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children.flat().filter(child => child !== undefined && child !== null && child !== false && child !== ''));
  return node;
}

/** Makes the children of `box` equal to `rows` of {key, sign, make}, and keeps the nodes whose sign is the same. */
export function reconcile(box, rows) {
  const known = box._rows ?? new Map();
  const next = new Map();
  const scrolledFocus = document.activeElement?.closest('[data-key]');
  const focusKey = scrolledFocus && box.contains(scrolledFocus) ? scrolledFocus.dataset.key : undefined;
  let before = box.firstChild;
  for (const { key, sign, make } of rows) {
    const old = known.get(key);
    const node = old && old.sign === sign ? old.node : make();
    node.dataset.key = key;
    next.set(key, { sign, node });
    if (old && old.node !== node) {
      if (before === old.node) before = before.nextSibling;
      old.node.replaceWith(node);
      if (focusKey === key) node.querySelector('[tabindex],button')?.focus();
    }
    if (node === before) before = before.nextSibling;
    else box.insertBefore(node, before);
  }
  for (const [key, { node }] of known) if (!next.has(key)) node.remove();
  box._rows = next;
}
