/**
 * The address of a log server, and its URL. Pure.
 */

/** A server that takes syslog messages. */
export interface LogServer {
  readonly protocol: 'udp' | 'tcp';
  /** A name or an address. An IPv6 address has no brackets. */
  readonly host: string;
  readonly port: number;
}

/** Returns the URL of a log server, as a configuration names the server: `syslog+tcp://[::1]:514`. */
export function formatLogServer({ protocol, host, port }: LogServer): string {
  return `syslog${protocol === 'tcp' ? '+tcp' : ''}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
