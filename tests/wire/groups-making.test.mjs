// Making groups, and what they are called and allowed: limits at their edge, repetition, cleared values.
import assert from 'node:assert/strict';
import { scenario, sorted, unknownId, keys } from './lib/patient.mjs';
import { refused } from './lib/rest.mjs';

const make = (user, body) => user.post('/conversations/group', body);
const PNG = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082', 'hex');

scenario('the smallest group, named twice and with oneself among the members', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const { conversation, created, skipped } = await make(ada, { name: 'Trio', member_ids: [ben.id, ben.id, ada.id, cem.id] });
  assert.equal(ada.status, 201);
  assert.equal(created, true);
  assert.deepEqual(skipped, []);
  assert.equal(conversation.kind, 'group');
  assert.equal(conversation.member_count, 3);
  assert.equal(conversation.created_by, ada.id);
  assert.equal(conversation.my.role, 'owner');
  assert.equal(conversation.peer, undefined);
  assert.equal(conversation.frozen, false);
  assert.equal(conversation.description, undefined);
  assert.equal(conversation.avatar_url, undefined);
  assert.deepEqual(conversation.custom, {});
  assert.deepEqual(keys(conversation.permissions), ['add_members', 'edit_info', 'pin_messages', 'send']);
  assert.deepEqual(sorted(conversation.members.map(member => member.user.id)), sorted([ada.id, ben.id, cem.id]));
  for (const member of conversation.members) {
    assert.match(member.joined_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(typeof member.delivered_seq, 'number');
    assert.equal(typeof member.read_seq, 'number');
  }
  assert.equal((await ben.conversation(conversation)).my.unread_count, 0, 'the line that tells of the beginning is no news');
  assert.deepEqual(await ben.badge(), { unread_messages: 0, unread_conversations: 0, mentions: 0 });
  await refused(make(ada, { name: 'Two', member_ids: [ben.id, ben.id, ada.id] }), 'group_too_small');
  await refused(make(ada, { name: 'None', member_ids: [] }), 'group_too_small');
  await refused(make(ada, { name: 'Absent' }), 'invalid_argument', 'member_ids');
  await refused(make(ada, { member_ids: [ben.id, cem.id] }), 'invalid_argument', 'name');
  await refused(make(ada, { name: 'x', member_ids: [ben.id, cem.id], owner: ben.id }), 'invalid_argument', 'owner');
  await refused(make(ada, { name: 'x', member_ids: ben.id }), 'invalid_argument', 'member_ids');
  await refused(make(ada, { name: 'x', member_ids: [ben.id, cem.id], permissions: { send: 'nobody' } }), 'invalid_argument');
  assert.equal((await ada.list('group')).length, 1, 'nothing refused was made');
});

scenario('who is unknown makes the whole call fail, who is blocked is skipped', async world => {
  const [ada, ben, cem, dora, eve] = await world.users('Ada', 'Ben', 'Cem', 'Dora', 'Eve');
  await refused(make(ada, { name: 'x', member_ids: [ben.id, cem.id, unknownId()] }), 'user_not_found');
  await ada.block(dora);
  await eve.block(ada);
  const answer = await make(ada, { name: 'Four', member_ids: [ben.id, cem.id, dora.id, eve.id] });
  assert.deepEqual(sorted(answer.skipped), sorted([dora.id, eve.id]));
  assert.equal(answer.conversation.member_count, 3);
  for (const other of [dora, eve]) await refused(other.conversation(answer.conversation), 'conversation_not_found');
  await refused(make(ada, { name: 'Small', member_ids: [ben.id, dora.id] }), 'group_too_small');
});

scenario('a repeated client_id finds the group; another payload is a conflict; the key is the user\'s own', async world => {
  const [ada, ben, cem, dora] = await world.users('Ada', 'Ben', 'Cem', 'Dora');
  const body = { name: 'Once', member_ids: [ben.id, cem.id], client_id: 'key-1' };
  const all = await Promise.all(Array.from({ length: 6 }, () => make(ada, body)));
  assert.equal(new Set(all.map(answer => answer.conversation.id)).size, 1);
  assert.equal(all.filter(answer => answer.created).length, 1);
  const again = await make(ada, { ...body, member_ids: [cem.id, ben.id, cem.id, ada.id] });
  assert.equal(ada.status, 200);
  assert.equal(again.created, false);
  await refused(make(ada, { ...body, name: 'Twice' }), 'idempotency_conflict');
  await refused(make(ada, { ...body, member_ids: [ben.id, cem.id, dora.id] }), 'idempotency_conflict');
  const others = await make(ben, { ...body, member_ids: [ada.id, cem.id] });
  assert.equal(others.created, true);
  const group = again.conversation;
  await ada.change(group, { name: 'Renamed' });
  const later = await make(ada, body);
  assert.equal(later.created, false);
  assert.equal(later.conversation.name, 'Renamed');
  await refused(make(ada, { ...body, client_id: 'k'.repeat(65) }), 'invalid_argument', 'client_id');
  await refused(make(ada, { ...body, client_id: '' }), 'invalid_argument', 'client_id');
  assert.equal((await make(ada, { ...body, client_id: 'k'.repeat(64) })).created, true);
  await ada.leave(group);
  await refused(make(ada, body), 'conversation_not_found');
});

scenario('names, descriptions and custom data at their limits', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const ids = [ben.id, cem.id];
  const wide = '👍';
  const custom = size => ({ k: 'x'.repeat(size - JSON.stringify({ k: '' }).length) });
  const made = (await make(ada, { name: wide.repeat(120), member_ids: ids, description: 'ß'.repeat(500), custom: custom(8192) })).conversation;
  assert.equal(made.name, wide.repeat(120));
  assert.equal(made.description, 'ß'.repeat(500));
  assert.equal(made.custom.k.length, 8184);
  await refused(make(ada, { name: 'x'.repeat(121), member_ids: ids }), 'invalid_argument', 'name');
  await refused(make(ada, { name: '', member_ids: ids }), 'invalid_argument', 'name');
  await refused(make(ada, { name: 'x\u0000y', member_ids: ids }), 'invalid_argument');
  await refused(make(ada, { name: 'x', member_ids: ids, description: 'x'.repeat(501) }), 'invalid_argument', 'description');
  await refused(make(ada, { name: 'x', member_ids: ids, custom: custom(8193) }), 'payload_too_large', 'custom');
  await refused(make(ada, { name: 'x', member_ids: ids, custom: [1] }), 'invalid_argument', 'custom');
  await refused(ada.change(made, { name: 'x'.repeat(121) }), 'invalid_argument', 'name');
  await refused(ada.change(made, { name: null }), 'invalid_argument', 'name');
  await refused(ada.change(made, { description: 'x'.repeat(501) }), 'invalid_argument', 'description');
  await refused(ada.change(made, { custom: custom(8193) }), 'payload_too_large', 'custom');
  await refused(ada.change(made, { title: 'x' }), 'invalid_argument', 'title');
  await refused(ada.change(made, { frozen: 'yes' }), 'invalid_argument', 'frozen');
  await refused(ada.change(made, { permissions: { send: 'owner' } }), 'invalid_argument');
  await refused(ada.change(made, { permissions: { write: 'admins' } }), 'invalid_argument');
  assert.equal((await ada.conversation(made)).name, wide.repeat(120));
  assert.equal((await ada.change(made, { custom: custom(8192), name: 'n'.repeat(120) })).name.length, 120);
});

scenario('null clears description, picture and custom data, and events say so', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const picture = await ada.upload(PNG, 'a.png', 'image/png');
  const group = (await make(ada, { name: 'Pic', member_ids: [ben.id, cem.id], description: 'about', custom: { a: 1 }, avatar_attachment_id: picture.id })).conversation;
  assert.match(group.avatar_url, new RegExp(picture.id));
  assert.equal(group.description, 'about');
  assert.equal((await ben.raw('GET', group.avatar_url.replace(/^\/api/, ''))).status, 200, 'a picture is for everybody');
  const b = await world.socketIo(ben);
  const after = await ada.change(group, { description: null, avatar_attachment_id: null, custom: null });
  assert.equal(after.description, undefined);
  assert.equal(after.avatar_url, undefined);
  assert.deepEqual(after.custom, {});
  const { changed, conversation_id, rev, ...rest } = await b.next('conversation_updated');
  assert.deepEqual(changed, { description: null, avatar_url: null, custom: null });
  assert.equal(conversation_id, group.id);
  assert.equal(typeof rev, 'number');
  assert.deepEqual(rest, {});
  const next = await ada.upload(PNG, 'b.png', 'image/png');
  await refused(ben.change(group, { avatar_attachment_id: next.id }), 'forbidden');
  await ada.role(group, ben, 'admin');
  await refused(ben.change(group, { avatar_attachment_id: next.id }), 'attachment_not_found', 'avatar_attachment_id');
  const changedAgain = await ada.change(group, { avatar_attachment_id: next.id, permissions: { send: 'admins' } });
  assert.match(changedAgain.avatar_url, new RegExp(next.id));
  const event = await b.next('conversation_updated');
  assert.equal(event.changed.avatar_url, changedAgain.avatar_url);
  assert.deepEqual(event.changed.permissions, changedAgain.permissions, 'all of the permissions');
  await ada.send(group, { kind: 'image', attachment_ids: [(await ada.upload(PNG, 'c.png', 'image/png')).id] });
  await refused(make(ada, { name: 'x', member_ids: [ben.id, cem.id], avatar_attachment_id: next.id }), 'conflict', 'avatar_attachment_id');
});

scenario('the same value again changes nothing and nobody hears', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem], { name: 'Same', description: 'd' });
  const b = await world.plain(ben);
  const { rev, last_seq } = await ada.conversation(group);
  await ada.change(group, { name: 'Same', description: 'd', frozen: false, permissions: {}, custom: {} });
  await ada.change(group, {});
  assert.deepEqual([(await ada.conversation(group)).rev, (await ada.conversation(group)).last_seq], [rev, last_seq]);
  await b.silent('conversation_updated');
  await b.silent('message_created', () => true, 50);
});

scenario('only groups can be made from more than the wire knows: a direct stays what it is', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const direct = await ada.direct(ben);
  for (const attempt of [
    () => ada.change(direct, { name: 'Ours' }), () => ada.change(direct, { frozen: true }), () => ada.change(direct, { custom: {} }),
    () => ada.remove(direct, ben), () => ada.leave(direct), () => ada.role(direct, ben, 'admin'), () => ada.add(direct, cem),
    () => ada.put(`/conversations/${direct.id}/owner`, { user_id: ben.id }), () => ada.delete(`/conversations/${direct.id}`),
  ]) await refused(attempt(), 'invalid_operation');
  assert.equal((await ada.conversation(direct)).member_count, 2);
  assert.equal((await ada.conversation(direct)).my.can.includes('send'), true);
});

scenario('a group at its limit of members takes nobody more, and nobody of a call too large', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  await refused(make(ada, { name: 'Huge', member_ids: Array.from({ length: 1000 }, () => unknownId()) }), 'member_limit_exceeded');
  const limits = (await ada.get('/capabilities')).limits;
  assert.equal(limits.members, 1000);
  assert.ok(await ada.group([ben, cem]));
});
