// History that is known without a gap: for each conversation that was opened a closed range of seqs, open to its newest end.

export class Timeline {
  constructor({ from = 1, to = 0 } = {}) {
    Object.assign(this, { items: new Map(), from, to, more: false }); // items: seq => Message; more: there is something before
  }

  /** Takes a message as it is now; what lies before the range is left for when it is loaded. */
  store(message) {
    if (message.seq < this.from) return;
    const known = this.items.get(message.seq);
    if (known && known.rev > message.rev) return;
    if (message.gone) this.items.delete(message.seq);
    else this.items.set(message.seq, message);
  }

  /** Drops what was cleared, or purged for everyone. */
  dropBelow(seq) {
    for (const known of this.items.keys()) if (known < seq) this.items.delete(known);
  }

  /** Messages, oldest first. */
  list() {
    return [...this.items.values()].sort((a, b) => a.seq - b.seq);
  }
}

export class Timelines {
  #known = new Map(); // conversation id => Timeline

  /** `page(id, query)` asks for history; `noted(message)` is called for every message that comes with it. */
  constructor(page, noted) { Object.assign(this, { page, noted }); }

  get(id) { return this.#known.get(id); }
  has(id) { return this.#known.has(id); }
  ids() { return [...this.#known.keys()]; }
  forget(id) { this.#known.delete(id); }

  /** Loads the newest page, or with `older` the page before the oldest known message; `last` is the newest seq there is. */
  async load(id, older, last) {
    const known = this.get(id);
    if (known && (!older || !known.more)) return known;
    const page = await this.page(id, older ? { before: known.from } : {});
    const timeline = this.get(id) ?? new Timeline(page.range);
    timeline.from = Math.min(timeline.from, page.range?.from ?? timeline.from);
    this.#store(timeline, page);
    timeline.more = page.has_more_before;
    this.#known.set(id, timeline);
    if (last > timeline.to) await this.#fill(id, timeline);
    return timeline;
  }

  /** Takes a message as it is now. Where there is a gap before it, answers the promise of having filled it. */
  take(message) {
    const id = message.conversation_id;
    const timeline = this.get(id);
    if (!timeline) return undefined;
    timeline.store(message);
    if (message.seq > timeline.to + 1) return this.#fill(id, timeline).catch(() => this.forget(id));
    timeline.to = Math.max(timeline.to, message.seq);
    return undefined;
  }

  async #fill(id, timeline) {
    for (let more = true; more;) {
      const page = await this.page(id, { after: timeline.to, order: 'asc', limit: 100 });
      this.#store(timeline, page);
      timeline.to = Math.max(timeline.to, page.range?.to ?? timeline.to);
      more = page.has_more_after && page.items.length > 0;
    }
  }

  #store(timeline, page) {
    for (const message of page.items) { timeline.store(message); this.noted(message); }
  }

  /** Puts a star on a message that is here, or takes it off. */
  star(id, messageId, on) {
    for (const message of this.get(id)?.items.values() ?? []) if (message.id === messageId) message.starred = on || undefined;
  }
}
