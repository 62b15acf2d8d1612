/** Headers of HTTP requests, as users write them. Pure. */

/** True for the name of an HTTP header (RFC 9110, 5.1), and a value without line ends (5.5). */
export function isHeader(name: string, value: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

/** Parses a header on each line, `Name: value`; null if a line is none. Empty lines are ignored. */
export function parseHeaders(text: string): Map<string, string> | null {
  const headers = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '') continue;
    const colon = line.indexOf(':');
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
    if (colon === -1 || !isHeader(name, value)) return null;
    headers.set(name, value);
  }
  return headers;
}
