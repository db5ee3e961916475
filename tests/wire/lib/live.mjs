// Live connections: the official Socket.IO client and a plain WebSocket behind one face.
import assert from 'node:assert/strict';
import { io } from 'socket.io-client';
import WebSocket from 'ws';
import { BASE, PATIENCE, Refusal, patiently } from './rest.mjs';

const LIVE_MS = 4_000 * PATIENCE;
const ANSWER_MS = 8_000 * PATIENCE;

class Connection {
  constructor(kind) { this.kind = kind; this.events = []; this.waiting = new Set(); this.closed = new Promise(resolve => { this.hasClosed = resolve; }); }

  heard(name, data) {
    const event = { name, data };
    for (const wait of this.waiting) if (wait.wants(event)) return wait.take(event);
    this.events.push(event);
  }

  /** The first event of this name that fits, heard already or to come; each event is given out once. */
  next(name, fits = () => true, ms = LIVE_MS) {
    const wants = event => event.name === name && fits(event.data);
    const at = this.events.findIndex(wants);
    if (at >= 0) return Promise.resolve(this.events.splice(at, 1)[0].data);
    return new Promise((resolve, reject) => {
      const wait = { wants, take: event => { done(); resolve(event.data); } };
      const timer = setTimeout(() => {
        done();
        reject(new assert.AssertionError({ message: `${this.kind}: no ${name} within ${ms} ms; heard ${this.events.map(e => e.name).join(', ') || 'nothing'}` }));
      }, ms);
      const done = () => { clearTimeout(timer); this.waiting.delete(wait); };
      this.waiting.add(wait);
    });
  }

  /** No such event comes within `ms`. */
  async silent(name, fits = () => true, ms = 350) {
    await new Promise(resolve => setTimeout(resolve, ms));
    const heard = this.events.filter(event => event.name === name && fits(event.data));
    assert.deepEqual(heard, [], `${this.kind}: should not have heard of it`);
  }

  /** Forgets what was heard so far. */
  forget() { this.events.length = 0; }
  count(name, fits = () => true) { return this.events.filter(event => event.name === name && fits(event.data)).length; }

  static answer(reply) {
    assert.equal(typeof reply?.ok, 'boolean', `not an answer: ${JSON.stringify(reply)}`);
    if (reply.ok) return reply.data;
    assert.equal(typeof reply.error.detail, 'string');
    assert.equal(typeof reply.error.request_id, 'string');
    throw new Refusal(reply.error);
  }
}

export class SocketIo extends Connection {
  /** Connects and waits for `ready`; `token` overrides the user's. */
  static async open(user, { transports = ['websocket'], token = user.token, auth = { token } } = {}) {
    const self = new SocketIo(`socket.io ${transports.join('+')}`);
    self.socket = io(BASE, { transports, auth, forceNew: true, reconnection: false, timeout: ANSWER_MS });
    self.socket.onAny((name, data) => self.heard(name, data));
    self.socket.on('disconnect', reason => self.hasClosed({ reason }));
    await new Promise((resolve, reject) => {
      self.socket.on('connect', resolve);
      self.socket.on('connect_error', error => {
        self.socket.close();
        reject(error.data?.code ? new Refusal({ ...error.data, detail: error.data.detail ?? error.message }) : error);
      });
    });
    self.ready = await self.next('ready');
    return self;
  }
  async command(name, ...payload) {
    return Connection.answer(await patiently(() => this.socket.timeout(ANSWER_MS).emitWithAck(name, ...payload), reply => reply?.error, this.hasty));
  }
  close() { this.socket.close(); }
}

export class Plain extends Connection {
  /** Opens `/ws` without authenticating. */
  static async dial() {
    const self = new Plain('/ws');
    self.number = 0;
    self.replies = new Map();
    self.others = [];
    self.socket = new WebSocket(`${BASE.replace(/^http/, 'ws')}/ws`);
    self.socket.on('message', text => self.frame(JSON.parse(text.toString())));
    self.socket.on('close', code => {
      self.hasClosed({ code });
      for (const reply of self.replies.values()) reply({ closed: code });
    });
    await new Promise((resolve, reject) => { self.socket.on('open', resolve); self.socket.on('error', reject); });
    return self;
  }
  /** Connects, authenticates and waits for `ready`. */
  static async open(user, { token = user.token } = {}) {
    const self = await Plain.dial();
    await self.command('auth', { token });
    self.ready = await self.next('ready');
    return self;
  }
  frame(frame) {
    if (typeof frame.event === 'string') return this.heard(frame.event, frame.data);
    const reply = this.replies.get(frame.id);
    if (!reply) return this.others.push(frame);
    this.replies.delete(frame.id);
    reply(frame);
  }
  text(frame) { this.socket.send(frame); }
  ask(op, data) {
    const id = `q${++this.number}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`/ws: no reply to ${op}`)), ANSWER_MS);
      this.replies.set(id, frame => { clearTimeout(timer); resolve(frame); });
      this.text(JSON.stringify({ id, op, data }));
    });
  }
  async command(op, data) {
    const reply = await patiently(() => this.ask(op, data), frame => frame.error, this.hasty);
    if (reply.closed) throw Object.assign(new Error(`/ws: closed with ${reply.closed}`), { close: reply.closed });
    return Connection.answer(reply);
  }
  close() { this.socket.terminate(); }
}
