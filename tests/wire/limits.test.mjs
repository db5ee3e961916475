// Limits as clients meet them: the same on both paths, with a code and, where time helps, a time.
import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.mjs';
import { Refusal, refused } from './lib/rest.mjs';

scenario('too many commands are refused with a time to wait, over all devices of a user together', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const sessions = [await world.socketIo(ada), await world.plain(ada)];
  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) =>
    sessions[i % 2].command('get_online_users', {}).catch(error => error)));
  const refusals = answers.filter(answer => answer instanceof Refusal);
  // The room refills while they are carried out, so how many depends on the machine.
  assert.ok(refusals.length > 0, 'none of 200 was refused');
  for (const refusal of refusals) {
    assert.equal(refusal.code, 'rate_limited');
    assert.ok(refusal.retry_after_ms > 0);
  }
  const answer = await ada.raw('POST', `/conversations/${direct.id}/typing`, { body: '{"active":false}', headers: { 'content-type': 'application/json' } });
  if (answer.status === 429) assert.ok(Number(answer.headers.get('retry-after')) >= 1);
  await ben.send(direct, 'others are not held up');
  await sessions[0].command('sync', {});
  await world.eventually(() => ada.send(direct, 'and later it works again'));
});

scenario('a text at its limits is taken, one more is not', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const a = await world.plain(ada);
  const b = await world.socketIo(ben);
  await ada.send(direct, 'x'.repeat(10_000));
  await refused(ada.post(`/conversations/${direct.id}/messages`, { text: 'x'.repeat(10_001) }), 'message_too_long', 'text');
  const widest = '🙂'.repeat(4_096);
  await a.command('send_message', { conversation_id: direct.id, text: widest });
  await refused(a.command('send_message', { conversation_id: direct.id, text: `${widest}x` }), 'message_too_long', 'text');
  await b.next('message_created');
  assert.equal((await b.next('message_created')).message.text, widest);
  await refused(ada.post(`/conversations/${direct.id}/messages`, { text: 'x', client_id: 'k'.repeat(65) }), 'invalid_argument', 'client_id');
  await refused(ada.post(`/conversations/${direct.id}/messages`, { text: 'x', mentions: Array.from({ length: 51 }, (_, i) => `u${i}`) }), 'invalid_argument', 'mentions');
  await refused(ada.post(`/conversations/${direct.id}/messages`, { kind: 'custom', custom: { type: 't', data: { x: 'y'.repeat(9_000) } } }), 'payload_too_large');
});

scenario('every text comes back as it went in, on every path', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const [a, b] = [await world.socketIo(ada), await world.plain(ben)];
  for (const text of ['<script>alert(1)</script>', 'ë e\u0301 ﷽', '\u202eright to left', '👩‍👩‍👧‍👦', '\ttab\r\nline', '"; DROP TABLE messages; --', '%s %n {} $1 \\', '\u{10FFFF}', 'null']) {
    const { message } = await a.command('send_message', { conversation_id: direct.id, text });
    assert.equal(message.text, text);
    assert.equal((await b.next('message_created')).message.text, text);
    assert.equal((await ben.get(`/messages/${message.id}`)).text, text);
  }
});
