// Files: typed by content, seen by members only, used once.
import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.mjs';
import { refused } from './lib/rest.mjs';

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');

scenario('a picture from upload to the other side\'s screen', async world => {
  const [ada, ben, eve] = await world.users('Ada', 'Ben', 'Eve');
  const direct = await ada.direct(ben);
  const file = await ada.upload(PNG, '../../etc/pass wd.png', 'application/octet-stream');
  assert.equal(file.kind, 'image');
  assert.equal(file.mime_type, 'image/png');
  assert.equal(file.size, PNG.length);
  assert.deepEqual([file.width, file.height], [1, 1]);
  assert.ok(!file.filename.includes('/'));
  await refused(ben.get(`/attachments/${file.id}`), 'attachment_not_found');
  const message = await ada.send(direct, { kind: 'image', attachment_ids: [file.id] });
  assert.equal(message.attachments[0].id, file.id);
  assert.equal((await ben.conversation(direct)).last_message.preview, 'Photo');
  assert.equal((await ben.get(`/attachments/${file.id}`)).filename, file.filename);
  const whole = await ben.raw('GET', `/attachments/${file.id}/content`);
  assert.equal(whole.status, 200);
  assert.deepEqual(whole.bytes, PNG);
  assert.equal(whole.headers.get('x-content-type-options'), 'nosniff');
  const piece = await ben.raw('GET', `/attachments/${file.id}/content`, { headers: { range: 'bytes=1-3' } });
  assert.equal(piece.status, 206);
  assert.equal(piece.bytes.toString(), 'PNG');
  await refused(eve.get(`/attachments/${file.id}`), 'attachment_not_found');
  assert.equal((await eve.raw('GET', `/attachments/${file.id}/content`)).status, 404);
  await refused(ada.post(`/conversations/${direct.id}/messages`, { kind: 'image', attachment_ids: [file.id] }), 'conflict', 'attachment_ids');
  await refused(ada.delete(`/attachments/${file.id}`), 'conflict');
  await ada.delete(`/messages/${message.id}?for=everyone`);
  assert.equal((await ben.raw('GET', `/attachments/${file.id}/content`)).status, 404);
});

scenario('others\' files cannot be used, unused ones can be deleted', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const file = await ada.upload(PNG, 'a.png', 'image/png');
  await refused(ben.post(`/conversations/${direct.id}/messages`, { kind: 'image', attachment_ids: [file.id] }), 'attachment_not_found');
  await ada.delete(`/attachments/${file.id}`);
  await refused(ada.get(`/attachments/${file.id}`), 'attachment_not_found');
});

scenario('programs and pages are not taken as pictures', async world => {
  const [ada] = await world.users('Ada');
  const program = Buffer.concat([Buffer.from('MZ'), Buffer.alloc(600)]);
  await refused(ada.upload(program, 'cat.png', 'image/png'), 'unsupported_media_type');
  const page = await ada.upload(Buffer.from('<html><script>alert(1)</script></html>'), 'a.html', 'text/html').catch(error => error);
  if (page.id) {
    const answer = await ada.raw('GET', `/attachments/${page.id}/content`);
    assert.match(answer.headers.get('content-disposition'), /^attachment/);
  } else assert.equal(page.code, 'unsupported_media_type');
});

scenario('an upload over the limit is cut', async world => {
  const [ada] = await world.users('Ada');
  const large = Buffer.concat([PNG, Buffer.alloc(26 * 1024 * 1024)]);
  try {
    await refused(ada.upload(large, 'large.png', 'image/png'), 'payload_too_large');
  } catch (error) {
    // The server may close before everything was sent; then there is no answer to read.
    if (error.name === 'AssertionError') throw error;
  }
});
