// What stands between the official suites and a server that is not the JavaScript one.
//
// Engine.IO's Rust transport sends its first PING at once, the JavaScript server after one interval: the first one of
// a connection is answered here and not shown. And the Socket.IO suite looks at one frame at a time, so that it misses
// the second of two that arrive together: frames wait here until it asks. The Engine.IO suite counts on missing some,
// so there they do not. Nothing else is changed, in either direction.
import WebSocket from 'ws';

export function install({ base, queueFrames }) {
  const here = url => url.replace('localhost:3000', new URL(base).host);
  const plainFetch = globalThis.fetch;

  globalThis.fetch = async (url, options) => {
    const response = await plainFetch(here(url), options);
    const opens = response.status === 200 && !options?.method && !url.includes('sid=');
    if (opens) await answerFirstPing(url, JSON.parse((await response.clone().text()).slice(1)).sid);
    return response;
  };

  async function answerFirstPing(url, sid) {
    const session = here(`${url}&sid=${sid}`);
    const ping = await (await plainFetch(session)).text();
    if (ping !== '2') throw new Error(`the first packet was ${ping}, not a PING`);
    await plainFetch(session, { method: 'POST', body: '3' });
  }

  globalThis.WebSocket = class extends WebSocket {
    #listeners = new Set();
    #frames = [];

    constructor(url) {
      super(here(url));
      let hidesPing = !url.includes('sid=');
      // In a browser a failed connection is a `close`, no exception.
      super.addEventListener('error', () => {});
      super.addEventListener('message', event => {
        if (hidesPing && event.data === '2') {
          hidesPing = false;
          this.send('3');
        } else if (this.#listeners.size || queueFrames) {
          this.#frames.push(event);
          this.#deliver();
        }
      });
    }

    addEventListener(type, listener, options) {
      if (type !== 'message') return super.addEventListener(type, listener, options);
      this.#listeners.add({ listener, once: Boolean(options?.once) });
      this.#deliver();
    }

    removeEventListener(type, listener) {
      if (type !== 'message') return super.removeEventListener(type, listener);
      for (const entry of this.#listeners) if (entry.listener === listener) this.#listeners.delete(entry);
    }

    #deliver() {
      while (this.#listeners.size && this.#frames.length) {
        const frame = this.#frames.shift();
        for (const entry of [...this.#listeners]) {
          if (entry.once) this.#listeners.delete(entry);
          entry.listener(frame);
        }
      }
    }
  };
}
