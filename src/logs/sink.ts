/**
 * One place that bytes go to, with the queue before it: order, whole lines, back pressure, and what happens when it fails.
 * Invariants: one write or operation is under way at a time; bytes are written in the order in which they were given;
 * who reads while others wait goes to the end of their queue; a sink with nothing to write holds no memory.
 * It never knows what is written, nor by whom beyond an identity.
 */
import { BLOCK_BYTES } from './blocks.ts';
import type { Block, BlockPool } from './blocks.ts';
import { FailureEpisode } from './failure-episode.ts';
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
  /** How many write to it; with more than one, only whole lines are written. */
  sources = 0;

  readonly #parts: SinkParts;
  readonly #episode: FailureEpisode;
  /** All but the last are full. */
  #blocks: Block[] = [];
  #queuedBytes = 0;
  #isBusy = false;
  /** Where the write under way ends in the first block; 0: none is. */
  #writeEnd = 0;
  #isGone = false;
  /** Whose line is open, that is without its newline yet; null at the beginning of a line. */
  #lineOwner: object | null = null;
  /** The last byte that went out, and whether something was dropped right after it. */
  #lastByte = NEWLINE_BYTE;
  #isTorn = false;
  #waiters: Waiter[] = [];
  #operations: Operation[] = [];
  #idleWaiters: Array<() => void> = [];
  readonly #own = new OwnLines();
  readonly #framed = new Uint32Array(2);

  constructor(parts: SinkParts) {
    this.name = parts.name;
    this.#parts = parts;
    this.#episode = new FailureEpisode(parts.name, parts.clock, parts.report);
  }

  /** Bytes that wait here, the supervisor's own included. */
  get unwrittenBytes(): number {
    return this.#queuedBytes + this.#own.bytes;
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
      this.append(NEWLINE, 0, 1);
      this.#lineOwner = null;
    }
  }

  /** Says whose line is open after what was just written. */
  leave(owner: object | null): void {
    this.#lineOwner = owner;
  }

  /** Queues bytes[start, end) as they are. */
  append(bytes: Buffer, start: number, end: number): void {
    if (this.#isGone) return;
    let from = start;
    while (from < end) {
      const block = this.#room();
      const count = Math.min(end - from, block.bytes.length - block.filled);
      bytes.copy(block.bytes, block.filled, from, from + count);
      block.filled += count;
      this.#queuedBytes += count;
      from += count;
    }
  }

  /** Queues a text as UTF-8. */
  appendText(text: string): void {
    const encoded = Buffer.from(text);
    this.append(encoded, 0, encoded.length);
  }

  /** A block with at least `bytes` (at most {@link BLOCK_BYTES}) free from `filled` on, to be written there and told by {@link commit}. */
  reserve(bytes: number): Block {
    const last = this.#room();
    return last.bytes.length - last.filled >= bytes ? last : this.#addBlock();
  }

  /** Queues what was written into the block last reserved, up to `filled`. */
  commit(filled: number): void {
    const block = this.#blocks.at(-1);
    if (block === undefined) return;
    this.#queuedBytes += filled - block.filled;
    block.filled = filled;
  }

  /** Queues the whole lines bytes[start, end), `prefix` before each. */
  appendLines(bytes: Buffer, start: number, end: number, prefix: Buffer): void {
    if (this.#isGone) return;
    if (prefix.length === 0) {
      this.append(bytes, start, end);
    } else {
      const { natives } = this.#parts;
      let from = start;
      while (from < end) {
        const block = this.#room();
        natives.frame(bytes, from, end, prefix, block.bytes, block.filled, this.#framed);
        const taken = this.#framed[0] as number;
        const written = this.#framed[1] as number;
        block.filled += written;
        this.#queuedBytes += written;
        from += taken;
        if (taken > 0) continue;
        // The next line does not fit. It gets a block of its own beginning, and only if it is longer than that is it spread over several.
        const lineEnd = bytes.indexOf(NEWLINE_BYTE, from) + 1;
        if (block.filled > 0) this.#addBlock();
        if (prefix.length + lineEnd - from <= BLOCK_BYTES) continue;
        this.append(prefix, 0, prefix.length);
        this.append(bytes, from, lineEnd);
        from = lineEnd;
      }
    }
  }

  /** Begins to write what was queued: to be called after the last of the calls above that belong together. */
  start(): void {
    this.#next();
  }

  /**
   * Queues a line of the supervisor itself, whole, with its newline. While the sink is full it is kept aside, see {@link OwnLines};
   * `sayDropped` makes the line that tells how many could not be kept.
   */
  say(line: Buffer, sayDropped: (lines: number) => Buffer): void {
    if (this.#isGone) return;
    if (this.#own.isEmpty && this.#queuedBytes < QUEUE_BYTES) {
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
    if (this.#queuedBytes < QUEUE_BYTES && this.#waiters.length === 0) return false;
    this.#waiters.push(waiter);
    return true;
  }

  /** Opens the path if it is not open, so that the file exists before the first line, and a path that cannot be written is reported at once. */
  open(): void {
    this.#operate('open').catch((error: unknown) => this.#episode.fail(error as NodeJS.ErrnoException, 0));
  }

  /** Opens the path anew, after the write under way. */
  reopen(): Promise<void> {
    return this.#operate('reopen');
  }

  /** Empties the file; what is still queued is dropped. */
  clear(): Promise<void> {
    const first = this.#blocks[0];
    const isWriting = first !== undefined && this.#writeEnd > 0;
    for (const block of this.#blocks.splice(isWriting ? 1 : 0)) this.#discard(block);
    if (isWriting) {
      this.#queuedBytes -= first.filled - this.#writeEnd;
      first.filled = this.#writeEnd;
    }
    this.#lineOwner = null;
    return this.#operate('clear');
  }

  /** Closes the file after what is queued; bytes that come later open it again. */
  async close(): Promise<void> {
    await this.idle();
    return this.#operate('close');
  }

  /** Resolves when everything given so far, and what comes meanwhile, is written. */
  idle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  #operate(kind: Operation['kind']): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#operations.push({ kind, resolve, reject });
      this.#next();
    });
  }

  #room(): Block {
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.filled < last.bytes.length) return last;
    return this.#addBlock();
  }

  #addBlock(): Block {
    const block = this.#parts.pool.take();
    this.#blocks.push(block);
    return block;
  }

  #putOwn(line: Buffer): void {
    this.claim(this);
    this.append(line, 0, line.length);
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
    const block = this.#blocks[0];
    if (block !== undefined) this.#write(block);
  }

  #write(block: Block): void {
    this.#isBusy = true;
    if (this.#isTorn && this.#lastByte !== NEWLINE_BYTE) {
      // What was dropped tore a line; what comes now must not be taken for its end.
      this.#parts.outlet.write(NEWLINE, 0, 1, (error) => {
        if (error === null) this.#lastByte = NEWLINE_BYTE;
        this.#settle(block, error, 0);
      });
      return;
    }
    this.#isTorn = false;
    this.#writeEnd = block.filled;
    this.#parts.outlet.write(block.bytes, block.sent, block.filled, (error, count) => this.#settle(block, error, count));
  }

  #settle(block: Block, error: NodeJS.ErrnoException | null, count: number): void {
    this.#isBusy = false;
    this.#writeEnd = 0;
    if (error === null) {
      if (count > 0) {
        block.sent += count;
        this.#queuedBytes -= count;
        this.#lastByte = block.bytes[block.sent - 1] as number;
        this.#episode.succeed();
      }
    } else if (this.#parts.goneOn.has(error.code ?? '')) {
      this.#abandon(error);
      return;
    } else {
      this.#episode.fail(error, block.filled - block.sent);
      this.#queuedBytes -= block.filled - block.sent;
      block.sent = block.filled;
      this.#isTorn = true;
    }
    if (block.sent === block.filled) {
      this.#blocks.shift();
      this.#parts.pool.give(block);
    }
    this.#turn();
  }

  /** After something was done: the supervisor's own lines first, then the readers in their turn, then what is next. */
  #turn(): void {
    if (this.#queuedBytes <= QUEUE_BYTES / 2) {
      for (const line of this.#own.drain()) this.#putOwn(line);
      this.#wake();
    }
    this.#next();
    if (this.isIdle) for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  /** Lets as many waiting readers go on as there is room for one read each; all of them when nothing is left that would wake them later. */
  #wake(): void {
    let room = QUEUE_BYTES - this.#queuedBytes;
    while (this.#waiters.length > 0 && (room > 0 || this.#queuedBytes === 0)) {
      this.#waiters.shift()?.resume();
      room -= BLOCK_BYTES;
    }
  }

  /** The place is gone for good: everything is dropped from now on, and programs are read on. */
  #abandon(error: NodeJS.ErrnoException): void {
    this.#isGone = true;
    for (const block of this.#blocks.splice(0)) this.#discard(block);
    this.#own.clear();
    this.#lineOwner = null;
    this.#episode.end(error);
    this.#turn();
  }

  #discard(block: Block): void {
    this.#queuedBytes -= block.filled - block.sent;
    this.#parts.pool.give(block);
  }
}
