/**
 * The command line of the supervisor: supervisord's own flags, with Python's getopt rules and Supervisor's usage errors, and ours. Pure.
 */
import { supervisordOptions } from './options.ts';

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

const flag = (short: string | null, long: string, value: string | null, doc: string, isOurs = false): Flag => ({ short, long, value, doc, isOurs });

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

/** Reads the arguments after the program's name. */
export function parseFlags(args: readonly string[]): FlagsOutcome {
  const given = new Map<string, { flag: string; value: string }>();
  let command: readonly string[] | null = null;
  const add = (found: Flag, written: string, value: string): string | null => {
    if (given.has(found.long) && !found.isOurs) return `conflicting command line option '${written}'`;
    given.set(found.long, { flag: written, value });
    return null;
  };
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? '';
    if (arg === '--') {
      command = args.slice(at + 1);
      if (command.length === 0) return usage('there is no command after --');
      break;
    }
    if (!arg.startsWith('-') || arg === '-') return usage(`positional arguments are not supported: [${args.slice(at).map((word) => `'${word}'`).join(', ')}]; the main program comes after --`);
    if (arg === '-h' || arg === '--help' || arg === '-?') return { kind: 'help' };
    if (arg === '-v' || arg === '--version') return { kind: 'version' };
    if (arg.startsWith('--')) {
      const equals = arg.indexOf('=');
      const name = arg.slice(2, equals === -1 ? undefined : equals);
      const found = findLong(name);
      if (typeof found === 'string') return usage(found);
      if (found.long === 'help' || found.long === 'version') return { kind: found.long };
      const inline = equals === -1 ? null : arg.slice(equals + 1);
      if (found.value === null && inline !== null) return usage(`option --${found.long} must not have an argument`);
      const value = found.value === null ? 'true' : (inline ?? args[++at]);
      if (value === undefined) return usage(`option --${found.long} requires argument`);
      const conflict = add(found, `--${found.long}`, value);
      if (conflict !== null) return usage(conflict);
      continue;
    }
    for (let letter = 1; letter < arg.length; letter++) {
      const short = arg.charAt(letter);
      const found = table.find((other) => other.short === short);
      if (short === '?' || found?.long === 'help') return { kind: 'help' };
      if (found?.long === 'version') return { kind: 'version' };
      if (found === undefined) return usage(`option -${short} not recognized`);
      const rest = arg.slice(letter + 1);
      const value = found.value === null ? 'true' : rest !== '' ? rest : args[++at];
      if (value === undefined) return usage(`option -${short} requires argument`);
      const conflict = add(found, `-${short}`, value);
      if (conflict !== null) return usage(conflict);
      if (found.value !== null) break;
    }
  }
  const overrides = new Map([...given].filter((entry): entry is [keyof typeof supervisordOptions, { flag: string; value: string }] => Object.hasOwn(supervisordOptions, entry[0])));
  return { kind: 'run', flags: { file: given.get('configuration')?.value ?? null, overrides, isContainer: given.has('container'), color: given.has('color'), command } };
}

/** No flags at all. */
export const noFlags: Flags = { file: null, overrides: new Map(), isContainer: false, color: false, command: null };

function usage(message: string): FlagsOutcome {
  return { kind: 'usage', message };
}

/** A long flag, or the unique beginning of one of Supervisor's; ours, which it does not know, must be written in full. */
function findLong(name: string): Flag | string {
  const exact = table.find((other) => other.long === name);
  if (exact !== undefined) return exact;
  const [first, second] = table.filter((other) => !other.isOurs && other.long.startsWith(name));
  if (first === undefined) return `option --${name} not recognized`;
  return second === undefined ? first : `option --${name} not a unique prefix`;
}

/** The text of `--help`. */
export function formatFlags(program: string): string {
  const rows = table.map(({ short, long, value, doc }) => [`${short === null ? '   ' : `-${short}/`}--${long}${value === null ? '' : ` ${value}`}`, doc] as const);
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, doc]) => `  ${left.padEnd(width)}  ${doc}`);
  return [`Usage: ${program} [options] [-- CMD ARG…]`, '', 'Runs the programs of a configuration file and of the environment, or CMD as the main program beside them.', '', ...lines, ''].join('\n');
}
