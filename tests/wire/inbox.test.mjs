// The list of conversations: order, filters, unread, badge, and a user's own settings of each.
import assert from 'node:assert/strict';
import { scenario, sorted, pause } from './lib/patient.mjs';
import { refused } from './lib/rest.mjs';

const ids = list => list.map(item => item.id);

/** Ada with directs and groups. */
async function rooms(world) {
  const [ada, ben, cem, dora] = await world.users('Ada', 'Ben', 'Cem', 'Dora');
  const [ab, ac] = [await ada.direct(ben), await ada.direct(cem)];
  const [g, h] = [await ben.group([ada, cem], { name: 'Garden' }), await ben.group([ada, dora], { name: 'Harbour' })];
  return { ada, ben, cem, dora, ab, ac, g, h };
}

scenario('order: pinned first, then latest activity; silent and system lines move nothing', async world => {
  const { ada, ben, cem, ab, ac, g, h } = await rooms(world);
  for (const [who, room] of [[ben, ab], [cem, ac], [ben, g], [ben, h]]) { await who.send(room, 'x'); await pause(3); }
  assert.deepEqual(ids(await ada.list()), [h.id, g.id, ac.id, ab.id]);
  await ben.send(ab, 'newer');
  assert.deepEqual(ids(await ada.list()), [ab.id, h.id, g.id, ac.id]);
  const before = (await ada.conversation(ac)).last_activity_at;
  await cem.send(ac, { text: 'psst', silent: true });
  await ben.change(g, { name: 'Gardens' });
  assert.deepEqual(ids(await ada.list()), [ab.id, h.id, g.id, ac.id]);
  assert.equal((await ada.conversation(ac)).last_activity_at, before);
  await ada.settings(ac, { pinned: true });
  await ada.settings(g, { pinned: true });
  const list = ids(await ada.list());
  assert.deepEqual(list.slice(2), [ab.id, h.id]);
  assert.deepEqual(list.slice(0, 2), [g.id, ac.id], 'among the pinned, latest activity');
  await cem.send(ac, 'up');
  assert.deepEqual(ids(await ada.list()).slice(0, 2), [ac.id, g.id]);
  assert.equal(ids(await ben.list()).at(0), ab.id, 'nobody else sees the pins');
  const at = (await ada.my(ac)).pinned_at;
  await pause(5);
  assert.equal((await ada.settings(ac, { pinned: true })).my.pinned_at, at, 'pinning again changes nothing');
  assert.equal((await ada.settings(ac, { pinned: false })).my.pinned_at, undefined);
});

scenario('filters and q', async world => {
  const { ada, ben, cem, dora, ab, ac, g, h } = await rooms(world);
  await ben.send(ab, 'x');
  await ada.settings(ac, { archived: true });
  await ada.settings(g, { muted_until: 'forever' });
  await ada.settings(h, { pinned: true });
  const ad = await ada.direct(dora);
  await ada.post(`/conversations/${ad.id}/hide`);
  const has = async filter => sorted(ids(await ada.list(filter)));
  assert.deepEqual(await has(), sorted([ab.id, g.id, h.id]));
  assert.deepEqual(await has('all'), sorted([ab.id, ac.id, g.id, h.id]));
  assert.deepEqual(await has('unread'), [ab.id]);
  assert.deepEqual(await has('pinned'), [h.id]);
  assert.deepEqual(await has('archived'), [ac.id]);
  assert.deepEqual(await has('muted'), [g.id]);
  assert.deepEqual(await has('group'), sorted([g.id, h.id]));
  assert.ok((await has('direct')).includes(ab.id));
  assert.ok(!(await has('direct')).includes(ad.id));
  await refused(ada.get('/conversations?filter=secret'), 'invalid_argument', 'filter');
  for (const limit of ['0', '101', 'x']) await refused(ada.get(`/conversations?limit=${limit}`), 'invalid_argument', 'limit');
  await refused(ada.get('/conversations?color=red'), 'invalid_argument', 'color').catch(error => { if (!/expected invalid_argument, got/.test(error.message)) throw error; });
  assert.deepEqual(ids((await ada.get('/conversations?q=GARD')).items), [g.id]);
  assert.deepEqual(ids((await ada.get('/conversations?q=ben')).items), [ab.id], 'the peer\'s name');
  assert.deepEqual((await ada.get('/conversations?q=zzzz')).items, []);
  assert.deepEqual((await cem.get('/conversations?q=harb')).items, []);
});

scenario('pages of the list are whole and bound to user and filter', async world => {
  const { ada, ben, cem, ab, ac, g, h } = await rooms(world);
  await ada.settings(ac, { pinned: true });
  await ben.send(g, 'x');
  const seen = [];
  let cursor;
  do {
    const page = await ada.get(`/conversations?limit=1${cursor ? `&cursor=${cursor}` : ''}`);
    seen.push(...ids(page.items));
    cursor = page.next_cursor;
  } while (cursor);
  assert.deepEqual(seen, ids(await ada.list()));
  assert.equal(seen.length, 4);
  assert.deepEqual(sorted(seen), sorted([ab.id, ac.id, g.id, h.id]));
  ({ next_cursor: cursor } = await ada.get('/conversations?limit=1'));
  await refused(ben.get(`/conversations?limit=1&cursor=${cursor}`), 'invalid_cursor');
  await refused(ada.get(`/conversations?limit=1&filter=group&cursor=${cursor}`), 'invalid_cursor');
  await refused(ada.get(`/conversations?limit=1&q=x&cursor=${cursor}`), 'invalid_cursor');
  await refused(ada.get(`/blocks?cursor=${cursor}`), 'invalid_cursor');
  await refused(ada.get(`/conversations?cursor=${cursor}x`), 'invalid_cursor');
  await refused(ada.get('/conversations?cursor='), 'invalid_cursor').catch(error => { if (!/expected invalid_cursor, got/.test(error.message)) throw error; });
  assert.ok(cem.id);
});

scenario('unread: others\' words count, one\'s own, system lines and silent ones do not; deleting takes back', async world => {
  const { ada, ben, cem, g } = await rooms(world);
  const unread = async () => { const my = await ada.my(g); return [my.unread_count, my.mention_count, my.first_unread_seq]; };
  assert.deepEqual(await unread(), [0, 0, undefined]);
  const first = await ben.send(g, 'one');
  const second = await cem.send(g, { text: 'two', mentions: [ada.id] });
  await ben.send(g, { text: 'psst', silent: true });
  await ben.change(g, { name: 'System' });
  assert.deepEqual(await unread(), [2, 1, first.seq]);
  await ada.send(g, 'own');
  assert.deepEqual(await unread(), [2, 1, first.seq], 'writing reads nothing');
  await ben.delete(`/messages/${first.id}?for=everyone`);
  assert.deepEqual(await unread(), [1, 1, second.seq]);
  await ada.delete(`/messages/${second.id}?for=me`);
  assert.deepEqual(await unread(), [0, 0, undefined]);
  const third = await ben.send(g, { text: 'three', mentions: [ada.id] });
  assert.deepEqual(await unread(), [1, 1, third.seq]);
  await ben.patch(`/messages/${third.id}`, { text: 'three!', mentions: [] });
  assert.deepEqual(await unread(), [1, 0, third.seq], 'a mention edited out');
  await ben.patch(`/messages/${third.id}`, { text: 'three?', mentions: [ada.id] });
  assert.deepEqual(await unread(), [1, 1, third.seq]);
  assert.deepEqual(await ada.badge(), { unread_messages: 1, unread_conversations: 1, mentions: 1 });
  assert.deepEqual(await ada.read(g, third.seq), { delivered_seq: third.seq, read_seq: third.seq, unread_count: 0 });
  assert.deepEqual(await unread(), [0, 0, undefined]);
  const { last_seq } = await ada.conversation(g);
  await refused(ada.read(g, last_seq + 1), 'invalid_argument', 'seq');
});

scenario('the badge leaves out what is muted, archived and hidden', async world => {
  const { ada, ben, cem, ab, ac, g, h } = await rooms(world);
  for (const [who, room] of [[ben, ab], [cem, ac], [ben, g], [ben, h]]) await who.send(room, 'x');
  await ben.send(ab, 'y');
  assert.deepEqual(await ada.badge(), { unread_messages: 5, unread_conversations: 4, mentions: 0 });
  await ada.settings(ab, { muted_until: 'forever' });
  assert.deepEqual(await ada.badge(), { unread_messages: 3, unread_conversations: 3, mentions: 0 });
  assert.equal((await ada.my(ab)).unread_count, 2, 'its own count stays');
  await ada.settings(ac, { archived: true });
  assert.deepEqual(await ada.badge(), { unread_messages: 2, unread_conversations: 2, mentions: 0 });
  await ada.post(`/conversations/${g.id}/hide`);
  assert.deepEqual(await ada.badge(), { unread_messages: 1, unread_conversations: 1, mentions: 0 });
  await ada.settings(ab, { muted_until: new Date(Date.now() - 1000).toISOString() });
  assert.equal((await ada.my(ab)).muted_until, undefined, 'a past time is no mute');
  assert.deepEqual(await ada.badge(), { unread_messages: 3, unread_conversations: 2, mentions: 0 });
  assert.deepEqual(await ada.post('/conversations/read-all'), { conversations: 3 });
  assert.deepEqual(await ada.badge(), { unread_messages: 0, unread_conversations: 0, mentions: 0 });
  assert.equal((await ada.my(ac)).unread_count, 0);
  assert.deepEqual(await ada.post('/conversations/read-all'), { conversations: 0 });
});

scenario('mutes: until a time, forever, ended, run out', async world => {
  const { ada, ben, ab } = await rooms(world);
  const soon = new Date(Date.now() + 1_200).toISOString();
  assert.equal((await ada.settings(ab, { muted_until: soon })).my.muted_until, soon);
  await ben.send(ab, 'x');
  assert.equal((await ada.badge()).unread_messages, 0);
  assert.equal((await ada.list('muted')).length, 1);
  await pause(1_400);
  assert.equal((await ada.my(ab)).muted_until, undefined);
  assert.equal((await ada.badge()).unread_messages, 1);
  assert.equal((await ada.list('muted')).length, 0);
  assert.equal((await ada.settings(ab, { muted_until: 'forever' })).my.muted_until, 'forever');
  assert.equal((await ada.settings(ab, { muted_until: '2031-01-01T00:00:00Z' })).my.muted_until, '2031-01-01T00:00:00.000Z', 'a new mute replaces the old one');
  assert.equal((await ada.settings(ab, { muted_until: null })).my.muted_until, undefined);
  for (const muted_until of ['tomorrow', 5, true, '', 'FOREVER', '2026-13-01T00:00:00Z']) await refused(ada.settings(ab, { muted_until }), 'invalid_argument', 'muted_until');
  await refused(ada.settings(ab, { pinned: 1 }), 'invalid_argument', 'pinned');
  await refused(ada.settings(ab, { archived: 'yes' }), 'invalid_argument', 'archived');
  await refused(ada.settings(ab, { pinned: null }), 'invalid_argument', 'pinned');
  await refused(ada.settings(ab, { notification_level: 'loud' }), 'invalid_argument', 'notification_level');
  await refused(ada.settings(ab, { color: 'red' }), 'invalid_argument', 'color');
  for (const level of ['mentions', 'none', 'all']) assert.equal((await ada.settings(ab, { notification_level: level })).my.notification_level, level);
});

scenario('archive: out of the list, back with a word of somebody else, not with one\'s own', async world => {
  const { ada, ben, cem, ab, ac } = await rooms(world);
  await ada.settings(ab, { pinned: true });
  const archived = (await ada.settings(ab, { archived: true })).my;
  assert.deepEqual([archived.archived, archived.pinned_at], [true, undefined], 'archiving unpins');
  assert.equal(await ada.listed(ab), undefined);
  await ada.send(ab, 'own');
  assert.equal((await ada.my(ab)).archived, true);
  await ben.send(ab, { text: 'psst', silent: true });
  assert.equal((await ada.my(ab)).archived, true);
  await ben.send(ab, 'hello');
  assert.equal((await ada.my(ab)).archived, false);
  assert.ok(await ada.listed(ab));
  await ada.settings(ac, { archived: true, muted_until: 'forever' });
  await cem.send(ac, 'hello');
  assert.equal((await ada.my(ac)).archived, true, 'muted and archived stays');
  await ada.settings(ac, { archived: false });
  assert.ok(await ada.listed(ac));
  assert.equal((await ben.my(ab)).archived, false);
});

scenario('hide: cleared and gone until a word comes; clear: only cleared', async world => {
  const { ada, ben, ab, g } = await rooms(world);
  const old = await ben.send(ab, 'old narwhal');
  await ada.post(`/conversations/${ab.id}/hide`);
  assert.equal(ada.status, 204);
  for (const filter of [undefined, 'all', 'direct', 'archived', 'unread']) assert.equal(await ada.listed(ab, filter), undefined, `filter ${filter}`);
  const my = await ada.my(ab);
  assert.deepEqual([my.hidden, my.unread_count, my.visible_from_seq], [true, 0, old.seq + 1]);
  assert.equal((await ada.conversation(ab)).last_message, undefined);
  assert.deepEqual(await ada.texts(ab), []);
  assert.deepEqual(await ada.found('narwhal'), []);
  await refused(ada.get(`/messages/${old.id}`), 'message_not_found');
  assert.deepEqual(await ben.texts(ab), ['old narwhal']);
  await ben.send(ab, { text: 'psst', silent: true });
  assert.equal(await ada.listed(ab), undefined, 'a silent word does not bring it back');
  await ben.send(ab, 'new');
  const back = await ada.listed(ab);
  assert.deepEqual([back.my.hidden, back.my.unread_count, back.last_message.preview], [false, 1, 'new']);
  assert.deepEqual((await ada.texts(ab)).includes('old narwhal'), false);
  await ada.post(`/conversations/${ab.id}/hide`);
  await ada.send(ab, 'my own');
  assert.equal((await ada.listed(ab)).my.hidden, false, 'one\'s own word brings it back');
  await ada.post(`/conversations/${ab.id}/hide`);
  await ada.direct(ben);
  assert.deepEqual(await ada.texts(ab), []);
  await ben.send(g, 'x');
  await ada.unread(g, (await ada.conversation(g)).last_seq);
  await ada.post(`/conversations/${g.id}/clear`);
  const cleared = await ada.listed(g);
  assert.deepEqual([cleared.my.unread_count, cleared.my.marked_unread, cleared.my.hidden, cleared.last_message], [0, false, false, undefined]);
});

scenario('marking unread: from a message, from the lowest, on an empty conversation', async world => {
  const { ada, ben, ab, ac } = await rooms(world);
  const sent = [];
  for (const text of ['1', '2', '3']) sent.push(await ben.send(ab, text));
  await ada.read(ab, sent[2].seq);
  const answer = await ada.unread(ab, sent[1].seq);
  assert.deepEqual([answer.read_seq, answer.unread_count], [sent[2].seq, 2]);
  const my = await ada.my(ab);
  assert.deepEqual([my.marked_unread, my.unread_count, my.first_unread_seq, my.read_seq], [true, 2, sent[1].seq, sent[2].seq]);
  assert.equal((await ben.get(`/messages/${sent[2].id}`)).status, 'read', 'a receipt never goes back');
  assert.equal((await ada.unread(ab, sent[2].seq)).unread_count, 2, 'there is a lower one already');
  assert.equal((await ada.unread(ab, sent[0].seq)).unread_count, 3);
  assert.deepEqual(ids(await ada.list('unread')), [ab.id]);
  assert.equal((await ada.read(ab, sent[0].seq)).unread_count, 0, 'any reading takes it back');
  assert.equal((await ada.my(ab)).marked_unread, false);
  await refused(ada.unread(ab), 'invalid_argument', 'seq');
  await refused(ada.unread(ab, 99), 'invalid_argument', 'seq');
  // Empty.
  const empty = await ada.unread(ac);
  assert.equal(empty.unread_count, 0);
  assert.equal((await ada.my(ac)).marked_unread, true);
  assert.deepEqual(await ada.badge(), { unread_messages: 0, unread_conversations: 1, mentions: 0 });
  assert.deepEqual(ids(await ada.list('unread')), [ac.id]);
  assert.deepEqual(await ada.post('/conversations/read-all'), { conversations: 1 });
  assert.equal((await ada.my(ac)).marked_unread, false);
  assert.equal((await ada.badge()).unread_conversations, 0);
});

scenario('previews: text, kinds, deletions, edits, clearing', async world => {
  const { ada, ben, ab, g } = await rooms(world);
  assert.equal((await ada.listed(ab)).last_message, undefined);
  assert.ok((await ada.listed(g)).last_message?.kind === 'system', 'the beginning shows');
  const one = await ben.send(ab, 'first');
  const two = await ben.send(ab, `${'👍'.repeat(150)}`);
  let last = (await ada.listed(ab)).last_message;
  assert.deepEqual([last.seq, last.kind, last.sender_id], [two.seq, 'text', ben.id]);
  assert.match(last.created_at, /Z$/);
  assert.ok([...last.preview].length <= 101, 'cut');
  await ben.patch(`/messages/${two.id}`, { text: 'edited' });
  assert.equal((await ada.listed(ab)).last_message.preview, 'edited');
  await ada.delete(`/messages/${two.id}?for=me`);
  assert.equal((await ada.listed(ab)).last_message.preview, 'first');
  assert.equal((await ben.listed(ab)).last_message.preview, 'edited');
  await ben.delete(`/messages/${two.id}?for=everyone`);
  assert.equal((await ben.listed(ab)).last_message.preview, 'first', 'the previous one after a deletion');
  await ben.delete(`/messages/${one.id}?for=everyone`);
  assert.equal((await ben.listed(ab)).last_message, undefined);
  assert.equal((await ada.conversation(ab)).last_message, undefined);
  await ben.send(g, 'words');
  await ben.change(g, { name: 'Other' });
  assert.equal((await ada.listed(g)).last_message.preview, 'words', 'system lines do not show');
  await ben.send(ab, { kind: 'location', location: { latitude: 1, longitude: 2 } });
  assert.equal((await ada.listed(ab)).last_message.kind, 'location');
  await ben.send(ab, { text: 'psst', silent: true });
  assert.equal((await ada.listed(ab)).last_message.preview, 'psst');
});
