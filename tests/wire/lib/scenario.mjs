// A scenario: fresh users, connections that are closed at the end.
import { test } from 'node:test';
import { PATIENCE, User } from './rest.mjs';
import { Plain, SocketIo } from './live.mjs';

export const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

class World {
  connections = [];
  /** Users the server knows: each has asked for himself once. */
  async users(...names) {
    const users = names.map(name => new User(name));
    await Promise.all(users.map(user => user.get('/me')));
    return users;
  }
  async socketIo(user, options) { return this.keep(await SocketIo.open(user, options)); }
  async plain(user, options) { return this.keep(await Plain.open(user, options)); }
  async dial() { return this.keep(await Plain.dial()); }
  keep(connection) { this.connections.push(connection); return connection; }
  /** Repeats until it does not throw. */
  async eventually(check, ms = 4_000 * PATIENCE) {
    const until = Date.now() + ms;
    for (;;) {
      try { return await check(); } catch (error) { if (Date.now() > until) throw error; }
      await pause(80);
    }
  }
  close() { for (const connection of this.connections) connection.close(); }
}

/** Declares a scenario. */
export function scenario(name, run, options = {}) {
  test(name, { timeout: 45_000 * PATIENCE, ...options }, async () => {
    const world = new World();
    try { await run(world); } finally { world.close(); }
  });
}
