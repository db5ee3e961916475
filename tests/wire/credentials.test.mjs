// Tokens of every shape, at every door; sessions that outlive theirs.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { pause, scenario } from './lib/scenario.mjs';
import { User, inSeconds, refused, token } from './lib/rest.mjs';
import { SocketIo } from './lib/live.mjs';

const SECRET = process.env.CHAT_JWT_SECRET;
const b64 = value => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
/** Header and claims as text, so that anything can be written; signed as HS256 unless `hash` says otherwise. */
function written(header, claims, hash = 'sha256', secret = SECRET) {
  const signed = `${b64(header)}.${b64(claims)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}
const HS256 = { alg: 'HS256', typ: 'JWT' };
const claims = more => ({ sub: 'a-stranger', exp: inSeconds(600), ...more });
const GOOD = () => token(claims());
const swap = (text, at, other) => text.split('.').map((piece, i) => (i === at ? other : piece)).join('.');

const BAD = [
  ['two segments', () => GOOD().split('.').slice(0, 2).join('.')], ['four segments', () => `${GOOD()}.x`], ['an empty signature', () => swap(GOOD(), 2, '')], ['a signature cut short', () => GOOD().slice(0, -4)],
  ['another payload under the signature', () => swap(GOOD(), 1, b64(claims({ sub: 'admin' })))], ['alg none with a signature', () => written({ alg: 'none' }, claims())], ['alg None', () => `${b64({ alg: 'None' })}.${b64(claims())}.`],
  ['alg hs256 in small letters', () => written({ alg: 'hs256' }, claims())], ['HS512 said and done', () => written({ alg: 'HS512' }, claims(), 'sha512')], ['HS384 said and done', () => written({ alg: 'HS384' }, claims(), 'sha384')],
  ['RS256 said, HS256 done', () => written({ alg: 'RS256' }, claims())], ['ES256 said, HS256 done', () => written({ alg: 'ES256' }, claims())], ['no alg', () => written({ typ: 'JWT' }, claims())], ['alg null', () => written({ alg: null }, claims())],
  ['crit', () => written({ ...HS256, crit: ['x'], x: 1 }, claims())], ['an empty secret', () => written(HS256, claims(), 'sha256', 'x')], ['a header that is an array', () => written(['HS256'], claims())],
  ['claims that are no object', () => written(HS256, '[]')], ['claims that are no JSON', () => written(HS256, '{')], ['claims null', () => written(HS256, 'null')],
  ['exp missing', () => written(HS256, { sub: 'x' })], ['exp null', () => written(HS256, { sub: 'x', exp: null })], ['exp text', () => written(HS256, { sub: 'x', exp: `${inSeconds(60)}` })], ['exp true', () => written(HS256, { sub: 'x', exp: true })],
  ['exp array', () => written(HS256, { sub: 'x', exp: [inSeconds(60)] })], ['exp 1e308', () => written(HS256, '{"sub":"x","exp":1e308}')], ['exp 1e999', () => written(HS256, '{"sub":"x","exp":1e999}')], ['exp twice', () => written(HS256, `{"sub":"x","exp":1,"exp":${inSeconds(60)}}`)],
  ['nbf in an hour', () => written(HS256, claims({ nbf: inSeconds(3600) }))], ['nbf text', () => written(HS256, claims({ nbf: '1' }))],
  ['sub missing', () => written(HS256, { exp: inSeconds(60) })], ['sub empty', () => written(HS256, claims({ sub: '' }))], ['sub number', () => written(HS256, claims({ sub: 7 }))], ['sub null', () => written(HS256, claims({ sub: null }))], ['sub array', () => written(HS256, claims({ sub: ['x'] }))],
  ['sub of 65 bytes', () => written(HS256, claims({ sub: 'ü'.repeat(33) }))], ['sub with NUL', () => written(HS256, claims({ sub: 'a\u0000' }))], ['sub twice', () => written(HS256, `{"sub":"x","sub":"y","exp":${inSeconds(60)}}`)],
  ['a megabyte', () => 'x'.repeat(30_000)], ['padding', () => `${GOOD()}=`], ['white space inside', () => GOOD().replace('.', ' .')],
];
const EXPIRED = [['exp an hour ago', () => token({ sub: 'x', exp: inSeconds(-3600) })], ['exp 61 s ago', () => token({ sub: 'x', exp: inSeconds(-62) })], ['exp 0', () => token({ sub: 'x', exp: 0 })], ['exp before 1970', () => token({ sub: 'x', exp: -5 })]];

for (const [what, make, code] of [...BAD.map(([what, make]) => [what, make, 'token_invalid']), ...EXPIRED.map(([what, make]) => [what, make, 'token_expired'])]) {
  scenario(`a token with ${what}: ${code} at every door`, async world => {
    const bad = make();
    const stranger = new User('Stranger');
    stranger.token = bad;
    const answer = await stranger.raw('GET', '/me');
    assert.deepEqual([answer.status, answer.json.code], [401, code]);
    assert.match(answer.headers.get('www-authenticate') ?? 'Bearer', /^Bearer/);
    assert.ok(!answer.bytes.toString().includes(bad.slice(0, 30)), 'not repeated');
    await refused(SocketIo.open(stranger), code);
    const dialed = await world.dial();
    const reply = await dialed.command('auth', { token: bad }).catch(error => error);
    if (reply.code) assert.equal(reply.code, code);
    assert.equal((await Promise.race([dialed.closed, pause(3_000)]))?.code, 4401);
  });
}

scenario('no token: unauthenticated at every door', async world => {
  const nobody = new User('Nobody');
  for (const authorization of [undefined, '', 'Bearer', 'Bearer ', 'Basic eDp5', 'Token x', nobody.token]) {
    const answer = await nobody.raw('GET', '/me', { auth: false, headers: authorization === undefined ? {} : { authorization } });
    assert.deepEqual([answer.status, answer.json.code], [401, 'unauthenticated'], `Authorization: ${authorization}`);
  }
  assert.equal((await nobody.raw('GET', '/me', { auth: false, headers: { authorization: `bearer ${nobody.token}` } })).status, 200, 'the scheme in any case');
  assert.equal((await nobody.raw('GET', `/me?token=${nobody.token}`, { auth: false })).status, 401, 'not in the address');
  for (const auth of [{}, { token: '' }, { token: null }, { token: 7 }, { token: {} }]) {
    const error = await SocketIo.open(nobody, { auth }).catch(failure => failure);
    assert.ok(['unauthenticated', 'token_invalid'].includes(error.code), `${JSON.stringify(auth)}: ${error.code ?? error.message}`);
  }
  for (const data of [{}, { token: '' }, { token: 7 }, { token: null }, undefined, 'x']) {
    const dialed = await world.dial();
    await dialed.command('auth', data).catch(() => {});
    assert.equal((await Promise.race([dialed.closed, pause(3_000)]))?.code, 4401, JSON.stringify(data));
  }
  for (const path of ['/conversations', '/users?q=x', '/sync', '/attachments/x', '/devices', '/capabilities', '/search/messages?q=x']) {
    const answer = await nobody.raw(path === '/sync' ? 'POST' : 'GET', path, { auth: false });
    assert.equal(answer.status, 401, path);
    assert.match(answer.type, /^application\/problem\+json/);
  }
});

scenario('good tokens of unusual shape are taken', async world => {
  const user = new User('Odd', { sub: `ü-${Math.random()}`, exp: inSeconds(600) + 0.5, nbf: inSeconds(30), iat: inSeconds(5), extra: { deep: [1] } });
  assert.equal((await user.get('/me')).id, user.id);
  const edge = new User('Edge', { sub: 'x'.repeat(44) + Math.random().toString(36).padEnd(20, '0').slice(0, 20) });
  assert.equal((await edge.get('/me')).id.length, 64);
  for (const sub of [' ', 'a b', '../x', '<b>', 'a/b?c#d', '%00', 'null']) {
    const odd = new User('Odd', { sub: `${sub}-${Math.random()}` });
    assert.equal((await odd.get('/me')).id, odd.id, sub);
    assert.equal((await user.get(`/users/${encodeURIComponent(odd.id)}`)).id, odd.id);
    assert.equal((await world.plain(odd)).ready.user_id, odd.id);
  }
  const late = new User('Late', { exp: inSeconds(-40) });
  await late.get('/me');
  await world.socketIo(late);
  await world.plain(late);
});

scenario('a session lives until exp and the leeway are over, and no longer', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const short = token({ sub: ada.id, name: ada.name, exp: inSeconds(-55) });
  const sessions = [await world.socketIo(ada, { token: short }), await world.plain(ada, { token: short }), await world.socketIo(ada, { token: short, transports: ['polling'] })];
  for (const session of sessions) await session.command('send_message', { conversation_id: direct.id, text: 'while it lasts' });
  await pause(2_000);
  await sessions[0].command('get_online_users', {});
  const began = Date.now();
  for (const session of sessions) assert.equal((await session.next('session_ending', () => true, 12_000)).reason, 'token_expired');
  assert.ok(Date.now() - began < 11_000);
  for (const session of sessions) assert.ok(await Promise.race([session.closed, pause(3_000)]), 'closed');
  assert.equal((await sessions[1].closed).code, 4403);
  const again = Object.assign(new User('Ada'), { id: ada.id, token: short });
  await refused(again.get('/me'), 'token_expired');
  await refused(SocketIo.open(again), 'token_expired');
}, { timeout: 40_000 });

scenario('a newer token prolongs a session, of the same user only', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const short = token({ sub: ada.id, name: ada.name, exp: inSeconds(-56) });
  const sessions = [await world.socketIo(ada, { token: short }), await world.plain(ada, { token: short })];
  const exp = inSeconds(900);
  for (const session of sessions) {
    await refused(session.command('refresh_token', { token: ben.token }), 'token_invalid');
    await refused(session.command('refresh_token', { token: token({ sub: ada.id, exp: inSeconds(-3600) }) }), 'token_expired');
    await refused(session.command('refresh_token', { token: 'x' }), 'token_invalid');
    for (const data of [{}, { token: 7 }]) await refused(session.command('refresh_token', data), 'invalid_argument', 'token');
    const { expires_at } = await session.command('refresh_token', { token: token({ sub: ada.id, exp }) });
    assert.equal(expires_at, new Date(exp * 1000).toISOString());
  }
  await pause(10_500);
  for (const session of sessions) {
    await session.command('get_online_users', {});
    assert.equal(session.count('session_ending'), 0);
  }
}, { timeout: 40_000 });

scenario('/ws: one auth, first, once', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const plain = await world.plain(ada);
  const second = await plain.command('auth', { token: ben.token }).catch(error => error);
  assert.ok(second.code, 'a second auth is refused');
  await plain.command('get_online_users', {});
  assert.equal((await (async () => plain.ready.user_id)()), ada.id);
  const early = await world.dial();
  const reply = await early.command('sync', {}).catch(error => error);
  assert.ok(reply.code === 'unauthenticated' || reply.close === 4401, `${reply.code} ${reply.close}`);
  const noisy = await world.dial();
  noisy.text('nonsense');
  const ended = await Promise.race([noisy.closed, pause(12_500)]);
  assert.ok([4401, 4408, 1002, 1003, 1007, 1008].includes(ended?.code), `closed with ${ended?.code}`);
}, { timeout: 30_000 });
