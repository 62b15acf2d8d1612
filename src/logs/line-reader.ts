/**
 * Reads the lines of several outputs for clients, and tells waiting clients about new lines. Output costs nothing more
 * while no client waits. With waiting clients, there is one alarm for all of them.
 */
import type { Sequence } from '../core/sequence.ts';
import { decodeBytes } from '../files/bytes.ts';
import { latestLines, type LineLimits, type LineSource, oldestLines } from './merged-lines.ts';
import type { LogClock } from './ports.ts';
import type { Tail } from './tail.ts';
import type { LineBounds } from './tail-lines.ts';

/** Time for which new lines are collected before a waiting client gets them. People do not notice the delay. */
const COLLECT_MS = 50;

/** Maximum number of waiting clients. */
export const MAX_WAITERS = 64;

const NEWLINE = 0x0a;

/** A line of an output. */
export interface StampedLine<Source extends LineSource> {
  readonly source: Source;
  /** Number of its first byte. */
  readonly seq: number;
  /** Time of its first byte, in milliseconds since 1970. */
  readonly wallMs: number;
  readonly pid: number;
  /** Content without the newline. Bytes that are not UTF-8 are kept as in files/bytes.ts. */
  readonly text: string;
  readonly isPartial: boolean;
  readonly isRest: boolean;
}

/** Bytes of an output that were lost before they were read: `bytes` at most, and at least one. */
export interface MissedBytes<Source extends LineSource> {
  readonly source: Source;
  readonly bytes: number;
}

/** Lines in the order of their numbers. */
export interface LineReading<Source extends LineSource> {
  readonly lines: ReadonlyArray<StampedLine<Source>>;
  /** The number to continue after. */
  readonly next: number;
  /** True if the limits left out lines: later ones with `after`, otherwise earlier ones. */
  readonly hasMore: boolean;
  readonly missed: ReadonlyArray<MissedBytes<Source>>;
}

/**
 * Number of the bytes of each output that a client has read, or knows as lost. Infinity: it wants no more of them. With
 * the lines of other outputs, a client may continue at a number before a loss that it knows: it is not told twice.
 */
export type ToldLosses = WeakMap<object, number>;

/** Lines to read, and the limits of the answer. */
export interface LineQuery extends LineBounds {
  readonly limits: LineLimits;
}

/** A wait for lines. */
export interface LineWait<Source extends LineSource> {
  /** Returns the current outputs. Called again after {@link LineReader.outputsChanged}. */
  readonly sources: () => readonly Source[];
  /** Number of the last byte that the client knows. */
  readonly after: number;
  readonly waitMs: number;
  /** Returns true if the client is to be answered for another reason than a line. */
  readonly isOtherwiseReady?: () => boolean;
  /** Aborted when the client has gone. The wait ends then, too. */
  readonly signal: AbortSignal;
}

/**
 * Called before each block of a followed output is kept, so that lines can be read before they are overwritten. Gets
 * the number of bytes, and the size of the memory of that output. Must not throw.
 */
export type OnOutput = (bytes: number, memoryBytes: number) => void;

/** A client that reads the new lines of outputs for a long time. */
export interface LineFollow<Source extends LineSource> {
  /** Reads as {@link LineReader.read} does, from the outputs that were current at the last refresh. */
  readonly read: (after: number, limits: LineLimits, told?: ToldLosses) => LineReading<Source>;
  /** Looks up the outputs again. */
  readonly refresh: () => void;
  readonly close: () => void;
}

interface Waiter {
  readonly isReady: () => boolean;
  readonly wake: () => void;
}

/** Reads lines of several outputs. */
export class LineReader {
  readonly #sequence: Sequence;
  readonly #clock: LogClock;
  readonly #waiters = new Set<Waiter>();
  /** Functions to call for each block of an output that a client follows. */
  readonly #followed = new Map<Tail, Set<OnOutput>>();
  #isCollecting = false;
  #changes = 0;

  constructor(sequence: Sequence, clock: LogClock) {
    this.#sequence = sequence;
    this.#clock = clock;
  }

  /** Notes that an output was made or closed. Waits look thousands of them up again only then. */
  outputsChanged(): void {
    this.#changes += 1;
  }

  /** Number of waiting clients. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * Reads the oldest lines after `query.after`, or the latest lines if it is null. `reserve` gets the number of bytes
   * before they are copied, and may throw. `told` belongs to a client that continues.
   */
  read<Source extends LineSource>(
    sources: readonly Source[],
    query: LineQuery,
    reserve: (bytes: number) => void,
    told: ToldLosses | null = null,
  ): LineReading<Source> {
    const { after, limits } = query;
    const { lines, next, hasMore } = (after === null ? latestLines : oldestLines)(sources, query, limits);
    const position = next ?? Math.max(this.#sequence.latest, after ?? 0);
    reserve(lines.reduce((sum, { line }) => sum + line.end - line.start, 0));
    return {
      // Named one by one: a copy of an object with the rest of its members takes five times as long.
      lines: lines.map(({ source, line }) => ({
        source,
        seq: line.seq,
        wallMs: line.wallMs,
        pid: line.pid,
        text: textOf(source, line.start, line.end),
        isPartial: line.isPartial,
        isRest: line.isRest,
      })),
      next: position,
      hasMore,
      missed: after === null ? [] : missedOf(sources, { after, before: query.before, next: position }, told),
    };
  }

  /**
   * Resolves when there are lines after `after`, when the time is over, or when the client has gone. New lines are
   * collected for a moment, so that a client that waits again and again is not answered for each line. Resolves at
   * once with false if too many clients wait.
   */
  async wait<Source extends LineSource>(wait: LineWait<Source>): Promise<boolean> {
    if (this.#waiters.size >= MAX_WAITERS) return false;
    const sources = wait.sources();
    if (hasNewer(sources, wait.after)) {
      const age = this.#ageOf(sources, wait.after);
      if (age < COLLECT_MS)
        await this.#sleep({ ...wait, waitMs: Math.min(wait.waitMs, COLLECT_MS - age) }, () => false);
      return true;
    }
    if (wait.isOtherwiseReady?.() === true) return true;
    let known = sources;
    let changes = this.#changes;
    await this.#sleep(wait, () => {
      if (changes !== this.#changes) {
        changes = this.#changes;
        known = wait.sources();
      }
      return hasNewer(known, wait.after) || wait.isOtherwiseReady?.() === true;
    });
    return true;
  }

  /** Follows outputs until `close`. */
  follow<Source extends LineSource>(findSources: () => readonly Source[], onOutput: OnOutput): LineFollow<Source> {
    let sources: readonly Source[] = [];
    let tails: readonly Tail[] = [];
    const close = (): void => {
      for (const tail of tails) this.#unfollow(tail, onOutput);
      tails = [];
    };
    const refresh = (): void => {
      close();
      sources = findSources();
      tails = sources.map(({ memory }) => memory);
      for (const tail of tails) this.#followed.set(tail, (this.#followed.get(tail) ?? new Set()).add(onOutput));
    };
    refresh();
    return {
      read: (after, limits, told) => {
        const bounds = { after, before: null, sinceMs: null, untilMs: null };
        return this.read(sources, { ...bounds, limits }, () => undefined, told);
      },
      refresh,
      close,
    };
  }

  #unfollow(tail: Tail, onOutput: OnOutput): void {
    const listeners = this.#followed.get(tail);
    listeners?.delete(onOutput);
    if (listeners?.size === 0) this.#followed.delete(tail);
  }

  /** True if a client follows an output whose lines are kept. */
  isFollowed(tail: Tail): boolean {
    return this.#followed.size > 0 && tail.limit > 0 && this.#followed.has(tail);
  }

  /** Tells that an output gets new bytes now. Called for each block of each output. */
  announce(tail: Tail, bytes: number): void {
    if (this.#followed.size > 0) for (const onOutput of this.#followed.get(tail) ?? []) onOutput(bytes, tail.limit);
  }

  /** Tells that an output has new bytes, or that something else has happened. Called for each block of each output. */
  touch(): void {
    if (this.#isCollecting || this.#waiters.size === 0) return;
    this.#isCollecting = true;
    this.#clock.alarm(this.#clock.nowMs() + COLLECT_MS, () => {
      this.#isCollecting = false;
      for (const waiter of this.#waiters) if (waiter.isReady()) waiter.wake();
    });
  }

  /** Returns the age of the oldest line that the client does not know, in milliseconds; 0 if none was kept. */
  #ageOf(sources: readonly LineSource[], after: number): number {
    const bounds = { after, before: null, sinceMs: null, untilMs: null };
    const [first] = oldestLines(sources, bounds, { lines: 1, bytes: 0 }).lines;
    return first === undefined ? 0 : Math.max(0, this.#clock.wallMs() - first.line.wallMs);
  }

  #sleep({ waitMs, signal }: Pick<LineWait<LineSource>, 'waitMs' | 'signal'>, isReady: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiters.delete(waiter);
        cancel();
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const waiter = { isReady, wake };
      const cancel = this.#clock.alarm(this.#clock.nowMs() + waitMs, wake);
      this.#waiters.add(waiter);
      signal.addEventListener('abort', wake);
      if (signal.aborted) wake();
    });
  }
}

function hasNewer(sources: readonly LineSource[], after: number): boolean {
  return sources.some(({ memory }) => memory.latest > after);
}

/** A reading of the lines after a number. `next`: the number to continue after. */
interface ForwardReading {
  readonly after: number;
  readonly before: number | null;
  readonly next: number;
}

function missedOf<Source extends LineSource>(
  sources: readonly Source[],
  { after, before, next }: ForwardReading,
  told: ToldLosses | null,
): Array<MissedBytes<Source>> {
  return sources.flatMap((source) => {
    const { memory } = source;
    const lost = memory.oldest;
    const known = told?.get(memory) ?? 0;
    if (told !== null) {
      const read = memory.offsetAfter(next);
      const hasUnread = before === null || memory.offsetAfter(before - 1) > read;
      told.set(memory, hasUnread ? read : Infinity);
    }
    if (known === Infinity) return [];
    // An output that was emptied counts from 0 again.
    const bytes = Math.min(memory.missedAfter(after), lost - Math.min(known, lost));
    return bytes === 0 ? [] : [{ source, bytes }];
  });
}

function textOf({ memory }: LineSource, start: number, end: number): string {
  const bytes = memory.view(start, end);
  return decodeBytes(bytes[bytes.length - 1] === NEWLINE ? bytes.subarray(0, -1) : bytes);
}
