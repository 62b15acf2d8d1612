/**
 * The way from one pipe to one sink: splits output into lines and gives them the form of the log target.
 *
 * Invariant: on a shared sink, a line of one program is never mixed with a line of another. Between two writes, the
 * sink is at the beginning of a line, or inside a line of this feed.
 */
import type { LinearPattern } from '../core/linear-pattern.ts';
import type { BlockQueue } from './block-queue.ts';
import { LineSplitter } from './line-splitter.ts';
import type { LineReceiver } from './line-splitter.ts';
import type { PartialHolder, PartialWatch } from './partial-watch.ts';
import { hideNewlines } from './inner-newlines.ts';
import type { LogClock } from './ports.ts';
import type { Extent, RecordFormat, RecordInfo } from './record-format.ts';
import { RecordJoiner } from './record-joiner.ts';
import type { Sink } from './sink.ts';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const EMPTY = Buffer.alloc(0);
const NEWLINE_BYTES = Buffer.from('\n');
/** Ends a piece of a line that is longer than the splitter keeps. */
const CUT_MARK = Buffer.from(' [line cut]\n');

/** A prefix of lines. The bytes are valid until the next call. */
export interface Prefix {
  at(wallMs: number): Buffer;
}

/** Form of lines: unchanged bytes, a prefix before each line, or a record for each line. */
export type LineForm =
  | { readonly kind: 'raw' }
  | { readonly kind: 'prefix'; readonly prefix: Prefix }
  | { readonly kind: 'record'; readonly record: RecordFormat };

/** Parts of a feed. */
export interface FeedParts {
  readonly form: LineForm;
  /**
   * True for a log file. The bytes of its only writer are never changed. No newline is added after an open line of an
   * earlier run either.
   */
  readonly isFile: boolean;
  /** Longest time that a partial line is held back, in milliseconds. 0: no time at all (`log_partial_after`). */
  readonly partialAfterMs: number;
  /** Pattern of the first line of a record. Null: each line is a record (`log_multiline`). */
  readonly multiline: LinearPattern | null;
  readonly watch: PartialWatch;
  readonly clock: Pick<LogClock, 'wallMs'>;
}

/** The lines of one pipe on their way to one sink. */
export class Feed implements LineReceiver, PartialHolder {
  readonly sink: Sink;
  readonly #parts: FeedParts;
  readonly #form: LineForm;
  readonly #splitter: LineSplitter;
  /** Null: each line is a record. */
  readonly #joiner: RecordJoiner | null;
  #readMs = 0;
  /** True while the watch counts the time of the partial line. */
  #isWatched = false;
  /** True if a line has ended since the watch began to count. */
  #hasEndedLine = false;
  /** True if the pipe has ended: the remaining output is not a part of a longer line. */
  #isFinishing = false;

  constructor(sink: Sink, parts: FeedParts) {
    this.sink = sink;
    this.#parts = parts;
    this.#form = parts.form;
    this.#splitter = new LineSplitter(this);
    const { multiline, watch } = parts;
    this.#joiner =
      multiline === null ? null : new RecordJoiner(multiline, watch, (record, info) => this.#writeJoined(record, info));
    sink.countWriters(1);
  }

  /** Takes all of `bytes`. The bytes are valid during the call only. */
  take(bytes: Buffer): void {
    if (this.sink.isGone) return this.sink.countLost(bytes);
    const isRaw = this.#form.kind === 'raw';
    // Raw output of the only writer needs no splitting.
    if (isRaw && !this.sink.isShared && !this.#splitter.hasPartial) {
      if (this.#parts.isFile) this.sink.adoptLine(this);
      const isLineOpen = bytes[bytes.length - 1] !== NEWLINE;
      this.#splitter.setBegun(false);
      this.sink.write(this, (queue) => {
        queue.append(bytes, 0, bytes.length);
        return isLineOpen;
      });
      return;
    }
    if (isRaw && this.sink.hasOpenLineOf(this)) this.#splitter.setBegun(true);
    this.#readMs = this.#parts.clock.wallMs();
    this.sink.together(() => {
      this.#splitter.push(bytes, 0, bytes.length);
      this.#watchPartial();
    });
  }

  /** Writes the whole partial line and the last record, because the supervisor exits. */
  flush(): void {
    if (!this.sink.isGone) {
      this.#release();
      this.#readMs = this.#parts.clock.wallMs();
      this.#splitter.flush();
    }
    this.#joiner?.flush();
  }

  /** Writes a partial line that has waited long enough, up to its last whole character. */
  onDue(): void {
    this.#isWatched = false;
    if (this.sink.isGone) return;
    this.#readMs = this.#parts.clock.wallMs();
    this.#splitter.flushCharacters(this.#form.kind === 'record');
  }

  /** Stops the time of the partial line: while the pipe is not read, the program cannot end the line. */
  pause(): void {
    this.#release();
    this.#joiner?.pause();
  }

  /** Starts the time of the partial line again, because the pipe is read again. */
  proceed(): void {
    this.#watchPartial();
    this.#joiner?.proceed();
  }

  /** Gives the partial line to the feed that replaces this one, if both write lines in the same form. */
  handOver(heir: Feed): void {
    if (heir.#form.kind !== this.#form.kind) return;
    this.#splitter.handOver(heir.#splitter);
    if (this.sink.hasOpenLineOf(this)) this.sink.adoptLine(heir);
    heir.#watchPartial();
  }

  /** Writes the partial line at the end of the pipe. The feed must not be used after this call. */
  finish(): void {
    this.#isFinishing = true;
    this.sink.together(() => {
      this.flush();
      // An open raw line stays as it is. The next writer ends it, if there is a next writer.
      if (this.#form.kind === 'prefix' && this.sink.hasOpenLineOf(this))
        this.#write(false, (queue) => queue.append(NEWLINE_BYTES, 0, 1));
    });
    this.#release();
    this.#joiner?.pause();
    this.sink.countWriters(-1);
  }

  lines(bytes: Buffer, start: number, end: number): void {
    this.#hasEndedLine = true;
    if (this.#joiner === null) this.#writeLines(bytes, start, end);
    else this.#joiner.add(bytes.subarray(start, end), this.#readMs);
  }

  #writeLines(bytes: Buffer, start: number, end: number): void {
    if (this.#form.kind === 'record') {
      this.#writeRecord(bytes, start, end, 'whole');
      return;
    }
    const prefix = this.#prefix();
    this.#write(false, (queue) => queue.appendLines(bytes, start, end, prefix));
  }

  begin(bytes: Buffer, start: number, end: number): void {
    if (this.#joiner !== null && this.#isFinishing) {
      this.#joiner.add(bytes.subarray(start, end), this.#readMs);
      return;
    }
    this.#joiner?.flush();
    if (this.#form.kind === 'record') {
      this.#writeRecord(bytes, start, end, this.#isFinishing ? 'whole' : 'partial');
      return;
    }
    const prefix = this.#prefix();
    this.#write(true, (queue) => {
      queue.append(prefix, 0, prefix.length);
      queue.append(bytes, start, end);
    });
  }

  resume(bytes: Buffer, start: number, end: number, isEnd: boolean): void {
    if (isEnd) this.#hasEndedLine = true;
    this.#joiner?.flush();
    if (this.#form.kind !== 'record' && this.sink.hasOpenLineOf(this)) {
      this.#write(!isEnd, (queue) => queue.append(bytes, start, end));
      return;
    }
    // Another line came between, or the target takes records. Its line is ended already: a newline alone is not
    // written.
    if (isEnd && isLineEnd(bytes, start, end)) return;
    if (isEnd) this.#writeLines(bytes, start, end);
    else this.begin(bytes, start, end);
  }

  cut(bytes: Buffer, start: number, end: number): void {
    this.#hasEndedLine = true;
    this.#joiner?.flush();
    if (this.#form.kind === 'record') {
      this.#writeRecord(bytes, start, end, 'cut');
      return;
    }
    this.resume(bytes, start, end, false);
    this.#write(false, (queue) => queue.append(CUT_MARK, 0, CUT_MARK.length));
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
    return this.#form.kind === 'prefix' ? this.#form.prefix.at(this.#readMs) : EMPTY;
  }

  #writeRecord(bytes: Buffer, start: number, end: number, extent: Extent): void {
    if (this.#form.kind !== 'record') return;
    const { record } = this.#form;
    const piece = { wallMs: this.#readMs, extent };
    this.#write(false, (queue) => record.write(queue, bytes.subarray(start, end), piece));
  }

  /** Writes a record that was joined of lines, as one record or as one message. */
  #writeJoined(record: Buffer, info: RecordInfo): void {
    if (this.sink.isGone) return this.sink.countLost(Buffer.concat([record, NEWLINE_BYTES]));
    const { form } = this.#parts;
    if (form.kind === 'record') {
      this.#write(false, (queue) => form.record.writeRecord(queue, record, info));
      return;
    }
    const line = Buffer.concat([hideNewlines(record), NEWLINE_BYTES]);
    const prefix = form.kind === 'prefix' ? form.prefix.at(info.wallMs) : EMPTY;
    this.#write(false, (queue) => queue.appendLines(line, 0, line.length, prefix));
  }

  #write(isLineOpen: boolean, fill: (queue: BlockQueue) => void): void {
    this.sink.write(this, (queue) => {
      fill(queue);
      return isLineOpen;
    });
  }
}

/** Returns true if bytes[start, end) are a newline, or a carriage return and a newline. */
function isLineEnd(bytes: Buffer, start: number, end: number): boolean {
  return end - start === 1 || (end - start === 2 && bytes[start] === RETURN);
}
