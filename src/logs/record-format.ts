/**
 * Lines as records of fields: JSON with one object on each line, and logfmt.
 * Works from bytes to bytes: the addon escapes the messages (native/record.c). Only lines that may be JSON objects are
 * looked at here.
 * Bytes that are not UTF-8 become U+FFFD here and nowhere else: neither format can carry them.
 */
import { isUtf8 } from 'node:buffer';
import type { BlockQueue, RecordFrame } from './block-queue.ts';
import type { LineOrigin } from './line-prefix.ts';
import type { LineStyle } from './ports.ts';
import { formatIsoTime } from './time-format.ts';

/**
 * Part of a line in a record. `partial`: the end of the line follows in another record. `cut`: the line was too long.
 */
export type Extent = 'whole' | 'partial' | 'cut';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const OPENING_BRACE = 0x7b;
const JSON_SPACES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0d]);

const EMPTY = Buffer.alloc(0);

/** Lines of one read. */
export interface RecordInfo {
  /** Time of the read. */
  readonly wallMs: number;
  readonly extent: Extent;
}

/** Writes the lines of one pipe as records. */
export class RecordFormat {
  readonly #isJson: boolean;
  readonly #jsonLines: LineStyle['jsonLines'];
  /** Text between the time and the name of the last field. */
  readonly #fields: string;
  /** Beginning and end of a record with a message. */
  #frame: RecordFrame = { head: EMPTY, tail: EMPTY, leavesObjects: false };
  /** Beginning of a record whose line is a JSON object. */
  #objectHead: Buffer = EMPTY;
  #headMs = Number.NaN;

  constructor(format: 'json' | 'logfmt', origin: LineOrigin, pid: number, jsonLines: LineStyle['jsonLines']) {
    this.#isJson = format === 'json';
    this.#jsonLines = format === 'json' ? jsonLines : 'string';
    this.#fields = this.#isJson ? jsonFields(origin, pid) : logfmtFields(origin, pid);
  }

  /** Writes a record for each line of `bytes`. They end in a newline, or are one piece of a line. */
  write(queue: BlockQueue, bytes: Buffer, { wallMs, extent }: RecordInfo): void {
    this.#prepare(wallMs, extent);
    this.#writeLines(queue, isUtf8(bytes) ? bytes : Buffer.from(bytes.toString('utf8')));
  }

  /** Writes one record, whose text may have newlines in it (`log_multiline`). It has no newline at its end. */
  writeRecord(queue: BlockQueue, text: Buffer, { wallMs, extent }: RecordInfo): void {
    this.#prepare(wallMs, extent);
    const bytes = isUtf8(text) ? text : Buffer.from(text.toString('utf8'));
    const isObject = this.#frame.leavesObjects && !bytes.includes(NEWLINE) && isJsonObject(bytes, 0, bytes.length);
    if (isObject) this.#writeObject(queue, bytes);
    else queue.appendRecord(bytes, 0, bytes.length, this.#frame);
  }

  #writeLines(queue: BlockQueue, bytes: Buffer): void {
    const end = bytes.length;
    for (let at = 0; at < end;) {
      // Objects often come in a row.
      const isLeft = this.#frame.leavesObjects && bytes[at] === OPENING_BRACE;
      const next = isLeft ? at : queue.appendRecords(bytes, at, end, this.#frame);
      at = next > at ? next : this.#writeLine(queue, bytes, at);
    }
  }

  /** Writes the record of one line or piece of a line. Returns the start of the next line. */
  #writeLine(queue: BlockQueue, bytes: Buffer, at: number): number {
    const newline = bytes.indexOf(NEWLINE, at);
    const lineEnd = newline === -1 ? bytes.length : newline;
    // A carriage return before the newline belongs to the end of the line.
    const textEnd = newline > at && bytes[newline - 1] === RETURN ? newline - 1 : lineEnd;
    if (this.#frame.leavesObjects && isJsonObject(bytes, at, textEnd))
      this.#writeObject(queue, bytes.subarray(at, textEnd));
    else queue.appendRecord(bytes, at, textEnd, this.#frame);
    return lineEnd + 1;
  }

  #writeObject(queue: BlockQueue, object: Buffer): void {
    const { tail } = this.#frame;
    if (this.#jsonLines === 'pass') {
      appendObject(object, queue);
      queue.append(tail, tail.length - 1, tail.length);
      return;
    }
    queue.append(this.#objectHead, 0, this.#objectHead.length);
    appendObject(object, queue);
    queue.append(tail, 0, tail.length);
  }

  #prepare(wallMs: number, extent: Extent): void {
    const head = wallMs === this.#headMs ? this.#frame.head : this.#makeHeads(wallMs);
    const leavesObjects = this.#jsonLines !== 'string' && extent === 'whole';
    this.#frame = { head, tail: this.#makeTail(extent), leavesObjects };
  }

  /** Makes the heads of this time. Returns that of a message. */
  #makeHeads(wallMs: number): Buffer {
    const head = `${this.#isJson ? '{"time":"' : 'time='}${formatIsoTime(wallMs)}${this.#fields}`;
    const textHead = Buffer.from(head + (this.#isJson ? 'message":' : 'message='));
    // An object has a field of its own: stores of records want one type for each field.
    this.#objectHead = this.#jsonLines === 'message' ? textHead : Buffer.from(`${head}data":`);
    this.#headMs = wallMs;
    return textHead;
  }

  #makeTail(extent: Extent): Buffer {
    if (this.#isJson) return Buffer.from(extent === 'whole' ? '}\n' : `,"${extent}":true}\n`);
    return Buffer.from(extent === 'whole' ? '\n' : ` ${extent}=true\n`);
  }
}

function jsonFields({ program, group, process: name, stream }: LineOrigin, pid: number): string {
  const fields = JSON.stringify({ program, group, process: name, pid, stream }).slice(1, -1);
  return `",${fields},"`;
}

function logfmtFields({ program, group, process: name, stream }: LineOrigin, pid: number): string {
  const quoted = `program=${quoteLogfmt(program)} group=${quoteLogfmt(group)} process=${quoteLogfmt(name)}`;
  return ` ${quoted} pid=${pid} stream=${stream} `;
}

/**
 * Returns the value of a logfmt field. The value is quoted if it is empty or has a space, a quote, an equals sign or a
 * control character.
 */
export function quoteLogfmt(value: string): string {
  return value !== '' && !/[\s"=\\\u0000-\u001f\u007f-\u009f\ufffd]/.test(value) ? value : JSON.stringify(value);
}

/**
 * Adds a JSON object as it is. A carriage return in it can only be white space. It becomes a space, because some
 * readers take a carriage return for the end of a line.
 */
function appendObject(object: Buffer, queue: BlockQueue): void {
  const line = object.includes(RETURN) ? Buffer.from(object.map((byte) => (byte === RETURN ? SPACE : byte))) : object;
  queue.append(line, 0, line.length);
}

/** Returns true if a line is one JSON object and nothing else, so that it can stand in a record as it is. */
export function isJsonObject(bytes: Buffer, start: number, end: number): boolean {
  let first = start;
  while (first < end && JSON_SPACES.has(bytes[first] as number)) first++;
  if (bytes[first] !== OPENING_BRACE || first === end) return false;
  try {
    JSON.parse(bytes.toString('utf8', first, end));
    return true;
  } catch {
    // An ordinary line that only begins with a brace.
    return false;
  }
}
