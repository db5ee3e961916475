// Reactions: one per person and emoji, in one spelling.
import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.mjs';
import { refused } from './lib/rest.mjs';

async function talk(world) {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  return { ada, ben, direct, message: await ada.send(direct, 'react to this') };
}
const path = (message, emoji) => `/messages/${message.id}/reactions/${encodeURIComponent(emoji)}`;
const summary = message => (message.reactions ?? []).map(({ emoji, count, mine }) => [emoji, count, mine]);

for (const emoji of ['👍', '👍🏽', '👩‍👩‍👧‍👦', '🏳️‍🌈', '#️⃣', '🇩🇪', '❤️', '+1', '100%', 'a/b', ':tada:', '%2F', 'ok?x=1#y', 'ü']) {
  scenario(`the reaction ${emoji} goes through the path and through a command`, async world => {
    const { ada, ben, message } = await talk(world);
    const added = await ben.put(path(message, emoji));
    assert.equal(added.reactions.length, 1);
    assert.deepEqual([added.reactions[0].count, added.reactions[0].mine, added.reactions[0].users], [1, true, [ben.id]]);
    const a = await world.socketIo(ada);
    const both = (await a.command('add_reaction', { message_id: message.id, emoji })).message;
    assert.equal(both.reactions.length, 1, 'one kind');
    assert.equal(both.reactions[0].count, 2);
    assert.equal(both.reactions[0].emoji, added.reactions[0].emoji);
    await ada.delete(path(message, emoji));
    assert.deepEqual(summary(await ben.delete(path(message, emoji))), []);
  });
}

scenario('spellings of one emoji are one reaction', async world => {
  const { ada, ben, message } = await talk(world);
  for (const [one, other] of [['❤️', '❤'], ['☺\ufe0e', '☺\ufe0f'], ['e\u0301', 'é'], ['#️⃣', '#⃣']]) {
    const first = await ada.put(path(message, one));
    const second = await ben.put(path(message, other));
    assert.equal(first.reactions.at(-1).emoji, one.normalize('NFC'), 'as it was sent');
    assert.deepEqual(second.reactions.map(reaction => reaction.emoji), first.reactions.map(reaction => reaction.emoji), one);
    assert.equal(second.reactions.find(reaction => reaction.count === 2)?.mine, true, one);
    await ada.delete(path(message, other));
    assert.deepEqual(summary(await ben.delete(path(message, one))), []);
  }
  await ada.put(path(message, '👍'));
  assert.equal((await ben.put(path(message, '👍🏽'))).reactions.length, 2, 'another skin is another reaction');
});

scenario('twice is once, and none is none: no rev, no event', async world => {
  const { ada, ben, direct, message } = await talk(world);
  const first = await ben.put(path(message, '👍'));
  assert.ok(first.rev > message.rev);
  assert.equal(first.seq, message.seq);
  assert.equal(first.version, 1);
  assert.equal(first.edited_at, undefined);
  const a = await world.plain(ada);
  const again = await ben.put(path(message, '👍'));
  assert.deepEqual([again.rev, summary(again)], [first.rev, [['👍', 1, true]]]);
  assert.equal((await ben.delete(path(message, '👎'))).rev, first.rev);
  await a.silent('message_updated');
  const off = await ben.delete(path(message, '👍'));
  assert.ok(off.rev > first.rev);
  assert.equal((await ben.delete(path(message, '👍'))).rev, off.rev);
  assert.equal((await ben.conversation(direct)).my.unread_count, 1, 'unread is as before');
  assert.equal((await ada.conversation(direct)).my.unread_count, 0);
});

scenario('everyone sees who reacted and whether he did himself', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const message = await ada.send(group, 'well?');
  const [a, c] = [await world.socketIo(ada), await world.plain(cem)];
  await ben.put(path(message, '👍'));
  await cem.put(path(message, '👍'));
  await cem.put(path(message, '🎉'));
  assert.deepEqual(summary(await ada.get(`/messages/${message.id}`)), [['👍', 2, false], ['🎉', 1, false]]);
  assert.deepEqual(summary(await ben.get(`/messages/${message.id}`)), [['👍', 2, true], ['🎉', 1, false]]);
  assert.deepEqual((await cem.get(`/messages/${message.id}`)).reactions[0].users.sort(), [ben.id, cem.id].sort());
  const seen = await a.next('message_updated', event => event.message.reactions?.length === 2);
  assert.deepEqual(summary(seen.message), [['👍', 2, false], ['🎉', 1, false]]);
  // An event that was late may know of the second one's count and not yet of whose it is; the event of its own is right.
  const own = await c.next('message_updated', event => event.message.reactions?.some(({ emoji, mine }) => emoji === '🎉' && mine));
  assert.deepEqual(summary(own.message), [['👍', 2, true], ['🎉', 1, true]]);
});

scenario('64 bytes and 50 kinds are the most', async world => {
  const { ada, ben, message } = await talk(world);
  assert.equal((await ada.put(path(message, 'x'.repeat(64)))).reactions[0].emoji.length, 64);
  await ada.delete(path(message, 'x'.repeat(64)));
  await refused(ada.put(path(message, 'x'.repeat(65))), 'invalid_argument', 'emoji');
  await refused(ada.put(path(message, '😀'.repeat(17))), 'invalid_argument', 'emoji');
  for (const blank of [' ', '\u200b', '\ufe0f', 'a b', '\u0000', '\n']) await refused(ada.put(path(message, blank)), 'invalid_argument', 'emoji');
  const a = await world.socketIo(ada);
  for (const emoji of ['', ' ', 7, null, undefined]) await refused(a.command('add_reaction', { message_id: message.id, emoji }), 'invalid_argument', 'emoji');
  for (let i = 0; i < 50; i++) await ada.put(path(message, `k${i}`));
  await refused(ben.put(path(message, 'one more')), 'invalid_argument', 'emoji');
  await refused(ben.put(path(message, 'more')), 'invalid_argument', 'emoji');
  const full = await ben.put(path(message, 'k0'));
  assert.equal(full.reactions.length, 50);
  assert.equal(full.reactions.find(reaction => reaction.emoji === 'k0').count, 2);
  await ada.delete(path(message, 'k1'));
  await ben.put(path(message, 'more'));
});

scenario('where one may not write or see, one does not react', async world => {
  const [ada, ben, cem, eve] = await world.users('Ada', 'Ben', 'Cem', 'Eve');
  const group = await ada.group([ben, cem]);
  const message = await ada.send(group, 'x');
  await refused(eve.put(path(message, '👍')), 'message_not_found');
  await ben.put(path(message, '👍'));
  await ada.patch(`/conversations/${group.id}`, { frozen: true });
  await refused(cem.put(path(message, '👍')), 'not_permitted');
  await ada.patch(`/conversations/${group.id}`, { frozen: false });
  await ada.delete(`/conversations/${group.id}/members/${ben.id}`);
  await refused(ben.delete(path(message, '👍')), 'message_not_found');
  await refused(ben.put(path(message, '👎')), 'message_not_found');
  const hidden = await ada.send(group, 'y');
  await cem.delete(`/messages/${hidden.id}?for=me`);
  await refused(cem.put(path(hidden, '👍')), 'message_not_found');
  await ada.delete(`/messages/${message.id}?for=everyone`);
  await refused(cem.put(path(message, '👍')), 'invalid_operation');
  await refused(cem.delete(path(message, '👍')), 'invalid_operation');
  assert.equal((await cem.get(`/messages/${message.id}`)).reactions, undefined);
});
