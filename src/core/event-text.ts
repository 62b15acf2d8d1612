/**
 * What programs wrote, as text for events: UTF-8 where it is, else as Python prints bytes. Pure.
 */

/** Keeps a byte order mark, as Python's decoder does. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as text. compat: what is not UTF-8 is `Undecodable: b'\xff'` (PROCESS_LOG and PROCESS_COMMUNICATION). */
export function decodeOutput(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    // The decoder has one reason only to throw.
    return `Undecodable: ${formatPythonBytes(bytes)}`;
  }
}

const escapes: ReadonlyMap<number, string> = new Map([[9, '\\t'], [10, '\\n'], [13, '\\r'], [92, '\\\\']]);

/** Bytes as `repr` of Python 3 prints them: double quotes only where there are single ones and no double ones. */
export function formatPythonBytes(bytes: Uint8Array): string {
  const quote = bytes.includes(39) && !bytes.includes(34) ? '"' : "'";
  let text = '';
  for (const byte of bytes) {
    const printed = byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
    text += escapes.get(byte) ?? (printed === quote ? `\\${quote}` : printed);
  }
  return `b${quote}${text}${quote}`;
}

/** Length of what stands at the end of `bytes` and may be the beginning of a character of UTF-8 whose rest has not been read yet: 0 to 3. */
export function countSplitBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < lengthOfCharacter(byte) ? back : 0;
  }
  return 0;
}

/** How many bytes a character has that begins so. */
function lengthOfCharacter(first: number): number {
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

/** Number of characters as Python counts them: one for what takes two places in a string of ours. */
export function countCharacters(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length; at++) {
    if ((text.codePointAt(at) ?? 0) > 0xffff) {
      count--;
      at++;
    }
  }
  return count;
}
