// Catching up: a client that applies answers of sync has what the server has.
import assert from 'node:assert/strict';
import { pause, scenario } from './lib/scenario.mjs';
import { refused, token as sign, inSeconds } from './lib/rest.mjs';

const sync = (user, body = {}) => user.post('/sync', body);
const entryOf = (answer, conversation) => answer.conversations.find(entry => entry.conversation.id === conversation.id);
/** All answers up to the one that says that there is no more. */
async function whole(user, body = {}) {
  const answers = [];
  for (let i = 0; i < 30; i++) {
    const answer = await sync(user, body);
    answers.push(answer);
    if (!answer.has_more) return { answers, token: answer.token, conversations: answers.flatMap(one => one.conversations), removed: answers.flatMap(one => one.removed) };
    body = { token: answer.token };
  }
  assert.fail('never ends');
}
async function pair(world) {
  const [ada, ben] = await world.users('Ada', 'Ben');
  return { ada, ben, direct: await ada.direct(ben) };
}

scenario('a first sync brings everything, a second one nothing', async world => {
  const { ada, ben, direct } = await pair(world);
  const message = await ada.send(direct, 'hello');
  const first = await sync(ben);
  for (const [name, type] of [['conversations', 'object'], ['removed', 'object'], ['blocks', 'object'], ['badge', 'object'], ['token', 'string'], ['has_more', 'boolean']]) assert.equal(typeof first[name], type, name);
  assert.deepEqual(first.blocks, { added: [], removed: [] });
  assert.deepEqual(first.badge, { unread_messages: 1, unread_conversations: 1, mentions: 0 });
  const entry = entryOf(first, direct);
  assert.deepEqual(entry.conversation, await ben.conversation(direct));
  assert.deepEqual(entry.messages, [await ben.get(`/messages/${message.id}`)]);
  assert.equal(entry.limited, false);
  assert.deepEqual(entry.members.map(member => member.user.id).sort(), [ada.id, ben.id].sort());
  const second = await sync(ben, { token: first.token });
  assert.deepEqual([second.conversations, second.removed, second.has_more], [[], [], false]);
  assert.deepEqual(second.badge, first.badge);
  const again = await sync(ben, { token: first.token });
  assert.deepEqual(again.conversations, [], 'a token may be used twice');
});

scenario('whatever happens to messages comes in order of rev, each once, as it is now', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const [one, two, three] = [await ada.send(group, 'one'), await ada.send(group, 'two'), await ada.send(group, 'three')];
  const { token } = await sync(ben);
  await ada.patch(`/messages/${one.id}`, { text: 'one, edited' });
  await ada.patch(`/messages/${one.id}`, { text: 'one, edited twice' });
  await cem.put(`/messages/${two.id}/reactions/x`);
  await ada.delete(`/messages/${three.id}?for=everyone`);
  const four = await cem.send(group, 'four');
  const answer = await sync(ben, { token });
  const { messages, limited, conversation } = entryOf(answer, group);
  assert.deepEqual(messages.map(message => message.id), [one.id, two.id, three.id, four.id]);
  assert.deepEqual(messages.map(message => message.rev), messages.map(message => message.rev).sort((x, y) => x - y));
  assert.equal(messages[0].text, 'one, edited twice');
  assert.deepEqual(messages[1].reactions.map(reaction => reaction.users), [[cem.id]]);
  assert.equal(messages[2].deleted.by, 'author');
  assert.deepEqual([limited, conversation.last_seq, conversation.rev], [false, four.seq, four.rev]);
  assert.deepEqual(entryOf(await sync(ben, { token }), group), entryOf(answer, group), 'the same twice');
  assert.deepEqual((await sync(ben, { token: answer.token })).conversations, []);
});

scenario('receipts of others, my own marks and settings come too', async world => {
  const { ada, ben, direct } = await pair(world);
  const message = await ada.send(direct, 'x');
  let { token } = await sync(ada);
  const [before] = [await sync(ben)];
  await ben.put(`/conversations/${direct.id}/read`, { seq: message.seq });
  const told = entryOf(await sync(ada, { token }), direct);
  assert.ok(told, 'the receipt is a change');
  const him = (told.members.length ? told.members : told.conversation.members).find(member => member.user.id === ben.id);
  assert.deepEqual([him.read_seq, him.delivered_seq], [message.seq, message.seq]);
  const mine = entryOf(await sync(ben, { token: before.token }), direct);
  assert.deepEqual([mine.conversation.my.unread_count, mine.conversation.my.read_seq], [0, message.seq]);
  ({ token } = await sync(ben));
  await ben.patch(`/conversations/${direct.id}/settings`, { pinned: true, muted_until: 'forever' });
  const pinned = await sync(ben, { token });
  assert.ok(entryOf(pinned, direct).conversation.my.pinned_at);
  assert.equal(entryOf(pinned, direct).conversation.my.muted_until, 'forever');
  await ben.put(`/conversations/${direct.id}/unread`, { seq: message.seq });
  assert.equal(entryOf(await sync(ben, { token: pinned.token }), direct).conversation.my.unread_count, 1);
  assert.ok(!entryOf(await sync(ada, { token: (await sync(ada)).token }), direct), 'none of it is for the other');
});

scenario('members who come, go and rise', async world => {
  const [ada, ben, cem, dora] = await world.users('Ada', 'Ben', 'Cem', 'Dora');
  const group = await ada.group([ben, cem]);
  const { token } = await sync(ben);
  await ada.post(`/conversations/${group.id}/members`, { user_ids: [dora.id] });
  await ada.patch(`/conversations/${group.id}/members/${cem.id}`, { role: 'admin' });
  const entry = entryOf(await sync(ben, { token }), group);
  assert.deepEqual(Object.fromEntries(entry.members.map(member => [member.user.id, member.role])), { [ada.id]: 'owner', [ben.id]: 'member', [cem.id]: 'admin', [dora.id]: 'member' });
  assert.equal(entry.conversation.member_count, 4);
  const newer = await sync(ben, { token });
  await ada.delete(`/conversations/${group.id}/members/${cem.id}`);
  const left = entryOf(await sync(ben, { token: newer.token }), group);
  assert.ok(!left.members.some(member => member.user.id === cem.id && !member.left), 'gone');
  await ada.patch(`/conversations/${group.id}`, { name: 'Other name', description: 'What for' });
  const named = entryOf(await sync(ben, { token: newer.token }), group).conversation;
  assert.deepEqual([named.name, named.description], ['Other name', 'What for']);
});

scenario('why a conversation is gone', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const [left, removed, deleted] = [await ada.group([ben, cem]), await ada.group([ben, cem]), await ada.group([ben, cem])];
  const hidden = await ada.direct(ben);
  await ada.send(hidden, 'x');
  const { token } = await sync(ben);
  await ben.post(`/conversations/${left.id}/leave`);
  await ada.send(removed, 'last words');
  await ada.delete(`/conversations/${removed.id}/members/${ben.id}`);
  await ada.delete(`/conversations/${deleted.id}`);
  await ben.post(`/conversations/${hidden.id}/hide`);
  const answer = await sync(ben, { token });
  const reasons = Object.fromEntries(answer.removed.map(one => [one.conversation_id, one.reason]));
  assert.deepEqual(reasons, { [left.id]: 'left', [removed.id]: 'removed', [deleted.id]: 'deleted', [hidden.id]: 'hidden' });
  assert.deepEqual(answer.conversations, []);
  const next = await sync(ben, { token: answer.token });
  assert.deepEqual([next.removed, next.conversations], [[], []]);
  await ada.send(removed, 'without Ben');
  assert.ok(!JSON.stringify(await sync(ben, { token: answer.token })).includes('without Ben'));
  await ada.send(hidden, 'back');
  const back = entryOf(await sync(ben, { token: answer.token }), hidden);
  assert.deepEqual(back.messages.filter(message => message.text).map(message => message.text), ['back']);
  assert.deepEqual((await sync(ben)).removed, [], 'a first sync has lost nothing');
  const byMap = await sync(ben, { conversations: { [left.id]: 1, [removed.id]: 1, [deleted.id]: 1, [hidden.id]: 1, '01935d5f-0000-7000-8000-000000000000': 3 } });
  assert.deepEqual(Object.fromEntries(byMap.removed.map(one => [one.conversation_id, one.reason])), { [left.id]: 'left', [removed.id]: 'removed', [deleted.id]: 'deleted', '01935d5f-0000-7000-8000-000000000000': 'removed' });
});

scenario('clearing and hiding limit the next answer', async world => {
  const { ada, ben, direct } = await pair(world);
  await ada.send(direct, 'old');
  const { token } = await sync(ben);
  await ben.post(`/conversations/${direct.id}/clear`);
  const cleared = entryOf(await sync(ben, { token }), direct);
  assert.equal(cleared.limited, true);
  assert.deepEqual([cleared.conversation.my.unread_count, cleared.conversation.last_message], [0, undefined]);
  assert.ok(!JSON.stringify(cleared).includes('old'));
  const after = await sync(ben, { token });
  await ben.post(`/conversations/${direct.id}/hide`);
  await ada.send(direct, 'new');
  const back = entryOf(await sync(ben, { token: after.token }), direct);
  assert.equal(back.limited, true);
  assert.ok(!JSON.stringify(back).includes('old'));
  assert.deepEqual((await sync(ada, {})).conversations.map(entry => entry.limited), [false]);
});

scenario('blocks come and go', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  await ada.put(`/blocks/${ben.id}`);
  const first = await sync(ada);
  assert.deepEqual(first.blocks, { added: [ben.id], removed: [] });
  await ada.put(`/blocks/${cem.id}`);
  await ada.delete(`/blocks/${ben.id}`);
  const second = await sync(ada, { token: first.token });
  assert.deepEqual(second.blocks, { added: [cem.id], removed: [ben.id] });
  assert.deepEqual((await sync(ada, { token: second.token })).blocks, { added: [], removed: [] });
  assert.deepEqual((await sync(ben)).blocks, { added: [], removed: [] }, 'the blocked one hears nothing');
});

scenario('tokens are whole, one\'s own, and of this server', async world => {
  const { ada, ben, direct } = await pair(world);
  await ada.send(direct, 'x');
  const { token } = await sync(ben);
  const middle = token.length >> 1;
  const flipped = token.slice(0, middle) + (token[middle] === 'A' ? 'B' : 'A') + token.slice(middle + 1);
  for (const bad of ['nonsense', '', token.slice(0, -1), `${token}A`, flipped, sign({ sub: ben.id, exp: inSeconds(60) }), 'x'.repeat(5_000), token.slice(4), '\u0000']) {
    const error = await sync(ben, { token: bad }).catch(failure => failure);
    assert.ok(error.code === 'invalid_cursor' || (bad === '\u0000' && error.code === 'invalid_argument'), `${bad.slice(0, 20)}: ${error.code}`);
  }
  await refused(sync(ada, { token }), 'invalid_cursor');
  await refused(sync(ben, { token: (await ben.get('/conversations?limit=1')).next_cursor ?? 'none' }), 'invalid_cursor');
  await refused(sync(ben, { token, conversations: {} }), 'invalid_argument');
  for (const body of [{ token: 7 }, { conversations: [] }, { conversations: { [direct.id]: '1' } }, { conversations: { [direct.id]: -1 } }, { since: 0 }]) {
    const error = await sync(ben, body).catch(failure => failure);
    assert.equal(error.code, 'invalid_argument', JSON.stringify(body));
  }
  const b = await world.plain(ben);
  await refused(b.command('sync', { token: 'nonsense' }), 'invalid_cursor');
});

scenario('both transports and REST answer alike', async world => {
  const { ada, ben, direct } = await pair(world);
  const { token } = await sync(ben);
  await ada.send(direct, 'x');
  const plain = answer => ({ ...answer, token: typeof answer.token });
  const rest = plain(await sync(ben, { token }));
  const [socket, ws] = [await world.socketIo(ben), await world.plain(ben)];
  for (const connection of [socket, ws]) {
    const answer = plain(await connection.command('sync', { token }));
    for (const entry of [...answer.conversations, ...rest.conversations]) { delete entry.conversation.peer; for (const member of [...entry.members, ...entry.conversation.members]) delete member.user.presence; }
    assert.deepEqual(answer, rest);
  }
});

scenario('revs instead of a token: what changed since, in each', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const [direct, group] = [await ada.direct(ben), await ada.group([ben, cem])];
  const one = await ada.send(direct, 'one');
  const known = { [direct.id]: (await ben.conversation(direct)).rev, [group.id]: (await ben.conversation(group)).rev };
  const two = await ada.send(direct, 'two');
  await ada.patch(`/messages/${one.id}`, { text: 'one!' });
  const answer = await sync(ben, { conversations: known });
  assert.deepEqual(entryOf(answer, direct).messages.map(message => message.text), ['two', 'one!']);
  assert.deepEqual(entryOf(answer, group)?.messages ?? [], []);
  const partial = await sync(ben, { conversations: { [direct.id]: two.rev } });
  assert.deepEqual(entryOf(partial, direct).messages.map(message => message.id), [one.id]);
  assert.ok(entryOf(partial, group), 'one the client does not know is new to it');
  assert.deepEqual((await sync(ben, { token: answer.token })).conversations, []);
  await refused(sync(ben, { conversations: { nonsense: 1 } }), 'invalid_argument').catch(async () => assert.ok((await sync(ben, { conversations: { nonsense: 1 } })).token));
});

scenario('a backlog of 300 messages is limited, and history has the rest', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const { token } = await sync(ben);
  let last;
  for (let i = 0; i < 300; i += 1) last = await ada.send(direct, `m${i}`);
  const { conversations, token: next } = await whole(ben, { token });
  const entries = conversations.filter(entry => entry.conversation.id === direct.id);
  const seen = new Map(entries.flatMap(entry => entry.messages).map(message => [message.seq, message]));
  if (entries.every(entry => !entry.limited)) assert.equal([...seen.values()].filter(message => message.kind === 'text').length, 300);
  else assert.ok(seen.has(last.seq), 'the newest are there');
  assert.equal(entries.at(-1).conversation.last_seq, last.seq);
  assert.equal(entries.at(-1).conversation.my.unread_count, 300);
  let before;
  for (let i = 0; i < 10; i++) {
    const page = await ben.get(`/conversations/${direct.id}/messages?limit=100${before ? `&before=${before}` : ''}`);
    for (const item of page.items) seen.set(item.seq, item);
    if (!page.has_more_before) break;
    before = page.range.from;
  }
  assert.deepEqual([...seen.keys()].sort((x, y) => x - y), Array.from({ length: last.seq }, (_, i) => i + 1).filter(seq => seen.has(seq)));
  assert.equal([...seen.values()].filter(message => message.kind === 'text').length, 300);
  assert.deepEqual((await sync(ben, { token: next })).conversations, []);
  const first = await whole(ben);
  assert.equal(first.conversations.filter(entry => entry.conversation.id === direct.id)[0].limited, true);
}, { timeout: 90_000 });

scenario('many conversations come in pages, each once, oldest changes not lost', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const others = await world.users(...Array.from({ length: 60 }, (_, i) => `U${i}`));
  const directs = [];
  for (const other of others) { const { conversation } = await other.post('/messages', { recipient_id: ben.id, text: `from ${other.name}` }); directs.push(conversation.id); }
  const first = await whole(ben);
  assert.deepEqual(first.conversations.map(entry => entry.conversation.id).sort(), [...directs].sort());
  assert.ok(first.answers.length >= 2, 'in pages');
  for (const [i, other] of others.entries()) await other.post(`/conversations/${directs[i]}/messages`, { text: 'again' });
  const second = await whole(ben, { token: first.token });
  assert.deepEqual([...new Set(second.conversations.map(entry => entry.conversation.id))].sort(), [...directs].sort());
  assert.ok(second.conversations.every(entry => entry.messages.every(message => message.text === 'again')));
  assert.deepEqual((await sync(ben, { token: second.token })).conversations, []);
  assert.ok(ada);
}, { timeout: 90_000 });

scenario('a change between two pages of a first sync is not lost', async world => {
  const [ben] = await world.users('Ben');
  const others = await world.users(...Array.from({ length: 55 }, (_, i) => `V${i}`));
  const directs = [];
  for (const other of others) directs.push((await other.post('/messages', { recipient_id: ben.id, text: 'x' })).conversation.id);
  const page = await sync(ben);
  assert.equal(page.has_more, true);
  const known = new Map();
  const apply = answer => { for (const entry of answer.conversations) for (const message of entry.messages) known.set(message.id, message.text); };
  apply(page);
  const seen = page.conversations[0].conversation.id;
  const at = directs.indexOf(seen);
  const late = (await others[at].post(`/conversations/${seen}/messages`, { text: 'between' })).message;
  const rest = await whole(ben, { token: page.token });
  rest.answers.forEach(apply);
  const after = await whole(ben, { token: rest.token });
  after.answers.forEach(apply);
  assert.equal(known.get(late.id), 'between');
  assert.equal(known.size, 56);
}, { timeout: 90_000 });

scenario('sync is not counted by the rate limit', async world => {
  const { ben } = await pair(world);
  const b = await world.socketIo(ben);
  b.hasty = true;
  ben.hasty = true;
  for (let i = 0; i < 60; i++) await b.command('sync', {});
  await Promise.all(Array.from({ length: 60 }, () => sync(ben)));
});

scenario('live events after ready, with a higher rev than the synced one, complete a sync', async world => {
  const { ada, ben, direct } = await pair(world);
  await ada.send(direct, 'before');
  const b = await world.socketIo(ben);
  const answer = await b.command('sync', {});
  const known = entryOf(answer, direct).conversation.rev;
  const message = await ada.send(direct, 'after');
  const event = await b.next('message_created', data => data.rev > known);
  assert.equal(event.message.id, message.id);
  await pause(50);
  assert.deepEqual(entryOf(await b.command('sync', { token: answer.token }), direct).messages.map(one => one.id), [message.id]);
});
