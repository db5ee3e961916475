// Files: what is taken, how it is named, who gets it back and how.
import assert from 'node:assert/strict';
import { scenario } from './lib/scenario.mjs';
import { refused, patiently } from './lib/rest.mjs';
import { ELF, EXE, GIF, HTML, JPEG, MP4, PDF, PNG, SVG, WAV, multipart, part } from './lib/files.mjs';

const MAX = 25 * 1024 * 1024;
const post = (user, ...parts) => patiently(() => user.raw('POST', '/attachments', multipart(...parts)), reply => reply.json);
/** The Attachment of an upload that is taken. */
async function taken(user, ...parts) {
  const answer = await post(user, ...parts);
  assert.equal(answer.status, 201, answer.bytes.toString());
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  return answer.json;
}
async function turnedDown(user, code, field, ...parts) {
  const answer = await post(user, ...parts);
  assert.equal(answer.json?.code, code, answer.bytes.toString().slice(0, 200));
  if (field) assert.equal(answer.json.field, field);
  assert.match(answer.type, /^application\/problem\+json/);
  return answer;
}
const content = (user, file, headers = {}) => user.raw('GET', `/attachments/${file.id}/content`, { headers });

for (const [what, body, filename, type, kind, mime] of [
  ['PNG', PNG, 'a.png', 'image/png', 'image', 'image/png'], ['least JPEG', JPEG, 'a.jpg', 'image/jpeg', 'image', 'image/jpeg'], ['GIF', GIF, 'a.gif', 'image/gif', 'image', 'image/gif'],
  ['PDF', PDF, 'a.pdf', 'application/pdf', 'file', 'application/pdf'], ['text', Buffer.from('plain text\n'), 'a.txt', 'text/plain', 'file', 'text/plain'],
  ['MP4', MP4, 'a.mp4', 'video/mp4', 'video', 'video/mp4'], ['WAV', WAV, 'a.wav', 'audio/wav', 'audio', 'audio/wav'],
  ['PNG that calls itself a program', PNG, 'a.exe', 'application/x-msdownload', 'image', 'image/png'], ['PNG without any type', PNG, 'a', '', 'image', 'image/png'],
]) {
  scenario(`a ${what} is taken for what it is`, async world => {
    const [ada] = await world.users('Ada');
    const file = await taken(ada, part(body, { filename, type }));
    assert.deepEqual([file.kind, file.mime_type, file.size, file.filename, file.url], [kind, mime, body.length, filename, `/api/attachments/${file.id}/content`]);
    if (what === 'PNG') assert.deepEqual([file.width, file.height], [1, 1]);
    assert.ok(!Object.values(file).includes(null));
    assert.deepEqual(await ada.get(`/attachments/${file.id}`), file);
    const answer = await content(ada, file);
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.bytes, body);
    assert.equal(answer.type.split(';')[0], mime);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    assert.match(answer.headers.get('content-security-policy'), /sandbox/);
    assert.match(answer.headers.get('content-disposition'), kind === 'file' ? /^attachment/ : /^(inline|attachment)/);
    assert.equal(answer.headers.get('accept-ranges'), 'bytes');
    assert.match(answer.headers.get('cache-control'), /no-store/);
    assert.equal(Number(answer.headers.get('content-length')), body.length);
  });
}

for (const [what, body, filename, type] of [
  ['Windows program', EXE, 'a.exe', 'application/octet-stream'], ['Windows program as a picture', EXE, 'a.png', 'image/png'], ['ELF program', ELF, 'a', 'application/octet-stream'], ['ELF program as a picture', ELF, 'a.jpg', 'image/jpeg'],
  ['HTML page', HTML, 'a.html', 'text/html'], ['HTML page as text', HTML, 'a.txt', 'text/plain'], ['HTML page as a picture', HTML, 'a.png', 'image/png'], ['SVG', SVG, 'a.svg', 'image/svg+xml'], ['SVG as PNG', SVG, 'a.png', 'image/png'],
  ['XML with SVG', Buffer.concat([Buffer.from('<?xml version="1.0"?>'), SVG]), 'a.svg', 'image/svg+xml'], ['shell script', Buffer.from('#!/bin/sh\nrm -rf /\n'), 'a.txt', 'text/plain'], ['bytes of no kind', Buffer.from([0, 1, 2, 3, 255]), 'a.bin', 'application/octet-stream'],
]) {
  scenario(`a ${what} is not taken`, async world => {
    const [ada] = await world.users('Ada');
    const answer = await turnedDown(ada, 'unsupported_media_type', 'file', part(body, { filename, type }));
    assert.equal(answer.status, 415);
  });
}

scenario('exactly 25 MiB are taken, one byte more is not', async world => {
  const [ada] = await world.users('Ada');
  const exact = Buffer.concat([PNG, Buffer.alloc(MAX - PNG.length)]);
  const file = await taken(ada, part(exact));
  assert.equal(file.size, MAX);
  const tail = await content(ada, file, { range: 'bytes=-10' });
  assert.equal(tail.headers.get('content-range'), `bytes ${MAX - 10}-${MAX - 1}/${MAX}`);
  const answer = await turnedDown(ada, 'payload_too_large', 'file', part(Buffer.concat([exact, Buffer.alloc(1)])));
  assert.equal(answer.status, 413);
});

scenario('a form has one part, `file`, with something in it', async world => {
  const [ada] = await world.users('Ada');
  await turnedDown(ada, 'invalid_argument', 'file', part(Buffer.alloc(0)));
  await turnedDown(ada, 'invalid_argument', 'file', part(PNG, { name: 'picture' }));
  await turnedDown(ada, 'invalid_argument', 'file');
  await turnedDown(ada, 'invalid_argument', 'file', part(PNG), part(PNG));
  await turnedDown(ada, 'invalid_argument', 'file', part(PNG), part('x', { name: 'more', filename: undefined, type: '' }));
  await turnedDown(ada, 'invalid_argument', 'file', part('x', { name: 'more', filename: undefined, type: '' }), part(PNG));
  const json = await ada.raw('POST', '/attachments', { body: '{}', headers: { 'content-type': 'application/json' } });
  assert.deepEqual([json.status, json.json.code], [415, 'unsupported_media_type']);
  const bare = await ada.raw('POST', '/attachments', { body: PNG, headers: { 'content-type': 'image/png' } });
  assert.equal(bare.status, 415);
  const { body, headers } = multipart(part(PNG));
  const cut = await ada.raw('POST', '/attachments', { body: body.subarray(0, body.length - 20), headers });
  assert.equal(cut.json.code, 'invalid_argument');
  const nothing = await ada.raw('POST', '/attachments', { body: '', headers });
  assert.equal(nothing.json.code, 'invalid_argument');
  const stranger = await ada.raw('POST', '/attachments', { body, headers, auth: false });
  assert.equal(stranger.json.code, 'unauthenticated');
});

for (const [given, kept] of [
  ['../../../etc/passwd.png', 'passwd.png'], ['..\\\\..\\\\boot.png', 'boot.png'], ['/abs/olute.png', 'olute.png'], ['grüße 今天 😀.png', 'grüße 今天 😀.png'],
  ['a\u202egnp.exe', 'agnp.exe'], ['  spaced.png  ', 'spaced.png'], ['..', /^[^./\\]+/], ['', /.+/], ['a\tb.png', 'ab.png'], ['%2e%2e%2fx.png', /^[^/]*x\.png$/], ['C:\\\\dir\\\\a.png', 'a.png'],
]) {
  scenario(`the name ${JSON.stringify(given)} is made harmless`, async world => {
    const [ada] = await world.users('Ada');
    const file = await taken(ada, part(PNG, { filename: given }));
    if (typeof kept === 'string') assert.equal(file.filename, kept);
    else assert.match(file.filename, kept);
    assert.ok(!/[/\\\u0000-\u001f\u202e]/.test(file.filename));
    const disposition = (await content(ada, file)).headers.get('content-disposition');
    assert.match(disposition, /^(inline|attachment); filename="[ -~]*"/);
    assert.ok(!disposition.includes('..'), disposition);
  });
}

scenario('a long name is cut, its ending stays', async world => {
  const [ada] = await world.users('Ada');
  const file = await taken(ada, part(PNG, { filename: `${'ü'.repeat(300)}.png` }));
  assert.ok(Buffer.byteLength(file.filename) <= 255);
  assert.match(file.filename, /^ü+\.png$/);
});

scenario('quotes in a name do not break out of the header', async world => {
  const [ada] = await world.users('Ada');
  const file = await taken(ada, part(PNG, { filename: 'a\\"; evil=\\"b.png' }));
  const disposition = (await content(ada, file)).headers.get('content-disposition');
  assert.equal(disposition.replace(/filename="[^"]*"/, '').includes('evil="'), false, disposition);
});

scenario('ranges', async world => {
  const [ada] = await world.users('Ada');
  const body = Buffer.from('0123456789');
  const file = await taken(ada, part(body, { filename: 'a.txt', type: 'text/plain' }));
  for (const [range, from, to] of [['bytes=0-3', 0, 3], ['bytes=4-', 4, 9], ['bytes=-2', 8, 9], ['bytes=9-100', 9, 9], ['bytes=0-0', 0, 0], ['bytes=-100', 0, 9]]) {
    const answer = await content(ada, file, { range });
    assert.equal(answer.status, 206, range);
    assert.equal(answer.headers.get('content-range'), `bytes ${from}-${to}/10`);
    assert.equal(answer.bytes.toString(), body.toString().slice(from, to + 1));
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    assert.match(answer.headers.get('content-disposition'), /^attachment/);
  }
  for (const range of ['bytes=10-', 'bytes=100-200', 'bytes=-0']) {
    const answer = await content(ada, file, { range });
    assert.equal(answer.status, 416, range);
    assert.equal(answer.headers.get('content-range'), 'bytes */10');
  }
  for (const range of ['lines=1-2', 'bytes=x', 'bytes=5-2']) assert.equal((await content(ada, file, { range })).status, 200, `${range} is as none`);
  const whole = await content(ada, file);
  const etag = whole.headers.get('etag');
  if (etag) {
    const same = await content(ada, file, { 'if-none-match': etag });
    assert.equal(same.status, 304);
    assert.equal((await content(ada, file, { range: 'bytes=0-1', 'if-range': '"other"' })).status, 200);
  }
  const head = await ada.raw('HEAD', `/attachments/${file.id}/content`);
  assert.deepEqual([head.status, head.bytes.length], [200, 0]);
});

scenario('before it is sent a file is its uploader\'s only', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const file = await taken(ada, part(PNG));
  assert.equal((await content(ada, file)).status, 200);
  for (const path of [`/attachments/${file.id}`, `/attachments/${file.id}/content`]) {
    await refused(ben.get(path), 'attachment_not_found');
    assert.equal((await ben.raw('GET', path, { auth: false })).status, 401);
  }
  await refused(ben.delete(`/attachments/${file.id}`), 'attachment_not_found');
  await refused(ben.post(`/conversations/${direct.id}/messages`, { kind: 'image', attachment_ids: [file.id] }), 'attachment_not_found', 'attachment_ids');
  for (const id of ['01935d5f-0000-7000-8000-000000000000', 'nonsense', '..', '%2e%2e%2fetc']) await refused(ada.get(`/attachments/${id}`), id === '..' ? 'not_found' : 'attachment_not_found');
  await ada.delete(`/attachments/${file.id}`);
  assert.equal(ada.status, 204);
  await refused(ada.get(`/attachments/${file.id}`), 'attachment_not_found');
  await refused(ada.post(`/conversations/${direct.id}/messages`, { kind: 'image', attachment_ids: [file.id] }), 'attachment_not_found', 'attachment_ids');
});

scenario('once sent it is for those who see the message, as long as they do', async world => {
  const [ada, ben, cem, eve] = await world.users('Ada', 'Ben', 'Cem', 'Eve');
  const group = await ada.group([ben, cem]);
  const file = await taken(ben, part(PNG));
  const message = await ben.send(group, { kind: 'image', attachment_ids: [file.id] });
  assert.deepEqual(message.attachments.map(one => one.id), [file.id]);
  const sees = async user => { const [about, bytes] = [await user.raw('GET', `/attachments/${file.id}`), await content(user, file)]; assert.equal(about.status, bytes.status); return about.status; };
  assert.deepEqual([await sees(ada), await sees(ben), await sees(cem), await sees(eve)], [200, 200, 200, 404]);
  await ada.post(`/conversations/${group.id}/members`, { user_ids: [eve.id] });
  assert.equal(await sees(eve), 404, 'from before she came');
  await cem.delete(`/messages/${message.id}?for=me`);
  assert.equal(await sees(cem), 404, 'deleted for himself');
  await refused(ben.delete(`/attachments/${file.id}`), 'conflict');
  await refused(ada.delete(`/attachments/${file.id}`), 'forbidden').catch(() => refused(ada.delete(`/attachments/${file.id}`), 'attachment_not_found'));
  await ada.delete(`/conversations/${group.id}/members/${ben.id}`);
  assert.equal(await sees(ada), 200);
  await ada.delete(`/messages/${message.id}?for=everyone`);
  assert.deepEqual([await sees(ada), await sees(ben), await sees(cem), await sees(eve)], [404, 404, 404, 404]);
});

scenario('a member who was removed gets none of the group\'s files', async world => {
  const [ada, ben, cem] = await world.users('Ada', 'Ben', 'Cem');
  const group = await ada.group([ben, cem]);
  const file = await taken(ada, part(PNG));
  await ada.send(group, { kind: 'image', attachment_ids: [file.id] });
  assert.equal((await content(cem, file)).status, 200);
  await ada.delete(`/conversations/${group.id}/members/${cem.id}`);
  assert.equal((await content(cem, file)).status, 404);
  await ben.post(`/conversations/${group.id}/clear`);
  assert.equal((await content(ben, file)).status, 404, 'cleared');
});

scenario('each file goes with one message', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const path = `/conversations/${direct.id}/messages`;
  const file = await taken(ada, part(PNG));
  const send = { kind: 'image', attachment_ids: [file.id], client_id: 'k' };
  await ada.post(path, send);
  assert.equal((await ada.post(path, send)).replayed, true, 'but a replay is the same message');
  await refused(ada.post(path, { ...send, client_id: 'l' }), 'conflict', 'attachment_ids');
  const two = await taken(ada, part(PNG));
  await refused(ada.post(path, { kind: 'image', attachment_ids: [two.id, two.id] }), 'invalid_argument', 'attachment_ids');
  await refused(ada.post(path, { kind: 'image', attachment_ids: [two.id, file.id] }), 'conflict', 'attachment_ids');
  assert.equal((await ada.raw('DELETE', `/attachments/${two.id}`)).status, 204, 'a refused send has taken nothing');
  const three = await taken(ada, part(PNG));
  const both = await Promise.all(['1', '2'].map(client_id => ada.post(path, { kind: 'image', attachment_ids: [three.id], client_id }).catch(error => error.code)));
  assert.equal(both.filter(one => one === 'conflict').length, 1);
});

scenario('ten files with one message, not eleven; kinds need files', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const path = `/conversations/${direct.id}/messages`;
  const files = [];
  for (let i = 0; i < 11; i++) files.push(await taken(ada, part(PNG, { filename: `${i}.png` })));
  const ids = files.map(file => file.id);
  await refused(ada.post(path, { kind: 'image', attachment_ids: ids }), 'too_many_attachments');
  const message = await ada.send(direct, { kind: 'image', text: 'ten', attachment_ids: ids.slice(0, 10) });
  assert.deepEqual(message.attachments.map(file => file.id), ids.slice(0, 10), 'in the order given');
  assert.deepEqual((await ben.get(`/messages/${message.id}`)).attachments.map(file => file.filename), files.slice(0, 10).map(file => file.filename));
  for (const kind of ['image', 'video', 'audio', 'file']) await refused(ada.post(path, { kind, text: 'x' }), 'invalid_argument', 'attachment_ids');
  for (const attachment_ids of ['x', [7], ['nonsense']]) {
    const error = await ada.post(path, { kind: 'image', attachment_ids }).catch(failure => failure);
    assert.ok(['invalid_argument', 'attachment_not_found'].includes(error.code) && error.field.startsWith('attachment_ids'), `${JSON.stringify(attachment_ids)} ${error.code} ${error.field}`);
  }
  const captioned = await ada.send(direct, { kind: 'image', attachment_ids: [ids[10]] });
  assert.equal((await ada.patch(`/messages/${captioned.id}`, { text: 'now with words' })).attachments.length, 1);
  assert.equal((await ada.patch(`/messages/${captioned.id}`, { text: '' })).text ?? '', '');
  const [row] = (await ben.get('/conversations')).items;
  assert.ok(row.last_message.preview && !/\.png/.test(row.last_message.preview), row.last_message.preview);
});

scenario('a picture of a user is for everyone; another one takes its place', async world => {
  const [ada, eve] = await world.users('Ada', 'Eve');
  const [one, two] = [await taken(ada, part(PNG)), await taken(ada, part(JPEG, { filename: 'a.jpg' }))];
  const me = await ada.patch('/me', { avatar_attachment_id: one.id });
  assert.ok(me.avatar_url.includes(one.id));
  assert.equal((await content(eve, one)).status, 200);
  assert.equal((await eve.get(`/users/${ada.id}`)).avatar_url, me.avatar_url);
  await refused(eve.patch('/me', { avatar_attachment_id: two.id }), 'attachment_not_found', 'avatar_attachment_id');
  await ada.patch('/me', { avatar_attachment_id: two.id });
  assert.equal((await content(eve, two)).status, 200);
  await ada.patch('/me', { avatar_attachment_id: null });
  assert.equal((await ada.get('/me')).avatar_url, undefined);
  const pdf = await taken(ada, part(PDF, { filename: 'a.pdf' }));
  const error = await ada.patch('/me', { avatar_attachment_id: pdf.id }).catch(failure => failure);
  assert.ok(['invalid_argument', 'unsupported_media_type'].includes(error.code), `no picture: ${error.code}`);
});

scenario('a picture of a group is for its members and for whoever is signed in', async world => {
  const [ada, ben, cem, eve] = await world.users('Ada', 'Ben', 'Cem', 'Eve');
  const [file, other] = [await taken(ada, part(PNG)), await taken(ada, part(GIF, { filename: 'a.gif' }))];
  const group = await ada.group([ben, cem], { avatar_attachment_id: file.id });
  assert.ok(group.avatar_url.includes(file.id));
  for (const user of [ben, eve]) assert.equal((await content(user, file)).status, 200);
  const b = await world.socketIo(ben);
  await ada.patch(`/conversations/${group.id}`, { avatar_attachment_id: other.id });
  assert.ok((await b.next('conversation_updated')).changed.avatar_url.includes(other.id));
  await ada.patch(`/conversations/${group.id}`, { avatar_attachment_id: null });
  assert.equal((await ben.conversation(group)).avatar_url, undefined);
});
