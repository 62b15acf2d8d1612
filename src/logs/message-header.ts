/**
 * The header of a message for a log server: RFC 5424, or RFC 3164 if that is asked for (`format=3164`). This file makes
 * bytes and sends nothing.
 */
import { hostname } from 'node:os';
import { FACILITIES, type MessageForm } from '../core/log-server.ts';
import { formatSyslogTime } from './syslog-format.ts';
import { formatIsoTime } from './time-format.ts';

/** Severity of a message for a log server. */
export type Severity = 'critical' | 'error' | 'warning' | 'info' | 'debug';

const CODES: Readonly<Record<Severity, number>> = { critical: 2, error: 3, warning: 4, info: 6, debug: 7 };
const MAX_HOST_CHARACTERS = 255;
const MAX_NAME_CHARACTERS = 48;
const MAX_TAG_CHARACTERS = 32;

/** Number of spaces before the structured data of RFC 5424. No field before the data has a space in it. */
const SPACES = 6;
const SPACE_BYTE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;

/** Writer of the messages. */
export interface MessageWriter {
  /** Name of the process or of the supervisor. */
  readonly name: string;
  readonly pid: number;
  readonly severity: Severity;
}

/** The header for the lines of one writer. */
export class MessageHeader {
  readonly #before: string;
  readonly #after: string;
  readonly #formatTime: (wallMs: number) => string;
  #madeMs = Number.NaN;
  #made: Buffer = Buffer.alloc(0);

  constructor({ name, pid, severity }: MessageWriter, { facility = 'user', tag = name, sd, format }: MessageForm = {}) {
    const priority = `<${FACILITIES[facility] * 8 + CODES[severity]}>`;
    const host = field(hostname(), MAX_HOST_CHARACTERS);
    const isShort = format === '3164';
    this.#formatTime = isShort ? formatSyslogTime : formatIsoTime;
    this.#before = isShort ? priority : `${priority}1 `;
    this.#after = isShort
      ? ` ${host} ${field(tag.replace(/[:[\]]/g, '_'), MAX_TAG_CHARACTERS)}[${pid}]: `
      : ` ${host} ${field(tag, MAX_NAME_CHARACTERS)} ${pid} - ${sd ?? '-'} `;
  }

  /**
   * Returns the header of lines that were read at `wallMs`: `<14>1 2026-01-01T12:00:00.123Z host web 42 - - `. The
   * caller must not change the bytes.
   */
  at(wallMs: number): Buffer {
    if (wallMs !== this.#madeMs) {
      this.#madeMs = wallMs;
      this.#made = Buffer.from(this.#before + this.#formatTime(wallMs) + this.#after);
    }
    return this.#made;
  }
}

/** Makes a field of a header, which has visible ASCII characters only and is not empty. */
function field(text: string, longest: number): string {
  const visible = text.replace(/[^!-~]/g, '_').slice(0, longest);
  return visible === '' ? '-' : visible;
}

const VERSION = '>1 ';
/** End of the header of RFC 3164. Neither the time nor the tag has such an end. */
const END_OF_TAG = ']: ';
/** Longest part before the version: `<191>`. */
const MAX_PRIORITY_BYTES = 5;

/** Returns the end of the header of a message, or 0 if it has none. */
export function headerEnd(message: Buffer): number {
  if (!message.subarray(0, MAX_PRIORITY_BYTES + VERSION.length).includes(VERSION)) {
    const end = message.indexOf(END_OF_TAG);
    return message[0] !== 0x3c || end === -1 ? 0 : end + END_OF_TAG.length;
  }
  let at = 0;
  for (let space = 0; space < SPACES; space++) {
    at = message.indexOf(SPACE_BYTE, at) + 1;
    if (at === 0) return 0;
  }
  return endOfData(message, at);
}

/** Returns the end of the structured data from `start` on, with the space after the data; 0 if there is no such end. */
function endOfData(message: Buffer, start: number): number {
  // Without data, a dash stands there.
  if (message[start] !== OPENING_BRACKET) return message.indexOf(SPACE_BYTE, start) + 1;
  let isQuoted = false;
  for (let at = start; at < message.length; at++) {
    const byte = message[at];
    if (isQuoted && byte === BACKSLASH) at++;
    else if (byte === QUOTE) isQuoted = !isQuoted;
    else if (!isQuoted && byte === CLOSING_BRACKET && message[at + 1] === SPACE_BYTE) return at + 2;
  }
  return 0;
}
