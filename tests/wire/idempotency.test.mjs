// A retry is the same message, on whatever path it comes.
import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.mjs';
import { refused } from './lib/rest.mjs';

scenario('the same client id on every path is one message and one event', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const [a, plain, b] = [await world.socketIo(ada), await world.plain(ada), await world.socketIo(ben)];
  const payload = { conversation_id: direct.id, text: 'once', client_id: 'retry-1' };
  const first = await a.command('send_message', payload);
  assert.equal(first.replayed, false);
  const { conversation_id: _, ...body } = payload;
  const answers = [
    await a.command('send_message', payload),
    await plain.command('send_message', { ...payload, client_time: '2026-01-01T00:00:00.000Z' }),
    await ada.post(`/conversations/${direct.id}/messages`, body),
    await ada.post('/messages', { ...body, recipient_id: ben.id }),
  ];
  assert.equal(ada.status, 200, 'a replay is no creation');
  for (const answer of answers) {
    assert.equal(answer.replayed, true);
    assert.equal(answer.message.id, first.message.id);
    assert.equal(answer.message.seq, first.message.seq);
  }
  await b.next('message_created');
  await b.silent('message_created');
  assert.equal((await ben.conversation(direct)).my.unread_count, 1);
  await refused(a.command('send_message', { ...payload, text: 'twice' }), 'idempotency_conflict');
  await refused(ada.post(`/conversations/${direct.id}/messages`, { ...body, silent: true }), 'idempotency_conflict');
  assert.deepEqual(await ben.texts(direct), ['once']);
  await ben.send(direct, { text: 'mine', client_id: 'retry-1' });
  assert.deepEqual(await ben.texts(direct), ['once', 'mine'], 'a key is its sender\'s own');
});

scenario('twenty retries at once make one message', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const connections = [await world.socketIo(ada), await world.plain(ada)];
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) =>
    connections[i % 2].command('send_message', { conversation_id: direct.id, text: 'race', client_id: 'race' })));
  assert.equal(new Set(answers.map(answer => answer.message.id)).size, 1);
  assert.equal(answers.filter(answer => !answer.replayed).length, 1);
  assert.deepEqual(await ben.texts(direct), ['race']);
});

scenario('a retry of a deleted message answers with its tombstone', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const message = await ada.send(direct, { text: 'gone', client_id: 'k' });
  await ada.delete(`/messages/${message.id}?for=everyone`);
  const again = await ada.post(`/conversations/${direct.id}/messages`, { text: 'gone', client_id: 'k' });
  assert.equal(again.replayed, true);
  assert.ok(again.message.deleted);
  assert.equal(again.message.text, undefined);
  assert.deepEqual((await ben.texts(direct)).filter(Boolean), []);
});

scenario('a member who was removed learns nothing by a retry', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  await ben.send(group, { text: 'was here', client_id: 'k' });
  await ada.delete(`/conversations/${group.id}/members/${ben.id}`);
  await refused(ben.post(`/conversations/${group.id}/messages`, { text: 'was here', client_id: 'k' }), 'conversation_not_found');
});

scenario('a refused send leaves its key free', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  await ben.put(`/blocks/${ada.id}`);
  await refused(ada.post(`/conversations/${direct.id}/messages`, { text: 'x', client_id: 'k' }), 'not_permitted');
  await ben.delete(`/blocks/${ada.id}`);
  const sent = await ada.post(`/conversations/${direct.id}/messages`, { text: 'x', client_id: 'k' });
  assert.equal(sent.replayed, false);
});
