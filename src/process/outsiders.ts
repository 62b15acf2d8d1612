/**
 * Waits for the processes of our container that do not descend from us, such as those of `docker exec`. They are killed
 * with the container. A client that has requested the shutdown needs some time to print the answer. This file sends no
 * signal.
 */
import type { SweepLimit } from './sweep.ts';
import type { SystemClock } from './clock.ts';
import { descendantsOf, type ProcessEntry, readProcesses, type TreeEntry } from './process-tree.ts';

/** Maximum wait. Supervisor gives its clients about the same time, because its loop turns once a second. */
const LONGEST_MS = 1000;
/** Time between two searches. These processes are not our children, so the kernel does not report their exits to us. */
const LOOK_MS = 20;
/** The parent of the kernel's threads, which exist in the PID namespace of the machine only. */
const KERNEL = 'kthreadd';

/** Parts of the wait. */
export interface OutsiderParts {
  readonly clock: Pick<SystemClock, 'nowMs' | 'alarm'>;
  readonly pid: number;
  /** True for a process of our container; containers may share a PID namespace. */
  readonly isInside: (pid: number) => boolean;
  /** Replaced in tests. */
  readonly readProcesses?: () => TreeEntry[] | null;
}

/** Waits until no such process is left, at most a second, or less if the remaining time becomes shorter. */
export function waitForOutsiders(parts: OutsiderParts, limit: Pick<SweepLimit, 'onChange'>): Promise<void> {
  const { clock } = parts;
  const { promise, resolve } = Promise.withResolvers<void>();
  const endMs = clock.nowMs() + LONGEST_MS;
  let stopAlarm = (): void => undefined;
  const look = (): void => {
    if (clock.nowMs() >= endMs || !hasOutsiders(parts)) resolve();
    else stopAlarm = clock.alarm(clock.nowMs() + LOOK_MS, look);
  };
  const stopWatching = limit.onChange(resolve);
  look();
  return promise.finally(() => {
    stopAlarm();
    stopWatching();
  });
}

function hasOutsiders({ pid, isInside, readProcesses: read = readProcesses }: OutsiderParts): boolean {
  const entries = read() ?? [];
  const known = new Set([pid, ...pidsOf(descendantsOf(pid, entries)), ...ancestorsOf(pid, entries)]);
  for (const kernel of entries.filter(({ name }) => name === KERNEL))
    for (const one of [kernel.pid, ...pidsOf(descendantsOf(kernel.pid, entries))]) known.add(one);
  return entries.some((entry) => !entry.isZombie && !known.has(entry.pid) && isInside(entry.pid));
}

function pidsOf(entries: readonly ProcessEntry[]): number[] {
  return entries.map(({ pid }) => pid);
}

function ancestorsOf(pid: number, entries: readonly ProcessEntry[]): number[] {
  const parents = new Map(entries.map((entry) => [entry.pid, entry.parent]));
  const found: number[] = [];
  for (let parent = parents.get(pid) ?? 0; parent > 0 && !found.includes(parent); parent = parents.get(parent) ?? 0)
    found.push(parent);
  return found;
}
