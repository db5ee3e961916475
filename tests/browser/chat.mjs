#!/usr/bin/env node
// Two people chat in a real browser: node chat.mjs --base http://127.0.0.1:3000

import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { values: options } = parseArgs({
  options: {
    base: { type: 'string', default: 'http://127.0.0.1:3000' }, chromium: { type: 'string', default: process.env.CHROMIUM ?? '/usr/bin/chromium' },
    shots: { type: 'string' }, headed: { type: 'boolean', default: false }, timeout: { type: 'string', default: '8000' },
  },
});
if (!existsSync(options.chromium)) { console.error(`no Chromium at ${options.chromium}; give --chromium`); process.exit(2); }
if (options.shots) mkdirSync(options.shots, { recursive: true });

const folder = mkdtempSync(join(tmpdir(), 'chat-browser-'));
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', `--disk-cache-dir=${join(folder, 'cache')}`];
const browser = await chromium.launch({ executablePath: options.chromium, headless: !options.headed, args });
const run = Math.random().toString(36).slice(2, 8);
const faults = [];
const people = [];
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGNQKHiAFTEMLQkAUqhaAV3Q3wAAAAAASUVORK5CYII=', 'base64');

async function person(name, { width = 1200, height = 780, dark = false, mobile = false } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', hasTouch: mobile, isMobile: mobile, baseURL: options.base });
  context.setDefaultTimeout(Number(options.timeout));
  const page = await context.newPage();
  page.on('pageerror', error => faults.push(`${name}: ${error.message}`));
  page.on('console', message => {
    // Refused requests are part of the play; broken scripts and broken policies are not.
    if (message.type() === 'error' && !/Failed to load resource|WebSocket connection/.test(message.text())) faults.push(`${name}: ${message.text()}`);
  });
  await page.goto('/');
  const one = { name: `${name} ${run}`, short: name, email: `${name.toLowerCase()}-${run}@example.com`, password: `correct horse ${run}`, page, context };
  people.push(one);
  return one;
}

async function signUp(who) {
  const { page } = who;
  await page.getByRole('tab', { name: 'Sign up' }).click();
  await page.getByLabel('Name', { exact: true }).fill(who.name);
  await page.getByLabel('E-mail').fill(who.email);
  await page.getByLabel('Password').fill(who.password);
  await page.getByRole('button', { name: 'Sign up' }).click();
  await page.getByRole('navigation', { name: 'Conversations' }).waitFor();
}

let shot = 0;
async function shoot(who, what) {
  if (options.shots) await who.page.screenshot({ path: join(options.shots, `${String(shot += 1).padStart(2, '0')}-${who.short}-${what}.png`) });
}

const bubble = (who, text) => who.page.locator('.message', { hasText: text });
const write = async (who, text) => { await who.page.getByLabel('Message', { exact: true }).fill(text); await who.page.keyboard.press('Enter'); };
const ticks = (who, text, state) => bubble(who, text).locator(`.ticks.${state}`).waitFor();
const act = async (who, text, action) => {
  await bubble(who, text).hover();
  await bubble(who, text).getByRole('button', { name: 'More actions' }).click();
  await who.page.getByRole('menuitem', { name: action, exact: true }).click();
};
const conversation = (who, name) => who.page.locator('.conversation', { has: who.page.locator('.title', { hasText: name }) });

const steps = [];
const step = (name, work) => steps.push([name, work]);

const ada = await person('Ada');
const ben = await person('Ben', { dark: true });

step('sign up', async () => {
  await shoot(ada, 'sign-in');
  await signUp(ada);
  await signUp(ben);
  await shoot(ada, 'empty');
});

step('find each other and send', async () => {
  await ada.page.getByRole('button', { name: 'New conversation' }).click();
  await ada.page.getByLabel('Find a user').fill(ben.name);
  await ada.page.locator('.person', { hasText: ben.name }).waitFor();
  await shoot(ada, 'find');
  await ada.page.locator('.person', { hasText: ben.name }).click();
  await write(ada, 'Hello Ben, this is <b>Ada</b> & friends');
  await bubble(ada, '<b>Ada</b> & friends').waitFor();
  await conversation(ben, ada.name).locator('.badge', { hasText: '1' }).waitFor();
  await ticks(ada, 'Hello Ben', 'delivered');
  await shoot(ada, 'delivered');
  await shoot(ben, 'unread');
});

step('read ticks and typing', async () => {
  await conversation(ben, ada.name).click();
  await bubble(ben, '<b>Ada</b> & friends').waitFor();
  await ticks(ada, 'Hello Ben', 'read');
  await conversation(ben, ada.name).locator('.badge').waitFor({ state: 'detached' });
  await ben.page.getByLabel('Message', { exact: true }).pressSequentially('Hi Ada');
  await ada.page.locator('.chat .live', { hasText: 'typing' }).waitFor();
  await shoot(ada, 'typing');
  await ben.page.keyboard.press('Enter');
  await bubble(ada, 'Hi Ada').waitFor();
  await ticks(ben, 'Hi Ada', 'read');
  await ada.page.locator('.chat .live').waitFor({ state: 'detached' });
});

step('edit, react, reply, delete', async () => {
  await write(ada, 'A mistaek');
  await bubble(ben, 'A mistaek').waitFor();
  await ticks(ada, 'A mistaek', 'read');
  await act(ada, 'A mistaek', 'Edit');
  await ada.page.getByLabel('Message', { exact: true }).fill('A mistake, mended');
  await ada.page.keyboard.press('Enter');
  await bubble(ben, 'A mistake, mended').locator('.meta', { hasText: 'edited' }).waitFor();
  await bubble(ben, 'mended').hover();
  await bubble(ben, 'mended').getByRole('button', { name: 'React' }).click();
  await ben.page.getByRole('menuitem', { name: '🎉' }).click();
  await bubble(ada, 'mended').locator('.reaction', { hasText: '🎉' }).waitFor();
  await bubble(ben, 'Hello Ben').hover();
  await bubble(ben, 'Hello Ben').getByRole('button', { name: 'Reply' }).click();
  await write(ben, 'An answer to the first line');
  await bubble(ada, 'An answer to the first line').locator('.quote', { hasText: 'Hello Ben' }).waitFor();
  await write(ada, 'Never mind this one');
  await bubble(ben, 'Never mind this one').waitFor();
  await act(ada, 'Never mind this one', 'Delete for everyone');
  await ada.page.getByRole('button', { name: 'Delete', exact: true }).click();
  await bubble(ben, 'This message was deleted').waitFor();
  await bubble(ada, 'You deleted this message').waitFor();
  await shoot(ada, 'conversation');
  await shoot(ben, 'conversation');
});

step('a picture and a file', async () => {
  await ada.page.locator('input[type=file]').setInputFiles([{ name: 'square.png', mimeType: 'image/png', buffer: PNG }]);
  await ada.page.locator('.tray .chip:not(.busy)').waitFor();
  await write(ada, 'A picture');
  await ben.page.waitForFunction(() => [...document.querySelectorAll('.picture img')].some(image => image.naturalWidth > 0));
  await ben.page.locator('input[type=file]').setInputFiles([{ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('some notes\n') }]);
  await ben.page.locator('.tray .chip:not(.busy)').waitFor();
  await write(ben, 'A file');
  const [download] = await Promise.all([ada.page.waitForEvent('download'), ada.page.getByRole('button', { name: /notes\.txt/ }).click()]);
  if (download.suggestedFilename() !== 'notes.txt') throw new Error(`saved as ${download.suggestedFilename()}`);
  await shoot(ada, 'files');
});

step('history loads as one scrolls back; unread divider', async () => {
  await ben.page.keyboard.press('Escape');
  for (let i = 1; i <= 70; i += 1) {
    await write(ada, `line ${i} of many`);
  }
  // More than the rate allows at once: the page waits and goes on by itself.
  await ticks(ada, 'line 70 of many', 'delivered');
  await conversation(ben, ada.name).locator('.badge', { hasText: '70' }).waitFor();
  await ben.page.reload();
  await conversation(ben, ada.name).click();
  await ben.page.locator('.message').first().waitFor();
  await ben.page.locator('.unread + .message', { hasText: 'line 1 of many' }).waitFor();
  await shoot(ben, 'divider');
  await ticks(ada, 'line 70 of many', 'delivered');
  for (let i = 0; i < 4; i += 1) { await ben.page.locator('.scroll').hover(); await ben.page.mouse.wheel(0, -3000); await ben.page.waitForTimeout(150); }
  await bubble(ben, 'Hello Ben').first().waitFor();
  const texts = await ben.page.locator('.message .text').allTextContents();
  const lines = texts.filter(text => /^line \d+ of many$/.test(text)).map(text => Number(text.split(' ')[1]));
  if (lines.length !== 70 || lines.some((n, i) => n !== i + 1)) throw new Error(`out of order or incomplete: ${lines.join(' ')}`);
  await ben.page.locator('.scroll').evaluate(box => { box.scrollTop = box.scrollHeight; });
  await ticks(ada, 'line 70 of many', 'read');
});

step('a group of three, one on a phone', async () => {
  const cleo = await person('Cleo', { width: 390, height: 780, mobile: true });
  await signUp(cleo);
  await ada.page.getByRole('button', { name: 'New group' }).click();
  await ada.page.getByLabel('Name of the group').fill(`Walkers ${run}`);
  for (const who of [ben, cleo]) {
    await ada.page.getByLabel('Find a user').fill(who.name);
    await ada.page.locator('dialog .person', { hasText: who.name }).click();
    await ada.page.waitForTimeout(600);
  }
  await shoot(ada, 'new-group');
  await ada.page.getByRole('button', { name: 'Create group' }).click();
  await ada.page.locator('.chat .head', { hasText: 'Walkers' }).waitFor();
  await write(ada, 'Who walks on Sunday?');
  await conversation(cleo, 'Walkers').click();
  await bubble(cleo, 'Who walks on Sunday?').waitFor();
  await cleo.page.getByLabel('Message', { exact: true }).fill('I do!');
  await cleo.page.getByRole('button', { name: 'Send', exact: true }).click();
  await bubble(ada, 'I do!').waitFor();
  await bubble(cleo, 'Who walks on Sunday?').getByRole('button', { name: 'More actions' }).click();
  await cleo.page.getByRole('menuitem', { name: 'React' }).click();
  await cleo.page.getByRole('menuitem', { name: '👍' }).click();
  await bubble(ada, 'Who walks on Sunday?').locator('.reaction', { hasText: '👍' }).waitFor();
  await shoot(cleo, 'phone');
  await conversation(ben, 'Walkers').click();
  await ben.page.locator('.chat .head', { hasText: 'Walkers' }).waitFor();
  await ticks(ada, 'Who walks on Sunday?', 'read');
  await write(ben, 'Me too');
  await bubble(cleo, 'Me too').waitFor();
  await ada.page.getByRole('button', { name: 'Details' }).last().click();
  await ada.page.locator('dialog .person', { hasText: cleo.name }).waitFor();
  await shoot(ada, 'details');
  await ada.page.getByRole('button', { name: 'Pin', exact: true }).click();
  await ada.page.getByRole('button', { name: 'Unpin' }).waitFor();
  await ada.page.getByRole('button', { name: 'Close' }).click();
  await conversation(ada, 'Walkers').locator('.mark[title=Pinned]').waitFor();
  await cleo.page.getByRole('button', { name: 'Details' }).last().click();
  await cleo.page.getByRole('button', { name: 'Leave group' }).click();
  await cleo.page.getByRole('button', { name: 'Leave', exact: true }).click();
  await conversation(cleo, 'Walkers').waitFor({ state: 'detached' });
  await shoot(cleo, 'phone-list');
});

step('search finds a message and leads to it', async () => {
  await ada.page.getByLabel('Search conversations and messages').fill('mended');
  const hit = ada.page.locator('.hits .conversation', { hasText: 'A mistake, mended' });
  await hit.locator('mark', { hasText: 'mended' }).waitFor();
  await shoot(ada, 'search');
  await hit.click();
  await ada.page.locator('.message.flash', { hasText: 'mended' }).waitFor();
  await ada.page.getByLabel('Search conversations and messages').fill('');
  await hit.waitFor({ state: 'detached' });
});

step('archive, and the views of the list', async () => {
  await ada.page.getByRole('button', { name: 'Groups', exact: true }).click();
  await conversation(ada, ben.name).waitFor({ state: 'detached' });
  await conversation(ada, 'Walkers').click();
  await ada.page.getByRole('button', { name: 'Details' }).last().click();
  await ada.page.getByRole('button', { name: 'Archive', exact: true }).click();
  await ada.page.getByRole('button', { name: 'Unarchive' }).waitFor();
  await ada.page.getByRole('button', { name: 'Close' }).click();
  await conversation(ada, 'Walkers').waitFor({ state: 'detached' });
  await ada.page.getByRole('button', { name: 'Archived', exact: true }).click();
  await conversation(ada, 'Walkers').waitFor();
  await shoot(ada, 'archived');
  await write(ben, 'Out of the archive');
  await ada.page.getByRole('button', { name: 'All', exact: true }).click();
  await conversation(ada, 'Walkers').waitFor();
  await conversation(ada, ben.name).waitFor();
});

step('settings: name, privacy, notifications', async () => {
  await ada.page.getByRole('button', { name: 'Settings' }).click();
  await ada.page.getByLabel('Name', { exact: true }).fill(`${ada.name} Byron`);
  await ada.page.getByRole('button', { name: 'Save name' }).click();
  await ada.page.locator('.own', { hasText: 'Byron' }).waitFor();
  await ada.page.getByLabel('Who sees when I was last online').selectOption('contacts');
  await ada.page.locator('#toast', { hasText: 'Saved' }).waitFor();
  await ada.page.getByLabel('Do not disturb').selectOption('8');
  await shoot(ada, 'settings');
  await ada.page.getByRole('button', { name: 'Close' }).click();
  await ada.page.reload();
  await ada.page.getByRole('button', { name: 'Settings' }).click();
  if (await ada.page.getByLabel('Who sees when I was last online').inputValue() !== 'contacts') throw new Error('the setting was not kept');
  await ada.page.getByRole('button', { name: 'Close' }).click();
});

step('a lost connection comes back, and what was written meanwhile is sent once', async () => {
  let cut = false;
  const sockets = new Set();
  await ada.page.routeWebSocket(/\/ws$/, socket => {
    if (cut) return void socket.close({ code: 4000 });
    sockets.add(socket);
    socket.connectToServer();
  });
  await ada.page.reload();
  await conversation(ada, ben.name).click();
  await conversation(ben, ada.name).click();
  await write(ada, 'Before the cut');
  await bubble(ben, 'Before the cut').waitFor();
  cut = true;
  for (const socket of sockets) await socket.close({ code: 4000 });
  await ada.page.locator('.banner', { hasText: 'No connection' }).waitFor();
  await write(ada, 'Written without a connection');
  await bubble(ada, 'Written without a connection').locator('.ticks.sending').waitFor();
  await write(ben, 'While Ada was away');
  await shoot(ada, 'offline');
  cut = false;
  await bubble(ada, 'While Ada was away').waitFor({ timeout: 40_000 });
  await bubble(ben, 'Written without a connection').waitFor();
  await ticks(ada, 'Written without a connection', 'read');
  await ada.page.locator('.banner').waitFor({ state: 'hidden' });
  for (const who of [ada, ben]) if (await bubble(who, 'Written without a connection').count() !== 1) throw new Error(`twice on the page of ${who.name}`);
});

step('block and unblock', async () => {
  await ben.page.getByRole('button', { name: 'Details' }).last().click();
  await ben.page.getByRole('button', { name: `Block ${ada.name}` }).click();
  await ben.page.getByRole('button', { name: 'Block', exact: true }).click();
  await ben.page.getByRole('button', { name: `Unblock ${ada.name}` }).waitFor();
  await shoot(ben, 'blocked');
  await ben.page.getByRole('button', { name: `Unblock ${ada.name}` }).click();
  await ben.page.getByRole('button', { name: `Block ${ada.name}` }).waitFor();
  await ben.page.getByRole('button', { name: 'Close' }).click();
  await write(ben, 'No hard feelings');
  await bubble(ada, 'No hard feelings').waitFor();
});

step('sign out and in again', async () => {
  await ben.page.getByRole('button', { name: 'Sign out' }).click();
  await ben.page.locator('dialog').getByRole('button', { name: 'Sign out' }).click();
  await ben.page.getByRole('tab', { name: 'Sign in' }).waitFor();
  await ben.page.getByLabel('E-mail').fill(ben.email);
  await ben.page.getByLabel('Password').fill('wrong');
  await ben.page.getByRole('button', { name: 'Sign in' }).click();
  await ben.page.locator('.problem', { hasText: /\S/ }).waitFor();
  await ben.page.getByLabel('Password').fill(ben.password);
  await ben.page.getByRole('button', { name: 'Sign in' }).click();
  await conversation(ben, ada.name).waitFor();
});

let failed = false;
for (const [name, work] of steps) {
  const started = Date.now();
  try {
    await work();
    console.log(`ok    ${name} (${Date.now() - started} ms)`);
  } catch (error) {
    failed = true;
    console.log(`FAIL  ${name}: ${error.message.split('\n').slice(0, 6).join('\n      ')}`);
    for (const who of people) await shoot(who, 'failed').catch(() => {});
    break;
  }
}
for (const fault of faults) console.log(`FAIL  on the page of ${fault}`);
await browser.close();
rmSync(folder, { recursive: true, force: true });
process.exit(failed || faults.length ? 1 : 0);
