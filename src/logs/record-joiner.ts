/**
 * Joins lines to records, as a stack trace and the line before it (`log_multiline`). A line that matches the pattern
 * begins a record. Other lines belong to the record before, up to {@link MAX_RECORD_BYTES} or {@link RECORD_MS}. A line
 * that is a JSON object is a record of its own.
 *
 * Each record waits for the line after it, but never longer than {@link RECORD_MS} after its first line was read.
 */
import type { LinearPattern } from '../core/linear-pattern.ts';
import type { PartialHolder, PartialWatch } from './partial-watch.ts';
import { isJsonObject, type RecordInfo } from './record-format.ts';

/** Longest record. Further lines are another record. */
export const MAX_RECORD_BYTES = 1024 * 1024;
/** Longest time that a record waits for its next line. */
export const RECORD_MS = 500;

/** Size of the buffer at first. A larger buffer is freed after its record. */
const BUFFER_BYTES = 4096;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Takes a record without its last newline. The bytes are valid during the call only. */
export type RecordReceiver = (record: Buffer, info: RecordInfo) => void;

/** The joiner of one stream. */
export class RecordJoiner implements PartialHolder {
  readonly #pattern: LinearPattern;
  readonly #watch: PartialWatch;
  readonly #emit: RecordReceiver;
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;
  /** Time at which the first line of the record was read. Null: there is no record. */
  #beganMs: number | null = null;

  constructor(pattern: LinearPattern, watch: PartialWatch, emit: RecordReceiver) {
    this.#pattern = pattern;
    this.#watch = watch;
    this.#emit = emit;
  }

  /** Takes whole lines, the last of which may have no newline. `wallMs`: time of the read. */
  add(lines: Buffer, wallMs: number): void {
    for (let at = 0; at < lines.length;) {
      const newline = lines.indexOf(NEWLINE, at);
      const end = newline === -1 ? lines.length : newline;
      const isReturn = newline > at && lines[newline - 1] === RETURN;
      this.#addLine(lines.subarray(at, isReturn ? end - 1 : end), wallMs);
      at = end + 1;
    }
  }

  /** Passes the record on without waiting for further lines. */
  flush(): void {
    this.#end('whole');
  }

  /** Passes on a record that has waited long enough. */
  onDue(): void {
    this.#end('whole');
  }

  /** Stops the time of the record: while the pipe is not read, its next line cannot come. */
  pause(): void {
    this.#watch.release(this);
  }

  /** Starts the time of the record again. */
  proceed(): void {
    if (this.#beganMs !== null) this.#watch.hold(this, RECORD_MS);
  }

  #addLine(line: Buffer, wallMs: number): void {
    if (isJsonObject(line, 0, line.length)) {
      this.#end('whole');
      this.#emit(line, { wallMs, extent: 'whole' });
      return;
    }
    if (this.#beganMs !== null && !this.#pattern.matches(line)) {
      if (this.#length + 1 + line.length <= MAX_RECORD_BYTES) {
        this.#makeRoom(1 + line.length);
        this.#buffer[this.#length++] = NEWLINE;
        this.#length += line.copy(this.#buffer, this.#length);
        return;
      }
      this.#end('cut');
    }
    this.#end('whole');
    this.#makeRoom(line.length);
    this.#length = line.copy(this.#buffer);
    this.#beganMs = wallMs;
    this.#watch.hold(this, RECORD_MS);
  }

  #end(extent: RecordInfo['extent']): void {
    const wallMs = this.#beganMs;
    if (wallMs === null) return;
    const record = this.#buffer.subarray(0, this.#length);
    this.#beganMs = null;
    this.#length = 0;
    if (this.#buffer.length > BUFFER_BYTES) this.#buffer = Buffer.alloc(0);
    this.#watch.release(this);
    this.#emit(record, { wallMs, extent });
  }

  #makeRoom(bytes: number): void {
    const wanted = this.#length + bytes;
    if (wanted <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, this.#buffer.length * 2, BUFFER_BYTES));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
