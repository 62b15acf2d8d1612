/**
 * Finds the native addon and loads it: a part of the libraries inside the executable; with the system's libraries, an
 * asset; in a checkout, a file of the build.
 * Leaves nothing behind on disk, and decides nothing about what the addon is used for.
 */
import { closeSync, constants, openSync, rmSync, writeSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { join } from 'node:path';
import { getRawAsset, isSea } from 'node:sea';
import { messageOf } from '../core/error-text.ts';
import type { Addon } from './addon.ts';

/** Name of the addon: as an asset, and as a product of the build. */
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

/** Name by which the libraries inside have the addon: `addon_name` in libc/loading.c. No file can have it. */
const ADDON_INSIDE = '/dev/null/onevisor.node';

/** Loads the addon. Throws {@link AddonLoadError}. */
export function loadAddon(): Addon {
  if (!isSea()) return loadFromCheckout();
  try {
    return open(ADDON_INSIDE);
  } catch {
    // ONEVISOR_LIBC=system: it is linked with the libraries that this process does not use.
    return loadCarried(new Uint8Array(getRawAsset(ADDON_NAME)), writableFolders());
  }
}

/**
 * Loads an addon that exists as bytes, from the first of `folders` in which a file can be made and mapped executable.
 * Throws {@link AddonLoadError}.
 */
export function loadCarried(bytes: Uint8Array, folders: readonly string[]): Addon {
  const attempts: LoadAttempt[] = [];
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
    'Leave ONEVISOR_LIBC out: then no file is needed. Or mount a tmpfs that is not noexec at /run.',
  );
}

/** Folders that may be written and mapped from, in the order in which they are tried. */
function writableFolders(): string[] {
  const runtime = process.env['XDG_RUNTIME_DIR'];
  // dlopen searches the library path for a name without a slash, so no path is normalized; the working directory may
  // have been removed.
  return ['/run', '/tmp', '/var/tmp', '/dev/shm', ...(runtime === undefined || runtime === '' ? [] : [runtime]), '.'];
}

/** Where `node build/addon.ts` leaves it. Not asked for inside the executable, where import.meta is empty. */
function builtAddon(): string {
  return join(import.meta.dirname, '..', '..', 'dist', '.cache', process.arch, ADDON_NAME);
}

function loadFromCheckout(): Addon {
  const path = builtAddon();
  try {
    return open(path);
  } catch (error) {
    throw new AddonLoadError([{ path, reason: messageOf(error) }], 'Run `node build/addon.ts` first.');
  }
}

/**
 * Others may write to the folder: the file is ours alone from the start, and has no name any more once it is loaded.
 */
function openFresh(path: string, bytes: Uint8Array): Addon {
  try {
    writeExclusively(path, bytes);
    return open(path);
  } finally {
    rmSync(path, { force: true });
  }
}

function writeExclusively(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o700);
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
