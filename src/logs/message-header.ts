/**
 * The header of a message for a log server: RFC 5424, facility user. This file makes bytes and sends nothing.
 */
import { hostname } from 'node:os';
import { formatIsoTime } from './time-format.ts';

/** Severity of a message for a log server. */
export type Severity = 'critical' | 'error' | 'warning' | 'info' | 'debug';

const CODES: Readonly<Record<Severity, number>> = { critical: 2, error: 3, warning: 4, info: 6, debug: 7 };
const FACILITY_USER = 1;
const MAX_HOST_CHARACTERS = 255;
const MAX_NAME_CHARACTERS = 48;

/** Number of spaces in a header. The last space ends the header. No field has a space in it. */
const SPACES = 7;
const SPACE_BYTE = 0x20;

/** The header for the lines of one writer. */
export class MessageHeader {
  readonly #before: string;
  readonly #after: string;
  #madeMs = Number.NaN;
  #made: Buffer = Buffer.alloc(0);

  /** `name`: name of the process or of the supervisor. */
  constructor(name: string, pid: number, severity: Severity) {
    this.#before = `<${FACILITY_USER * 8 + CODES[severity]}>1 `;
    this.#after = ` ${field(hostname(), MAX_HOST_CHARACTERS)} ${field(name, MAX_NAME_CHARACTERS)} ${pid} - - `;
  }

  /**
   * Returns the header of lines that were read at `wallMs`: `<14>1 2026-01-01T12:00:00.123Z host web 42 - - `. The
   * caller must not change the bytes.
   */
  at(wallMs: number): Buffer {
    if (wallMs !== this.#madeMs) {
      this.#madeMs = wallMs;
      this.#made = Buffer.from(this.#before + formatIsoTime(wallMs) + this.#after, 'latin1');
    }
    return this.#made;
  }
}

/** Makes a field of a header, which has visible ASCII characters only and is not empty. */
function field(text: string, longest: number): string {
  const visible = text.replace(/[^!-~]/g, '_').slice(0, longest);
  return visible === '' ? '-' : visible;
}

/** Returns the end of the header of a message, or 0 if it has none. */
export function headerEnd(message: Buffer): number {
  let at = 0;
  for (let space = 0; space < SPACES; space++) {
    at = message.indexOf(SPACE_BYTE, at) + 1;
    if (at === 0) return 0;
  }
  return at;
}
