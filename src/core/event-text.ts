/** Output of programs as text for events and the debug log: UTF-8, or the notation of Python for bytes. Pure. */

/** Keeps a byte order mark, as Python's decoder does. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes output. compat: bytes that are not UTF-8 become `Undecodable: b'\xff'` (PROCESS_LOG, PROCESS_COMMUNICATION,
 * supervisor.dispatchers).
 */
export function decodeOutput(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    // With `fatal`, the decoder throws for invalid UTF-8 only.
    return `Undecodable: ${formatPythonBytes(bytes)}`;
  }
}

const escapes: ReadonlyMap<number, string> = new Map([
  [9, '\\t'],
  [10, '\\n'],
  [13, '\\r'],
  [92, '\\\\'],
]);

/**
 * Formats bytes as `repr` of Python 3 does. Double quotes are used only if the bytes have single quotes and no double
 * quotes.
 */
export function formatPythonBytes(bytes: Uint8Array): string {
  const quote = bytes.includes(39) && !bytes.includes(34) ? '"' : "'";
  let text = '';
  for (const byte of bytes) {
    const printed = byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
    text += escapes.get(byte) ?? (printed === quote ? `\\${quote}` : printed);
  }
  return `b${quote}${text}${quote}`;
}

/** Counts characters as Python does. A surrogate pair counts as one. */
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

/** Counts the bytes of a text in UTF-8. A lone surrogate becomes U+FFFD, which has three bytes. */
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
