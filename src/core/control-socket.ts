/**
 * Addresses of the private control socket, in the same order for the supervisor and its clients. Pure. An abstract
 * address (unix(7)) is written with `@` before its name, as `ss` and systemd do.
 */

/**
 * Inode numbers of our namespaces, as in `pid:[4026531836]`. They tell containers apart that share a directory or the
 * network.
 */
export interface NamespaceIds {
  readonly pid: string;
  /** Differs also between containers that share a PID namespace. */
  readonly mount: string;
}

/** Process that listens at a control socket. */
export interface Peer {
  /** 0 if the process is in another PID namespace. */
  readonly pid: number;
  readonly uid: number;
}

const NAME = 'onevisor';

/** Used if there is no /proc to read the numbers from. */
const UNKNOWN: NamespaceIds = { pid: '', mount: '' };

/**
 * Returns the addresses, the preferred one first. All but `/run/onevisor.sock` carry the number of our PID namespace,
 * and some that of our mount namespace.
 */
export function controlSocketPaths(
  env: Readonly<Record<string, string | undefined>>,
  { pid, mount }: NamespaceIds = UNKNOWN,
): string[] {
  const names = pid === '' ? [NAME] : [`${NAME}-${pid}`, `${NAME}-${pid}-${mount}`];
  const runtime = env['XDG_RUNTIME_DIR'] ?? '';
  const directories = [
    '/run',
    ...(runtime.startsWith('/') ? [withoutTrailingSlashes(runtime)] : []),
    '/tmp',
    '/dev/shm',
  ];
  const files = directories.flatMap((directory) => names.map((name) => `${directory}/${name}.sock`));
  return [...new Set([`/run/${NAME}.sock`, ...files, ...names.map((name) => `@${name}`)])];
}

function withoutTrailingSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end -= 1;
  return path.slice(0, end);
}

/** True for an abstract address. Anyone in the network namespace can connect to it, and anyone can take its name. */
export function isAbstract(address: string): boolean {
  return address.startsWith('@');
}

/**
 * True if the process at the other end of an abstract control socket can be trusted. The process must be in our PID
 * namespace and belong to root or to the same user.
 */
export function isTrustedPeer({ pid, uid }: Peer, ownUid: number): boolean {
  return pid !== 0 && (uid === 0 || uid === ownUid);
}
