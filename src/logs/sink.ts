/**
 * One destination of bytes with its queue: order, whole lines, back pressure and failures.
 *
 * Invariants:
 * - One write or operation is under way at a time.
 * - Bytes are written in the order in which they were queued.
 * - A reader that wants to read while others wait goes to the end of the line of waiters.
 * - A sink with an empty queue holds no memory. There are thousands of sinks, so the parts of a silent one are shared.
 * - A sink knows its writers by identity only, and never looks at their text.
 */
import { BlockQueue } from './block-queue.ts';
import { type Block, BLOCK_BYTES } from './blocks.ts';
import { Conditions } from './conditions.ts';
import { FailureEpisode, NOTHING_DROPPED } from './failure-episode.ts';
import type { Done, Outlet, OutletHost } from './outlets.ts';
import { OwnLines } from './own-lines.ts';
import { NO_OPERATIONS, NO_OWN_LINES, NO_WAITERS } from './sink-parts.ts';
import { Operation } from './sink-operation.ts';
import type { SinkContext, SinkPlace, Waiter } from './sink-parts.ts';
import type { LogProblem } from './ports.ts';

/** Limit of the queue. Readers that feed a full sink are paused. They continue when the queue is half empty. */
export const QUEUE_BYTES = 1024 * 1024;
const NEWLINE_BYTE = 0x0a;
const NEWLINE = Buffer.from('\n');

/** One destination of bytes with its queue. Feeds write output of programs to it, the main log its own lines. */
export class Sink implements OutletHost {
  readonly id: string;
  readonly name: string;
  readonly outlet: Outlet;
  readonly #context: SinkContext;
  readonly #goneOn: ReadonlySet<string>;
  #queue: BlockQueue;
  /** Null until the first failure. */
  #madeEpisode: FailureEpisode | null = null;
  /** Number of feeds and logs that may write here. */
  #writers = 0;
  #isBusy = false;
  /** True while {@link together} collects what is queued. */
  #isHeld = false;
  #movedAtMs = -Infinity;
  /** End of the write under way, as an offset in the first block. Null: no write is under way. */
  #writeEnd: number | null = null;
  #isGone = false;
  /** Writer of the open line, which has no newline yet. Null: the next byte begins a line. */
  #lineOwner: object | null = null;
  /** The last byte that was written. */
  #lastByte = NEWLINE_BYTE;
  /** True if the bytes after {@link #lastByte} were dropped. */
  #isTorn = false;
  #waiters = NO_WAITERS;
  #operations = NO_OPERATIONS;
  readonly #conditions = new Conditions();
  #own = NO_OWN_LINES;

  constructor({ id, name, goneOn, makeOutlet }: SinkPlace, context: SinkContext) {
    this.id = id;
    this.name = name;
    this.#context = context;
    this.#goneOn = goneOn;
    this.#queue = context.noBytes;
    this.outlet = makeOutlet(this);
  }

  get #episode(): FailureEpisode {
    this.#madeEpisode ??= new FailureEpisode(this.name, this.#context.clock, (problem) => this.report(problem));
    return this.#madeEpisode;
  }

  /** The queue to add bytes to. */
  get #ownQueue(): BlockQueue {
    const { noBytes, pool, natives } = this.#context;
    if (this.#queue === noBytes) this.#queue = new BlockQueue(pool, natives);
    return this.#queue;
  }

  report(problem: LogProblem): void {
    this.#context.report(this, problem);
  }

  /** Bytes in the queue, with the supervisor's own lines that were kept aside. */
  get unwrittenBytes(): number {
    return this.#queue.bytes + this.#own.bytes;
  }

  /** Bytes that were queued and have not reached the destination. */
  get pendingBytes(): number {
    return this.unwrittenBytes + (this.outlet.keptBytes ?? 0);
  }

  /** Lines among the {@link pendingBytes}. */
  get pendingLines(): number {
    return this.#queue.countLines() + this.#own.lines + (this.outlet.keptLines ?? 0);
  }

  /** Number of lines that were ever dropped. */
  get droppedLines(): number {
    return (this.#madeEpisode?.droppedLines ?? 0) + (this.outlet.droppedLines ?? 0);
  }

  /** Time of the last write or operation that ended, on the monotonic clock. */
  get movedAtMs(): number {
    return Math.max(this.#movedAtMs, this.outlet.movedAtMs ?? -Infinity);
  }

  /** True if nothing is queued and nothing is under way. */
  get isIdle(): boolean {
    return !this.#isBusy && this.unwrittenBytes === 0 && this.#operations.length === 0;
  }

  /** True if the destination will never take a byte again. Output for it is dropped. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** True if several writers share the sink, so that only whole lines may be written. */
  get isShared(): boolean {
    return this.#writers > 1;
  }

  /** Counts writers in, or out with -1. */
  countWriters(change: 1 | -1): void {
    this.#writers += change;
  }

  /** Returns true if `owner` wrote the line that is open, that is without its newline yet. */
  hasOpenLineOf(owner: object): boolean {
    return this.#lineOwner === owner;
  }

  /** Passes an open line to `owner`, which continues it. */
  adoptLine(owner: object): void {
    if (this.#lineOwner !== null) this.#lineOwner = owner;
  }

  /**
   * Queues output of `owner` and begins to write. An open line of another writer is ended first.
   * `fill` adds the output to the queue and returns true if the output leaves a line open.
   */
  write(owner: object, fill: (queue: BlockQueue) => boolean): void {
    this.#endLineOfOthers(owner);
    this.#lineOwner = fill(this.#ownQueue) ? owner : null;
    this.#next();
  }

  /** Runs `work`, and begins to write after it. All that `work` queues can then be written at once. */
  together(work: () => void): void {
    this.#isHeld = true;
    try {
      work();
    } finally {
      this.#isHeld = false;
      this.#next();
    }
  }

  /** Counts output that is not queued, because the destination is gone. */
  countLost(bytes: Buffer): void {
    this.#episode.drop(this.#episode.measure(bytes));
  }

  /** Drops output that the queue has no room for, and reports it as a failure. */
  refuse(bytes: Buffer): void {
    this.#episode.fail(new Error('it does not take its output'), this.#episode.measure(bytes));
  }

  /**
   * Queues a whole line of the supervisor itself, with its newline. While the sink is full, {@link OwnLines} keeps the
   * line. `formatDropped` makes the line that says how many lines could not be kept.
   */
  say(line: Buffer, formatDropped: (lines: number) => Buffer): void {
    if (this.#isGone) return;
    if (this.#own.isEmpty && this.#queue.bytes < QUEUE_BYTES && !this.#isLastOutputWaiting()) {
      this.#putOwn(line);
      this.#next();
    } else {
      this.#own = this.#own === NO_OWN_LINES ? new OwnLines() : this.#own;
      this.#own.keep(line, formatDropped);
    }
  }

  /** Returns true if a reader has to wait before its next read. The sink resumes the reader in its turn. */
  wait(waiter: Waiter): boolean {
    // Only a write or an operation that ends resumes waiters.
    if (!this.#isBusy) return false;
    if (this.#queue.bytes < QUEUE_BYTES && this.#waiters.length === 0) return false;
    if (this.#waiters === NO_WAITERS) this.#waiters = [waiter];
    else this.#waiters.push(waiter);
    return true;
  }

  /** Returns a copy of the last bytes of the queue, at most `count`. */
  lastQueued(count: number): Buffer {
    return this.#queue.last(count);
  }

  /**
   * Opens the path if it is not open. The file then exists before the first line, and a path that cannot be written is
   * reported at once.
   */
  open(): void {
    // A program that crashes again and again while the sink stalls must not fill the memory.
    if (this.#operations.some(({ kind }) => kind === 'open')) return;
    this.#operate('open').catch((error: unknown) =>
      this.#episode.fail(error as NodeJS.ErrnoException, NOTHING_DROPPED),
    );
  }

  /** Reopens the path, after the current write. */
  reopen(): Promise<void> {
    return this.#operate('reopen');
  }

  /** Empties the file and drops the queue. */
  clear(): Promise<void> {
    this.#queue.drop(this.#writeEnd);
    this.#lineOwner = null;
    return this.#operateOnFile('clear');
  }

  /** Rotates the file, after the current write. */
  rotate(): Promise<void> {
    return this.#operateOnFile('rotate');
  }

  /** Writes the queue and closes the file. Later output opens the file again. */
  async close(): Promise<void> {
    await this.idle();
    // A network file system may report a failed write only at close(2).
    await this.#operate('close').catch((error: unknown) =>
      this.#episode.fail(error as NodeJS.ErrnoException, NOTHING_DROPPED),
    );
    this.#madeEpisode?.tellDropped();
  }

  /** Resolves when the queue is written, including bytes added in the meantime. */
  idle(): Promise<void> {
    return new Promise((resolve) => void this.#conditions.add(() => this.isIdle, resolve));
  }

  /**
   * Calls `passed` once when the bytes that are queued now were written or dropped; at once if there are none. Returns
   * the function that ends the wait.
   */
  afterQueue(passed: () => void): () => void {
    const endBytes = this.#queue.passedBytes + this.#queue.bytes;
    return this.#conditions.add(() => this.#queue.passedBytes >= endBytes, passed);
  }

  /** Resolves when all output has reached the destination, or cannot for now. */
  async flushed(): Promise<void> {
    await this.idle();
    await this.outlet.drained?.();
  }

  /** Reports losses that were not reported yet, because the supervisor exits. Returns false if there are none. */
  tellDropped(): boolean {
    const hasOutlet = this.outlet.tellDropped?.() ?? false;
    return (this.#madeEpisode?.tellDropped() ?? false) || hasOutlet;
  }

  /** A pipe or a device has no file, so the operation need not wait for a reader that stalls. */
  async #operateOnFile(kind: 'clear' | 'rotate'): Promise<void> {
    if (this.outlet.hasNoFile !== true) await this.#operate(kind);
  }

  /** Equal operations that wait are one: calls while the sink stalls must not fill the memory. */
  #operate(kind: Operation['kind']): Promise<void> {
    let operation = this.#operations.find((waiting) => waiting.kind === kind);
    if (operation === undefined) {
      operation = new Operation(kind, this.name, this.#context.clock);
      // Not by push: an array that has grown by push has room for 17 elements.
      this.#operations = this.#operations.concat(operation);
    }
    const { ended } = operation;
    this.#next();
    return ended;
  }

  #endLineOfOthers(owner: object): void {
    if (this.#lineOwner !== null && this.#lineOwner !== owner) this.#ownQueue.append(NEWLINE, 0, 1);
  }

  #putOwn(line: Buffer): void {
    this.#endLineOfOthers(this);
    this.#ownQueue.append(line, 0, line.length);
    this.#lineOwner = null;
  }

  /** Begins the next operation or write, if nothing is under way. */
  #next(): void {
    if (this.#isBusy || this.#isHeld) return;
    const [operation] = this.#operations;
    if (operation !== undefined) {
      this.#operations = this.#operations.length === 1 ? NO_OPERATIONS : this.#operations.slice(1);
      this.#isBusy = true;
      operation.begin();
      const done: Done = (error) => {
        this.#isBusy = false;
        operation.end(error);
        this.#continue();
      };
      this.outlet[operation.kind](done);
      return;
    }
    const block = this.#queue.first;
    if (block !== undefined) this.#writeBlock(block);
  }

  #writeBlock(block: Block): void {
    this.#isBusy = true;
    if (this.#isTorn && this.#lastByte !== NEWLINE_BYTE) {
      // The end of a line was dropped. The next bytes must not look like that end.
      this.#writeEnd = block.sent;
      this.outlet.write(NEWLINE, 0, 1, (error) => {
        if (error === null) this.#lastByte = NEWLINE_BYTE;
        this.#onWritten(block, error, 0);
      });
      return;
    }
    this.#isTorn = false;
    this.#writeEnd = block.filled;
    this.outlet.write(block.bytes, block.sent, block.filled, (error, count) => this.#onWritten(block, error, count));
  }

  #onWritten(block: Block, error: NodeJS.ErrnoException | null, count: number): void {
    this.#isBusy = false;
    this.#writeEnd = null;
    // The queue is updated before the episode, because a report of the episode may be written to this same sink.
    if (error === null) {
      if (count > 0) this.#lastByte = block.bytes[block.sent + count - 1] as number;
      this.#queue.advance(count);
      if (count > 0) this.#madeEpisode?.succeed();
    } else if (this.#goneOn.has(error.code ?? '')) {
      this.#abandon(error);
    } else {
      const dropped = this.#episode.measure(block.bytes.subarray(block.sent, block.filled));
      this.#queue.advance(dropped.bytes);
      this.#isTorn = true;
      this.#episode.fail(error, dropped);
    }
    this.#continue();
  }

  /**
   * Continues after a write or an operation: the supervisor's own lines first, then the readers in their turn, then the
   * next write.
   */
  #continue(): void {
    this.#movedAtMs = this.#context.clock.nowMs();
    if (!this.#own.isEmpty) this.#resumeLastOutput();
    if (this.#queue.bytes <= QUEUE_BYTES / 2) {
      if (!this.#isLastOutputWaiting()) for (const line of this.#own.drain()) this.#putOwn(line);
      this.#wake();
    }
    this.#next();
    this.#conditions.look();
  }

  #isLastOutputWaiting(): boolean {
    return this.#waiters.some((waiter) => waiter.hasLastOutput);
  }

  /** Resumes the readers with the last output of an ended process before all others. */
  #resumeLastOutput(): void {
    const waiters = this.#waiters;
    const first = waiters.filter((waiter) => waiter.hasLastOutput);
    if (first.length === 0) return;
    this.#waiters = waiters.filter((waiter) => !waiter.hasLastOutput);
    while (first.length > 0 && this.#queue.bytes <= QUEUE_BYTES / 2) first.shift()?.resume();
    this.#waiters.unshift(...first);
  }

  /**
   * Resumes as many waiting readers as there is room for, at one read each. An empty queue resumes all of them, because
   * no later write would.
   */
  #wake(): void {
    let room = QUEUE_BYTES - this.#queue.bytes;
    while (this.#waiters.length > 0 && (room > 0 || this.#queue.bytes === 0)) {
      this.#waiters.shift()?.resume();
      room -= BLOCK_BYTES;
    }
    if (this.#waiters.length === 0) this.#waiters = NO_WAITERS;
  }

  /** Drops everything from now on. The pipes of programs are still read. */
  #abandon(error: NodeJS.ErrnoException): void {
    this.#isGone = true;
    this.#episode.drop({ lines: this.#queue.countLines(), bytes: this.#queue.bytes });
    this.#episode.dropsFrom(this.#queue.last(1));
    this.#queue.drop(null);
    this.#own.clear();
    this.#lineOwner = null;
    this.#episode.end(error);
  }
}
