/**
 * Finds the native addon and loads it: an asset inside the executable, a file of the build in a checkout.
 * Leaves nothing behind on disk, and decides nothing about what the addon is used for.
 */
import { chmodSync, closeSync, constants, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { getRawAsset, isSea } from 'node:sea';
import { messageOf } from '../core/error-text.ts';
import type { Addon } from './addon.ts';

/** Name of the addon: as an asset, beside the executable, and in dist/. */
export const ADDON_NAME = 'onevisor.node';

/** One place from which the addon could not be loaded. */
export interface LoadAttempt {
  readonly path: string;
  readonly reason: string;
}

/** The addon could be loaded from nowhere; the message lists every path tried and says what to do. */
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
 * Loads an addon that exists as bytes: from the file beside the executable where it has just these bytes, else from the
 * first of `folders` in which a file can be made and mapped executable. Throws {@link AddonLoadError}.
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
 * Writes the addon to `folder`, for images whose root is read-only when they run. Returns its path; throws what the
 * file system says.
 */
export function unpackAddon(folder: string): string {
  const path = resolve(folder, ADDON_NAME);
  const next = `${path}.${process.pid}.new`;
  try {
    // Readable for all, whatever the umask: the container may run as any user.
    writeExclusively(next, addonBytes(), 0o755);
    chmodSync(next, 0o755);
    renameSync(next, path);
  } finally {
    rmSync(next, { force: true });
  }
  return path;
}

/** Folders that may be written and mapped from, in the order in which they are tried. */
function writableFolders(): string[] {
  const runtime = process.env['XDG_RUNTIME_DIR'];
  // dlopen searches the library path for a name without a slash, so no path is normalized; the working directory may
  // have been removed.
  return ['/run', '/tmp', '/var/tmp', '/dev/shm', ...(runtime === undefined || runtime === '' ? [] : [runtime]), '.'];
}

function addonBytes(): Uint8Array {
  return isSea() ? new Uint8Array(getRawAsset(ADDON_NAME)) : readFileSync(builtAddon());
}

/** Where `node build/addon.ts` leaves it. Not asked for inside the executable, where import.meta is empty. */
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

/** A file that an older executable unpacked must not be used: its functions may differ. */
function requireSameBytes(path: string, bytes: Uint8Array): void {
  if (Buffer.compare(readFileSync(path), bytes) !== 0) throw new Error('it belongs to another version of onevisor');
}

/**
 * Others may write to the folder: the file is ours alone from the start, and has no name any more once it is loaded.
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
