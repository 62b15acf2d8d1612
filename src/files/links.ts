/**
 * Applies the kernel's rule `fs.protected_symlinks` (proc(5)), whatever the machine's setting. The rule is for
 * directories that are sticky and writable by everyone, such as /tmp: a symbolic link there is followed only if it
 * belongs to us or to the owner of the directory. Anyone else could have created it to choose the file that we write.
 * The kernel checks the last part of a path only; this module checks every part.
 */
import { constants, lstatSync, openSync, readlinkSync, type Stats } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { posix } from 'node:path';
import { errnoOf } from '../core/error-text.ts';
import { decodeBytes, toPath } from './bytes.ts';
import { currentDirectory } from './current-directory.ts';

/** A link that is not followed. `code` is the kernel's for the same refusal. */
export class ForeignLinkError extends Error {
  readonly code = 'EACCES';

  constructor(link: string, directory: string, uid: number) {
    super(
      `the symbolic link ${link} belongs to another user (uid ${uid}), in a directory that everybody can write to, ` +
        `so it is not followed; remove it, name its target instead, or have the owner of ${directory} make it`,
    );
  }
}

/** A path without symbolic links. Exception: the last part may be a link of /proc, whose target may have no path. */
export interface Resolved {
  readonly path: string;
  /** True if the last part is such a link, which is to be followed. */
  readonly isFollowed: boolean;
}

/** Request of the walk for a fact of the file system. */
interface Question {
  readonly ask: 'lstat' | 'readlink';
  readonly path: string;
}

type Walk = Generator<Question, Resolved, Stats | string | null>;

/** Limit of the kernel. */
const MAX_LINKS = 40;
const STICKY = 0o1000;
const WRITABLE_BY_ALL = 0o002;

function tooManyLinks(path: string): Error {
  return Object.assign(new Error(`there are too many symbolic links in ${path}`), { code: 'ELOOP' });
}

/** Splits a path. `..` stays, since after a link it means the parent of the target. */
function splitPath(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/** Walks along an absolute path. Parts that do not exist are kept. Throws {@link ForeignLinkError}. */
function* walk(path: string, uid: number): Walk {
  let rest = splitPath(path);
  let at = '/';
  for (let links = 0; rest.length > 0;) {
    const [part = '', ...more] = rest;
    const next = part === '..' ? posix.dirname(at) : posix.join(at, part);
    const untouched = [next, ...more].join('/');
    const found = (yield { ask: 'lstat', path: next }) as Stats | null;
    if (found === null) return { path: untouched, isFollowed: false };
    if (!found.isSymbolicLink()) {
      [at, rest] = [next, more];
      continue;
    }
    refuseForeign(next, found, { path: at, status: (yield { ask: 'lstat', path: at }) as Stats | null }, uid);
    // Links such as /proc/self/fd/1 lead to files that may have no path.
    if (next.startsWith('/proc/')) return { path: untouched, isFollowed: true };
    if (++links > MAX_LINKS) throw tooManyLinks(path);
    const target = (yield { ask: 'readlink', path: next }) as string | null;
    if (target === null) return { path: untouched, isFollowed: false };
    rest = [...splitPath(target), ...more];
    if (target.startsWith('/')) at = '/';
  }
  return { path: at, isFollowed: false };
}

function refuseForeign(
  link: string,
  { uid: owner }: Stats,
  directory: { readonly path: string; readonly status: Stats | null },
  uid: number,
): void {
  const { status } = directory;
  if (status === null || (status.mode & STICKY) === 0 || (status.mode & WRITABLE_BY_ALL) === 0) return;
  if (owner !== uid && owner !== status.uid) throw new ForeignLinkError(link, directory.path, owner);
}

/** True for the error of a system call. The walk ends there, and the call that opens the path reports the reason. */
function isSystemError(error: unknown): boolean {
  return errnoOf(error) !== null;
}

function answer({ ask, path }: Question): Stats | string | null {
  try {
    return ask === 'lstat' ? lstatSync(toPath(path)) : decodeBytes(readlinkSync(toPath(path), { encoding: 'buffer' }));
  } catch (error) {
    if (isSystemError(error)) return null;
    throw error;
  }
}

async function answerAsync({ ask, path }: Question): Promise<Stats | string | null> {
  try {
    return ask === 'lstat'
      ? await lstat(toPath(path))
      : decodeBytes(await readlink(toPath(path), { encoding: 'buffer' }));
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
}

function trust({ path, isFollowed }: Resolved, flags: number): TrustedPath {
  return { path: toPath(path), flags: isFollowed ? flags : flags | constants.O_NOFOLLOW };
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
  const trusted = trust(resolveLinks(path), flags);
  return openSync(trusted.path, trusted.flags, mode);
}
