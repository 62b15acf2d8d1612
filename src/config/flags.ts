/**
 * The command line of the supervisor: supervisord's own flags, with Python's getopt rules and Supervisor's usage
 * errors, and ours. Pure.
 */
import { supervisordOptions } from './options.ts';
import { formatPythonString } from './python-text.ts';

/** Settings of the command line. */
export interface Flags {
  /** `-c`; null without it: the file is searched. */
  readonly file: string | null;
  /** Values for options of `[supervisord]`, each with the flag as it was written. */
  readonly overrides: ReadonlyMap<keyof typeof supervisordOptions, { readonly flag: string; readonly value: string }>;
  readonly isContainer: boolean;
  readonly color: boolean;
  /** `-- CMD ARG…`: the main program; null without one. */
  readonly command: readonly string[] | null;
  /** True if `--` is missing. In the main process of a container only, the first word is a command then. */
  readonly isCommandBare: boolean;
}

export type FlagsOutcome =
  | { readonly kind: 'run'; readonly flags: Flags }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  /** Printed as `Error: <message>`; the exit code is 2. */
  | { readonly kind: 'usage'; readonly message: string };

/** A flag of the supervisor. */
export interface Flag {
  readonly short: string | null;
  readonly long: string;
  /** Name of the value in the usage text; null for a flag without a value. */
  readonly value: string | null;
  readonly doc: string;
  /** True for a flag that Supervisor does not have. */
  readonly isOurs?: true;
}

/** All flags of the supervisor. */
export const supervisorFlags: readonly Flag[] = [
  { short: 'c', long: 'configuration', value: 'FILENAME', doc: 'configuration file; searched for if none is given' },
  { short: 'n', long: 'nodaemon', value: null, doc: 'run in the foreground' },
  { short: 's', long: 'silent', value: null, doc: 'do not repeat the log on standard output' },
  { short: 'v', long: 'version', value: null, doc: 'print the version and exit' },
  { short: 'u', long: 'user', value: 'USER', doc: 'run as this user (or uid)' },
  { short: 'm', long: 'umask', value: 'UMASK', doc: 'file creation mask (022)' },
  { short: 'd', long: 'directory', value: 'DIRECTORY', doc: 'working directory as a daemon' },
  { short: 'l', long: 'logfile', value: 'FILENAME', doc: 'log file of the supervisor' },
  { short: 'y', long: 'logfile_maxbytes', value: 'BYTES', doc: 'size at which that log is rotated' },
  { short: 'z', long: 'logfile_backups', value: 'NUM', doc: 'number of rotated logs to keep' },
  { short: 'e', long: 'loglevel', value: 'LEVEL', doc: 'critical, error, warn, info, debug, trace or blather' },
  { short: 'j', long: 'pidfile', value: 'FILENAME', doc: 'file for the pid' },
  { short: 'i', long: 'identifier', value: 'STR', doc: 'name of this supervisor' },
  { short: 'q', long: 'childlogdir', value: 'DIRECTORY', doc: 'directory of automatic logs' },
  { short: 'k', long: 'nocleanup', value: null, doc: 'keep old automatic logs' },
  { short: 'a', long: 'minfds', value: 'NUM', doc: 'file descriptors that must be available' },
  { short: 't', long: 'strip_ansi', value: null, doc: 'remove ANSI escape sequences from logs' },
  { short: null, long: 'minprocs', value: 'NUM', doc: 'processes that must be available' },
  { short: null, long: 'profile_options', value: 'LIST', doc: 'accepted for compatibility; there is no profiler' },
  { short: 'h', long: 'help', value: null, doc: 'print this text and exit' },
  { short: null, long: 'container', value: null, doc: 'behave as in a container, also when not PID 1', isOurs: true },
  {
    short: null,
    long: 'color',
    value: null,
    doc: 'colour the names of programs, also when there is no terminal',
    isOurs: true,
  },
];

/** Names, value and sentence of each flag, for the completion of shells. */
export const flagRows: ReadonlyArray<{
  readonly names: readonly string[];
  readonly value: string | null;
  readonly doc: string;
}> = supervisorFlags.map(({ short, long, value, doc }) => ({
  names: [...(short === null ? [] : [`-${short}`]), `--${long}`],
  value,
  doc,
}));

/** A flag on the command line, as it was written and with its value. */
interface Given {
  readonly found: Flag;
  readonly written: string;
  readonly value: string;
}

/** Reason why a command line is wrong. */
class UsageError extends Error {}

/**
 * Reads the arguments after the program's name.
 *
 * @param bareWords - `take` makes words that are no options the main program, although `--` is missing
 */
export function parseFlags(args: readonly string[], bareWords: 'refuse' | 'take' = 'refuse'): FlagsOutcome {
  try {
    const { given, command, isCommandBare } = splitArguments(args);
    if (isCommandBare && bareWords === 'refuse') throw new UsageError(describeBareWords(command ?? []));
    return applyFlags(given, { command, isCommandBare });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { kind: 'usage', message: error.message };
  }
}

/** The main program, and how it was given. */
type CommandPart = Pick<Flags, 'command' | 'isCommandBare'>;

/** Splits the arguments as getopt() does: the whole command line is parsed before any flag is obeyed. */
function splitArguments(args: readonly string[]): CommandPart & { given: readonly Given[] } {
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
      return { given, command: rest.length === 0 ? null : rest, isCommandBare: false };
    }
    given.push(...(arg.startsWith('--') ? [readLong(arg, takeValue)] : readShort(arg, takeValue)));
  }
  return { given, command: rest.length === 0 ? null : rest, isCommandBare: rest.length > 0 };
}

/** Returns the message for words where none are allowed. compat: it begins with that of Supervisor. */
export function describeBareWords(words: readonly string[]): string {
  const list = words.map(formatPythonString).join(', ');
  return `positional arguments are not supported: [${list}]; the main program comes after --`;
}

/** Reads `--flag`, `--flag=value` or `--flag value`. */
function readLong(arg: string, takeValue: (flag: string) => string): Given {
  const [, name = '', attached] = /^--([^=]*)(?:=([^]*))?$/.exec(arg) ?? [];
  const found = findLong(name);
  const written = `--${found.long}`;
  if (found.value === null && attached !== undefined)
    throw new UsageError(`option ${written} must not have an argument`);
  return { found, written, value: found.value === null ? 'true' : (attached ?? takeValue(written)) };
}

/** Reads `-abc`, `-cvalue` or `-c value`. */
function readShort(arg: string, takeValue: (flag: string) => string): Given[] {
  const given: Given[] = [];
  for (let at = 1; at < arg.length; at++) {
    const found = findShort(arg.charAt(at));
    const written = `-${arg.charAt(at)}`;
    if (found.value === null) {
      given.push({ found, written, value: 'true' });
      continue;
    }
    const attached = arg.slice(at + 1);
    given.push({ found, written, value: attached === '' ? takeValue(written) : attached });
    break;
  }
  return given;
}

function applyFlags(given: readonly Given[], commandPart: CommandPart): FlagsOutcome {
  const flags = new Map<string, Given>();
  for (const one of given) {
    const { found, written } = one;
    if (found.long === 'help' || found.long === 'version') return { kind: found.long };
    if (flags.has(found.long) && found.isOurs !== true)
      throw new UsageError(`conflicting command line option '${written}'`);
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
      ...commandPart,
    },
  };
}

/** No flags at all. */
export const noFlags: Flags = {
  file: null,
  overrides: new Map(),
  isContainer: false,
  color: false,
  command: null,
  isCommandBare: false,
};

/** Finds a short flag; `-?` is `-h`. */
function findShort(letter: string): Flag {
  const found = supervisorFlags.find(({ short }) => short === (letter === '?' ? 'h' : letter));
  if (found === undefined) throw new UsageError(`option -${letter} not recognized`);
  return found;
}

/**
 * Finds a long flag by its name, or by a unique beginning. Only flags of Supervisor can be shortened.
 */
function findLong(name: string): Flag {
  const exact = supervisorFlags.find(({ long }) => long === name);
  if (exact !== undefined) return exact;
  const [first, second] = supervisorFlags.filter(({ isOurs, long }) => isOurs !== true && long.startsWith(name));
  if (first === undefined) throw new UsageError(`option --${name} not recognized`);
  if (second !== undefined) throw new UsageError(`option --${name} not a unique prefix`);
  return first;
}

/** Returns the text of `--help`. */
export function formatFlags(program: string): string {
  const rows = supervisorFlags.map(
    ({ short, long, value, doc }) =>
      [`${short === null ? '   ' : `-${short}/`}--${long}${value === null ? '' : ` ${value}`}`, doc] as const,
  );
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, doc]) => `  ${left.padEnd(width)}  ${doc}`);
  return [
    `Usage: ${program} [options] [-- CMD ARG…]`,
    '',
    'Runs the programs of a configuration file and of the environment, and CMD as the main program if it is given.',
    '',
    ...lines,
    '',
    'The manual is in the executable: onevisor help lists its topics.',
    '',
  ].join('\n');
}

/**
 * Returns the text of `-h` for the name supervisord. compat: the words of Supervisor, which scripts look for
 * (supervisor.supervisord); our own flags come after them.
 *
 * @param calledAs - the path that the program was called by
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
${supervisorFlags
  .filter(({ isOurs }) => isOurs === true)
  .map(({ long, doc }) => `--${long} -- ${doc}`)
  .join('\n')}
-- CMD ARG... -- run CMD as the main program, beside the other programs
`;
}
