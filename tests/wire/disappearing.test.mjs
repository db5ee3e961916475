// Disappearing messages: the timer, what it stamps, and what is kept. When they go is told by the clock of the scenarios.
import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.mjs';
import { refused } from './lib/rest.mjs';

scenario('a timer is set over REST and stamps what is sent on every path', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const b = await world.socketIo(ben);
  const changed = await ada.patch(`/conversations/${direct.id}`, { message_ttl_ms: 60_000 });
  assert.equal(changed.message_ttl_ms, 60_000);
  assert.deepEqual((await b.next('conversation_updated')).changed, { message_ttl_ms: 60_000 });
  const line = await b.next('message_created', data => data.message.kind === 'system');
  assert.deepEqual(line.message.system, { code: 'timer_changed', params: { message_ttl_ms: 60_000 } });
  const message = await ada.send(direct, 'short-lived');
  assert.equal(Date.parse(message.expires_at) - Date.parse(message.created_at), 60_000);
  const heard = await b.next('message_created', data => data.seq === message.seq);
  assert.equal(heard.message.expires_at, message.expires_at);
  assert.equal((await ben.conversation(direct)).last_message.expires_at, message.expires_at);
  await refused(ben.patch(`/conversations/${direct.id}`, { message_ttl_ms: 59_999 }), 'invalid_argument', 'message_ttl_ms');
  await refused(ben.patch(`/conversations/${direct.id}`, { name: 'x' }), 'invalid_operation');
  const off = await ben.patch(`/conversations/${direct.id}`, { message_ttl_ms: null });
  assert.equal(off.message_ttl_ms, undefined);
  assert.equal((await ada.send(direct, 'to stay')).expires_at, undefined);
});

scenario('keeping and letting go over REST and sockets', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  await ada.patch(`/conversations/${direct.id}`, { message_ttl_ms: 60_000 });
  const message = await ada.send(direct, 'a recipe');
  const [a, b] = [await world.socketIo(ada), await world.plain(ben)];
  const kept = await ben.put(`/messages/${message.id}/keep`);
  assert.equal(kept.expires_at, undefined);
  assert.equal(kept.kept.by, ben.id);
  assert.equal((await a.next('message_updated')).message.kept.by, ben.id);
  const gone = await ada.delete(`/messages/${message.id}/keep`);
  assert.deepEqual([gone.kept, gone.expires_at], [undefined, message.expires_at]);
  const { message: again } = await b.command('keep_message', { message_id: message.id });
  assert.equal(again.kept.by, ben.id);
  const { message: back } = await a.command('unkeep_message', { message_id: message.id });
  assert.equal(back.expires_at, message.expires_at);
  const { token } = await ben.post('/sync', {});
  await a.command('keep_message', { message_id: message.id });
  const answer = await ben.post('/sync', { token });
  assert.equal(answer.conversations[0].messages[0].kept.by, ada.id);
});
