/**
 * What stands before a line on its way to a log server: the header of RFC 5424, facility user. Makes bytes; sends
 * nothing.
 */
import { hostname } from 'node:os';
import { formatIsoTime } from './time-format.ts';

/** How bad a line is, for a log server. */
export type Severity = 'critical' | 'error' | 'warning' | 'info' | 'debug';

const CODES: Readonly<Record<Severity, number>> = { critical: 2, error: 3, warning: 4, info: 6, debug: 7 };
const FACILITY_USER = 1;
const LONGEST_HOST = 255;
const LONGEST_NAME = 48;

/** Blanks in a header, of which the last ends it; no field has one in it. */
const BLANKS = 7;
const BLANK_BYTE = 0x20;

/** See the head of this file. */
export class MessageHeader {
  readonly #before: string;
  readonly #after: string;
  #madeMs = Number.NaN;
  #made: Buffer = Buffer.alloc(0);

  /** `name`: who wrote the lines, the process or the supervisor. */
  constructor(name: string, pid: number, severity: Severity) {
    this.#before = `<${FACILITY_USER * 8 + CODES[severity]}>1 `;
    this.#after = ` ${field(hostname(), LONGEST_HOST)} ${field(name, LONGEST_NAME)} ${pid} - - `;
  }

  /**
   * As `<14>1 2026-01-01T12:00:00.123Z host web 42 - - `, for lines that were read at `wallMs`. The bytes are not to be
   * changed.
   */
  at(wallMs: number): Buffer {
    if (wallMs !== this.#madeMs) {
      this.#madeMs = wallMs;
      this.#made = Buffer.from(this.#before + formatIsoTime(wallMs) + this.#after, 'latin1');
    }
    return this.#made;
  }
}

/** A field may have visible ASCII in it, and must not be empty. */
function field(text: string, longest: number): string {
  const visible = text.replace(/[^!-~]/g, '_').slice(0, longest);
  return visible === '' ? '-' : visible;
}

/** Where the header of a message ends; 0 where it has none. */
export function headerEnd(message: Buffer): number {
  let at = 0;
  for (let blank = 0; blank < BLANKS; blank++) {
    at = message.indexOf(BLANK_BYTE, at) + 1;
    if (at === 0) return 0;
  }
  return at;
}
