// Accounts of the example server, beyond the first way through.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { pause, scenario } from './lib/scenario.mjs';
import { User, patiently, refused } from './lib/rest.mjs';

const nobody = () => Object.assign(new User('Nobody'), { token: '' });
const form = (more = {}) => ({ name: 'Ada', email: `a-${randomUUID()}@example.org`, password: 'correct horse battery', ...more });
const open = (path, body) => nobody().call('POST', path, body, { auth: false });
const as = ({ user, token }) => Object.assign(new User(user.name), { id: user.id, token });

scenario('signing up makes a user who is found by name, mail and phone', async world => {
  const phone = `+49${String(Math.random()).slice(2, 12)}`;
  const account = form({ phone, name: `Ada ${randomUUID()}` });
  const who = nobody();
  // All tests log in from one address, which has a rate of its own.
  const answer = await patiently(() => who.raw('POST', '/auth/signup', { auth: false, body: JSON.stringify(account), headers: { 'content-type': 'application/json' } }), reply => reply.json);
  assert.ok([200, 201].includes(answer.status));
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  const { user, token, expires_at } = answer.json;
  assert.deepEqual([user.name, typeof token], [account.name, 'string']);
  assert.ok(Date.parse(expires_at) > Date.now());
  const ada = as({ user, token });
  assert.equal((await ada.get('/me')).id, user.id);
  const [ben] = await world.users('Ben');
  for (const q of [account.name, account.email, phone]) assert.deepEqual((await ben.get(`/users?q=${encodeURIComponent(q)}`)).items.map(one => one.id), [user.id], q);
  const seen = await ben.get(`/users/${user.id}`);
  assert.ok(!JSON.stringify(seen).includes(account.email), 'nobody is told the address');
  await world.socketIo(ada);
  await world.plain(ada);
  assert.equal((await ada.get('/auth/check')).user.id, user.id);
});

scenario('an address belongs to one account, however it is written', async () => {
  const account = form();
  await open('/auth/signup', account);
  await refused(open('/auth/signup', { ...account, email: account.email.toUpperCase(), password: 'something else' }), 'conflict', 'email');
  await refused(open('/auth/signup', { ...account, email: ` ${account.email} ` }), 'conflict', 'email');
  const both = form();
  const answers = await Promise.all([1, 2, 3].map(() => open('/auth/signup', both).catch(error => error.code)));
  assert.equal(answers.filter(answer => answer === 'conflict').length, 2);
});

scenario('a wrong password and an unknown address are the same answer', async () => {
  const account = form();
  await open('/auth/signup', account);
  const ask = body => patiently(() => nobody().raw('POST', '/auth/login', { auth: false, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }), reply => reply.json);
  const [wrong, unknown, odd] = [await ask({ email: account.email, password: 'wrong password' }), await ask({ email: form().email, password: 'wrong password' }), await ask({ email: 'no address', password: 'wrong password' })];
  assert.equal(wrong.status, 401);
  const shape = ({ status, json: { request_id, ...rest } }) => ({ status, ...rest, request_id: typeof request_id });
  assert.deepEqual(shape(unknown), shape(wrong));
  assert.deepEqual(shape(odd), shape(wrong));
});

scenario('what a form must say', async () => {
  for (const [change, field] of [[{ name: undefined }, 'name'], [{ name: ' ' }, 'name'], [{ name: 'x'.repeat(121) }, 'name'], [{ name: 'a\u0000b' }, 'name'], [{ email: undefined }, 'email'], [{ email: '' }, 'email'], [{ email: 'x' }, 'email'], [{ email: 'a@b@c' }, 'email'], [{ email: `${'x'.repeat(250)}@x.org` }, 'email'],
    [{ password: undefined }, 'password'], [{ password: '' }, 'password'], [{ password: 'seven77' }, 'password'], [{ password: 'x'.repeat(129) }, 'password'], [{ phone: 'call me' }, 'phone'], [{ phone: '12' }, 'phone'], [{ role: 'admin' }, 'role'], [{ email: 7 }, 'email'], [{ password: 12345678 }, 'password']]) {
    await refused(open('/auth/signup', form(change)), 'invalid_argument', field);
  }
  await refused(open('/auth/login', { email: 'a@b.c' }), 'invalid_argument', 'password');
  await refused(open('/auth/login', { password: 'x' }), 'invalid_argument', 'email');
  await refused(open('/auth/login', { email: 'a@b.c', password: 'x', admin: true }), 'invalid_argument', 'admin');
  await open('/auth/signup', form({ password: 'ü'.repeat(8) }));
  await open('/auth/signup', form({ password: 'x'.repeat(128), name: 'ü'.repeat(120) }));
});

scenario('logging out ends this login everywhere and no other', async world => {
  const account = form();
  const one = as(await open('/auth/signup', account));
  const two = as(await open('/auth/login', { email: account.email, password: account.password }));
  const [socket, plain, other] = [await world.socketIo(one), await world.plain(one), await world.socketIo(two)];
  const [his, others] = [randomUUID(), randomUUID()];
  await one.put('/devices', { token: his, platform: 'ios', provider: 'fcm' });
  await two.put('/devices', { token: others, platform: 'ios', provider: 'fcm' });
  await one.post('/auth/logout');
  assert.ok([200, 204].includes(one.status));
  assert.deepEqual((await two.get('/devices')).items.map(item => item.token), [others], 'its devices go with it');
  for (const session of [socket, plain]) {
    assert.equal((await session.next('session_ending', () => true, 7_000)).reason, 'revoked');
    assert.ok(await Promise.race([session.closed, pause(3_000)]), 'closed');
  }
  assert.equal((await plain.closed).code, 4403);
  for (const path of ['/me', '/auth/check', '/conversations']) await refused(one.get(path), 'token_invalid');
  await refused(world.socketIo(one), 'token_invalid');
  await other.command('get_online_users', {});
  await two.get('/me');
  assert.equal(other.count('session_ending'), 0);
});

scenario('check and logout need a credential; a host\'s token is no login', async world => {
  const who = nobody();
  assert.equal((await who.raw('GET', '/auth/check', { auth: false })).json.code, 'unauthenticated');
  assert.equal((await who.raw('POST', '/auth/logout', { auth: false })).json.code, 'unauthenticated');
  const [ada] = await world.users('Ada');
  const answer = await ada.raw('POST', '/auth/logout');
  assert.ok(answer.status === 204 || answer.json.code === 'invalid_operation');
  await ada.get('/me');
});
