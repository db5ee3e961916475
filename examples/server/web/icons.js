// Line icons, drawn on a 24 × 24 grid.

const PATHS = {
  plus: 'M12 5v14M5 12h14',
  group: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c.4-3.6 3-5.5 6.500-5.500s6.100 1.900 6.500 5.500M16 4.400a3.500 3.500 0 0 1 0 6.300M18.500 14.800c1.800.8 2.800 2.600 3 5.200',
  out: 'M14 4h-8v16h8M10 12h11M17.500 8.500 21 12l-3.500 3.500',
  back: 'M15 5l-7 7 7 7',
  send: 'M4 12 20 4.500 15.500 20l-4-6.500L4 12ZM11.500 13.500 20 4.500',
  clip: 'M20 11.500 12 19.400a5 5 0 0 1-7-7l8.300-8.200a3.300 3.300 0 0 1 4.700 4.700L9.700 17a1.700 1.700 0 0 1-2.400-2.300L15 7',
  info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 11v5.500M12 7.600v.1',
  reply: 'M9 6 4 11l5 5M4 11h9c4 0 7 2.500 7 7',
  smile: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8.500 14c1.800 2.600 5.200 2.600 7 0M9 9.500v.1M15 9.500v.1',
  more: 'M5 12v.1M12 12v.1M19 12v.1',
  file: 'M6 3h8l4.500 4.500V21H6V3ZM14 3v5h4.500',
  close: 'M6 6l12 12M18 6 6 18',
  down: 'M5 9l7 7 7-7',
  pin: 'M9 3.500h6M10 3.500v6L6.500 13.500v1.500h11v-1.500L14 9.500v-6M12 15v6',
  mute: 'M6.500 16.500V11a5.500 5.500 0 0 1 9-4.200M17.500 11v5.500H5M10 19.500c.9 1.200 3.100 1.200 4 0M4 4l16 16',
  find: 'M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13ZM15.500 15.500 20.500 20.500',
  chat: 'M4 5h16v11.500H11L6 20.500v-4H4V5Z',
};

export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', `icon icon-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}
