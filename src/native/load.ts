/**
 * Finds and loads the native addon. It is a part of the libraries inside the executable, with the system's libraries an
 * asset, and in a checkout a file of the build. Leaves no file behind. Does not use the addon.
 */
import { closeSync, constants, openSync, rmSync, writeSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { join } from 'node:path';
import { getRawAsset, isSea } from 'node:sea';
import { messageOf } from '../core/error-text.ts';
import type { Addon } from './addon.ts';

/** Name of the addon: as an asset, and as a product of the build. */
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

/** Name of the addon in the libraries inside: `addon_name` in libc/loading.c, and in loader.ts. No file can have it. */
const ADDON_INSIDE = '/dev/null/onevisor.node';

/** Loads the addon. Throws {@link AddonLoadError}. */
export function loadAddon(): Addon {
  if (!isSea()) return loadFromCheckout();
  const { addon } =
    (globalThis as { readonly ONEVISOR_LOADER?: { readonly addon: Addon | null } }).ONEVISOR_LOADER ?? {};
  if (addon !== undefined && addon !== null) return addon;
  try {
    return open(ADDON_INSIDE);
  } catch {
    // ONEVISOR_LIBC=system: it is linked with the libraries that this process does not use.
    return loadCarried(new Uint8Array(getRawAsset(ADDON_NAME)), writableFolders());
  }
}

/**
 * Loads an addon from bytes, through the first of `folders` in which a file can be created and mapped executable.
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

/** Returns folders that may allow writing and mapping, in the order of the attempts. */
function writableFolders(): string[] {
  const runtime = process.env['XDG_RUNTIME_DIR'];
  // Paths must keep their slash, since dlopen searches the library path for a name without one. Do not resolve the
  // working directory, which may have been removed.
  return ['/run', '/tmp', '/var/tmp', '/dev/shm', ...(runtime === undefined || runtime === '' ? [] : [runtime]), '.'];
}

/** Returns the path that `node build/addon.ts` writes to. Must not run inside the executable: import.meta is empty. */
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
 * Loads the addon from a new file, and removes the file after loading. Other users may write to the folder, so the file
 * must be new and accessible only to us.
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
