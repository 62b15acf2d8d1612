/**
 * The address of a log server, the form of its messages, and its URL. Pure.
 */

/** Codes of the facilities that programs may use (RFC 5424, table 1). */
export const FACILITIES = {
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  cron: 9,
  authpriv: 10,
  ftp: 11,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const;

export type Facility = keyof typeof FACILITIES;

/** Protocol of the messages: that of RFC 3164 (BSD) or of RFC 5424. */
export type MessageFormat = '3164' | '5424';

/** Form of the messages. */
export interface MessageForm {
  /** `user` if it is not set. */
  readonly facility?: Facility;
  /** Name in the messages. The name of the process if it is not set. */
  readonly tag?: string;
  /** Structured data: one element or more, as `[app@32473 env="prod"]`. */
  readonly sd?: string;
  /** 5424 if it is not set. */
  readonly format?: MessageFormat;
}

/** Files and checks of a connection with TLS. */
export interface ServerTrust {
  /** File with the authorities that are trusted. Those of the machine if it is not set. */
  readonly ca?: string;
  /** Certificate and key by which the server knows us. */
  readonly cert?: string;
  readonly key?: string;
  /** Name that the certificate of the server must have. The host if it is not set. */
  readonly name?: string;
  /** False: any certificate is accepted. */
  readonly verify?: boolean;
}

/** A server that takes syslog messages. */
export interface LogServer {
  readonly protocol: 'udp' | 'tcp' | 'tls';
  /** A name or an address. An IPv6 address has no brackets. */
  readonly host: string;
  readonly port: number;
  readonly form?: MessageForm;
  readonly trust?: ServerTrust;
}

/** Returns the URL of a log server without options: `syslog+tcp://[::1]:514`. */
export function formatLogServer({ protocol, host, port }: LogServer): string {
  const scheme = protocol === 'udp' ? 'syslog' : `syslog+${protocol}`;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Returns the URL with all options, as a configuration names the server. */
export function formatLogServerUrl(server: LogServer): string {
  const options = Object.entries({ ...server.form, ...server.trust });
  if (options.length === 0) return formatLogServer(server);
  return `${formatLogServer(server)}?${options.map(([name, value]) => `${name}=${encode(String(value))}`).join('&')}`;
}

/** Encodes the characters that would end a value or begin another target. */
function encode(value: string): string {
  return value.replaceAll('%', '%25').replaceAll('&', '%26').replaceAll(',', '%2C');
}

/** Returns the text that two targets with the same connection have in common. */
export function connectionOf(server: LogServer): string {
  return JSON.stringify([formatLogServer(server), server.trust ?? {}]);
}
