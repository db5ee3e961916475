// The optional accounts module, on in the example server.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { pause, scenario } from './lib/scenario.mjs';
import { User, refused } from './lib/rest.mjs';

scenario('sign up, log in, log out: the session ends with the login', async world => {
  const nobody = new User('Nobody');
  const account = { name: 'Ada', email: `ada-${randomUUID()}@example.org`, password: 'correct horse battery' };
  const signed = await nobody.post('/auth/signup', account);
  assert.equal(signed.user.name, 'Ada');
  assert.ok(Date.parse(signed.expires_at) > Date.now());
  assert.ok(!JSON.stringify(signed).includes(account.password));
  await refused(nobody.post('/auth/signup', account), 'conflict');
  await refused(nobody.post('/auth/login', { email: account.email, password: 'wrong' }), 'unauthenticated');
  const logged = await nobody.post('/auth/login', { email: account.email.toUpperCase(), password: account.password });
  const ada = new User('Ada');
  Object.assign(ada, { id: logged.user.id, token: logged.token });
  assert.equal((await ada.get('/auth/check')).user.id, ada.id);
  const a = await world.socketIo(ada);
  await ada.post('/auth/logout');
  await refused(ada.get('/me'), 'token_invalid');
  const ended = await Promise.race([a.closed, pause(12_000)]);
  assert.ok(ended, 'the live session ends');
  const other = new User('Ada');
  Object.assign(other, { id: signed.user.id, token: signed.token });
  await other.get('/me');
});

scenario('guessing passwords gets slow', async () => {
  const nobody = new User('Nobody');
  const account = { name: 'Ben', email: `ben-${randomUUID()}@example.org`, password: 'correct horse battery' };
  await nobody.post('/auth/signup', account);
  const codes = [];
  for (let i = 0; i < 8; i++) codes.push(await nobody.post('/auth/login', { email: account.email, password: `wrong ${i}` }).catch(error => error.code));
  assert.ok(codes.includes('rate_limited'), codes.join());
});

scenario('bad forms are refused by field', async () => {
  const nobody = new User('Nobody');
  const email = () => `x-${randomUUID()}@example.org`;
  await refused(nobody.post('/auth/signup', { name: 'X', email: 'no address', password: 'correct horse battery' }), 'invalid_argument', 'email');
  await refused(nobody.post('/auth/signup', { name: 'X', email: email(), password: 'short' }), 'invalid_argument', 'password');
  await refused(nobody.post('/auth/signup', { name: '', email: email(), password: 'correct horse battery' }), 'invalid_argument', 'name');
});
