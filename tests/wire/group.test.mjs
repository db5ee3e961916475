// Groups: who may do what, what members hear of it, and what those who are out hear no more.
import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.mjs';
import { refused } from './lib/rest.mjs';

const rolesOf = async (user, group) => Object.fromEntries((await user.get(`/conversations/${group.id}/members`)).items.map(member => [member.user.name, member.role]));

scenario('a group from its making to its end', async world => {
  const [ada, ben, cem, dora] = await world.users('Ada', 'Ben', 'Cem', 'Dora');
  const [a, b, c, d] = await Promise.all([world.socketIo(ada), world.plain(ben), world.socketIo(cem), world.plain(dora)]);
  const answer = await ada.post('/conversations/group', { name: 'Trip', member_ids: [ben.id, cem.id], client_id: 'g-1' });
  assert.equal(ada.status, 201);
  const group = answer.conversation;
  assert.equal(answer.created, true);
  assert.deepEqual(answer.skipped, []);
  for (const connection of [a, b, c]) assert.equal((await connection.next('conversation_created')).conversation.name, 'Trip');
  assert.equal((await ada.post('/conversations/group', { name: 'Trip', member_ids: [ben.id, cem.id], client_id: 'g-1' })).conversation.id, group.id);
  assert.equal(ada.status, 200);
  assert.deepEqual(await rolesOf(ben, group), { Ada: 'owner', Ben: 'member', Cem: 'member' });

  await refused(ben.patch(`/conversations/${group.id}/members/${cem.id}`, { role: 'admin' }), 'forbidden');
  await refused(ben.delete(`/conversations/${group.id}/members/${cem.id}`), 'forbidden');
  await refused(ben.delete(`/conversations/${group.id}`), 'forbidden');
  await ada.patch(`/conversations/${group.id}/members/${ben.id}`, { role: 'admin' });
  const ranks = await c.next('members_changed', change => Object.keys(change.roles).length > 0);
  assert.equal(ranks.roles[ben.id], 'admin');

  await ben.patch(`/conversations/${group.id}`, { name: 'Long trip', description: 'By train' });
  const changed = await c.next('conversation_updated');
  assert.equal(changed.changed.name, 'Long trip');
  assert.equal(changed.changed.description, 'By train');
  await ben.patch(`/conversations/${group.id}`, { description: null });
  assert.equal((await c.next('conversation_updated')).changed.description, null);
  assert.equal((await cem.conversation(group)).description, undefined);

  await ada.send(group, 'before Dora');
  const added = await ben.post(`/conversations/${group.id}/members`, { user_ids: [dora.id, cem.id, 'nobody-at-all'] });
  assert.deepEqual(added, { added: [dora.id], already_members: [cem.id], skipped: ['nobody-at-all'] });
  assert.equal((await d.next('conversation_created')).conversation.id, group.id);
  assert.deepEqual((await c.next('members_changed', change => change.added.length > 0)).added.map(member => member.user.id), [dora.id]);
  assert.deepEqual(await dora.texts(group), [], 'nothing from before she joined');

  d.forget();
  await ada.send(group, 'welcome');
  await d.next('message_created', event => event.message.text === 'welcome');
  await ben.delete(`/conversations/${group.id}/members/${dora.id}`);
  assert.equal((await d.next('conversation_removed')).reason, 'removed');
  await ada.send(group, 'without Dora');
  await b.next('message_created', event => event.message.text === 'without Dora');
  await d.silent('message_created', event => event.message?.text === 'without Dora');
  await refused(dora.get(`/conversations/${group.id}`), 'conversation_not_found');
  await refused(d.command('send_message', { conversation_id: group.id, text: 'still here' }), 'conversation_not_found');
  await refused(dora.delete(`/conversations/${group.id}/members/${dora.id}`), 'conversation_not_found');
  await refused(ben.delete(`/conversations/${group.id}/members/${dora.id}`), 'user_not_found');

  await ada.put(`/conversations/${group.id}/owner`, { user_id: cem.id });
  assert.deepEqual(await rolesOf(ben, group), { Ada: 'admin', Ben: 'admin', Cem: 'owner' });
  await ben.post(`/conversations/${group.id}/leave`);
  assert.equal((await b.next('conversation_removed')).reason, 'left');
  await cem.delete(`/conversations/${group.id}`);
  assert.equal((await a.next('conversation_removed')).reason, 'deleted');
  await refused(ada.get(`/conversations/${group.id}`), 'conversation_gone');
  await refused(ben.get(`/conversations/${group.id}`), 'conversation_not_found');
});

scenario('an owner who leaves hands over to the oldest admin', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  await ada.patch(`/conversations/${group.id}/members/${cem.id}`, { role: 'admin' });
  await ada.post(`/conversations/${group.id}/leave`);
  assert.deepEqual(await rolesOf(ben, group), { Ben: 'member', Cem: 'owner' });
});

scenario('permissions and freezing stop members, not admins, and stop everyone', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  await ada.patch(`/conversations/${group.id}`, { permissions: { send: 'admins' } });
  await refused(ben.post(`/conversations/${group.id}/messages`, { text: 'x' }), 'forbidden');
  await ada.send(group, 'announcement');
  assert.equal((await ben.conversation(group)).my.can.includes('send'), false);
  await ada.patch(`/conversations/${group.id}`, { permissions: { send: 'everyone' }, frozen: true });
  await refused(ben.post(`/conversations/${group.id}/messages`, { text: 'x' }), 'not_permitted');
  await refused(ada.post(`/conversations/${group.id}/messages`, { text: 'x' }), 'not_permitted');
  await ada.patch(`/conversations/${group.id}`, { frozen: false });
  await ben.send(group, 'thawed');
});

scenario('too small, no name, unknown members: refused', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  await refused(ada.post('/conversations/group', { name: 'Two', member_ids: [ben.id] }), 'group_too_small');
  await refused(ada.post('/conversations/group', { name: ' ', member_ids: [ben.id, cem.id] }), 'invalid_argument', 'name');
  await refused(ada.post('/conversations/group', { name: 'x'.repeat(121), member_ids: [ben.id, cem.id] }), 'invalid_argument', 'name');
  await refused(ada.post('/conversations/group', { name: 'Who', member_ids: [ben.id, 'nobody-at-all'] }), 'user_not_found');
  const direct = await ada.direct(ben);
  await refused(ada.post(`/conversations/${direct.id}/leave`), 'invalid_operation');
  await refused(ada.post(`/conversations/${direct.id}/members`, { user_ids: [cem.id] }), 'invalid_operation');
});

scenario('mentions count for the mentioned, and strangers to the group are dropped', async world => {
  const [ada, ben, cem, eve] = await world.users('Ada', 'Ben', 'Cem', 'Eve');
  const group = await ada.group([ben, cem]);
  const a = await world.socketIo(ada);
  const sent = await a.command('send_message', { conversation_id: group.id, text: 'Ben, Eve', mentions: [ben.id, eve.id, ada.id] });
  assert.deepEqual(sent.dropped_mentions, [eve.id]);
  assert.deepEqual(sent.message.mentions, [ben.id]);
  assert.equal((await ben.conversation(group)).my.mention_count, 1);
  assert.equal((await cem.conversation(group)).my.mention_count, 0);
  assert.equal((await ben.get('/me/badge')).mentions, 1);
});
