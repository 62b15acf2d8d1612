/**
 * Listening on a unix socket: made in a private directory beside its place, given mode and owner there, then linked or
 * renamed into place. So it is never there with other rights than asked for, a stale one is replaced in one step, and a
 * file system without hard links will do.
 */
import { mkdtempSync, rmdirSync } from 'node:fs';
import { chmod, chown, link, lstat, rename, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { errnoOf, reasonOf } from '../core/error-text.ts';
import type { Level } from '../core/log-level.ts';
import { ForeignLinkError, resolveLinksLater } from '../files/links.ts';
import { ListenError, listenErrorOf } from './listen-error.ts';

/** Where and with what rights. */
export interface UnixAddress {
  readonly path: string;
  /** Mode, as 0o700. */
  readonly mode: number;
  /** Numeric ids for chown; null to leave them. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
}

/** How long another program may take to accept before it counts as being there: a full backlog is a living listener. */
const PROBE_MS = 2000;

/** Whether somebody accepts connections at a path. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const timer = setTimeout(() => settle(() => resolve(true)), PROBE_MS);
    const settle = (done: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      done();
    };
    socket.once('connect', () => settle(() => resolve(true)));
    socket.once('error', (error) =>
      settle(() => {
        const code = errnoOf(error);
        if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false);
        else if (code === 'EAGAIN') resolve(true);
        else reject(error);
      }),
    );
  });
}

/**
 * Whether there is something at the path that is replaced: a socket that nobody listens on any more, or an empty file.
 * compat: Supervisor removes any file that no connection can be made to, and write-ups tell to `touch` the socket
 * beforehand; one with content stays. Throws for everything else.
 */
async function isStale(path: string): Promise<boolean> {
  try {
    const found = await lstat(path);
    if (found.isFile() && found.size === 0) return true;
    if (!found.isSocket())
      throw new ListenError('notASocket', path, 'there is something else than a socket, which is not removed');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
  if (await isAnswered(path)) throw new ListenError('inUse', path, 'another program listens there already');
  return true;
}

/** A socket replaces what is at its path, so a link there is not followed; one on the way to it is. */
async function requireTrustedDirectory(path: string): Promise<void> {
  try {
    await resolveLinksLater(dirname(path));
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
 * Makes a server listen. Resolves with the function that removes the socket, if it is still the one that was made here.
 * Throws a {@link ListenError}; the server is closed then. An owner that cannot be set is a warning only.
 */
export async function listenUnix(
  server: Server,
  { path, mode, owner }: UnixAddress,
  report: (level: Level, text: string) => void,
): Promise<() => Promise<void>> {
  let directory: string | null = null;
  try {
    await requireTrustedDirectory(path);
    const replaces = await isStale(path);
    if (replaces) report('info', `Unlinking stale socket ${path}`);
    // With six characters of mkdtemp and a name of one this is seldom longer than the path itself, whose length is
    // limited.
    directory = mkdtempSync(`${dirname(path)}/.`);
    const fresh = `${directory}/s`;
    await bind(server, fresh);
    await chmod(fresh, mode);
    if (owner !== null) {
      await chown(fresh, owner.uid, owner.gid).catch((error: unknown) => {
        report('warn', `cannot change the owner of ${path} to ${owner.uid}:${owner.gid}: ${reasonOf(error)}`);
      });
    }
    const { ino } = await lstat(fresh);
    await (replaces ? rename(fresh, path) : moveToFreePlace(fresh, path));
    return () => removeSocket(path, ino);
  } catch (error) {
    if (server.listening) server.close();
    throw listenErrorOf(path, error);
  } finally {
    if (directory !== null) removeDirectory(directory, report);
  }
}

/**
 * Supervisors of containers that share the directory may start at the same time: a socket that appears meanwhile is not
 * replaced (EEXIST).
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

/** Another supervisor may have put its socket at the path meanwhile: that one stays. */
async function removeSocket(path: string, ino: number): Promise<void> {
  try {
    if ((await lstat(path)).ino === ino) await unlink(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
