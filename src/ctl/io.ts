/**
 * What the client needs from the world around it: streams, environment, interrupts. The program that runs it fills this
 * in. Owns types only.
 */
import type { Readable, Writable } from 'node:stream';
import type { Discovery } from './discovery.ts';

/** Standard input; a terminal has the last two members. */
export interface CtlInput extends Readable {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
}

/** The outside of one run of the client. */
export interface CtlIo {
  readonly stdin: CtlInput;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Finds the supervisor of our container; without it nothing is found. */
  readonly discovery?: Discovery;
  /** argv[0], shown in usage texts; Supervisor's file is also looked for beside its directory. */
  readonly calledAs: string;
  /** Subscribes to SIGINT; the result ends the subscription. While nobody is subscribed, SIGINT ends the process. */
  onInterrupt(listener: () => void): () => void;
}
