/**
 * Listening on a unix socket. The socket is made in a private directory next to its path, gets mode and owner there,
 * and is then linked or renamed to its path. So it never has other permissions at its path, a stale socket is replaced
 * in one step, and a file system without hard links works, too. The private directory is used by its descriptor: the
 * path next to ours may belong to another user, who could put any file of root in the place of the new socket.
 */
import { constants, existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { chmod, chown, type FileHandle, link, lstat, open, rename, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { errnoOf, reasonOf } from '../core/error-text.ts';
import type { Level } from '../core/log-level.ts';
import { ForeignLinkError, resolveLinksAsync } from '../files/links.ts';
import { ListenError, listenErrorOf } from './listen-error.ts';

/** Path and permissions of a socket. */
export interface UnixAddress {
  readonly path: string;
  /** Mode, for example 0o700. */
  readonly mode: number;
  /** Numeric ids for chown; null for our own. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
}

/** Longest path of a socket (unix(7)). */
const MAX_PATH_BYTES = 107;

/** Time to connect to an existing socket. After that time the listener counts as alive: its backlog is full. */
const PROBE_MS = 2000;

/** True if a program accepts connections on a path. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const timer = setTimeout(() => finish(() => resolve(true)), PROBE_MS);
    const finish = (done: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      done();
    };
    socket.once('connect', () => finish(() => resolve(true)));
    socket.once('error', (error) =>
      finish(() => {
        const code = errnoOf(error);
        if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false);
        else if (code === 'EAGAIN') resolve(true);
        else reject(error);
      }),
    );
  });
}

/**
 * True if the path has a file to replace: a socket without a listener, or an empty file. compat: Supervisor removes any
 * file to which it cannot connect, and tutorials `touch` the socket beforehand. Throws for any other file.
 */
async function isStale(path: string): Promise<boolean> {
  try {
    const found = await lstat(path);
    if (found.isFile() && found.size === 0) return true;
    if (!found.isSocket()) throw new ListenError('notASocket', path, 'the path is not a socket, and is not removed');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
  if (await isAnswered(path)) throw new ListenError('inUse', path, 'another program listens there already');
  return true;
}

/**
 * Checks the links on the way to the directory. A link at the path itself is replaced, not followed. Returns true if
 * another user can replace the directory, or what is in it.
 */
async function requireTrustedDirectory(path: string): Promise<boolean> {
  try {
    return (await resolveLinksAsync(dirname(path))).control.uids.size > 0;
  } catch (error) {
    if (error instanceof ForeignLinkError) throw new ListenError('denied', path, error.message, { cause: error });
    throw error;
  }
}

function bind(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path }, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

/**
 * Makes a server listen. Resolves with the function that removes the socket, unless another socket has replaced it.
 * Rejects with a {@link ListenError} after closing the server. An owner that cannot be set is only a warning.
 */
export async function listenUnix(
  server: Server,
  { path, mode, owner }: UnixAddress,
  report: (level: Level, text: string) => void,
): Promise<() => Promise<void>> {
  let directory: string | null = null;
  let opened: FileHandle | null = null;
  try {
    // The kernel would take the short path of the descriptor, and no client could connect.
    if (Buffer.byteLength(path) > MAX_PATH_BYTES)
      throw new ListenError('unavailable', path, 'the path is too long for a socket');
    const isShared = await requireTrustedDirectory(path);
    const replaces = await isStale(path);
    if (replaces) report('info', `Unlinking stale socket ${path}`);
    // Short names, because the limit holds for the new socket, too, where there is no /proc.
    directory = mkdtempSync(`${dirname(path)}/.`);
    opened = await openPrivate(directory, path, isShared);
    const fresh = `${byDescriptor(opened, directory)}/s`;
    await bind(server, fresh);
    const ino = await permit(fresh, { path, mode, owner }, report);
    await (replaces ? rename(fresh, path) : moveToFreePlace(fresh, path));
    return () => removeSocket(path, ino);
  } catch (error) {
    if (server.listening) server.close();
    throw listenErrorOf(path, error);
  } finally {
    await opened?.close();
    if (directory !== null) removeDirectory(directory, report);
  }
}

/** Linux's O_PATH, which Node does not name: a descriptor for a file that is not opened. */
const O_PATH = 0o10000000;

const RIGHTS_OF_OTHERS = 0o077;

/** Returns a path that leads to an open file, whatever is at its own path by now. Without /proc: its own path. */
function byDescriptor({ fd }: FileHandle, path: string): string {
  return existsSync('/proc/self/fd') ? `/proc/self/fd/${fd}` : path;
}

/**
 * Opens our private directory. All that follows goes by this descriptor: the owner of the directory above can rename
 * our directory and put another in its place, and must not choose the file that is given away. No other user can make
 * or move a file into ours, so the socket in it is the one that we make.
 */
async function openPrivate(directory: string, path: string, isShared: boolean): Promise<FileHandle> {
  const opened = await open(directory, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  const { uid, mode } = await opened.stat();
  // In a directory of ours, nothing is compared: some file systems have neither owners nor modes.
  if (!isShared || (uid === process.geteuid?.() && (mode & RIGHTS_OF_OTHERS) === 0)) return opened;
  await opened.close();
  throw new ListenError('denied', path, 'another user has replaced the directory of the new socket');
}

/** Gives a fresh socket its mode and owner, by a descriptor. Returns the inode number. */
async function permit(
  fresh: string,
  { path, mode, owner }: UnixAddress,
  report: (level: Level, text: string) => void,
): Promise<number> {
  const file = await open(fresh, O_PATH | constants.O_NOFOLLOW);
  try {
    const status = await file.stat();
    if (!status.isSocket()) throw new ListenError('denied', path, 'another user has replaced the new socket');
    const target = byDescriptor(file, fresh);
    await chmod(target, mode);
    if (owner !== null) {
      await chown(target, owner.uid, owner.gid).catch((error: unknown) => {
        report('warn', `cannot change the owner of ${path} to ${owner.uid}:${owner.gid}: ${reasonOf(error)}`);
      });
    }
    return status.ino;
  } finally {
    await file.close();
  }
}

/**
 * Moves the socket to its path. Supervisors of containers that share the directory may start at the same time, so a
 * socket that has appeared in the meantime is not replaced (EEXIST).
 */
async function moveToFreePlace(fresh: string, path: string): Promise<void> {
  try {
    await link(fresh, path);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') throw error;
    // EPERM, EOPNOTSUPP, ENOSYS: a file system without hard links.
    return rename(fresh, path);
  }
  await unlink(fresh);
}

function removeDirectory(directory: string, report: (level: Level, text: string) => void): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    report('warn', `cannot remove ${directory}: ${reasonOf(error)}`);
  }
}

/** Removes the socket, unless the path has the socket of another supervisor by now. */
async function removeSocket(path: string, ino: number): Promise<void> {
  try {
    if ((await lstat(path)).ino === ino) await unlink(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
