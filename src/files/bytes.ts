/**
 * Keeps bytes that are not UTF-8 in strings. Linux passes arguments, variables and paths as bytes; JavaScript has text.
 * Each byte that is not part of valid UTF-8 becomes one code unit from U+DC80 to U+DCFF, which no text has (PEP 383,
 * "surrogateescape"). The addon converts these back to the same bytes (native/arguments.c). Pure.
 */

/** The code unit for a byte B is ESCAPE + B. */
const ESCAPE = 0xdc00;
const REPLACEMENT = '\uFFFD';
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Returns the length of the UTF-8 sequence that starts at `at`; 0 if the bytes are not valid (RFC 3629: no overlong
 * forms, no surrogates).
 */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = lengthOf(first);
  if (length === 0 || at + length > bytes.length) return 0;
  for (let next = 1; next < length; next++) if (((bytes[at + next] ?? 0) & 0xc0) !== 0x80) return 0;
  return isForbidden(first, bytes[at + 1] ?? 0) ? 0 : length;
}

function lengthOf(first: number): number {
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

function isForbidden(first: number, second: number): boolean {
  switch (first) {
    case 0xe0:
      return second < 0xa0;
    case 0xed:
      return second > 0x9f;
    case 0xf0:
      return second < 0x90;
    case 0xf4:
      return second > 0x8f;
    default:
      return false;
  }
}

/** Decodes bytes that should be UTF-8, and keeps invalid ones. */
export function decodeBytes(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    parts.push(utf8.decode(bytes.subarray(start, at)), String.fromCharCode(ESCAPE + (bytes[at] ?? 0)));
    start = ++at;
  }
  parts.push(utf8.decode(bytes.subarray(start)));
  return parts.join('');
}

/** Encodes a string of {@link decodeBytes}. Any other lone surrogate becomes U+FFFD, as in all encoders. */
export function encodeBytes(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  const parts = text.split(/((?<![\ud800-\udbff])[\udc80-\udcff])/);
  // split() with a group returns the matches of the group at odd indexes.
  return Buffer.concat(
    parts.map((part, index) => (index % 2 === 1 ? Buffer.from([part.charCodeAt(0) - ESCAPE]) : Buffer.from(part))),
  );
}

/** Converts a path for node:fs, which would replace bytes that are not UTF-8. */
export function toPath(path: string): string | Buffer {
  return path.isWellFormed() ? path : encodeBytes(path);
}

/** True if a text that Node decoded may have lost bytes. */
export function mayHaveLostBytes(text: string): boolean {
  return text.includes(REPLACEMENT);
}
