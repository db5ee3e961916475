// A browser with people in it, each on a page of his own, and the steps they go through.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export async function world({ base, chromium: executablePath, shots, headed, timeout }) {
  if (shots) mkdirSync(shots, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), 'chat-browser-'));
  const browser = await chromium.launch({ executablePath, headless: !headed, args: [...ARGS, `--disk-cache-dir=${join(folder, 'cache')}`] });
  const run = Math.random().toString(36).slice(2, 8);
  const faults = []; const people = []; const steps = [];
  let shot = 0;

  /** Somebody with a page of his own, not signed in yet. */
  async function person(name, { width = 1200, height = 780, dark = false, mobile = false } = {}) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', hasTouch: mobile, isMobile: mobile, baseURL: base });
    context.setDefaultTimeout(timeout);
    const page = await context.newPage();
    page.on('pageerror', error => faults.push(`${name}: ${error.message}`));
    page.on('console', message => {
      // Refused requests are part of the play; broken scripts and broken policies are not.
      if (message.type() === 'error' && !/Failed to load resource|WebSocket connection/.test(message.text())) faults.push(`${name}: ${message.text()}`);
    });
    page.on('response', answer => { if (answer.status() >= 500) faults.push(`${name}: ${answer.status()} for ${answer.request().method()} ${answer.url()}`); });
    await page.goto('/');
    const one = { name: `${name} ${run}`, short: name, email: `${name.toLowerCase()}-${run}@example.com`, password: `correct horse ${run}`, page, context };
    people.push(one);
    return one;
  }

  async function shoot(who, what) {
    if (shots) await who.page.screenshot({ path: join(shots, `${String(shot += 1).padStart(2, '0')}-${who.short}-${what}.png`) });
  }

  /** Plays all steps up to the first that fails; tells whether everything held. */
  async function play() {
    let held = true;
    for (const [name, work] of steps) {
      const started = Date.now();
      try {
        await work();
        console.log(`ok    ${name} (${Date.now() - started} ms)`);
      } catch (error) {
        held = false;
        console.log(`FAIL  ${name}: ${error.message.split('\n').slice(0, 6).join('\n      ')}`);
        for (const who of people) await shoot(who, 'failed').catch(() => {});
        break;
      }
    }
    for (const fault of faults) console.log(`FAIL  on the page of ${fault}`);
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
    return held && faults.length === 0;
  }

  return { base, run, person, shoot, step: (name, work) => steps.push([name, work]), play };
}
