/**
 * The processes of our container that are not below us, such as those of `docker exec`. They end with the container,
 * also a client that has just asked for that end and has not yet written its answer. It sends no signal.
 */
import type { SweepLimit } from './sweep.ts';
import type { SystemClock } from './clock.ts';
import { descendantsOf, type ProcessEntry, readProcesses, type TreeEntry } from './process-tree.ts';

/** Supervisor, which looks once a second, gives its clients about as much. */
const LONGEST_MS = 1000;
/** They are not our children, so the kernel does not report their ends to us. */
const LOOK_MS = 20;
/** The parent of the threads of the kernel, which are to be seen where PID 1 is that of a machine. */
const KERNEL = 'kthreadd';

/** Facts and means for the wait. */
export interface OutsiderParts {
  readonly clock: Pick<SystemClock, 'nowMs' | 'alarm'>;
  readonly pid: number;
  /** True for a process of our container; containers may share a PID namespace. */
  readonly isInside: (pid: number) => boolean;
  /** Replaced in tests. */
  readonly readProcesses?: () => TreeEntry[] | null;
}

/** Waits until no outsider is left, a second at most, and no longer when the time gets shorter. */
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
