/**
 * Opens the path of a log, and gives its file a mode and an owner (`stdout_logfile_mode`, `stdout_logfile_owner`).
 *
 * A file that we have just made gets them at once. A file that was there already may be one that another user has put
 * there, as a hard link to a file of the system or behind a link of a directory. Such a file would be given away. So
 * another file gets them only if no other user has had a part in the path, or if the file belongs to that user anyway.
 */
import { close, constants, fchmod, fchown, fstat, open } from 'node:fs';
import type { Stats } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { errnoOf } from '../core/error-text.ts';
import { type PathControl, resolveLinksAsync, type TrustedPath, trustedPath } from '../files/links.ts';
import { describeSystemError } from '../files/system-error.ts';
import type { FileAccess, FileRules } from './ports.ts';

const openFile = promisify(open);
const closeFile = promisify(close);
const chownFile = promisify(fchown);
const chmodFile = promisify(fchmod);
const statFile: (fd: number) => Promise<Stats> = promisify(fstat);

/** With O_NONBLOCK, open(2) of a fifo without a reader fails with ENXIO and does not wait. */
const OPEN_FLAGS =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOCTTY;
/** compat: Supervisor leaves the permissions of a log file to the umask. */
const OPEN_MODE = 0o666;
const DIRECTORY_MODE = 0o755;
const PERMISSIONS = 0o7777;

/** Users who may have had a part in the path. Null: none, since we have made the file ourselves. */
export type Control = PathControl | null;

/** Rules of a file without any options. */
export const PLAIN_RULES: FileRules = { access: { mode: null, owner: null }, makesDirectories: false };

/** A path that was opened. */
export interface OpenedPath {
  readonly fd: number;
  readonly status: Stats;
  readonly control: Control;
  /** Reason why the file does not have its mode and owner. Null: the file has them, or the path is no regular file. */
  readonly refusal: string | null;
}

/** Opens a path for appending. Makes its directories if the rules say so. Rejects with the error of a system call. */
export async function openLogFile(path: string, rules: FileRules): Promise<OpenedPath> {
  try {
    return await openOnce(path, rules);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || !rules.makesDirectories) throw error;
    await makeDirectory(path);
    return await openOnce(path, rules);
  }
}

async function openOnce(path: string, { access }: FileRules): Promise<OpenedPath> {
  const trusted = await trustedPath(path, OPEN_FLAGS);
  const { fd, isNew } = await openTrustedPath(trusted, access);
  try {
    trusted.confirm(fd);
    const status = await statFile(fd);
    const control = isNew ? null : trusted.control;
    return { fd, status, control, refusal: await giveAccess({ fd, status, control }, access) };
  } catch (error) {
    await closeFile(fd);
    throw error;
  }
}

/**
 * Makes the directory of a path and those above it. (With `recursive`, Node tries for ever in a file system such as
 * /proc, which answers ENOENT.)
 */
async function makeDirectory(path: string): Promise<void> {
  const directory = dirname((await resolveLinksAsync(path)).path);
  const names = directory.split('/');
  try {
    for (let depth = 2; depth <= names.length; depth++) await makeOneDirectory(names.slice(0, depth).join('/'));
  } catch (error) {
    throw new Error(`its directory ${directory} cannot be made: ${describeSystemError(error)}`, { cause: error });
  }
}

async function makeOneDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, DIRECTORY_MODE);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return;
    // A directory above may be on a file system that is read-only, and exist.
    const isThere = await stat(path).then(
      (status) => status.isDirectory(),
      () => false,
    );
    if (!isThere) throw error;
  }
}

async function openTrustedPath(
  { path, flags }: Pick<TrustedPath, 'path' | 'flags'>,
  access: FileAccess,
): Promise<{ readonly fd: number; readonly isNew: boolean }> {
  if (access.mode === null && access.owner === null)
    return { fd: await openFile(path, flags, OPEN_MODE), isNew: false };
  try {
    return { fd: await openFile(path, flags | constants.O_EXCL, access.mode ?? OPEN_MODE), isNew: true };
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  try {
    return { fd: await openFile(path, flags, access.mode ?? OPEN_MODE), isNew: false };
  } catch (error) {
    if (errnoOf(error) !== 'EACCES' || access.owner === null) throw error;
    return { fd: await openOwned({ path, flags }, access.owner.uid, error), isNew: false };
  }
}

/**
 * Opens a file that belongs to the configured owner, in a directory such as /tmp. With O_CREAT the kernel refuses that
 * (fs.protected_regular, proc(5)). Rejects with `refusal` for a file of another user.
 */
async function openOwned(
  { path, flags }: Pick<TrustedPath, 'path' | 'flags'>,
  uid: number,
  refusal: unknown,
): Promise<number> {
  const fd = await openFile(path, flags & ~constants.O_CREAT);
  const status = await statFile(fd);
  if (status.isFile() && status.uid === uid) return fd;
  await closeFile(fd);
  throw refusal;
}

/** Gives a regular file its mode and owner. Returns the reason if that is refused. */
async function giveAccess(
  { fd, status, control }: Omit<OpenedPath, 'refusal'>,
  { mode, owner }: FileAccess,
): Promise<string | null> {
  const isOwned = owner === null || (owner.uid === status.uid && owner.gid === status.gid);
  const isMode = mode === null || mode === (status.mode & PERMISSIONS);
  if ((isOwned && isMode) || !status.isFile()) return null;
  const doubt = control === null ? null : explainDoubt(status, control, owner);
  if (doubt !== null) return doubt;
  try {
    // chown(2) may clear bits of the mode.
    if (!isOwned) await chownFile(fd, owner.uid, owner.gid);
    if (mode !== null) await chmodFile(fd, mode);
    return null;
  } catch (error) {
    return describeSystemError(error);
  }
}

const WAY_OUT = 'give them to the file yourself, or remove it: a new file gets them';

/** Returns the reason why a file may be another than the log of earlier runs. Null: it is that log. */
function explainDoubt(
  { nlink, uid }: Stats,
  { uids, isSticky }: PathControl,
  owner: FileAccess['owner'],
): string | null {
  const ours = process.geteuid?.() ?? 0;
  if (nlink !== 1) return `it has ${nlink} names (hard links); ${WAY_OUT}`;
  const other = [...uids].find((user) => user !== uid);
  if (other !== undefined) {
    const whose = other < 0 ? 'others can write to one of its directories' : `uid ${other} has one of its directories`;
    return `${whose}, and could have put another file there; ${WAY_OUT}`;
  }
  const isForeign = uid !== 0 && uid !== ours && uid !== owner?.uid;
  return isSticky && isForeign ? `it was made by another user (uid ${uid}); ${WAY_OUT}` : null;
}

/** Gives an open file another mode and owner. Returns the reason if that is refused. */
export async function changeAccess(fd: number, control: Control, access: FileAccess): Promise<string | null> {
  return giveAccess({ fd, control, status: await statFile(fd) }, access);
}
