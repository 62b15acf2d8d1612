/**
 * Chooses one of the programs in this executable: by the name it was called by (argv[0]), otherwise by the first
 * argument. Pure.
 */
import { findCommand } from '../cli/commands.ts';

/** Names of the programs. */
export type ProgramName =
  | 'supervise'
  | 'ctl'
  | 'check'
  | 'health'
  | 'install'
  | 'unpack'
  | 'echo-conf'
  | 'schema'
  | 'completion'
  | 'grafana'
  | 'alerts'
  | 'pidproxy'
  | 'demo'
  | 'help'
  | 'overview'
  | 'unknown'
  | 'version';

/** A program, and its part of the command line. */
export interface Choice {
  readonly program: ProgramName;
  readonly args: readonly string[];
  /** Name of this command in messages to users. */
  readonly calledAs: string;
}

/** Names of links. A link behaves as the command of Supervisor with that name. */
const links: ReadonlyMap<string, ProgramName> = new Map([
  ['supervisord', 'supervise'],
  ['supervisorctl', 'ctl'],
  ['echo_supervisord_conf', 'echo-conf'],
  ['pidproxy', 'pidproxy'],
]);

/** Names of the links, for `onevisor install` and the build. */
export const LINK_NAMES: readonly string[] = [...links.keys()];

/** Programs for the frozen words of the table of commands. */
const frozen: ReadonlyMap<string, ProgramName> = new Map([
  ['ctl', 'ctl'],
  ['check', 'check'],
  ['health', 'health'],
  ['install', 'install'],
  ['unpack', 'unpack'],
  ['echo-conf', 'echo-conf'],
  ['schema', 'schema'],
  ['completion', 'completion'],
  ['pidproxy', 'pidproxy'],
  ['demo', 'demo'],
  ['help', 'help'],
]);

/** Programs for the commands of the kind `tool`. */
const tools: ReadonlyMap<string, ProgramName> = new Map([
  ['grafana', 'grafana'],
  ['alerts', 'alerts'],
]);

const HELP_OPTIONS: ReadonlySet<string> = new Set(['-h', '--help', '-?']);

/** True for a word that is a command of ours in every process. */
export function isFrozenWord(word: string): boolean {
  return frozen.has(word);
}

/** True for a name that is not a link, so the command is `onevisor`, whatever the executable is called. */
export function isCalledByOwnName(calledAs: string): boolean {
  return !links.has(calledAs);
}

/**
 * Chooses the program. Options, and everything after `--`, are for the supervisor. In the main process of a container,
 * so is any word that is not frozen: it is the command to run.
 *
 * @param isMain - true if this is the main process of a container; called only if that matters
 */
export function chooseProgram(argv0: string, args: readonly string[], isMain: () => boolean): Choice {
  const calledAs = argv0.slice(argv0.lastIndexOf('/') + 1);
  const linked = links.get(calledAs);
  if (linked !== undefined) return { program: linked, args, calledAs };
  const [first, ...rest] = args;
  if (first === '--version') return { program: 'version', args: rest, calledAs };
  if (first !== undefined && HELP_OPTIONS.has(first)) return { program: 'overview', args: rest, calledAs };
  if (first === undefined || first === '' || first.startsWith('-')) return { program: 'supervise', args, calledAs };
  const chosen = frozen.get(first);
  if (chosen !== undefined) return ownChoice(chosen, args, calledAs);
  if (isMain()) return { program: 'supervise', args: ['--', ...args], calledAs };
  const tool = tools.get(first);
  if (tool !== undefined) return ownChoice(tool, args, calledAs);
  const isClient = findCommand(first)?.kind === 'client';
  return { program: isClient ? 'ctl' : 'unknown', args, calledAs };
}

/** Chooses a program of its own, or its help. */
function ownChoice(program: ProgramName, [name = '', ...rest]: readonly string[], calledAs: string): Choice {
  const isHelp = rest[0] !== undefined && HELP_OPTIONS.has(rest[0]);
  if (isHelp) return { program: 'help', args: ['command', name], calledAs: `${calledAs} help` };
  return { program, args: rest, calledAs: `${calledAs} ${name}` };
}
