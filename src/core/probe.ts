/**
 * Health checks as a configuration writes them: `http://…`, `tcp://…`, `unix://…`, or a command. The configuration
 * validates a check with {@link parseProbe}, and health/ runs the parsed result. To add a kind of check, add a
 * target and a row to the table here, and a row in health/check.ts. Pure.
 */
import { splitCommandLine } from './command-line.ts';

/** Statuses of HTTP from `first` to `last`, both included. */
export interface StatusRange {
  readonly first: number;
  readonly last: number;
}

/** Target of a check over HTTP. */
export interface HttpTarget {
  readonly kind: 'http';
  /** The URL as written. */
  readonly url: string;
  readonly isSecure: boolean;
  /** Name or address, without the brackets of IPv6. */
  readonly host: string;
  readonly port: number;
  /** Path and query. */
  readonly path: string;
  /** Header `Host`. */
  readonly hostHeader: string;
  /** `user:password` for basic authentication; null without it. */
  readonly auth: string | null;
}

/** Target of a check that opens a TCP connection. */
export interface TcpTarget {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
}

/** Target of a check that connects to a unix socket. */
export interface UnixTarget {
  readonly kind: 'unix';
  readonly path: string;
}

/** A command whose exit code is the result. */
export interface CommandTarget {
  readonly kind: 'command';
  readonly command: string;
}

/** One health check. */
export type Probe = HttpTarget | TcpTarget | UnixTarget | CommandTarget;

/** The end of a check. */
export interface CheckResult {
  /** Milliseconds of the monotonic clock. */
  readonly atMs: number;
  /** Null if it has passed. */
  readonly failure: string | null;
  /** Last line that its command has written; empty for none. */
  readonly output: string;
}

/** Reason why a text is not a health check: the expected form. */
export class ProbeError extends Error {}

/** One kind of check: from text to target and back. */
interface ProbeKind<T extends Probe> {
  /** Schemes of its URL. A text without a scheme is a command. */
  readonly schemes: readonly string[];
  /** Throws {@link ProbeError}, and CommandLineError for a command. */
  readonly parse: (text: string) => T;
  readonly show: (target: T) => string;
}

const ANY_PROBE = 'a check: http://host:port/path, https://…, tcp://host:port, unix:///path, or a command';
const LAST_PORT = 65_535;

/** All kinds of checks. */
const KINDS: { readonly [K in Probe['kind']]: ProbeKind<Extract<Probe, { kind: K }>> } = {
  http: { schemes: ['http', 'https'], parse: parseHttp, show: ({ url }) => url },
  tcp: {
    schemes: ['tcp'],
    parse: parseTcp,
    show: ({ host, port }) => `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`,
  },
  unix: { schemes: ['unix'], parse: parseUnix, show: ({ path }) => `unix://${path}` },
  command: { schemes: [], parse: parseCommand, show: ({ command }) => command },
};

/**
 * Parses a check. Throws {@link ProbeError}, or CommandLineError (command-line.ts) for a command that cannot be split.
 */
export function parseProbe(text: string): Probe {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  const kind =
    scheme === undefined ? KINDS.command : Object.values(KINDS).find(({ schemes }) => schemes.includes(scheme));
  if (kind === undefined || text === '') throw new ProbeError(ANY_PROBE);
  return kind.parse(text);
}

/** Formats statuses as a configuration writes them: `200-299,401`. */
export function formatStatuses(ranges: readonly StatusRange[]): string {
  return ranges.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`)).join(',');
}

/** Formats a check as a configuration writes it. */
export function formatProbe(probe: Probe): string {
  const { show } = KINDS[probe.kind] as ProbeKind<Probe>;
  return show(probe);
}

function parseHttp(url: string): HttpTarget {
  const wanted = 'a URL, for example http://localhost:8080/health';
  if (!URL.canParse(url)) throw new ProbeError(wanted);
  const { protocol, hostname, host, port, pathname, search, username, password } = new URL(url);
  const isSecure = protocol === 'https:';
  const defaultPort = isSecure ? 443 : 80;
  return {
    kind: 'http',
    url,
    isSecure,
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? defaultPort : Number(port),
    path: pathname + search,
    hostHeader: host,
    auth: username === '' && password === '' ? null : `${decodePart(username)}:${decodePart(password)}`,
  };
}

/** Decodes the percent signs of a user name or a password. */
function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw new ProbeError(
      'a URL, for example http://user:password@localhost:8080/; a percent sign in it is written %25',
    );
  }
}

function parseTcp(text: string): TcpTarget {
  const match = /^tcp:\/\/(?:\[([^\]]+)\]|([^\s:/]+)):(\d+)$/i.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > LAST_PORT)
    throw new ProbeError('an address, for example tcp://localhost:5432');
  return { kind: 'tcp', host: match[1] ?? match[2] ?? '', port };
}

function parseUnix(text: string): UnixTarget {
  const path = text.slice('unix://'.length);
  if (!path.startsWith('/')) throw new ProbeError('a socket with an absolute path, for example unix:///run/app.sock');
  return { kind: 'unix', path };
}

function parseCommand(command: string): CommandTarget {
  if (splitCommandLine(command).length === 0) throw new ProbeError('a command');
  return { kind: 'command', command };
}
