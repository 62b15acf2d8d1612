/** Control groups (cgroup v1) for tests, below the group of the tests, so that no limit of theirs is left. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../e2e/observe.ts';
import type { TestContext } from 'node:test';

/** Returns the directory of our own group of a controller; null if there is none. */
function ownGroup(controller: string): string | null {
  const line = readFileSync('/proc/self/cgroup', 'latin1')
    .split('\n')
    .find((text) => text.split(':')[1]?.split(',').includes(controller));
  const mount = readFileSync('/proc/self/mountinfo', 'latin1')
    .split('\n')
    .map((text) => text.split(' '))
    .find((words) => words.includes('cgroup') && words.at(-1)?.split(',').includes(controller));
  return line === undefined || mount === undefined ? null : join(mount[4] ?? '', line.split(':')[2] ?? '');
}

/** Makes a group with limits. The files are those of cgroup v1. Returns its directory; null if that is not possible. */
export function makeGroup(controller: string, limits: Readonly<Record<string, string>> = {}): string | null {
  const own = ownGroup(controller);
  if (own === null) return null;
  const path = join(own, `onevisor-test-${process.pid}-${Date.now()}`);
  try {
    mkdirSync(path);
    for (const [file, text] of Object.entries(limits)) writeFileSync(join(path, file), text);
    return path;
  } catch {
    return null;
  }
}

/** Returns the reason why no group can be made, for `skip`; false if one can. */
export function groupSkipReason(controller: string, limits: Readonly<Record<string, string>>): string | false {
  const path = makeGroup(controller, limits);
  if (path === null) return `no cgroup v1 with ${controller} that can be written to`;
  rmdirSync(path);
  return false;
}

/** Removes a group after a test, when its processes have ended. */
export function removeAfter(t: TestContext, path: string): void {
  t.after(() =>
    until('the group to be empty', () => {
      try {
        rmdirSync(path);
        return true;
      } catch {
        return false;
      }
    }),
  );
}
