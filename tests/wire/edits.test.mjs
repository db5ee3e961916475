// Edits: the words change, nothing else does.
import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.mjs';
import { refused } from './lib/rest.mjs';

async function pair(world) {
  const [ada, ben] = await world.users('Ada', 'Ben');
  return { ada, ben, direct: await ada.direct(ben) };
}
/** What a refused edit says about the version that is there. */
async function stale(user, id, body) {
  const answer = await user.raw('PATCH', `/messages/${id}`, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
  assert.equal(answer.status, 409);
  assert.equal(answer.json.code, 'version_conflict');
  return answer.json.details.version;
}

scenario('an edit raises version and rev and keeps seq, time, order and unread', async world => {
  const { ada, ben, direct } = await pair(world);
  const first = await ada.send(direct, 'one');
  const second = await ada.send(direct, 'two');
  const before = await ben.conversation(direct);
  const b = await world.socketIo(ben);
  const edited = await ada.patch(`/messages/${first.id}`, { text: 'one, better' });
  assert.equal(ada.status, 200);
  assert.deepEqual([edited.seq, edited.version, edited.text, edited.created_at], [first.seq, 2, 'one, better', first.created_at]);
  assert.ok(edited.rev > second.rev);
  assert.match(edited.edited_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const event = await b.next('message_updated');
  assert.deepEqual([event.conversation_id, event.seq, event.rev, event.message.version], [direct.id, first.seq, edited.rev, 2]);
  const after = await ben.conversation(direct);
  assert.equal(after.my.unread_count, before.my.unread_count);
  assert.equal(after.last_activity_at, before.last_activity_at);
  assert.equal(after.last_seq, before.last_seq);
  assert.equal(after.last_message.preview, 'two');
  assert.equal(after.rev, edited.rev);
  await ada.patch(`/messages/${second.id}`, { text: 'two, better' });
  assert.equal((await ben.conversation(direct)).last_message.preview, 'two, better');
  assert.deepEqual(await ben.texts(direct), ['one, better', 'two, better']);
});

scenario('an edit of what was read leaves it read', async world => {
  const { ada, ben, direct } = await pair(world);
  const message = await ada.send(direct, 'seen');
  await ben.put(`/conversations/${direct.id}/read`, { seq: message.seq });
  const edited = await ada.patch(`/messages/${message.id}`, { text: 'seen, changed' });
  assert.equal(edited.status, 'read');
  assert.equal((await ben.conversation(direct)).my.unread_count, 0);
});

scenario('the same text again changes nothing and is told to nobody', async world => {
  const { ada, ben, direct } = await pair(world);
  const message = await ada.send(direct, 'same');
  const b = await world.plain(ben);
  const again = await ada.patch(`/messages/${message.id}`, { text: 'same' });
  assert.deepEqual([again.version, again.rev, again.edited_at], [1, message.rev, undefined]);
  await b.silent('message_updated');
  assert.equal((await ben.conversation(direct)).rev, message.rev);
});

scenario('an expected version that is not the present one is a conflict that tells the present one', async world => {
  const { ada, ben, direct } = await pair(world);
  const message = await ada.send(direct, 'v1');
  assert.equal((await ada.patch(`/messages/${message.id}`, { text: 'v2', expected_version: 1 })).version, 2);
  assert.equal(await stale(ada, message.id, { text: 'v3', expected_version: 1 }), 2);
  assert.equal(await stale(ada, message.id, { text: 'v3', expected_version: 7 }), 2);
  assert.equal(await stale(ada, message.id, { text: 'v2', expected_version: 1 }), 2, 'even with the present text');
  for (const connection of [await world.socketIo(ada), await world.plain(ada)]) await refused(connection.command('edit_message', { message_id: message.id, text: 'v3', expected_version: 1 }), 'version_conflict');
  assert.equal((await ben.get(`/messages/${message.id}`)).text, 'v2');
  for (const expected_version of ['2', -1, 1.5, null && 0, {}]) if (expected_version !== null) await refused(ada.patch(`/messages/${message.id}`, { text: 'x', expected_version }), 'invalid_argument', 'expected_version');
  const both = await Promise.all(['left', 'right'].map(text => ada.patch(`/messages/${message.id}`, { text, expected_version: 2 }).catch(error => error.code)));
  assert.deepEqual(both.filter(one => one === 'version_conflict').length, 1, 'one of two at once wins');
});

scenario('only the author edits, moderators too do not', async world => {
  const [ada, ben, cem, eve] = await world.users('Ada', 'Ben', 'Cem', 'Eve');
  const group = await ada.group([ben, cem]);
  const message = await ben.send(group, 'mine');
  for (const other of [ada, cem]) await refused(other.patch(`/messages/${message.id}`, { text: 'yours' }), 'forbidden');
  await refused(eve.patch(`/messages/${message.id}`, { text: 'whose' }), 'message_not_found');
  assert.equal((await cem.get(`/messages/${message.id}`)).text, 'mine');
});

scenario('what an edit may say is what a message may say', async world => {
  const { ada, direct } = await pair(world);
  const message = await ada.send(direct, 'fine');
  const path = `/messages/${message.id}`;
  for (const text of ['', '  \n']) await refused(ada.patch(path, { text }), 'empty_message');
  await refused(ada.patch(path, { text: 'x'.repeat(10_001) }), 'message_too_long');
  await refused(ada.patch(path, { text: '😀'.repeat(4_097) }), 'message_too_long');
  await refused(ada.patch(path, { text: 'a\u0000b' }), 'invalid_argument', 'text');
  await refused(ada.patch(path, {}), 'invalid_argument', 'text');
  await refused(ada.patch(path, { text: null }), 'invalid_argument', 'text');
  await refused(ada.patch(path, { text: 7 }), 'invalid_argument', 'text');
  await refused(ada.patch(path, { text: 'x', kind: 'image' }), 'invalid_argument', 'kind');
  await refused(ada.patch(path, { text: 'x', mentions: Array.from({ length: 51 }, (_, i) => `u${i}`) }), 'invalid_argument', 'mentions');
  await refused(ada.patch('/messages/nonsense', { text: 'x' }), 'message_not_found');
  assert.equal((await ada.patch(path, { text: 'x'.repeat(10_000) })).version, 2);
});

scenario('tombstones, locations, meetings and lines of the engine are not edited', async world => {
  const { ada, ben, direct } = await pair(world);
  const deleted = await ada.send(direct, 'gone');
  await ada.delete(`/messages/${deleted.id}?for=everyone`);
  const place = await ada.send(direct, { kind: 'location', location: { latitude: 1, longitude: 2 } });
  const meeting = await ada.send(direct, { kind: 'meeting', meeting: { scheduled_at: new Date(Date.now() + 3_600_000).toISOString() } });
  for (const message of [deleted, place, meeting]) await refused(ada.patch(`/messages/${message.id}`, { text: 'x' }), 'invalid_operation');
  await refused(ben.patch(`/messages/${deleted.id}`, { text: 'x' }), 'invalid_operation');
  const cem = (await world.users('Cem'))[0];
  const group = await ada.group([ben, cem]);
  await ada.patch(`/conversations/${group.id}`, { name: 'Renamed' });
  const line = (await ada.get(`/conversations/${group.id}/messages`)).items.find(item => item.kind === 'system');
  assert.ok(line, 'a line about it');
  await refused(ada.patch(`/messages/${line.id}`, { text: 'x' }), 'invalid_operation');
  await refused(ada.delete(`/messages/${line.id}?for=everyone`), 'invalid_operation');
});

scenario('captions of files and custom messages are edited; kind and content stay', async world => {
  const { ada, ben, direct } = await pair(world);
  const custom = await ada.send(direct, { kind: 'custom', text: 'order', custom: { type: 'order', data: { n: 1 } } });
  const edited = await ada.patch(`/messages/${custom.id}`, { text: 'order, sent' });
  assert.deepEqual([edited.kind, edited.custom], ['custom', { type: 'order', data: { n: 1 } }]);
  const formatted = await ada.send(direct, { text: '**a**', format: 'markdown', silent: true, client_id: 'k' });
  const again = await ada.patch(`/messages/${formatted.id}`, { text: '**b**' });
  assert.deepEqual([again.format, again.silent, again.client_id], ['markdown', true, 'k']);
  assert.equal((await ben.get(`/messages/${formatted.id}`)).client_id, undefined);
});

scenario('who may not write any more may not edit any more', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const message = await ben.send(group, 'mine');
  await ada.patch(`/conversations/${group.id}`, { frozen: true });
  await refused(ben.patch(`/messages/${message.id}`, { text: 'x' }), 'not_permitted');
  await ada.patch(`/conversations/${group.id}`, { frozen: false, permissions: { send: 'admins' } });
  await refused(ben.patch(`/messages/${message.id}`, { text: 'x' }), 'forbidden');
  await ada.patch(`/conversations/${group.id}`, { permissions: { send: 'everyone' } });
  await ben.patch(`/messages/${message.id}`, { text: 'again' });
  await ada.delete(`/conversations/${group.id}/members/${ben.id}`);
  await refused(ben.patch(`/messages/${message.id}`, { text: 'x' }), 'message_not_found');
  const direct = await ada.direct(cem);
  const words = await ada.send(direct, 'before the block');
  await cem.put(`/blocks/${ada.id}`);
  await refused(ada.patch(`/messages/${words.id}`, { text: 'x' }), 'not_permitted');
  await cem.delete(`/blocks/${ada.id}`);
  await ada.put(`/blocks/${cem.id}`);
  await refused(ada.patch(`/messages/${words.id}`, { text: 'x' }), 'you_blocked');
  await ada.delete(`/messages/${words.id}?for=everyone`);
});

scenario('an edit mentions anew: some gain, some lose, some keep', async world => {
  const [ada, ben, cem, eve] = await world.users('Ada', 'Ben', 'Cem', 'Eve');
  const group = await ada.group([ben, cem]);
  const count = async user => (await user.conversation(group)).my.mention_count;
  const message = await ada.send(group, { text: 'Ben', mentions: [ben.id] });
  assert.deepEqual([await count(ben), await count(cem)], [1, 0]);
  const edited = await ada.patch(`/messages/${message.id}`, { text: 'Cem', mentions: [cem.id, eve.id, ada.id] });
  assert.deepEqual(edited.mentions, [cem.id]);
  assert.deepEqual([await count(ben), await count(cem)], [0, 1]);
  assert.deepEqual((await ada.patch(`/messages/${message.id}`, { text: 'Cem!' })).mentions, [cem.id], 'left alone they stay');
  await cem.put(`/conversations/${group.id}/read`, { seq: message.seq });
  await ada.patch(`/messages/${message.id}`, { text: 'nobody', mentions: [] });
  assert.deepEqual([await count(ben), await count(cem)], [0, 0]);
  const late = await ada.send(group, 'nothing');
  await ada.patch(`/messages/${late.id}`, { text: 'only the mentions', mentions: [ben.id] });
  assert.equal(await count(ben), 1);
  const version = (await ada.patch(`/messages/${late.id}`, { text: 'only the mentions', mentions: [ben.id, cem.id] })).version;
  assert.equal(version, 3, 'other mentions are another message');
});

scenario('search and replies speak of the present text', async world => {
  const { ada, ben, direct } = await pair(world);
  const message = await ada.send(direct, 'walrus');
  const reply = await ben.send(direct, { text: 'yes', reply_to: message.id });
  await ada.patch(`/messages/${message.id}`, { text: 'octopus' });
  const found = async q => (await ben.get(`/search/messages?q=${q}&conversation_id=${direct.id}`)).items.length;
  assert.equal(await found('walrus'), 0);
  assert.equal(await found('octopus'), 1);
  assert.equal((await ben.get(`/messages/${reply.id}`)).reply_to.preview.text, 'octopus');
});
