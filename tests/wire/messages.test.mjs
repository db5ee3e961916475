// What becomes of a message after it was sent: edits, reactions, replies, deletions, and who hears of them.
import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.mjs';
import { refused } from './lib/rest.mjs';

scenario('edit, react, reply and delete reach every session but the one that asked', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const [a, other, b] = [await world.socketIo(ada), await world.plain(ada), await world.plain(ben)];
  const { message } = await a.command('send_message', { conversation_id: direct.id, text: 'frist' });
  await other.next('message_created');
  await b.next('message_created');

  const edited = (await a.command('edit_message', { message_id: message.id, text: 'first', expected_version: 1 })).message;
  assert.equal(edited.version, 2);
  assert.ok(edited.edited_at);
  assert.equal(edited.seq, message.seq);
  for (const session of [other, b]) assert.equal((await session.next('message_updated')).message.text, 'first');
  const stale = await refused(ada.patch(`/messages/${message.id}`, { text: 'again', expected_version: 1 }), 'version_conflict');
  assert.equal(stale.code, 'version_conflict');
  await refused(ben.patch(`/messages/${message.id}`, { text: 'mine' }), 'forbidden');

  const reacted = (await b.command('add_reaction', { message_id: message.id, emoji: '👍' })).message;
  assert.deepEqual(reacted.reactions, [{ emoji: '👍', count: 1, mine: true, users: [ben.id] }]);
  assert.deepEqual((await a.next('message_updated')).message.reactions, [{ emoji: '👍', count: 1, mine: false, users: [ben.id] }]);
  await ada.put(`/messages/${message.id}/reactions/${encodeURIComponent('👍')}`);
  assert.equal((await b.next('message_updated')).message.reactions[0].count, 2);
  await ada.delete(`/messages/${message.id}/reactions/${encodeURIComponent('👍')}`);
  await b.next('message_updated', event => event.message.reactions[0].count === 1);
  await b.command('remove_reaction', { message_id: message.id, emoji: '👍' });
  await a.next('message_updated', event => !event.message.reactions?.length);

  const { message: reply } = await b.command('send_message', { conversation_id: direct.id, text: 'second', reply_to: message.id });
  assert.equal(reply.reply_to.state, 'visible');
  assert.equal(reply.reply_to.preview.text, 'first');
  assert.equal((await a.next('message_created')).message.reply_to.message_id, message.id);

  b.forget();
  await a.command('delete_message', { message_id: message.id, for: 'everyone' });
  const deleted = await b.next('message_deleted');
  assert.equal(deleted.seq, message.seq);
  assert.equal(deleted.message.deleted.by, 'author');
  assert.equal(deleted.message.text, undefined);
  assert.equal((await ben.get(`/messages/${reply.id}`)).reply_to.state, 'deleted');
  await refused(ada.patch(`/messages/${message.id}`, { text: 'undead' }), 'invalid_operation');
  await refused(b.command('add_reaction', { message_id: message.id, emoji: '👍' }), 'invalid_operation');
  await refused(b.command('send_message', { conversation_id: direct.id, text: 'x', reply_to: message.id }), 'invalid_operation');
  await ada.delete(`/messages/${message.id}?for=everyone`);
  assert.equal(ada.status, 204, 'deleting twice is no fault');
  assert.deepEqual((await ada.get('/search/messages?q=first')).items.filter(found => found.conversation_id === direct.id), []);
});

scenario('deleting for oneself is nobody else\'s business', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const message = await ada.send(direct, 'both see it');
  await ada.send(direct, 'stays');
  const [here, there, b] = [await world.socketIo(ada), await world.plain(ada), await world.socketIo(ben)];
  await here.command('delete_message', { message_id: message.id, for: 'me' });
  const gone = await there.next('message_deleted');
  assert.deepEqual({ ...gone.message, rev: undefined }, { id: message.id, conversation_id: direct.id, seq: message.seq, rev: undefined, gone: true });
  await b.silent('message_deleted');
  assert.deepEqual(await ada.texts(direct), ['stays']);
  assert.deepEqual(await ben.texts(direct), ['both see it', 'stays']);
  await refused(ada.get(`/messages/${message.id}`), 'message_not_found');
});

scenario('only the author and moderators delete for everyone', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const message = await ben.send(group, 'mine');
  await refused(cem.delete(`/messages/${message.id}?for=everyone`), 'forbidden');
  await ada.delete(`/messages/${message.id}?for=everyone`);
  assert.equal((await cem.get(`/messages/${message.id}`)).deleted.by, 'moderator');
  await refused(ben.delete(`/messages/${message.id}`), 'invalid_argument', 'for');
});

scenario('clear and hide empty one\'s own side only', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  await ben.send(direct, 'old');
  const a = await world.plain(ada);
  await ada.post(`/conversations/${direct.id}/clear`);
  const cleared = await a.next('inbox_updated');
  assert.equal(cleared.unread_count, 0);
  assert.ok(cleared.visible_from_seq > 1);
  assert.deepEqual(await ada.texts(direct), []);
  assert.deepEqual(await ben.texts(direct), ['old']);
  await ada.post(`/conversations/${direct.id}/hide`);
  const listed = async () => (await ada.get('/conversations')).items.some(item => item.id === direct.id);
  assert.equal(await listed(), false);
  await ben.send(direct, 'new');
  assert.equal(await listed(), true, 'something new brings it back');
  assert.deepEqual(await ada.texts(direct), ['new']);
});

scenario('history pages cover closed ranges', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  for (let i = 1; i <= 7; i++) await ada.send(direct, `m${i}`);
  const newest = await ben.get(`/conversations/${direct.id}/messages?limit=3`);
  assert.deepEqual(newest.items.map(item => item.text), ['m7', 'm6', 'm5']);
  assert.equal(newest.has_more_before, true);
  assert.equal(newest.has_more_after, false);
  const older = await ben.get(`/conversations/${direct.id}/messages?limit=10&before=${newest.range.from}&order=asc`);
  assert.deepEqual(older.items.filter(item => item.kind === 'text').map(item => item.text), ['m1', 'm2', 'm3', 'm4']);
  assert.equal(older.range.to, newest.range.from - 1);
  const around = await ben.get(`/conversations/${direct.id}/messages?limit=3&around=${newest.items[2].seq}`);
  assert.ok(around.items.some(item => item.seq === newest.items[2].seq));
  await refused(ben.get(`/conversations/${direct.id}/messages?before=1&after=1`), 'invalid_argument');
  await refused(ben.get(`/conversations/${direct.id}/messages?limit=101`), 'invalid_argument', 'limit');
});

scenario('meetings and live locations go their ways', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const b = await world.socketIo(ben);
  const later = hours => new Date(Date.now() + hours * 3_600_000).toISOString();
  const meeting = await ada.send(direct, { kind: 'meeting', meeting: { place: 'Café', scheduled_at: later(24), note: 'bring cake' } });
  assert.equal(meeting.meeting.status, 'pending');
  await refused(ada.post(`/messages/${meeting.id}/meeting`, { action: 'confirm', expected_version: 1 }), 'forbidden');
  const moved = await ben.post(`/messages/${meeting.id}/meeting`, { action: 'reschedule', expected_version: 1, scheduled_at: later(48) });
  assert.equal(moved.meeting.status, 'rescheduled');
  assert.equal(moved.meeting.proposed_by, ben.id);
  const confirmed = await ada.post(`/messages/${meeting.id}/meeting`, { action: 'confirm', expected_version: moved.meeting.version });
  assert.equal(confirmed.meeting.status, 'confirmed');
  await b.next('message_updated', event => event.message.meeting?.status === 'confirmed');
  const text = await ada.send(direct, 'plain');
  await refused(ben.post(`/messages/${text.id}/meeting`, { action: 'cancel', expected_version: 1 }), 'invalid_operation');

  const here = await ada.send(direct, { kind: 'location', location: { latitude: 48.1, longitude: 11.5, label: 'Here', live_until: later(1) } });
  const there = await ada.patch(`/messages/${here.id}/location`, { latitude: 48.2, longitude: 11.6 });
  assert.equal(there.location.latitude, 48.2);
  await b.next('message_updated', event => event.message.location?.latitude === 48.2);
  await ada.patch(`/messages/${here.id}/location`, { stop: true });
  await refused(ada.patch(`/messages/${here.id}/location`, { latitude: 1, longitude: 1 }), 'invalid_transition');
});
