// The round picture of a user or group, with its presence.

import { el } from './dom.js';
import { hueOf, initials, presenceText } from './format.js';

export function avatar(media, { id, name, avatar_url: url }, presence) {
  const face = el('span.avatar', { class: hueOf(id), 'aria-hidden': 'true' }, el('span.initials', {}, initials(name)));
  // Pictures of other sites are not loaded: the page's policy allows its own server only.
  if (url?.startsWith('/')) {
    media.url(url).then(src => face.replaceChildren(el('img', { src, alt: '' })), () => {});
  }
  return el('span.portrait', {}, face, presence && el('span.dot', { class: presence.dnd ? 'dnd' : presence.status, title: presenceText(presence) }));
}
