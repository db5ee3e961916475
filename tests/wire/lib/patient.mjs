// Scenarios whose users wait and try again when they are told that they were too fast, as real clients do.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { scenario as plainScenario, pause } from './scenario.mjs';
import { Refusal, User } from './rest.mjs';

export { pause };
export const forever = 'forever';
export const unknownId = () => `nobody-${randomUUID()}`;

async function patiently(attempt) {
  for (let tries = 0; ; tries++) {
    try { return await attempt(); } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'rate_limited' || tries >= 25) throw error;
      await pause(Math.min(error.retry_after_ms ?? 300, 2_000) + 15);
    }
  }
}

export class Person extends User {
  call(...request) { return patiently(() => super.call(...request)); }
  group(members, more = {}) { return super.group(members, more); }
  badge() { return this.get('/me/badge'); }
  /** All pages of a list. */
  async all(path) {
    const items = [];
    for (let cursor; ;) {
      const page = await this.get(`${path}${path.includes('?') ? '&' : '?'}limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
      items.push(...page.items);
      cursor = page.next_cursor;
      if (!cursor) return items;
    }
  }
  async list(filter) { return this.all(`/conversations${filter ? `?filter=${filter}` : ''}`); }
  async listed(id, filter) { return (await this.list(filter)).find(item => item.id === (id.id ?? id)); }
  async members(group) { return this.all(`/conversations/${group.id}/members`); }
  async roles(group) { return Object.fromEntries((await this.members(group)).map(member => [member.user.name, member.role])); }
  async my(conversation) { return (await this.conversation(conversation)).my; }
  add(group, ...users) { return this.post(`/conversations/${group.id}/members`, { user_ids: users.map(user => user.id ?? user) }); }
  remove(group, user) { return this.delete(`/conversations/${group.id}/members/${encodeURIComponent(user.id)}`); }
  role(group, user, role) { return this.patch(`/conversations/${group.id}/members/${encodeURIComponent(user.id)}`, { role }); }
  leave(group) { return this.post(`/conversations/${group.id}/leave`); }
  change(group, what) { return this.patch(`/conversations/${group.id}`, what); }
  settings(conversation, what) { return this.patch(`/conversations/${conversation.id}/settings`, what); }
  read(conversation, seq) { return this.put(`/conversations/${conversation.id}/read`, { seq }); }
  unread(conversation, seq) { return this.put(`/conversations/${conversation.id}/unread`, seq === undefined ? {} : { seq }); }
  block(user) { return this.put(`/blocks/${user.id}`); }
  unblock(user) { return this.delete(`/blocks/${user.id}`); }
  history(conversation) { return this.get(`/conversations/${conversation.id}/messages?limit=100&order=asc`); }
  async lines(conversation) { return (await this.history(conversation)).items.filter(item => item.kind === 'system').map(item => item.system.code); }
  async found(q, more = '') { return (await this.get(`/search/messages?q=${encodeURIComponent(q)}${more}`)).items.map(item => item.text); }
}

function patient(connection) {
  const command = connection.command.bind(connection);
  connection.command = (...words) => patiently(() => command(...words));
  /** Events heard so far and not given out. */
  connection.heardOf = name => connection.events.filter(event => event.name === name).map(event => event.data);
  return connection;
}

export function scenario(name, run, options = {}) {
  plainScenario(name, async world => {
    world.users = async (...names) => {
      const users = names.map(called => new Person(called));
      for (let at = 0; at < users.length; at += 20) await Promise.all(users.slice(at, at + 20).map(user => user.get('/me')));
      return users;
    };
    const [io, plain] = [world.socketIo.bind(world), world.plain.bind(world)];
    world.socketIo = async (...words) => patient(await io(...words));
    world.plain = async (...words) => patient(await plain(...words));
    await run(world);
  }, options);
}

/** The `rev`s of one conversation on one connection: never twice, never back. */
export function watchRevs(connection) {
  const seen = new Map();
  const heard = connection.heard.bind(connection);
  const faults = [];
  connection.heard = (name, data) => {
    const id = data?.conversation_id ?? data?.conversation?.id;
    const rev = data?.rev ?? data?.conversation?.rev;
    if (id !== undefined && rev !== undefined) {
      if (rev <= (seen.get(id) ?? 0)) faults.push(`${name} rev ${rev} after ${seen.get(id)}`);
      seen.set(id, rev);
    }
    heard(name, data);
  };
  return () => assert.deepEqual(faults, []);
}
export const sorted = list => [...list].sort();
export const keys = object => Object.keys(object).sort();
