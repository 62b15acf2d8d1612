/**
 * The position of a client in the stream, and its text: the `id` of a message. Events and output have numbers of one
 * sequence. A message of lines and a message of events are sent one after the other, so in between, a client is ahead
 * with the one or the other: the text then has both numbers. Pure.
 */

/** Numbers up to which a client has everything. */
export interface Position {
  readonly lines: number;
  readonly events: number;
}

/** A position in the sequence of one supervisor. */
export interface StreamId extends Position {
  readonly epoch: string;
}

/** Formats a position: `EPOCH-SEQ`, or `EPOCH-LINES.EVENTS` if the two numbers differ. */
export function formatPosition(epoch: string, { lines, events }: Position): string {
  return lines === events ? `${epoch}-${lines}` : `${epoch}-${lines}.${events}`;
}

/** Parses a position; null for any other text. */
export function parsePosition(text: string): StreamId | null {
  const match = /^([\w-]{1,100})-(\d{1,16})(?:\.(\d{1,16}))?$/.exec(text);
  if (match === null) return null;
  const [, epoch = '', lines = '', events = lines] = match;
  const position = { epoch, lines: Number(lines), events: Number(events) };
  return Number.isSafeInteger(position.lines) && Number.isSafeInteger(position.events) ? position : null;
}
