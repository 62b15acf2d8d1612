/** Counts the open descriptors of processes. The cost for each process is bounded, whatever it has open. */
import { statSync } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { errnoOf } from '../core/error-text.ts';

/** Maximum number of descriptors that are counted one by one, of one process and of all processes of a call. */
const MOST_OF_ONE = 10_000;
const MOST_OF_ALL = 100_000;
/** Entries of a directory that are read at a time. */
const CHUNK = 512;

/** Errors that mean that the process has ended. */
const ENDED: ReadonlySet<string | null> = new Set(['ENOENT', 'ESRCH']);

/** Counts open descriptors, within one budget. */
export class OpenFileCounter {
  #left = MOST_OF_ALL;

  /**
   * Counts the open descriptors of a process, at most {@link MOST_OF_ONE} where the kernel does not tell the number.
   * 0 for a process that has ended. Null if we may not look, or if the budget is used up.
   */
  async count(pid: number): Promise<number | null> {
    const path = `/proc/${pid}/fd`;
    try {
      // Linux 6.2 and later: the size of the directory is the number of descriptors.
      const { size } = statSync(path);
      if (size > 0) return size;
      return await this.#list(path);
    } catch (error) {
      return ENDED.has(errnoOf(error)) ? 0 : null;
    }
  }

  async #list(path: string): Promise<number | null> {
    let count = 0;
    for await (const _entry of await opendir(path, { bufferSize: CHUNK })) {
      if (count === MOST_OF_ONE) break;
      if (this.#left === 0) return null;
      this.#left--;
      count++;
    }
    return count;
  }
}
