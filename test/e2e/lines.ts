/**
 * Collects the output of a program as lines, and lets a test wait for a line. Owns no process. A wait ends with the
 * line, with the end of the output, or with a timeout that shows the output so far.
 */
import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';

/** Time that a test waits for a line before it fails. It is long, since test machines can be slow. */
const PATIENCE_MS = 30_000;

interface Waiter {
  /** Checks the lines again. `ended`: no further line will come. */
  readonly look: (ended: boolean) => void;
}

export class Lines {
  /** All complete lines so far, without their line ends. */
  readonly all: string[] = [];
  /** Resolves when the other side has closed the stream and everything was read. */
  readonly ended: Promise<void>;
  readonly #source: Readable;
  readonly #decoder = new StringDecoder('utf8');
  readonly #waiters = new Set<Waiter>();
  #rest = '';
  #isEnded = false;

  constructor(source: Readable) {
    this.#source = source;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    source.on('data', (bytes: Buffer) => this.#take(this.#decoder.write(bytes)));
    const end = (): void => {
      if (this.#isEnded) return;
      this.#isEnded = true;
      if (this.#rest !== '') this.#take('\n');
      this.#lookAgain();
      resolve();
    };
    source.on('close', end);
    // The read end of a terminal or of a killed program's pipe fails with EIO or ECONNRESET. That is an end, too.
    source.on('error', end);
  }

  /** All output so far, including the last incomplete line. */
  get text(): string {
    return [...this.all, ...(this.#rest === '' ? [] : [this.#rest])].join('\n');
  }

  /** Waits for the `count`-th matching line, including earlier lines. */
  async waitFor(
    pattern: RegExp,
    { count = 1, timeoutMs = PATIENCE_MS }: { count?: number; timeoutMs?: number } = {},
  ): Promise<RegExpExecArray> {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
    const fail = (why: string): void =>
      reject(
        new Error(
          `${why} while waiting for ${String(pattern)}${count > 1 ? ` (${count} times)` : ''}; the output ` +
            `was:\n${this.text}`,
        ),
      );
    const matcher = new RegExp(pattern, pattern.flags.replace(/[gy]/g, ''));
    let seen = 0;
    let left = count;
    const waiter: Waiter = {
      look: (ended) => {
        for (; seen < this.all.length; seen += 1) {
          const match = matcher.exec(this.all[seen] ?? '');
          if (match === null) continue;
          left -= 1;
          if (left === 0) return resolve(match);
        }
        if (ended) fail('the output ended');
      },
    };
    const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
    this.#waiters.add(waiter);
    waiter.look(this.#isEnded);
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    });
  }

  /** Stops reading, like a reader that stalls. */
  pause(): void {
    this.#source.pause();
  }

  resume(): void {
    this.#source.resume();
  }

  /** Closes our end, like a reader that exits. */
  close(): void {
    this.#source.destroy();
  }

  #take(text: string): void {
    const pieces = (this.#rest + text).split('\n');
    this.#rest = pieces.pop() ?? '';
    this.all.push(...pieces);
    if (pieces.length > 0) this.#lookAgain();
  }

  #lookAgain(): void {
    for (const waiter of this.#waiters) waiter.look(this.#isEnded);
  }
}
