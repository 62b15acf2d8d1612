/** Causes for tests that do not look at causes. */
import type { Cause, Client, ClientRequest, Decision, SignalCause } from '../src/core/cause.ts';

/** A client on a unix socket. */
export const CLIENT: Client = { door: 'unix', user: null, peer: 'uid 0, pid 77' };

/** A request of {@link CLIENT}. */
export const REQUEST: ClientRequest = { kind: 'request', method: 'test.method', client: CLIENT };

export const BOOT: Cause = { kind: 'boot' };

/** SIGTERM from an unknown sender. */
export const SIGTERM: SignalCause = { kind: 'signal', signal: 15, sender: 0 };

/** A failed health check with `healthcheck_action=restart`. */
export const UNHEALTHY = { kind: 'health', reason: 'no answer' } as const satisfies Decision;
