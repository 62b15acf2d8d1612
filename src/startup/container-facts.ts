/**
 * Reads what is to be known about our surroundings: marks of container engines, the processes above us, our standard
 * output.
 * Looks at files and /proc only, and decides nothing; core/container-mode.ts does.
 */
import { existsSync, fstatSync, readFileSync, statSync } from 'node:fs';
import type { Ancestor, ContainerFacts, OutputComparison } from '../core/container-mode.ts';
import { readProcess } from '../process/process-tree.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Files that engines make: Docker's, and that of podman and CRI-O. */
const MARKS = ['/.dockerenv', '/run/.containerenv'];
/** More ancestors than any container has. */
const MOST_ANCESTORS = 64;
/** Device number of /dev/null: major 1, minor 3. */
const NULL_DEVICE = 0x103;
const STDOUT = 1;

/** True if a container engine has left a mark. */
export function hasContainerMark(env: Environment): boolean {
  const isSet = (name: string): boolean => (env[name] ?? '') !== '';
  return isSet('container') || isSet('KUBERNETES_SERVICE_HOST') || MARKS.some((path) => existsSync(path));
}

/** The surroundings of a process of ours with this parent. */
export function readContainerFacts(env: Environment, parent: number): ContainerFacts {
  return {
    hasMark: hasContainerMark(env),
    isUnderSystemd: (env['INVOCATION_ID'] ?? '') !== '' || existsSync('/run/systemd/system'),
    output: compareOutput(),
    ancestors: readAncestors(parent),
  };
}

/**
 * The processes from this one up to PID 1, or to the border of our PID namespace; null where one cannot be looked at.
 */
export function readAncestors(parent: number): Ancestor[] | null {
  const found: Ancestor[] = [];
  for (let pid = parent; pid > 0;) {
    const ancestor = found.length < MOST_ANCESTORS ? readAncestor(pid) : null;
    if (ancestor === null) return null;
    found.push(ancestor);
    pid = ancestor.parent;
  }
  return found;
}

/** A process with its command line; null where it has ended or is hidden. */
export function readAncestor(pid: number): (Ancestor & { readonly parent: number }) | null {
  const proc = readProcess(pid);
  if (proc === null) return null;
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    return { pid, name: proc.name, parent: proc.parent, words };
  } catch {
    // ENOENT, ESRCH: it has ended. Hidden processes (hidepid) do not exist for us either.
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
    // EACCES: PID 1 is another user's. ENOENT: it has closed its standard output. EBADF: we have none.
    return 'unknown';
  }
}
