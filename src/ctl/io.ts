/**
 * The streams, the environment and the interrupts of the client, which programs/ctl.ts provides. Types only.
 */
import type { Readable, Writable } from 'node:stream';
import type { Discovery } from './discovery.ts';

/** Standard input. Only a terminal has the two members below. */
export interface CtlInput extends Readable {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
}

/** Input and output of one run of the client. */
export interface CtlIo {
  readonly stdin: CtlInput;
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Finds the supervisor of our container. */
  readonly discovery?: Discovery;
  /** argv[0], for usage texts. The search for the configuration file also starts at its directory. */
  readonly calledAs: string;
  /** Subscribes to SIGINT; the result ends the subscription. Without a subscription, SIGINT ends the process. */
  onInterrupt(listener: () => void): () => void;
}
