// Search: literal, folded, only what one sees.
import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.mjs';
import { refused, User } from './lib/rest.mjs';

const query = params => Object.entries(params).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
const search = (user, q, more = {}) => user.get(`/search/messages?${query({ q, ...more })}`);
const found = async (user, q, more) => (await search(user, q, more)).items.map(message => message.text);

async function talk(world, texts) {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  for (const text of texts) await ada.send(direct, text);
  return { ada, ben, direct };
}

scenario('every character means itself', async world => {
  const texts = ['100% sure', '50 percent', 'under_score', 'underXscore', 'back\\slash', '.*', 'dot.star', "quote's", 'double"quote', '[a-z]+', '(x|y)', '{"json":1}', 'a%b', 'semi;colon--', '$where', '^start'];
  const { ben } = await talk(world, texts);
  for (const [q, hits] of [['%', ['a%b', '100% sure']], ['_', ['under_score']], ['\\', ['back\\slash']], ['.*', ['.*']], ['.', ['dot.star', '.*']], ["'", ["quote's"]], ['"', ['{"json":1}', 'double"quote']], ['[a-z]', ['[a-z]+']], ['|', ['(x|y)']], ['$', ['$where']], ['^', ['^start']], ['r_s', ['under_score']], ['%b', ['a%b']], ['--', ['semi;colon--']], ['k\\s', ['back\\slash']]]) assert.deepEqual(await found(ben, q), hits, q);
});

scenario('one character is enough, of any script', async world => {
  const { ben } = await talk(world, ['今天天气不错', 'x', '😀 hello', '👩‍👩‍👧‍👦', 'שלום', 'é composed']);
  for (const [q, hits] of [['天', ['今天天气不错']], ['今天天', ['今天天气不错']], ['X', ['x']], ['😀', ['😀 hello']], ['👧', ['👩‍👩‍👧‍👦']], ['של', ['שלום']], ['É', ['é composed']], ['天 天', []], ['不今', []]]) assert.deepEqual(await found(ben, q), hits, q);
});

scenario('letters of either case are found by Unicode simple folding', async world => {
  const { ben } = await talk(world, ['STRASSE', 'straße', 'ΣΊΣΥΦΟΣ', 'Ünïcödé', 'ПРИВЕТ', 'İstanbul', 'Kelvin', 'ǅ']);
  for (const [q, hits] of [['strasse', ['STRASSE']], ['STRAẞE', ['straße']], ['σίσυφος', ['ΣΊΣΥΦΟΣ']], ['ÜNÏCÖDÉ', ['Ünïcödé']], ['привет', ['ПРИВЕТ']], ['istanbul', []], ['kelvin', ['Kelvin']], ['ǆ', ['ǅ']]]) assert.deepEqual(await found(ben, q), hits, q);
});

scenario('a query has 1 to 500 bytes that show', async world => {
  const { ben, direct } = await talk(world, ['x'.repeat(500), ' spaced  words ']);
  for (const q of ['', ' ', '\t\n']) await refused(search(ben, q), 'query_required');
  await refused(ben.get('/search/messages'), 'query_required');
  assert.equal((await found(ben, 'x'.repeat(500))).length, 1);
  await refused(search(ben, 'x'.repeat(501)), 'invalid_argument', 'q');
  await refused(search(ben, 'ü'.repeat(251)), 'invalid_argument', 'q');
  await refused(search(ben, 'a\u0000b'), 'invalid_argument', 'q');
  assert.deepEqual(await found(ben, 'd  w'), [' spaced  words ']);
  await refused(search(ben, 'x', { limit: 0 }), 'invalid_argument', 'limit');
  await refused(search(ben, 'x', { limit: 101 }), 'invalid_argument', 'limit');
  await refused(search(ben, 'x', { kind: 'poem' }), 'invalid_argument', 'kind');
  await refused(search(ben, 'x', { from: 'yesterday' }), 'invalid_argument', 'from');
  await refused(search(ben, 'x', { to: '2026' }), 'invalid_argument', 'to');
  await refused(search(ben, 'x', { color: 'red' }), 'invalid_argument', 'color');
  await refused(search(ben, 'x', { conversation_id: '01935d5f-0000-7000-8000-000000000000' }), 'conversation_not_found');
  const [eve] = await world.users('Eve');
  await refused(search(eve, 'x', { conversation_id: direct.id }), 'conversation_not_found');
  assert.deepEqual(await found(eve, 'spaced'), []);
});

scenario('filters narrow it down', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const [direct, group] = [await ada.direct(ben), await ada.group([ben, cem])];
  const one = await ada.send(direct, 'needle one');
  await new Promise(resolve => setTimeout(resolve, 20));
  const two = await ben.send(group, 'needle two');
  await new Promise(resolve => setTimeout(resolve, 20));
  const three = await ada.send(group, { kind: 'custom', text: 'needle three', custom: { type: 'x', data: { hidden: 'haystack' } } });
  assert.deepEqual(await found(ben, 'needle'), ['needle three', 'needle two', 'needle one']);
  assert.deepEqual(await found(ben, 'needle', { conversation_id: group.id }), ['needle three', 'needle two']);
  assert.deepEqual(await found(ben, 'needle', { sender_id: ada.id }), ['needle three', 'needle one']);
  assert.deepEqual(await found(ben, 'needle', { kind: 'custom' }), ['needle three']);
  assert.deepEqual(await found(ben, 'needle', { from: two.created_at }), ['needle three', 'needle two']);
  assert.deepEqual(await found(ben, 'needle', { to: two.created_at }), ['needle two', 'needle one']);
  assert.deepEqual(await found(ben, 'needle', { from: two.created_at, to: two.created_at, sender_id: ben.id }), ['needle two']);
  assert.deepEqual(await found(ben, 'haystack'), [], 'the text only');
  assert.deepEqual(await found(ben, 'needle', { sender_id: 'nobody-at-all' }), []);
  assert.deepEqual(await found(cem, 'needle'), ['needle three', 'needle two']);
  const [hit] = (await search(ben, 'needle one')).items;
  assert.deepEqual(hit, await ben.get(`/messages/${one.id}`), 'hits are messages as the caller sees them');
  assert.equal((await search(ada, 'needle three')).items[0].status, 'sent');
  assert.ok(three);
});

scenario('pages follow each other, newest first, and belong to one user and one search', async world => {
  const { ada, ben } = await talk(world, Array.from({ length: 7 }, (_, i) => `leaf ${i}`));
  const seen = [];
  let cursor, pages = 0;
  do {
    const page = await search(ben, 'leaf', { limit: 3, ...(cursor ? { cursor } : {}) });
    if (!cursor) {
      await refused(search(ada, 'leaf', { limit: 3, cursor: page.next_cursor }), 'invalid_cursor');
      await refused(search(ben, 'other', { limit: 3, cursor: page.next_cursor }), 'invalid_cursor');
      await refused(ben.get(`/conversations?limit=3&cursor=${encodeURIComponent(page.next_cursor)}`), 'invalid_cursor');
      await refused(search(ben, 'leaf', { limit: 3, cursor: `${page.next_cursor}x` }), 'invalid_cursor');
      await refused(search(ben, 'leaf', { cursor: 'nonsense' }), 'invalid_cursor');
      await ada.send((await ada.get('/conversations')).items[0], 'leaf late');
    }
    seen.push(...page.items.map(item => item.text));
    cursor = page.next_cursor;
  } while (cursor && ++pages < 6);
  assert.deepEqual(seen, [6, 5, 4, 3, 2, 1, 0].map(i => `leaf ${i}`));
});

scenario('nothing is found that is not seen', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem], { name: 'Hidden needle' });
  const early = await ada.send(group, 'needle early');
  const [dora] = await world.users('Dora');
  await ada.post(`/conversations/${group.id}/members`, { user_ids: [dora.id] });
  const late = await ada.send(group, 'needle late');
  assert.deepEqual(await found(dora, 'needle'), ['needle late'], 'not from before joining');
  await ben.post(`/conversations/${group.id}/clear`);
  assert.deepEqual(await found(ben, 'needle'), [], 'not what was cleared');
  await cem.delete(`/messages/${late.id}?for=me`);
  assert.deepEqual(await found(cem, 'needle'), ['needle early'], 'not what one deleted');
  await ada.delete(`/messages/${early.id}?for=everyone`);
  assert.deepEqual(await found(cem, 'needle'), [], 'no tombstones');
  await ada.delete(`/conversations/${group.id}/members/${dora.id}`);
  assert.deepEqual(await found(dora, 'needle'), [], 'not after removal');
  const one = await search(dora, 'needle', { conversation_id: group.id }).catch(error => error);
  assert.equal(one.code, 'conversation_not_found');
  await ada.patch(`/conversations/${group.id}`, { name: 'Needle again' });
  assert.deepEqual(await found(ada, 'again'), [], 'no lines of the engine');
  await ada.post(`/conversations/${group.id}/members`, { user_ids: [dora.id] });
  assert.deepEqual(await found(dora, 'needle'), ['needle late'], 'back again: what was hers to see');
  await ada.delete(`/conversations/${group.id}`);
  assert.deepEqual(await found(ada, 'needle'), [], 'nothing of a deleted group');
});

scenario('searching has a rate of its own', async () => {
  const ada = new User('Ada');
  ada.hasty = true;
  await ada.get('/me');
  const answers = [];
  for (let i = 0; i < 6; i++) answers.push(await ada.raw('GET', '/search/messages?q=x'));
  const slow = answers.find(answer => answer.status === 429);
  assert.ok(slow, 'six at once');
  assert.equal(slow.json.code, 'rate_limited');
  assert.ok(slow.json.retry_after_ms > 0 && slow.json.retry_after_ms <= 1_000);
  assert.ok(Number(slow.headers.get('retry-after')) >= 1);
  await ada.get('/me');
});
