/**
 * Threads of Node's pool. A write to a disk that hangs holds one, and so does one to a terminal or socket that stalls;
 * the default of 4 is soon used up.
 * Node reads the variable UV_THREADPOOL_SIZE when the first of them is needed, makes all of them, and aborts where one
 * cannot be made. Pure.
 */

/** Threads of a supervisor where the kernel allows it. */
const USUAL = 8;
/** Threads of a client, which has nothing to do at the same time. */
export const CLIENT_POOL_THREADS = 2;
/** More need not be tried for. */
export const MOST_TRIED = 4 * USUAL;

/**
 * Size of the pool where so many threads or processes are still allowed: most of them are for the programs. 0 where
 * there can be none.
 */
export function poolThreads(allowed: number): number {
  return allowed === 0 ? 0 : Math.min(USUAL, Math.max(1, Math.floor(allowed / 4)));
}

/** Why a supervisor cannot run in a container or for a user with such a limit. */
export const NO_THREADS =
  'cannot start: the limit of processes and threads is too low; allow 16 or more (docker run --pids-limit, pids.max ' +
  'of the cgroup, ulimit -u)\n';
