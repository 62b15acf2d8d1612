/** Lines and events as `logs` handles them, from the answers of `onevisor.readLines` or from log files. Pure. */
import { formatNamespec, parseNamespec } from '../../core/namespec.ts';
import { CtlError } from '../errors.ts';

/** A line of a program, or a piece of a line. */
export interface LineEntry {
  readonly kind: 'line';
  /** Number in the sequence of the supervisor; null for a line from a file. */
  readonly seq: number | null;
  /** Milliseconds since 1970; null if the time is not known. */
  readonly at: number | null;
  /** Without a time: the file with the line was written between these times. */
  readonly bounds?: { readonly afterMs: number; readonly beforeMs: number };
  /** Full name `group:name`; `supervisor` for the supervisor's own log. */
  readonly name: string;
  readonly stream: string;
  /** Null for a line from a file. */
  readonly pid: number | null;
  /** The line without its newline; bytes as in files/bytes.ts. */
  readonly text: string;
  /** True if the line has not ended here. */
  readonly isPartial: boolean;
  /** True if this continues a line whose beginning is not here. */
  readonly isRest: boolean;
}

/** A change of a program, or a notice of this client. */
export interface EventEntry {
  readonly kind: 'event';
  readonly seq: number | null;
  readonly at: number | null;
  readonly name: string;
  /** Kind of the event, for example `state`. */
  readonly event: string;
  readonly text: string;
  /** The other members of the answer. */
  readonly members: Readonly<Record<string, unknown>>;
}

/** A line or an event. */
export type Entry = LineEntry | EventEntry;

/** Shows a full name as `status` does: `web` for `web:web`. */
export function shownName(name: string): string {
  const { group, process: proc } = parseNamespec(name);
  return proc === null ? name : formatNamespec(group, proc);
}

/** Key of an output: two streams of one program are different outputs. */
export function outputKey({ name, stream }: Pick<LineEntry, 'name' | 'stream'>): string {
  return `${stream} ${name}`;
}

/** Makes a notice of this client. */
export function makeNotice(event: string, text: string, members: EventEntry['members'] = {}): EventEntry {
  return { kind: 'event', seq: null, at: Date.now(), name: 'supervisor', event, text, members };
}

/** Reads the `lines` of an answer. Throws {@link CtlError} if they are not what this client knows. */
export function parseEntries(json: string): Entry[] {
  let values: unknown;
  try {
    values = JSON.parse(json);
  } catch (error) {
    throw unexpected(error);
  }
  if (!Array.isArray(values)) throw unexpected(null);
  return values.map(toEntry);
}

function unexpected(cause: unknown): CtlError {
  return new CtlError('xmlrpc.client.ResponseError', 'the answer of the server is not a list of lines', { cause });
}

function toEntry(value: Readonly<Record<string, unknown>>): Entry {
  const { seq, at, name = 'supervisor', stream, pid, text, event, partial, rest } = value;
  if (typeof seq !== 'number' || typeof at !== 'number' || typeof name !== 'string' || typeof text !== 'string')
    throw unexpected(null);
  if (typeof event === 'string') return { kind: 'event', seq, at, name, event, text, members: value };
  if (typeof stream !== 'string' || typeof pid !== 'number') throw unexpected(null);
  const [isPartial, isRest] = [partial === true, rest === true];
  return { kind: 'line', seq, at, name, stream, pid, text, isPartial, isRest };
}
