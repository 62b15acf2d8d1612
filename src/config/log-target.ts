/**
 * Where a log goes: `stdout_logfile`, `stderr_logfile` and `logfile` as a list of targets. Owns the names that stand
 * for something else than a file (NONE, AUTO, syslog, log servers, the container's streams). Pure.
 */
import { type Context, type DataType, dataType, type Json, reject } from './datatype.ts';
import { absolutePath, readFilePath } from './datatypes.ts';
import { joinPieces } from './expand.ts';

/** A server that takes syslog messages. */
export interface SyslogServer {
  readonly protocol: 'udp' | 'tcp';
  /** A name or an address; that of IPv6 without its brackets. */
  readonly host: string;
  readonly port: number;
}

/** One place that a log goes to. */
export type LogTarget =
  | { readonly kind: 'file'; readonly path: string }
  /** A file in childlogdir that is made at start. */
  | { readonly kind: 'auto' }
  | { readonly kind: 'none' }
  | { readonly kind: 'syslog' }
  /** A log server that is reached over the network. */
  | ({ readonly kind: 'remote' } & SyslogServer)
  /** Our own stdout or stderr, named as a path (`/dev/stdout`): raw, unless a log_format is set. */
  | { readonly kind: 'stdio'; readonly fd: 1 | 2; readonly path: string }
  /** Our own stdout or stderr because nothing is set in container mode: with a prefix, unless a log_format is set. */
  | { readonly kind: 'container'; readonly fd: 1 | 2 };

const STREAM = /^\/dev\/std(out|err)$|^\/dev\/fd\/([12])$|^\/proc\/(?:self|1)\/fd\/([12])$/;

/** The stream of ours that a path names; null for any other path. */
export function parseStream(path: string): 1 | 2 | null {
  const match = STREAM.exec(path);
  if (match === null) return null;
  return match[1] === 'out' || match[2] === '1' || match[3] === '1' ? 1 : 2;
}

const SYSLOG_PORT = 514;
const SERVER = /^syslog(?:\+(udp|tcp))?:\/\/(?:\[([^\]]*)\]|([^:/?#@[\]\s]+))(?::(\d+))?\/?$/i;
const SERVER_WANTED =
  'a log server: syslog://host[:port] (UDP), syslog+udp://host[:port] or syslog+tcp://host[:port], port 1 to 65535 (514 without one), an IPv6 address in brackets as syslog://[::1]:514';

/** What a text that begins like a URL of a log server means. */
function readServer(value: string): LogTarget {
  const match = SERVER.exec(value);
  const [, protocol = 'udp', address, name, digits] = match ?? [];
  const port = digits === undefined ? SYSLOG_PORT : Number(digits);
  const isAddress = address === undefined || URL.canParse(`http://[${address.replace(/%\w+$/, '')}]`);
  if (match === null || !isAddress || port < 1 || port > 65_535) reject(value, SERVER_WANTED);
  return {
    kind: 'remote',
    protocol: protocol.toLowerCase() === 'tcp' ? 'tcp' : 'udp',
    host: (address ?? name ?? '').toLowerCase(),
    port,
  };
}

function readTarget(value: string, context: Context): LogTarget {
  switch (value.toLowerCase()) {
    case 'none':
    case 'off':
      return { kind: 'none' };
    case 'auto':
      return { kind: 'auto' };
    case 'syslog':
      return { kind: 'syslog' };
  }
  if (/^syslog[^/]*:\/\//i.test(value)) return readServer(value);
  const fd = parseStream(value);
  return fd === null ? { kind: 'file', path: readFilePath(value, context) } : { kind: 'stdio', fd, path: value };
}

/** A comma divides targets only before what can begin one, so that a file name may have a comma in it. */
const DIVIDER = /,(?=\s*(?:[/~]|\.{1,2}\/|(?:none|off|auto|syslog)\s*(?:,|$)|syslog[^/,\s]*:\/\/))/i;

/** The targets in a value, without the blanks around the commas. */
function divide(value: string): string[] {
  const parts = value.split(DIVIDER);
  return parts
    .map((part, index) => (index === 0 ? part : part.trimStart()))
    .map((part, index) => (index === parts.length - 1 ? part : part.trimEnd()));
}

export const logTargets: DataType<readonly LogTarget[]> = {
  name: 'path \\| AUTO \\| NONE \\| syslog://host:port, …',
  parse: (value, context) => divide(value).map((part) => readTarget(part, context)),
  remarks: (pieces) =>
    /^\s*syslog\s+@/i.test(joinPieces(pieces))
      ? ['"syslog @host" is the name of a file here; write syslog://host:514, or syslog+tcp://host:514']
      : [],
  show: showTargets,
};

/** Like {@link logTargets}, for the supervisor's own log: paths are made absolute, AUTO and NONE mean no file. */
export const mainLogTargets = dataType<readonly LogTarget[]>(
  'path \\| NONE \\| syslog://host:port, …',
  (value, context) =>
    logTargets.parse(value, context).map((target) => {
      if (target.kind === 'file') return { kind: 'file', path: absolutePath(target.path, context) };
      return target.kind === 'auto' ? { kind: 'none' } : target;
    }),
  showTargets,
);

function showTargets(targets: readonly LogTarget[]): Json {
  const shown = targets.flatMap((target) => formatTarget(target) ?? []);
  return shown.length === 0 ? null : shown.join(', ');
}

function formatTarget(target: LogTarget): string | null {
  switch (target.kind) {
    case 'file':
    case 'stdio':
      return target.path;
    case 'auto':
      return 'AUTO';
    case 'syslog':
      return 'syslog';
    case 'remote':
      return formatServer(target);
    case 'none':
      return null;
    case 'container':
      return target.fd === 1 ? '/dev/stdout' : '/dev/stderr';
  }
}

/** The URL of a log server, as a configuration names it. */
function formatServer({ protocol, host, port }: SyslogServer): string {
  return `syslog${protocol === 'tcp' ? '+tcp' : ''}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
