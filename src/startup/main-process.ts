/**
 * Decides whether a word after `onevisor` is the command that a container was started for (`docker run image bash`).
 * This needs more certainty than the mode of a supervisor: a misspelt command in `docker exec`, in a script or at a
 * prompt must never start programs. Reads /proc and changes nothing.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { isMainProcess, isTypedAtShell } from '../core/container-mode.ts';
import { readAncestors, readContainerFacts } from './container-facts.ts';

/** A process, and the switch ONEVISOR_CONTAINER, null if that is not set. */
export interface WordQuestion {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly self: { readonly pid: number; readonly parent: number };
  /** ONEVISOR_CONTAINER or --container. */
  readonly mode: boolean | null;
  /** True if a supervisor runs in this container already. Called last. */
  readonly isSupervised: () => boolean;
}

/** True if a word of this process is the command of its container. */
export function isCommandOfContainer({ env, self, mode, isSupervised }: WordQuestion): boolean {
  if (self.pid === 1) return true;
  if (mode === false) return false;
  const facts = readContainerFacts(env, self.parent);
  if (mode === null && !isMainProcess(facts)) return false;
  const { ancestors } = facts;
  if (ancestors === null) return false;
  const [parent] = ancestors;
  if (parent !== undefined && isTypedAtShell(parent)) return false;
  return isFirstOfContainer(ancestors.at(-1)?.pid ?? self.pid) && !isSupervised();
}

/** True if a process that is not PID 1 is the first of its container. Its parent is outside the PID namespace. */
export function hasFirstAbove(pid: number, parent: number): boolean {
  const ancestors = readAncestors(parent);
  return ancestors !== null && isFirstOfContainer(ancestors.at(-1)?.pid ?? pid);
}

/**
 * True for PID 1, and for the oldest process of a container that shares the PID namespace of its pod. `docker exec`
 * starts later ones, whose parent is also outside.
 */
function isFirstOfContainer(top: number): boolean {
  if (top === 1) return true;
  // Without /proc the older processes are not known.
  return readGroups('self') !== null && !olderThan(top).some(isInOurContainer);
}

/** True if a process is in our container. A process of which nothing can be read counts as such. */
export function isInOurContainer(pid: number): boolean {
  const groups = readGroups(pid);
  return groups === null || groups === readGroups('self');
}

function olderThan(top: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid < top);
}

/** Reads the control groups of a process, which every user may: each container has its own. Null if it has ended. */
function readGroups(pid: number | 'self'): string | null {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    // ENOENT: there is no /proc, or no support for control groups.
    return null;
  }
}
