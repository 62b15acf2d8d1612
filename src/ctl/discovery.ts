/**
 * The port through which the client finds the supervisor of its container without a configured address. Implemented in
 * startup/find-supervisor.ts, because it needs the addon to ask the kernel who listens on a socket.
 */
import type { Endpoint } from './transport.ts';

/** A supervisor in our container. */
export interface FoundSupervisor extends Endpoint {
  /** The configuration file of that supervisor; null if there is none or we cannot read it. */
  readonly file: string | null;
}

/** Finds the supervisors of our container. */
export interface Discovery {
  /** Finds the supervisor that is PID 1 of the container; null for none, and outside of containers. */
  find(): FoundSupervisor | null;
  /** Returns the socket of `[unix_http_server]` of a file if a server answers there; null outside of containers. */
  serverOf(file: string): Endpoint | null;
  /** Finds the private control socket of a supervisor of our PID namespace; null if none answers. */
  privateSocket(): string | null;
  /** True if a process of our PID namespace listens on a path. */
  answers(path: string): boolean;
  /**
   * The first possible path of a private control socket that no other container uses. Read this only after the calls
   * above.
   */
  readonly firstAddress: string;
}

/** A discovery without results. */
export const noDiscovery: Discovery = {
  find: () => null,
  serverOf: () => null,
  privateSocket: () => null,
  answers: () => false,
  firstAddress: '/run/onevisor.sock',
};
