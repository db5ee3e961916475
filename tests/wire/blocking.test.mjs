// Blocking: nothing passes in a direct, either way; a group goes on, folded up for the one who blocks.
import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.mjs';
import { refused } from './lib/rest.mjs';

scenario('a block stops a direct both ways and does not tell of itself', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const old = await ben.send(direct, 'from before');
  const [a, again, b] = [await world.socketIo(ada), await world.plain(ada), await world.plain(ben)];
  await ada.put(`/blocks/${ben.id}`);
  for (const own of [a, again]) {
    const change = await own.next('block_changed');
    assert.equal(change.user_id, ben.id);
    assert.equal(change.blocked, true);
    assert.equal(typeof change.user_rev, 'number');
  }
  await b.silent('block_changed');
  assert.deepEqual((await ada.get('/blocks')).items.map(user => user.id), [ben.id]);
  await ada.put(`/blocks/${ben.id}`);

  await refused(b.command('send_message', { conversation_id: direct.id, text: 'hello?' }), 'not_permitted');
  await refused(ben.post('/messages', { recipient_id: ada.id, text: 'hello?' }), 'not_permitted');
  await refused(a.command('send_message', { conversation_id: direct.id, text: 'no' }), 'you_blocked');
  await refused(ben.patch(`/messages/${old.id}`, { text: 'changed' }), 'not_permitted');
  await refused(b.command('add_reaction', { message_id: old.id, emoji: '👍' }), 'not_permitted');
  await ada.put(`/conversations/${direct.id}/read`, { seq: old.seq });
  await b.silent('receipt_updated');
  assert.equal((await ben.get(`/presence?user_ids=${ada.id}`)).items[0].status, 'offline');
  assert.deepEqual(await ada.texts(direct), ['from before'], 'history stays');
  assert.deepEqual(await ben.texts(direct), ['from before']);

  await ada.delete(`/blocks/${ben.id}`);
  assert.equal((await a.next('block_changed')).blocked, false);
  await ada.delete(`/blocks/${ben.id}`);
  await ben.send(direct, 'after');
  await a.next('message_created', event => event.message.text === 'after');
  assert.deepEqual(await ada.texts(direct), ['from before', 'after'], 'nothing refused turns up later');
});

scenario('in a group the blocker sees folded messages that count for nothing', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  await ada.put(`/blocks/${ben.id}`);
  const [a, c] = [await world.socketIo(ada), await world.plain(cem)];
  const message = await ben.send(group, { text: 'to all', mentions: [ada.id] });
  assert.equal((await c.next('message_created')).message.from_blocked, undefined);
  assert.equal((await a.next('message_created')).message.from_blocked, true);
  const seen = await ada.conversation(group);
  assert.equal(seen.my.unread_count, 0);
  assert.equal(seen.my.mention_count, 0);
  assert.equal((await cem.conversation(group)).my.unread_count, 1);
  assert.equal((await ada.get(`/messages/${message.id}`)).from_blocked, true);
});

scenario('who is blocked is not added to groups by the other, and not told', async world => {
  const [ada, ben, cem, dora] = await world.users('Ada', 'Ben', 'Cem', 'Dora');
  await ada.put(`/blocks/${ben.id}`);
  const group = await ben.group([cem, dora]);
  assert.deepEqual(await ben.post(`/conversations/${group.id}/members`, { user_ids: [ada.id] }), { added: [], already_members: [], skipped: [ada.id] });
  await refused(ada.put(`/blocks/${ada.id}`), 'invalid_operation');
  await refused(ada.put('/blocks/nobody-at-all'), 'user_not_found');
});
