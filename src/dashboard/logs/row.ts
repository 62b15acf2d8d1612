/** The rows of the log viewer: lines, events of programs, and marks where something is missing. Pure. */
import type { LogLevel } from '../../core/line-level.ts';
import type { LineMessage } from '../messages.ts';

/**
 * Kinds of marks. `dropped`: the server dropped lines for this page. `missed`: the server no longer has bytes of an
 * output. `lost`, `back`: the stream broke, and was opened again. `restarted`: the lines that follow are of another
 * supervisor. `reset`: the stream could not continue where it was.
 */
export type MarkKind = 'dropped' | 'missed' | 'lost' | 'back' | 'restarted' | 'reset';

/** One row. All rows have the same members, so that the engine of the browser has one shape for them. */
export interface Row {
  readonly kind: 'line' | 'event' | 'mark';
  /** The supervisor that `seq` is from. */
  readonly epoch: string;
  /** Number in the sequence of the supervisor; of a mark the number of the row before. */
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly name: string;
  /** `stdout` or `stderr`; of an event its kind; of a mark a {@link MarkKind}. */
  readonly stream: string;
  /** Text without its newline. A line that has not ended yet grows. */
  text: string;
  /** Lines or bytes of a mark. */
  readonly count: number;
  /** True if the line has not ended yet. */
  isOpen: boolean;
  /** True if the beginning of the line is not here. */
  readonly isRest: boolean;
  /** The guessed level; undefined until it is needed. */
  level: LogLevel | null | undefined;
}

/** Makes the row of a line or of an event. */
export function rowOf(line: LineMessage, epoch: string): Row {
  return {
    kind: line.event === undefined ? 'line' : 'event',
    epoch,
    seq: line.seq,
    at: line.at,
    name: line.name ?? 'supervisor',
    stream: line.event ?? line.stream ?? 'stdout',
    text: line.text,
    count: 0,
    isOpen: line.partial === true,
    isRest: line.rest === true,
    level: undefined,
  };
}

/** Place and size of a mark. */
export interface MarkFacts {
  readonly epoch: string;
  readonly seq: number;
  readonly at: number;
  readonly name?: string;
  readonly text?: string;
  readonly count?: number;
}

/** Makes a mark. */
export function markOf(kind: MarkKind, { epoch, seq, at, name = '', text = '', count = 0 }: MarkFacts): Row {
  return {
    kind: 'mark',
    epoch,
    seq,
    at,
    name,
    stream: kind,
    text,
    count,
    isOpen: false,
    isRest: false,
    level: null,
  };
}

/** Key of an output: the streams of a program are different outputs. */
export function outputOf({ name, stream }: Pick<Row, 'name' | 'stream'>): string {
  return `${stream} ${name}`;
}
