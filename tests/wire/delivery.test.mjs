// Live events are hints, sync is the truth: order, gaps, slow readers, lost connections, polling.
import assert from 'node:assert/strict';
import { pause, scenario } from './lib/scenario.mjs';
import { refused } from './lib/rest.mjs';

scenario('messages sent without waiting keep their order, live and in history', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  for (const [sending, receiving] of [['socketIo', 'plain'], ['plain', 'socketIo']]) {
    const [from, to] = [await world[sending](ada), await world[receiving](ben)];
    await pause(1_300);
    const answers = await Promise.all(Array.from({ length: 25 }, (_, i) => from.command('send_message', { conversation_id: direct.id, text: `m${i}` })));
    const seqs = answers.map(answer => answer.message.seq);
    assert.deepEqual(seqs, seqs.map((_, i) => seqs[0] + i), 'dense and in order');
    const heard = [];
    for (let i = 0; i < 25; i++) heard.push((await to.next('message_created')).seq);
    assert.deepEqual(heard, seqs);
  }
});

scenario('sync after a lost connection brings what was missed, once', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const direct = await ada.direct(ben);
  const edited = await ada.send(direct, 'to be edited');
  const deleted = await ada.send(direct, 'to be deleted');
  let b = await world.socketIo(ben);
  const start = await b.command('sync', {});
  assert.equal(start.has_more, false);
  assert.ok(start.conversations.some(entry => entry.conversation.id === direct.id));
  b.close();

  await ada.send(direct, 'missed');
  await ada.patch(`/messages/${edited.id}`, { text: 'edited' });
  await ada.delete(`/messages/${deleted.id}?for=everyone`);
  const group = await ada.group([ben, cem]);

  b = await world.plain(ben);
  const delta = await b.command('sync', { token: start.token });
  const entry = delta.conversations.find(item => item.conversation.id === direct.id);
  const texts = Object.fromEntries(entry.messages.map(message => [message.seq, message.deleted ? 'deleted' : message.text]));
  assert.equal(texts[edited.seq], 'edited');
  assert.equal(texts[deleted.seq], 'deleted');
  assert.ok(Object.values(texts).includes('missed'));
  const revs = entry.messages.map(message => message.rev);
  assert.deepEqual(revs, [...revs].sort((x, y) => x - y), 'by rev');
  assert.ok(delta.conversations.some(item => item.conversation.id === group.id), 'a new group');
  assert.equal(delta.badge.unread_messages, (await ben.get('/me/badge')).unread_messages);

  const live = await ada.send(direct, 'live again');
  const event = await b.next('message_created', created => created.seq === live.seq);
  assert.ok(event.rev > entry.conversation.rev, 'a live event after the sync is newer than it');
  const byRev = await ben.post('/sync', { conversations: { [direct.id]: entry.conversation.rev } });
  const newer = byRev.conversations.find(item => item.conversation.id === direct.id).messages;
  assert.deepEqual(newer.map(message => message.text), ['live again']);

  await ada.delete(`/conversations/${group.id}/members/${ben.id}`);
  const last = await ben.post('/sync', { token: delta.token });
  assert.deepEqual(last.removed, [{ conversation_id: group.id, reason: 'removed' }]);
});

scenario('sync tokens of others, and forged ones, are refused', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const { token } = await ada.post('/sync', {});
  await refused(ben.post('/sync', { token }), 'invalid_cursor');
  await refused(ada.post('/sync', { token: `${token.slice(0, -4)}AAAA` }), 'invalid_cursor');
  await refused(ada.post('/sync', { token: 'nonsense' }), 'invalid_cursor');
});

scenario('blocks come with sync', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const { token } = await ada.post('/sync', {});
  await ada.put(`/blocks/${ben.id}`);
  const first = await ada.post('/sync', { token });
  assert.deepEqual(first.blocks, { added: [ben.id], removed: [] });
  await ada.delete(`/blocks/${ben.id}`);
  assert.deepEqual((await ada.post('/sync', { token: first.token })).blocks, { added: [], removed: [ben.id] });
});

scenario('long polling carries commands and events', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const a = await world.socketIo(ada, { transports: ['polling'] });
  const b = await world.socketIo(ben, { transports: ['polling', 'websocket'] });
  const { message } = await a.command('send_message', { conversation_id: direct.id, text: 'by polling' });
  assert.equal((await b.next('message_created')).message.id, message.id);
  await b.command('send_message', { conversation_id: direct.id, text: 'back' });
  assert.equal((await a.next('message_created', () => true, 6_000)).message.text, 'back');
});

scenario('a reader that stops reading is told that it lagged and is cut, others are not held up', async world => {
  const writers = await world.users(...Array.from({ length: 10 }, (_, i) => `Writer${i}`));
  const [slow, fast] = await world.users('Slow', 'Fast');
  const group = await writers[0].group([...writers.slice(1), slow, fast]);
  const [s, f] = [await world.plain(slow), await world.plain(fast)];
  s.socket.pause();
  let count = 0;
  await Promise.all(writers.map(async writer => {
    for (let i = 0; i < 36; i++) {
      await writer.send(group, { text: '\u0001'.repeat(9_990) + i });
      count++;
    }
  }));
  for (let i = 0; i < count; i++) await f.next('message_created', () => true, 10_000);
  s.socket.resume();
  const ended = await Promise.race([s.closed, pause(10_000)]);
  assert.equal(ended?.code, 4403);
  assert.equal((await s.next('session_ending')).reason, 'lagged');
  assert.ok(s.count('message_created') < count, 'it missed some');
  const again = await world.plain(slow);
  const synced = await again.command('sync', {});
  const entry = synced.conversations.find(item => item.conversation.id === group.id);
  assert.equal(entry.conversation.my.unread_count, count);
}, { timeout: 90_000 });

scenario('every session of a user gets each event once', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const sessions = await Promise.all([world.socketIo(ben), world.socketIo(ben), world.plain(ben), world.plain(ben)]);
  for (const session of sessions) await session.command('open_conversation', { conversation_id: direct.id });
  await ada.send(direct, 'to all devices');
  for (const session of sessions) await session.next('message_created');
  await pause(300);
  for (const session of sessions) assert.equal(session.count('message_created'), 0);
  assert.equal(new Set(sessions.map(session => session.ready.session_id)).size, 4);
});
