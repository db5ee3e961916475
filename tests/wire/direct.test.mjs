// Two users in a direct conversation, one on Socket.IO, the other on a plain WebSocket, REST beside them.
import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.mjs';
import { refused } from './lib/rest.mjs';

scenario('two users chat: acks, events, receipts and counts agree on every path', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const [a, b] = [await world.socketIo(ada), await world.plain(ben)];
  const direct = await ada.direct(ben);
  assert.equal((await b.next('conversation_created')).conversation.id, direct.id);

  const sent = await a.command('send_message', { conversation_id: direct.id, text: 'hello', client_id: 'c-1' });
  assert.equal(sent.replayed, false);
  assert.deepEqual(sent.dropped_mentions, []);
  assert.equal(sent.message.text, 'hello');
  assert.equal(sent.message.status, 'sent');
  assert.equal(sent.message.client_id, 'c-1');
  assert.deepEqual(sent.message.receipts, { recipients: 1, delivered: 0, read: 0 });

  const event = await b.next('message_created');
  assert.equal(event.conversation_id, direct.id);
  assert.equal(event.seq, sent.message.seq);
  assert.equal(event.rev, sent.message.rev);
  assert.equal(event.message.id, sent.message.id);
  assert.equal(event.message.client_id, undefined, 'a client id is its sender\'s own');
  assert.equal(event.message.status, undefined, 'status is for the sender');
  await a.silent('message_created');

  let seen = await ben.conversation(direct);
  assert.equal(seen.my.unread_count, 1);
  assert.equal(seen.my.first_unread_seq, event.seq);
  assert.equal(seen.last_message.preview, 'hello');
  assert.deepEqual((await ben.get('/me/badge')), { unread_messages: 1, unread_conversations: 1, mentions: 0 });

  const delivered = await b.command('mark_delivered', { conversation_id: direct.id, seq: event.seq });
  assert.equal(delivered.marks[0].delivered_seq, event.seq);
  const first = await a.next('receipt_updated', receipt => receipt.user_id === ben.id);
  assert.equal(first.delivered_seq, event.seq);
  assert.ok(first.read_seq < event.seq);
  assert.equal((await ada.get(`/messages/${sent.message.id}`)).status, 'delivered');

  const read = await b.command('mark_read', { conversation_id: direct.id, seq: event.seq });
  assert.deepEqual(read.marks, [{ conversation_id: direct.id, delivered_seq: event.seq, read_seq: event.seq, unread_count: 0 }]);
  const second = await a.next('receipt_updated', receipt => receipt.read_seq === event.seq);
  assert.ok(second.rev > first.rev);
  const message = await ada.get(`/messages/${sent.message.id}`);
  assert.equal(message.status, 'read');
  assert.deepEqual(message.receipts, { recipients: 1, delivered: 1, read: 1 });
  const receipts = await ada.get(`/messages/${sent.message.id}/receipts`);
  assert.equal(receipts.items[0].user.id, ben.id);
  assert.ok(receipts.items[0].delivered_at && receipts.items[0].read_at);

  seen = await ben.conversation(direct);
  assert.equal(seen.my.unread_count, 0);
  assert.equal(seen.my.first_unread_seq, undefined);
  assert.equal((await ben.get('/me/badge')).unread_messages, 0);
});

scenario('a direct is one conversation, whoever opens it and however', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const all = await Promise.all([
    ada.post('/conversations/direct', { user_id: ben.id }), ben.post('/conversations/direct', { user_id: ada.id }),
    ada.post('/messages', { recipient_id: ben.id, text: 'x' }), ben.post('/messages', { recipient_id: ada.id, text: 'y' }),
  ]);
  assert.equal(new Set(all.map(answer => answer.conversation.id)).size, 1);
  assert.equal(all.filter(answer => answer.created === true).length <= 1, true);
  assert.deepEqual((await ada.texts(all[0].conversation)).sort(), ['x', 'y']);
  const again = await ada.post('/conversations/direct', { user_id: ben.id });
  assert.equal(again.created, false);
  assert.equal(ada.status, 200);
  assert.equal(again.conversation.peer.id, ben.id);
});

scenario('nobody writes to himself, to nobody, or where he is not', async world => {
  const [ada, ben, eve] = await world.users('Ada', 'Ben', 'Eve');
  const direct = await ada.direct(ben);
  const message = await ada.send(direct, 'private');
  const e = await world.socketIo(eve);
  await refused(ada.post('/conversations/direct', { user_id: ada.id }), 'cannot_message_self');
  await refused(ada.post('/conversations/direct', { user_id: 'nobody-at-all' }), 'user_not_found');
  await refused(eve.get(`/conversations/${direct.id}`), 'conversation_not_found');
  await refused(eve.get(`/conversations/${direct.id}/messages`), 'conversation_not_found');
  await refused(eve.get(`/messages/${message.id}`), 'message_not_found');
  await refused(e.command('send_message', { conversation_id: direct.id, text: 'let me in' }), 'conversation_not_found');
  await refused(e.command('mark_read', { conversation_id: direct.id, seq: 1 }).then(marks => { if (marks.marks[0].error) return refusedMark(marks.marks[0]); return marks; }), 'conversation_not_found');
  await refused(e.command('typing', { conversation_id: direct.id, active: true }), 'conversation_not_found');
  await e.silent('message_created');
  assert.deepEqual((await eve.get('/search/messages?q=private')).items, []);
});

async function refusedMark(mark) {
  const { Refusal } = await import('./lib/rest.mjs');
  throw new Refusal(mark.error);
}

scenario('typing reaches the other side, never oneself, and ends by itself', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const [a, other, b] = [await world.plain(ada), await world.socketIo(ada), await world.socketIo(ben)];
  await a.command('typing', { conversation_id: direct.id, active: true });
  assert.deepEqual(await b.next('typing_changed'), { conversation_id: direct.id, user_ids: [ada.id] });
  assert.deepEqual(await b.next('typing_changed', () => true, 8_000), { conversation_id: direct.id, user_ids: [] });
  await ada.post(`/conversations/${direct.id}/typing`, { active: true });
  await b.next('typing_changed', typing => typing.user_ids.length === 1);
  await ada.post(`/conversations/${direct.id}/typing`, { active: false });
  await b.next('typing_changed', typing => typing.user_ids.length === 0, 1_500);
  assert.equal(a.count('typing_changed') + other.count('typing_changed'), 0);
  assert.equal((await ben.conversation(direct)).my.unread_count, 0);
});

scenario('presence follows the sessions of a direct peer', async world => {
  const [ada, ben, eve] = await world.users('Ada', 'Ben', 'Eve');
  await ada.direct(ben);
  const a = await world.socketIo(ada);
  const e = await world.plain(eve);
  const { presence } = await a.command('subscribe_presence', { user_ids: [ben.id] });
  assert.deepEqual(presence.map(entry => [entry.user_id, entry.status]), [[ben.id, 'offline']]);
  const [phone, laptop] = [await world.plain(ben), await world.socketIo(ben)];
  assert.equal((await a.next('presence_changed', change => change.user_id === ben.id)).status, 'online');
  assert.equal((await ada.get(`/presence?user_ids=${ben.id}`)).items[0].status, 'online');
  const { users } = await a.command('get_online_users', {});
  assert.ok(users.some(user => user.id === ben.id));
  phone.close();
  await a.silent('presence_changed', change => change.status === 'offline', 500);
  laptop.close();
  const gone = await a.next('presence_changed', change => change.user_id === ben.id && change.status === 'offline', 12_000);
  assert.match(gone.last_seen_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(e.count('presence_changed', change => change.user_id === ben.id), 0, 'a stranger hears nothing');
});
