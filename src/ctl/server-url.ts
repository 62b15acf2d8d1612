/**
 * The address of a supervisor: `unix:///path` or `http://host:port`. Pure.
 */
import { CtlError } from './errors.ts';

/** A parsed address. */
export type Target =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'http'; readonly host: string; readonly port: number };

const UNIX = 'unix://';

/** True if a text has a scheme and some text after it, as the option -s requires. */
export function isUrl(text: string): boolean {
  const parts = /^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/)?([^?#]*)/.exec(text);
  return parts !== null && parts[1] !== '';
}

/**
 * Parses a server URL. `unix://@NAME` is an abstract address. As in Supervisor, the path and the user of an http URL
 * are ignored. Throws {@link CtlError}.
 */
export function parseServerUrl(url: string): Target {
  if (url.startsWith(UNIX)) return { kind: 'unix', path: url.slice(UNIX.length).replace(/^@/, '\0') };
  if (!url.startsWith('http://') || !URL.canParse(url))
    throw new CtlError('ValueError', `Unknown protocol for serverurl ${url}`);
  const { hostname, port } = new URL(url);
  return { kind: 'http', host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 80 : Number(port) };
}
