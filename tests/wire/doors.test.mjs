// What holds for every request and connection: rates, sizes, headers, origins, problems.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { io } from 'socket.io-client';
import WebSocket from 'ws';
import { pause, scenario } from './lib/scenario.mjs';
import { BASE, User, refused } from './lib/rest.mjs';

const { hostname, port, host } = new URL(BASE);
const JSON_TYPE = { 'content-type': 'application/json' };

/** Sends bytes and collects what comes until the server closes. */
const raw = (bytes, ms = 15_000) => new Promise(resolve => {
  const began = Date.now();
  let text = '';
  const socket = connect(Number(port), hostname, () => socket.write(bytes));
  const end = () => { clearTimeout(timer); socket.destroy(); resolve({ text, ms: Date.now() - began, closed: true }); };
  const timer = setTimeout(() => { socket.destroy(); resolve({ text, ms, closed: false }); }, ms);
  socket.on('data', data => { text += data; });
  socket.on('close', end);
  socket.on('error', end);
});

scenario('40 commands at once, then 20 a second, over all devices and transports', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  await pause(400);
  ada.hasty = true;
  const path = `/conversations/${direct.id}/typing`;
  const began = Date.now();
  const answers = await Promise.all(Array.from({ length: 150 }, () => ada.raw('POST', path, { body: '{"active":true}', headers: JSON_TYPE })));
  const slow = answers.filter(answer => answer.status === 429);
  const taken = answers.length - slow.length;
  const room = 40 + 20 * (Date.now() - began) / 1_000;
  assert.ok(taken >= 38 && taken <= room + 1, `${taken} of 150, room for ${room}`);
  for (const answer of slow) {
    assert.equal(answer.json.code, 'rate_limited');
    assert.ok(answer.json.retry_after_ms > 0 && answer.json.retry_after_ms < 5_000);
    assert.ok(Number(answer.headers.get('retry-after')) >= 1);
    assert.match(answer.type, /^application\/problem\+json/);
  }
  const a = await world.socketIo(ada);
  a.hasty = true;
  const acks = await Promise.all(Array.from({ length: 150 }, () => a.command('typing', { conversation_id: direct.id, active: true }).catch(error => error)));
  const refusals = acks.filter(ack => ack.code === 'rate_limited');
  assert.ok(refusals.length > 0 && refusals.every(error => error.retry_after_ms > 0), 'the same room for sockets');
  for (let i = 0; i < 80; i++) await ada.get('/me');
  await Promise.all(Array.from({ length: 60 }, () => ada.get('/conversations')));
  await ada.post('/sync', {});
  await ben.send(direct, 'others are not slowed');
  await pause(1_000);
  await ada.post(`/conversations/${direct.id}/typing`, { active: false });
});

scenario('a rate-limited send has done nothing and may be sent again', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  ada.hasty = true;
  const codes = await Promise.all(Array.from({ length: 60 }, (_, i) => ada.post(`/conversations/${direct.id}/messages`, { text: `t${i}`, client_id: `c${i}` }).then(() => 'ok', error => error.code)));
  const sent = codes.filter(code => code === 'ok').length;
  assert.equal((await ben.conversation(direct)).my.unread_count, sent);
  ada.hasty = false;
  for (let i = 0; i < 60; i++) await ada.post(`/conversations/${direct.id}/messages`, { text: `t${i}`, client_id: `c${i}` });
  assert.equal((await ben.conversation(direct)).my.unread_count, 60);
});

scenario('bodies of up to 1 MiB are read, larger ones refused', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const path = `/conversations/${direct.id}/messages`;
  const sized = bytes => { const body = JSON.stringify({ text: '' }); return body.replace('""', `"${'x'.repeat(bytes - body.length)}"`); };
  const send = body => ada.raw('POST', path, { body, headers: JSON_TYPE });
  assert.equal((await send(sized(1_048_576))).json.code, 'message_too_long');
  const over = await send(sized(1_048_577));
  assert.deepEqual([over.status, over.json.code], [413, 'payload_too_large']);
  const chunked = await fetch(`${BASE}/api${path}`, { method: 'POST', duplex: 'half', headers: { authorization: `Bearer ${ada.token}`, ...JSON_TYPE }, body: new ReadableStream({ start(controller) { for (let i = 0; i < 20; i++) controller.enqueue(Buffer.alloc(100_000, 0x20)); controller.close(); } }) }).catch(() => undefined);
  if (chunked) assert.equal((await chunked.json()).code, 'payload_too_large');
});

scenario('every refusal is a problem, every answer says not to keep or guess it', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const tries = [['GET', '/nothing', 404, 'not_found'], ['PUT', '/me', 405, 'not_found'], ['TRACE', '/me', 405, 'not_found'], ['GET', '/conversations/x', 404, 'conversation_not_found'], ['GET', '/messages/x', 404, 'message_not_found'], ['GET', '/users/%00', undefined, undefined],
    ['GET', '/users/nobody-at-all', 404, 'user_not_found'], ['GET', '/conversations?limit=x', 422, 'invalid_argument'], ['GET', '/me?x=1', 422, 'invalid_argument'], ['GET', `/conversations/${direct.id}?x=1`, 422, 'invalid_argument'], ['POST', '/conversations/direct', 422, 'invalid_argument'], ['GET', '/users', 422, 'query_required'], ['GET', '/%ff', 404, 'not_found']];
  for (const [method, path, status, code] of tries) {
    if (method === 'TRACE') continue;
    const answer = await ada.raw(method, path);
    if (status) assert.deepEqual([answer.status, answer.json?.code], [status, code], `${method} ${path}`);
    assert.match(answer.type, /^application\/problem\+json/, path);
    for (const field of ['type', 'title', 'detail', 'code', 'request_id']) assert.equal(typeof answer.json[field], 'string', `${field} of ${path}`);
    assert.equal(answer.json.status, answer.status);
    assert.equal(answer.headers.get('cache-control'), 'no-store', path);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', path);
  }
  for (const path of ['/me', '/conversations', `/conversations/${direct.id}`, `/conversations/${direct.id}/messages`, '/capabilities', '/me/badge', '/devices', '/blocks']) {
    const answer = await ada.raw('GET', path);
    assert.equal(answer.status, 200, path);
    assert.match(answer.type, /^application\/json/);
    assert.equal(answer.headers.get('cache-control'), 'no-store', path);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', path);
  }
  const nothing = await ada.raw('PUT', `/conversations/${direct.id}/typing`);
  assert.deepEqual([nothing.status, nothing.json.code], [405, 'not_found']);
  const quiet = await ada.raw('POST', `/conversations/${direct.id}/clear`);
  assert.deepEqual([quiet.status, quiet.headers.get('cache-control')], [204, 'no-store']);
  const [one, two] = [await ada.raw('GET', '/nothing'), await ada.raw('GET', '/nothing')];
  assert.notEqual(one.json.request_id, two.json.request_id);
});

scenario('every list refuses parameters it does not know', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const message = await ada.send(direct, 'x');
  for (const path of ['/me', '/me/badge', '/me/settings', '/contacts', '/users/online', '/blocks', '/conversations', `/conversations/${direct.id}`, `/conversations/${direct.id}/members`, `/conversations/${direct.id}/messages`, `/messages/${message.id}`, `/messages/${message.id}/receipts`, '/devices', '/capabilities', '/users?q=x', '/presence?user_ids=x', '/search/messages?q=x']) {
    const answer = await ada.raw('GET', `${path}${path.includes('?') ? '&' : '?'}surprise=1`);
    assert.deepEqual([answer.status, answer.json?.code, answer.json?.field], [422, 'invalid_argument', 'surprise'], path);
  }
  for (const limit of ['0', '101', '-1', '1.5', 'x', '', '99999999999999999999']) for (const path of ['/conversations', '/contacts', '/blocks', `/conversations/${direct.id}/members`, `/conversations/${direct.id}/messages`, `/messages/${message.id}/receipts`]) await refused(ada.get(`${path}?limit=${limit}`), 'invalid_argument', 'limit');
});

scenario('a request without a body where one is needed is malformed, not of a wrong type', async world => {
  const [ada] = await world.users('Ada');
  for (const [method, path] of [['POST', '/sync'], ['PATCH', '/me'], ['POST', '/conversations/direct'], ['PUT', '/devices']]) {
    const answer = await ada.raw(method, path);
    assert.deepEqual([answer.status, answer.json.code, answer.json.field], [422, 'invalid_argument', 'body'], `${method} ${path}`);
  }
  const text = await ada.raw('POST', '/sync', { body: '{}', headers: { 'content-type': 'text/plain' } });
  assert.deepEqual([text.status, text.json.code], [415, 'unsupported_media_type']);
  const charset = await ada.raw('POST', '/sync', { body: '{}', headers: { 'content-type': 'Application/JSON; charset=utf-8' } });
  assert.equal(charset.status, 200);
});

scenario('a request head that does not come is given up after 10 s', async () => {
  const [half, silent] = await Promise.all([raw(`GET /api/me HTTP/1.1\r\nHost: ${host}\r\nX-Slow: `), raw('')]);
  for (const answer of [half, silent]) assert.ok(answer.closed && answer.ms > 8_000 && answer.ms < 13_000, `${answer.closed} after ${answer.ms} ms`);
}, { timeout: 25_000 });

scenario('nonsense instead of HTTP is cut, and others go on', async world => {
  for (const bytes of ['\r\n\r\n', 'GARBAGE\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', `GET / HTTP/1.1\r\nHost: ${host}\r\nX: ${'x'.repeat(500_000)}\r\n\r\n`, 'GET /api/me HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n', Buffer.from([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5])]) {
    const answer = await raw(bytes, 12_000);
    assert.ok(answer.closed);
    assert.ok(answer.text === '' || /^HTTP\/1\.1 4/.test(answer.text), answer.text.slice(0, 40));
  }
  const [ada] = await world.users('Ada');
  await ada.get('/me');
}, { timeout: 60_000 });

/** How the upgrade of a WebSocket is answered. */
const upgrade = (path, headers) => new Promise(resolve => {
  const socket = new WebSocket(`${BASE.replace(/^http/, 'ws')}${path}`, { headers });
  socket.on('open', () => { socket.terminate(); resolve(101); });
  socket.on('unexpected-response', (_, response) => { response.resume(); resolve(response.statusCode); });
  socket.on('error', () => resolve(0));
});
const ENGINE = '/socket.io/?EIO=4&transport=';
const FOREIGN = ['https://evil.example', 'null', `http://${host}.evil.example`, `http://x@${host}`, 'http://localhost.evil:1'];

scenario('pages of other origins get no connection, by any transport', async world => {
  const [ada] = await world.users('Ada');
  for (const origin of FOREIGN) {
    assert.equal(await upgrade('/ws', { origin }), 403, `/ws ${origin}`);
    assert.equal(await upgrade(`${ENGINE}websocket`, { origin }), 403, `/socket.io ${origin}`);
    const polling = await fetch(`${BASE}${ENGINE}polling`, { headers: { origin } });
    assert.equal(polling.status, 403, `polling ${origin}`);
    assert.equal(polling.headers.get('access-control-allow-origin'), null);
    const rest = await ada.raw('GET', '/me', { headers: { origin } });
    assert.equal(rest.headers.get('access-control-allow-origin'), null);
    const socket = io(BASE, { transports: ['websocket'], extraHeaders: { origin }, auth: { token: ada.token }, forceNew: true, reconnection: false });
    assert.equal(await new Promise(resolve => { socket.on('connect', () => resolve('in')); socket.on('connect_error', () => resolve('out')); }), 'out');
    socket.close();
  }
  for (const headers of [{}, { origin: `http://${host}` }]) {
    assert.equal(await upgrade('/ws', headers), 101);
    assert.equal(await upgrade(`${ENGINE}websocket`, headers), 101);
    assert.equal((await fetch(`${BASE}${ENGINE}polling`, { headers })).status, 200);
    assert.equal((await ada.raw('GET', '/me', { headers })).status, 200);
  }
});

scenario('the twenty-first connection is turned away at both doors and by polling', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const open = [];
  for (let i = 0; i < 20; i++) open.push(await (i % 2 ? world.plain(ada) : world.socketIo(ada)));
  await refused(world.socketIo(ada), 'rate_limited');
  await refused(world.socketIo(ada, { transports: ['polling'] }), 'rate_limited');
  const dialed = await world.dial();
  await dialed.command('auth', { token: ada.token }).catch(() => {});
  assert.equal((await Promise.race([dialed.closed, pause(3_000)]))?.code, 4429);
  for (const session of open) await session.command('sync', {});
  await world.socketIo(ben);
  open[3].close();
  open[4].close();
  await world.eventually(() => world.plain(ada));
});

scenario('long polling carries everything', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const [a, b] = [await world.socketIo(ada, { transports: ['polling'] }), await world.socketIo(ben, { transports: ['polling', 'websocket'] })];
  const texts = Array.from({ length: 15 }, (_, i) => `by polling ${i} 😀`);
  for (const text of texts) await a.command('send_message', { conversation_id: direct.id, text });
  for (const text of texts) assert.equal((await b.next('message_created')).message.text, text);
  await ben.send(direct, 'x'.repeat(10_000));
  assert.equal((await a.next('message_created')).message.text.length, 10_000);
  await refused(a.command('send_message', { conversation_id: direct.id, text: 'x'.repeat(16_385) }), 'message_too_long');
});

scenario('health, readiness, numbers and documents are open; numbers tell nothing of anybody', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  await ada.send(await ada.direct(ben), 'quite secret words');
  const open = { auth: false, root: true };
  for (const path of ['/health', '/ready', '/metrics', '/']) assert.equal((await ada.raw('GET', path, open)).status, 200, path);
  for (const path of ['/health', '/ready', '/metrics', '/']) {
    const wrong = await ada.raw('POST', path, open);
    assert.deepEqual([wrong.status, wrong.json.code, wrong.json.status], [405, 'not_found', 405], path);
  }
  const metrics = (await ada.raw('GET', '/metrics', open)).bytes.toString();
  assert.match(metrics, /^# TYPE /m);
  for (const secret of [ada.id, ben.id, 'quite secret', ada.token]) assert.ok(!metrics.includes(secret));
  const document = (await ada.raw('GET', '/openapi.json', { auth: false })).json;
  assert.match(document.openapi, /^3\.1/);
  const routes = Object.keys(document.paths).join(' ');
  for (const path of ['/sync', '/messages/{id}', '/attachments/{id}/content', '/devices', '/search/messages', '/conversations/{id}/messages', '/auth/login']) assert.ok(routes.includes(path), path);
});

const CONTROL = ['ping', 'fragments'];
scenario(`/ws: ${CONTROL.join(' and ')} are as RFC 6455 has them`, async world => {
  const [ada] = await world.users('Ada');
  const plain = await world.plain(ada);
  const pong = new Promise(resolve => plain.socket.once('pong', data => resolve(data.toString())));
  plain.socket.ping('hello');
  assert.equal(await Promise.race([pong, pause(3_000)]), 'hello');
  plain.replies.set('f', frame => plain.others.push(frame));
  plain.socket.send('{"id":"f","op":"get_onl', { fin: false });
  plain.socket.send('ine_users","data":{}}', { fin: true });
  await world.eventually(async () => assert.ok(plain.others.some(frame => frame.id === 'f' && frame.ok)));
  plain.socket.send('{"id":"g","op":"sync","data":{"token":"', { fin: false });
  for (let i = 0; i < 5; i++) plain.socket.send('x'.repeat(30_000), { fin: false });
  plain.socket.send('"}}', { fin: true });
  assert.equal((await Promise.race([plain.closed, pause(4_000)]))?.code, 4413, 'a message in pieces is as large as all of them');
});

scenario('/ws: a frame of exactly the limit is read, one byte more is not', async world => {
  const [ada] = await world.users('Ada');
  const plain = await world.plain(ada);
  const limit = plain.ready.limits.frame_bytes;
  assert.equal(limit, 131_072);
  const frame = bytes => { const text = JSON.stringify({ id: 'e', op: 'sync', data: { token: '' } }); return text.replace('""', `"${'x'.repeat(bytes - text.length)}"`); };
  plain.replies.set('e', reply => plain.others.push(reply));
  plain.text(frame(limit));
  await world.eventually(async () => assert.ok(plain.others.some(reply => reply.id === 'e' && reply.error.code === 'invalid_cursor')));
  plain.text(frame(limit + 1));
  assert.equal((await Promise.race([plain.closed, pause(4_000)]))?.code, 4413);
});

scenario('/ws: ids come back as they were given, and a frame without one is refused', async world => {
  const [ada] = await world.users('Ada');
  const plain = await world.plain(ada);
  const ask = async frame => { plain.others.length = 0; plain.text(JSON.stringify(frame)); return world.eventually(async () => { assert.ok(plain.others.length); return plain.others[0]; }); };
  for (const id of ['ü', '0', ' ', 'x'.repeat(60)]) assert.deepEqual([(await ask({ id, op: 'get_online_users', data: {} })).id], [id]);
  assert.equal((await ask({ id: '1', op: 'nothing', data: {} })).error.field, 'op');
  assert.equal((await ask({ id: '1', op: 'auth', data: {} })).ok, false);
  assert.equal((await ask({ id: '1', op: 'get_online_users', data: {}, more: 1 })).error?.code ?? 'invalid_argument', 'invalid_argument');
  assert.equal((await ask({ op: 'sync', data: {} })).ok, false);
  await plain.command('get_online_users', { limit: 1 });
  await refused(plain.command('get_online_users', { limit: 0 }), 'invalid_argument', 'limit');
});

scenario('a new user in a thousand requests at once is one user', async () => {
  const ada = new User('Ada');
  const answers = await Promise.all(Array.from({ length: 40 }, () => ada.raw('GET', '/me')));
  assert.ok(answers.every(answer => answer.status === 200 && answer.json.id === ada.id));
});
