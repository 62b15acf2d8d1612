/**
 * Output of programs as text for events and for the debug log: UTF-8, or as Python prints bytes. Pure.
 */

/** Keeps a byte order mark, as Python's decoder does. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Bytes as text. compat: what is not UTF-8 is `Undecodable: b'\xff'` (PROCESS_LOG, PROCESS_COMMUNICATION,
 * supervisor.dispatchers).
 */
export function decodeOutput(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    // The decoder has one reason only to throw.
    return `Undecodable: ${formatPythonBytes(bytes)}`;
  }
}

const escapes: ReadonlyMap<number, string> = new Map([
  [9, '\\t'],
  [10, '\\n'],
  [13, '\\r'],
  [92, '\\\\'],
]);

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

/** Number of bytes in UTF-8. A surrogate without its other half becomes U+FFFD, which has three. */
export function countBytes(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.codePointAt(at) ?? 0;
    if (code > 0xffff) {
      count += 4;
      at++;
    } else {
      count += bytesOf(code);
    }
  }
  return count;
}

function bytesOf(code: number): number {
  if (code < 0x80) return 1;
  return code < 0x800 ? 2 : 3;
}
