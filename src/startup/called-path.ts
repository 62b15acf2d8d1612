/**
 * By which path this executable was called: that of a link, where it was one. Supervisor looks for its file beside the
 * directory of it. Looks at the file system only; never at what the name means.
 */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { currentDirectory } from '../files/current-directory.ts';

/**
 * Absolute path behind `argv0`, a name without a slash being searched as a shell does (`path` is $PATH); `executable`
 * where that leads elsewhere.
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
    // ENOENT, EACCES, ELOOP: it was not executed from there.
    return false;
  }
}
