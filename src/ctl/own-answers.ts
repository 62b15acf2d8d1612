/** Questions and answers of methods that only our own server has. Pure. */
import type { StreamName } from '../core/stream-name.ts';
import type { XmlRpcStruct } from '../rpc/xmlrpc.ts';

/** Events, as `onevisor.readEvents` gives them, and the number to continue after. */
export interface EventReading {
  readonly events: readonly XmlRpcStruct[];
  readonly next: number;
}

/** Number of events in one answer. */
export const MAX_EVENTS = 1000;

/** The latest lines of a stream of a process, or those before a number of the sequence. */
export interface LatestLines {
  /** The full name, `group:name`. */
  readonly name: string;
  readonly stream: StreamName;
  readonly limit: number;
  readonly before: number | null;
}

/** A line that a program has written. */
export interface ProgramLine {
  readonly pid: number;
  readonly text: string;
}

/** Reads lines, which are one string of JSON; null for another text. */
export function parseLines(text: string): readonly ProgramLine[] | null {
  const lines = parseJson(text);
  if (!Array.isArray(lines)) return null;
  const read: ProgramLine[] = [];
  for (const line of lines as ReadonlyArray<{ readonly pid?: unknown; readonly text?: unknown } | null>) {
    if (typeof line?.pid !== 'number' || typeof line.text !== 'string') return null;
    read.push({ pid: line.pid, text: line.text });
  }
  return read;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}
