/**
 * Finds the path by which this executable was called. This is the path of the link if a link was used. Supervisor
 * searches its configuration file relative to that directory. Only looks at the file system.
 */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { currentDirectory } from '../files/current-directory.ts';

/**
 * Returns the absolute path for `argv0`. A name without a slash is searched in `path` ($PATH), as a shell does. Returns
 * `executable` if no candidate leads to it.
 */
export function findCalledPath(argv0: string, path: string, executable: string): string {
  const here = currentDirectory();
  const candidates = argv0.includes('/')
    ? [resolve(here, argv0)]
    : path.split(':').map((directory) => resolve(here, directory, argv0));
  return candidates.find((candidate) => isSame(candidate, executable)) ?? executable;
}

function isSame(candidate: string, executable: string): boolean {
  try {
    return realpathSync(candidate) === executable;
  } catch {
    // ENOENT, EACCES, ELOOP: the executable was not started from there.
    return false;
  }
}
