/**
 * The one rule for symbolic links on a path that we open: logs and their backups, pid files, sockets, files with
 * variables, configurations. It holds for every part of the path.
 *
 * 1. The kernel's rule `fs.protected_symlinks` (proc(5)), whatever the machine's setting: in a directory that is sticky
 *    and writable by everyone, such as /tmp, a link is followed only if it belongs to us or to the owner of the
 *    directory.
 * 2. As root, a link of another user is followed only to what that user could have changed anyway: a file or a
 *    directory of that user, or one in a directory of that user. Pipes and devices such as /dev/stdout are no files
 *    here. Otherwise the owner of a log directory could choose any file of the system.
 * 3. As root, a path through directories of other users is compared with the path of the open file. So a directory
 *    that is replaced by a link between the check and open(2) is noticed before anything is read or written.
 *
 * No rule covers hard links: the kernel's `fs.protected_hardlinks` does.
 */
// Node loads the promises of node:fs when they are first used, and those of node:fs/promises at once.
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  promises,
  readlinkSync,
  statSync,
  type Stats,
} from 'node:fs';
import { posix } from 'node:path';
import { errnoOf } from '../core/error-text.ts';
import { decodeBytes, toPath } from './bytes.ts';
import { currentDirectory } from './current-directory.ts';

/** A link that is not followed. `code` is the kernel's for the same refusal. The message is the reason. */
export class ForeignLinkError extends Error {
  readonly code = 'EACCES';
}

/** A link of another user on a path. */
interface ForeignLink {
  readonly path: string;
  readonly uid: number;
}

function inSharedDirectory({ path, uid }: ForeignLink, directory: string): ForeignLinkError {
  return new ForeignLinkError(
    `the symbolic link ${path} belongs to another user (uid ${uid}), in a directory that everybody can write to, ` +
      `so it is not followed; remove it, name its target instead, or have the owner of ${directory} make it`,
  );
}

function toForeignFile({ path, uid }: ForeignLink): ForeignLinkError {
  return new ForeignLinkError(
    `the symbolic link ${path} belongs to another user (uid ${uid}) and leads to what that user does not own, so it ` +
      `is not followed; name its target instead, or give the link to root (chown -h root ${path})`,
  );
}

/** A path without symbolic links. Exception: the last part may be a link of /proc, whose target may have no path. */
export interface Resolved {
  readonly path: string;
  /** True if the last part is such a link, which is to be followed. */
  readonly isFollowed: boolean;
  readonly control: PathControl;
}

/** Users besides us and root who could make the path lead to another file. */
export interface PathControl {
  /** Owners of its directories. -1: a group or everybody can write to one of them. */
  readonly uids: ReadonlySet<number>;
  /** True if it leads through a directory such as /tmp, where others may have made the file before us. */
  readonly isSticky: boolean;
}

/** Request of the walk for a fact of the file system. */
interface Question {
  readonly ask: 'lstat' | 'stat' | 'readlink';
  readonly path: string;
}

type Walk = Generator<Question, Resolved, Stats | string | null>;

/** Limit of the kernel. */
const MAX_LINKS = 40;
const STICKY = 0o1000;
const WRITABLE_BY_ALL = 0o002;
const WRITABLE_BY_GROUP_OR_ALL = 0o022;
/** Stands for any user in {@link PathControl}. */
const ANY_UID = -1;
/** The control of most paths, and of those in /tmp. Shared: each open log file keeps its control. */
const NO_CONTROL: PathControl = { uids: new Set(), isSticky: false };
const STICKY_CONTROL: PathControl = { ...NO_CONTROL, isSticky: true };

function tooManyLinks(path: string): Error {
  return Object.assign(new Error(`there are too many symbolic links in ${path}`), { code: 'ELOOP' });
}

/** Splits a path. `..` stays, since after a link it means the parent of the target. */
function splitPath(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/** Walks along an absolute path. Parts that do not exist are kept. Throws {@link ForeignLinkError}. */
function* walk(path: string, uid: number): Walk {
  const foreign: ForeignLink[] = [];
  const resolved = yield* follow(path, uid, foreign);
  for (const link of foreign) if (!(yield* isHarmless(link, resolved))) throw toForeignFile(link);
  return resolved;
}

/** Follows the links of a path. Adds the links that are followed only with a harmless target to `foreign`. */
function* follow(path: string, uid: number, foreign: ForeignLink[]): Walk {
  let rest = splitPath(path);
  let at = '/';
  let control = NO_CONTROL;
  for (let links = 0; rest.length > 0;) {
    const [part = '', ...more] = rest;
    const next = part === '..' ? posix.dirname(at) : posix.join(at, part);
    const untouched = [next, ...more].join('/');
    const found = (yield { ask: 'lstat', path: next }) as Stats | null;
    if (found === null) return { path: untouched, isFollowed: false, control };
    if (!found.isSymbolicLink()) {
      if (found.isDirectory()) control = withOwner(control, found, uid);
      [at, rest] = [next, more];
      continue;
    }
    refuseForeign(next, found, { path: at, status: (yield { ask: 'lstat', path: at }) as Stats | null }, uid);
    // Without root, the kernel allows us no more than our own user may do.
    if (uid === 0 && found.uid !== 0) foreign.push({ path: next, uid: found.uid });
    // Links such as /proc/self/fd/1 lead to files that may have no path.
    if (next.startsWith('/proc/')) return { path: untouched, isFollowed: true, control };
    if (++links > MAX_LINKS) throw tooManyLinks(path);
    const target = (yield { ask: 'readlink', path: next }) as string | null;
    if (target === null) return { path: untouched, isFollowed: false, control };
    rest = [...splitPath(target), ...more];
    if (target.startsWith('/')) at = '/';
  }
  return { path: at, isFollowed: false, control };
}

/** True if a link of another user leads to what this user could have changed anyway. */
function* isHarmless(
  { uid }: ForeignLink,
  { path, isFollowed }: Resolved,
): Generator<Question, boolean, Stats | string | null> {
  let found = (yield { ask: isFollowed ? 'stat' : 'lstat', path }) as Stats | null;
  if (isFollowed) {
    // A link of /proc has no directory. /proc/self/root leads anywhere.
    return found === null || found.uid === uid || isStream(found);
  }
  if (found !== null && (found.uid === uid || isStream(found))) return true;
  // A missing file belongs to the next directory above that exists.
  for (let above = posix.dirname(path); ; above = posix.dirname(above)) {
    found = (yield { ask: 'lstat', path: above }) as Stats | null;
    if (found !== null || above === '/') return found?.uid === uid;
  }
}

/** True for a pipe, a socket, a terminal or another character device. */
function isStream(status: Stats): boolean {
  return status.isFIFO() || status.isSocket() || status.isCharacterDevice();
}

/** Adds the users who can replace what is in a directory. */
function withOwner(control: PathControl, { uid: owner, mode }: Stats, uid: number): PathControl {
  const isOthers = owner !== 0 && owner !== uid;
  const isShared = (mode & WRITABLE_BY_GROUP_OR_ALL) !== 0;
  if (!isOthers && !isShared) return control;
  const isStickyHere = isShared && (mode & STICKY) !== 0;
  const added = [...(isOthers ? [owner] : []), ...(isShared && !isStickyHere ? [ANY_UID] : [])];
  if (control === NO_CONTROL && added.length === 0) return STICKY_CONTROL;
  const uids = added.length === 0 ? control.uids : new Set([...control.uids, ...added]);
  return { uids, isSticky: control.isSticky || isStickyHere };
}

function refuseForeign(
  link: string,
  { uid: owner }: Stats,
  directory: { readonly path: string; readonly status: Stats | null },
  uid: number,
): void {
  const { status } = directory;
  if (status === null || (status.mode & STICKY) === 0 || (status.mode & WRITABLE_BY_ALL) === 0) return;
  if (owner !== uid && owner !== status.uid) throw inSharedDirectory({ path: link, uid: owner }, directory.path);
}

/** True for the error of a system call. The walk ends there, and the call that opens the path reports the reason. */
function isSystemError(error: unknown): boolean {
  return errnoOf(error) !== null;
}

function answer({ ask, path }: Question): Stats | string | null {
  try {
    if (ask === 'readlink') return decodeBytes(readlinkSync(toPath(path), { encoding: 'buffer' }));
    return ask === 'lstat' ? lstatSync(toPath(path)) : statSync(toPath(path));
  } catch (error) {
    if (isSystemError(error)) return null;
    throw error;
  }
}

async function answerAsync({ ask, path }: Question): Promise<Stats | string | null> {
  try {
    if (ask === 'readlink') return decodeBytes(await promises.readlink(toPath(path), { encoding: 'buffer' }));
    return ask === 'lstat' ? await promises.lstat(toPath(path)) : await promises.stat(toPath(path));
  } catch (error) {
    if (isSystemError(error)) return null;
    throw error;
  }
}

function currentUid(): number {
  return process.geteuid?.() ?? 0;
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `${currentDirectory()}/${path}`;
}

/** Resolves the links of a path. Throws {@link ForeignLinkError} if a link of another user is on it. `uid`: ours. */
export function resolveLinks(path: string, uid: number = currentUid()): Resolved {
  const steps = walk(absolute(path), uid);
  let step = steps.next();
  while (!step.done) step = steps.next(answer(step.value));
  return step.value;
}

/** Resolves the links of a path without blocking the loop, since a disk can hang. */
export async function resolveLinksAsync(path: string, uid: number = currentUid()): Promise<Resolved> {
  const steps = walk(absolute(path), uid);
  let step = steps.next();
  while (!step.done) step = steps.next(await answerAsync(step.value));
  return step.value;
}

/**
 * A path that can be opened without following a foreign link, with the flags for it. The flags also refuse a link that
 * is created after the check.
 */
export interface TrustedPath {
  readonly path: string | Buffer;
  readonly flags: number;
  readonly control: PathControl;
  /**
   * Throws {@link ForeignLinkError} if the open file is not the one of the path, because another user has replaced a
   * directory since the check. Needs /proc; without it, nothing is compared.
   */
  readonly confirm: (fd: number) => void;
}

function trust(resolved: Resolved, flags: number): TrustedPath {
  const { path, isFollowed, control } = resolved;
  return {
    path: toPath(path),
    flags: isFollowed ? flags : flags | constants.O_NOFOLLOW,
    control,
    confirm: (fd) => {
      if (!isFollowed && control.uids.size > 0 && currentUid() === 0) confirmPath(fd, path);
    },
  };
}

/** The kernel adds this to the path of a file that has been removed. */
const DELETED = ' (deleted)';

function confirmPath(fd: number, path: string): void {
  const found = answer({ ask: 'readlink', path: `/proc/self/fd/${fd}` }) as string | null;
  if (found === null || found === path || found === path + DELETED) return;
  throw new ForeignLinkError(
    `another user has replaced a directory of ${path} while it was opened, so that it led to ${found}`,
  );
}

/** Resolves `path` to a path that is safe to open, without blocking the loop. Rejects with {@link ForeignLinkError}. */
export async function trustedPath(path: string, flags: number): Promise<TrustedPath> {
  return trust(await resolveLinksAsync(path), flags);
}

/**
 * Opens a file without following a foreign link. Returns a descriptor. Throws {@link ForeignLinkError} and errors of
 * open(2).
 */
export function openTrusted(path: string, flags: number, mode?: number): number {
  const trusted = trust(resolveLinks(path), flags & ~constants.O_TRUNC);
  const fd = openSync(trusted.path, trusted.flags, mode);
  try {
    trusted.confirm(fd);
    // Only after the file is known to be the right one. As with O_TRUNC, a pipe or a device has nothing to cut.
    if ((flags & constants.O_TRUNC) !== 0 && fstatSync(fd).isFile()) ftruncateSync(fd);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Opens a file to read it, by the same rule, without blocking the loop. */
export async function openToRead(path: string, flags: number): Promise<promises.FileHandle> {
  const trusted = await trustedPath(path, flags);
  const file = await promises.open(trusted.path, trusted.flags);
  try {
    trusted.confirm(file.fd);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
