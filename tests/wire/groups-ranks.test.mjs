// Ranks, rights and ways out of a group.
import assert from 'node:assert/strict';
import { scenario, sorted, unknownId, pause } from './lib/patient.mjs';
import { refused } from './lib/rest.mjs';

scenario('who may do what: every right against every rank', async world => {
  const [ada, ben, cem, dora, eve] = await world.users('Ada', 'Ben', 'Cem', 'Dora', 'Eve');
  const group = await ada.group([ben, cem, dora]);
  await ada.role(group, ben, 'admin');
  for (const [who, allowed] of [[cem, false], [ben, true], [ada, true]]) {
    const can = (await who.my(group)).can;
    for (const right of ['add_members', 'edit_info', 'pin_messages']) {
      const open = (await who.conversation(group)).permissions[right] === 'everyone';
      assert.equal(can.includes(right), allowed || open, `${who.name} ${right}`);
    }
    assert.ok(can.includes('send'));
  }
  await ada.change(group, { permissions: { add_members: 'admins', edit_info: 'admins' } });
  await refused(cem.change(group, { name: 'x' }), 'forbidden');
  await refused(cem.add(group, eve), 'forbidden');
  await ben.change(group, { permissions: { add_members: 'everyone', edit_info: 'everyone' } });
  assert.equal((await cem.change(group, { name: 'Cem was here' })).name, 'Cem was here');
  for (const what of [{ permissions: { send: 'admins' } }, { frozen: true }, { custom: { a: 1 } }]) await refused(cem.change(group, what), 'forbidden');
  assert.deepEqual((await cem.add(group, eve)).added, [eve.id]);
  assert.equal((await ben.change(group, { custom: { by: 'admin' } })).custom.by, 'admin');
  // Members, admins and the owner.
  await refused(cem.remove(group, eve), 'forbidden');
  await refused(ben.remove(group, ada), 'forbidden');
  await ada.role(group, cem, 'admin');
  await refused(ben.remove(group, cem), 'forbidden');
  await refused(ben.role(group, eve, 'admin'), 'forbidden');
  await refused(ben.put(`/conversations/${group.id}/owner`, { user_id: ben.id }), 'forbidden');
  await refused(ben.delete(`/conversations/${group.id}`), 'forbidden');
  await ben.remove(group, eve);
  await ada.remove(group, cem);
  const stranger = eve;
  for (const attempt of [() => stranger.change(group, { name: 'x' }), () => stranger.add(group, cem), () => stranger.leave(group), () => stranger.members(group),
    () => stranger.role(group, ben, 'member'), () => stranger.delete(`/conversations/${group.id}`), () => stranger.put(`/conversations/${group.id}/owner`, { user_id: ben.id }),
    () => stranger.settings(group, { pinned: true }), () => stranger.post(`/conversations/${group.id}/clear`), () => stranger.post(`/conversations/${group.id}/hide`),
    () => stranger.unread(group, 1), () => stranger.post(`/conversations/${group.id}/typing`, { active: true }), () => stranger.send(group, 'x'), () => stranger.history(group),
    () => stranger.put(`/conversations/${group.id}/delivered`, { seq: 1 })]) await refused(attempt(), 'conversation_not_found');
});

scenario('ranks: up, down, the same again, nobody\'s and the owner\'s own', async world => {
  const [ada, ben, cem, dora] = await world.users('Ada', 'Ben', 'Cem', 'Dora');
  const group = await ada.group([ben, cem]);
  const c = await world.socketIo(cem);
  const member = await ada.role(group, ben, 'admin');
  assert.equal(member.user.id, ben.id);
  assert.equal(member.role, 'admin');
  const event = await c.next('members_changed');
  assert.deepEqual(event.roles, { [ben.id]: 'admin' });
  assert.deepEqual([event.added, event.removed], [[], []]);
  await ada.role(group, ben, 'admin');
  await c.silent('members_changed');
  assert.equal((await ada.role(group, ben, 'member')).role, 'member');
  assert.deepEqual((await c.next('members_changed')).roles, { [ben.id]: 'member' });
  await refused(ada.role(group, ben, 'owner'), 'invalid_argument', 'role');
  await refused(ada.role(group, ben, 'king'), 'invalid_argument', 'role');
  await refused(ada.role(group, dora, 'admin'), 'user_not_found');
  await refused(ada.role(group, { id: unknownId() }, 'admin'), 'user_not_found');
  await refused(ada.put(`/conversations/${group.id}/owner`, { user_id: dora.id }), 'user_not_found');
  await refused(ada.put(`/conversations/${group.id}/owner`, {}), 'invalid_argument', 'user_id');
  await refused(ada.role(group, ada, 'member'), 'invalid_operation');
  assert.deepEqual(await ada.roles(group), { Ada: 'owner', Ben: 'member', Cem: 'member' });
  await ada.put(`/conversations/${group.id}/owner`, { user_id: cem.id });
  assert.deepEqual((await c.next('members_changed')).roles, { [ada.id]: 'admin', [cem.id]: 'owner' });
  assert.equal((await cem.my(group)).role, 'owner');
  await refused(ada.role(group, ben, 'admin'), 'forbidden');
});

scenario('announcement mode: members read and react, admins write', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem], { permissions: { send: 'admins' } });
  assert.equal(group.permissions.send, 'admins');
  const c = await world.plain(cem);
  await ada.role(group, ben, 'admin');
  const news = await ben.send(group, 'news');
  await refused(cem.send(group, 'x'), 'forbidden');
  await refused(c.command('send_message', { conversation_id: group.id, text: 'x' }), 'forbidden');
  assert.equal((await cem.my(group)).can.includes('send'), false);
  assert.equal((await cem.put(`/messages/${news.id}/reactions/${encodeURIComponent('👍')}`)).reactions[0].count, 1);
  await ada.role(group, ben, 'member');
  await refused(ben.patch(`/messages/${news.id}`, { text: 'edited' }), 'forbidden');
  await ben.delete(`/messages/${news.id}?for=everyone`);
  assert.ok((await cem.get(`/messages/${news.id}`)).deleted);
});

scenario('a frozen group: nothing is written, edited, reacted to or typed; reading, deleting and leaving go on', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const message = await ben.send(group, 'before');
  const [b, c] = [await world.socketIo(ben), await world.socketIo(cem)];
  await ada.change(group, { frozen: true });
  assert.deepEqual((await c.next('conversation_updated')).changed, { frozen: true });
  for (const who of [ada, ben]) {
    await refused(who.send(group, 'x'), 'not_permitted');
    assert.equal((await who.my(group)).can.includes('send'), false);
  }
  await refused(ben.patch(`/messages/${message.id}`, { text: 'x' }), 'not_permitted');
  await refused(cem.put(`/messages/${message.id}/reactions/x`), 'not_permitted');
  await refused(b.command('typing', { conversation_id: group.id, active: true }), 'not_permitted');
  await c.silent('typing_changed');
  assert.equal((await cem.read(group, message.seq)).read_seq, message.seq);
  assert.equal((await ben.send(group, { text: 'x', client_id: 'f' }).catch(error => error.code)), 'not_permitted');
  await ben.delete(`/messages/${message.id}?for=everyone`);
  await cem.leave(group);
  await ada.change(group, { frozen: false });
  await ben.send(group, { text: 'x', client_id: 'f' });
});

scenario('owner out: the oldest admin, else the oldest member, inherits; events say so', async world => {
  const [ada, ben, cem, dora] = await world.users('Ada', 'Ben', 'Cem', 'Dora');
  const group = await ada.group([cem, dora]);
  await pause(5);
  await ada.add(group, ben);
  await ada.role(group, ben, 'admin');
  const d = await world.plain(dora);
  await ada.leave(group);
  const out = await d.next('members_changed', event => event.removed.length > 0);
  assert.deepEqual([out.removed, out.roles], [[ada.id], { [ben.id]: 'owner' }], 'never without an owner');
  await ben.leave(group);
  const roles = await dora.roles(group);
  assert.deepEqual(sorted(Object.values(roles)), ['member', 'owner']);
  await refused(ada.conversation(group), 'conversation_not_found');
  await dora.leave(group);
  assert.deepEqual(await cem.roles(group), { Cem: 'owner' });
  assert.equal((await cem.conversation(group)).member_count, 1);
  await cem.send(group, 'alone');
  await cem.leave(group);
  for (const who of [ada, ben, cem, dora]) await refused(who.conversation(group), 'conversation_not_found');
  await refused(cem.leave(group), 'conversation_not_found');
});

scenario('removing: the removed, twice, oneself, nobody', async world => {
  const [ada, ben, cem, dora] = await world.users('Ada', 'Ben', 'Cem', 'Dora');
  const group = await ada.group([ben, cem, dora]);
  const [b, c] = [await world.socketIo(ben), await world.plain(cem)];
  await ada.remove(group, ben);
  assert.equal(ada.status, 204);
  const gone = await b.next('conversation_removed');
  assert.deepEqual([gone.conversation_id, gone.reason, typeof gone.rev], [group.id, 'removed', 'number']);
  assert.deepEqual((await c.next('members_changed')).removed, [ben.id]);
  await b.silent('members_changed', () => true, 50);
  await b.silent('message_created', () => true, 300);
  await refused(ada.remove(group, ben), 'user_not_found');
  await refused(ada.remove(group, { id: unknownId() }), 'user_not_found');
  await cem.remove(group, cem);
  assert.equal((await c.next('conversation_removed')).reason, 'left');
  assert.equal((await ada.conversation(group)).member_count, 2);
  assert.deepEqual(await ada.roles(group), { Ada: 'owner', Dora: 'member' });
  assert.equal(await ben.listed(group, 'all'), undefined);
  assert.deepEqual(await ben.badge(), { unread_messages: 0, unread_conversations: 0, mentions: 0 });
});

scenario('adding many: one outcome for each, limits, and who may bring whom back', async world => {
  const [ada, ben, cem, dora, eve, finn] = await world.users('Ada', 'Ben', 'Cem', 'Dora', 'Eve', 'Finn');
  const group = await ada.group([ben, cem], { permissions: { add_members: 'everyone' } });
  const ghost = unknownId();
  await eve.block(ben);
  const answer = await ben.add(group, dora, dora, ben, cem, ghost, eve);
  assert.deepEqual(answer.added, [dora.id]);
  assert.deepEqual(sorted(answer.already_members), sorted([ben.id, cem.id]));
  assert.deepEqual(sorted(answer.skipped), sorted([ghost, eve.id]));
  await refused(ada.post(`/conversations/${group.id}/members`, { user_ids: [] }), 'invalid_argument', 'user_ids');
  await refused(ada.post(`/conversations/${group.id}/members`, {}), 'invalid_argument', 'user_ids');
  await refused(ada.post(`/conversations/${group.id}/members`, { user_ids: 'x' }), 'invalid_argument', 'user_ids');
  await refused(ada.post(`/conversations/${group.id}/members`, { members: [] }), 'invalid_argument', 'members');
  // Removed: by admins only. Left by himself: by admins too.
  await ada.remove(group, dora);
  assert.deepEqual(await ben.add(group, dora), { added: [], already_members: [], skipped: [dora.id] });
  assert.deepEqual((await ada.add(group, dora)).added, [dora.id]);
  await cem.leave(group);
  assert.deepEqual((await ada.add(group, cem)).added, [cem.id]);
  assert.equal((await ada.roles(group)).Cem, 'member');
  await ada.role(group, cem, 'admin');
  await ada.remove(group, cem);
  await ada.add(group, cem);
  assert.equal((await ada.roles(group)).Cem, 'member', 'a rank does not come back');
  assert.deepEqual(await ada.add(group, ben), { added: [], already_members: [ben.id], skipped: [] });
  const b = await world.socketIo(ben);
  await ada.add(group, ben, ghost);
  await b.silent('members_changed');
  assert.deepEqual((await ada.add(group, finn)).added, [finn.id]);
});

scenario('the end of a group: gone for its last members, unknown to everybody else', async world => {
  const [ada, ben, cem, dora, eve] = await world.users('Ada', 'Ben', 'Cem', 'Dora', 'Eve');
  const group = await ada.group([ben, cem, dora]);
  const message = await ada.send(group, 'last words');
  await ada.remove(group, dora);
  await cem.leave(group);
  const [a, b, d] = [await world.socketIo(ada), await world.plain(ben), await world.plain(dora)];
  await ada.delete(`/conversations/${group.id}`);
  assert.equal(ada.status, 204);
  for (const own of [a, b]) {
    const event = await own.next('conversation_removed');
    assert.deepEqual([event.conversation_id, event.reason], [group.id, 'deleted']);
  }
  await d.silent('conversation_removed');
  for (const who of [ada, ben]) {
    for (const attempt of [() => who.conversation(group), () => who.history(group), () => who.members(group), () => who.send(group, 'x'), () => who.read(group, 1),
      () => who.settings(group, { pinned: true }), () => who.leave(group), () => who.post(`/conversations/${group.id}/clear`)]) await refused(attempt(), 'conversation_gone');
    assert.equal(await who.listed(group, 'all'), undefined);
    assert.deepEqual(await who.found('last words'), []);
  }
  await refused(ada.delete(`/conversations/${group.id}`), 'conversation_gone');
  await refused(ben.get(`/messages/${message.id}`), 'conversation_gone');
  for (const who of [cem, dora, eve]) await refused(who.conversation(group), 'conversation_not_found');
  await refused(b.command('send_message', { conversation_id: group.id, text: 'x' }), 'conversation_gone');
  await refused(b.command('typing', { conversation_id: group.id, active: true }), 'conversation_gone');
});

scenario('members in pages', async world => {
  const users = await world.users('Ada', 'Ben', 'Cem', 'Dora', 'Eve', 'Finn', 'Gus');
  const [ada, ...others] = users;
  const group = await ada.group(others);
  const seen = [];
  let cursor;
  do {
    const page = await ada.get(`/conversations/${group.id}/members?limit=3${cursor ? `&cursor=${cursor}` : ''}`);
    assert.ok(page.items.length <= 3);
    seen.push(...page.items.map(member => member.user.id));
    cursor = page.next_cursor;
  } while (cursor);
  assert.deepEqual(sorted(seen), sorted(users.map(user => user.id)));
  const { next_cursor } = await ada.get(`/conversations/${group.id}/members?limit=3`);
  await refused(others[0].get(`/conversations/${group.id}/members?limit=3&cursor=${next_cursor}`), 'invalid_cursor');
  await refused(ada.get(`/contacts?cursor=${next_cursor}`), 'invalid_cursor');
  await refused(ada.get(`/conversations/${group.id}/members?cursor=junk`), 'invalid_cursor');
  for (const limit of [0, 101, -1, 'x', 1.5]) await refused(ada.get(`/conversations/${group.id}/members?limit=${limit}`), 'invalid_argument', 'limit');
  assert.equal((await ada.get(`/conversations/${group.id}/members?limit=7`)).next_cursor, undefined);
});
