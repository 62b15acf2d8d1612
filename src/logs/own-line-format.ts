/**
 * The forms of the supervisor's own log lines: text as Supervisor writes it, JSON and logfmt. Pure.
 */
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
  readonly wallMs: number;
}

/** Formats a line of the supervisor itself as Supervisor writes it: `2026-01-01 12:00:00,123 INFO text`. */
export function formatOwnText({ level, text, wallMs }: Pick<OwnLine, 'level' | 'text' | 'wallMs'>): string {
  return `${formatLocalTime(wallMs)} ${LEVEL_LABELS[level]} ${text}\n`;
}

/** Formats a line of the supervisor itself as a JSON object. */
export function formatOwnJson({ name, pid, level, text, wallMs }: OwnLine): string {
  return `${JSON.stringify({ time: formatIsoTime(wallMs), level, program: name, pid, message: text })}\n`;
}

/** Formats a line of the supervisor itself in logfmt. */
export function formatOwnLogfmt({ name, pid, level, text, wallMs }: OwnLine): string {
  const origin = `level=${level} program=${quoteLogfmt(name)} pid=${pid}`;
  return `time=${formatIsoTime(wallMs)} ${origin} message=${JSON.stringify(text)}\n`;
}
