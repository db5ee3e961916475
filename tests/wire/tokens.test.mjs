// Who comes in, for how long, and what the door says to the others.
import assert from 'node:assert/strict';
import { pause, scenario } from './lib/scenario.mjs';
import { User, inSeconds, refused, token } from './lib/rest.mjs';
import { Plain, SocketIo } from './lib/live.mjs';

const part = value => Buffer.from(JSON.stringify(value)).toString('base64url');
const good = () => ({ sub: 'someone-else', exp: inSeconds(600) });
const BAD = [
  ['none at all', '', 'unauthenticated'],
  ['not a token', 'nonsense', 'token_invalid'],
  ['signed by somebody else', token(good(), { secret: 'not the secret' }), 'token_invalid'],
  ['no signature, algorithm none', `${part({ alg: 'none' })}.${part(good())}.`, 'token_invalid'],
  ['another algorithm by name', token(good(), { alg: 'HS512' }), 'token_invalid'],
  ['expired long ago', token({ sub: 'x', exp: inSeconds(-3600) }), 'token_expired'],
  ['without exp', token({ sub: 'x' }), 'token_invalid'],
  ['exp as text', token({ sub: 'x', exp: String(inSeconds(600)) }), 'token_invalid'],
  ['without sub', token({ exp: inSeconds(600) }), 'token_invalid'],
  ['sub of 65 bytes', token({ sub: 'x'.repeat(65), exp: inSeconds(600) }), 'token_invalid'],
  ['sub with NUL', token({ sub: 'a\u0000b', exp: inSeconds(600) }), 'token_invalid'],
];

for (const [what, bad, code] of BAD) {
  scenario(`a credential that is ${what} is refused on every path`, async world => {
    const stranger = new User('Stranger');
    stranger.token = bad;
    if (bad) await refused(stranger.get('/me'), code);
    else assert.equal((await stranger.raw('GET', '/me', { auth: false })).json.code, code);
    await refused(SocketIo.open(stranger, bad ? {} : { auth: {} }), code);
    const dialed = await world.dial();
    const ended = dialed.closed;
    await assert.rejects(dialed.command('auth', { token: bad }), error => error.code === code || (!bad && error.code === 'token_invalid') || error.close === 4401);
    assert.equal((await Promise.race([ended, pause(3_000)]))?.code, 4401);
  });
}

scenario('a session ends with its token unless a newer one of the same user comes', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  // The server is lenient by a minute about exp: these tokens have two seconds left of it.
  const short = user => token({ sub: user.id, name: user.name, exp: inSeconds(-58) });
  const [ending, kept, plain] = [await world.socketIo(ada, { token: short(ada) }), await world.socketIo(ada, { token: short(ada) }), await world.plain(ben, { token: short(ben) })];
  await refused(kept.command('refresh_token', { token: ben.token }), 'token_invalid');
  await refused(kept.command('refresh_token', { token: 'nonsense' }), 'token_invalid');
  const { expires_at } = await kept.command('refresh_token', { token: ada.token });
  assert.ok(Date.parse(expires_at) > Date.now());
  assert.equal((await ending.next('session_ending', () => true, 12_000)).reason, 'token_expired');
  await Promise.race([ending.closed, pause(3_000).then(() => assert.fail('not closed'))]);
  assert.equal((await plain.next('session_ending', () => true, 12_000)).reason, 'token_expired');
  assert.equal((await plain.closed).code, 4403);
  await kept.command('get_online_users', {});
});

scenario('an unknown user of a valid token is made from it', async () => {
  const newcomer = new User('Newcomer', { picture: 'https://example.org/n.png' });
  const me = await newcomer.get('/me');
  assert.equal(me.id, newcomer.id);
  assert.equal(me.name, 'Newcomer');
});

scenario('a plain connection that says nothing is closed', async world => {
  const dialed = await world.dial();
  assert.equal((await Promise.race([dialed.closed, pause(13_000)]))?.code, 4408);
}, { timeout: 20_000 });

scenario('commands before auth are not carried out', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const direct = await ada.direct(ben);
  const dialed = await world.dial();
  await assert.rejects(dialed.command('send_message', { conversation_id: direct.id, text: 'x' }), error => error.code === 'unauthenticated' || error.close === 4401);
  assert.deepEqual(await ben.texts(direct), []);
});

scenario('ready tells who, which session and which limits', async world => {
  const [ada] = await world.users('Ada');
  for (const connection of [await world.socketIo(ada), await world.plain(ada)]) {
    assert.equal(connection.ready.user_id, ada.id);
    assert.equal(typeof connection.ready.session_id, 'string');
    assert.ok(Math.abs(Date.parse(connection.ready.server_time) - Date.now()) < 60_000);
    assert.equal(connection.ready.limits.text_chars, 10_000);
  }
});

scenario('the twenty-first connection of a user is refused', async world => {
  const [ada, ben] = await world.users('Ada', 'Ben');
  const open = await Promise.all(Array.from({ length: 20 }, () => Plain.open(ada)));
  for (const connection of open) world.keep(connection);
  await refused(SocketIo.open(ada), 'rate_limited');
  const dialed = await world.dial();
  await assert.rejects(dialed.command('auth', { token: ada.token }));
  assert.equal((await dialed.closed).code, 4429);
  await world.socketIo(ben);
  open[0].close();
  await world.eventually(async () => world.keep(await SocketIo.open(ada)));
});
