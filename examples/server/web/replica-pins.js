// Pinned messages of the conversations that asked for them, kept by what is heard of each message since.

export class Pins {
  #lists = new Map(); // conversation id => Map(message id => message)
  #heard = new Map(); // conversation id => how many changes were heard of

  /** The pinned messages, the newest pin first; `undefined` until they were loaded. */
  of(id) {
    const list = this.#lists.get(id);
    return list && [...list.values()].sort((a, b) => (a.pinned.at < b.pinned.at ? 1 : -1));
  }

  /** Loads them with `page()`; again, when one changed meanwhile. */
  async load(id, page) {
    for (let before = -1; before !== (this.#heard.get(id) ?? 0);) {
      before = this.#heard.get(id) ?? 0;
      const { items } = await page();
      this.#lists.set(id, new Map(items.map(message => [message.id, message])));
    }
  }

  /** Takes a message as it is now. */
  note(message) {
    const list = this.#lists.get(message.conversation_id);
    if (!message.pinned && !list?.has(message.id)) return;
    this.#heard.set(message.conversation_id, (this.#heard.get(message.conversation_id) ?? 0) + 1);
    if (message.pinned) list?.set(message.id, message);
    else list?.delete(message.id);
  }

  /** Forgets a message by what it says, for instance that its time is over. */
  drop(message) { this.#lists.get(message.conversation_id)?.delete(message.id); }

  forget(id) { this.#lists.delete(id); }
}
