/** The lines of the log pane: at most {@link MAX_LINES}, the oldest are dropped. Pure. */

/** A line of a program, an event, or a notice of this client. */
export interface LogLine {
  /** Milliseconds since 1970; null for a line of a file without times. */
  readonly at: number | null;
  /** Full name `group:name`; empty for a notice of this client. */
  readonly name: string;
  /** `notice`: an event, or a text of this client such as a lost connection. */
  readonly stream: 'stdout' | 'stderr' | 'notice';
  readonly text: string;
  /** True if the line has not ended. */
  readonly isPartial: boolean;
  /** True if this continues a line. */
  readonly isRest: boolean;
}

/** The newest lines. The number of a line is `first` and its index. */
export interface LogBuffer {
  readonly lines: readonly LogLine[];
  /** Number of lines that were dropped before. */
  readonly first: number;
}

/** Number of lines that are kept. */
export const MAX_LINES = 5000;

/** Lines that are searched for the beginning of a line. */
const SEARCHED = 100;

export const EMPTY_BUFFER: LogBuffer = { lines: [], first: 0 };

/** Adds lines. The rest of a line is joined with its beginning. */
export function addLines(buffer: LogBuffer, added: readonly LogLine[]): LogBuffer {
  const lines = [...buffer.lines];
  for (const line of added) {
    const begun = line.isRest ? findBegun(lines, line) : -1;
    const start = lines[begun];
    if (start === undefined) lines.push(line);
    else lines[begun] = { ...start, text: start.text + line.text, isPartial: line.isPartial };
  }
  const dropped = Math.max(0, lines.length - MAX_LINES);
  return { lines: lines.slice(dropped), first: buffer.first + dropped };
}

/** Finds the last line of the same output, if it has not ended; -1 for none. */
function findBegun(lines: readonly LogLine[], { name, stream }: LogLine): number {
  for (let at = lines.length - 1; at >= Math.max(0, lines.length - SEARCHED); at--) {
    const line = lines[at];
    if (line?.name === name && line.stream === stream) return line.isPartial ? at : -1;
  }
  return -1;
}
