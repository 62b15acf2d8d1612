/**
 * The streams, the environment and the interrupts of the client, which programs/ctl.ts provides. Types only.
 */
import type { Readable, Writable } from 'node:stream';
import type { ProgramSettings } from '../rpc/supervisor-api.ts';
import type { Discovery } from './discovery.ts';

/** Standard input. Only a terminal has the two members below. */
export interface CtlInput extends Readable {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
}

/** Standard output. Only a terminal has a size. */
export type CtlOutput = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** The parts of this process that a full-screen view needs, besides the streams. */
export interface TerminalPort {
  /** Subscribes to a signal; the result ends the subscription. */
  onSignal(name: 'SIGTERM' | 'SIGHUP' | 'SIGQUIT' | 'SIGTSTP' | 'SIGCONT', listener: () => void): () => void;
  /** Subscribes to the end of this process. Only synchronous calls work then. */
  onExit(listener: () => void): () => void;
  /** Writes to standard output at once. Errors are ignored: the terminal may have gone. */
  writeNow(text: string): void;
  /** Stops this process and its group by SIGTSTP, until SIGCONT. Does nothing if no shell could continue them. */
  stopSelf(): void;
  /**
   * Shows a text in the pager of the user, which has the terminal meanwhile. Resolves when the pager has ended, with
   * the reason if there is none. Ctrl-C belongs to the pager. The signal ends the pager.
   */
  page(text: string, signal: AbortSignal): Promise<string | null>;
}

/** Input and output of one run of the client. */
export interface CtlIo {
  readonly stdin: CtlInput;
  readonly stdout: CtlOutput;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** True if called as `onevisor`: people get views of our own. As `supervisorctl`, they get those of Supervisor. */
  readonly isOwnName?: boolean;
  /** Finds the supervisor of our container. */
  readonly discovery?: Discovery;
  /** argv[0], for usage texts. The search for the configuration file also starts at its directory. */
  readonly calledAs: string;
  /** Missing for a client without a terminal. */
  readonly terminal?: TerminalPort;
  /**
   * Runs a command with our streams, and resolves with its exit code. Missing for a client that cannot start processes.
   */
  runProgram?(settings: ProgramSettings, argv: readonly string[]): Promise<number>;
  /** Subscribes to SIGINT; the result ends the subscription. Without a subscription, SIGINT ends the process. */
  onInterrupt(listener: () => void): () => void;
}
