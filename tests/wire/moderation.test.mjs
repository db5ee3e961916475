// Moderation: of groups by their admins.
import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.mjs';
import { refused } from './lib/rest.mjs';

scenario('admins mute a member, who reads on and does not write', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const [a, b, c] = await Promise.all([world.socketIo(ada), world.plain(ben), world.socketIo(cem)]);
  const group = await ada.group([ben, cem]);
  await refused(cem.put(`/conversations/${group.id}/members/${ben.id}/mute`, { until: 'forever' }), 'forbidden');
  await refused(ada.put(`/conversations/${group.id}/members/${ben.id}/mute`, { until: 'for ever' }), 'invalid_argument', 'until');
  await refused(ada.put(`/conversations/${group.id}/members/${ben.id}/mute`, {}), 'invalid_argument', 'until');
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const member = await ada.put(`/conversations/${group.id}/members/${ben.id}/mute`, { until });
  assert.deepEqual([member.user.id, member.muted_until], [ben.id, until]);
  assert.deepEqual((await b.next('members_changed', change => change.muted)).muted, { [ben.id]: until });
  await refused(b.command('send_message', { conversation_id: group.id, text: 'no' }), 'not_permitted');
  await refused(ben.post(`/conversations/${group.id}/messages`, { text: 'no' }), 'not_permitted');
  assert.ok(!(await ben.conversation(group)).my.can.includes('send'));
  const message = await ada.send(group, 'you still read');
  await b.next('message_created', event => event.message.id === message.id);
  await c.silent('members_changed', change => change.muted);
  assert.equal((await ada.delete(`/conversations/${group.id}/members/${ben.id}/mute`)).muted_until, undefined);
  await ben.send(group, 'back');
  const again = await a.command('mute_member', { conversation_id: group.id, user_id: ben.id, until: 'forever' });
  assert.equal(again.member.muted_until, 'forever');
  assert.equal((await a.command('unmute_member', { conversation_id: group.id, user_id: ben.id })).member.muted_until, undefined);
  await ben.send(group, 'and again');
});

scenario('slow mode tells when to come back', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  await refused(ada.patch(`/conversations/${group.id}`, { slow_mode_ms: 3_600_001 }), 'invalid_argument', 'slow_mode_ms');
  assert.equal((await ada.patch(`/conversations/${group.id}`, { slow_mode_ms: 3_600_000 })).slow_mode_ms, 3_600_000);
  const first = { text: 'first', client_id: 'first' };
  await ben.post(`/conversations/${group.id}/messages`, first);
  const refusal = await ben.raw('POST', `/conversations/${group.id}/messages`, { body: JSON.stringify({ text: 'second' }), headers: { 'content-type': 'application/json' } });
  assert.deepEqual([refusal.status, refusal.json.code], [429, 'slow_mode']);
  assert.ok(refusal.json.retry_after_ms > 3_500_000 && refusal.json.retry_after_ms <= 3_600_000);
  assert.ok(Number(refusal.headers.get('retry-after')) >= 3_500);
  assert.ok(Date.parse((await ben.conversation(group)).my.next_send_at) > Date.now());
  assert.equal((await ben.post(`/conversations/${group.id}/messages`, first)).replayed, true);
  await ada.patch(`/conversations/${group.id}`, { slow_mode_ms: null });
  await ben.send(group, 'second');
});

scenario('muting somebody for oneself is private', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const [a, b] = await Promise.all([world.socketIo(ada), world.plain(ben)]);
  const { token } = await ada.post('/sync');
  await ada.put(`/mutes/${ben.id}`);
  assert.equal(ada.status, 204);
  const told = await a.next('mute_changed');
  assert.deepEqual([told.user_id, told.muted_until], [ben.id, 'forever']);
  const until = new Date(Date.now() + 3_600_000).toISOString();
  await ada.put(`/mutes/${ben.id}`, { until });
  assert.equal((await a.next('mute_changed')).muted_until, until);
  assert.deepEqual((await ada.get('/mutes')).items.map(mute => [mute.user.id, mute.muted_until]), [[ben.id, until]]);
  assert.deepEqual((await ada.post('/sync', { token })).mutes, { added: [ben.id], removed: [] });
  const direct = await ben.direct(ada);
  await ben.send(direct, 'still here');
  assert.equal((await a.next('message_created')).message.text, 'still here');
  assert.equal((await ada.conversation(direct)).my.unread_count, 1);
  await b.silent('mute_changed');
  await ada.delete(`/mutes/${ben.id}`);
  await ada.delete(`/mutes/${ben.id}`);
  assert.equal((await a.next('mute_changed')).muted_until, null);
  assert.deepEqual((await ada.get('/mutes')).items, []);
  await refused(ada.put(`/mutes/${ada.id}`), 'invalid_operation');
  await refused(ada.put('/mutes/nobody-at-all'), 'user_not_found');
  await refused(ada.put(`/mutes/${ben.id}`, { until: 'soon' }), 'invalid_argument', 'until');
});
