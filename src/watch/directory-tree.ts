/**
 * One look at the files that patterns match: the directories on the way, and a fingerprint of each file. Reads one
 * entry after the other, so that a file system that hangs holds a single thread of the pool.
 */
import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, opendir, readlink, stat, statfs } from 'node:fs/promises';
import { posix } from 'node:path';
import { errnoOf } from '../core/error-text.ts';
import { PathPatterns, type Positions } from '../core/path-pattern.ts';

/** A directory that was looked at. */
export interface SeenDirectory {
  readonly positions: Positions;
  /** Device and inode: another directory of the same name has another identity. */
  readonly identity: string;
  /** Everything in it that matters, as text. */
  readonly signature: string;
}

/** Result of a look. */
export interface Look {
  readonly patterns: PathPatterns;
  /** By absolute path. */
  readonly directories: ReadonlyMap<string, SeenDirectory>;
  /** Fingerprints of the files that match, by absolute path. */
  readonly files: ReadonlyMap<string, string>;
  /** Names of file systems on the way that do not report changes of other machines. */
  readonly remote: ReadonlySet<string>;
}

/** Wishes for a look. */
export interface LookSettings {
  /** Absolute patterns (core/path-pattern.ts). */
  readonly patterns: readonly string[];
  /** True for a file that does not count, such as a log of ours. */
  readonly isIgnored: (path: string) => boolean;
  /** Called with each directory before it is read. */
  readonly enterDirectory: (path: string, identity: string) => void;
}

/** The patterns reach more than can be watched. */
export class TooManyError extends Error {}

/** Limits: a kernel allows 8,192 watched directories to a user by default on small machines (inotify(7)). */
const MAX_DIRECTORIES = 4096;
const MAX_FILES = 100_000;
/** Links whose targets are followed. */
const MAX_LINKS = 256;

/** File systems whose changes come from other machines, by the magic numbers of statfs(2). */
const REMOTE: ReadonlyMap<number, string> = new Map([
  [0x6969, 'nfs'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb2'],
  [0x517b, 'smb'],
  [0x01021997, '9p'],
  [0x00c36400, 'ceph'],
  [0x5346414f, 'afs'],
]);

/** Errors of entries that vanish, or may not be looked at. */
const GONE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'ESTALE']);

/**
 * Looks at all files that match. A symbolic link counts with its target, and the directories on the way to the target
 * count too: `app.conf -> ..data/app.conf` of a ConfigMap changes when `..data` does. Throws {@link TooManyError}.
 */
export async function lookAt(settings: LookSettings): Promise<Look> {
  const targets = new Set<string>();
  for (;;) {
    const walk = new Walk(settings, [...targets]);
    await walk.directory('/', walk.patterns.root());
    const before = targets.size;
    for (const target of walk.linkTargets) if (targets.size < MAX_LINKS) targets.add(target);
    if (targets.size === before) return walk;
  }
}

/** Looks at one directory again. Returns its signature; null if it is gone. */
export async function lookAgain(
  settings: LookSettings,
  { patterns, directories }: Look,
  path: string,
): Promise<string | null> {
  const seen = directories.get(path);
  const now = seen === undefined ? null : await statIfThere(path);
  if (seen === undefined || now?.isDirectory() !== true || identityOf(now) !== seen.identity) return null;
  const entries = await readEntries(settings, patterns, { path, positions: seen.positions });
  return signatureOf(entries);
}

/** One entry of a directory that matters. */
interface Entry {
  readonly name: string;
  readonly path: string;
  readonly isLink: boolean;
  readonly stats: BigIntStats | null;
  readonly isWanted: boolean;
  readonly positions: Positions;
}

class Walk implements Look {
  readonly patterns: PathPatterns;
  readonly directories = new Map<string, SeenDirectory>();
  readonly files = new Map<string, string>();
  readonly remote = new Set<string>();
  readonly linkTargets = new Set<string>();
  readonly #settings: LookSettings;
  readonly #devices = new Set<bigint>();

  constructor(settings: LookSettings, targets: readonly string[]) {
    this.#settings = settings;
    this.patterns = new PathPatterns(settings.patterns, targets);
  }

  /** Looks at a directory and everything below it that can match. */
  async directory(path: string, positions: Positions): Promise<void> {
    const stats = await statIfThere(path);
    if (stats === null) return;
    const identity = identityOf(stats);
    if (this.directories.size >= MAX_DIRECTORIES) throw new TooManyError(`more than ${MAX_DIRECTORIES} directories`);
    this.#settings.enterDirectory(path, identity);
    await this.#noteDevice(path, stats.dev);
    const entries = await readEntries(this.#settings, this.patterns, { path, positions });
    this.directories.set(path, { positions, identity, signature: signatureOf(entries) });
    for (const entry of entries) {
      if (entry.isLink) await this.#noteLink(entry.path);
      if (entry.stats?.isDirectory() === true) await this.directory(entry.path, entry.positions);
      else if (entry.isWanted && entry.stats !== null) this.#addFile(entry.path, entry.stats);
    }
  }

  #addFile(path: string, stats: BigIntStats): void {
    if (this.files.size >= MAX_FILES) throw new TooManyError(`more than ${MAX_FILES} files`);
    this.files.set(path, fingerprintOf(stats));
  }

  async #noteLink(path: string): Promise<void> {
    try {
      this.linkTargets.add(posix.resolve(posix.dirname(path), await readlink(path)));
    } catch (error) {
      throwUnlessGone(error);
    }
  }

  async #noteDevice(path: string, device: bigint): Promise<void> {
    if (this.#devices.has(device)) return;
    this.#devices.add(device);
    try {
      const name = REMOTE.get((await statfs(path)).type);
      if (name !== undefined) this.remote.add(`${path} (${name})`);
    } catch (error) {
      throwUnlessGone(error);
    }
  }
}

async function readEntries(
  { isIgnored }: LookSettings,
  patterns: PathPatterns,
  { path, positions }: { readonly path: string; readonly positions: Positions },
): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const name of patterns.namesIn(positions) ?? (await listNames(path))) {
    const below = posix.join(path, name);
    const { isMatch, isWanted, positions: next } = patterns.enter(positions, name, false);
    if (!isMatch && next.length === 0) continue;
    const link = await lstatIfThere(below);
    if (link === null || isIgnored(below)) continue;
    const isLink = link.isSymbolicLink();
    const stats = isLink ? await statIfThere(below) : link;
    if (!isLink && stats?.isFile() !== true && stats?.isDirectory() !== true) continue;
    const followed = isLink ? patterns.enter(positions, name, true).positions : next;
    if (stats?.isDirectory() === true && followed.length === 0) continue;
    entries.push({ name, path: below, isLink, stats, isWanted, positions: followed });
  }
  return entries;
}

async function listNames(path: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of (await opendir(path)) as AsyncIterable<Dirent>) {
      if (names.length >= MAX_FILES) throw new TooManyError(`more than ${MAX_FILES} files`);
      names.push(name);
    }
  } catch (error) {
    throwUnlessGone(error);
  }
  return names.sort();
}

function signatureOf(entries: readonly Entry[]): string {
  return entries.map(({ name, stats }) => `${name}\0${stats === null ? '' : entryMark(stats)}`).join('\0\0');
}

function entryMark(stats: BigIntStats): string {
  return stats.isDirectory() ? identityOf(stats) : fingerprintOf(stats);
}

function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

function fingerprintOf(stats: BigIntStats): string {
  return `${identityOf(stats)}:${stats.size}:${stats.mtimeNs}`;
}

async function statIfThere(path: string): Promise<BigIntStats | null> {
  return ifThere(stat(path, { bigint: true }));
}

async function lstatIfThere(path: string): Promise<BigIntStats | null> {
  return ifThere(lstat(path, { bigint: true }));
}

async function ifThere(reading: Promise<BigIntStats>): Promise<BigIntStats | null> {
  try {
    return await reading;
  } catch (error) {
    throwUnlessGone(error);
    return null;
  }
}

function throwUnlessGone(error: unknown): void {
  if (!GONE.has(errnoOf(error) ?? '')) throw error;
}
