#!/usr/bin/env node
// People chat in a real browser: node chat.mjs --base http://127.0.0.1:3000
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { world } from './lib/world.mjs';
import blocking from './themes/blocking.mjs';
import crowd from './themes/crowd.mjs';
import groups from './themes/groups.mjs';
import later from './themes/later.mjs';
import leaving from './themes/leaving.mjs';
import list from './themes/list.mjs';
import marking from './themes/marking.mjs';
import mentions from './themes/mentions.mjs';
import moderation from './themes/moderation.mjs';
import outage from './themes/outage.mjs';
import phone from './themes/phone.mjs';
import ranks from './themes/ranks.mjs';
import status from './themes/status.mjs';
import talking from './themes/talking.mjs';

const { values: options } = parseArgs({
  options: {
    base: { type: 'string', default: 'http://127.0.0.1:3000' }, chromium: { type: 'string', default: process.env.CHROMIUM ?? '/usr/bin/chromium' },
    shots: { type: 'string' }, headed: { type: 'boolean', default: false }, timeout: { type: 'string', default: '15000' }, only: { type: 'string' },
  },
});
if (!existsSync(options.chromium)) { console.error(`no Chromium at ${options.chromium}; give --chromium`); process.exit(2); }

const play = await world({ ...options, timeout: Number(options.timeout) });
play.ada = await play.person('Ada');
play.ben = await play.person('Ben', { dark: true });

// In this order: what two people do first is what the others go on from. The clock is waited for before anybody is muted,
// suspended or blocked: a scheduled message that falls due just then is refused, as it should be.
const wanted = themes => { for (const [name, theme] of Object.entries(themes)) if (!options.only || options.only.split(',').includes(name)) theme(play); };
talking(play);
const waited = later(play);
wanted({ groups, list, marking });
waited();
wanted({ ranks, mentions, status, moderation, outage, blocking, phone, crowd });
leaving(play);
process.exit(await play.play() ? 0 : 1);
