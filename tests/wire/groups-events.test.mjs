// What a group's life sounds like on every connection: who hears, what exactly, and with which rev.
import assert from 'node:assert/strict';
import { scenario, sorted, keys, watchRevs, pause } from './lib/patient.mjs';
import { refused } from './lib/rest.mjs';

scenario('making, adding, renaming, ranks, removing, leaving, ending: payloads and audiences', async world => {
  const [ada, ben, cem, dora, eve] = await world.users('Ada', 'Ben', 'Cem', 'Dora', 'Eve');
  const [a, a2, b, c, d, e] = await Promise.all([world.socketIo(ada), world.plain(ada), world.plain(ben), world.socketIo(cem), world.plain(dora), world.socketIo(eve)]);
  const checks = [a, a2, b, c, d].map(watchRevs);
  const group = await ada.group([ben, cem], { name: 'Ev' });
  for (const connection of [a, a2, b, c]) {
    const payload = await connection.next('conversation_created');
    assert.deepEqual(keys(payload), ['conversation']);
    assert.equal(payload.conversation.id, group.id);
    const line = await connection.next('message_created');
    assert.equal(line.message.kind, 'system');
    assert.equal(line.message.system.code, 'conversation_created');
    assert.ok(line.rev > payload.conversation.rev);
    assert.equal(line.message.rev, line.rev);
    assert.equal(line.seq, 1);
  }
  await ada.add(group, dora);
  const made = await d.next('conversation_created');
  assert.equal(made.conversation.my.role, 'member');
  const added = [];
  for (const connection of [a, a2, b, c]) {
    const payload = await connection.next('members_changed');
    assert.deepEqual(keys(payload), ['added', 'conversation_id', 'removed', 'rev', 'roles']);
    assert.deepEqual([payload.removed, payload.roles], [[], {}]);
    const [member] = payload.added;
    assert.equal(member.user.id, dora.id);
    assert.equal(member.user.name, 'Dora');
    assert.equal(member.role, 'member');
    assert.match(member.joined_at, /Z$/);
    assert.equal(typeof member.delivered_seq, 'number');
    assert.equal(typeof member.read_seq, 'number');
    added.push(payload.rev);
    const line = await connection.next('message_created');
    assert.equal(line.message.system.code, 'member_added');
    assert.ok(line.rev > payload.rev);
    await connection.silent('conversation_created', () => true, 20);
  }
  assert.equal(new Set(added).size, 1);
  await ada.change(group, { name: 'New', description: 'd', permissions: { send: 'admins' } });
  for (const connection of [a, a2, b, c, d]) {
    const payload = await connection.next('conversation_updated');
    assert.deepEqual(keys(payload), ['changed', 'conversation_id', 'rev']);
    assert.deepEqual(keys(payload.changed), ['description', 'name', 'permissions']);
    assert.equal(payload.changed.name, 'New');
    assert.equal(payload.changed.permissions.send, 'admins');
  }
  await ada.role(group, ben, 'admin');
  await ada.put(`/conversations/${group.id}/owner`, { user_id: ben.id });
  for (const connection of [a, a2, b, c, d]) {
    assert.deepEqual((await connection.next('members_changed', payload => ben.id in payload.roles)).roles, { [ben.id]: 'admin' });
    const payload = await connection.next('members_changed', payload => ada.id in payload.roles);
    assert.deepEqual(payload.roles, { [ada.id]: 'admin', [ben.id]: 'owner' });
    assert.deepEqual([payload.added, payload.removed], [[], []]);
  }
  await ben.remove(group, dora);
  const out = await d.next('conversation_removed');
  assert.deepEqual(keys(out), ['conversation_id', 'reason', 'rev']);
  assert.equal(out.reason, 'removed');
  for (const connection of [a, a2, b, c]) {
    const payload = await connection.next('members_changed', payload => payload.removed.length > 0);
    assert.deepEqual(payload.removed, [dora.id]);
  }
  await ben.delete(`/conversations/${group.id}`);
  for (const connection of [a, a2, b, c]) assert.equal((await connection.next('conversation_removed')).reason, 'deleted');
  await e.silent('conversation_created');
  assert.deepEqual(e.events.filter(event => event.data?.conversation_id === group.id || event.data?.conversation), []);
  for (const check of checks) check();
});

scenario('the lines of a group say what happened, to whom, by whom', async world => {
  const [ada, ben, cem, dora] = await world.users('Ada', 'Ben', 'Cem', 'Dora');
  const group = await ada.group([ben, cem], { name: 'Lines' });
  await ada.add(group, dora);
  await ada.role(group, ben, 'admin');
  await ada.change(group, { name: 'Renamed' });
  await ada.remove(group, dora);
  await cem.leave(group);
  const lines = (await ada.history(group)).items;
  assert.deepEqual(lines.map(line => [line.kind, line.system.code, line.sender.id]), [
    ['system', 'conversation_created', ada.id], ['system', 'member_added', ada.id], ['system', 'admin_changed', ada.id],
    ['system', 'renamed', ada.id], ['system', 'member_removed', ada.id], ['system', 'member_left', cem.id],
  ]);
  assert.deepEqual(lines.map(line => line.seq), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(lines[1].system.params, { user_ids: [dora.id] });
  assert.deepEqual(lines[2].system.params, { user_id: ben.id, role: 'admin' });
  assert.deepEqual(lines[3].system.params, { name: 'Renamed' });
  assert.equal((await ben.my(group)).unread_count, 0);
  for (const attempt of [() => ada.patch(`/messages/${lines[3].id}`, { text: 'x' }), () => ada.delete(`/messages/${lines[3].id}?for=everyone`)]) await refused(attempt(), 'invalid_operation');
  await refused(ada.send(group, { kind: 'system', text: 'x' }), 'invalid_argument', 'kind');
  assert.deepEqual(await ada.found('Renamed'), []);
});

scenario('who leaves is told on all his connections; the others of the change and the line', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const [b, b2, c] = [await world.socketIo(ben), await world.plain(ben), await world.plain(cem)];
  await ben.leave(group);
  for (const connection of [b, b2]) {
    const payload = await connection.next('conversation_removed');
    assert.deepEqual([payload.reason, payload.conversation_id, typeof payload.rev], ['left', group.id, 'number']);
    await connection.silent('members_changed', () => true, 100);
    assert.equal(connection.count('message_created'), 0);
  }
  assert.deepEqual((await c.next('members_changed')).removed, [ben.id]);
  const line = (await c.next('message_created')).message;
  assert.deepEqual([line.kind, line.system.code, line.system.params.user_id], ['system', 'member_left', ben.id]);
  await c.silent('conversation_removed', () => true, 100);
});

scenario('a returned member hears of it as a new conversation', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const b = await world.socketIo(ben);
  const check = watchRevs(b);
  await ada.remove(group, ben);
  await b.next('conversation_removed');
  await ada.send(group, 'unheard');
  await ada.add(group, ben);
  const made = (await b.next('conversation_created')).conversation;
  assert.equal(made.id, group.id);
  assert.equal(made.my.unread_count, 0);
  await ada.send(group, 'heard');
  await b.next('message_created', event => event.message.text === 'heard');
  assert.equal(b.count('message_created', event => event.message?.text === 'unheard'), 0);
  check();
});

scenario('revs of a busy group: never twice, never back, the same for all', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const connections = [await world.socketIo(ada), await world.plain(ben), await world.socketIo(cem)];
  const heard = connections.map(() => []);
  const checks = connections.map(watchRevs);
  connections.forEach((connection, at) => {
    const inner = connection.heard.bind(connection);
    connection.heard = (name, data) => {
      if (data?.rev !== undefined && data.conversation_id === group.id) heard[at].push([data.rev, name]);
      inner(name, data);
    };
  });
  const sent = [];
  for (let i = 0; i < 4; i++) {
    sent.push(...await Promise.all([ada.send(group, `a${i}`), ben.send(group, `b${i}`), cem.send(group, `c${i}`)]));
    await Promise.all([ben.read(group, sent.at(-3).seq), ada.change(group, { name: `n${i}` }), cem.put(`/messages/${sent.at(-1).id}/reactions/x`), ada.role(group, ben, i % 2 ? 'member' : 'admin')]);
  }
  await ada.patch(`/messages/${sent.find(message => message.text === 'a0').id}`, { text: 'edited' });
  const end = (await ada.conversation(group)).rev;
  await world.eventually(() => { for (const list of heard) assert.equal(list.at(-1)?.[0], end); });
  for (const check of checks) check();
  assert.deepEqual(heard[1], heard[0]);
  assert.deepEqual(heard[2], heard[0]);
});

scenario('private changes: inbox_updated with all its fields, to own sessions only', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const message = await ada.send(direct, 'x');
  const [a, b, b2] = [await world.socketIo(ada), await world.socketIo(ben), await world.plain(ben)];
  const fields = ['archived', 'badge', 'conversation_id', 'delivered_seq', 'hidden', 'mention_count', 'muted_until', 'pinned_at', 'read_seq', 'unread_count', 'user_rev', 'visible_from_seq'];
  let last = 0;
  const told = async (step, look) => {
    await step();
    for (const own of [b, b2]) {
      const payload = await own.next('inbox_updated');
      assert.deepEqual(keys(payload), fields);
      assert.equal(payload.conversation_id, direct.id);
      assert.ok(payload.user_rev > last, 'user_rev grows');
      if (own === b2) last = payload.user_rev;
      look(payload);
    }
  };
  await told(() => ben.settings(direct, { pinned: true }), payload => assert.match(payload.pinned_at, /Z$/));
  await told(() => ben.settings(direct, { pinned: false }), payload => assert.equal(payload.pinned_at, null));
  await told(() => ben.settings(direct, { muted_until: 'forever' }), payload => { assert.equal(payload.muted_until, 'forever'); assert.equal(payload.badge.unread_messages, 0); assert.equal(payload.unread_count, 1); });
  await told(() => ben.settings(direct, { muted_until: null }), payload => { assert.equal(payload.muted_until, null); assert.deepEqual(payload.badge, { unread_messages: 1, unread_conversations: 1, mentions: 0 }); });
  await told(() => ben.settings(direct, { archived: true }), payload => assert.equal(payload.archived, true));
  await told(() => ben.settings(direct, { archived: false }), payload => assert.equal(payload.archived, false));
  await told(() => ben.read(direct, message.seq), payload => assert.equal(payload.unread_count, 0));
  await told(() => ben.unread(direct, message.seq), payload => assert.equal(payload.unread_count, 1));
  await told(() => ben.post(`/conversations/${direct.id}/clear`), payload => { assert.equal(payload.visible_from_seq, message.seq + 1); assert.equal(payload.unread_count, 0); });
  await told(() => ben.post(`/conversations/${direct.id}/hide`), payload => assert.equal(payload.hidden, true));
  await ben.settings(direct, { notification_level: 'mentions' });
  await ada.send(direct, 'y');
  await b.next('message_created');
  b.forget();
  await ada.send(direct, 'not for every message');
  await b.silent('inbox_updated');
  assert.equal(a.count('inbox_updated'), 0);
});

scenario('the connection that acts gets its answer only', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const [a, a2] = [await world.socketIo(ada), await world.plain(ada)];
  await pause(100);
  a.forget(); a2.forget();
  const { message } = await a.command('send_message', { conversation_id: group.id, text: 'x' });
  await a2.next('message_created', event => event.message.id === message.id && event.message.client_id === undefined);
  await a.command('edit_message', { message_id: message.id, text: 'y' });
  await a.command('add_reaction', { message_id: message.id, emoji: '👍' });
  await a2.next('message_updated');
  const theirs = await ben.send(group, 'z');
  await a.next('message_created', event => event.message.id === theirs.id);
  await a.command('mark_read', { conversation_id: group.id, seq: theirs.seq });
  await a2.next('inbox_updated');
  await a2.next('receipt_updated', event => event.user_id === ada.id && event.read_seq === theirs.seq);
  await a.command('mark_unread', { conversation_id: group.id, seq: theirs.seq });
  await a2.next('inbox_updated');
  await a.command('delete_message', { message_id: message.id, for: 'everyone' });
  await a2.next('message_deleted');
  await pause(250);
  assert.deepEqual(a.events.map(event => event.name).filter(name => name !== 'presence_changed'), []);
});

scenario('direct first contact: both hear of the conversation', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const [a, b] = [await world.socketIo(ada), await world.plain(ben)];
  const check = watchRevs(b);
  await ada.direct(ben);
  assert.equal((await a.next('conversation_created')).conversation.peer.id, ben.id);
  assert.equal((await b.next('conversation_created')).conversation.peer.id, ada.id);
  const names = sorted((await ben.get('/contacts')).items.map(user => user.name));
  assert.deepEqual(names, ['Ada']);
  check();
});
