/** The form of a route, and the search for the route of a request. The table of routes is in routes.ts. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Client } from '../core/cause.ts';
import type { Role } from '../core/role.ts';
import type { Reserve } from '../rpc/answer-budget.ts';

/**
 * Access to a route. A role: for clients that have it and use an accepted host name (host-rule.ts). `open`: for all
 * clients. `metrics_auth`, `probes_auth`: the option of the server with that name decides; if it is on, the role
 * `metrics` is enough.
 */
export type Access = Role | 'open' | 'metrics_auth' | 'probes_auth';

/** A request and its response. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Describes the client. */
  readonly client: () => Client;
  /** The role of the client. On a route that is open to all, clients without a password have `metrics`. */
  readonly role: Role;
  /** The decoded path below the path of the route, without slashes at its ends; empty for the route itself. */
  readonly rest: string;
  /** Aborted when the client disconnects or the server closes. */
  readonly signal: AbortSignal;
  /** Reads the body, of at most `maxBytes` or the limit of the server. Rejects with a BodyError. */
  readonly readBody: (maxBytes?: number) => Promise<string>;
  /** Reserves memory until the client has read the answer. Throws AnswerBudgetError, which becomes a 503. */
  readonly reserve: Reserve;
}

/** One row of the table. A GET route also answers HEAD requests. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** This path and all paths below it. */
  readonly path: string;
  readonly access: Access;
  /**
   * Answers the request. Returns or resolves when the answer is complete or continues by itself. An error becomes a
   * 500, a BodyError becomes its status.
   */
  readonly answer: (exchange: Exchange) => void | Promise<void>;
}

/** Returns the role that a route needs; null for a route that is open to all. */
export function neededRole(access: Access): Role | null {
  if (access === 'open') return null;
  return access === 'metrics_auth' || access === 'probes_auth' ? 'metrics' : access;
}

/** The route of a request and the rest of its path, or the status of the refusal. */
export type RouteMatch =
  | { readonly route: Route; readonly rest: string }
  | { readonly status: 400 | 404; readonly allow: null }
  | { readonly status: 405; readonly allow: string };

/** Returns the decoded path of a request target, without its query; null if it cannot be decoded. */
function parsePath(target: string): string | null {
  const path = target.replace(/^https?:\/\/[^/]*/i, '').replace(/[?#].*$/s, '');
  try {
    return path.startsWith('/') ? decodeURIComponent(path) : null;
  } catch {
    return null; // A wrong percent-encoding: the request is refused.
  }
}

function trimSlashes(path: string): string {
  let start = 0;
  let end = path.length;
  while (start < end && path.charAt(start) === '/') start += 1;
  while (end > start && path.charAt(end - 1) === '/') end -= 1;
  return path.slice(start, end);
}

/** Finds the route of a request: the one with the longest path that contains the path of the request. */
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
