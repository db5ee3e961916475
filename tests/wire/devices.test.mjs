// Devices for pushes.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { scenario } from './lib/scenario.mjs';
import { refused } from './lib/rest.mjs';

const device = (token, more = {}) => ({ token, platform: 'android', provider: 'fcm', ...more });
const tokens = async user => (await user.get('/devices')).items.map(item => item.token);

scenario('a device is registered, refreshed, listed and forgotten', async world => {
  const [ada] = await world.users('Ada');
  const [one, two] = [randomUUID(), `${randomUUID()}/+%&=:ü`];
  await ada.put('/devices', device(one));
  assert.equal(ada.status, 204);
  await ada.put('/devices', device(one, { platform: 'web' }));
  await ada.put('/devices', device(two, { platform: 'ios' }));
  const list = await ada.get('/devices');
  assert.ok(Array.isArray(list.items));
  assert.equal(list.next_cursor, undefined);
  assert.deepEqual(list.items.map(item => [item.token, item.platform, item.provider]).sort(), [[one, 'web', 'fcm'], [two, 'ios', 'fcm']].sort());
  const first = await ada.get('/devices?limit=1');
  const second = await ada.get(`/devices?limit=1&cursor=${encodeURIComponent(first.next_cursor)}`);
  assert.deepEqual([...first.items, ...second.items].map(item => item.token), [two, one], 'in pages, the latest first');
  assert.equal(second.next_cursor, undefined);
  await refused(ada.get('/devices?limit=0'), 'invalid_argument', 'limit');
  await refused(ada.get('/devices?cursor=x'), 'invalid_cursor', 'cursor');
  await ada.delete(`/devices?token=${encodeURIComponent(two)}`);
  assert.equal(ada.status, 204);
  assert.deepEqual(await tokens(ada), [one]);
  await ada.delete('/devices', { token: one });
  assert.equal(ada.status, 204);
  await ada.delete('/devices', { token: one });
  assert.equal(ada.status, 204, 'again is fine');
  assert.deepEqual(await tokens(ada), []);
});

scenario('what a device must be', async world => {
  const [ada] = await world.users('Ada');
  const bad = [[{}, 'token'], [device(''), 'token'], [device('x'.repeat(4_097)), 'token'], [device('a\u0000b'), 'token'], [device(7), 'token'], [device('x', { platform: 'symbian' }), 'platform'], [device('x', { provider: 'apns' }), 'provider'],
    [{ token: 'x', provider: 'fcm' }, 'platform'], [{ token: 'x', platform: 'web' }, 'provider'], [device('x', { user_id: 'other' }), 'user_id']];
  for (const [body, field] of bad) await refused(ada.put('/devices', body), 'invalid_argument', field);
  await ada.put('/devices', device(`${randomUUID()}${'x'.repeat(4_096 - 36)}`));
  await refused(ada.delete('/devices'), 'invalid_argument', 'token');
  await refused(ada.delete('/devices?token='), 'invalid_argument', 'token');
  await refused(ada.delete('/devices', {}), 'invalid_argument', 'token');
});

scenario('a device that changes hands is the newer one\'s only', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const token = randomUUID();
  await ada.put('/devices', device(token));
  await ben.delete('/devices', { token });
  assert.deepEqual(await tokens(ada), [token], 'not another one\'s to forget');
  await ben.put('/devices', device(token));
  assert.deepEqual([await tokens(ada), await tokens(ben)], [[], [token]]);
});

scenario('of more than 25 the oldest goes', async world => {
  const [ada] = await world.users('Ada');
  const all = Array.from({ length: 26 }, () => randomUUID());
  for (const token of all.slice(0, 25)) { await ada.put('/devices', device(token)); await new Promise(resolve => setTimeout(resolve, 3)); }
  assert.equal((await tokens(ada)).length, 25);
  await ada.put('/devices', device(all[0]));
  await new Promise(resolve => setTimeout(resolve, 3));
  await ada.put('/devices', device(all[25]));
  assert.deepEqual((await tokens(ada)).sort(), all.filter(token => token !== all[1]).sort(), 'refreshing counts');
});
