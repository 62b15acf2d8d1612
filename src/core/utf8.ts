/** The form of UTF-8: the lengths of characters, and the places where a text may be cut. Pure. */

const ANY_BYTE = [0x80, 0xbf] as const;
/** Second bytes after those first bytes that do not allow all: no longer form, no surrogate, none above U+10FFFF. */
const SECOND_BYTES: ReadonlyMap<number, readonly [low: number, high: number]> = new Map([
  [0xe0, [0xa0, 0xbf]],
  [0xed, [0x80, 0x9f]],
  [0xf0, [0x90, 0xbf]],
  [0xf4, [0x80, 0x8f]],
]);

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
export function lengthOfCharacter(first: number): number {
  if (first < 0xc2 || first > 0xf4) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

/** True if `byte` may follow the first byte of a character, at `place` 1, 2 or 3 (RFC 3629). */
export function mayFollow(first: number, byte: number, place: number): boolean {
  const [low, high] = place === 1 ? (SECOND_BYTES.get(first) ?? ANY_BYTE) : ANY_BYTE;
  return byte >= low && byte <= high;
}
