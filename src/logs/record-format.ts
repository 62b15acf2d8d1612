/**
 * Lines as records of fields: JSON with one object on each line, and logfmt.
 * Works from bytes to bytes, because a string for each line would cost three times as much.
 * Bytes that are not UTF-8 become U+FFFD here and nowhere else: neither format can carry them.
 */
import { isUtf8 } from 'node:buffer';
import type { BlockQueue } from './block-queue.ts';
import { BLOCK_BYTES } from './blocks.ts';
import type { Block } from './blocks.ts';
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

/** Maximum number of bytes that one byte of a line becomes: `\u001b`. */
const MAX_ESCAPE_BYTES = 6;

/**
 * For each byte, the character after the backslash. 0: the byte needs no backslash. `u`: four hexadecimal digits
 * follow.
 */
const ESCAPES = makeEscapes();
const HEX = Buffer.from('0123456789abcdef');

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
  /** Beginning of a record with a message. */
  #head: Buffer = Buffer.alloc(0);
  /** Beginning of a record whose line is a JSON object. */
  #objectHead: Buffer = Buffer.alloc(0);
  #headMs = Number.NaN;
  /** End of a record, with its newline. */
  #tail: Buffer = Buffer.alloc(0);

  constructor(format: 'json' | 'logfmt', origin: LineOrigin, pid: number, jsonLines: LineStyle['jsonLines']) {
    this.#isJson = format === 'json';
    this.#jsonLines = format === 'json' ? jsonLines : 'string';
    this.#fields = this.#isJson ? jsonFields(origin, pid) : logfmtFields(origin, pid);
  }

  /** Writes a record for each line of `bytes`. They end in a newline, or are one piece of a line. */
  write(queue: BlockQueue, bytes: Buffer, { wallMs, extent }: RecordInfo): void {
    this.#makeHeads(wallMs);
    this.#tail = this.#makeTail(extent);
    this.#writeLines(queue, isUtf8(bytes) ? bytes : Buffer.from(bytes.toString('utf8')), extent);
  }

  /** Writes one record, whose text may have newlines in it (`log_multiline`). It has no newline at its end. */
  writeRecord(queue: BlockQueue, text: Buffer, { wallMs, extent }: RecordInfo): void {
    this.#makeHeads(wallMs);
    this.#tail = this.#makeTail(extent);
    const bytes = isUtf8(text) ? text : Buffer.from(text.toString('utf8'));
    const isObject = this.#jsonLines !== 'string' && extent === 'whole' && isJsonObject(bytes, 0, bytes.length);
    if (isObject && !bytes.includes(NEWLINE)) this.#writeObject(queue, bytes);
    else this.#writeText(queue, bytes, 0, bytes.length);
  }

  #writeLines(queue: BlockQueue, bytes: Buffer, extent: Extent): void {
    const end = bytes.length;
    const mayBeObject = this.#jsonLines !== 'string' && extent === 'whole';
    for (let at = 0; at < end;) {
      const newline = bytes.indexOf(NEWLINE, at);
      const lineEnd = newline === -1 ? end : newline;
      // A carriage return before the newline belongs to the end of the line.
      const textEnd = lineEnd < end && lineEnd > at && bytes[lineEnd - 1] === RETURN ? lineEnd - 1 : lineEnd;
      if (mayBeObject && isJsonObject(bytes, at, textEnd)) this.#writeObject(queue, bytes.subarray(at, textEnd));
      else this.#writeText(queue, bytes, at, textEnd);
      at = lineEnd + 1;
    }
  }

  #writeObject(queue: BlockQueue, object: Buffer): void {
    if (this.#jsonLines === 'pass') {
      appendObject(object, queue);
      queue.append(this.#tail, this.#tail.length - 1, this.#tail.length);
      return;
    }
    queue.append(this.#objectHead, 0, this.#objectHead.length);
    appendObject(object, queue);
    queue.append(this.#tail, 0, this.#tail.length);
  }

  #writeText(queue: BlockQueue, bytes: Buffer, start: number, end: number): void {
    const most = this.#head.length + this.#tail.length + 2 + (end - start) * MAX_ESCAPE_BYTES;
    if (most <= BLOCK_BYTES) {
      queue.commit(this.#encode(bytes, start, end, queue.reserve(most)));
      return;
    }
    const message = JSON.stringify(bytes.toString('utf8', start, end));
    const record = Buffer.concat([this.#head, Buffer.from(message), this.#tail]);
    queue.append(record, 0, record.length);
  }

  /**
   * Encodes one record into a block and returns the end of the record. Both formats escape a message alike. The block
   * must have room: nothing is checked here.
   */
  #encode(bytes: Buffer, start: number, end: number, { bytes: target, filled }: Block): number {
    let to = filled;
    target.set(this.#head, to);
    to += this.#head.length;
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
    target.set(this.#tail, to);
    return to + this.#tail.length;
  }

  #makeHeads(wallMs: number): void {
    if (wallMs === this.#headMs) return;
    const head = `${this.#isJson ? '{"time":"' : 'time='}${formatIsoTime(wallMs)}${this.#fields}`;
    this.#head = Buffer.from(head + (this.#isJson ? 'message":' : 'message='));
    // An object has a field of its own: stores of records want one type for each field.
    this.#objectHead = this.#jsonLines === 'message' ? this.#head : Buffer.from(`${head}data":`);
    this.#headMs = wallMs;
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
