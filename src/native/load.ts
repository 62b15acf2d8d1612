/**
 * Finds and loads the native addon: an asset inside the executable, or a file of the build in a checkout. Leaves no
 * file behind. Does not use the addon.
 */
import { chmodSync, closeSync, constants, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { getRawAsset, isSea } from 'node:sea';
import { messageOf } from '../core/error-text.ts';
import type { Addon } from './addon.ts';

/** File name of the addon: as an asset, next to the executable, and in dist/. */
export const ADDON_NAME = 'onevisor.node';

/** Path from which the addon could not be loaded, and the reason. */
export interface LoadAttempt {
  readonly path: string;
  readonly reason: string;
}

/** Error of a failed load. The message lists every path that was tried, and advice. */
export class AddonLoadError extends Error {
  readonly attempts: readonly LoadAttempt[];

  constructor(attempts: readonly LoadAttempt[], advice: string) {
    const tried = attempts.map(({ path, reason }) => `  ${path}: ${reason}`).join('\n');
    super(`cannot load the native addon:\n${tried}\n${advice}`);
    this.name = 'AddonLoadError';
    this.attempts = attempts;
  }
}

/** Loads the addon. Throws {@link AddonLoadError}. */
export function loadAddon(): Addon {
  if (!isSea()) return loadFromCheckout();
  const bytes = addonBytes();
  return loadCarried(bytes, dirname(process.execPath), writableFolders());
}

/**
 * Loads an addon from bytes. Uses the file next to the executable if it has the same bytes. Otherwise uses the first of
 * `folders` in which a file can be created and mapped executable. Throws {@link AddonLoadError}.
 */
export function loadCarried(bytes: Uint8Array, besideFolder: string, folders: readonly string[]): Addon {
  const attempts: LoadAttempt[] = [];
  const beside = join(besideFolder, ADDON_NAME);
  try {
    requireSameBytes(beside, bytes);
    return open(beside);
  } catch (error) {
    attempts.push({ path: beside, reason: messageOf(error) });
  }
  for (const [index, folder] of folders.entries()) {
    const path = `${folder}/.onevisor-${process.pid}-${process.hrtime.bigint().toString(36)}${index}.node`;
    try {
      return openFresh(path, bytes);
    } catch (error) {
      attempts.push({ path, reason: messageOf(error) });
    }
  }
  throw new AddonLoadError(
    attempts,
    `Run \`onevisor unpack ${besideFolder}\` when the image is built, or mount a tmpfs that is not noexec at /run.`,
  );
}

/**
 * Writes the addon to `folder`, for images with a read-only root. Returns its path. Throws errors of the file system.
 */
export function unpackAddon(folder: string): string {
  const path = resolve(folder, ADDON_NAME);
  const next = `${path}.${process.pid}.new`;
  try {
    // Readable for all users, whatever the umask, since the container may run as any user.
    writeExclusively(next, addonBytes(), 0o755);
    chmodSync(next, 0o755);
    renameSync(next, path);
  } finally {
    rmSync(next, { force: true });
  }
  return path;
}

/** Returns folders that may allow writing and mapping, in the order of the attempts. */
function writableFolders(): string[] {
  const runtime = process.env['XDG_RUNTIME_DIR'];
  // Paths must keep their slash, since dlopen searches the library path for a name without one. Do not resolve the
  // working directory, which may have been removed.
  return ['/run', '/tmp', '/var/tmp', '/dev/shm', ...(runtime === undefined || runtime === '' ? [] : [runtime]), '.'];
}

function addonBytes(): Uint8Array {
  return isSea() ? new Uint8Array(getRawAsset(ADDON_NAME)) : readFileSync(builtAddon());
}

/**
 * Returns the path that `node build/addon.ts` writes to. Must not run inside the executable, where import.meta is
 * empty.
 */
function builtAddon(): string {
  return join(import.meta.dirname, '..', '..', 'dist', ADDON_NAME);
}

function loadFromCheckout(): Addon {
  const path = builtAddon();
  try {
    return open(path);
  } catch (error) {
    throw new AddonLoadError([{ path, reason: messageOf(error) }], 'Run `node build/addon.ts` first.');
  }
}

/** Throws unless a file has these bytes. A file of an older executable may have other functions. */
function requireSameBytes(path: string, bytes: Uint8Array): void {
  if (Buffer.compare(readFileSync(path), bytes) !== 0) throw new Error('it belongs to another version of onevisor');
}

/**
 * Loads the addon from a new file, and removes the file after loading. Other users may write to the folder, so the file
 * must be new and accessible only to us.
 */
function openFresh(path: string, bytes: Uint8Array): Addon {
  try {
    writeExclusively(path, bytes, 0o700);
    return open(path);
  } finally {
    rmSync(path, { force: true });
  }
}

function writeExclusively(path: string, bytes: Uint8Array, mode: number): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, mode);
  try {
    for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written);
  } finally {
    closeSync(fd);
  }
}

function open(path: string): Addon {
  const target: { exports: Partial<Addon> } = { exports: {} };
  process.dlopen(target, path, osConstants.dlopen.RTLD_NOW);
  return target.exports as Addon;
}
