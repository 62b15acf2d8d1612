/**
 * The range of bytes that a client asks for, by the rules of `supervisor.readLog` and `supervisor.tailProcessLog`.
 * Pure arithmetic for log files and in-memory tails.
 */

/** Bytes [start, end) of a log. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Returns the range for `readLog` and `readProcessStdoutLog`. A negative offset counts from the end and needs length 0.
 * Length 0 means up to the end. Null for arguments that contradict each other (BAD_ARGUMENTS).
 */
export function readRange(size: number, offset: number, length: number): ByteRange | null {
  if (offset < 0) return length === 0 ? { start: Math.max(0, size + offset), end: size } : null;
  if (length < 0) return null;
  const start = Math.min(offset, size);
  return { start, end: length === 0 ? size : Math.min(size, start + length) };
}

/**
 * Returns the range for `tailProcessStdoutLog`: the last `length` bytes, or the bytes since `offset` if they are fewer.
 * `overflow` is true if more than `length` bytes came since `offset`. The offset for the next call is `size`.
 */
export function tailRange(size: number, offset: number, length: number): ByteRange & { readonly overflow: boolean } {
  let from = offset;
  let count = length;
  const overflow = size > offset + length;
  // compat: supervisor.tailProcessStdoutLog first moves the offset to the last byte. The whole `length` is then taken
  // from the end.
  if (overflow) from = size - 1;
  if (from + count > size) {
    if (from > size - 1) count = 0;
    from = size - count;
  }
  from = Math.min(size, Math.max(0, from));
  return { start: from, end: Math.min(size, from + Math.max(0, count)), overflow };
}
