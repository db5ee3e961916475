// Who sees which part of a group's history: newcomers, the returned, the cleared. The time between is nobody's.
import assert from 'node:assert/strict';
import { scenario } from './lib/patient.mjs';
import { refused } from './lib/rest.mjs';

/** Ada's group with Ben and Cem, in which Ben was, was not, and is again. */
async function interrupted(world, how) {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const first = await ada.send(group, 'zebra one');
  if (how === 'left') await ben.leave(group); else await ada.remove(group, ben);
  const between = await ada.send(group, { text: 'zebra between', mentions: [] });
  const answer = await cem.send(group, { text: 'zebra inside', reply_to: between.id });
  await ada.add(group, ben);
  const last = await ada.send(group, 'zebra two');
  return { ada, ben, cem, group, first, between, answer, last };
}

for (const how of ['left', 'removed']) {
  scenario(`who ${how} and came back sees both times and never the time between, on no path`, async world => {
    const { ada, ben, cem, group, first, between, last } = await interrupted(world, how);
    assert.deepEqual(await ben.texts(group), ['zebra one', 'zebra two']);
    assert.deepEqual(await cem.texts(group), ['zebra one', 'zebra between', 'zebra inside', 'zebra two']);
    assert.deepEqual(await ben.found('zebra'), ['zebra two', 'zebra one']);
    assert.deepEqual(await ben.found('between'), []);
    assert.deepEqual(await ben.found('zebra', `&conversation_id=${group.id}`), ['zebra two', 'zebra one']);
    await refused(ben.get(`/messages/${between.id}`), 'message_not_found');
    await refused(ben.get(`/messages/${between.id}/receipts`), 'message_not_found');
    await refused(ben.put(`/messages/${between.id}/reactions/x`), 'message_not_found');
    await refused(ben.delete(`/messages/${between.id}?for=me`), 'message_not_found');
    await refused(ben.send(group, { text: 'x', reply_to: between.id }), 'message_not_found', 'reply_to');
    const around = await ben.get(`/conversations/${group.id}/messages?around=${between.seq}&limit=100`);
    assert.ok(!JSON.stringify(around).includes('between'));
    assert.equal((await ben.my(group)).unread_count, 1);
    assert.equal((await ben.badge()).unread_messages, 1);
    const synced = await ben.post('/sync', {});
    assert.ok(!JSON.stringify(synced).includes('zebra between'));
    assert.ok(!JSON.stringify(await ben.post('/sync', { conversations: { [group.id]: 1 } })).includes('zebra between'));
    // What is said of the hidden message later does not reach him either.
    const b = await world.socketIo(ben);
    await ada.patch(`/messages/${between.id}`, { text: 'zebra edited between' });
    await ada.delete(`/messages/${between.id}?for=everyone`);
    const reply = await cem.send(group, { text: 'zebra reply', reply_to: first.id });
    const heard = await b.next('message_created', event => event.message.id === reply.id);
    assert.equal(heard.message.reply_to.state, 'visible');
    assert.deepEqual([...b.heardOf('message_updated'), ...b.heardOf('message_deleted')], []);
    assert.ok(!JSON.stringify(await ben.post('/sync', { conversations: { [group.id]: 1 } })).includes(between.id));
    // Receipts: he was no recipient of what was said in between.
    assert.equal((await ada.get(`/messages/${last.id}`)).receipts.recipients, 2);
  });
}

scenario('a reply to what one cannot see quotes nothing', async world => {
  const { ben, cem, ada, group, between } = await interrupted(world, 'left');
  const reply = await cem.send(group, { text: 'about that', reply_to: between.id });
  const [seen] = (await ben.history(group)).items.filter(item => item.id === reply.id);
  assert.equal(seen.reply_to.state, 'unavailable');
  assert.equal(seen.reply_to.preview, undefined);
  assert.ok(!JSON.stringify(seen).includes('zebra'));
  const whole = (await ada.get(`/messages/${reply.id}`)).reply_to;
  assert.deepEqual([whole.state, whole.preview.text, whole.preview.sender_id, whole.preview.kind], ['visible', 'zebra between', ada.id, 'text']);
});

scenario('recipients are those who were there', async world => {
  const { ada, ben, group, first, between, last } = await interrupted(world, 'removed');
  const of = async message => (await ada.get(`/messages/${message.id}`)).receipts;
  assert.equal((await of(between)).recipients, 1);
  await ben.read(group, last.seq);
  assert.deepEqual(await of(between), { recipients: 1, delivered: 0, read: 0 });
  assert.equal((await of(last)).read, 1);
  assert.ok((await of(first)).recipients >= 1);
  const names = (await ada.get(`/messages/${between.id}/receipts`)).items.map(item => item.user.name);
  assert.ok(!names.includes('Ben'));
});

scenario('a newcomer sees what comes from his joining on, and nothing of it is unread', async world => {
  const [ada, ben, cem, dora] = await world.users('Ada', 'Ben', 'Cem', 'Dora');
  const group = await ada.group([ben, cem]);
  const old = await ada.send(group, 'old walrus');
  const d = await world.socketIo(dora);
  await ada.add(group, dora);
  const created = (await d.next('conversation_created')).conversation;
  assert.equal(created.id, group.id);
  assert.equal(created.my.role, 'member');
  assert.equal(created.my.unread_count, 0);
  assert.equal(created.my.visible_from_seq, old.seq + 1);
  assert.equal(created.member_count, 4);
  assert.equal(created.last_message?.preview === 'old walrus', false);
  assert.ok(!JSON.stringify(created).includes('walrus'));
  assert.ok(!JSON.stringify(await dora.post('/sync', {})).includes('walrus'));
  const seen = await dora.conversation(group);
  assert.ok(!JSON.stringify(seen).includes('walrus'));
  assert.deepEqual(await dora.texts(group), []);
  assert.deepEqual(await dora.found('walrus'), []);
  await refused(dora.get(`/messages/${old.id}`), 'message_not_found');
  const page = await dora.get(`/conversations/${group.id}/messages?before=${old.seq + 1}`);
  assert.deepEqual(page.items, []);
  assert.equal(page.has_more_before, false);
  const reply = await ben.send(group, { text: 'on that', reply_to: old.id });
  assert.equal((await d.next('message_created', event => event.message.id === reply.id)).message.reply_to.state, 'unavailable');
  assert.equal((await ada.get(`/messages/${old.id}`)).receipts.recipients, 2);
  await ada.patch(`/messages/${old.id}`, { text: 'walrus again' });
  await d.silent('message_updated');
  await dora.read(group, reply.seq);
  assert.deepEqual((await ada.get(`/messages/${old.id}`)).receipts, { recipients: 2, delivered: 0, read: 0 });
  await refused(dora.unread(group, old.seq), 'invalid_argument', 'seq');
});

scenario('what was pinned, muted, archived or marked does not wait for the returned', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const message = await ada.send(group, 'x');
  await ben.settings(group, { pinned: true, muted_until: 'forever', notification_level: 'none' });
  await ben.unread(group, message.seq);
  await ben.leave(group);
  await ada.add(group, ben);
  const my = await ben.my(group);
  assert.deepEqual([my.pinned_at, my.muted_until, my.archived, my.hidden, my.marked_unread, my.unread_count], [undefined, undefined, false, false, false, 0]);
});

scenario('clearing stays across leaving and coming back', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  await ada.send(group, 'quokka');
  await ben.post(`/conversations/${group.id}/clear`);
  await ben.leave(group);
  await ada.add(group, ben);
  assert.deepEqual(await ben.texts(group), []);
  assert.deepEqual(await ben.found('quokka'), []);
  assert.deepEqual(await ada.found('quokka'), ['quokka']);
});

scenario('a former member hears and reads nothing, also not what he wrote', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const own = await ben.send(group, { text: 'mine', client_id: 'c-1' });
  const b = await world.plain(ben);
  await ada.remove(group, ben);
  await b.next('conversation_removed');
  b.forget();
  await ada.send(group, 'x');
  await ada.change(group, { name: 'y' });
  await cem.put(`/messages/${own.id}/reactions/x`);
  await b.silent('message_created');
  assert.deepEqual(b.events.filter(event => event.name !== 'presence_changed'), []);
  await refused(ben.get(`/messages/${own.id}`), 'message_not_found');
  await refused(ben.patch(`/messages/${own.id}`, { text: 'y' }), 'message_not_found');
  await refused(ben.delete(`/messages/${own.id}?for=everyone`), 'message_not_found');
  await refused(ben.send(group, { text: 'mine', client_id: 'c-1' }), 'conversation_not_found');
  await refused(b.command('mark_read', { conversation_id: group.id, seq: 1 }), 'conversation_not_found');
  await refused(b.command('typing', { conversation_id: group.id, active: true }), 'conversation_not_found');
  await refused(b.command('open_conversation', { conversation_id: group.id }), 'conversation_not_found');
  assert.deepEqual(await ben.found('mine'), []);
  assert.deepEqual((await ben.get('/conversations')).items, []);
});
