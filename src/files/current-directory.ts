/**
 * The working directory. It may have been removed: `docker exec` and shells stay in a directory that a deployment has
 * replaced.
 */
import { errnoOf } from '../core/error-text.ts';

/** Stands for a removed working directory. Nothing can be found or created in it. */
const REMOVED = '/proc/self/cwd';

/**
 * Returns the absolute path of the working directory. For a removed one this is `/proc/self/cwd`: relative paths then
 * fail, and absolute ones work.
 */
export function currentDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return REMOVED;
  }
}
