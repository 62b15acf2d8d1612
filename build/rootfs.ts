/**
 * Makes file systems for tests: a minimal Debian like the image debian:bookworm-slim, the same with some packages, and
 * others. Those of Debian need debootstrap and root. All are cached outside the checkout. Does not run the executable.
 */
import { execFile } from 'node:child_process';
import { access, chmod, constants, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { absentAsNull, hashOf, isPresent } from './cache.ts';

const run = promisify(execFile);

/**
 * Returns the cache folder that is shared by runs and checkouts: $XDG_CACHE_HOME/onevisor, or
 * /var/tmp/onevisor-cache-UID.
 */
export function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'];
  return base !== undefined && base !== ''
    ? join(base, 'onevisor')
    : `/var/tmp/onevisor-cache-${process.getuid?.() ?? 0}`;
}

/** True if a program of this name is on the PATH. */
export async function isInstalled(name: string): Promise<boolean> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const found = await Promise.all(
    folders.map((folder) =>
      access(join(folder, name), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

/** Returns the reason why no file system can be made here; null if one can be made. */
export async function rootfsSkipReason(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'not root';
  if (!(await isInstalled('debootstrap'))) return 'debootstrap is not installed';
  return null;
}

/** Releases of Debian of which file systems are made. */
export type Suite = 'bookworm' | 'bullseye' | 'trixie';

/**
 * Returns the path of a Debian file system with additional `packages`. Makes it if it is not in the cache.
 */
export function debianRootfs(packages: readonly string[] = [], suite: Suite = 'bookworm'): Promise<string> {
  const name = packages.length === 0 ? suite : `${suite}-${hashOf(...packages).slice(0, 12)}`;
  return keptRootfs(name, async (making) => {
    const include = packages.length === 0 ? [] : [`--include=${packages.join(',')}`];
    await run('debootstrap', ['--variant=minbase', ...include, suite, making], { maxBuffer: 1 << 26 });
    await shrink(making);
  });
}

/** Returns the path of a file system in the cache. `make` fills its folder if it is not there. */
export async function keptRootfs(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder(), 'rootfs');
  const kept = join(folder, name);
  if (await isPresent(kept)) return kept;
  await mkdir(folder, { recursive: true });
  const making = await mkdtemp(join(folder, 'making-'));
  try {
    await make(making);
    // The file system becomes the root of images, so every user must be able to enter it.
    await chmod(making, 0o755);
    await rename(making, kept).catch(async (error: NodeJS.ErrnoException) => {
      // Another test run has made the same file system meanwhile.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return kept;
}

/** Removes files that an image does not have: package lists, archives, documentation. */
async function shrink(root: string): Promise<void> {
  for (const folder of [
    'var/cache/apt/archives',
    'var/lib/apt/lists',
    'usr/share/doc',
    'usr/share/man',
    'usr/share/locale',
  ]) {
    for (const name of (await readdir(join(root, folder)).catch(absentAsNull)) ?? [])
      await rm(join(root, folder, name), { recursive: true, force: true });
  }
}
