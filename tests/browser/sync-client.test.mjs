// The replica without a browser: node --test tests/browser/

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SyncClient } from '../../examples/server/web/sync-client.js';

const at = seq => `2026-11-20T08:00:${String(seq).padStart(2, '0')}.000Z`;
const message = (seq, rev, more = {}) => ({ id: `m${seq}`, conversation_id: 'c', seq, rev, kind: 'text', text: `t${seq}`, sender: { id: 'ben', name: 'Ben' }, created_at: at(seq), ...more });
const conversation = (rev, last, more = {}) => ({
  id: 'c', kind: 'direct', rev, last_seq: last, created_at: at(0), last_activity_at: at(last), members: [{ user: { id: 'ada' }, joined_at: at(0), delivered_seq: 0, read_seq: 0 }, { user: { id: 'ben' }, joined_at: at(0), delivered_seq: 0, read_seq: 0 }],
  my: { read_seq: 0, delivered_seq: 0, unread_count: last, mention_count: 0, visible_from_seq: 1 }, ...more,
});
const answer = (conversations, more = {}) => ({ conversations, removed: [], blocks: { added: [], removed: [] }, badge: {}, token: 't1', has_more: false, ...more });
const created = (seq, rev, more) => ['message_created', { conversation_id: 'c', seq, rev, message: message(seq, rev, more) }];

function replica(answers, pages = []) {
  const asked = [];
  const client = new SyncClient({
    userId: 'ada',
    command: async (op, data) => { asked.push(data); const next = answers.shift(); if (next instanceof Error) throw next; return typeof next === 'function' ? next() : next; },
    history: async () => pages.shift(),
    conversation: async () => conversation(9, 1),
  });
  return { client, asked };
}

test('live events that come during a sync wait, and known revs are dropped', async () => {
  const { client } = replica([() => {
    client.receive(...created(2, 2));
    client.receive(...created(3, 3));
    assert.equal(client.conversations.size, 0);
    return answer([{ conversation: conversation(2, 2), messages: [], limited: false }]);
  }]);
  await client.synchronise();
  const c = client.conversations.get('c');
  assert.deepEqual([c.rev, c.last_seq, c.my.unread_count], [3, 3, 3]);
  client.receive(...created(3, 3));
  assert.equal(c.my.unread_count, 3);
});

test('a token that is too old starts over', async () => {
  const { client, asked } = replica([answer([]), Object.assign(new Error(), { code: 'reset_required' }), answer([{ conversation: conversation(1, 1), messages: [], limited: true }])]);
  await client.synchronise();
  await client.synchronise();
  assert.deepEqual(asked, [{}, { token: 't1' }, {}]);
  assert.equal(client.conversations.size, 1);
});

test('history and live events join without a gap; a missed range is fetched', async () => {
  const page = (from, to) => ({ items: Array.from({ length: to - from + 1 }, (_, i) => message(from + i, from + i)), range: { from, to }, has_more_before: from > 1, has_more_after: false });
  const { client } = replica([answer([{ conversation: conversation(4, 4), messages: [], limited: false }])], [page(3, 4), page(1, 2), page(5, 7)]);
  await client.synchronise();
  await client.load('c');
  await client.load('c', true);
  client.receive(...created(7, 7));
  await new Promise(setImmediate);
  assert.deepEqual(client.messages('c').map(m => m.seq), [1, 2, 3, 4, 5, 6, 7]);
});

test('an ack that overtakes an event loses nothing', async () => {
  const { client } = replica([answer([{ conversation: conversation(1, 1), messages: [], limited: false }])], [{ items: [message(1, 1)], range: { from: 1, to: 1 }, has_more_before: false }, { items: [message(2, 2), message(3, 3, { sender: { id: 'ada' } })], range: { from: 2, to: 3 }, has_more_after: false }]);
  await client.synchronise();
  await client.load('c');
  client.take(message(3, 3, { sender: { id: 'ada' } }));
  client.receive(...created(2, 2));
  await new Promise(setImmediate);
  assert.deepEqual(client.messages('c').map(m => m.seq), [1, 2, 3]);
});

test('ticks follow the marks of all members and never go back', async () => {
  const { client } = replica([answer([{ conversation: conversation(1, 1), messages: [], limited: false }])]);
  await client.synchronise();
  const mine = message(1, 1, { sender: { id: 'ada' }, status: 'sent' });
  const receipt = (rev, delivered_seq, read_seq) => client.receive('receipt_updated', { conversation_id: 'c', rev, user_id: 'ben', delivered_seq, read_seq });
  assert.equal(client.statusOf(mine), 'sent');
  receipt(2, 1, 0);
  assert.equal(client.statusOf(mine), 'delivered');
  receipt(3, 1, 1);
  receipt(4, 0, 0);
  assert.equal(client.statusOf(mine), 'read');
});

test('tombstones and messages gone for this user', async () => {
  const { client } = replica([answer([{ conversation: conversation(2, 2), messages: [], limited: false }])], [{ items: [message(1, 1), message(2, 2)], range: { from: 1, to: 2 }, has_more_before: false }]);
  await client.synchronise();
  await client.load('c');
  client.receive('message_deleted', { conversation_id: 'c', seq: 1, rev: 3, message: message(1, 3, { text: undefined, deleted: { by: 'author' } }) });
  client.receive('message_deleted', { conversation_id: 'c', seq: 2, rev: 4, message: { id: 'm2', conversation_id: 'c', seq: 2, rev: 4, gone: true } });
  assert.deepEqual(client.messages('c').map(m => [m.seq, m.deleted?.by]), [[1, 'author']]);
});
