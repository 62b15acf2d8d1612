/**
 * What a route is, and finding the one for a request. The table itself is in routes.ts.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reserve } from '../rpc/answer-budget.ts';

/**
 * Access to a route: for clients with the password of the server that use an accepted name (host-rule.ts), or for
 * everybody.
 * `metrics_auth`, `probes_auth`: as that option of the server says.
 */
export type Access = 'password' | 'open' | 'metrics_auth' | 'probes_auth';

/** One request at a route. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The path below that of the route, decoded, without slashes at its ends; empty for the route itself. */
  readonly rest: string;
  /** Aborted when the client has gone or the server closes. */
  readonly signal: AbortSignal;
  /** Reads the body, of at most `maxBytes` or the limit of the server; rejects with a BodyError. */
  readonly readBody: (maxBytes?: number) => Promise<string>;
  /** Counts bytes that are in memory until the client has taken its answer; throws NoRoomError, which becomes a 503. */
  readonly reserve: Reserve;
}

/** One row of the table. What can be got can also be asked for with HEAD: the same without its content. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** `/RPC2`: that path, and those below it. */
  readonly path: string;
  readonly access: Access;
  /**
   * Answers; done when the answer is complete or under way by itself. What it throws becomes a 500, a BodyError its
   * status.
   */
  readonly answer: (exchange: Exchange) => void | Promise<void>;
}

/** What stands for a request: its route and the rest of its path, or the status that refuses it. */
export type RouteMatch =
  | { readonly route: Route; readonly rest: string }
  | { readonly status: 400 | 404; readonly allow: null }
  | { readonly status: 405; readonly allow: string };

/** The path of a request target without its query, decoded; null where that is not possible. */
function parsePath(target: string): string | null {
  const path = target.replace(/^https?:\/\/[^/]*/i, '').replace(/[?#].*$/s, '');
  try {
    return path.startsWith('/') ? decodeURIComponent(path) : null;
  } catch {
    return null; // A % that begins no character: the request is refused.
  }
}

function trimSlashes(path: string): string {
  let start = 0;
  let end = path.length;
  while (start < end && path.charAt(start) === '/') start += 1;
  while (end > start && path.charAt(end - 1) === '/') end -= 1;
  return path.slice(start, end);
}

/** Finds the route of a request: the one with the longest path that it is at or below. */
export function matchRoute(routes: readonly Route[], method: string, target: string): RouteMatch {
  const path = parsePath(target);
  if (path === null) return { status: 400, allow: null };
  const there = routes.filter(
    (route) => path === route.path || path.startsWith(route.path === '/' ? '/' : `${route.path}/`),
  );
  const longest = Math.max(...there.map((route) => route.path.length));
  const candidates = there.filter((route) => route.path.length === longest);
  const route = candidates.find((candidate) => candidate.method === (method === 'HEAD' ? 'GET' : method));
  if (route !== undefined) return { route, rest: trimSlashes(path.slice(route.path.length)) };
  return candidates.length === 0
    ? { status: 404, allow: null }
    : {
        status: 405,
        allow: candidates.map((candidate) => (candidate.method === 'GET' ? 'GET, HEAD' : candidate.method)).join(', '),
      };
}
