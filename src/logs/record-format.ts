/**
 * Lines as records of fields: JSON, one object a line, and logfmt. From bytes to bytes, since a string for each line
 * would cost three times as much. What is no UTF-8 becomes U+FFFD here, and only here, because neither format can carry
 * it.
 */
import { isUtf8 } from 'node:buffer';
import type { BlockQueue } from './block-queue.ts';
import { BLOCK_BYTES } from './blocks.ts';
import type { LineOrigin } from './line-prefix.ts';
import type { Level, LineStyle } from './ports.ts';
import { formatIsoTime } from './time-format.ts';

/** Whether a record holds the whole line: `partial`, its end follows in another record; `cut`, it was too long. */
export type Extent = 'whole' | 'partial' | 'cut';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BLANK = 0x20;
const OPENING_BRACE = 0x7b;
const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0d]);

/** Most bytes that one byte of a line becomes: `\u001b`. */
const LONGEST_ESCAPE = 6;

/** For each byte, the character after the backslash; 0: it stands for itself; `u`: four hexadecimal digits follow. */
const ESCAPES = makeEscapes();
const HEX = Buffer.from('0123456789abcdef');

/** Writes the lines of one pipe as records into a queue. */
export class RecordFormat {
  readonly #isJson: boolean;
  readonly #jsonLines: LineStyle['jsonLines'];
  /** Text between the time and the name of the last field. */
  readonly #fields: string;
  /** The beginning of a record with a message, and of one whose line is an object. */
  #head: Buffer = Buffer.alloc(0);
  #objectHead: Buffer = Buffer.alloc(0);
  #headMs = Number.NaN;

  constructor(format: 'json' | 'logfmt', origin: LineOrigin, pid: number, jsonLines: LineStyle['jsonLines']) {
    const { program, group, process: proc, stream } = origin;
    this.#isJson = format === 'json';
    this.#jsonLines = format === 'json' ? jsonLines : 'string';
    this.#fields = this.#isJson
      ? `","program":${JSON.stringify(program)},"group":${JSON.stringify(group)},"process":${JSON.stringify(proc)},"pid":${pid},"stream":"${stream}","`
      : ` program=${quoteLogfmt(program)} group=${quoteLogfmt(group)} process=${quoteLogfmt(proc)} pid=${pid} stream=${stream} `;
  }

  /** Writes a record for each line of bytes[start, end), which ends in a newline unless it is one piece of a line. */
  write(bytes: Buffer, start: number, end: number, wallMs: number, extent: Extent, queue: BlockQueue): void {
    if (!isUtf8(bytes.subarray(start, end))) {
      const repaired = Buffer.from(bytes.toString('utf8', start, end));
      this.#writeLines(repaired, 0, repaired.length, wallMs, extent, queue);
    } else {
      this.#writeLines(bytes, start, end, wallMs, extent, queue);
    }
  }

  #writeLines(bytes: Buffer, start: number, end: number, wallMs: number, extent: Extent, queue: BlockQueue): void {
    this.#makeHeads(wallMs);
    const head = this.#head;
    const tail = this.#tailOf(extent);
    for (let at = start; at < end;) {
      const newline = bytes.indexOf(NEWLINE, at);
      const lineEnd = newline === -1 || newline >= end ? end : newline;
      // A carriage return before the newline belongs to the end of the line.
      const textEnd = lineEnd < end && lineEnd > at && bytes[lineEnd - 1] === RETURN ? lineEnd - 1 : lineEnd;
      const most = head.length + tail.length + 2 + (textEnd - at) * LONGEST_ESCAPE;
      if (this.#jsonLines !== 'string' && extent === 'whole' && isJsonObject(bytes, at, textEnd)) {
        if (this.#jsonLines !== 'pass') queue.append(this.#objectHead, 0, this.#objectHead.length);
        appendObject(bytes, at, textEnd, queue);
        if (this.#jsonLines !== 'pass') queue.append(tail, 0, tail.length);
        else queue.append(tail, tail.length - 1, tail.length);
      } else if (most <= BLOCK_BYTES) {
        const block = queue.reserve(most);
        queue.commit(writeRecord(bytes, at, textEnd, head, tail, block.bytes, block.filled));
      } else {
        const record = Buffer.from(
          `${head.toString()}${JSON.stringify(bytes.toString('utf8', at, textEnd))}${tail.toString()}`,
        );
        queue.append(record, 0, record.length);
      }
      at = lineEnd + 1;
    }
  }

  #makeHeads(wallMs: number): void {
    if (wallMs === this.#headMs) return;
    const head = `${this.#isJson ? '{"time":"' : 'time='}${formatIsoTime(wallMs)}${this.#fields}`;
    this.#head = Buffer.from(head + (this.#isJson ? 'message":' : 'message='));
    // A field of its own: stores of records want one type for each field.
    this.#objectHead = this.#jsonLines === 'message' ? this.#head : Buffer.from(`${head}data":`);
    this.#headMs = wallMs;
  }

  #tailOf(extent: Extent): Buffer {
    const mark = extent === 'whole' ? '' : this.#isJson ? `,"${extent}":true` : ` ${extent}=true`;
    return Buffer.from(this.#isJson ? `${mark}}\n` : `${mark}\n`);
  }
}

/** A line of the supervisor itself as a JSON object. */
export function formatOwnJson(name: string, pid: number, level: Level, text: string, wallMs: number): string {
  return `${JSON.stringify({ time: formatIsoTime(wallMs), level, program: name, pid, message: text })}\n`;
}

/** A line of the supervisor itself in logfmt. */
export function formatOwnLogfmt(name: string, pid: number, level: Level, text: string, wallMs: number): string {
  return `time=${formatIsoTime(wallMs)} level=${level} program=${quoteLogfmt(name)} pid=${pid} message=${JSON.stringify(text)}\n`;
}

/**
 * The value of a field as logfmt has it: in quotes when it is empty or holds a blank, a quote, an equals sign or a
 * control character.
 */
export function quoteLogfmt(value: string): string {
  return value !== '' && !/[\s"=\\\u0000-\u001f\u007f-\u009f\ufffd]/.test(value) ? value : JSON.stringify(value);
}

/**
 * Writes one record and returns where it ends; both formats escape a message alike. Nothing is checked: there must be
 * room.
 */
function writeRecord(
  bytes: Buffer,
  start: number,
  end: number,
  head: Buffer,
  tail: Buffer,
  target: Buffer,
  from: number,
): number {
  let to = from;
  target.set(head, to);
  to += head.length;
  target[to++] = 0x22;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    const escape = ESCAPES[byte] as number;
    if (escape === 0) {
      target[to++] = byte;
      continue;
    }
    target[to++] = 0x5c;
    target[to++] = escape;
    if (escape !== 0x75) continue;
    target[to++] = 0x30;
    target[to++] = 0x30;
    target[to++] = HEX[byte >> 4] as number;
    target[to++] = HEX[byte & 15] as number;
  }
  target[to++] = 0x22;
  target.set(tail, to);
  return to + tail.length;
}

function makeEscapes(): Uint8Array {
  const escapes = new Uint8Array(256);
  escapes.fill(0x75, 0, 0x20);
  for (const [character, letter] of [
    ['"', '"'],
    ['\\', '\\'],
    ['\b', 'b'],
    ['\t', 't'],
    ['\n', 'n'],
    ['\f', 'f'],
    ['\r', 'r'],
  ] as const) {
    escapes[character.charCodeAt(0)] = letter.charCodeAt(0);
  }
  return escapes;
}

/**
 * Adds a JSON object as it is. A carriage return can only be white space in it; it becomes a blank, since some readers
 * take it for the end of a line.
 */
function appendObject(bytes: Buffer, start: number, end: number, queue: BlockQueue): void {
  const object = bytes.subarray(start, end);
  if (object.includes(RETURN))
    queue.append(Buffer.from(object.map((byte) => (byte === RETURN ? BLANK : byte))), 0, object.length);
  else queue.append(object, 0, object.length);
}

/** Whether a line is one JSON object and nothing else, so that it can stand in a record as it is. */
function isJsonObject(bytes: Buffer, start: number, end: number): boolean {
  let first = start;
  while (first < end && BLANKS.has(bytes[first] as number)) first++;
  if (bytes[first] !== OPENING_BRACE || first === end) return false;
  try {
    JSON.parse(bytes.toString('utf8', first, end));
    return true;
  } catch {
    // It only begins like one: an ordinary line.
    return false;
  }
}
