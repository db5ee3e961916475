// Deleting: for oneself out of one's own sight, for everyone down to a tombstone.
import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.mjs';
import { refused } from './lib/rest.mjs';
import { PNG } from './lib/files.mjs';

async function pair(world) {
  const [ada, ben] = await world.users('Ada', 'Ben');
  return { ada, ben, direct: await ada.direct(ben) };
}

scenario('`for` has to say for whom', async world => {
  const { ada, ben, direct } = await pair(world);
  const message = await ada.send(direct, 'x');
  for (const query of ['', '?for=', '?for=all', '?for=Everyone']) await refused(ada.delete(`/messages/${message.id}${query}`), 'invalid_argument', 'for');
  await refused(ada.delete(`/messages/${message.id}?for=me&why=x`), 'invalid_argument', 'why');
  for (const connection of [await world.socketIo(ada), await world.plain(ada)]) {
    await refused(connection.command('delete_message', { message_id: message.id }), 'invalid_argument', 'for');
    await refused(connection.command('delete_message', { message_id: message.id, for: 'all' }), 'invalid_argument', 'for');
  }
  assert.equal((await ben.get(`/messages/${message.id}`)).text, 'x');
});

scenario('a tombstone keeps its place and nothing of what was said', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const file = await ada.upload(PNG, 'secret.png', 'image/png');
  const target = await ben.send(group, 'target');
  const message = await ada.send(group, { kind: 'image', text: 'secret words', attachment_ids: [file.id], mentions: [ben.id], reply_to: target.id, client_id: 'mine' });
  await ben.put(`/messages/${message.id}/reactions/x`);
  const [b, own] = [await world.socketIo(ben), await world.plain(ada)];
  await ada.delete(`/messages/${message.id}?for=everyone`);
  assert.equal(ada.status, 204);
  for (const session of [b, own]) {
    const event = await session.next('message_deleted');
    assert.deepEqual([event.conversation_id, event.seq, event.message.id], [group.id, message.seq, message.id]);
    assert.ok(event.rev > message.rev);
    assert.equal(event.message.rev, event.rev);
    assert.ok(!/secret/.test(JSON.stringify(event)), 'no content in the event');
  }
  for (const user of [ada, ben, cem]) {
    const stone = await user.get(`/messages/${message.id}`);
    assert.deepEqual([stone.seq, stone.sender.id, stone.created_at, stone.deleted.by], [message.seq, ada.id, message.created_at, 'author']);
    assert.match(stone.deleted.at, /Z$/);
    for (const field of ['text', 'attachments', 'reactions', 'mentions', 'reply_to', 'location', 'meeting', 'custom']) assert.ok(stone[field] === undefined || stone[field].length === 0, `${field} of a tombstone`);
    assert.equal(stone.text, undefined);
    assert.equal(stone.attachments, undefined);
    assert.equal(stone.reactions, undefined);
    assert.equal(stone.client_id, user === ada ? 'mine' : undefined);
    const page = await user.get(`/conversations/${group.id}/messages`);
    assert.ok(page.items.find(item => item.id === message.id).deleted, 'in the history');
    assert.ok(!/secret/.test(JSON.stringify([page, await user.conversation(group), await user.post('/sync', {})])), 'nowhere');
    assert.deepEqual((await user.get(`/search/messages?q=secret&conversation_id=${group.id}`)).items, []);
    await refused(user.get(`/attachments/${file.id}`), 'attachment_not_found');
    assert.equal((await user.raw('GET', `/attachments/${file.id}/content`)).status, 404);
  }
  assert.equal((await ben.conversation(group)).my.mention_count, 0);
  await ada.delete(`/messages/${message.id}?for=everyone`);
  assert.equal(ada.status, 204, 'again is fine');
  await b.silent('message_deleted');
});

scenario('unread, mentions, preview and badge are counted anew', async world => {
  const { ada, ben, direct } = await pair(world);
  const first = await ada.send(direct, 'first');
  const second = await ada.send(direct, { text: 'second', mentions: [ben.id] });
  assert.equal((await ben.conversation(direct)).my.unread_count, 2);
  const activity = (await ben.conversation(direct)).last_activity_at;
  await ada.delete(`/messages/${second.id}?for=everyone`);
  const after = await ben.conversation(direct);
  assert.deepEqual([after.my.unread_count, after.my.mention_count, after.my.first_unread_seq], [1, 0, first.seq]);
  assert.deepEqual([after.last_message.preview, after.last_message.seq], ['first', first.seq]);
  assert.equal(after.last_seq, second.seq);
  assert.ok(after.last_activity_at <= activity);
  assert.deepEqual(await ben.get('/me/badge'), { unread_messages: 1, unread_conversations: 1, mentions: 0 });
  await ben.delete(`/messages/${first.id}?for=me`);
  const empty = await ben.conversation(direct);
  assert.equal(empty.last_message, undefined, 'nothing visible is left');
  assert.equal(empty.my.unread_count, 0);
  assert.equal(empty.my.first_unread_seq, undefined);
  assert.equal((await ada.conversation(direct)).last_message.preview, 'first', 'not for the other');
  assert.equal((await ada.get(`/messages/${first.id}`)).status, 'sent', 'no receipt comes of it');
});

scenario('a deletion does not move receipts', async world => {
  const { ada, ben, direct } = await pair(world);
  const [first, second] = [await ada.send(direct, '1'), await ada.send(direct, '2')];
  await ben.put(`/conversations/${direct.id}/read`, { seq: second.seq });
  await ada.delete(`/messages/${second.id}?for=everyone`);
  assert.equal((await ada.get(`/messages/${first.id}`)).status, 'read');
  assert.equal((await ben.conversation(direct)).my.read_seq, second.seq);
});

scenario('for me: any visible message, tombstones and lines too, out of every view of mine', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  await ada.patch(`/conversations/${group.id}`, { name: 'Renamed' });
  const line = (await ben.get(`/conversations/${group.id}/messages`)).items.find(item => item.kind === 'system');
  const words = await ada.send(group, 'words of ada');
  const stone = await ada.send(group, 'to be deleted');
  const reply = await cem.send(group, { text: 'answer', reply_to: words.id });
  await ada.delete(`/messages/${stone.id}?for=everyone`);
  const [b, c] = [await world.plain(ben), await world.socketIo(cem)];
  for (const message of [words, stone, line]) {
    await ben.delete(`/messages/${message.id}?for=me`);
    assert.equal(ben.status, 204);
    const gone = await b.next('message_deleted', event => event.message.id === message.id && event.message.gone);
    assert.deepEqual(Object.keys(gone.message).sort(), ['conversation_id', 'gone', 'id', 'rev', 'seq']);
    await ben.delete(`/messages/${message.id}?for=me`);
    assert.equal(ben.status, 204, 'again is fine');
    await refused(ben.get(`/messages/${message.id}`), 'message_not_found');
  }
  await c.silent('message_deleted');
  const page = await ben.get(`/conversations/${group.id}/messages`);
  assert.ok(!page.items.some(item => [words.id, stone.id, line.id].includes(item.id)));
  assert.deepEqual((await ben.get(`/search/messages?q=words&conversation_id=${group.id}`)).items, []);
  assert.equal((await cem.get(`/search/messages?q=words&conversation_id=${group.id}`)).items.length, 1);
  assert.equal((await ben.get(`/messages/${reply.id}`)).reply_to.state, 'unavailable');
  assert.equal((await cem.get(`/messages/${reply.id}`)).reply_to.state, 'visible');
  assert.equal((await ada.get(`/messages/${words.id}`)).text, 'words of ada');
});

scenario('sync brings what is gone for me as gone, to my other devices', async world => {
  const { ada, ben, direct } = await pair(world);
  const message = await ada.send(direct, 'was here');
  const { token } = await ben.post('/sync', {});
  const other = await ada.post('/sync', {});
  await ben.delete(`/messages/${message.id}?for=me`);
  const answer = await ben.post('/sync', { token });
  const entry = answer.conversations.find(entry => entry.conversation.id === direct.id);
  const gone = entry.messages.find(item => item.id === message.id);
  assert.deepEqual({ ...gone, rev: 0 }, { id: message.id, conversation_id: direct.id, seq: message.seq, rev: 0, gone: true });
  assert.ok(!/was here/.test(JSON.stringify(answer)));
  const theirs = await ada.post('/sync', { token: other.token });
  assert.ok(!theirs.conversations.some(entry => entry.messages.some(item => item.gone)), 'none of it for the other');
});

scenario('the author deletes for everyone what he cleared, hid or deleted for himself', async world => {
  const { ada, ben, direct } = await pair(world);
  const [one, two] = [await ada.send(direct, 'one'), await ada.send(direct, 'two')];
  await ada.delete(`/messages/${one.id}?for=me`);
  await ada.delete(`/messages/${one.id}?for=everyone`);
  await ada.post(`/conversations/${direct.id}/clear`);
  await ada.delete(`/messages/${two.id}?for=everyone`);
  assert.ok((await ben.get(`/messages/${one.id}`)).deleted);
  assert.ok((await ben.get(`/messages/${two.id}`)).deleted);
});

scenario('who deletes for everyone: author, owner, admin; never the other of a direct', async world => {
  const [ada, ben, cem, dora, eve] = await world.users('Ada', 'Ben', 'Cem', 'Dora', 'Eve');
  const group = await ada.group([ben, cem, dora]);
  await ada.patch(`/conversations/${group.id}/members/${cem.id}`, { role: 'admin' });
  const [one, two, three] = [await ben.send(group, '1'), await ben.send(group, '2'), await ada.send(group, '3')];
  await refused(dora.delete(`/messages/${one.id}?for=everyone`), 'forbidden');
  await refused(eve.delete(`/messages/${one.id}?for=everyone`), 'message_not_found');
  await refused(eve.delete(`/messages/${one.id}?for=me`), 'message_not_found');
  await cem.delete(`/messages/${one.id}?for=everyone`);
  assert.equal((await ben.get(`/messages/${one.id}`)).deleted.by, 'moderator');
  await refused(dora.delete(`/messages/${one.id}?for=everyone`), 'forbidden');
  await ben.delete(`/messages/${one.id}?for=everyone`);
  assert.equal((await ben.get(`/messages/${one.id}`)).deleted.by, 'moderator', 'deleted once');
  await ada.delete(`/messages/${two.id}?for=everyone`);
  await cem.delete(`/messages/${three.id}?for=everyone`);
  const direct = await ada.direct(ben);
  const words = await ada.send(direct, 'x');
  await refused(ben.delete(`/messages/${words.id}?for=everyone`), 'forbidden');
  await ada.delete(`/conversations/${group.id}/members/${ben.id}`);
  const last = two;
  await refused(ben.delete(`/messages/${last.id}?for=everyone`), 'message_not_found');
  await refused(ben.delete(`/messages/${last.id}?for=me`), 'message_not_found');
});

scenario('frozen and blocked: own messages can still be deleted', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const message = await ben.send(group, 'x');
  await ada.patch(`/conversations/${group.id}`, { frozen: true });
  await ben.delete(`/messages/${message.id}?for=everyone`);
  assert.equal((await cem.get(`/messages/${message.id}`)).deleted.by, 'author');
  const direct = await ada.direct(ben);
  const [one, two] = [await ada.send(direct, '1'), await ben.send(direct, '2')];
  await ben.put(`/blocks/${ada.id}`);
  await ada.delete(`/messages/${one.id}?for=everyone`);
  await ben.delete(`/messages/${two.id}?for=everyone`);
});

scenario('a replay of a deleted message answers with its tombstone and brings nothing back', async world => {
  const { ada, ben, direct } = await pair(world);
  const body = { text: 'said once', client_id: 'key-1' };
  const message = await ada.send(direct, body);
  await ada.delete(`/messages/${message.id}?for=everyone`);
  const b = await world.socketIo(ben);
  const again = await ada.post(`/conversations/${direct.id}/messages`, body);
  assert.equal(ada.status, 200);
  assert.equal(again.replayed, true);
  assert.deepEqual([again.message.id, again.message.text, again.message.deleted.by], [message.id, undefined, 'author']);
  await refused(ada.post(`/conversations/${direct.id}/messages`, { text: 'said twice', client_id: 'key-1' }), 'idempotency_conflict');
  await b.silent('message_created');
  const hidden = await ada.send(direct, { text: 'hidden', client_id: 'key-2' });
  await ada.delete(`/messages/${hidden.id}?for=me`);
  const replay = await ada.post(`/conversations/${direct.id}/messages`, { text: 'hidden', client_id: 'key-2' });
  assert.equal(replay.replayed, true);
  assert.equal(replay.message.id, hidden.id);
});

scenario('a range of history with deleted messages stays closed and full', async world => {
  const { ada, ben, direct } = await pair(world);
  const all = [];
  for (let i = 0; i < 9; i++) all.push(await ada.send(direct, `m${i}`));
  for (const at of [1, 3, 5, 7]) await ben.delete(`/messages/${all[at].id}?for=me`);
  const page = await ben.get(`/conversations/${direct.id}/messages?limit=3&order=asc&after=0`);
  assert.deepEqual(page.items.map(item => item.text), ['m0', 'm2', 'm4'], 'hidden ones do not shorten a page');
  assert.equal(page.range.from, 1);
  const rest = await ben.get(`/conversations/${direct.id}/messages?limit=3&order=asc&after=${page.range.to}`);
  assert.deepEqual(rest.items.map(item => item.text), ['m6', 'm8']);
  assert.equal(rest.has_more_after, false);
  assert.equal(rest.range.to, all.at(-1).seq);
});
