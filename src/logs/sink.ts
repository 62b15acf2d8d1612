/**
 * One place that bytes go to, with the queue before it: order, whole lines, back pressure, and what happens when it
 * fails. Invariants: one write or operation is under way at a time; bytes are written in the order in which they were
 * given; who reads while others wait goes to the end of their queue; a sink with nothing to write holds no memory. It
 * never knows what is written, nor by whom beyond an identity.
 */
import { BlockQueue } from './block-queue.ts';
import { BLOCK_BYTES } from './blocks.ts';
import type { Block, BlockPool } from './blocks.ts';
import { countLines } from './count-lines.ts';
import { FailureEpisode, NOTHING_DROPPED } from './failure-episode.ts';
import type { Dropped } from './failure-episode.ts';
import type { Done, Outlet } from './outlets.ts';
import { OwnLines } from './own-lines.ts';
import type { LogClock, LogNatives, LogProblem } from './ports.ts';

/** At this much in the queue, readers that feed a sink are paused; below half of it they go on. */
export const QUEUE_BYTES = 1024 * 1024;

const NEWLINE_BYTE = 0x0a;
const NEWLINE = Buffer.from('\n');

/** Someone who reads for a sink and was told to wait. */
export interface Waiter {
  resume(): void;
  /**
   * True while the waiter has not read the last words of a process that has ended: they come before what the supervisor
   * says of its end.
   */
  readonly hasRest: boolean;
}

/** What a sink is made from. */
export interface SinkParts {
  /** What the place is called in messages: a path, `standard output`. */
  readonly name: string;
  readonly outlet: Outlet;
  readonly pool: BlockPool;
  readonly natives: LogNatives;
  readonly clock: LogClock;
  /** Errors after which the place takes nothing any more, ever. */
  readonly goneOn: ReadonlySet<string>;
  readonly report: (problem: LogProblem) => void;
}

interface Operation {
  readonly kind: 'open' | 'reopen' | 'clear' | 'close';
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** See the head of this file. */
export class Sink {
  readonly name: string;
  /** What is to be written; whoever adds to it calls {@link start} afterwards. */
  readonly queue: BlockQueue;
  /** How many write to it; with more than one, only whole lines are written. */
  sources = 0;

  readonly #parts: SinkParts;
  readonly #episode: FailureEpisode;
  #isBusy = false;
  #movedAtMs = -Infinity;
  /** Where the write under way ends in the first block; null: none is. */
  #writeEnd: number | null = null;
  #isGone = false;
  /** Whose line is open, that is without its newline yet; null at the beginning of a line. */
  #lineOwner: object | null = null;
  /** The last byte that went out, and whether something was dropped right after it. */
  #lastByte = NEWLINE_BYTE;
  #isTorn = false;
  /** True if what was dropped last ends within a line. */
  #isDroppedOpen = false;
  #waiters: Waiter[] = [];
  #operations: Operation[] = [];
  #idleWaiters: Array<() => void> = [];
  readonly #own = new OwnLines();

  constructor(parts: SinkParts) {
    this.name = parts.name;
    this.#parts = parts;
    this.queue = new BlockQueue(parts.pool, parts.natives);
    this.#episode = new FailureEpisode(parts.name, parts.clock, parts.report);
  }

  /** Bytes that wait here, the supervisor's own included. */
  get unwrittenBytes(): number {
    return this.queue.bytes + this.#own.bytes;
  }

  /** Bytes that were given and have not gone out. */
  get pendingBytes(): number {
    return this.unwrittenBytes + (this.#parts.outlet.keptBytes ?? 0);
  }

  /** Lines among the bytes that have not gone out. */
  get pendingLines(): number {
    return this.queue.countLines() + this.#own.lines + (this.#parts.outlet.keptLines ?? 0);
  }

  /** When bytes last went out, or something else was last done; on the monotonic clock. */
  get movedAtMs(): number {
    return Math.max(this.#movedAtMs, this.#parts.outlet.movedAtMs ?? -Infinity);
  }

  get isIdle(): boolean {
    return !this.#isBusy && this.unwrittenBytes === 0 && this.#operations.length === 0;
  }

  /** Whether it will never take a byte again; what is queued nevertheless is lost. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Whether the line that is open here is that of `owner`. */
  isOpenBy(owner: object): boolean {
    return this.#lineOwner === owner;
  }

  /** Makes what `owner` writes next begin a line or go on its own one: a line that another left open is ended. */
  claim(owner: object): void {
    if (this.#lineOwner !== null && this.#lineOwner !== owner) {
      this.queue.append(NEWLINE, 0, 1);
      this.#lineOwner = null;
    }
  }

  /** Says whose line is open after what was just written. */
  leave(owner: object | null): void {
    this.#lineOwner = owner;
  }

  /** Begins to write what was queued: to be called once after the calls of {@link queue} that belong together. */
  start(): void {
    this.#next();
  }

  /**
   * Queues a line of the supervisor itself, whole, with its newline. While the sink is full it is kept aside, see
   * {@link OwnLines}; `sayDropped` makes the line that tells how many could not be kept.
   */
  say(line: Buffer, sayDropped: (lines: number) => Buffer): void {
    if (this.#isGone) return;
    if (this.#own.isEmpty && this.queue.bytes < QUEUE_BYTES && !this.#waitsForRest()) {
      this.#putOwn(line);
      this.#next();
    } else {
      this.#own.keep(line, sayDropped);
    }
  }

  /** Whether a reader has to wait before it reads on; if so, it is resumed in its turn. */
  wait(waiter: Waiter): boolean {
    // While nothing is under way nobody would wake the waiter, and there is no reason to wait.
    if (!this.#isBusy) return false;
    if (this.queue.bytes < QUEUE_BYTES && this.#waiters.length === 0) return false;
    this.#waiters.push(waiter);
    return true;
  }

  /**
   * Opens the path if it is not open, so that the file exists before the first line, and a path that cannot be written
   * is reported at once.
   */
  open(): void {
    // One is enough: a program that crashes again and again while the sink stalls must not fill the memory.
    if (this.#operations.some((operation) => operation.kind === 'open')) return;
    this.#operate('open').catch((error: unknown) =>
      this.#episode.fail(error as NodeJS.ErrnoException, NOTHING_DROPPED),
    );
  }

  /** Opens the path anew, after the write under way. */
  reopen(): Promise<void> {
    return this.#operate('reopen');
  }

  /** Empties the file; what is still queued is dropped. */
  clear(): Promise<void> {
    this.queue.drop(this.#writeEnd);
    this.#lineOwner = null;
    return this.#operate('clear');
  }

  /** Closes the file after what is queued; bytes that come later open it again. */
  async close(): Promise<void> {
    await this.idle();
    // What a network file system could not keep is told at its close.
    await this.#operate('close').catch((error: unknown) =>
      this.#episode.fail(error as NodeJS.ErrnoException, NOTHING_DROPPED),
    );
    this.#episode.tellDropped();
  }

  /** Resolves when everything given so far, and what comes meanwhile, is written. */
  idle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Resolves when everything given so far has gone out, or cannot for now. */
  async flushed(): Promise<void> {
    await this.idle();
    await this.#parts.outlet.drained?.();
  }

  /** Says what was dropped and not told yet: the supervisor ends. Returns false if there is nothing to say. */
  tellDropped(): boolean {
    const hasOutlet = this.#parts.outlet.tellDropped?.() ?? false;
    return this.#episode.tellDropped() || hasOutlet;
  }

  #operate(kind: Operation['kind']): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#operations.push({ kind, resolve, reject });
      this.#next();
    });
  }

  #putOwn(line: Buffer): void {
    this.claim(this);
    this.queue.append(line, 0, line.length);
    this.#lineOwner = null;
  }

  /** Begins what is to be done next, if nothing is under way. */
  #next(): void {
    if (this.#isBusy) return;
    const operation = this.#operations.shift();
    if (operation !== undefined) {
      this.#isBusy = true;
      const done: Done = (error) => {
        this.#isBusy = false;
        if (error === null) operation.resolve();
        else operation.reject(error);
        this.#turn();
      };
      this.#parts.outlet[operation.kind](done);
      return;
    }
    const block = this.queue.first;
    if (block !== undefined) this.#write(block);
  }

  #write(block: Block): void {
    this.#isBusy = true;
    if (this.#isTorn && this.#lastByte !== NEWLINE_BYTE) {
      // What was dropped tore a line; what comes now must not be taken for its end.
      this.#writeEnd = block.sent;
      this.#parts.outlet.write(NEWLINE, 0, 1, (error) => {
        if (error === null) this.#lastByte = NEWLINE_BYTE;
        this.#settle(block, error, 0);
      });
      return;
    }
    this.#isTorn = false;
    this.#writeEnd = block.filled;
    this.#parts.outlet.write(block.bytes, block.sent, block.filled, (error, count) =>
      this.#settle(block, error, count),
    );
  }

  #settle(block: Block, error: NodeJS.ErrnoException | null, count: number): void {
    this.#isBusy = false;
    this.#writeEnd = null;
    // The queue is put right before the episode hears of it, since what it reports may be written to this very sink.
    if (error === null) {
      if (count > 0) this.#lastByte = block.bytes[block.sent + count - 1] as number;
      this.queue.advance(count);
      if (count > 0) {
        this.#isDroppedOpen = false;
        this.#episode.succeed();
      }
    } else if (this.#parts.goneOn.has(error.code ?? '')) {
      this.#abandon(error);
    } else {
      const dropped = this.#countDropped(block.bytes.subarray(block.sent, block.filled));
      this.queue.advance(dropped.bytes);
      this.#isTorn = true;
      this.#episode.fail(error, dropped);
    }
    this.#turn();
  }

  /** A line of which two blocks have a part counts once. */
  #countDropped(rest: Buffer): Dropped {
    const lines = countLines(rest, true) - (this.#isDroppedOpen ? 1 : 0);
    this.#isDroppedOpen = rest[rest.length - 1] !== NEWLINE_BYTE;
    return { lines, bytes: rest.length };
  }

  /** After something was done: the supervisor's own lines first, then the readers in their turn, then what is next. */
  #turn(): void {
    this.#movedAtMs = this.#parts.clock.nowMs();
    if (!this.#own.isEmpty) this.#wakeForRest();
    if (this.queue.bytes <= QUEUE_BYTES / 2) {
      if (!this.#waitsForRest()) for (const line of this.#own.drain()) this.#putOwn(line);
      this.#wake();
    }
    this.#next();
    if (this.isIdle) for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  #waitsForRest(): boolean {
    return this.#waiters.some((waiter) => waiter.hasRest);
  }

  /** Lets those go on first who have the last words of a process that has ended. */
  #wakeForRest(): void {
    const waiters = this.#waiters;
    const first = waiters.filter((waiter) => waiter.hasRest);
    if (first.length === 0) return;
    this.#waiters = waiters.filter((waiter) => !waiter.hasRest);
    while (first.length > 0 && this.queue.bytes <= QUEUE_BYTES / 2) first.shift()?.resume();
    this.#waiters.unshift(...first);
  }

  /**
   * Lets as many waiting readers go on as there is room for one read each; all of them when nothing is left that would
   * wake them later.
   */
  #wake(): void {
    let room = QUEUE_BYTES - this.queue.bytes;
    while (this.#waiters.length > 0 && (room > 0 || this.queue.bytes === 0)) {
      this.#waiters.shift()?.resume();
      room -= BLOCK_BYTES;
    }
  }

  /** The place is gone for good: everything is dropped from now on, and programs are read on. */
  #abandon(error: NodeJS.ErrnoException): void {
    this.#isGone = true;
    this.queue.drop(null);
    this.#own.clear();
    this.#lineOwner = null;
    this.#episode.end(error);
  }
}
