/**
 * Port by which the client finds the supervisor of its container without being told an address.
 * The program that runs the client implements it (startup/find-supervisor.ts), since it takes a look at the kernel's
 * side of a socket.
 */
import type { Endpoint } from './transport.ts';

/** A supervisor that runs in our container. */
export interface FoundSupervisor extends Endpoint {
  /** Configuration file that it reads, if we can read it too; null for none. */
  readonly file: string | null;
}

/** Looks for supervisors of our own container. */
export interface Discovery {
  /** The supervisor that the container is run by; null where there is none, and outside containers. */
  find(): FoundSupervisor | null;
  /** Socket of `[unix_http_server]` of a file, if it answers; null otherwise, and outside containers. */
  serverOf(file: string): Endpoint | null;
  /** The private control socket of a supervisor of our PID namespace; null where none answers. */
  privateSocket(): string | null;
  /** True if a process of our PID namespace listens at a path. */
  answers(path: string): boolean;
  /**
   * The place where a private control socket would be, the first one that no other container has. To be asked for after
   * the others.
   */
  readonly firstPlace: string;
}

/** Finds nothing. */
export const noDiscovery: Discovery = {
  find: () => null,
  serverOf: () => null,
  privateSocket: () => null,
  answers: () => false,
  firstPlace: '/run/onevisor.sock',
};
