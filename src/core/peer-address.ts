/** The address of another supervisor: `peers` of `[dashboard]`. An address never has a user or a password. Pure. */

/** An address that the dashboard may ask. */
export interface PeerAddress {
  /** Name for people (`NAME=URL`); null without it. */
  readonly name: string | null;
  readonly kind: 'http' | 'https' | 'unix';
  /** Name or address of the host, without brackets; empty for a unix socket. */
  readonly host: string;
  /** 0 for a unix socket. */
  readonly port: number;
  /** Path of the unix socket, or the part of the URL before `/api` and `/RPC2`: empty, or `/prefix`. */
  readonly path: string;
  /** `dns+…`: each address of the name is a supervisor of its own. */
  readonly isEveryAddress: boolean;
}

/** Longest path of a unix socket, without its final zero byte (unix(7)). */
const LONGEST_SOCKET_PATH = 107;

const FORM = 'write http://host:port, https://host:port, dns+http://name:port or unix:///path';

/** Reason why a text is no address, with the way out. Never repeats the text, which may have a password in it. */
export class PeerAddressError extends Error {}

/** Reads an address. Throws a {@link PeerAddressError}. */
export function parsePeerAddress(text: string): PeerAddress {
  const [, name = null, prefix = '', url = ''] = /^(?:([\w.-]{1,60})=)?(dns\+)?(.*)$/s.exec(text) ?? [];
  if (url.startsWith('unix:')) return parseUnix(url, name, prefix);
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:'))
    throw new PeerAddressError(`an address is not understood: ${FORM}`);
  if (parsed.username !== '' || parsed.password !== '')
    throw new PeerAddressError(
      'an address has a user or a password in it; remove them, and use peers_username and peers_password_file',
    );
  if (parsed.search !== '' || parsed.hash !== '')
    throw new PeerAddressError(`an address has a "?" or "#" in it: ${FORM}`);
  const isSecure = parsed.protocol === 'https:';
  const isEveryAddress = prefix !== '';
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isEveryAddress && isNumeric(host))
    throw new PeerAddressError(`dns+ is for a name, and ${host} is an address already; leave out dns+`);
  return {
    name,
    kind: isSecure ? 'https' : 'http',
    host,
    port: parsed.port === '' ? defaultPort(isSecure) : Number(parsed.port),
    path: parsed.pathname.replace(/\/$/, ''),
    isEveryAddress,
  };
}

function parseUnix(url: string, name: string | null, prefix: string): PeerAddress {
  const path = url.slice('unix://'.length);
  if (prefix !== '' || !url.startsWith('unix:///') || path.length < 2)
    throw new PeerAddressError('the address of a unix socket is unix:// and an absolute path: unix:///run/b.sock');
  if (new TextEncoder().encode(path).length > LONGEST_SOCKET_PATH)
    throw new PeerAddressError(
      `the path of a unix socket is longer than ${LONGEST_SOCKET_PATH} bytes; use a shorter one`,
    );
  return { name, kind: 'unix', host: '', port: 0, path, isEveryAddress: false };
}

function defaultPort(isSecure: boolean): number {
  return isSecure ? 443 : 80;
}

/** True for an address in numbers. A URL has every IPv4 address in its usual form. */
function isNumeric(host: string): boolean {
  return host.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

/** Formats the URL of an address, without its name. */
export function formatPeerUrl({ kind, host, port, path, isEveryAddress }: PeerAddress): string {
  if (kind === 'unix') return `unix://${path}`;
  const shown = host.includes(':') ? `[${host}]` : host;
  return `${isEveryAddress ? 'dns+' : ''}${kind}://${shown}:${port}${path}`;
}

/** Formats an address as a text that {@link parsePeerAddress} reads. */
export function formatPeerAddress(address: PeerAddress): string {
  return address.name === null ? formatPeerUrl(address) : `${address.name}=${formatPeerUrl(address)}`;
}
