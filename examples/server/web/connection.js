// The plain WebSocket: first an auth frame, then commands with ids and events. Comes back by itself, later each time.

import { wordsOf } from './words.js';

const TIMEOUT_MS = 10_000;
const HEARTBEAT_MS = 25_000;
const FINAL = new Set(['unauthenticated', 'token_expired', 'token_invalid']);

export class CommandError extends Error {
  constructor({ code, detail, ...rest }) {
    super(wordsOf({ code, detail, ...rest }));
    Object.assign(this, { code, ...rest });
  }
}

export class Connection {
  #socket; #pending = new Map(); #next = 1; #attempt = 0; #retry; #beat; #ready = false; #stopped = true; #hint = 0;

  /** `onState`: 'connecting' | 'online' | 'offline' | 'refused' (with the code); `heartbeat`: () => [op, data]. */
  constructor({ url, token, onReady, onEvent, onState, heartbeat }) {
    Object.assign(this, { url, token, onReady, onEvent, onState, heartbeat });
  }

  get ready() { return this.#ready; }

  start() {
    this.#stopped = false;
    clearTimeout(this.#retry);
    this.onState('connecting');
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#send('auth', { token: this.token }).catch(error => {
        if (FINAL.has(error.code)) this.#refuse(error.code);
      });
    };
    socket.onmessage = frame => { if (socket === this.#socket) this.#take(frame.data); };
    socket.onclose = close => { if (socket === this.#socket) this.#closed(close); };
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#socket?.close(1000);
    this.#end();
  }

  /** Tries now instead of at the next turn, for instance when the network is back. */
  hurry() {
    if (!this.#stopped && !this.#ready && this.#socket?.readyState === WebSocket.CLOSED) this.start();
  }

  command(op, data = {}) {
    if (!this.#ready) return Promise.reject(new CommandError({ code: 'offline', detail: 'Not connected' }));
    return this.#send(op, data);
  }

  #send(op, data) {
    const id = String(this.#next++);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new CommandError({ code: 'timeout', detail: 'No answer' }));
        // A connection that does not answer is dead, whatever the browser thinks of it.
        this.#socket?.close(4000);
        this.#closed({ code: 4000 });
      }, TIMEOUT_MS);
      this.#pending.set(id, { resolve, reject, timer });
      this.#socket.send(JSON.stringify({ id, op, data }));
    });
  }

  #take(text) {
    const frame = JSON.parse(text);
    if (frame.event === 'ready') {
      this.#ready = true;
      this.#attempt = 0;
      this.#beat = setInterval(() => this.command(...this.heartbeat()).catch(() => {}), HEARTBEAT_MS);
      this.onState('online');
      this.onReady(frame.data);
    } else if (frame.event === 'session_ending') {
      this.#hint = frame.data.reconnect_after_ms ?? 0;
      if (['token_expired', 'revoked'].includes(frame.data.reason)) this.#refuse(frame.data.reason);
    } else if (frame.event) {
      this.onEvent(frame.event, frame.data);
    } else {
      const waiting = this.#pending.get(frame.id);
      if (!waiting) return;
      this.#pending.delete(frame.id);
      clearTimeout(waiting.timer);
      if (frame.ok) waiting.resolve(frame.data);
      else waiting.reject(new CommandError(frame.error ?? { code: 'internal' }));
    }
  }

  #refuse(code) {
    this.stop();
    this.onState('refused', code);
  }

  #end() {
    this.#ready = false;
    clearInterval(this.#beat);
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(new CommandError({ code: 'offline', detail: 'The connection was lost' }));
    }
    this.#pending.clear();
  }

  #closed({ code }) {
    this.#socket = undefined;
    this.#end();
    if (this.#stopped) return;
    if (code === 4401) return this.#refuse('token_invalid');
    const backoff = Math.min(30_000, 500 * 2 ** this.#attempt++);
    const wait = this.#hint || backoff / 2 + Math.random() * backoff / 2;
    this.#hint = 0;
    this.onState('offline');
    this.#retry = setTimeout(() => this.start(), wait);
  }
}
