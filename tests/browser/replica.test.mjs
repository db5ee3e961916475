// The parts of the page's replica beside sync and live order: pins, stars, scheduled messages, what expires and is purged.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mentionsIn } from '../../examples/server/web/mentions.js';
import { expire } from '../../examples/server/web/replica-expiry.js';
import { Pins } from '../../examples/server/web/replica-pins.js';
import { SyncClient } from '../../examples/server/web/sync-client.js';
import { wordsOf } from '../../examples/server/web/words.js';

const at = seq => `2026-11-20T08:00:${String(seq).padStart(2, '0')}.000Z`;
const message = (seq, rev, more = {}) => ({ id: `m${seq}`, conversation_id: 'c', seq, rev, kind: 'text', text: `t${seq}`, sender: { id: 'ben', name: 'Ben' }, created_at: at(seq), ...more });
const conversation = (rev, last, more = {}) => ({
  id: 'c', kind: 'group', rev, last_seq: last, first_seq: 1, created_at: at(0), last_activity_at: at(last), members: [{ user: { id: 'ada' }, role: 'member', joined_at: at(0), delivered_seq: 0, read_seq: 0 }],
  my: { read_seq: last, delivered_seq: last, unread_count: 0, mention_count: 0, visible_from_seq: 1 }, ...more,
});
const sync = (more = {}) => ({ conversations: [], removed: [], blocks: { added: [], removed: [] }, stars: { added: [], removed: [] }, badge: {}, token: 't', has_more: false, ...more });

/** A replica that knows messages 4 to 6 of a conversation of 6. */
async function loaded(answers = [], fresh = conversation(90, 6)) {
  const queue = [sync({ conversations: [{ conversation: conversation(6, 6), messages: [], limited: false }] }), ...answers];
  const client = new SyncClient({
    userId: 'ada', command: async () => queue.shift(), conversation: async () => fresh,
    history: async () => ({ items: [4, 5, 6].map(seq => message(seq, seq)), range: { from: 4, to: 6 }, has_more_before: true }),
  });
  await client.synchronise();
  await client.load('c');
  return client;
}
const seqs = client => client.messages('c').map(m => m.seq);
const updated = (seq, rev, more) => ['message_updated', { conversation_id: 'c', seq, rev, message: message(seq, rev, more) }];

test('a change of a message that was not loaded leaves no gap in what is known', async () => {
  const client = await loaded();
  client.receive(...updated(2, 7, { text: 'edited' }));
  assert.deepEqual(seqs(client), [4, 5, 6]);
});

test('a conversation that was read alone hides no event that is still on its way', async () => {
  const client = await loaded();
  client.put(conversation(9, 7));
  client.receive(...updated(5, 7, { text: 'edited' }));
  client.receive('message_created', { conversation_id: 'c', seq: 7, rev: 8, message: message(7, 8) });
  client.receive(...updated(5, 7, { text: 'told twice' }));
  assert.deepEqual(client.messages('c').map(m => m.text), ['t4', 'edited', 't6', 't7']);
  assert.equal(client.conversations.get('c').my.unread_count, 0, 'it was counted by the server already');
});

test('lines of the engine do not stand in the list', async () => {
  const client = await loaded();
  client.receive('message_created', { conversation_id: 'c', seq: 7, rev: 7, message: message(7, 7) });
  client.receive('message_created', { conversation_id: 'c', seq: 8, rev: 8, message: message(8, 8, { kind: 'system', text: undefined, system: { code: 'message_pinned', params: {} } }) });
  assert.equal(client.conversations.get('c').last_message.preview, 't7');
  assert.equal(client.conversations.get('c').last_seq, 8);
});

test('the list tells no more of a blocked user than that he wrote', async () => {
  const client = await loaded();
  client.receive('message_created', { conversation_id: 'c', seq: 7, rev: 7, message: message(7, 7, { from_blocked: true }) });
  assert.equal(client.conversations.get('c').last_message.preview, 'Message');
  assert.equal(client.conversations.get('c').my.unread_count, 0);
});

test('pins follow what is heard, of messages that are not loaded too', async () => {
  const client = await loaded();
  await client.pins.load('c', async () => ({ items: [message(5, 6, { pinned: { at: at(6), by: 'ben' } })] }));
  client.receive(...updated(1, 7, { pinned: { at: at(7), by: 'ada' } }));
  assert.deepEqual(client.pins.of('c').map(m => m.seq), [1, 5]);
  client.receive(...updated(5, 8));
  client.receive('message_deleted', { conversation_id: 'c', seq: 1, rev: 9, message: message(1, 9, { text: undefined, deleted: { by: 'author' } }) });
  assert.deepEqual(client.pins.of('c'), []);
});

test('a pin that comes while the list is read is not lost', async () => {
  const pins = new Pins();
  const answers = [[], [message(3, 3, { pinned: { at: at(3), by: 'ben' } })]];
  await pins.load('c', async () => {
    const items = answers.shift();
    if (answers.length) pins.note(message(3, 3, { pinned: { at: at(3), by: 'ben' } }));
    return { items };
  });
  assert.deepEqual(pins.of('c').map(m => m.seq), [3]);
});

test('stars of other devices come by event and by sync', async () => {
  const client = await loaded([sync({ stars: { added: [{ conversation_id: 'c', message_id: 'm5', seq: 5 }], removed: [{ conversation_id: 'c', message_id: 'm4', seq: 4 }] } }), sync({ stars: { added: [], removed: [], limited: true } })]);
  const starred = () => client.messages('c').filter(m => m.starred).map(m => m.seq);
  client.receive('star_changed', { user_rev: 3, conversation_id: 'c', message_id: 'm4', starred: true });
  assert.deepEqual(starred(), [4]);
  await client.synchronise();
  assert.deepEqual(starred(), [5]);
  await client.synchronise();
  assert.equal(client.timelines.has('c'), false);
});

test('scheduled messages: by sync and event, the next one first, settled ones go', async () => {
  const one = (id, send_at, more = {}) => ({ id, conversation_id: 'c', send_at, state: 'pending', version: 1, message: {}, ...more });
  const client = await loaded([sync({ scheduled: [one('late', at(50)), one('soon', at(10))] })]);
  await client.synchronise();
  const ids = () => client.personal.scheduledFor('c').map(s => s.id);
  assert.deepEqual(ids(), ['soon', 'late']);
  client.receive('scheduled_changed', { user_rev: 4, scheduled: one('soon', at(55), { version: 2 }) });
  client.receive('scheduled_changed', { user_rev: 3, scheduled: one('soon', at(10)) });
  assert.deepEqual(ids(), ['late', 'soon']);
  client.receive('scheduled_changed', { user_rev: 5, scheduled: one('late', at(50), { version: 2, state: 'sent' }) });
  client.receive('scheduled_changed', { user_rev: 6, scheduled: one('soon', at(55), { version: 3, state: 'failed' }) });
  assert.deepEqual(client.personal.scheduledFor().map(s => s.state), ['failed']);
});

test('what expires leaves the screen at its time, from the list too', async () => {
  const client = await loaded();
  client.receive('message_created', { conversation_id: 'c', seq: 7, rev: 7, message: message(7, 7, { expires_at: at(30) }) });
  client.receive('message_created', { conversation_id: 'c', seq: 8, rev: 8, message: message(8, 8, { expires_at: at(40) }) });
  assert.equal(expire(client, Date.parse(at(29))), Date.parse(at(30)));
  assert.deepEqual(seqs(client), [4, 5, 6, 7, 8]);
  assert.equal(expire(client, Date.parse(at(30))), Date.parse(at(40)));
  assert.deepEqual(seqs(client), [4, 5, 6, 8]);
  assert.equal(expire(client, Date.parse(at(41))), Infinity);
  assert.equal(client.conversations.get('c').last_message, undefined);
  await new Promise(setImmediate);
  assert.equal(client.conversations.get('c').rev, 90, 'the server is asked what is the newest now');
});

test('what was purged for everyone, or cleared, is dropped', async () => {
  const client = await loaded();
  client.receive('conversation_updated', { conversation_id: 'c', rev: 7, changed: { first_seq: 5 } });
  assert.deepEqual(seqs(client), [5, 6]);
  client.receive('inbox_updated', { conversation_id: 'c', user_rev: 3, visible_from_seq: 7, badge: {} });
  assert.deepEqual(seqs(client), []);
});

test('who may not write until when is shown where it is told', async () => {
  const client = await loaded([], conversation(90, 6));
  client.receive('members_changed', { conversation_id: 'c', rev: 7, added: [], removed: [], roles: {}, muted: { ada: 'forever' } });
  assert.equal(client.conversations.get('c').members[0].muted_until, 'forever');
  client.receive('members_changed', { conversation_id: 'c', rev: 8, added: [], removed: [], roles: {}, muted: { ada: null } });
  assert.equal(client.conversations.get('c').members[0].muted_until, undefined);
});

test('mentions: whole names only, the longest of those that begin alike', () => {
  const users = [{ id: '1', name: 'Ben' }, { id: '2', name: 'Ben Long' }, { id: '@all', name: 'all' }];
  assert.deepEqual(mentionsIn('@Ben Long and @Ben, hello @Benno, ben@Ben.example', users), ['2', '1']);
  assert.deepEqual(mentionsIn('@all! @alle @Ben Longer', users), ['@all', '1']);
  assert.deepEqual(mentionsIn('nobody', users), []);
});

test('refusals are told in words', () => {
  assert.equal(wordsOf({ code: 'rate_limited', retry_after_ms: 1500 }), 'Too fast. Try again in 2 s.');
  assert.equal(wordsOf({ code: 'invalid_argument', field: 'note', detail: 'at most 1,000 characters' }), 'Note: at most 1,000 characters');
  assert.equal(wordsOf({ code: 'not_permitted', detail: 'the conversation is frozen' }), 'The conversation is frozen');
  assert.equal(wordsOf({ code: 'something_new' }), 'Something new');
});
