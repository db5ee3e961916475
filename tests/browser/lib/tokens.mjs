// Tokens of the host, signed with the server's secret.
import { createHmac } from 'node:crypto';

const part = value => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token with these claims, good for an hour. */
export function token(claims) {
  const secret = process.env.CHAT_JWT_SECRET;
  if (!secret) throw new Error('CHAT_JWT_SECRET is needed: the secret of the server');
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ exp: Math.floor(Date.now() / 1000) + 3600, ...claims })}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}
