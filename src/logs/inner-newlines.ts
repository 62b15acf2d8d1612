/**
 * Newlines within a record on the way to a log daemon or a log server (`log_multiline`). The queue of a sink has one
 * message on each line. So a newline within a message is hidden there, and shown again when the message is sent.
 */

/** Stands for a newline: bytes that are no part of UTF-8, in any order. */
const HIDDEN = Buffer.from([0xff, 0xfe, 0xff]);
const NEWLINE = 0x0a;

/** Returns the bytes of a record with its newlines hidden. */
export function hideNewlines(record: Buffer): Buffer {
  if (!record.includes(NEWLINE)) return record;
  const parts: Buffer[] = [];
  let from = 0;
  for (let newline = record.indexOf(NEWLINE); newline !== -1; newline = record.indexOf(NEWLINE, from)) {
    parts.push(record.subarray(from, newline), HIDDEN);
    from = newline + 1;
  }
  return Buffer.concat([...parts, record.subarray(from)]);
}

/** Shows hidden newlines in bytes[start, end), in place. Returns the new end. */
export function showNewlines(bytes: Buffer, start: number, end: number): number {
  const message = bytes.subarray(start, end);
  let hidden = message.indexOf(HIDDEN);
  let to = hidden === -1 ? message.length : hidden;
  while (hidden !== -1) {
    message[to++] = NEWLINE;
    const from = hidden + HIDDEN.length;
    hidden = message.indexOf(HIDDEN, from);
    const until = hidden === -1 ? message.length : hidden;
    message.copyWithin(to, from, until);
    to += until - from;
  }
  return start + to;
}

/** Returns the beginning of the hidden newline that a cut at `at` would split. Otherwise returns `at`. */
export function beforeHidden(bytes: Buffer, at: number): number {
  for (let start = Math.max(0, at - HIDDEN.length + 1); start < at; start++)
    if (HIDDEN.equals(bytes.subarray(start, start + HIDDEN.length))) return start;
  return at;
}
