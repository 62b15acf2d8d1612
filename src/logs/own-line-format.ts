/**
 * The forms of the supervisor's own log lines: text as Supervisor writes it, JSON and logfmt. Pure.
 */
import { fitMessage } from '../core/shown-text.ts';
import { type LogFields, logFields } from '../core/log-fields.ts';
import { LEVEL_LABELS, type Level } from '../core/log-level.ts';
import { quoteLogfmt } from './record-format.ts';
import { formatIsoTime, formatLocalTime } from './time-format.ts';

/** A line of the supervisor itself. */
export interface OwnLine {
  /** Name of the supervisor. */
  readonly name: string;
  readonly pid: number;
  readonly level: Level;
  readonly text: string;
  /** Null: the line has only a text. */
  readonly fields: LogFields | null;
  readonly wallMs: number;
}

/** Formats a line of the supervisor itself as Supervisor writes it: `2026-01-01 12:00:00,123 INFO text`. */
export function formatOwnText({ level, text, wallMs }: Pick<OwnLine, 'level' | 'text' | 'wallMs'>): string {
  return `${formatLocalTime(wallMs)} ${LEVEL_LABELS[level]} ${text}\n`;
}

/** Formats a line of the supervisor itself as a JSON object. */
export function formatOwnJson(line: OwnLine): string {
  const { name, level, text, wallMs } = line;
  const time = formatIsoTime(wallMs);
  return `${JSON.stringify({ time, level, program: name, ...recordOf(line), message: text })}\n`;
}

/** Formats a line of the supervisor itself in logfmt. */
export function formatOwnLogfmt(line: OwnLine): string {
  const { name, level, text, wallMs } = line;
  const fields = Object.entries(recordOf(line)).map(([field, value]) => `${field}=${quoteLogfmt(String(value))} `);
  const origin = `level=${level} program=${quoteLogfmt(name)} ${fields.join('')}`;
  return `time=${formatIsoTime(wallMs)} ${origin}message=${JSON.stringify(text)}\n`;
}

/**
 * Returns the fields between program and message, in the order of the table. In a line about a process, `pid` is that
 * of the process, as in the lines of its output.
 */
function recordOf({ pid, fields }: OwnLine): Readonly<Record<string, string | number | boolean>> {
  if (fields === null) return { pid };
  const all: LogFields = fields.process === undefined ? { pid, ...fields } : fields;
  const names = Object.keys(logFields) as Array<keyof LogFields>;
  return Object.fromEntries(names.flatMap((name) => (all[name] === undefined ? [] : [[name, wellFormed(all[name])]])));
}

/** Replaces bytes that are not UTF-8, as names of processes and clients may have. JSON must be text. */
function wellFormed(value: string | number | boolean): string | number | boolean {
  return typeof value === 'string' ? fitMessage(value.toWellFormed()) : value;
}
