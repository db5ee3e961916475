// Stars and former texts over every path.
import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.mjs';
import { refused } from './lib/rest.mjs';

scenario('a star is told to own sessions only', async world => {
  const [ada, ben, eve] = await world.users('Ada', 'Ben', 'Eve');
  const direct = await ada.direct(ben);
  const message = await ben.send(direct, 'remember');
  const [here, there, b] = [await world.socketIo(ada), await world.plain(ada), await world.socketIo(ben)];
  const { token } = await here.command('sync', {});
  assert.equal((await here.command('star_message', { message_id: message.id })).message.starred, true);
  const heard = await there.next('star_changed');
  assert.deepEqual({ ...heard, user_rev: 0 }, { user_rev: 0, conversation_id: direct.id, message_id: message.id, starred: true });
  assert.equal((await ada.put(`/messages/${message.id}/star`)).starred, true);
  assert.deepEqual((await ada.get('/starred')).items.map(item => item.id), [message.id]);
  assert.deepEqual((await ada.get(`/starred?conversation_id=${direct.id}`)).items.map(item => item.starred), [true]);
  assert.deepEqual((await ben.get('/starred')).items, []);
  const synced = await here.command('sync', { token });
  assert.deepEqual(synced.stars, { added: [{ conversation_id: direct.id, message_id: message.id, seq: message.seq }], removed: [] });
  assert.equal((await there.command('unstar_message', { message_id: message.id })).message.starred, undefined);
  await here.next('star_changed', event => event.starred === false);
  await ada.delete(`/messages/${message.id}/star`);
  assert.deepEqual((await ada.get('/starred')).items, []);
  assert.deepEqual((await here.command('sync', { token: synced.token })).stars.removed.map(star => star.message_id), [message.id]);
  await b.silent('star_changed');
  await refused(eve.put(`/messages/${message.id}/star`), 'message_not_found');
  await refused(eve.get(`/starred?conversation_id=${direct.id}`), 'conversation_not_found');
});

scenario('admins read what an edited message said before', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const message = await ben.send(group, 'first');
  await ben.patch(`/messages/${message.id}`, { text: 'second' });
  await ben.patch(`/messages/${message.id}`, { text: 'third' });
  const { items } = await ada.get(`/messages/${message.id}/edits`);
  assert.deepEqual(items.map(item => [item.version, item.text]), [[2, 'second'], [1, 'first']]);
  assert.match(items[0].edited_at, /Z$/);
  await refused(cem.get(`/messages/${message.id}/edits`), 'forbidden');
  await ben.delete(`/messages/${message.id}?for=everyone`);
  assert.deepEqual((await ada.get(`/messages/${message.id}/edits`)).items, []);
});

scenario('a reaction is toggled over every path', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const message = await ada.send(await ada.direct(ben), 'x');
  const b = await world.plain(ben);
  const path = `/messages/${message.id}/reactions/${encodeURIComponent('👍')}`;
  const emoji = encodeURIComponent('👍');
  assert.equal((await ben.post(`/messages/${message.id}/reactions/${emoji}`, undefined)).reactions[0].count, 1);
  assert.equal((await b.command('toggle_reaction', { message_id: message.id, emoji: '👍' })).message.reactions, undefined);
  assert.equal((await ada.put(path)).reactions[0].mine, true);
});
