/**
 * Counts the processes that the kernel has killed because the memory of our cgroup ran out. Reads small files of /proc
 * and cgroupfs, which never wait.
 */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';

const CGROUPS = '/sys/fs/cgroup';

/** Reads a small file; null if it cannot be read. Replaced in tests. */
export type ReadText = (path: string) => string | null;

/**
 * Returns the counter `oom_kill` of our cgroup and those below it (cgroup v2: memory.events; v1: memory.oom_control,
 * since Linux 4.13). Null if there is no counter.
 */
export function readOomKills(read: ReadText = readText): number | null {
  for (const path of candidates(read('/proc/self/cgroup') ?? '')) {
    const count = /^oom_kill (\d+)$/m.exec(read(path) ?? '')?.[1];
    if (count !== undefined) return Number(count);
  }
  return null;
}

/**
 * Returns possible paths of the counter, the most specific first. In a cgroup namespace, or if only the container's own
 * part is mounted, the path of our cgroup does not exist below the mount.
 */
function candidates(membership: string): string[] {
  const lines = membership.split('\n').map((line) => /^\d+:([^:]*):(\/.*)$/.exec(line));
  const [v2, v1] = [
    lines.find((line) => line?.[1] === ''),
    lines.find((line) => line?.[1]?.split(',').includes('memory') === true),
  ];
  const below = (root: string, path: string | undefined, file: string): string[] =>
    path === undefined ? [] : [posix.join(root, path, file)];
  return [
    ...below(CGROUPS, v2?.[2], 'memory.events'),
    `${CGROUPS}/memory.events`,
    ...below(`${CGROUPS}/memory`, v1?.[2], 'memory.oom_control'),
    `${CGROUPS}/memory/memory.oom_control`,
  ];
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // The machine has no such controller or file system.
    return null;
  }
}
