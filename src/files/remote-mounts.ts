/**
 * Finds paths whose file system may hang: those that another machine or another process serves. The kernel's table of
 * mounts tells, so that no such file system is touched. Local disks may hang too, but then nothing in a container runs.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { dirname, posix } from 'node:path';

/** Types of file systems (proc_pid_mountinfo(5)) whose server is elsewhere. `fuse` also stands for `fuse.NAME`. */
const REMOTE: ReadonlySet<string> = new Set(
  '9p afs autofs beegfs ceph cifs coda fuse fuseblk gfs2 lustre nfs nfs4 ocfs2 orangefs smb3 virtiofs'.split(' '),
);

/** The kernel follows as many links in one path (path_resolution(7)). */
const MAX_LINKS = 40;

/** A remote file system that a path leads to. */
export interface RemotePath {
  /** The path from the mount point on, after the links on the way to it. */
  readonly path: string;
  readonly mountPoint: string;
  readonly type: string;
}

/** Types of the remote file systems by their mount points. */
export type RemoteMounts = ReadonlyMap<string, string>;

/** Reads the text of /proc/self/mountinfo. */
export function parseMounts(text: string): RemoteMounts {
  const mounts = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const mountPoint = decodeOctal(before.split(' ')[4] ?? '');
    const type = after.split(' ')[0] ?? '';
    // A later mount hides an earlier one on the same mount point.
    mounts.delete(mountPoint);
    if (REMOTE.has(type) || type.startsWith('fuse.')) mounts.set(mountPoint, type);
  }
  return mounts;
}

/** The table has white space and backslashes of a mount point as three octal digits. */
function decodeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_whole, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Reads the table of mounts. None without /proc. */
export function readMounts(): RemoteMounts {
  return parseMounts(readTable());
}

function readTable(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}

/** The table that was read last, and when (performance.now). */
let latest = { text: '', mounts: parseMounts(''), atMs: -Infinity };

/** Returns the remote file systems of at most `ageMs` ago: the same object until the table changes. */
export function recentMounts(ageMs: number): RemoteMounts {
  const nowMs = performance.now();
  if (nowMs - latest.atMs >= ageMs) {
    const text = readTable();
    latest = text === latest.text ? { ...latest, atMs: nowMs } : { text, mounts: parseMounts(text), atMs: nowMs };
  }
  return latest.mounts;
}

/**
 * Returns the remote file system that an absolute path leads to; null for none. Follows links, as the kernel would, but
 * looks at local directories only.
 */
export function findRemote(
  path: string,
  mounts: RemoteMounts,
  readLink: (path: string) => string | null = readLinkIfAny,
): RemotePath | null {
  const left = namesOf(path);
  let at = '/';
  let links = 0;
  for (;;) {
    const type = mounts.get(at);
    if (type !== undefined) return { path: posix.join(at, ...left), mountPoint: at, type };
    const name = left.shift();
    if (name === undefined) return null;
    const next = name === '..' ? dirname(at) : posix.join(at, name);
    const target = mounts.has(next) || name === '..' ? null : readLink(next);
    if (target === null) {
      at = next;
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) return null;
    if (target.startsWith('/')) at = '/';
    left.unshift(...namesOf(target));
  }
}

/**
 * Makes a test for absolute paths on the file systems of others that are mounted now. Where the root itself is one,
 * nothing runs while it hangs, so its paths pass.
 */
export function mountsThatMayHang(mounts: RemoteMounts = readMounts()): (path: string) => boolean {
  const others = new Map(mounts);
  others.delete('/');
  return (path) => others.size > 0 && findRemote(path, others) !== null;
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function readLinkIfAny(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
