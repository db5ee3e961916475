// The REST side: one function per verb, errors with the code of the problem document.

import { CommandError } from './connection.js';

export class Api {
  constructor(base) {
    this.base = base;
    this.token = undefined;
  }

  async #fetch(method, path, { body, raw } = {}) {
    const headers = {};
    if (this.token) headers.authorization = `Bearer ${this.token}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    let answer;
    try {
      answer = await fetch(path.startsWith('/') ? path : `${this.base}/${path}`, { method, headers, body: raw ?? (body === undefined ? undefined : JSON.stringify(body)) });
    } catch {
      throw new CommandError({ code: 'offline', detail: 'The server cannot be reached' });
    }
    if (answer.ok) return answer;
    const problem = await answer.json().catch(() => ({}));
    throw new CommandError({ code: problem.code ?? `http_${answer.status}`, detail: problem.detail ?? problem.title ?? 'That did not work', field: problem.field, status: answer.status });
  }

  async json(method, path, body) {
    const answer = await this.#fetch(method, path, { body });
    return answer.status === 204 ? undefined : answer.json();
  }

  get(path, query) {
    const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== '');
    return this.json('GET', pairs.length ? `${path}?${new URLSearchParams(pairs)}` : path);
  }
  post(path, body) { return this.json('POST', path, body); }
  put(path, body) { return this.json('PUT', path, body); }
  patch(path, body) { return this.json('PATCH', path, body); }
  delete(path) { return this.json('DELETE', path); }

  async upload(file) {
    const form = new FormData();
    form.append('file', file, file.name || 'file');
    return (await this.#fetch('POST', 'attachments', { raw: form })).json();
  }

  /** Bytes that need the token, so no plain link can fetch them. */
  async blob(url) {
    return (await this.#fetch('GET', url)).blob();
  }
}
