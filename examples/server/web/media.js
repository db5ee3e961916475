// Bytes that only a token opens: fetched once, kept as object URLs, the oldest given back.

const KEPT = 80;

export class Media {
  #known = new Map();

  constructor(api) { this.api = api; }

  /** An object URL for an attachment's bytes. */
  url(path) {
    let known = this.#known.get(path);
    if (!known) {
      known = this.api.blob(path).then(blob => URL.createObjectURL(blob));
      known.catch(() => this.#known.delete(path));
    }
    this.#known.delete(path);
    this.#known.set(path, known);
    if (this.#known.size > KEPT) {
      const [oldest, gone] = this.#known.entries().next().value;
      this.#known.delete(oldest);
      gone.then(url => URL.revokeObjectURL(url), () => {});
    }
    return known;
  }

  /** Saves an attachment under its own name. */
  async save({ url, filename }) {
    const link = document.createElement('a');
    link.href = await this.url(url);
    link.download = filename;
    link.click();
  }

  clear() {
    for (const known of this.#known.values()) known.then(url => URL.revokeObjectURL(url), () => {});
    this.#known.clear();
  }
}
