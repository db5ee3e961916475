// People: profile, settings, search, contacts, who is there, who types.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { scenario, sorted, pause, unknownId, keys, Person } from './lib/patient.mjs';
import { refused } from './lib/rest.mjs';

const enc = encodeURIComponent;
const statusOf = async (who, whom) => (await who.get(`/presence?user_ids=${enc(whom.id)}`)).items[0];

scenario('one\'s own profile', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const me = await ada.get('/me');
  assert.deepEqual([me.id, me.name, me.kind, me.custom], [ada.id, 'Ada', 'user', {}]);
  assert.equal((await ada.patch('/me', { name: 'Ada L.', custom: { a: [1] } })).name, 'Ada L.');
  const seen = await ben.get(`/users/${ada.id}`);
  assert.deepEqual([seen.name, seen.custom], ['Ada L.', { a: [1] }]);
  assert.equal(seen.email, undefined);
  assert.deepEqual((await ada.patch('/me', { custom: null })).custom, {});
  assert.equal((await ada.get('/me')).name, 'Ada L.', 'the name of the token does not come back');
  assert.equal((await ada.patch('/me', { name: '👍'.repeat(120) })).name, '👍'.repeat(120));
  for (const name of ['', '  ', 'x'.repeat(121), 5, null]) await refused(ada.patch('/me', { name }), 'invalid_argument', 'name');
  await refused(ada.patch('/me', { kind: 'bot' }), 'invalid_argument', 'kind');
  await refused(ada.patch('/me', { id: 'x' }), 'invalid_argument', 'id');
  await refused(ada.patch('/me', { custom: { k: 'x'.repeat(8192) } }), 'payload_too_large', 'custom');
  await refused(ada.patch('/me', { avatar_attachment_id: randomUUID() }), 'attachment_not_found', 'avatar_attachment_id').catch(error => { if (!/invalid_argument/.test(error.message)) throw error; });
  await refused(ben.get(`/users/${unknownId()}`), 'user_not_found');
});

scenario('settings: defaults, changes, what is refused', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const settings = await ada.get('/me/settings');
  for (const field of ['receipts', 'show_online', 'show_last_seen']) assert.equal(settings[field], 'everyone');
  assert.deepEqual([settings.push, settings.dnd_until], ['all', undefined]);
  assert.ok(['full', 'sender_only', 'generic', 'id_only'].includes(settings.push_content));
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const changed = await ada.patch('/me/settings', { show_online: 'contacts', push_content: 'generic', dnd_until: until });
  assert.deepEqual([changed.show_online, changed.push_content, changed.dnd_until, changed.receipts], ['contacts', 'generic', until, 'everyone']);
  assert.deepEqual(await ada.get('/me/settings'), changed);
  assert.equal((await ada.patch('/me/settings', { dnd_until: null })).dnd_until, undefined);
  for (const [field, value] of [['receipts', 'some'], ['show_online', true], ['push', 'loud'], ['push_content', ''], ['dnd_until', 'later'], ['color', 'red']]) {
    await refused(ada.patch('/me/settings', { [field]: value }), 'invalid_argument', field);
  }
  assert.equal((await ben.get('/me/settings')).show_online, 'everyone');
});

scenario('finding users: part of a name in any case, no blanks, no strangers\' addresses', async world => {
  const tag = randomUUID().slice(0, 8);
  const [ada] = await world.users('Ada');
  const others = [`Ärger ${tag}`, `Straße ${tag}`, `Plain ${tag}`].map(name => new Person(name, { sub: randomUUID() }));
  for (const other of others) await other.get('/me');
  const found = async q => (await ada.get(`/users?q=${enc(q)}`)).items.map(user => user.name);
  assert.deepEqual(sorted(await found(tag)), sorted(others.map(user => user.name)));
  assert.deepEqual(await found(`ÄRGER ${tag}`), [others[0].name]);
  assert.deepEqual(await found(`ärger ${tag.toUpperCase()}`), [others[0].name]);
  assert.deepEqual(await found(`lain ${tag}`), [others[2].name]);
  assert.deepEqual(await found(`%${tag}`), []);
  assert.deepEqual(await found(`_${tag}`), []);
  for (const q of ['', '%20', '%09']) await refused(ada.get(`/users?q=${q}`), 'query_required');
  await refused(ada.get('/users'), 'query_required');
  await refused(ada.get(`/users?q=${'x'.repeat(501)}`), 'invalid_argument', 'q');
  await refused(ada.get(`/users?q=${tag}&limit=0`), 'invalid_argument', 'limit');
  const page = await ada.get(`/users?q=${tag}&limit=2`);
  assert.equal(page.items.length, 2);
  const rest = await ada.get(`/users?q=${tag}&limit=2&cursor=${page.next_cursor}`);
  assert.equal(rest.items.length, 1);
  assert.equal(rest.next_cursor, undefined);
  await refused(ada.get(`/users?q=other&limit=2&cursor=${page.next_cursor}`), 'invalid_cursor');
});

scenario('accounts are found by their whole address only', async world => {
  const [ada] = await world.users('Ada');
  const tag = randomUUID().slice(0, 8);
  const phone = `+4930${Math.floor(1e6 + Math.random() * 9e6)}`;
  const anyone = new Person('Anyone');
  const signed = await anyone.raw('POST', '/auth/signup', { auth: false, body: JSON.stringify({ name: 'Searched', email: `mail-${tag}@example.org`, phone, password: 'correct horse battery' }), headers: { 'content-type': 'application/json' } });
  if (signed.status === 404) return;
  assert.ok([200, 201].includes(signed.status), signed.bytes.toString());
  const id = signed.json.user.id;
  const found = async q => (await ada.get(`/users?q=${enc(q)}`)).items.map(user => user.id);
  assert.deepEqual(await found(`mail-${tag}@example.org`), [id]);
  assert.deepEqual(await found(`MAIL-${tag}@Example.org`), [id]);
  assert.deepEqual(await found(phone), [id]);
  for (const part of [`mail-${tag}`, `${tag}@example.org`, `mail-${tag}@example.or`, phone.slice(0, -1), phone.slice(1)]) assert.deepEqual(await found(part), [], part);
  const shown = (await ada.get(`/users?q=${enc(phone)}`)).items[0];
  assert.ok(!JSON.stringify(shown).includes(tag) && !JSON.stringify(shown).includes(phone));
});

scenario('contacts: direct peers, each once, in pages', async world => {
  const [ada, ben, cem, dora, eve] = await world.users('Ada', 'Ben', 'Cem', 'Dora', 'Eve');
  for (const other of [ben, cem, dora]) await ada.direct(other);
  await ada.group([ben, eve]);
  const names = async who => sorted((await who.all('/contacts')).map(user => user.name));
  assert.deepEqual(await names(ada), ['Ben', 'Cem', 'Dora']);
  assert.deepEqual(await names(eve), []);
  assert.deepEqual(await names(ben), ['Ada']);
  const page = await ada.get('/contacts?limit=2');
  assert.equal(page.items.length, 2);
  assert.equal((await ada.get(`/contacts?limit=2&cursor=${page.next_cursor}`)).items.length, 1);
  assert.equal(typeof page.items[0].presence.status, 'string');
});

scenario('coming, being away, going: one event each, with the grace, for peers and subscribers only', async world => {
  const [ada, ben, cem, dora] = await world.users('Ada', 'Ben', 'Cem', 'Dora');
  await ada.direct(ben);
  await ada.group([cem, dora]);
  const [b, c, d] = [await world.socketIo(ben), await world.plain(cem), await world.socketIo(dora)];
  assert.deepEqual((await c.command('subscribe_presence', { user_ids: [ada.id] })).presence.map(row => [row.user_id, row.status]), [[ada.id, 'offline']]);
  const a = await world.plain(ada);
  for (const follower of [b, c]) {
    const event = await follower.next('presence_changed', payload => payload.user_id === ada.id);
    assert.deepEqual([event.status, event.last_seen_at], ['online', undefined]);
  }
  const a2 = await world.socketIo(ada);
  await a.command('set_foreground', { foreground: false });
  await b.silent('presence_changed', payload => payload.user_id === ada.id);
  await a2.command('set_foreground', { foreground: false });
  assert.equal((await b.next('presence_changed', payload => payload.user_id === ada.id)).status, 'away');
  assert.equal((await statusOf(cem, ada)).status, 'away');
  await a.command('set_foreground', { foreground: true });
  assert.equal((await b.next('presence_changed', payload => payload.user_id === ada.id)).status, 'online');
  a.close();
  assert.equal((await b.next('presence_changed', payload => payload.user_id === ada.id, 12_000)).status, 'away', 'the other device is in the background');
  const before = Date.now();
  a2.close();
  await pause(4_500);
  assert.equal((await statusOf(ben, ada)).status, 'away', 'within the grace');
  const gone = await b.next('presence_changed', payload => payload.user_id === ada.id, 8_000);
  assert.equal(gone.status, 'offline');
  assert.ok(Date.parse(gone.last_seen_at) >= before - 1_500 && Date.parse(gone.last_seen_at) <= Date.now());
  assert.deepEqual(await statusOf(ben, ada), { user_id: ada.id, status: 'offline', last_seen_at: gone.last_seen_at });
  await d.silent('presence_changed', payload => payload.user_id === ada.id, 50);
  await c.command('unsubscribe_presence', { user_ids: [ada.id] });
  c.forget();
  await world.socketIo(ada);
  await b.next('presence_changed', payload => payload.user_id === ada.id && payload.status === 'online');
  await c.silent('presence_changed', payload => payload.user_id === ada.id);
}, { timeout: 60_000 });

scenario('a short break of the connection is no coming and going', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  await ada.direct(ben);
  const a = await world.socketIo(ada);
  const b = await world.plain(ben);
  a.close();
  await pause(700);
  await world.plain(ada);
  await b.silent('presence_changed', payload => payload.user_id === ada.id, 9_500);
});

scenario('who sees whom: everyone, contacts, nobody, and always both ways', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  await ada.direct(ben);
  const [a, b, c] = [await world.socketIo(ada), await world.plain(ben), await world.socketIo(cem)];
  await c.command('subscribe_presence', { user_ids: [ada.id] });
  b.forget(); c.forget();
  const table = async () => Object.fromEntries(await Promise.all([['b>a', ben, ada], ['a>b', ada, ben], ['c>a', cem, ada], ['a>c', ada, cem], ['b>c', ben, cem]].map(async ([name, who, whom]) => [name, (await statusOf(who, whom)).status])));
  assert.deepEqual(await table(), { 'b>a': 'online', 'a>b': 'online', 'c>a': 'online', 'a>c': 'online', 'b>c': 'online' });
  await ada.patch('/me/settings', { show_online: 'contacts' });
  assert.equal((await c.next('presence_changed', event => event.user_id === ada.id)).status, 'offline');
  assert.deepEqual(await table(), { 'b>a': 'online', 'a>b': 'online', 'c>a': 'offline', 'a>c': 'offline', 'b>c': 'online' });
  assert.equal(b.count('presence_changed', event => event.user_id === ada.id), 0);
  await ada.patch('/me/settings', { show_online: 'nobody' });
  assert.equal((await b.next('presence_changed', event => event.user_id === ada.id)).status, 'offline');
  assert.deepEqual(await table(), { 'b>a': 'offline', 'a>b': 'offline', 'c>a': 'offline', 'a>c': 'offline', 'b>c': 'online' });
  for (const who of [ben, cem]) assert.ok(!(await who.get('/users/online?limit=100')).items.some(user => user.id === ada.id));
  assert.ok(!(await ada.get('/users/online?limit=100')).items.some(user => [ben.id, cem.id].includes(user.id)));
  assert.equal((await ben.get(`/users/${ada.id}`)).presence.status, 'offline');
  assert.equal((await ben.conversation(await ben.direct(ada))).peer.presence.status, 'offline');
  b.forget();
  await a.command('set_foreground', { foreground: false });
  await b.silent('presence_changed', event => event.user_id === ada.id);
  await ada.patch('/me/settings', { show_online: 'everyone' });
  assert.equal((await b.next('presence_changed', event => event.user_id === ada.id)).status, 'away');
});

scenario('last seen follows its own setting', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const a = await world.socketIo(ada);
  a.close();
  await world.eventually(async () => assert.equal((await statusOf(ben, ada)).status, 'offline'), 13_000);
  assert.match((await statusOf(ben, ada)).last_seen_at, /Z$/);
  await ada.patch('/me/settings', { show_last_seen: 'nobody' });
  assert.equal((await statusOf(ben, ada)).last_seen_at, undefined);
  await ada.patch('/me/settings', { show_last_seen: 'contacts' });
  assert.equal((await statusOf(ben, ada)).last_seen_at, undefined);
  await ada.direct(ben);
  assert.match((await statusOf(ben, ada)).last_seen_at, /Z$/);
  await ben.patch('/me/settings', { show_last_seen: 'nobody' });
  assert.equal((await statusOf(ben, ada)).last_seen_at, undefined, 'who does not show does not see');
});

scenario('asking for presence: lists, limits, ids with commas, strangers, unknown users', async world => {
  const comma = new Person('Comma', { sub: `a,b-${randomUUID()}` });
  await comma.get('/me');
  const [ada, ben] = await world.users('Ada', 'Ben');
  const a = await world.socketIo(ada);
  await world.socketIo(comma);
  const ghost = unknownId();
  const page = await ada.get(`/presence?user_ids=${enc(comma.id)},${ben.id},${ghost}`);
  assert.deepEqual(page.items.map(row => [row.user_id, row.status]), [[comma.id, 'online'], [ben.id, 'offline'], [ghost, 'offline']]);
  assert.deepEqual(keys(page.items[2]), ['status', 'user_id']);
  const many = count => Array.from({ length: count }, (_, at) => `x${at}`);
  assert.equal((await ada.get(`/presence?user_ids=${many(500).join(',')}`)).items.length, 500);
  await refused(ada.get(`/presence?user_ids=${many(501).join(',')}`), 'invalid_argument', 'user_ids');
  assert.equal((await a.command('subscribe_presence', { user_ids: many(500) })).presence.length, 500);
  await refused(a.command('subscribe_presence', { user_ids: [ben.id] }), 'invalid_argument', 'user_ids');
  await refused(a.command('subscribe_presence', { user_ids: many(501) }), 'invalid_argument', 'user_ids');
  await a.command('unsubscribe_presence', { user_ids: many(500) });
  await a.command('subscribe_presence', { user_ids: [ben.id] });
  await refused(a.command('subscribe_presence', { user_ids: ben.id }), 'invalid_argument', 'user_ids');
  await refused(a.command('subscribe_presence', {}), 'invalid_argument', 'user_ids');
  await refused(a.command('get_online_users', { limit: 0 }), 'invalid_argument', 'limit');
  await refused(a.command('get_online_users', { limit: 101 }), 'invalid_argument', 'limit');
  const online = (await ada.get('/users/online?limit=100')).items;
  assert.ok(!online.some(user => user.id === ada.id), 'never oneself');
  assert.ok(online.every(user => ['online', 'away'].includes(user.presence.status)));
});

scenario('typing: the whole list, ends by itself, repeated quietly, stopped, sent, disconnected', async world => {
  const [ada, ben, cem, eve] = await world.users('Ada', 'Ben', 'Cem', 'Eve');
  const group = await ada.group([ben, cem]);
  const [a, a2, b, c, e] = [await world.socketIo(ada), await world.plain(ada), await world.plain(ben), await world.socketIo(cem), await world.plain(eve)];
  const type = (who, active = true) => who.command('typing', { conversation_id: group.id, active });
  assert.deepEqual(await type(a), {});
  const first = await c.next('typing_changed');
  assert.deepEqual(first, { conversation_id: group.id, user_ids: [ada.id] });
  await b.next('typing_changed');
  await type(b);
  assert.deepEqual(sorted((await c.next('typing_changed')).user_ids), sorted([ada.id, ben.id]));
  assert.deepEqual((await a.next('typing_changed')).user_ids, [ben.id], 'never oneself');
  assert.deepEqual((await a2.next('typing_changed')).user_ids, [ben.id]);
  await type(a); await type(a);
  await c.silent('typing_changed');
  await type(b, false);
  assert.deepEqual((await c.next('typing_changed')).user_ids, [ada.id]);
  await a.next('typing_changed');
  // Sending ends it on all devices.
  await type(a2);
  await ada.send(group, 'x');
  assert.deepEqual((await c.next('typing_changed')).user_ids, []);
  await b.next('typing_changed', event => event.user_ids.length === 0);
  // By itself.
  const started = Date.now();
  await type(b);
  await c.next('typing_changed', event => event.user_ids.length === 1);
  const over = await c.next('typing_changed', event => event.user_ids.length === 0, 8_000);
  assert.deepEqual(over.user_ids, []);
  assert.ok(Date.now() - started >= 5_000 && Date.now() - started <= 7_300, `${Date.now() - started} ms`);
  // Disconnecting.
  await type(b);
  await c.next('typing_changed', event => event.user_ids.length === 1);
  b.close();
  await c.next('typing_changed', event => event.user_ids.length === 0, 2_000);
  await refused(e.command('typing', { conversation_id: group.id, active: true }), 'conversation_not_found');
  await refused(a.command('typing', { conversation_id: group.id }), 'invalid_argument', 'active');
  await refused(a.command('typing', { conversation_id: group.id, active: 1 }), 'invalid_argument', 'active');
  assert.equal(e.count('typing_changed'), 0);
  assert.equal(await ada.post(`/conversations/${group.id}/typing`, { active: true }), undefined);
  assert.equal(ada.status, 204);
  await c.next('typing_changed', event => event.user_ids.includes(ada.id));
  // Leaving.
  await ada.leave(group);
  await c.next('typing_changed', event => event.user_ids.length === 0, 2_000);
});

scenario('typing on two devices lasts until both have stopped', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const [a, a2, b] = [await world.socketIo(ada), await world.plain(ada), await world.plain(ben)];
  for (const device of [a, a2]) await device.command('typing', { conversation_id: direct.id, active: true });
  await b.next('typing_changed');
  await a.command('typing', { conversation_id: direct.id, active: false });
  await b.silent('typing_changed', event => event.user_ids.length === 0);
  await a2.command('typing', { conversation_id: direct.id, active: false });
  assert.deepEqual((await b.next('typing_changed', event => event.user_ids.length === 0)).user_ids, []);
});

scenario('who shows nobody that he is online does not show that he types', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  await ada.patch('/me/settings', { show_online: 'nobody' });
  const [a, b] = [await world.socketIo(ada), await world.plain(ben)];
  await a.command('typing', { conversation_id: direct.id, active: true });
  await b.silent('typing_changed');
});

scenario('who is online comes in pages, one\'s contacts first', async world => {
  const [ada, ben, cem, dora] = await world.users('Ada', 'Ben', 'Cem', 'Dora');
  await ada.direct(ben);
  for (const who of [ben, cem, dora, ada]) await world.plain(who);
  const first = await ada.get('/users/online?limit=2');
  assert.deepEqual(first.items.map(user => user.id).slice(0, 1), [ben.id]);
  assert.equal(first.items.length, 2);
  const rest = await ada.all('/users/online');
  for (const who of [ben, cem, dora]) assert.equal(rest.filter(user => user.id === who.id).length, 1, who.name);
  const second = await ada.get(`/users/online?limit=2&cursor=${first.next_cursor}`);
  assert.ok(!second.items.some(user => first.items.some(other => other.id === user.id)));
  await refused(ben.get(`/users/online?cursor=${first.next_cursor}`), 'invalid_cursor');
  await refused(ada.get('/users/online?cursor=x'), 'invalid_cursor');
});
