// Lists beside the list of conversations: pages by number, counts, mentions, what is in common, people by name.
import assert from 'node:assert/strict';
import { scenario, sorted } from './lib/patient.mjs';
import { refused } from './lib/rest.mjs';

const ids = list => list.map(item => item.id);

scenario('pages by number and counts by filter', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const rooms = [await ada.direct(ben), await ada.direct(cem), await ada.group([ben, cem]), await ben.group([ada, cem])];
  for (const room of rooms) await ben.send(room, 'x').catch(() => cem.send(room, 'x'));
  const whole = ids((await ada.get('/conversations')).items);
  const first = await ada.get('/conversations?page=1&limit=3');
  assert.deepEqual([first.total, first.page, first.pages, first.next_cursor], [4, 1, 2, undefined]);
  const second = await ada.get('/conversations?page=2&limit=3');
  assert.deepEqual([...ids(first.items), ...ids(second.items)], whole);
  assert.deepEqual((await ada.get('/conversations?page=9&limit=3')).items, []);
  assert.equal((await ada.get('/conversations?page=1&limit=3&filter=direct')).total, 2);
  assert.equal((await ada.get('/conversations?page=1&q=cem')).total, 1);
  assert.equal((await ada.get('/conversations')).total, undefined);
  const { next_cursor: cursor } = await ada.get('/conversations?limit=1');
  await refused(ada.get(`/conversations?page=1&limit=1&cursor=${cursor}`), 'invalid_argument', 'page');
  for (const page of ['0', '-1', 'x']) await refused(ada.get(`/conversations?page=${page}`), 'invalid_argument', 'page');
  assert.deepEqual(await ada.get('/conversations/counts'),
    { listed: 4, all: 4, unread: 4, pinned: 0, archived: 0, muted: 0, direct: 2, group: 2 });
  await ada.settings(rooms[0], { archived: true });
  await ada.settings(rooms[2], { pinned: true, muted_until: 'forever' });
  await ada.post('/conversations/read-all');
  assert.deepEqual(await ada.get('/conversations/counts'),
    { listed: 3, all: 4, unread: 0, pinned: 1, archived: 1, muted: 1, direct: 1, group: 2 });
  await refused(ada.get('/conversations/counts?filter=all'), 'invalid_argument', 'filter');
});

scenario('the mentions of all conversations', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const [one, two] = [await ben.group([ada, cem]), await ben.group([ada, cem])];
  await ben.send(one, { text: 'first', mentions: [ada.id] });
  await ben.send(two, { text: 'for all', mentions: ['@all'] });
  await ben.send(two, { text: 'for cem', mentions: [cem.id] });
  const texts = async query => (await ada.get(`/mentions${query}`)).items.map(message => message.text);
  assert.deepEqual(await texts(''), ['for all', 'first']);
  assert.deepEqual(await texts('?unread=true'), ['for all', 'first']);
  const [message] = (await ada.get('/mentions?limit=1')).items;
  assert.deepEqual([message.conversation_id, message.sender.id, message.mentions], [two.id, ben.id, ['@all']]);
  const { next_cursor: cursor } = await ada.get('/mentions?limit=1');
  assert.deepEqual(await texts(`?limit=1&cursor=${cursor}`), ['first']);
  await refused(ada.get(`/mentions?unread=true&cursor=${cursor}`), 'invalid_cursor');
  await ada.put(`/conversations/${two.id}/read`, { seq: (await ada.conversation(two)).last_seq });
  assert.deepEqual(await texts('?unread=true'), ['first']);
  await refused(ada.get('/mentions?unread=maybe'), 'invalid_argument', 'unread');
});

scenario('what two have in common, and people by name', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const [direct, group] = [await ada.direct(ben), await ada.group([ben, cem])];
  const common = async (who, whom) => sorted(ids((await who.get(`/users/${whom.id}/conversations`)).items));
  assert.deepEqual(await common(ada, ben), sorted([direct.id, group.id]));
  assert.deepEqual(await common(cem, ada), [group.id]);
  await refused(ada.get(`/users/${ada.id}/conversations`), 'invalid_argument', 'user_id');
  await ben.put(`/blocks/${ada.id}`);
  assert.deepEqual(await common(ada, ben), []);
  const names = async path => (await ada.get(path)).items.map(item => (item.user ?? item).name);
  assert.deepEqual(await names(`/conversations/${group.id}/members?q=CE`), ['Cem']);
  assert.deepEqual(await names(`/conversations/${group.id}/members?role=owner`), ['Ada']);
  assert.deepEqual(await names(`/conversations/${group.id}/members?q=cem&role=owner`), []);
  await refused(ada.get(`/conversations/${group.id}/members?role=boss`), 'invalid_argument', 'role');
  assert.deepEqual(await names('/contacts?q=be'), ['Ben']);
  assert.deepEqual(await names('/contacts?q=zz'), []);
});
