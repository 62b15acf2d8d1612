/** Addresses of listening sockets: `tcp://host:port` and `unix:///path`. Pure. */

/** Address of a listening socket. The host is in lower case, and an IPv6 address has no brackets. */
export type SocketAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

const TCP = /^tcp:\/\/(?:\[([^\]\s]{1,100})\]|([^\s:[\]]*)):(\d{1,5})$/;
const LAST_PORT = 65_535;

/** The address of all IPv4 interfaces, for which `*` or nothing may stand. */
const ALL_INTERFACES = '0.0.0.0';

/** Reads `tcp://host:port`, with an IPv6 address in brackets. Null for another text. */
export function parseTcpAddress(text: string): Extract<SocketAddress, { kind: 'tcp' }> | null {
  const [, six, name = '', digits] = TCP.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port < 1 || port > LAST_PORT) return null;
  const host = six === undefined ? name.toLowerCase() : shortenIpv6(six);
  if (host === null) return null;
  return { kind: 'tcp', host: host === '' || host === '*' ? ALL_INTERFACES : host, port };
}

/** Returns the one short form of an IPv6 address, so that equal addresses are equal texts. Null for another text. */
function shortenIpv6(text: string): string | null {
  const url = `http://[${text}]`;
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : null;
}

/** Formats an address as a configuration writes it. */
export function formatSocketAddress(address: SocketAddress): string {
  if (address.kind === 'unix') return `unix://${address.path}`;
  const { host, port } = address;
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
