// Copies of messages in other conversations, over every path, with their files.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { scenario } from './lib/scenario.mjs';
import { refused } from './lib/rest.mjs';
import { PNG } from './lib/files.mjs';

scenario('a message is forwarded over every path, once per client id', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const [direct, other] = [await ada.direct(ben), await ben.direct(cem)];
  const message = await ada.send(direct, 'pass it on');
  const [b, plain, c] = [await world.socketIo(ben), await world.plain(ben), await world.socketIo(cem)];
  const forward = { message_id: message.id, conversation_id: other.id, client_id: randomUUID() };
  const sent = await b.command('forward_message', forward);
  assert.deepEqual(sent.message.forwarded, { sender_id: ada.id, name: 'Ada' });
  assert.equal(sent.replayed, false);
  assert.deepEqual((await c.next('message_created')).message.forwarded, { sender_id: ada.id, name: 'Ada' });
  assert.equal((await plain.next('message_created')).message.text, 'pass it on');
  const { message_id: _, ...body } = forward;
  const again = await ben.post(`/messages/${message.id}/forward`, body);
  assert.equal(ben.status, 200);
  assert.deepEqual([again.replayed, again.message.id], [true, sent.message.id]);
  assert.equal((await plain.command('forward_message', forward)).replayed, true);
  const made = await ada.post(`/messages/${message.id}/forward`, { recipient_id: cem.id });
  assert.equal(ada.status, 201);
  assert.equal(made.conversation.peer.id, cem.id);
  await refused(cem.post(`/messages/${message.id}/forward`, { conversation_id: other.id }), 'message_not_found');
  await refused(ben.post(`/messages/${message.id}/forward`, {}), 'invalid_argument', 'conversation_id');
  await refused(ben.post(`/messages/${message.id}/forward`, { conversation_id: other.id, text: 'changed' }), 'invalid_argument', 'text');
});

scenario('a forwarded file is there until the last message that shows it goes', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const [direct, other] = [await ada.direct(ben), await ben.direct(cem)];
  const file = await ada.upload(PNG, 'a.png', 'image/png');
  const message = await ada.send(direct, { kind: 'image', attachment_ids: [file.id] });
  const bytes = async who => (await who.raw('GET', `/attachments/${file.id}/content`)).status;
  assert.equal(await bytes(cem), 404);
  const { message: copy } = await ben.post(`/messages/${message.id}/forward`, { conversation_id: other.id });
  assert.equal(copy.attachments[0].id, file.id);
  assert.equal(await bytes(cem), 200);
  await ada.delete(`/messages/${message.id}?for=everyone`);
  assert.deepEqual([await bytes(ben), await bytes(cem)], [200, 200]);
  await ben.delete(`/messages/${copy.id}?for=everyone`);
  assert.deepEqual([await bytes(ada), await bytes(ben), await bytes(cem)], [404, 404, 404]);
});
