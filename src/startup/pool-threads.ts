/**
 * Number of threads in Node's pool. A write to a hanging disk blocks a thread, and so does a write to a stalled
 * terminal or socket. The default of 4 is soon used up. Node reads UV_THREADPOOL_SIZE when it first needs a thread,
 * creates all threads then, and aborts if that fails. Pure.
 */

/** Threads of a supervisor if the kernel allows them. */
const USUAL = 8;
/** Threads of a client. It has little to do in parallel. */
export const CLIENT_POOL_THREADS = 2;
/** Number of threads to test for. More would make no difference. */
export const MAX_TRIED_THREADS = 4 * USUAL;

/**
 * Returns the size of the pool if this number of threads or processes is still allowed. Most of them are for the
 * programs. 0 if no thread is allowed.
 */
export function poolThreads(allowed: number): number {
  return allowed === 0 ? 0 : Math.min(USUAL, Math.max(1, Math.floor(allowed / 4)));
}

/** Error message if the container or the user has too low a limit. */
export const NO_THREADS =
  'cannot start: the limit of processes and threads is too low; allow 16 or more (docker run --pids-limit, pids.max ' +
  'of the cgroup, ulimit -u)\n';
