/**
 * The wait of `start` and `restart` for processes that must start first (`depends_on`): shows on a terminal the
 * programs that a start waits for, and ends the wait after `--timeout`. The start itself continues in the supervisor.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { WrongValue } from '../config/datatype.ts';
import { duration } from '../config/datatypes.ts';
import { formatNamespec } from '../core/namespec.ts';
import { ArgumentError } from './command.ts';
import { ExitCode } from './exit-codes.ts';
import { selectNamed } from './names.ts';
import { readStartWaitOf } from './process-status.ts';
import type { Session } from './session.ts';
import type { ProcessInfo } from './supervisor-client.ts';
import { endsInTime } from './time-limit.ts';
import { WaitLine } from './wait.ts';

const OPTION = '--timeout';
/** Time before the first request for the reasons, and between two requests. */
const POLL_MS = 1000;

/** The words of a command without the option, and the value of the option; null if it is not given. */
export interface TimeoutWords {
  readonly rest: readonly string[];
  readonly timeoutMs: number | null;
}

/** Takes `--timeout 30` or `--timeout=1m30s` out of the words of a command. Throws {@link ArgumentError}. */
export function takeTimeout(words: readonly string[]): TimeoutWords {
  const at = words.findIndex((word) => word === OPTION || word.startsWith(`${OPTION}=`));
  if (at === -1) return { rest: words, timeoutMs: null };
  const word = words[at] ?? '';
  const isJoined = word !== OPTION;
  const value = isJoined ? word.slice(OPTION.length + 1) : (words[at + 1] ?? '');
  try {
    const seconds = duration.parse(value, { cwd: '/', home: null, host: null });
    return {
      rest: words.filter((_word, index) => index !== at && (isJoined || index !== at + 1)),
      timeoutMs: seconds * 1000,
    };
  } catch (error) {
    if (!(error instanceof WrongValue)) throw error;
    throw new ArgumentError(`Error: ${OPTION}: ${error.message}`, {
      isHelpShown: false,
      exitCode: ExitCode.INVALID_ARGS,
    });
  }
}

/**
 * Runs `action`, which starts the named processes and waits for them. After the time limit of the command it prints a
 * line for each process that still waits, and sets exit code 124. Whatever follows the starts has no limit.
 */
export async function waitForStarts(
  session: Session,
  names: readonly string[],
  action: () => Promise<void>,
): Promise<void> {
  const watch = new HoldWatch(session, names);
  const { limit } = session;
  try {
    watch.start();
    if (await endsInTime(session, action)) return;
    const lines = watch.waiting.length === 0 ? ['the start is not finished'] : watch.waiting;
    for (const line of lines)
      session.fail(
        `${line}: ERROR (timeout after ${(limit?.ms ?? 0) / 1000} s; the start continues without supervisorctl)`,
        ExitCode.TIMEOUT,
      );
  } finally {
    limit?.close();
    watch.stop();
  }
}

/** Asks the server every second for the reasons why the starts wait. */
class HoldWatch {
  readonly #session: Session;
  readonly #names: readonly string[];
  readonly #stopped = new AbortController();
  readonly #shown = new Set<string>();
  /** The line that shows the time of the wait; null if each reason is printed once. */
  readonly #line: WaitLine | null;
  /** The waiting starts in the latest answer, for example `web waits for db to be started`. */
  waiting: readonly string[] = [];

  constructor(session: Session, names: readonly string[]) {
    this.#session = session;
    this.#names = names;
    this.#line = session.hasOwnViews ? new WaitLine(session) : null;
  }

  start(): void {
    // Errors here are ignored: the call that starts the processes reports its own errors.
    void this.#poll().catch(() => undefined);
  }

  stop(): void {
    this.#stopped.abort();
    this.#line?.close();
  }

  async #poll(): Promise<void> {
    const { signal } = this.#stopped;
    for (;;) {
      await delay(POLL_MS, undefined, { signal });
      const processes = await this.#session.client.getAllProcessInfo();
      if (signal.aborted) return;
      const chosen = selectNamed(this.#names, processes);
      this.waiting = chosen.flatMap(describeWait);
      if (this.#line !== null) this.#line.text = [...this.waiting, ...chosen.flatMap(describeStart)].join(', ');
      else for (const line of this.waiting) this.#show(line);
    }
  }

  #show(line: string): void {
    if (this.#session.io.stdout.isTTY !== true || this.#shown.has(line)) return;
    this.#shown.add(line);
    this.#session.output(line);
  }
}

/** Describes a start that waits for other processes, or for a step before the execution; none for another process. */
function describeWait(info: ProcessInfo): readonly string[] {
  const text = info.hold === 'waiting' ? info.description : readStartWaitOf(info);
  return text === null ? [] : [`${formatNamespec(info.group, info.name)} ${text}`];
}

/** Describes a start that goes on without a wait; none for a process in another state. */
function describeStart(info: ProcessInfo): readonly string[] {
  const { group, name, statename, hold } = info;
  if (hold !== null || readStartWaitOf(info) !== null) return [];
  if (statename === 'STARTING') return [`${formatNamespec(group, name)} is starting`];
  return statename === 'BACKOFF' ? [`${formatNamespec(group, name)} has failed, and is tried again`] : [];
}
