// Runs one official protocol suite, unmodified, against a running server:
// node run.mjs --suite <folder>/test-suite.js --base http://127.0.0.1:3000 --expect 32
import chai from 'chai';
import chaiString from 'chai-string';
import Mocha from 'mocha';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { install } from './shim.mjs';

const { values } = parseArgs({
  options: {
    suite: { type: 'string' },
    base: { type: 'string' },
    expect: { type: 'string' },
  },
});

// Two kinds of cases race with the server by their making: a poll right after the upgrade packet, and a poll at the very
// moment a ping times out. On a busy machine they may lose; a fault of the server fails three times out of three.
const mocha = new Mocha({ reporter: 'dot', retries: 2 });
mocha.addFile(resolve(values.suite));
chai.use(chaiString);
globalThis.chai = chai;
install(values.base);
// The suites also run in browsers, where these globals are given; in Node they would fetch their own.
globalThis.window = globalThis;
await mocha.loadFilesAsync();

const expected = Number(values.expect);
const failed = [];
const run = mocha.run();
run.on('fail', (test, error) => failed.push(`${test.fullTitle()}: ${error.message}`));
run.on('end', () => {
  const { passes, failures, pending } = run.stats;
  for (const line of failed) console.log(`✖ ${line}`);
  console.log(`${passes} of ${expected} cases of the official suite passed`);
  console.log(`# pass ${passes}\n# fail ${Math.max(failures + pending, expected - passes, 0)}`);
  process.exit(passes === expected && failures === 0 ? 0 : 1);
});
