/**
 * Lines of programs for a terminal: colours pass, every other control sequence is removed, and other control characters
 * are made visible, so that no program can change the terminal of the reader. Pure.
 */
import { escapeControls } from '../../core/shown-text.ts';
import type { Span } from './pattern.ts';

const RESET = '\x1b[0m';
const MARKED = '\x1b[7m';
const UNMARKED = '\x1b[27m';

/** Characters that need a closer look. */
const SUSPICIOUS = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/u;
/** Sequences that set colours (SGR), and tabs. */
const KEPT = /(\x1b\[[\d;:]*m|\t)/;
/** Other sequences: CSI, control strings with their end, and two-character sequences. */
const SEQUENCES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]+[0-~]|[0-OQ-WYZ\\`-~])/g;

/** Makes a line safe for a terminal. Without `hasColours`, colours are removed, too. */
export function showLine(line: string, hasColours: boolean): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  if (!SUSPICIOUS.test(text)) return text;
  let isColoured = false;
  const parts = text.split(KEPT).map((part, index) => {
    if (index % 2 === 0) return escapeControls(part.replace(SEQUENCES, ''));
    if (part === '\t') return part;
    isColoured ||= hasColours;
    return hasColours ? part : '';
  });
  return isColoured ? `${parts.join('')}${RESET}` : parts.join('');
}

/** Marks parts of a line in reverse video. Spans must be in order; overlapping ones are marked once. */
export function markSpans(line: string, spans: readonly Span[]): string {
  let marked = '';
  let at = 0;
  for (const [start, end] of spans) {
    if (end <= at) continue;
    const from = Math.max(start, at);
    marked += `${line.slice(at, from)}${MARKED}${line.slice(from, end)}${UNMARKED}`;
    at = end;
  }
  return marked + line.slice(at);
}
