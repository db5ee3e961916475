// What sync tells of a group's life: the same as the live events, for who was away.
import assert from 'node:assert/strict';
import { scenario, sorted } from './lib/patient.mjs';

const entry = (answer, group) => answer.conversations.find(item => item.conversation.id === group.id);
const removed = (answer, group) => answer.removed.find(item => item.conversation_id === group.id)?.reason;

scenario('away while being removed, leaving, hiding and the end', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const [g1, g2, g3, g4] = await Promise.all([1, 2, 3, 4].map(() => ada.group([ben, cem])));
  const { token } = await ben.post('/sync', {});
  await ada.remove(g1, ben);
  await ben.leave(g2);
  await ada.delete(`/conversations/${g3.id}`);
  await ben.post(`/conversations/${g4.id}/hide`);
  const answer = await ben.post('/sync', { token });
  assert.deepEqual([g1, g2, g3, g4].map(group => removed(answer, group)), ['removed', 'left', 'deleted', 'hidden']);
  assert.equal(entry(answer, g1), undefined);
  const again = await ben.post('/sync', { token: answer.token });
  assert.deepEqual([again.removed, again.conversations], [[], []]);
});

scenario('away while members come and go, ranks move and the group changes', async world => {
  const [ada, ben, cem, dora] = await world.users('Ada', 'Ben', 'Cem', 'Dora');
  const group = await ada.group([ben, cem]);
  const { token } = await ben.post('/sync', {});
  await ada.add(group, dora);
  await ada.role(group, dora, 'admin');
  await ada.remove(group, cem);
  await ada.change(group, { name: 'New', description: 'd' });
  const answer = await ben.post('/sync', { token });
  const { conversation, members, messages } = entry(answer, group);
  assert.deepEqual([conversation.name, conversation.description, conversation.member_count], ['New', 'd', 3]);
  assert.deepEqual(sorted(members.filter(member => !member.left).map(member => `${member.user.name} ${member.role}`)), ['Ada owner', 'Ben member', 'Dora admin']);
  assert.ok(messages.every((message, at) => at === 0 || message.rev > messages[at - 1].rev), 'by rev');
  assert.deepEqual(messages.map(message => message.system?.code).filter(code => ['member_added', 'member_removed', 'renamed'].includes(code)), ['member_added', 'member_removed', 'renamed']);
  // Whoever is new sees it as a conversation of his.
  const newcomer = await dora.post('/sync', {});
  assert.equal(entry(newcomer, group).conversation.my.role, 'admin');
});

scenario('removed and back while away: there, with what may be seen', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const { token } = await ben.post('/sync', {});
  await ada.remove(group, ben);
  await ada.send(group, 'secret between');
  await ada.add(group, ben);
  await ada.send(group, 'welcome back');
  const answer = await ben.post('/sync', { token });
  assert.equal(removed(answer, group), undefined);
  assert.ok(entry(answer, group));
  assert.ok(!JSON.stringify(answer).includes('secret'));
  assert.equal(entry(answer, group).conversation.my.unread_count, 1);
});
