/**
 * Counts lines in bytes.
 */

const NEWLINE_BYTE = 0x0a;

/** Counts the lines in `bytes`. `isEnd`: bytes after the last newline are a line too. */
export function countLines(bytes: Buffer, isEnd: boolean): number {
  let lines = 0;
  let from = 0;
  for (let at = bytes.indexOf(NEWLINE_BYTE); at !== -1; at = bytes.indexOf(NEWLINE_BYTE, from)) {
    lines++;
    from = at + 1;
  }
  return isEnd && from < bytes.length ? lines + 1 : lines;
}
