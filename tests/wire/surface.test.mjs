// The whole surface: every socket command answers on both transports, every route answers, every event comes.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { scenario } from './lib/scenario.mjs';
import { refused, token, inSeconds } from './lib/rest.mjs';

for (const kind of ['socketIo', 'plain']) {
  scenario(`every command is acknowledged (${kind})`, async world => {
    const [ada, ben] = await world.users('Ada', 'Ben');
    const a = await world[kind](ada);
    const { message, conversation } = await a.command('send_message', { recipient_id: ben.id, text: 'x' });
    assert.equal(conversation.id, message.conversation_id);
    const there = { conversation_id: conversation.id };
    const that = { message_id: message.id };
    assert.equal((await a.command('edit_message', { ...that, text: 'y' })).message.text, 'y');
    assert.equal((await a.command('add_reaction', { ...that, emoji: '🎉' })).message.reactions.length, 1);
    assert.ok(!(await a.command('remove_reaction', { ...that, emoji: '🎉' })).message.reactions?.length);
    for (const name of ['mark_delivered', 'mark_read']) {
      const { marks } = await a.command(name, { marks: [{ ...there, seq: message.seq }, { conversation_id: '01935d5f-0000-7000-8000-000000000000', seq: 1 }] });
      assert.equal(marks[0].delivered_seq, message.seq);
      assert.equal(marks[1].error.code, 'conversation_not_found');
    }
    assert.equal((await a.command('mark_unread', { ...there, seq: message.seq })).marks.length, 1);
    assert.deepEqual(await a.command('typing', { ...there, active: false }), {});
    assert.deepEqual(await a.command('open_conversation', there), {});
    assert.deepEqual(await a.command('close_conversation', there), {});
    assert.deepEqual(await a.command('set_foreground', { foreground: false }), {});
    assert.equal((await a.command('subscribe_presence', { user_ids: [ben.id] })).presence.length, 1);
    assert.ok(Array.isArray((await a.command('unsubscribe_presence', { user_ids: [ben.id] })).presence));
    assert.ok(Array.isArray((await a.command('get_online_users', { limit: 10 })).users));
    assert.equal(typeof (await a.command('sync', {})).token, 'string');
    assert.equal(typeof (await a.command('refresh_token', { token: token({ sub: ada.id, exp: inSeconds(900) }) })).expires_at, 'string');
    assert.deepEqual(await a.command('delete_message', { ...that, for: 'everyone' }), {});
  });
}

scenario('own changes reach own sessions as inbox_updated, and nobody else', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const message = await ben.send(direct, 'x');
  const [a, b] = [await world.socketIo(ada), await world.plain(ben)];
  const changed = await ada.patch(`/conversations/${direct.id}/settings`, { pinned: true, muted_until: 'forever', notification_level: 'mentions' });
  assert.ok(changed.my.pinned_at);
  const event = await a.next('inbox_updated');
  assert.equal(event.conversation_id, direct.id);
  assert.equal(event.muted_until, 'forever');
  assert.ok(event.pinned_at);
  assert.equal(event.unread_count, 1);
  assert.equal(event.badge.unread_messages, 0, 'muted conversations are not in the badge');
  await ada.patch(`/conversations/${direct.id}/settings`, { muted_until: null, pinned: false });
  const second = await a.next('inbox_updated');
  assert.equal(second.muted_until, null);
  assert.ok(second.user_rev > event.user_rev);
  await ada.put(`/conversations/${direct.id}/read`, { seq: message.seq });
  assert.equal((await a.next('inbox_updated')).unread_count, 0);
  await ada.put(`/conversations/${direct.id}/unread`, { seq: message.seq });
  assert.equal((await a.next('inbox_updated')).unread_count, 1);
  await b.silent('inbox_updated');
});

scenario('the list: pinned first, filters, names, pages', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const direct = await ada.direct(ben);
  await ada.send(direct, 'first');
  const group = await ada.group([ben, cem], { name: 'Zebras' });
  await ada.send(group, 'second');
  const ids = async query => (await ada.get(`/conversations?${query}`)).items.map(item => item.id);
  assert.deepEqual(await ids(''), [group.id, direct.id]);
  await ada.patch(`/conversations/${direct.id}/settings`, { pinned: true });
  assert.deepEqual(await ids(''), [direct.id, group.id]);
  assert.deepEqual(await ids('filter=pinned'), [direct.id]);
  assert.deepEqual(await ids('filter=group'), [group.id]);
  assert.deepEqual(await ids('filter=direct'), [direct.id]);
  assert.deepEqual(await ids('q=zeb'), [group.id]);
  await ada.patch(`/conversations/${group.id}/settings`, { archived: true });
  assert.deepEqual(await ids(''), [direct.id]);
  assert.deepEqual(await ids('filter=archived'), [group.id]);
  assert.deepEqual((await ids('filter=all')).sort(), [direct.id, group.id].sort());
  await ben.send(group, 'third');
  assert.deepEqual(await ids('filter=unread'), [group.id], 'a new message brings it out of the archive');
  const first = await ada.get('/conversations?limit=1');
  assert.equal(first.items.length, 1);
  const second = await ada.get(`/conversations?limit=1&cursor=${first.next_cursor}`);
  assert.notEqual(second.items[0].id, first.items[0].id);
  assert.equal(second.next_cursor, undefined);
  await refused(ben.get(`/conversations?limit=1&cursor=${first.next_cursor}`), 'invalid_cursor');
  assert.equal((await ada.post('/conversations/read-all')).conversations, 1);
  assert.equal((await ada.get('/me/badge')).unread_messages, 0);
});

scenario('profile, settings, people, devices', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  await ada.direct(ben);
  assert.equal((await ada.patch('/me', { name: 'Ada L.', custom: { team: 'blue' } })).name, 'Ada L.');
  assert.deepEqual((await ben.get(`/users/${ada.id}`)).custom, { team: 'blue' });
  assert.ok((await ben.get(`/users?q=${encodeURIComponent('Ada L.')}`)).items.some(user => user.id === ada.id));
  assert.deepEqual((await ada.get('/contacts')).items.map(user => user.id), [ben.id]);
  assert.ok(Array.isArray((await ada.get('/users/online')).items));
  assert.equal((await ada.get('/me/settings')).receipts, 'everyone');
  const until = '2040-01-01T00:00:00.000Z';
  assert.equal((await ada.patch('/me/settings', { push: 'mentions', dnd_until: until })).dnd_until, until);
  await refused(ada.patch('/me/settings', { push: 'sometimes' }), 'invalid_argument', 'push');
  await ada.put('/devices', { token: `t-${ada.id}`, platform: 'android', provider: 'fcm' });
  assert.deepEqual((await ada.get('/devices')).items.map(device => device.platform), ['android']);
  await ada.delete('/devices', { token: `t-${ada.id}` });
  assert.deepEqual((await ada.get('/devices')).items, []);
});

scenario('hidden reading hides reading, not delivery', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  await ben.patch('/me/settings', { receipts: 'nobody' });
  const message = await ada.send(direct, 'read this');
  const a = await world.socketIo(ada);
  await ben.put(`/conversations/${direct.id}/delivered`, { seq: message.seq });
  await a.next('receipt_updated', receipt => receipt.delivered_seq === message.seq);
  await ben.put(`/conversations/${direct.id}/read`, { seq: message.seq });
  await a.silent('receipt_updated', receipt => receipt.read_seq === message.seq);
  assert.equal((await ada.get(`/messages/${message.id}`)).status, 'delivered');
  assert.equal((await ben.conversation(direct)).my.unread_count, 0);
});

scenario('search finds one\'s own messages, literally, newest first', async world => {
  const [ada, ben, eve] = await world.users('Ada', 'Ben', 'Eve');
  const direct = await ada.direct(ben);
  for (const text of ['100% sure', 'not so SURE', 'under_score']) await ada.send(direct, text);
  const found = async q => (await ben.get(`/search/messages?q=${encodeURIComponent(q)}`)).items.map(message => message.text);
  assert.deepEqual(await found('sure'), ['not so SURE', '100% sure']);
  assert.deepEqual(await found('%'), ['100% sure']);
  await world.eventually(async () => assert.deepEqual(await found('r_s'), ['under_score']));
  assert.deepEqual((await eve.get('/search/messages?q=sure')).items.filter(message => message.conversation_id === direct.id), []);
  await world.eventually(() => refused(ben.get('/search/messages?q='), 'query_required'));
});

scenario('capabilities list every limit, policy, command, event and kind', async world => {
  const [ada] = await world.users('Ada');
  const all = await ada.get('/capabilities');
  assert.equal(all.limits.text_bytes, 16_384);
  assert.equal(all.policies.group_min_members, 3);
  const surface = JSON.parse(await readFile(new URL('../../docs/contract-surface.json', import.meta.url), 'utf8'));
  assert.deepEqual([...all.commands].sort(), [...surface.commands].sort());
  assert.ok(all.events.includes('lagged') && all.events.includes('session_ending') && all.events.includes('presence_changed'));
  assert.ok(all.kinds.includes('meeting'));
});

scenario('documents and health need no token', async world => {
  const [ada] = await world.users('Ada');
  const open = { auth: false };
  assert.match((await ada.raw('GET', '/openapi.json', open)).json.openapi, /^3\.1/);
  assert.match((await ada.raw('GET', '/docs', open)).type, /^text\/html/);
  assert.equal((await ada.raw('GET', '/health', { ...open, root: true })).status, 200);
  assert.equal((await ada.raw('GET', '/ready', { ...open, root: true })).status, 200);
  assert.match((await ada.raw('GET', '/metrics', { ...open, root: true })).bytes.toString(), /^# (HELP|TYPE) /m);
  const page = await ada.raw('GET', '/', { ...open, root: true });
  assert.match(page.headers.get('content-security-policy') ?? '', /default-src|script-src/);
  const me = await ada.raw('GET', '/me');
  assert.equal(me.headers.get('cache-control'), 'no-store');
});
