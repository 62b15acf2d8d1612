/**
 * The working directory, which may have been removed under us: `docker exec` and shells stay in a directory that a
 * deployment has replaced.
 */
import { errnoOf } from '../core/error-text.ts';

/** A directory in which nothing is found and nothing can be made, if that is the state of our own. */
const REMOVED = '/proc/self/cwd';

/**
 * The absolute path of the working directory. A removed one is `/proc/self/cwd`: relative names then lead nowhere, and
 * absolute ones work.
 */
export function currentDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return REMOVED;
  }
}
