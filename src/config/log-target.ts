/**
 * Where a log goes: `stdout_logfile`, `stderr_logfile` and `logfile` as a list of targets. Owns the names that mean
 * something other than a file (NONE, AUTO, syslog, log servers, the container's streams). Pure.
 */
import { parseContainerStream } from '../core/container-stream.ts';
import { formatLogServerUrl, type LogServer } from '../core/log-server.ts';
import { type Context, type DataType, dataType, type Json } from './datatype.ts';
import { absolutePath, expandHome, requireText } from './datatypes.ts';
import { joinPieces } from './expand.ts';
import { readLogServer } from './log-server-url.ts';

/** One place that a log goes to. */
export type LogTarget =
  | { readonly kind: 'file'; readonly path: string }
  /** A file in childlogdir that is made at start. */
  | { readonly kind: 'auto' }
  | { readonly kind: 'none' }
  | { readonly kind: 'syslog' }
  /** A log server that is reached over the network. */
  | ({ readonly kind: 'remote' } & LogServer)
  /** Our own stdout or stderr, named as a path (`/dev/stdout`): raw, unless a log_format is set. */
  | { readonly kind: 'stdio'; readonly fd: 1 | 2; readonly path: string }
  /** Our own stdout or stderr because nothing is set in container mode: with a prefix, unless a log_format is set. */
  | { readonly kind: 'container'; readonly fd: 1 | 2 };

/** Kind of a log target, without its value. */
type Kind = LogTarget['kind'];
type TargetOf<K extends Kind> = Extract<LogTarget, { readonly kind: K }>;

/** One kind of log target in the language of a configuration. Its sink and its form of lines are a row in logs/. */
interface TargetSyntax<T extends LogTarget> {
  /** Reads a text. Null: the text names another kind of target. */
  readonly parse: (value: string, context: Context) => T | null;
  /** Returns the text that names the target. Null: the target is nothing. */
  readonly show: (target: T) => string | null;
}

/** All kinds. The first that can read a text owns the text. A text that no other kind reads is the path of a file. */
const SYNTAX: { readonly [K in Kind]: TargetSyntax<TargetOf<K>> } = {
  none: { parse: word({ kind: 'none' }, 'none', 'off'), show: () => null },
  auto: { parse: word({ kind: 'auto' }, 'auto'), show: () => 'AUTO' },
  syslog: { parse: word({ kind: 'syslog' }, 'syslog'), show: () => 'syslog' },
  remote: { parse: readServer, show: formatLogServerUrl },
  stdio: { parse: readStream, show: ({ path }) => path },
  // A default of the container mode, which no text names.
  container: { parse: () => null, show: ({ fd }) => (fd === 1 ? '/dev/stdout' : '/dev/stderr') },
  file: { parse: readFile, show: ({ path }) => path },
};

/** Makes the reader of a kind that is one of some words, in upper or lower case. */
function word<T extends LogTarget>(target: T, ...words: readonly string[]): (value: string) => T | null {
  return (value) => (words.includes(value.toLowerCase()) ? target : null);
}

/** Reads the URL of a log server. Rejects a text that only begins like one. */
function readServer(value: string, context: Context): TargetOf<'remote'> | null {
  return /^syslog[^/]*:\/\//i.test(value) ? { kind: 'remote', ...readLogServer(value, context) } : null;
}

function readStream(value: string): TargetOf<'stdio'> | null {
  const fd = parseContainerStream(value);
  return fd === null ? null : { kind: 'stdio', fd, path: value };
}

const { file: _file, ...NAMED } = SYNTAX;

/** Reads a path. Its directory is checked later, since `logfile_mkdir` may make it (log-files.ts). */
function readFile(value: string, context: Context): TargetOf<'file'> {
  return { kind: 'file', path: requireText(expandHome(value, context)) };
}

function readTarget(value: string, context: Context): LogTarget {
  for (const { parse } of Object.values(NAMED)) {
    const target = parse(value, context);
    if (target !== null) return target;
  }
  return readFile(value, context);
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

function formatTarget<K extends Kind>(target: TargetOf<K>): string | null {
  const syntax: TargetSyntax<TargetOf<K>> = SYNTAX[target.kind];
  return syntax.show(target);
}
