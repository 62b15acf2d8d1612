/**
 * The command line of the supervisor: supervisord's own flags, with Python's getopt rules and Supervisor's usage
 * errors, and ours. Pure.
 */
import { supervisordOptions } from './options.ts';
import { formatPythonString } from './python-text.ts';

/** What the command line asks for. */
export interface Flags {
  /** `-c`; null: search. */
  readonly file: string | null;
  /** Values for options of `[supervisord]`, each with the flag as it was written. */
  readonly overrides: ReadonlyMap<keyof typeof supervisordOptions, { readonly flag: string; readonly value: string }>;
  readonly isContainer: boolean;
  readonly color: boolean;
  /** `-- CMD ARG…`: the main program; null without one. */
  readonly command: readonly string[] | null;
}

export type FlagsOutcome =
  | { readonly kind: 'run'; readonly flags: Flags }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  /** Printed as `Error: <message>`; the exit code is 2. */
  | { readonly kind: 'usage'; readonly message: string };

interface Flag {
  readonly short: string | null;
  readonly long: string;
  /** What the value is; null: it takes none. */
  readonly value: string | null;
  readonly doc: string;
  readonly isOurs: boolean;
}

const flag = (short: string | null, long: string, value: string | null, doc: string, isOurs = false): Flag => ({
  short,
  long,
  value,
  doc,
  isOurs,
});

const table: readonly Flag[] = [
  flag('c', 'configuration', 'FILENAME', 'configuration file; searched where none is given'),
  flag('n', 'nodaemon', null, 'run in the foreground'),
  flag('s', 'silent', null, 'do not repeat the log on standard output'),
  flag('v', 'version', null, 'print the version and exit'),
  flag('u', 'user', 'USER', 'run as this user (or uid)'),
  flag('m', 'umask', 'UMASK', 'file creation mask (022)'),
  flag('d', 'directory', 'DIRECTORY', 'working directory as a daemon'),
  flag('l', 'logfile', 'FILENAME', 'log file of the supervisor'),
  flag('y', 'logfile_maxbytes', 'BYTES', 'size at which that log is rotated'),
  flag('z', 'logfile_backups', 'NUM', 'how many rotated logs are kept'),
  flag('e', 'loglevel', 'LEVEL', 'critical, error, warn, info, debug, trace or blather'),
  flag('j', 'pidfile', 'FILENAME', 'file for the pid'),
  flag('i', 'identifier', 'STR', 'name of this supervisor'),
  flag('q', 'childlogdir', 'DIRECTORY', 'directory of automatic logs'),
  flag('k', 'nocleanup', null, 'keep old automatic logs'),
  flag('a', 'minfds', 'NUM', 'file descriptors that must be available'),
  flag('t', 'strip_ansi', null, 'take ANSI escape sequences out of logs'),
  flag(null, 'minprocs', 'NUM', 'processes that must be available'),
  flag(null, 'profile_options', 'LIST', 'accepted for compatibility; there is no profiler'),
  flag('h', 'help', null, 'print this text and exit'),
  flag(null, 'container', null, 'behave as in a container, also when not PID 1', true),
  flag(null, 'color', null, 'colour the names of programs, also when there is no terminal', true),
];

/** One flag on a command line, as it was written and with its value. */
interface Given {
  readonly found: Flag;
  readonly written: string;
  readonly value: string;
}

/** Why a command line is wrong. */
class UsageError extends Error {}

/** Reads the arguments after the program's name. */
export function parseFlags(args: readonly string[]): FlagsOutcome {
  try {
    const { given, command } = splitArguments(args);
    return applyFlags(given, command);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { kind: 'usage', message: error.message };
  }
}

/** getopt(): all of the command line is understood before any of it is obeyed. */
function splitArguments(args: readonly string[]): { given: readonly Given[]; command: readonly string[] | null } {
  const given: Given[] = [];
  const rest = [...args];
  const takeValue = (flag: string): string => {
    const value = rest.shift();
    if (value === undefined) throw new UsageError(`option ${flag} requires argument`);
    return value;
  };
  while (rest[0]?.startsWith('-') === true && rest[0] !== '-') {
    const arg = rest.shift() ?? '';
    if (arg === '--') {
      if (rest.length === 0) throw new UsageError('there is no command after --');
      return { given, command: rest };
    }
    if (arg.startsWith('--')) {
      const equals = arg.indexOf('=');
      const found = findLong(arg.slice(2, equals === -1 ? undefined : equals));
      const written = `--${found.long}`;
      if (found.value === null && equals !== -1) throw new UsageError(`option ${written} must not have an argument`);
      given.push({
        found,
        written,
        value: found.value === null ? 'true' : equals === -1 ? takeValue(written) : arg.slice(equals + 1),
      });
      continue;
    }
    for (let at = 1; at < arg.length; at++) {
      const found = findShort(arg.charAt(at));
      const written = `-${arg.charAt(at)}`;
      const glued = arg.slice(at + 1);
      given.push({ found, written, value: found.value === null ? 'true' : glued === '' ? takeValue(written) : glued });
      if (found.value !== null) break;
    }
  }
  if (rest.length > 0)
    throw new UsageError(
      `positional arguments are not supported: [${rest.map(formatPythonString).join(', ')}]; the main program comes after --`,
    );
  return { given, command: null };
}

function applyFlags(given: readonly Given[], command: readonly string[] | null): FlagsOutcome {
  const flags = new Map<string, Given>();
  for (const one of given) {
    const { found, written } = one;
    if (found.long === 'help' || found.long === 'version') return { kind: found.long };
    if (flags.has(found.long) && !found.isOurs) throw new UsageError(`conflicting command line option '${written}'`);
    flags.set(found.long, one);
  }
  type Name = keyof typeof supervisordOptions;
  const overrides = new Map(
    [...flags].flatMap(([name, { written, value }]) =>
      Object.hasOwn(supervisordOptions, name) ? [[name as Name, { flag: written, value }] as const] : [],
    ),
  );
  return {
    kind: 'run',
    flags: {
      file: flags.get('configuration')?.value ?? null,
      overrides,
      isContainer: flags.has('container'),
      color: flags.has('color'),
      command,
    },
  };
}

/** No flags at all. */
export const noFlags: Flags = { file: null, overrides: new Map(), isContainer: false, color: false, command: null };

/** A short flag; `-?` is `-h`. */
function findShort(letter: string): Flag {
  const found = table.find(({ short }) => short === (letter === '?' ? 'h' : letter));
  if (found === undefined) throw new UsageError(`option -${letter} not recognized`);
  return found;
}

/**
 * A long flag, or the unique beginning of one of Supervisor's; ours, which it does not know, must be written in full.
 */
function findLong(name: string): Flag {
  const exact = table.find(({ long }) => long === name);
  if (exact !== undefined) return exact;
  const [first, second] = table.filter(({ isOurs, long }) => !isOurs && long.startsWith(name));
  if (first === undefined) throw new UsageError(`option --${name} not recognized`);
  if (second !== undefined) throw new UsageError(`option --${name} not a unique prefix`);
  return first;
}

/** The text of `--help`. */
export function formatFlags(program: string): string {
  const rows = table.map(
    ({ short, long, value, doc }) =>
      [`${short === null ? '   ' : `-${short}/`}--${long}${value === null ? '' : ` ${value}`}`, doc] as const,
  );
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, doc]) => `  ${left.padEnd(width)}  ${doc}`);
  return [
    `Usage: ${program} [options] [-- CMD ARG…]`,
    '',
    'Runs the programs of a configuration file and of the environment, or CMD as the main program beside them.',
    '',
    ...lines,
    '',
    'The manual is inside: onevisor help lists its topics.',
    '',
  ].join('\n');
}

/**
 * The text of `-h` for the name supervisord. compat: the words of Supervisor, which scripts look for
 * (supervisor.supervisord); what it does not have comes after them.
 *
 * @param calledAs - the path that it was called by
 */
export function formatSupervisordUsage(calledAs: string): string {
  return `supervisord -- run a set of applications as daemons.

Usage: ${calledAs} [options]

Options:
-c/--configuration FILENAME -- configuration file path (searches if not given)
-n/--nodaemon -- run in the foreground (same as 'nodaemon=true' in config file)
-s/--silent -- no logs to stdout (maps to 'silent=true' in config file)
-h/--help -- print this usage message and exit
-v/--version -- print supervisord version number and exit
-u/--user USER -- run supervisord as this user (or numeric uid)
-m/--umask UMASK -- use this umask for daemon subprocess (default is 022)
-d/--directory DIRECTORY -- directory to chdir to when daemonized
-l/--logfile FILENAME -- use FILENAME as logfile path
-y/--logfile_maxbytes BYTES -- use BYTES to limit the max size of logfile
-z/--logfile_backups NUM -- number of backups to keep when max bytes reached
-e/--loglevel LEVEL -- use LEVEL as log level (debug,info,warn,error,critical)
-j/--pidfile FILENAME -- write a pid file for the daemon process to FILENAME
-i/--identifier STR -- identifier used for this instance of supervisord
-q/--childlogdir DIRECTORY -- the log directory for child process logs
-k/--nocleanup --  prevent the process from performing cleanup (removal of
                   old automatic child log files) at startup.
-a/--minfds NUM -- the minimum number of file descriptors for start success
-t/--strip_ansi -- strip ansi escape codes from process output
--minprocs NUM  -- the minimum number of processes available for start success
--profile_options OPTIONS -- run supervisord under profiler and output
                             results based on OPTIONS, which  is a comma-sep'd
                             list of 'cumulative', 'calls', and/or 'callers',
                             e.g. 'cumulative,callers')

In addition to those of Supervisor:
${table
  .filter(({ isOurs }) => isOurs)
  .map(({ long, doc }) => `--${long} -- ${doc}`)
  .join('\n')}
-- CMD ARG... -- run CMD as the main program, beside the other programs
`;
}
