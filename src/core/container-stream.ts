/**
 * The output streams of the container, which are our own standard output and error, and the paths that name them. Pure.
 */

/** Our own standard output (1) or standard error (2). */
export type ContainerStream = 1 | 2;

const PATH = /^\/dev\/std(?<name>out|err)$|^(?:\/dev\/fd|\/proc\/(?<pid>self|\d+)\/fd)\/(?<fd>[12])$/;

/**
 * Returns the stream that a path names, as in `stdout_logfile=/dev/stdout`. Null for any other path. `pid`: our own
 * pid, for /proc/PID/fd. Configurations are written for PID 1, which is the default.
 */
export function parseContainerStream(path: string, pid = 1): ContainerStream | null {
  const groups = PATH.exec(path)?.groups;
  if (groups === undefined) return null;
  const { name, pid: owner = 'self', fd } = groups;
  if (owner !== 'self' && owner !== String(pid)) return null;
  return name === 'out' || fd === '1' ? 1 : 2;
}
