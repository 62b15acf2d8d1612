/**
 * HTTP Basic authentication: the users of `[api_user:x]`, and the `username` and `password` of a server. Every request
 * with credentials is compared with all users, so that the time tells neither a name nor a part of a password.
 * Passwords never leave this file.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { LoginAttempt, LoginThrottle } from '../core/login-throttle.ts';
import type { Role } from '../core/role.ts';

/** User and password of a server; both null for a server without a password. */
export interface BasicCredentials {
  readonly username: string | null;
  /** Plain text, or `{SHA}` and the SHA-1 in hexadecimal digits. */
  readonly password: string | null;
}

/** A user that may log in. */
export interface HttpUser {
  readonly name: string;
  /** As in {@link BasicCredentials}. */
  readonly password: string;
  readonly role: Role;
}

const SHA_PREFIX = '{SHA}';

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
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

/** Returns the user of a server's own `username` and `password`, who is admin there; none without them. */
export function usersOf({ username, password }: BasicCredentials): HttpUser[] {
  return username === null && password === null
    ? []
    : [{ name: username ?? '', password: password ?? '', role: 'admin' }];
}

/** Makes the search for the user of an `Authorization` header: null without right credentials. */
export function createUserSearch(users: readonly HttpUser[]): (header: string | undefined) => HttpUser | null {
  const known = users.map((user) => {
    const isHashed = user.password.toUpperCase().startsWith(SHA_PREFIX);
    const expected = isHashed ? user.password.slice(SHA_PREFIX.length).toLowerCase() : user.password;
    return { user, isHashed, name: digest(user.name), password: digest(expected) };
  });
  return (header) => {
    const given = parseBasic(header);
    const name = digest(given?.username ?? '');
    const plain = digest(given?.password ?? '');
    const hashed = digest(
      createHash('sha1')
        .update(given?.password ?? '')
        .digest('hex'),
    );
    let found: HttpUser | null = null;
    for (const expected of known) {
      // Both are always compared, for every user.
      const isName = timingSafeEqual(name, expected.name);
      const isPassword = timingSafeEqual(expected.isHashed ? hashed : plain, expected.password);
      if (isName && isPassword) found = expected.user;
    }
    return given === null ? null : found;
  };
}

/**
 * The outcome of a login. `unknown`: no credentials where they are needed, or wrong ones. `paused`: not compared, after
 * too many wrong passwords.
 */
export type Login =
  | { readonly kind: 'known'; readonly role: Role; readonly user: string | null }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'paused'; readonly waitMs: number };

/** Rules of one server for logins. */
export interface LoginRules {
  readonly users: readonly HttpUser[];
  /** The role of a client that sends no credentials; null for none. */
  readonly anonymousRole: Role | null;
  /** Shared by all servers. */
  readonly throttle: LoginThrottle;
  /** Called when a pause begins. `user`: the configured user that was named; null for another name. */
  readonly onPause: (network: string, user: string | null, pauseMs: number) => void;
  readonly nowMs: () => number;
}

/** Checks one login. `network`: the network of the client, asked for only if it matters. */
export type LoginCheck = (header: string | undefined, network: () => string) => Login;

/** Time between two reports about names that no user has: a client can invent as many as it likes. */
const UNKNOWN_REPORT_MS = 60_000;

/** Makes the check of logins. */
export function createLoginCheck({ users, anonymousRole, throttle, onPause, nowMs }: LoginRules): LoginCheck {
  const search = createUserSearch(users);
  let unknownReportDueMs = -Infinity;
  const report = (network: string, named: string | null, pauseMs: number, now: number): void => {
    if (named === null && now < unknownReportDueMs) return;
    if (named === null) unknownReportDueMs = now + UNKNOWN_REPORT_MS;
    onPause(network, named, pauseMs);
  };
  const anonymous: Login =
    anonymousRole === null ? { kind: 'unknown' } : { kind: 'known', role: anonymousRole, user: null };
  return (header, network) => {
    // compat: a server without any user ignores credentials. Clients may send those of their configuration.
    if (header === undefined || users.length === 0) return anonymous;
    const given = parseBasic(header);
    // Another scheme is no guess of a password.
    if (given === null) return { kind: 'unknown' };
    const now = nowMs();
    // The name may be a password that was typed into the wrong field.
    const named = users.some(({ name }) => name === given.username) ? given.username : null;
    const attempt = (): LoginAttempt => ({ network: network(), user: given.username, isKnown: named !== null });
    const waitMs = throttle.isIdle ? 0 : throttle.waitMs(attempt(), now);
    if (waitMs > 0) return { kind: 'paused', waitMs };
    const found = search(header);
    if (found !== null) return { kind: 'known', role: found.role, user: found.name };
    const failed = attempt();
    const pauseMs = throttle.noteFailure(failed, now);
    if (pauseMs > 0) report(failed.network, named, pauseMs, now);
    return { kind: 'unknown' };
  };
}
