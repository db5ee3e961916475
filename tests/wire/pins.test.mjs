// Pinned messages: told to everybody, listed for who sees them.
import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.mjs';
import { refused } from './lib/rest.mjs';

scenario('a message is pinned and unpinned over every path', async world => {
  const [ada, ben, eve] = await world.users('Ada', 'Ben', 'Eve');
  const group = await ada.group([ben, eve]);
  const [first, second] = [await ben.send(group, 'first'), await ben.send(group, 'second')];
  const b = await world.socketIo(ben);
  const a = await world.plain(ada);
  const pinned = await ada.put(`/conversations/${group.id}/pins/${first.id}`);
  assert.equal(pinned.pinned.by, ada.id);
  assert.match(pinned.pinned.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual((await b.next('message_updated')).message.pinned, pinned.pinned);
  const line = (await b.next('message_created', event => event.message.kind === 'system')).message;
  assert.deepEqual(line.system, { code: 'message_pinned', params: { message_id: first.id, seq: first.seq } });
  await a.command('pin_message', { message_id: second.id });
  const list = await ben.get(`/conversations/${group.id}/pins`);
  assert.deepEqual(list.items.map(item => item.id), [second.id, first.id]);
  const page = await ben.get(`/conversations/${group.id}/pins?limit=1`);
  const rest = await ben.get(`/conversations/${group.id}/pins?limit=1&cursor=${page.next_cursor}`);
  assert.deepEqual([...page.items, ...rest.items].map(item => item.id), [second.id, first.id]);
  await refused(eve.get(`/conversations/${group.id}/pins?cursor=${page.next_cursor}`), 'invalid_cursor');
  await refused(b.command('pin_message', { message_id: second.id }), 'forbidden');
  await refused(b.command('unpin_message', { message_id: second.id }), 'forbidden');
  assert.deepEqual(await a.command('unpin_message', { message_id: second.id }), {});
  await ada.delete(`/conversations/${group.id}/pins/${first.id}`);
  assert.equal(ada.status, 204);
  await ada.delete(`/conversations/${group.id}/pins/${first.id}`);
  assert.equal(ada.status, 204, 'taking it off twice is no fault');
  assert.deepEqual((await ben.get(`/conversations/${group.id}/pins`)).items, []);
  const direct = await ada.direct(ben);
  await refused(ada.put(`/conversations/${direct.id}/pins/${first.id}`), 'message_not_found');
  await refused(ada.put(`/conversations/${group.id}/pins/none`), 'message_not_found');
});
