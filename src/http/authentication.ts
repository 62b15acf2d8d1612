/**
 * HTTP Basic authentication with the `username` and `password` of a server section.
 * A comparison takes the same time for every wrong value. Passwords never leave this file.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

/** User and password of a server; both null for a server without a password. */
export interface BasicCredentials {
  readonly username: string | null;
  /** Plain text, or `{SHA}` and the SHA-1 in hexadecimal digits. */
  readonly password: string | null;
}

const SHA_PREFIX = '{SHA}';

/** Compares the digests of two texts, which have the same length. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** Reads user and password of an `Authorization` header; null for another header. */
export function parseBasic(
  header: string | undefined,
): { readonly username: string; readonly password: string } | null {
  const match = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header ?? '');
  if (match === null) return null;
  const text = Buffer.from(match[1] ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? null : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Makes the check of `Authorization` headers. */
export function createGuard({ username, password }: BasicCredentials): (header: string | undefined) => boolean {
  if (username === null && password === null) return () => true;
  const isHashed = password?.toUpperCase().startsWith(SHA_PREFIX) ?? false;
  const expected = isHashed ? (password ?? '').slice(SHA_PREFIX.length).toLowerCase() : (password ?? '');
  return (header) => {
    const given = parseBasic(header);
    const presented = isHashed
      ? createHash('sha1')
          .update(given?.password ?? '')
          .digest('hex')
      : (given?.password ?? '');
    const isUser = isSame(given?.username ?? '', username ?? '');
    const isPassword = isSame(presented, expected);
    return given !== null && isUser && isPassword;
  };
}
