/**
 * Counts lines in bytes.
 */

const NEWLINE_BYTE = 0x0a;

/** Counts the lines in `bytes`. `isEnd`: bytes after the last newline are a line too. */
export function countLines(bytes: Buffer, isEnd: boolean): number {
  let lines = 0;
  // Faster than a call of indexOf for each line, which short lines make costly.
  for (let at = 0; at < bytes.length; at += 1) if (bytes[at] === NEWLINE_BYTE) lines += 1;
  const isOpen = bytes.length > 0 && bytes[bytes.length - 1] !== NEWLINE_BYTE;
  return isEnd && isOpen ? lines + 1 : lines;
}
