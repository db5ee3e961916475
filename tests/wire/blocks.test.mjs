// Blocking in every corner: what is refused to whom, what stays, what nobody may notice.
import assert from 'node:assert/strict';
import { scenario, sorted, pause, unknownId, keys } from './lib/patient.mjs';
import { refused, Refusal } from './lib/rest.mjs';

const answer = promise => promise.then(() => 'ok', error => { if (!(error instanceof Refusal)) throw error; return error; });

scenario('a direct under a block: both codes on every call that writes', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const [mine, theirs] = [await ada.send(direct, 'from Ada'), await ben.send(direct, 'from Ben')];
  await ben.put(`/messages/${mine.id}/reactions/x`);
  const [a, b] = [await world.socketIo(ada), await world.plain(ben)];
  await ada.block(ben);
  assert.equal(ada.status, 204);
  for (const [who, live, own, other, code] of [[ada, a, mine, theirs, 'you_blocked'], [ben, b, theirs, mine, 'not_permitted']]) {
    const peer = who === ada ? ben : ada;
    for (const attempt of [
      () => who.send(direct, 'x'), () => who.post('/messages', { recipient_id: peer.id, text: 'x' }), () => who.patch(`/messages/${own.id}`, { text: 'x' }),
      () => who.put(`/messages/${other.id}/reactions/y`), () => who.delete(`/messages/${mine.id}/reactions/x`), () => who.post(`/conversations/${direct.id}/typing`, { active: true }),
      () => live.command('send_message', { conversation_id: direct.id, text: 'x' }), () => live.command('send_message', { recipient_id: peer.id, text: 'x' }),
      () => live.command('typing', { conversation_id: direct.id, active: true }), () => live.command('edit_message', { message_id: own.id, text: 'x' }), () => live.command('add_reaction', { message_id: other.id, emoji: 'y' }),
    ]) await refused(attempt(), code);
    assert.equal((await who.my(direct)).can.includes('send'), false);
    assert.deepEqual(await who.texts(direct), ['from Ada', 'from Ben'], 'history stays');
    await who.post(`/conversations/${direct.id}/typing`, { active: false });
  }
  for (const [who, own, peer] of [[ada, mine, ben], [ben, theirs, ada]]) {
    await who.delete(`/messages/${own.id}?for=everyone`);
    assert.ok((await peer.get(`/messages/${own.id}`)).deleted, 'own words can be taken back');
  }
  await a.silent('typing_changed', () => true, 100);
  await ada.unblock(ben);
  assert.equal(ada.status, 204);
  await ben.send(direct, 'after');
  assert.deepEqual((await ada.texts(direct)).filter(Boolean), ['after']);
});

scenario('a block looks like any other refusal, and tells nothing of itself anywhere', async world => {
  const [ada, ben, cem, dora] = await world.users('Ada', 'Ben', 'Cem', 'Dora');
  const direct = await ada.direct(ben);
  const b = await world.plain(ben);
  const frozenGroup = await cem.group([ben, dora]);
  await cem.change(frozenGroup, { frozen: true });
  const before = await ben.conversation(direct);
  await b.next('conversation_updated', event => event.changed.frozen === true);
  b.forget();
  await ada.block(ben);
  const refusal = await answer(ben.send(direct, 'x'));
  const other = await answer(ben.send(frozenGroup, 'x'));
  assert.deepEqual([refusal.code, refusal.status, refusal.field], [other.code, other.status, other.field]);
  assert.ok(!/block/i.test(refusal.message));
  await b.silent('block_changed');
  assert.equal(b.count('conversation_updated') + b.count('inbox_updated') + b.count('conversation_removed'), 0);
  const after = await ben.conversation(direct);
  assert.equal(after.rev, before.rev);
  assert.deepEqual(await ben.get('/blocks'), { items: [] });
  assert.equal((await ben.get(`/users/${ada.id}`)).presence?.status ?? 'offline', 'offline');
  const found = await ben.get(`/users?q=${encodeURIComponent(ada.id)}`);
  assert.deepEqual(found.items, []);
  // A first direct between the two is refused with the same codes.
  await ada.block(dora);
  await refused(dora.post('/conversations/direct', { user_id: ada.id }), 'not_permitted');
  await refused(dora.post('/messages', { recipient_id: ada.id, text: 'x' }), 'not_permitted');
  await refused(ada.post('/conversations/direct', { user_id: dora.id }), 'you_blocked');
  await refused(ada.post('/messages', { recipient_id: dora.id, text: 'x' }), 'you_blocked');
  assert.deepEqual(await dora.list('direct'), []);
  // One that exists is found again.
  assert.equal((await ben.post('/conversations/direct', { user_id: ada.id })).conversation.id, direct.id);
  assert.equal((await ada.post('/conversations/direct', { user_id: ben.id })).conversation.id, direct.id);
});

scenario('receipts stay silent between the two, also afterwards', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const message = await ada.send(direct, 'x');
  const a = await world.socketIo(ada);
  await ben.block(ada);
  a.forget();
  assert.equal((await ben.read(direct, message.seq)).unread_count, 0);
  await a.silent('receipt_updated');
  assert.notEqual((await ada.get(`/messages/${message.id}`)).status, 'read');
  await ben.unblock(ada);
  assert.equal((await ada.get(`/messages/${message.id}`)).receipts.read, 0, 'read while blocked stays private');
  const next = await ada.send(direct, 'y');
  await ben.read(direct, next.seq);
  await a.next('receipt_updated', event => event.read_seq === next.seq);
});

scenario('in a group: collapsed for the blocker, as ever for everybody else', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const early = await ben.send(group, { text: 'early bird', mentions: [ada.id] });
  assert.deepEqual(await ada.badge(), { unread_messages: 1, unread_conversations: 1, mentions: 1 });
  const [a, b, c] = [await world.socketIo(ada), await world.plain(ben), await world.socketIo(cem)];
  await ada.block(ben);
  const own = await a.next('inbox_updated', event => event.conversation_id === group.id);
  assert.deepEqual([own.unread_count, own.mention_count, own.badge], [0, 0, { unread_messages: 0, unread_conversations: 0, mentions: 0 }]);
  const message = await ben.send(group, { text: 'collapsed bird', mentions: [ada.id, cem.id] });
  const seen = (await a.next('message_created', event => event.message.id === message.id)).message;
  assert.equal(seen.from_blocked, true);
  assert.equal((await c.next('message_created', event => event.message.id === message.id)).message.from_blocked, undefined);
  assert.equal((await b.next('message_created', event => event.message.id === message.id)).message.from_blocked, undefined);
  const entry = await ada.listed(group);
  assert.deepEqual([entry.my.unread_count, entry.my.mention_count, entry.my.first_unread_seq], [0, 0, undefined]);
  assert.deepEqual(await ada.badge(), { unread_messages: 0, unread_conversations: 0, mentions: 0 });
  assert.deepEqual([entry.last_message.seq, entry.last_message.preview, entry.last_message.from_blocked], [message.seq, 'Message', true], 'the preview is folded up too');
  assert.deepEqual([(await cem.listed(group)).last_message.preview, (await cem.listed(group)).last_message.from_blocked], ['collapsed bird', undefined]);
  assert.equal((await ada.list('unread')).length, 0);
  for (const id of [early.id, message.id]) assert.equal((await ada.get(`/messages/${id}`)).from_blocked, true);
  const items = (await ada.history(group)).items.filter(item => item.kind === 'text');
  assert.deepEqual(items.map(item => item.from_blocked), [true, true]);
  assert.equal((await cem.history(group)).items.some(item => item.from_blocked), false);
  assert.equal((await cem.my(group)).mention_count, 1);
  // The other direction: the blocker's own messages reach the blocked as ever.
  const mine = await ada.send(group, 'from Ada');
  const plain = (await b.next('message_created', event => event.message.id === mine.id)).message;
  assert.equal(plain.from_blocked, undefined);
  assert.equal((await ben.my(group)).unread_count, 1);
  await ben.put(`/messages/${mine.id}/reactions/x`);
  assert.equal((await a.next('message_updated')).message.reactions[0].count, 1);
  // Typing and presence stay hidden both ways.
  await b.command('typing', { conversation_id: group.id, active: true });
  await c.next('typing_changed', event => event.user_ids.includes(ben.id));
  await a.silent('typing_changed');
  // Afterwards nothing of it alerts late, new words count.
  await ada.unblock(ben);
  await ben.send(group, 'free bird');
  assert.equal((await ada.get(`/messages/${message.id}`)).from_blocked, undefined);
  assert.ok((await ada.my(group)).unread_count >= 1);
});

scenario('nobody of the two brings the other into a group', async world => {
  const [ada, ben, cem, dora] = await world.users('Ada', 'Ben', 'Cem', 'Dora');
  await ada.block(ben);
  const [hers, his] = [await ada.group([cem, dora]), await ben.group([cem, dora])];
  assert.deepEqual(await ada.add(hers, ben), { added: [], already_members: [], skipped: [ben.id] });
  assert.deepEqual(await ben.add(his, ada), { added: [], already_members: [], skipped: [ada.id] });
  const neutral = await cem.group([ada, dora]);
  assert.deepEqual((await cem.add(neutral, ben)).added, [ben.id], 'somebody else may');
  await ada.unblock(ben);
  assert.deepEqual((await ben.add(his, ada)).added, [ada.id]);
});

scenario('the list of the blocked: in pages, private, idempotent, checked', async world => {
  const [ada, ...others] = await world.users('Ada', 'Ben', 'Cem', 'Dora', 'Eve', 'Finn');
  const [a, a2] = [await world.socketIo(ada), await world.plain(ada)];
  for (const other of others) { await ada.block(other); assert.equal(ada.status, 204); }
  await ada.block(others[0]);
  assert.equal(ada.status, 204);
  let last = 0;
  for (const other of others) {
    const event = await a.next('block_changed');
    assert.deepEqual(keys(event), ['blocked', 'user_id', 'user_rev']);
    assert.deepEqual([event.user_id, event.blocked], [other.id, true]);
    assert.ok(event.user_rev > last);
    last = event.user_rev;
  }
  await a.silent('block_changed', () => true, 200);
  const seen = [];
  let cursor;
  do {
    const page = await ada.get(`/blocks?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
    seen.push(...page.items.map(user => user.id));
    cursor = page.next_cursor;
  } while (cursor);
  assert.deepEqual(sorted(seen), sorted(others.map(user => user.id)));
  assert.deepEqual((await others[0].get('/blocks')).items, []);
  await ada.unblock(others[0]);
  await ada.unblock(others[0]);
  assert.equal(ada.status, 204);
  assert.equal((await a2.next('block_changed', event => !event.blocked)).user_id, others[0].id);
  await refused(ada.block({ id: unknownId() }), 'user_not_found');
  await refused(ada.block(ada), 'invalid_operation');
  const synced = await ada.post('/sync', {});
  assert.deepEqual(sorted(synced.blocks.added), sorted(others.slice(1).map(user => user.id)));
});

scenario('presence over a block: offline once for both, back after it', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  await ada.direct(ben);
  const [a, b] = [await world.socketIo(ada), await world.plain(ben)];
  const [{ presence: [one] }] = [await b.command('subscribe_presence', { user_ids: [ada.id] })];
  assert.equal(one.status, 'online');
  // Word of the two coming online may still be on its way.
  await pause(400);
  a.forget(); b.forget();
  await ada.block(ben);
  assert.equal((await b.next('presence_changed', event => event.user_id === ada.id)).status, 'offline');
  assert.equal((await a.next('presence_changed', event => event.user_id === ben.id)).status, 'offline');
  await pause(300);
  assert.equal(b.count('presence_changed') + a.count('presence_changed'), 0, 'once');
  for (const [me, other, live] of [[ada, ben, a], [ben, ada, b]]) {
    const [seen] = (await me.get(`/presence?user_ids=${other.id}`)).items;
    assert.deepEqual(keys(seen).filter(key => seen[key] !== undefined && seen[key] !== null), ['status', 'user_id']);
    assert.equal(seen.status, 'offline');
    assert.ok(!(await live.command('get_online_users', { limit: 100 })).users.some(user => user.id === other.id));
    assert.deepEqual((await live.command('subscribe_presence', { user_ids: [other.id] })).presence.map(row => row.status), ['offline']);
  }
  await b.command('set_foreground', { foreground: false });
  await a.silent('presence_changed');
  await b.command('set_foreground', { foreground: true });
  await ada.unblock(ben);
  assert.equal((await b.next('presence_changed', event => event.user_id === ada.id)).status, 'online');
});

scenario('a block while the other types ends the typing', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const [a, b] = [await world.socketIo(ada), await world.plain(ben)];
  await b.command('typing', { conversation_id: direct.id, active: true });
  assert.deepEqual((await a.next('typing_changed')).user_ids, [ben.id]);
  await ada.block(ben);
  await world.eventually(async () => assert.deepEqual((await a.next('typing_changed', () => true, 1500)).user_ids, []));
});

scenario('a block while both type in a group takes each off the other\'s list, and leaves the rest', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const [a, b, c] = [await world.socketIo(ada), await world.plain(ben), await world.socketIo(cem)];
  for (const [who, others] of [[b, [a, c]], [c, [a, b]]]) {
    await who.command('typing', { conversation_id: group.id, active: true });
    for (const other of others) await other.next('typing_changed');
  }
  await ada.block(ben);
  assert.deepEqual((await a.next('typing_changed')).user_ids, [cem.id]);
  await c.silent('typing_changed');
});
