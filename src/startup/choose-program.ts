/**
 * Chooses one of the programs in this executable: by the name it was called by (argv[0]), otherwise by the first
 * argument. Pure.
 */

/** Names of the programs. */
export type ProgramName =
  | 'supervise'
  | 'ctl'
  | 'check'
  | 'health'
  | 'install'
  | 'unpack'
  | 'echo-conf'
  | 'pidproxy'
  | 'demo'
  | 'help'
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

const subcommands: ReadonlyMap<string, ProgramName> = new Map([
  ['ctl', 'ctl'],
  ['check', 'check'],
  ['health', 'health'],
  ['install', 'install'],
  ['unpack', 'unpack'],
  ['echo-conf', 'echo-conf'],
  ['pidproxy', 'pidproxy'],
  ['demo', 'demo'],
  ['help', 'help'],
]);

/** Chooses the program. Arguments that name no program are for the supervisor itself. */
export function chooseProgram(argv0: string, args: readonly string[]): Choice {
  const calledAs = argv0.slice(argv0.lastIndexOf('/') + 1);
  const linked = links.get(calledAs);
  if (linked !== undefined) return { program: linked, args, calledAs };
  const [first, ...rest] = args;
  if (first === '--version') return { program: 'version', args: rest, calledAs };
  const chosen = first === undefined ? undefined : subcommands.get(first);
  if (chosen !== undefined) return { program: chosen, args: rest, calledAs: `${calledAs} ${first}` };
  return { program: 'supervise', args, calledAs };
}
