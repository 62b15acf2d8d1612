/**
 * Decides whether a process is the main process of a container, from facts about its environment. Pure. PID 1 always
 * is. Other processes can be, too: under an init (tini, `docker run --init`), below an entrypoint script that does not
 * use `exec`, and in a pod whose containers share a PID namespace.
 */

/** An ancestor of our process. */
export interface Ancestor {
  readonly pid: number;
  /** Command line. Empty if the process has none. */
  readonly words: readonly string[];
  /** Its short name (`/proc/PID/comm`). */
  readonly name: string;
}

/**
 * Comparison of our standard output with that of PID 1. `unknown`: the output of PID 1 cannot be read, or is /dev/null.
 */
export type OutputComparison = 'same' | 'different' | 'unknown';

/** Facts about the environment of a process. */
export interface ContainerFacts {
  /** True if a container engine has left a mark: a file or a variable. */
  readonly hasMark: boolean;
  /** True if systemd runs here, or has started us. */
  readonly isUnderSystemd: boolean;
  readonly output: OutputComparison;
  /** Parent first, PID 1 last. Empty if the parent is outside our PID namespace. Null if an ancestor cannot be read. */
  readonly ancestors: readonly Ancestor[] | null;
}

const INITS: ReadonlySet<string> = new Set([
  'tini',
  'tini-static',
  'docker-init',
  'podman-init',
  'catatonit',
  'dumb-init',
  'init',
  'my_init',
  'pid1',
  'sinit',
  'openrc-init',
  'pause',
  'podman-pause',
  'svscan',
  'supervise',
  'runit',
  'runit-init',
  'runsvdir',
  'runsv',
  // Commands of execline that start a process and wait for it.
  'foreground',
  'background',
  'if',
  'ifelse',
  'ifte',
  'ifthenelse',
  'forx',
  'loopwhilex',
  'trap',
  'pipeline',
]);
const SHELLS: ReadonlySet<string> = new Set([
  'sh',
  'bash',
  'rbash',
  'dash',
  'ash',
  'busybox',
  'zsh',
  'ksh',
  'ksh93',
  'mksh',
  'yash',
  'fish',
  'csh',
  'tcsh',
]);
/** Commands that entrypoints put before another command. They wait for that command. */
const LAUNCHERS: ReadonlySet<string> = new Set([
  'su',
  'sudo',
  'doas',
  'runuser',
  'setpriv',
  'timeout',
  'time',
  'unshare',
  'nsenter',
  'script',
  'fakeroot',
  'catchsegv',
]);
const SUPERVISORS: ReadonlySet<string> = new Set(['supervisord', 'onevisor']);

/** Returns the last part of a path, without the `-` that marks a login shell. */
function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/^-/, '');
}

/** True if a process is a supervisor by its name. Supervisor itself is a script that Python runs. */
export function isSupervisorName({ words, name }: Pick<Ancestor, 'words' | 'name'>): boolean {
  const [first = name, second = ''] = words;
  return (
    SUPERVISORS.has(name) ||
    SUPERVISORS.has(baseName(first)) ||
    (baseName(first).startsWith('python') && SUPERVISORS.has(baseName(second)))
  );
}

/** True for a process that only exists to start the main process of a container. */
function isStarter({ words, name }: Ancestor): boolean {
  const command = baseName(words[0] ?? name);
  if (INITS.has(command) || SHELLS.has(command) || LAUNCHERS.has(command) || command.startsWith('s6-')) return true;
  // `python3 /docker-entrypoint.py`
  return [name, ...words.slice(0, 3).map(baseName)].some((word) => /entrypoint|entry-point/i.test(word));
}

/** True for an interactive shell: it has no script and no `-c`, so a person has typed the command. */
export function isTypedAtShell({ words, name }: Pick<Ancestor, 'words' | 'name'>): boolean {
  return SHELLS.has(baseName(words[0] ?? name)) && words.slice(1).every((word) => /^(--.*|-[^c-]*)$/.test(word));
}

/** True if the process with these facts is the main process of its container although it is not PID 1. */
export function isMainProcess({ hasMark, isUnderSystemd, output, ancestors }: ContainerFacts): boolean {
  if (!hasMark || isUnderSystemd) return false;
  if (output === 'same') return true;
  if (ancestors === null) return false;
  // PID 1 is the entrypoint, whatever its name. If its output is known and differs from ours, it started us for another
  // purpose.
  return ancestors.every(
    (ancestor) => !isSupervisorName(ancestor) && (isStarter(ancestor) || (ancestor.pid === 1 && output === 'unknown')),
  );
}
