/** Finds the places where UTF-8 may be cut. Pure. */

/** Counts the bytes at the end of `bytes` that begin an incomplete character of UTF-8: 0 to 3. */
export function countSplitBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < lengthOfCharacter(byte) ? back : 0;
  }
  return 0;
}

/** Returns the length of the character that begins with this byte; 1 for a byte that begins no character (RFC 3629). */
function lengthOfCharacter(first: number): number {
  if (first < 0xc2 || first > 0xf4) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}
