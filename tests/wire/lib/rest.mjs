// A user who calls the REST API: every request carries the user's token, every answer is judged.
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';

export const BASE = (process.env.BASE_URL ?? 'http://127.0.0.1:3000').replace(/\/$/, '');
/** How many times as long as usual everything may take: the server may have a slow store. */
export const PATIENCE = Number(process.env.CHAT_WIRE_PATIENCE ?? 1);
const SECRET = process.env.CHAT_JWT_SECRET ?? '';
if (!SECRET) throw new Error('CHAT_JWT_SECRET is needed: run `cargo xtask test`');

/** HTTP status of every code that these scenarios meet. */
const STATUS = {
  401: ['unauthenticated', 'token_expired', 'token_invalid'],
  403: ['forbidden', 'not_permitted', 'you_blocked'],
  404: ['not_found', 'user_not_found', 'conversation_not_found', 'message_not_found', 'attachment_not_found'],
  409: ['conflict', 'idempotency_conflict', 'version_conflict', 'reset_required'],
  410: ['conversation_gone'],
  413: ['payload_too_large'],
  415: ['unsupported_media_type'],
  422: ['invalid_argument', 'empty_message', 'message_too_long', 'too_many_attachments', 'cannot_message_self', 'group_too_small',
    'member_limit_exceeded', 'invalid_cursor', 'query_required', 'window_closed', 'invalid_transition', 'invalid_operation',
    'owner_cannot_leave', 'rejected_by_policy'],
  429: ['rate_limited', 'slow_mode'],
};
export const statusOf = code => Number(Object.keys(STATUS).find(status => STATUS[status].includes(code)));

const part = value => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A signed token; a claim set to undefined is left out. `secret` and `alg` make bad ones. */
export function token(claims, { secret = SECRET, alg = 'HS256' } = {}) {
  const body = `${part({ alg, typ: 'JWT' })}.${part(claims)}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}
export const inSeconds = seconds => Math.floor(Date.now() / 1000) + seconds;

export class Refusal extends Error {
  constructor({ code, detail, field, retry_after_ms }, status) {
    super(`${code}: ${detail}${field ? ` (${field})` : ''}`);
    Object.assign(this, { code, field, status, retry_after_ms });
  }
}

/** Expects a promise to be refused with this code (and about this field); returns the refusal. */
export async function refused(promise, code, field) {
  let answer;
  try { answer = await promise; } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    assert.equal(error.code, code, error.message);
    if (field !== undefined) assert.equal(error.field, field, error.message);
    if (error.status !== undefined) assert.equal(error.status, statusOf(code), `HTTP status of ${code}`);
    return error;
  }
  assert.fail(`expected ${code}, got ${JSON.stringify(answer)}`);
}

/** Asks again when the answer is `rate_limited` for a moment, unless `hasty`. */
export async function patiently(ask, problem, hasty = false) {
  for (let attempt = 0; ; attempt++) {
    const answer = await ask();
    const { code, retry_after_ms: wait } = problem(answer) ?? {};
    if (hasty || code !== 'rate_limited' || !(wait <= 3_000) || attempt === 20) return answer;
    await new Promise(resolve => setTimeout(resolve, wait + 5));
  }
}

export class User {
  constructor(name, claims = {}) {
    this.name = name;
    this.id = claims.sub ?? `${name.toLowerCase()}-${randomUUID()}`;
    this.token = token({ sub: this.id, name, exp: inSeconds(3600), ...claims });
  }

  /** The whole answer, whatever it says. */
  async raw(method, path, { body, headers = {}, auth = true, root = false, redirect = 'manual' } = {}) {
    const ask = () => fetch(`${BASE}${root ? '' : '/api'}${path}`, {
      method, body, redirect, signal: AbortSignal.timeout(15_000 * PATIENCE),
      headers: { ...(auth ? { authorization: `Bearer ${this.token}` } : {}), ...headers },
    });
    // A pooled connection may be one the server has closed after it refused an upload; reading once more harms nobody.
    const response = await (method === 'GET' ? ask().catch(error => (['EPIPE', 'ECONNRESET', 'UND_ERR_SOCKET'].includes(error.cause?.code) ? ask() : Promise.reject(error))) : ask());
    const bytes = Buffer.from(await response.arrayBuffer());
    const type = response.headers.get('content-type') ?? '';
    return { status: response.status, headers: response.headers, bytes, type, json: /json/.test(type) ? JSON.parse(bytes.toString()) : undefined };
  }

  /** The body of a positive answer; anything else is a Refusal. Waits, as clients should, when told to come back soon. */
  async call(method, path, body, options = {}) {
    const request = { ...options, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...options.headers } }) };
    const answer = await patiently(() => this.raw(method, path, request), reply => reply.json, this.hasty);
    this.status = answer.status;
    if (answer.status >= 400) {
      assert.match(answer.type, /^application\/problem\+json/, `${method} ${path}: ${answer.status} ${answer.bytes}`);
      for (const field of ['type', 'title', 'detail', 'code', 'request_id']) assert.equal(typeof answer.json[field], 'string', `${field} of a problem`);
      assert.equal(answer.json.status, answer.status);
      throw new Refusal(answer.json, answer.status);
    }
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status}`);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    return answer.json;
  }
  get(path) { return this.call('GET', path); }
  post(path, body = {}) { return this.call('POST', path, body); }
  put(path, body) { return this.call('PUT', path, body); }
  patch(path, body) { return this.call('PATCH', path, body); }
  delete(path, body) { return this.call('DELETE', path, body); }

  // What nearly every scenario starts with.
  /** The direct conversation with another user. */
  async direct(other) { return (await this.post('/conversations/direct', { user_id: other.id })).conversation; }
  /** A new group with these users. */
  async group(members, more = {}) {
    return (await this.post('/conversations/group', { name: 'A group', member_ids: members.map(user => user.id), ...more })).conversation;
  }
  /** Sends text, or a whole SendMessage, and returns the message. */
  async send(conversation, message) {
    const body = typeof message === 'string' ? { text: message } : message;
    return (await this.post(`/conversations/${conversation.id}/messages`, body)).message;
  }
  conversation(id) { return this.get(`/conversations/${id.id ?? id}`); }
  /** Texts in order of seq, without system lines. */
  async texts(conversation) {
    const page = await this.get(`/conversations/${conversation.id}/messages?limit=100&order=asc`);
    return page.items.filter(message => message.kind !== 'system').map(message => message.text);
  }
  async upload(bytes, filename, type) {
    const form = new FormData();
    form.append('file', new Blob([bytes], { type }), filename);
    const answer = await patiently(() => this.raw('POST', '/attachments', { body: form }), reply => reply.json, this.hasty);
    if (answer.status >= 400) throw new Refusal(answer.json, answer.status);
    assert.equal(answer.status, 201);
    return answer.json;
  }
}
