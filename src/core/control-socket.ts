/**
 * Where the private control socket of a container may be: the places, in one order for the supervisor and for its
 * clients. Pure.
 * An abstract address (unix(7)) is written with `@` before its name, as `ss` and systemd do.
 */

/**
 * Inode numbers of our namespaces, as in `pid:[4026531836]`. Containers that share a directory or the network differ in
 * them.
 */
export interface NamespaceIds {
  readonly pid: string;
  /** Differs also between containers that share a PID namespace. */
  readonly mount: string;
}

/** The process that listens at a place. */
export interface Peer {
  /** 0: it is in another PID namespace. */
  readonly pid: number;
  readonly uid: number;
}

const NAME = 'onevisor';

/** No numbers, as where there is no /proc to read them from. */
const UNKNOWN: NamespaceIds = { pid: '', mount: '' };

/**
 * The places, the preferred one first. All but the first carry the number of our PID namespace, and some that of our
 * mount namespace.
 */
export function controlSocketPaths(
  env: Readonly<Record<string, string | undefined>>,
  { pid, mount }: NamespaceIds = UNKNOWN,
): string[] {
  const names = pid === '' ? [NAME] : [`${NAME}-${pid}`, `${NAME}-${pid}-${mount}`];
  const runtime = env['XDG_RUNTIME_DIR'] ?? '';
  const directories = ['/run', ...(runtime.startsWith('/') ? [withoutEndSlashes(runtime)] : []), '/tmp', '/dev/shm'];
  const files = directories.flatMap((directory) => names.map((name) => `${directory}/${name}.sock`));
  return [...new Set([`/run/${NAME}.sock`, ...files, ...names.map((name) => `@${name}`)])];
}

function withoutEndSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end -= 1;
  return path.slice(0, end);
}

/** True for an abstract address. Anyone in the network namespace can connect to it, and anyone can take its name. */
export function isAbstract(place: string): boolean {
  return place.startsWith('@');
}

/**
 * True if a process may use an abstract control socket, or may be the supervisor behind one: of this PID namespace, and
 * root or the same user.
 */
export function isTrustedPeer({ pid, uid }: Peer, ownUid: number): boolean {
  return pid !== 0 && (uid === 0 || uid === ownUid);
}
