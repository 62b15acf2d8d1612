/**
 * A listening socket for a program that accepts connections on it: raw, blocking, and unknown to Node. The path of a
 * unix socket never has more permissions than configured. A socket that replaces any other is created in a private
 * directory next to its path and renamed, so the replacement is one step. Accepts no connections itself.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { isIP } from 'node:net';
import { constants as system } from 'node:os';
import { dirname } from 'node:path';
import { errnoOf } from '../core/error-text.ts';
import type { SocketAddress } from '../core/socket-address.ts';
import { ForeignLinkError, resolveLinks } from '../files/links.ts';
import { pathProbe } from '../files/path-probe.ts';
import { readRegularFile } from '../files/read-file.ts';
import { describeSystemError } from '../files/system-error.ts';
import type { Addon } from '../native/addon.ts';

/** Largest /etc/hosts that is searched. */
const MAX_HOSTS_BYTES = 4 * 1024 * 1024;

/**
 * Mode of a new socket until it gets its own. No other socket has it, so another user who puts a different socket of
 * root in its place is found out.
 */
const NO_RIGHTS = 0;
const ALL_RIGHTS = 0o7777;

/** Linux's O_PATH, which Node does not name: a descriptor for a file that is not opened. */
const O_PATH = 0o10000000;

/** Mode and owner of a unix socket. */
export interface SocketPermissions {
  readonly mode: number;
  /** Ids for chown; null to keep the owner. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
}

/** Request for a socket. Mode and owner are for unix sockets. */
export interface ListenRequest extends SocketPermissions {
  readonly address: SocketAddress;
  readonly backlog: number;
  /**
   * `any`: replaces also a socket on which another process listens. compat: so does Supervisor for FastCGI programs,
   * which may have outlived an earlier supervisor. `stale`: refuses that (EADDRINUSE).
   */
  readonly replaces: 'any' | 'stale';
}

/** An open listening socket. */
export interface ListeningSocket {
  readonly fd: number;
  /** True if the path of a unix socket is gone: a program may remove the path of its socket when it ends. */
  isUnlinked(): boolean;
  /** Changes mode and owner of a unix socket. Throws {@link ListeningSocketError}. Does nothing for TCP. */
  permit(permissions: SocketPermissions): void;
  /** Closes our descriptor. The path stays, and processes that have the socket can still accept. Never throws. */
  release(): void;
  /**
   * Closes the socket and removes its path, unless another socket has replaced it. On a file system that may hang, the
   * path is removed later. Never throws.
   */
  close(): void;
}

/** Reason why a socket cannot be created. The message is the reason alone. */
export class ListeningSocketError extends Error {
  override readonly name = 'ListeningSocketError';
  /** Name of the errno. ENOTSOCK: the path is not a socket. ENOTFOUND: the host name is unknown. */
  readonly code: string;

  constructor(code: string, reason: string) {
    super(reason);
    this.code = code;
  }
}

type Sockets = Pick<Addon, 'listenUnix' | 'listenTcp' | 'peerAt'>;

/** Opens a socket. Throws {@link ListeningSocketError}. If the owner cannot be set, only warns. */
export function openListeningSocket(
  addon: Sockets,
  request: ListenRequest,
  warn: (text: string) => void,
): ListeningSocket {
  const { address, backlog } = request;
  try {
    if (address.kind === 'unix') {
      const open = request.replaces === 'any' ? openUnix : openUnixInPlace;
      return open(addon, address.path, request, warn);
    }
    const fd = addon.listenTcp(addressOf(address.host), address.port, backlog);
    const release = closeOnce(fd);
    return { fd, isUnlinked: () => false, permit: () => undefined, release, close: release };
  } catch (error) {
    throw toSocketError(error);
  }
}

function openUnix(
  addon: Sockets,
  path: string,
  { backlog, mode, owner }: ListenRequest,
  warn: (text: string) => void,
): ListeningSocket {
  const isShared = isSharedWithOthers(path);
  requireSocket(path);
  const directory = mkdtempSync(`${dirname(path)}/.`);
  const fresh = `${directory}/s`;
  let fd: number | null = null;
  let file: number | null = null;
  try {
    fd = addon.listenUnix(fresh, backlog, NO_RIGHTS);
    file = openNew(fresh, isShared);
    give({ path, file }, fresh, { mode, owner }, warn);
    renameSync(fresh, path);
    return unixSocket(fd, { path, file }, warn);
  } catch (error) {
    if (fd !== null) closeSync(fd);
    if (file !== null) {
      removeOwn({ path: fresh, file }, warn);
      closeSync(file);
    }
    throw error;
  } finally {
    removeDirectory(directory, warn);
  }
}

/** True if another user can replace the socket of a path. Throws {@link ForeignLinkError}. */
function isSharedWithOthers(path: string): boolean {
  return resolveLinks(dirname(path)).control.uids.size > 0;
}

/**
 * Opens the file of a new socket (O_PATH). Throws if another user has put a different file in its place: that file must
 * not be given away. In a directory of ours, the mode is not compared, since some file systems have no modes.
 */
function openNew(path: string, isShared: boolean): number {
  const file = openSync(path, O_PATH | constants.O_NOFOLLOW);
  const found = fstatSync(file);
  if (found.isSocket() && (!isShared || (found.mode & ALL_RIGHTS) === NO_RIGHTS)) return file;
  closeSync(file);
  throw new ListeningSocketError('EACCES', 'another user has replaced the new socket');
}

/** Removes our private directory. Another user may have put something else in its place. */
function removeDirectory(directory: string, warn: (text: string) => void): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    warn(`cannot remove ${directory}: ${toSocketError(error).message}`);
  }
}

/** Returns a function that closes a descriptor at its first call. Later, the number may belong to another file. */
function closeOnce(fd: number): () => void {
  let isOpen = true;
  return () => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
}

/** The file of a unix socket: its path, and an O_PATH descriptor, so that no other file can get its inode number. */
interface SocketFile {
  readonly path: string;
  readonly file: number;
}

/** Returns the open socket of a path. */
function unixSocket(fd: number, own: SocketFile, warn: (text: string) => void): ListeningSocket {
  const { path, file } = own;
  const release = closeOnce(fd);
  const closeFile = closeOnce(file);
  return {
    fd,
    isUnlinked: () => isGone(path),
    permit: (permissions) => permit(own, permissions, warn),
    release,
    close: () => {
      release();
      const remove = (): (() => void) => {
        removeOwn(own, warn);
        closeFile();
        return () => undefined;
      };
      pathProbe.whenReached(
        () => [path],
        remove,
        (reason) => warn(`cannot remove ${path}: ${reason}`),
      );
    },
  };
}

/** True if nothing has this path. A path that cannot be looked at (EIO, EACCES) may still lead to the socket. */
function isGone(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/** True if a path still has the file of a socket. */
function isInPlace({ path, file }: SocketFile): boolean {
  const { ino, dev } = fstatSync(file);
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found !== undefined && found.ino === ino && found.dev === dev;
}

/** Throws if the path is anything but a socket. Returns true for a socket. */
function requireSocket(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined && !found.isSocket())
    throw new ListeningSocketError('ENOTSOCK', 'the path exists and is not a socket');
  return found !== undefined;
}

/**
 * Makes a socket at its own path, because a program may compare the path with the name of the socket
 * (sd_is_socket_unix(3)). The mode is never above the requested one.
 */
function openUnixInPlace(
  addon: Sockets,
  path: string,
  { backlog, mode, owner }: ListenRequest,
  warn: (text: string) => void,
): ListeningSocket {
  const isShared = isSharedWithOthers(path);
  if (requireSocket(path)) removeStale(addon, path);
  const fd = addon.listenUnix(path, backlog, NO_RIGHTS);
  let file: number | null = null;
  try {
    file = openNew(path, isShared);
    permit({ path, file }, { mode, owner }, warn);
    return unixSocket(fd, { path, file }, warn);
  } catch (error) {
    closeSync(fd);
    if (file !== null) {
      removeOwn({ path, file }, warn);
      closeSync(file);
    }
    throw error;
  }
}

/** Removes a socket on which no process listens. */
function removeStale(addon: Sockets, path: string): void {
  // The connection is closed at once. Only ECONNREFUSED means that no process listens.
  if (addon.peerAt(path, new Uint32Array(2)) !== system.errno.ECONNREFUSED)
    throw new ListeningSocketError('EADDRINUSE', 'another program listens there already (EADDRINUSE)');
  unlinkSync(path);
}

/** Changes the permissions of our socket. Its descriptor makes sure that no link is followed which has replaced it. */
function permit(own: SocketFile, { mode, owner }: SocketPermissions, warn: (text: string) => void): void {
  const { path } = own;
  try {
    if (!isInPlace(own)) throw new ListeningSocketError('ENOENT', 'another file has replaced the socket');
    give(own, path, { mode, owner }, warn);
  } catch (error) {
    throw toSocketError(error);
  }
}

/**
 * Changes owner and mode by the descriptor, since the owner of the directory can put a link in the place of a path.
 * Without /proc, the path `current` is used.
 */
function give(
  { path, file }: SocketFile,
  current: string,
  { mode, owner }: SocketPermissions,
  warn: (text: string) => void,
): void {
  const target = existsSync('/proc/self/fd') ? `/proc/self/fd/${file}` : current;
  if (owner !== null) changeOwner(target, path, owner, warn);
  chmodSync(target, mode);
}

function changeOwner(
  fresh: string,
  path: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
  warn: (text: string) => void,
): void {
  try {
    chownSync(fresh, uid, gid);
  } catch (error) {
    warn(`cannot change the owner of ${path} to ${uid}:${gid}: ${toSocketError(error).message}`);
  }
}

function removeOwn(own: SocketFile, warn: (text: string) => void): void {
  try {
    // rmSync does not name the error of unlink(2).
    if (isInPlace(own)) unlinkSync(own.path);
  } catch (error) {
    warn(`cannot remove ${own.path}: ${toSocketError(error).message}`);
  }
}

/**
 * Returns the numeric address of a host. Asking a name server would block the supervisor, so only /etc/hosts is read.
 */
function addressOf(host: string): string {
  if (isIP(host) !== 0) return host;
  if (host === 'localhost') return '127.0.0.1';
  const lines = readRegularFile('/etc/hosts', MAX_HOSTS_BYTES)
    .toString()
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim().toLowerCase().split(/\s+/));
  const address = lines.find(([first = '', ...names]) => isIP(first) === 4 && names.includes(host))?.[0];
  if (address === undefined)
    throw new ListeningSocketError('ENOTFOUND', `/etc/hosts has no address for ${host}; use a numeric address`);
  return address;
}

function toSocketError(error: unknown): ListeningSocketError {
  if (error instanceof ListeningSocketError) return error;
  if (error instanceof ForeignLinkError) return new ListeningSocketError(error.code, error.message);
  const code = errnoOf(error);
  if (code === null) throw error;
  return new ListeningSocketError(code, describeSystemError(error));
}
