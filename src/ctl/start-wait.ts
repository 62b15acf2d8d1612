/**
 * The waiting of `start` and `restart` for what a program depends on: says on a terminal what that is, and ends it
 * after `--timeout`.
 * The start itself goes on in the supervisor when the client leaves.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { WrongValue } from '../config/datatype.ts';
import { duration } from '../config/datatypes.ts';
import { formatNamespec, parseNamespec } from '../core/namespec.ts';
import { InterruptError } from './errors.ts';
import { ExitCode } from './exit-codes.ts';
import { findMatches } from './names.ts';
import type { Session } from './session.ts';
import type { ProcessInfo } from './supervisor-client.ts';

const OPTION = '--timeout';
/** Pause before the first look at what is waited for, and between two looks. */
const LOOK_MS = 1000;

/**
 * Words without the option, and its value in milliseconds; null without the option. A string is what is wrong with it.
 */
export type TimeoutWords = { readonly names: readonly string[]; readonly timeoutMs: number | null } | string;

/** Takes `--timeout 30`, `--timeout=1m30s` out of the words of a command. */
export function takeTimeout(words: readonly string[]): TimeoutWords {
  const at = words.findIndex((word) => word === OPTION || word.startsWith(`${OPTION}=`));
  if (at === -1) return { names: words, timeoutMs: null };
  const word = words[at] ?? '';
  const isJoined = word !== OPTION;
  const value = isJoined ? word.slice(OPTION.length + 1) : (words[at + 1] ?? '');
  try {
    const seconds = duration.parse(value, { cwd: '/', home: null, host: null });
    return {
      names: words.filter((_word, index) => index !== at && (isJoined || index !== at + 1)),
      timeoutMs: seconds * 1000,
    };
  } catch (error) {
    if (!(error instanceof WrongValue)) throw error;
    return `${OPTION}: ${error.message}`;
  }
}

/**
 * Does `action`, which waits for starts of these names. After the time it ends with a line for each that still waits,
 * and with exit code 124.
 */
export async function waitForStarts(
  session: Session,
  names: readonly string[],
  timeoutMs: number | null,
  action: () => Promise<void>,
): Promise<void> {
  const watch = new Watch(session, names);
  let isOver = false;
  const timer =
    timeoutMs === null
      ? null
      : setTimeout(() => {
          isOver = true;
          session.interrupt.abort();
        }, timeoutMs);
  try {
    watch.begin();
    await action();
  } catch (error) {
    if (!isOver || !(error instanceof InterruptError)) throw error;
    const seconds = (timeoutMs ?? 0) / 1000;
    const lines = watch.waiting.length === 0 ? ['the start is not done'] : watch.waiting;
    for (const line of lines)
      session.fail(`${line}: ERROR (timeout after ${seconds} s; it goes on without supervisorctl)`, ExitCode.TIMEOUT);
  } finally {
    if (timer !== null) clearTimeout(timer);
    watch.end();
  }
}

/** Looks at what the processes wait for, as long as a start is waited for. */
class Watch {
  readonly #session: Session;
  readonly #names: readonly string[];
  readonly #over = new AbortController();
  readonly #said = new Set<string>();
  /** The waiting starts at the last look: `web waits for db to be started`. */
  waiting: readonly string[] = [];

  constructor(session: Session, names: readonly string[]) {
    this.#session = session;
    this.#names = names;
  }

  begin(): void {
    // An error of a look is no error of the start, which answers for itself.
    void this.#look().catch(() => undefined);
  }

  end(): void {
    this.#over.abort();
  }

  async #look(): Promise<void> {
    const { signal } = this.#over;
    for (;;) {
      await delay(LOOK_MS, undefined, { signal });
      const processes = await this.#session.client.getAllProcessInfo();
      if (signal.aborted) return;
      this.waiting = selectNamed(this.#names, processes)
        .filter(({ struct }) => struct['hold'] === 'waiting')
        .map(({ group, name, description }) => `${formatNamespec(group, name)} ${description}`);
      for (const line of this.waiting) this.#say(line);
    }
  }

  #say(line: string): void {
    if (this.#session.io.stdout.isTTY !== true || this.#said.has(line)) return;
    this.#said.add(line);
    this.#session.output(line);
  }
}

/** The processes that names on a command line mean. */
export function selectNamed(names: readonly string[], processes: readonly ProcessInfo[]): ProcessInfo[] {
  const found = names.flatMap((name) => {
    if (name === 'all') return [...processes];
    const { group, process: proc } = parseNamespec(name);
    return findMatches(proc === null ? `${group}:*` : name, processes);
  });
  return [...new Set(found)];
}
