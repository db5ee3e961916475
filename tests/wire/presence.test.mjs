// A presence of one's own: PUT /me/presence and set_presence, what others see of it, and being invisible.
import assert from 'node:assert/strict';
import { scenario } from './lib/patient.mjs';
import { refused } from './lib/rest.mjs';

const of = async (who, whom) => (await who.get(`/presence?user_ids=${whom.id}`)).items[0];

scenario('away, do not disturb, and a word with it', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  await ada.direct(ben);
  assert.deepEqual(await ada.get('/me/presence'), { status: 'auto' });
  const a = await world.socketIo(ada);
  const b = await world.plain(ben);
  assert.deepEqual(await a.command('set_presence', { status: 'dnd', text: 'writing', emoji: '✍️' }), { status: 'dnd', text: 'writing', emoji: '✍️' });
  const event = await b.next('presence_changed', event => event.status_text);
  assert.deepEqual(event, { user_id: ada.id, status: 'online', dnd: true, status_text: 'writing', status_emoji: '✍️' });
  assert.deepEqual((await ben.get(`/users/${ada.id}`)).presence, { status: 'online', dnd: true, status_text: 'writing', status_emoji: '✍️' });
  const until = new Date(Date.now() + 3_600_000).toISOString();
  assert.deepEqual(await ada.put('/me/presence', { status: 'away', until }), { status: 'away', until });
  assert.deepEqual(await b.next('presence_changed', event => event.status === 'away'), { user_id: ada.id, status: 'away' });
  const own = await a.next('presence_changed', event => event.own);
  assert.deepEqual([own.status, own.own], ['away', { status: 'away', until }]);
  assert.deepEqual(await ada.get('/me/presence'), { status: 'away', until });
  assert.deepEqual(await ada.put('/me/presence', { status: 'away', until: new Date(0).toISOString() }), { status: 'auto' });
  for (const [field, value] of [['status', 'busy'], ['text', 'x'.repeat(101)], ['emoji', 'a b'], ['until', 'later'], ['mood', 'good']]) {
    await refused(ada.put('/me/presence', { status: 'auto', [field]: value }), 'invalid_argument', field);
  }
  await refused(ada.put('/me/presence', {}), 'invalid_argument', 'status');
});

scenario('invisible looks like gone', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const b = await world.plain(ben);
  await ada.put('/me/presence', { status: 'invisible', text: 'nobody sees this' });
  const a = await world.socketIo(ada);
  await a.command('typing', { conversation_id: direct.id, active: true });
  assert.deepEqual(await of(ben, ada), { user_id: ada.id, status: 'offline' });
  assert.deepEqual((await ben.get('/users/online')).items.filter(user => user.id === ada.id), []);
  await ben.send(direct, 'hello?');
  await a.next('message_created');
  await b.silent('presence_changed');
  assert.equal(b.count('typing_changed'), 0);
  await a.command('set_presence', { status: 'auto' });
  assert.deepEqual(await b.next('presence_changed'), { user_id: ada.id, status: 'online' });
});
