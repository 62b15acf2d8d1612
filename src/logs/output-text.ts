/**
 * The output of a program as Supervisor's own log shows it at level debug. Pure.
 */

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * compat: text as it is; bytes that are not UTF-8 as `Undecodable: b'…'`, which is Python's form
 * (supervisor.dispatchers).
 */
export function formatOutput(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return `Undecodable: ${formatPythonBytes(bytes)}`;
  }
}

/** repr() of bytes: in single quotes, unless they hold those and no double ones. */
function formatPythonBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1');
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const named: Readonly<Record<string, string>> = {
    '\\': '\\\\',
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    [quote]: `\\${quote}`,
  };
  const body = text.replace(
    /[^\x20-\x7e]|[\\'"]/g,
    (character) =>
      named[character] ??
      (/['"]/.test(character) ? character : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`),
  );
  return `b${quote}${body}${quote}`;
}
