// What messages carry: replies, mentions, custom data, times, formats.
import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.mjs';
import { refused } from './lib/rest.mjs';

async function trio(world) {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  return { ada, ben, cem, group: await ada.group([ben, cem]) };
}
const messages = conversation => `/conversations/${conversation.id}/messages`;
const unknown = '01935d5f-0000-7000-8000-000000000000';

scenario('a reply shows who wrote what it answers, at most 100 characters of it', async world => {
  const { ada, ben, cem, group } = await trio(world);
  const long = await ada.send(group, 'ü'.repeat(150));
  const reply = await ben.send(group, { text: 'yes', reply_to: long.id });
  assert.deepEqual(reply.reply_to, { message_id: long.id, seq: long.seq, state: 'visible', preview: { sender_id: ada.id, kind: 'text', text: 'ü'.repeat(100) } });
  const c = await world.plain(cem);
  const { message } = await c.command('send_message', { conversation_id: group.id, text: 'to the reply', reply_to: reply.id });
  assert.equal(message.reply_to.preview.text, 'yes');
  const place = await ada.send(group, { kind: 'location', location: { latitude: 1, longitude: 1 } });
  const there = await ben.send(group, { text: 'there?', reply_to: place.id });
  assert.equal(there.reply_to.preview.kind, 'location');
  assert.equal((await cem.get(messages(group))).items.find(item => item.id === reply.id).reply_to.state, 'visible');
});

scenario('what is answered may be deleted, cleared, or from before one came', async world => {
  const { ada, ben, cem, group } = await trio(world);
  const [one, two] = [await ada.send(group, 'one'), await ada.send(group, 'two')];
  const [first, second] = [await ben.send(group, { text: 're one', reply_to: one.id }), await ben.send(group, { text: 're two', reply_to: two.id })];
  await ada.delete(`/messages/${one.id}?for=everyone`);
  for (const user of [ada, ben, cem]) {
    const { reply_to } = await user.get(`/messages/${first.id}`);
    assert.deepEqual([reply_to.state, reply_to.message_id, reply_to.preview], ['deleted', one.id, undefined]);
  }
  await cem.delete(`/messages/${two.id}?for=me`);
  const state = async (user, message) => (await user.get(`/messages/${message.id}`)).reply_to.state;
  assert.equal(await state(cem, second), 'unavailable');
  assert.equal((await cem.get(`/messages/${second.id}`)).reply_to.preview, undefined);
  assert.equal(await state(ada, second), 'visible');
  const dora = (await world.users('Dora'))[0];
  const old = await ada.send(group, 'before Dora');
  await ada.post(`/conversations/${group.id}/members`, { user_ids: [dora.id] });
  const d = await world.socketIo(dora);
  const newer = await ada.send(group, { text: 'as I said', reply_to: old.id });
  const heard = await d.next('message_created', event => event.message.id === newer.id);
  assert.equal(heard.message.reply_to.state, 'unavailable');
  assert.ok(!JSON.stringify(heard).includes('before Dora'));
  assert.ok(!JSON.stringify(await dora.post('/sync', {})).includes('before Dora'));
  await refused(dora.post(messages(group), { text: 'x', reply_to: old.id }), 'message_not_found', 'reply_to');
  await refused(cem.post(messages(group), { text: 'x', reply_to: two.id }), 'message_not_found', 'reply_to');
  await refused(ada.post(messages(group), { text: 'x', reply_to: one.id }), 'invalid_operation');
});

scenario('one answers only what is there, in the same conversation', async world => {
  const { ada, ben, cem, group } = await trio(world);
  const direct = await ada.direct(ben);
  const elsewhere = await ada.send(direct, 'elsewhere');
  for (const user of [ada, cem]) await refused(user.post(messages(group), { text: 'x', reply_to: elsewhere.id }), 'message_not_found', 'reply_to');
  await refused(ada.post(messages(group), { text: 'x', reply_to: unknown }), 'message_not_found', 'reply_to');
  for (const reply_to of ['nonsense', 7, '']) {
    const error = await refused(ada.post(messages(group), { text: 'x', reply_to }), typeof reply_to === 'string' ? 'message_not_found' : 'invalid_argument').catch(failure => failure);
    if (error instanceof assert.AssertionError) await refused(ada.post(messages(group), { text: 'x', reply_to }), 'invalid_argument', 'reply_to');
  }
  const wide = await ada.post('/messages', { recipient_id: cem.id, text: 'x', reply_to: elsewhere.id }).catch(error => error);
  assert.equal(wide.code, 'message_not_found');
  assert.deepEqual((await ada.get('/conversations?filter=direct')).items.map(item => item.id), [direct.id], 'and no conversation came of it');
});

scenario('mentions: strangers dropped, oneself left out, each once, unread ones counted', async world => {
  const { ada, ben, cem, group } = await trio(world);
  const [eve] = await world.users('Eve');
  const sent = await ada.post(messages(group), { text: 'hi', mentions: [ben.id, eve.id, ada.id, ben.id, 'nobody-at-all', eve.id] });
  assert.deepEqual(sent.message.mentions, [ben.id]);
  assert.deepEqual([...sent.dropped_mentions].sort(), [eve.id, 'nobody-at-all'].sort());
  assert.deepEqual((await ada.post(messages(group), { text: 'plain' })).dropped_mentions, []);
  const mine = async user => { const { mention_count, unread_count } = (await user.conversation(group)).my; return [mention_count, unread_count]; };
  assert.deepEqual([await mine(ben), await mine(cem), await mine(ada)], [[1, 2], [0, 2], [0, 0]]);
  const again = await ada.send(group, { text: 'again', mentions: [ben.id] });
  assert.deepEqual(await mine(ben), [2, 3]);
  await ben.put(`/conversations/${group.id}/read`, { seq: sent.message.seq });
  assert.deepEqual(await mine(ben), [1, 2]);
  await ada.delete(`/messages/${again.id}?for=everyone`);
  assert.deepEqual(await mine(ben), [0, 1]);
  await refused(ada.post(messages(group), { text: 'x', mentions: Array.from({ length: 51 }, (_, i) => `u${i}`) }), 'invalid_argument', 'mentions');
  assert.equal((await ada.post(messages(group), { text: 'x', mentions: Array.from({ length: 50 }, (_, i) => `u${i}`) })).dropped_mentions.length, 50);
  for (const mentions of ['all', [7], [null], {}, ['x'.repeat(65)]]) {
    const error = await ada.post(messages(group), { text: 'x', mentions }).catch(failure => failure);
    assert.ok(error.code === 'invalid_argument' && error.field.startsWith('mentions'), `${JSON.stringify(mentions)}: ${error.code} ${error.field}`);
  }
});

scenario('@all counts for everyone but the one who says it, where it is allowed', async world => {
  const { ada, ben, cem, group } = await trio(world);
  const count = async user => (await user.conversation(group)).my.mention_count;
  const sent = await ada.post(messages(group), { text: '@all', mentions: ['@all'] });
  assert.deepEqual(sent.dropped_mentions, []);
  assert.deepEqual([await count(ada), await count(ben), await count(cem)], [0, 1, 1]);
  const tried = await ben.post(messages(group), { text: '@all', mentions: ['@all', cem.id] });
  if (tried.dropped_mentions.length) {
    assert.deepEqual(tried.dropped_mentions, ['@all'], 'not for plain members');
    assert.deepEqual([await count(ada), await count(cem)], [0, 2]);
  } else assert.deepEqual([await count(ada), await count(cem)], [1, 2]);
  await ada.patch(`/messages/${sent.message.id}`, { text: 'never mind', mentions: [] });
  assert.equal(await count(ben), 0);
});

scenario('silent messages count for nothing and move nothing', async world => {
  const { ada, ben, cem, group } = await trio(world);
  const direct = await ada.direct(ben);
  await ada.send(direct, 'loud');
  await ben.patch(`/conversations/${direct.id}/settings`, { archived: true });
  const before = await ben.conversation(direct);
  const quiet = await ada.send(direct, { text: 'psst', silent: true, mentions: [ben.id] });
  assert.equal(quiet.silent, true);
  const after = await ben.conversation(direct);
  assert.deepEqual([after.my.unread_count, after.my.archived, after.last_activity_at], [before.my.unread_count, true, before.last_activity_at]);
  assert.equal(after.last_seq, quiet.seq);
  await cem.post(`/conversations/${group.id}/hide`);
  await ada.send(group, { text: 'psst', silent: true });
  assert.ok(!(await cem.get('/conversations?filter=all')).items.some(item => item.id === group.id), 'does not unhide');
  await ada.send(group, 'loud');
  assert.ok((await cem.get('/conversations')).items.some(item => item.id === group.id));
});

scenario('custom data comes back as it was and is at most 8 KiB', async world => {
  const { ada, ben, group } = await trio(world);
  const data = { n: 1.5, list: [{ ü: null }], yes: true, big: 9007199254740991, text: 'x'.repeat(7_900) };
  const sent = await ada.send(group, { kind: 'custom', custom: { type: 'order', data } });
  assert.deepEqual((await ben.get(`/messages/${sent.id}`)).custom, { type: 'order', data });
  const large = { kind: 'custom', custom: { type: 'order', data: { text: 'x'.repeat(8_192) } } };
  await refused(ada.post(messages(group), large), 'payload_too_large', 'custom');
  await refused((await world.socketIo(ada)).command('send_message', { conversation_id: group.id, ...large }), 'payload_too_large', 'custom');
  const exact = { type: 'order', data: { text: '' } };
  exact.data.text = 'x'.repeat(8_192 - JSON.stringify(exact).length);
  await ada.send(group, { kind: 'custom', custom: exact });
  for (const custom of [{}, { data: {} }, { type: '' , data: {} }, { type: 'x'.repeat(65), data: {} }, { type: 'x', data: {}, more: 1 }, 'x', []]) {
    const error = await ada.post(messages(group), { kind: 'custom', custom }).catch(failure => failure);
    assert.ok(error.code === 'invalid_argument' && error.field?.startsWith('custom'), `${JSON.stringify(custom)}: ${error.code} ${error.field}`);
  }
  let deep = 1;
  for (let i = 0; i < 20; i++) deep = { a: deep };
  const nested = await ada.post(messages(group), { kind: 'custom', custom: { type: 'x', data: deep } }).catch(failure => failure);
  assert.equal(nested.code, 'invalid_argument');
  const keys = await ada.post(messages(group), { kind: 'custom', custom: { type: 'x', data: Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, 1])) } }).catch(failure => failure);
  assert.equal(keys.code, 'invalid_argument');
  await refused(ada.post(messages(group), { text: 'x', custom: { type: 'x', data: {} } }), 'invalid_argument', 'custom');
});

scenario('the client\'s time is data; formats are two', async world => {
  const { ada, group } = await trio(world);
  const sent = await ada.send(group, { text: 'x', client_time: '2001-02-03T04:05:06+02:00', format: 'markdown' });
  assert.equal(sent.client_time, '2001-02-03T02:05:06.000Z');
  assert.equal(sent.format, 'markdown');
  assert.equal((await ada.send(group, 'x')).format, 'plain');
  for (const client_time of ['today', '2001-02-03', 5, '2001-13-01T00:00:00Z']) await refused(ada.post(messages(group), { text: 'x', client_time }), 'invalid_argument', 'client_time');
  for (const format of ['html', 7, '']) await refused(ada.post(messages(group), { text: 'x', format }), 'invalid_argument', 'format');
  for (const client_id of ['', 'x'.repeat(65), 7]) await refused(ada.post(messages(group), { text: 'x', client_id }), 'invalid_argument', 'client_id');
  await ada.send(group, { text: 'x', client_id: 'ü'.repeat(32) });
});

const SOON = () => new Date(Date.now() + 3_600_000).toISOString();
scenario('locations lie on earth', async world => {
  const { ada, ben, group } = await trio(world);
  for (const [latitude, longitude] of [[90, 180], [-90, -180], [0, 0], [52.520008, 13.404954]]) {
    const { location } = await ada.send(group, { kind: 'location', location: { latitude, longitude, label: 'x'.repeat(200) } });
    assert.deepEqual([location.latitude, location.longitude], [latitude, longitude]);
  }
  const bad = [{ latitude: 90.0001, longitude: 0 }, { latitude: -91, longitude: 0 }, { latitude: 0, longitude: 180.0001 }, { latitude: 0, longitude: -181 }, { latitude: 1 }, { longitude: 1 }, {},
    { latitude: '1', longitude: 1 }, { latitude: null, longitude: 1 }, { latitude: 1, longitude: 1, label: 'x'.repeat(201) }, { latitude: 1, longitude: 1, altitude: 3 },
    { latitude: 1, longitude: 1, live_until: new Date(Date.now() - 1_000).toISOString() }, { latitude: 1, longitude: 1, live_until: 'soon' }];
  for (const location of bad) {
    const error = await ada.post(messages(group), { kind: 'location', location }).catch(failure => failure);
    assert.ok(error.code === 'invalid_argument' && error.field, `${JSON.stringify(location)}: ${error.code} ${error.field}`);
  }
  await refused(ada.post(messages(group), { kind: 'location' }), 'invalid_argument', 'location');
  const [row] = (await ben.get('/conversations')).items;
  assert.equal(row.last_message.kind, 'location');
  assert.ok(row.last_message.preview);
});

scenario('a live location moves, for its author only, until it is stopped', async world => {
  const { ada, ben, cem, group } = await trio(world);
  const live = await ada.send(group, { kind: 'location', location: { latitude: 1, longitude: 1, live_until: SOON(), label: 'on my way' } });
  const unread = (await ben.conversation(group)).my.unread_count;
  const b = await world.plain(ben);
  const moved = await ada.patch(`/messages/${live.id}/location`, { latitude: 2, longitude: -3.5 });
  assert.deepEqual([moved.location.latitude, moved.location.longitude, moved.location.label, moved.seq], [2, -3.5, 'on my way', live.seq]);
  assert.ok(moved.rev > live.rev);
  assert.equal(moved.location.live_until, live.location.live_until);
  const event = await b.next('message_updated');
  assert.deepEqual([event.rev, event.message.location.latitude], [moved.rev, 2]);
  assert.equal((await ben.conversation(group)).my.unread_count, unread);
  for (const body of [{ latitude: 91, longitude: 0 }, { latitude: 0, longitude: 181 }]) await refused(ada.patch(`/messages/${live.id}/location`, body), 'invalid_argument');
  for (const body of [{}, { latitude: 1 }, { longitude: 1 }, { stop: false }, { latitude: 1, longitude: 1, stop: true }, { latitude: '1', longitude: 1 }, { stop: 'yes' }, { label: 'x' }]) await refused(ada.patch(`/messages/${live.id}/location`, body), 'invalid_argument');
  for (const other of [ben, cem]) {
    await refused(other.patch(`/messages/${live.id}/location`, { latitude: 1, longitude: 1 }), 'forbidden');
    await refused(other.patch(`/messages/${live.id}/location`, { stop: true }), 'forbidden');
  }
  const stopped = await ada.patch(`/messages/${live.id}/location`, { stop: true });
  assert.ok(Date.parse(stopped.location.live_until) <= Date.now() + 1_000);
  await b.next('message_updated', update => update.rev === stopped.rev);
  for (const body of [{ latitude: 1, longitude: 1 }, { stop: true }]) await refused(ada.patch(`/messages/${live.id}/location`, body), 'invalid_transition');
  const still = await ada.send(group, { kind: 'location', location: { latitude: 1, longitude: 1 } });
  const text = await ada.send(group, 'x');
  await refused(ada.patch(`/messages/${text.id}/location`, { latitude: 1, longitude: 1 }), 'invalid_operation');
  const fixed = await ada.patch(`/messages/${still.id}/location`, { latitude: 1, longitude: 1 }).catch(error => error);
  assert.ok(['invalid_operation', 'invalid_transition'].includes(fixed.code));
});

scenario('a live location ends by the clock, on deletion, and with the membership', async world => {
  const { ada, ben, group } = await trio(world);
  const short = await ada.send(group, { kind: 'location', location: { latitude: 1, longitude: 1, live_until: new Date(Date.now() + 1_500).toISOString() } });
  const [kept, mine] = [await ada.send(group, { kind: 'location', location: { latitude: 1, longitude: 1, live_until: SOON() } }), await ben.send(group, { kind: 'location', location: { latitude: 1, longitude: 1, live_until: SOON() } })];
  await ada.patch(`/messages/${short.id}/location`, { latitude: 2, longitude: 2 });
  await ada.delete(`/messages/${kept.id}?for=everyone`);
  await refused(ada.patch(`/messages/${kept.id}/location`, { latitude: 2, longitude: 2 }), 'invalid_operation');
  await ada.delete(`/conversations/${group.id}/members/${ben.id}`);
  await refused(ben.patch(`/messages/${mine.id}/location`, { latitude: 2, longitude: 2 }), 'message_not_found');
  await world.eventually(() => refused(ada.patch(`/messages/${short.id}/location`, { latitude: 3, longitude: 3 }), 'invalid_transition'));
  assert.equal((await ada.get(`/messages/${short.id}`)).kind, 'location');
});
