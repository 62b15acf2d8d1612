/**
 * Collects facts about our environment: marks of container engines, our ancestors, our standard output. Reads files and
 * /proc only. core/container-mode.ts makes the decision.
 */
import { existsSync, fstatSync, readFileSync, statSync } from 'node:fs';
import type { Ancestor, ContainerFacts, OutputComparison } from '../core/container-mode.ts';
import { readProcess } from '../process/process-tree.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Files that container engines create: Docker, then podman and CRI-O. */
const MARKS = ['/.dockerenv', '/run/.containerenv'];
/** Limit for a walk up the process tree. No container has that many levels. */
const MAX_ANCESTORS = 64;
/** Device number of /dev/null: major 1, minor 3. */
const NULL_DEVICE = 0x103;
const STDOUT = 1;

/** True if a container engine has left a mark. */
export function hasContainerMark(env: Environment): boolean {
  const isSet = (name: string): boolean => (env[name] ?? '') !== '';
  return isSet('container') || isSet('KUBERNETES_SERVICE_HOST') || MARKS.some((path) => existsSync(path));
}

/** Returns the facts about our process, which has this parent. */
export function readContainerFacts(env: Environment, parent: number): ContainerFacts {
  return {
    hasMark: hasContainerMark(env),
    isUnderSystemd: (env['INVOCATION_ID'] ?? '') !== '' || existsSync('/run/systemd/system'),
    output: compareOutput(),
    ancestors: readAncestors(parent),
  };
}

/**
 * Returns the processes from this one up to PID 1, or up to the border of our PID namespace. Null if one cannot be
 * read.
 */
export function readAncestors(parent: number): Ancestor[] | null {
  const found: Ancestor[] = [];
  for (let pid = parent; pid > 0;) {
    const ancestor = found.length < MAX_ANCESTORS ? readAncestor(pid) : null;
    if (ancestor === null) return null;
    found.push(ancestor);
    pid = ancestor.parent;
  }
  return found;
}

/** Reads a process and its command line. Null if the process has ended or is hidden. */
export function readAncestor(pid: number): (Ancestor & { readonly parent: number }) | null {
  const proc = readProcess(pid);
  if (proc === null) return null;
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    return { pid, name: proc.name, parent: proc.parent, words };
  } catch {
    // ENOENT, ESRCH: the process has ended. Hidden processes (hidepid) look the same.
    return null;
  }
}

function compareOutput(): OutputComparison {
  try {
    const first = statSync(`/proc/1/fd/${STDOUT}`);
    const ours = fstatSync(STDOUT);
    if (first.isCharacterDevice() && first.rdev === NULL_DEVICE) return 'unknown';
    return first.dev === ours.dev && first.ino === ours.ino ? 'same' : 'different';
  } catch {
    // EACCES: PID 1 belongs to another user. ENOENT: its standard output is closed. EBADF: ours is closed.
    return 'unknown';
  }
}
