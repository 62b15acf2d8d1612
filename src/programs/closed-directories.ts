/**
 * Finding of `check --strict`: a directory that the user of a program may not enter or read. A program changes to its
 * directory as its user (native/child.c). Modes only: access control lists are not looked at.
 */
import { posix } from 'node:path';
import { problemOf, processesOf } from '../config/findings.ts';
import type { Problem } from '../config/model.ts';
import { EXECUTE, READ } from '../process/access.ts';
import { explainObstacle, type Machine } from './strict-machine.ts';

/** Finds directories that are closed to the user of their program. */
export function findClosedDirectories(machine: Machine): Problem[] {
  return processesOf(machine.config).flatMap((proc) => {
    const { directory } = proc.options;
    const user = machine.userOf(proc);
    if (directory === null || user === null || !posix.isAbsolute(directory)) return [];
    for (const [bit, right, effect] of RIGHTS) {
      const obstacle = machine.access.find(directory, user.ids, bit);
      if (obstacle === null) continue;
      const reason = explainObstacle(obstacle, user.name, { path: directory, right });
      return [problemOf(machine, proc, 'directory', `${effect}: ${reason}`)];
    }
    return [];
  });
}

const RIGHTS = [
  [EXECUTE, 'search', 'the program cannot start here'],
  [READ, 'read', 'the program cannot list its files here'],
] as const;
