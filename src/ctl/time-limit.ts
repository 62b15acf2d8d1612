/**
 * The time limit of a command (`--timeout`, `health --wait`). It begins before the first request, so that a supervisor
 * that does not answer cannot hold the command. When the time is over, all requests of the command end with an
 * {@link InterruptError}.
 */
import { InterruptError } from './errors.ts';
import { ExitCode } from './exit-codes.ts';
import type { Session } from './session.ts';

/** Time between two questions to a supervisor that takes its time for an exempt action. */
const PROBE_MS = 1000;

/** The time limit of one command. */
export class TimeLimit {
  readonly ms: number;
  readonly #session: Session;
  #timer: NodeJS.Timeout;
  #isOver = false;

  constructor(session: Session, ms: number) {
    this.ms = ms;
    this.#session = session;
    this.#timer = this.#begin();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends the limit: the rest of the command may take any time. */
  close(): void {
    clearTimeout(this.#timer);
  }

  /**
   * Runs an action that does not count, such as a stop that must not be left without the start after it. The time is
   * over only if the supervisor answers nothing for so long. Afterwards the limit begins anew.
   */
  async exempt<T>(action: () => Promise<T>): Promise<T> {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#probe(), PROBE_MS);
    try {
      return await action();
    } finally {
      clearTimeout(this.#timer);
      if (!this.#isOver) this.#timer = this.#begin();
    }
  }

  #begin(): NodeJS.Timeout {
    return setTimeout(() => {
      this.#isOver = true;
      this.#session.interrupt.abort();
    }, this.ms);
  }

  #probe(): void {
    const timer = this.#begin();
    this.#timer = timer;
    const goOn = (): void => {
      // The action may have ended meanwhile.
      if (this.#timer !== timer || this.#isOver) return;
      clearTimeout(timer);
      this.#timer = setTimeout(() => this.#probe(), PROBE_MS);
    };
    // The action itself reports errors.
    this.#session.client.getVersion().then(goOn, goOn);
  }
}

/** Runs a command with a limit; null for none. A command that has not told itself that the time is over gets a line. */
export async function runWithLimit(session: Session, ms: number | null, command: () => Promise<void>): Promise<void> {
  if (ms === null) return command();
  session.limit = new TimeLimit(session, ms);
  try {
    if (await endsInTime(session, command)) return;
    if (session.exitCode !== ExitCode.TIMEOUT) session.fail(`ERROR (no answer after ${ms / 1000} s)`, ExitCode.TIMEOUT);
  } finally {
    session.limit.close();
    session.limit = null;
  }
}

/** Runs a part of a command. Returns false if the time of the command was over before its end. */
export async function endsInTime(session: Session, part: () => Promise<void>): Promise<boolean> {
  try {
    await part();
    return true;
  } catch (error) {
    if (session.limit?.isOver === true && error instanceof InterruptError) return false;
    throw error;
  }
}
