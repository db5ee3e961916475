// Several people change the same group, or the same direct, at once: whatever the order, the outcome is one of the legal ones.
import assert from 'node:assert/strict';
import { scenario, sorted } from './lib/patient.mjs';
import { Refusal } from './lib/rest.mjs';

/** The value, or the code of the refusal. */
const outcome = promise => promise.catch(error => { if (!(error instanceof Refusal)) throw error; return error.code; });

scenario('all leave at once: nobody is left, nobody is refused', async world => {
  const users = await world.users('Ada', 'Ben', 'Cem', 'Dora', 'Eve');
  const group = await users[0].group(users.slice(1));
  assert.deepEqual(await Promise.all(users.map(user => outcome(user.leave(group)))), users.map(() => undefined));
  for (const user of users) assert.equal(await outcome(user.conversation(group)), 'conversation_not_found');
});

scenario('there is one owner, however ownership moves', async world => {
  const users = await world.users('Ada', 'Ben', 'Cem', 'Dora');
  const [ada, ben, cem, dora] = users;
  for (let round = 0; round < 3; round++) {
    const group = await ada.group([ben, cem, dora]);
    await Promise.all([
      outcome(ada.put(`/conversations/${group.id}/owner`, { user_id: ben.id })), outcome(ada.put(`/conversations/${group.id}/owner`, { user_id: cem.id })),
      outcome(ben.leave(group)), outcome(ada.role(group, dora, 'admin')), outcome(ada.leave(group)),
    ]);
    const members = await dora.members(group);
    assert.equal(members.filter(member => member.role === 'owner').length, 1, JSON.stringify(members.map(member => [member.user.name, member.role])));
    assert.equal((await dora.conversation(group)).member_count, members.length);
  }
});

scenario('added by three at once: added once, told once', async world => {
  const [ada, ben, cem, dora] = await world.users('Ada', 'Ben', 'Cem', 'Dora');
  const group = await ada.group([ben, cem], { permissions: { add_members: 'everyone' } });
  const [a, d] = [await world.socketIo(ada), await world.plain(dora)];
  const answers = await Promise.all([ada, ben, cem].map(who => who.add(group, dora)));
  assert.equal(answers.flatMap(answer => answer.added).length, 1);
  assert.equal(answers.flatMap(answer => answer.already_members).length, 2);
  assert.equal((await ada.conversation(group)).member_count, 4);
  await d.next('conversation_created');
  await d.silent('conversation_created');
  assert.equal(a.count('members_changed'), 1);
  assert.deepEqual(sorted(await ada.lines(group)), ['conversation_created', 'member_added']);
});

scenario('after a removal is answered, nothing of the removed gets in', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const b = await world.plain(ben);
  let over = false;
  const late = [];
  const sending = (async () => {
    for (let at = 0; at < 25; at++) {
      const began = over;
      const sent = await outcome(b.command('send_message', { conversation_id: group.id, text: `n${at}` }));
      if (typeof sent === 'string') { assert.equal(sent, 'conversation_not_found'); return; }
      if (began) late.push(at);
    }
  })();
  await ada.remove(group, ben);
  over = true;
  await sending;
  assert.deepEqual(late, []);
  const { items } = await ada.history(group);
  const line = items.findIndex(item => item.system?.code === 'member_removed');
  assert.ok(line > 0);
  assert.deepEqual(items.slice(line).filter(item => item.sender.id === ben.id), []);
});

scenario('after a block is answered, no message gets in, either way', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const [a, b] = [await world.socketIo(ada), await world.plain(ben)];
  let over = false;
  const late = [];
  const flood = async connection => {
    for (let at = 0; at < 20; at++) {
      const began = over;
      const sent = await outcome(connection.command('send_message', { conversation_id: direct.id, text: `n${at}` }));
      if (began && typeof sent !== 'string') late.push(sent);
      if (typeof sent === 'string') assert.ok(['not_permitted', 'you_blocked'].includes(sent), sent);
    }
  };
  const floods = [flood(a), flood(b)];
  await ada.block(ben);
  over = true;
  await Promise.all(floods);
  assert.deepEqual(late, []);
});

scenario('many changes of many settings at once end in what was asked last by each', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  await Promise.all([ada.settings(direct, { pinned: true }), ada.settings(direct, { muted_until: 'forever' }), ada.settings(direct, { notification_level: 'none' }), ben.settings(direct, { archived: true })]);
  const [mine, theirs] = [await ada.my(direct), await ben.my(direct)];
  assert.deepEqual([typeof mine.pinned_at, mine.muted_until, mine.notification_level, mine.archived], ['string', 'forever', 'none', false]);
  assert.deepEqual([theirs.pinned_at, theirs.muted_until, theirs.archived], [undefined, undefined, true]);
});
