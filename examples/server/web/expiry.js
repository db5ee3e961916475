// Takes disappearing messages off the screen at their time, without waiting for the server's word.

import { expire } from './replica-expiry.js';

const LONGEST = 2_147_483_647; // of a browser's timer

export class Expiry {
  #timer; #ahead = 0;

  constructor(replica) { this.replica = replica; }

  /** The server's clock is the one that counts. */
  setClock(serverTime) { if (serverTime) this.#ahead = Date.parse(serverTime) - Date.now(); }

  now() { return Date.now() + this.#ahead; }

  /** Looks what is over and when the next one is; call it after every change. */
  watch() {
    clearTimeout(this.#timer);
    const next = expire(this.replica, this.now());
    if (next < Infinity) this.#timer = setTimeout(() => this.watch(), Math.min(next - this.now() + 50, LONGEST));
  }

  stop() { clearTimeout(this.#timer); }
}
