// The part of a conversation's history that is known without a gap: a closed range of seqs, open to its newest end.

export class Timeline {
  constructor({ from = 1, to = 0 } = {}) {
    Object.assign(this, { items: new Map(), from, to, more: false }); // items: seq => Message
  }

  /** Takes a message as it is now; what lies before the range is left for when it is loaded. */
  store(message) {
    if (message.seq < this.from) return;
    const known = this.items.get(message.seq);
    if (known && known.rev > message.rev) return;
    if (message.gone) this.items.delete(message.seq);
    else this.items.set(message.seq, message);
  }

  /** Takes a page of history that joins this range. */
  join(page) {
    this.from = Math.min(this.from, page.range?.from ?? this.from);
    for (const message of page.items) this.store(message);
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
