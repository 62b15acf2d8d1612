/**
 * From one pipe to one target: lines in the format of the target, whole where others write there too. Invariant:
 * whatever is written leaves the sink at the beginning of a line, or with a line that is open in this feed's name.
 */
import { LineSplitter } from './line-splitter.ts';
import type { LineReceiver } from './line-splitter.ts';
import type { PartialHolder, PartialWatch } from './partial-watch.ts';
import type { Extent, RecordFormat } from './record-format.ts';
import type { Sink } from './sink.ts';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const EMPTY = Buffer.alloc(0);
const NEWLINE_BYTES = Buffer.from('\n');
/** Stands at the end of a piece of a line that was too long to be held back whole. */
const CUT_MARK = Buffer.from(' [line cut]\n');

/** What stands before lines that were read at a time; valid until the next call. */
export interface Prefix {
  at(wallMs: number): Buffer;
}

/** How the bytes of a feed are dressed. */
export type LineForm =
  | { readonly kind: 'raw' }
  | { readonly kind: 'prefix'; readonly prefix: Prefix }
  | { readonly kind: 'record'; readonly record: RecordFormat };

/** Parts of a feed. */
export interface FeedParts {
  readonly dress: LineForm;
  /**
   * True for a file: the bytes of its sole writer are never changed, also not by a newline after what an earlier run
   * left open.
   */
  readonly isFile: boolean;
  /** Longest time that a partial line is held back, in milliseconds; 0: none is (`log_partial_after`). */
  readonly partialAfterMs: number;
  readonly watch: PartialWatch;
  readonly wallMs: () => number;
}

/** See the head of this file. */
export class Feed implements LineReceiver, PartialHolder {
  readonly sink: Sink;
  readonly #parts: FeedParts;
  readonly #dress: LineForm;
  readonly #splitter: LineSplitter;
  #readMs = 0;
  /** True while the watch counts the time of the partial line. */
  #isWatched = false;
  /** True if the end of a line has come since the watch began to count. */
  #hasEndedLine = false;
  /** The pipe has ended, so what is written now is no part of a longer line. */
  #isFinishing = false;

  constructor(sink: Sink, parts: FeedParts) {
    this.sink = sink;
    this.#parts = parts;
    this.#dress = parts.dress;
    this.#splitter = new LineSplitter(this);
    sink.sources++;
  }

  /** Takes all of `bytes`, which are valid during the call only. */
  take(bytes: Buffer): void {
    if (this.sink.isGone) return;
    const isRaw = this.#dress.kind === 'raw';
    // Raw lines of a sole writer need no splitting: they are written as they come.
    if (isRaw && this.sink.sources === 1 && !this.#splitter.hasPartial) {
      if (!this.#parts.isFile) this.sink.claim(this);
      this.sink.queue.append(bytes, 0, bytes.length);
      this.#leave(bytes[bytes.length - 1] !== NEWLINE);
      this.#splitter.setBegun(false);
      this.sink.start();
      return;
    }
    if (isRaw && this.sink.isOpenBy(this)) this.#splitter.setBegun(true);
    this.#readMs = this.#parts.wallMs();
    this.#splitter.push(bytes, 0, bytes.length);
    this.#watchPartial();
    this.sink.start();
  }

  /** Writes a partial line whole: the supervisor ends. */
  flush(): void {
    if (this.sink.isGone) return;
    this.#release();
    this.#readMs = this.#parts.wallMs();
    this.#splitter.flush();
    this.sink.start();
  }

  /** Writes a partial line that has waited long enough, up to its last whole character. */
  onDue(): void {
    this.#isWatched = false;
    if (this.sink.isGone) return;
    this.#readMs = this.#parts.wallMs();
    this.#splitter.flushCharacters(this.#dress.kind === 'record');
    this.sink.start();
  }

  /** Our reading of the pipe is paused: that the rest of a line does not come is not the program's doing. */
  pause(): void {
    this.#release();
  }

  /** The pipe is read again: the time of a partial line counts from now. */
  proceed(): void {
    this.#watchPartial();
  }

  /** Lets the feed that takes the place of this one go on with the partial line, if both write lines alike. */
  handOver(heir: Feed): void {
    if (heir.#dress.kind !== this.#dress.kind) return;
    this.#splitter.handOver(heir.#splitter);
    if (this.sink.isOpenBy(this)) this.sink.leave(heir);
    heir.#watchPartial();
  }

  /** Writes what is left, at the end of the pipe. The feed is not to be used any more. */
  finish(): void {
    this.#isFinishing = true;
    this.flush();
    // A raw line stays as it was written; the next writer ends it, if there is one.
    if (this.#dress.kind === 'prefix' && this.sink.isOpenBy(this)) {
      this.sink.queue.append(NEWLINE_BYTES, 0, 1);
      this.#leave(false);
      this.sink.start();
    }
    this.#release();
    this.sink.sources--;
  }

  lines(bytes: Buffer, start: number, end: number): void {
    this.#hasEndedLine = true;
    this.sink.claim(this);
    this.#leave(false);
    if (this.#dress.kind === 'record') this.#record(bytes, start, end, 'whole');
    else this.sink.queue.appendLines(bytes, start, end, this.#prefix());
  }

  begin(bytes: Buffer, start: number, end: number): void {
    this.sink.claim(this);
    if (this.#dress.kind === 'record') {
      this.#record(bytes, start, end, this.#isFinishing ? 'whole' : 'partial');
      return;
    }
    const prefix = this.#prefix();
    this.sink.queue.append(prefix, 0, prefix.length);
    this.sink.queue.append(bytes, start, end);
    this.#leave(true);
  }

  resume(bytes: Buffer, start: number, end: number, isEnd: boolean): void {
    if (isEnd) this.#hasEndedLine = true;
    if (this.#dress.kind !== 'record' && this.sink.isOpenBy(this)) {
      this.sink.queue.append(bytes, start, end);
      this.#leave(!isEnd);
      return;
    }
    // Another line came between, or each record stands by itself: if only the newline was missing, nothing is.
    if (isEnd && isLineEnd(bytes, start, end)) return;
    if (isEnd) this.lines(bytes, start, end);
    else this.begin(bytes, start, end);
  }

  cut(bytes: Buffer, start: number, end: number): void {
    this.#hasEndedLine = true;
    if (this.#dress.kind === 'record') {
      this.#record(bytes, start, end, 'cut');
      return;
    }
    this.resume(bytes, start, end, false);
    this.sink.queue.append(CUT_MARK, 0, CUT_MARK.length);
    this.#leave(false);
  }

  /** Has the watch count the time of the partial line, from the beginning of the line. */
  #watchPartial(): void {
    if (!this.#splitter.hasPartial) {
      this.#release();
    } else if (this.#parts.partialAfterMs === 0) {
      this.onDue();
    } else if (!this.#isWatched || this.#hasEndedLine) {
      this.#isWatched = true;
      this.#parts.watch.hold(this, this.#parts.partialAfterMs);
    }
    this.#hasEndedLine = false;
  }

  #release(): void {
    if (!this.#isWatched) return;
    this.#isWatched = false;
    this.#parts.watch.release(this);
  }

  #prefix(): Buffer {
    return this.#dress.kind === 'prefix' ? this.#dress.prefix.at(this.#readMs) : EMPTY;
  }

  #record(bytes: Buffer, start: number, end: number, extent: Extent): void {
    if (this.#dress.kind !== 'record') return;
    this.#dress.record.write(bytes, start, end, this.#readMs, extent, this.sink.queue);
  }

  #leave(isOpen: boolean): void {
    this.sink.leave(isOpen ? this : null);
  }
}

/** True if bytes[start, end) are a newline, or a carriage return and a newline. */
function isLineEnd(bytes: Buffer, start: number, end: number): boolean {
  return end - start === 1 || (end - start === 2 && bytes[start] === RETURN);
}
