// Scheduled messages over the wire: kept, shown, changed, cancelled, and sent when their time has come.
import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.mjs';
import { refused } from './lib/rest.mjs';

const ahead = ms => new Date(Date.now() + ms).toISOString();
const HOUR = 3_600_000;

scenario('scheduling over REST: made once, listed, changed, cancelled', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const a = await world.socketIo(ada);
  const body = { conversation_id: direct.id, text: 'draft', client_id: 'k', send_at: ahead(HOUR) };
  const { scheduled, replayed } = await ada.post('/scheduled', body);
  assert.deepEqual([ada.status, replayed], [201, false]);
  assert.deepEqual([scheduled.state, scheduled.version, scheduled.client_id, scheduled.message.text], ['pending', 1, 'k', 'draft']);
  assert.deepEqual((await a.next('scheduled_changed')).scheduled, scheduled);
  const again = await ada.post('/scheduled', body);
  assert.deepEqual([ada.status, again.replayed, again.scheduled], [200, true, scheduled]);
  await refused(ada.post('/scheduled', { ...body, text: 'other' }), 'idempotency_conflict', 'client_id');
  assert.deepEqual((await ada.get(`/scheduled?conversation_id=${direct.id}`)).items, [scheduled]);
  assert.deepEqual((await ben.get('/scheduled')).items, []);
  await refused(ben.get(`/scheduled/${scheduled.id}`), 'not_found');
  const later = ahead(2 * HOUR);
  const changed = await ada.patch(`/scheduled/${scheduled.id}`, { text: 'final', send_at: later, expected_version: 1 });
  assert.deepEqual([changed.version, changed.message.text, changed.send_at], [2, 'final', later]);
  const event = await a.next('scheduled_changed');
  assert.deepEqual(event.scheduled, changed);
  assert.equal(typeof event.user_rev, 'number');
  await refused(ada.patch(`/scheduled/${scheduled.id}`, { text: 'x', expected_version: 1 }), 'version_conflict', 'expected_version');
  await refused(ada.patch(`/scheduled/${scheduled.id}`, { silent: true }), 'invalid_argument', 'silent');
  await ada.delete(`/scheduled/${scheduled.id}`);
  assert.equal(ada.status, 204);
  await ada.delete(`/scheduled/${scheduled.id}`);
  const cancelled = await ada.get(`/scheduled/${scheduled.id}`);
  assert.deepEqual([cancelled.state, cancelled.message.text], ['cancelled', undefined]);
  await refused(ada.patch(`/scheduled/${scheduled.id}`, { text: 'x' }), 'invalid_transition');
});

scenario('what is asked for later is refused as what is asked for now', async world => {
  const [ada, ben, eve] = await world.users('Ada', 'Ben', 'Eve');
  const direct = await ada.direct(ben);
  const later = { conversation_id: direct.id, text: 'x', send_at: ahead(HOUR) };
  await refused(ada.post('/scheduled', { ...later, text: undefined }), 'empty_message');
  await refused(ada.post('/scheduled', { ...later, send_at: undefined }), 'invalid_argument', 'send_at');
  await refused(ada.post('/scheduled', { ...later, send_at: ahead(0) }), 'invalid_argument', 'send_at');
  await refused(ada.post('/scheduled', { ...later, surprise: 1 }), 'invalid_argument', 'surprise');
  await refused(ada.post('/scheduled', { ...later, recipient_id: ben.id }), 'invalid_argument', 'recipient_id');
  await refused(eve.post('/scheduled', later), 'conversation_not_found');
  await refused(ada.post('/messages', { recipient_id: ben.id, text: 'x', send_at: ahead(HOUR) }), 'invalid_argument', 'send_at');
});

scenario('commands schedule, change and cancel; sync tells of it; and one is sent', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const [a, other, b] = [await world.plain(ada), await world.socketIo(ada), await world.socketIo(ben)];
  const { token } = await ada.post('/sync', {});
  const { scheduled } = await a.command('schedule_message', { recipient_id: ben.id, text: 'later', send_at: ahead(6_000) });
  assert.equal(scheduled.conversation_id, direct.id);
  assert.equal((await other.next('scheduled_changed')).scheduled.id, scheduled.id);
  const { scheduled: changed } = await other.command('update_scheduled_message', { scheduled_id: scheduled.id, text: 'now then' });
  assert.deepEqual([changed.version, changed.send_at], [2, scheduled.send_at]);
  const { scheduled: dropped } = await a.command('schedule_message', { conversation_id: direct.id, text: 'never', send_at: ahead(7_000) });
  assert.deepEqual(await a.command('cancel_scheduled_message', { scheduled_id: dropped.id }), {});
  const told = (await ada.post('/sync', { token })).scheduled;
  assert.deepEqual(told.map(item => [item.id, item.state]), [[scheduled.id, 'pending'], [dropped.id, 'cancelled']]);
  const heard = await b.next('message_created', data => data.message.text === 'now then', 15_000);
  assert.ok(heard.message.created_at >= scheduled.send_at);
  const sent = await other.next('scheduled_changed', data => data.scheduled.state === 'sent', 8_000);
  assert.equal(sent.scheduled.message_id, heard.message.id);
  assert.deepEqual(await ben.texts(direct), ['now then']);
});
