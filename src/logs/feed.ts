/**
 * From one pipe to one target: lines in the format of the target, whole where others write there too.
 * Invariant: whatever is written leaves the sink at the beginning of a line, or with a line that is open in this feed's name.
 */
import { LineSplitter } from './line-splitter.ts';
import type { LineReceiver } from './line-splitter.ts';
import type { Extent, RecordFormat } from './record-format.ts';
import type { Sink } from './sink.ts';

const NEWLINE = 0x0a;
const EMPTY = Buffer.alloc(0);
const NEWLINE_BYTES = Buffer.from('\n');
/** Stands at the end of a piece of a line that was too long to be held back whole. */
const CUT_MARK = Buffer.from(' [line cut]\n');

/** What stands before lines that were read at a time; valid until the next call. */
export interface Prefix {
  at(wallMs: number): Buffer;
}

/** How the bytes of a feed are dressed. */
export type Dress =
  | { readonly kind: 'raw' }
  | { readonly kind: 'prefix'; readonly prefix: Prefix }
  | { readonly kind: 'record'; readonly record: RecordFormat };

/** See the head of this file. */
export class Feed implements LineReceiver {
  readonly sink: Sink;
  readonly #dress: Dress;
  readonly #wallMs: () => number;
  readonly #splitter: LineSplitter;
  /** Raw lines in a file of their own need no splitting: they are written as they come. */
  readonly #mayPassThrough: boolean;
  #readMs = 0;
  /** The pipe has ended, so what is written now is no part of a longer line. */
  #isFinishing = false;

  /** `mayPassThrough`: whether the target is a file of raw lines. */
  constructor(sink: Sink, dress: Dress, mayPassThrough: boolean, wallMs: () => number) {
    this.sink = sink;
    this.#dress = dress;
    this.#mayPassThrough = mayPassThrough;
    this.#wallMs = wallMs;
    this.#splitter = new LineSplitter(this);
    sink.sources++;
  }

  /** Whether something is held back until its line ends. */
  get hasPartial(): boolean {
    return this.#splitter.hasPartial;
  }

  /** Takes all of `bytes`, which are valid during the call only. */
  take(bytes: Buffer): void {
    if (this.sink.isGone) return;
    if (this.#mayPassThrough && this.sink.sources === 1 && !this.#splitter.hasPartial) {
      this.sink.queue.append(bytes, 0, bytes.length);
      this.#leave(bytes[bytes.length - 1] !== NEWLINE);
      this.#splitter.setBegun(false);
      this.sink.start();
      return;
    }
    if (this.#mayPassThrough && this.sink.isOpenBy(this)) this.#splitter.setBegun(true);
    this.#readMs = this.#wallMs();
    this.#splitter.push(bytes, 0, bytes.length);
    this.sink.start();
  }

  /** Writes a partial line, because its pipe has been silent for a while. */
  flush(): void {
    if (this.sink.isGone) return;
    this.#readMs = this.#wallMs();
    this.#splitter.flush();
    this.sink.start();
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
    this.sink.sources--;
  }

  lines(bytes: Buffer, start: number, end: number): void {
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
    if (this.#dress.kind !== 'record' && this.sink.isOpenBy(this)) {
      this.sink.queue.append(bytes, start, end);
      this.#leave(!isEnd);
      return;
    }
    // Another line came between, or each record stands by itself: if only the newline was missing, nothing is.
    if (end - start === 1 && isEnd) return;
    if (isEnd) this.lines(bytes, start, end);
    else this.begin(bytes, start, end);
  }

  cut(bytes: Buffer, start: number, end: number): void {
    if (this.#dress.kind === 'record') {
      this.#record(bytes, start, end, 'cut');
      return;
    }
    this.resume(bytes, start, end, false);
    this.sink.queue.append(CUT_MARK, 0, CUT_MARK.length);
    this.#leave(false);
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
