/**
 * Roots of images in which the executable must start: with glibc, with another libc, with nothing. Each is a folder in
 * the cache and an image in the tests' storage. Debian has no packages of Alpine and Ubuntu: their roots come from
 * archives that a variable names.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { hashOfFile, isPresent } from '../../build/cache.ts';
import { platformOf } from '../../build/platform.ts';
import { debianRootfs, keptRootfs } from '../../build/rootfs.ts';
import { importImage } from './containers.ts';

const run = promisify(execFile);

/** A root file system. */
export interface Root {
  /** Makes the folder, unless it is in the cache; returns its path. */
  readonly make: () => Promise<string>;
  /** Line of the executable with ONEVISOR_LIBC=system; null if the root has the libraries. */
  readonly complaint: RegExp | null;
  /** Why this machine cannot make it; null if it can. */
  readonly skip: string | null;
}

const BUSYBOX = '/bin/busybox';
const MUSL = '/lib/ld-musl-x86_64.so.1';
const hasMusl = (await isPresent(BUSYBOX)) && (await isPresent(MUSL));
const NO_LOADER = /^there is no usable \/lib64\/ld-linux-x86-64\.so\.2; without ONEVISOR_LIBC, those inside/;

/** The roots by name. */
export const ROOTS: Readonly<Record<string, Root>> = {
  bullseye: { make: () => debianRootfs([], 'bullseye'), complaint: null, skip: null },
  bookworm: { make: () => debianRootfs(), complaint: null, skip: null },
  trixie: { make: () => debianRootfs([], 'trixie'), complaint: null, skip: null },
  'glibc-without-libstdc': {
    make: () => keptRootfs('glibc-without-libstdc', makeWithoutLibstdc),
    complaint: /libstdc\+\+\.so\.6: cannot open shared object file/,
    skip: null,
  },
  musl: {
    make: () => keptRootfs('musl', makeMusl),
    complaint: NO_LOADER,
    skip: hasMusl ? null : 'musl and busybox-static are not installed',
  },
  empty: { make: () => keptRootfs('empty', makeEmpty), complaint: NO_LOADER, skip: null },
  // https://alpinelinux.org/downloads, "mini root filesystem".
  alpine: await archivedRoot('ALPINE_MINIROOTFS', NO_LOADER),
  // https://cdimage.ubuntu.com/ubuntu-base; its apt needs libstdc++.
  ubuntu: await archivedRoot('UBUNTU_BASE', null),
};

/** A root of the archive that a variable names. */
async function archivedRoot(variable: string, complaint: RegExp | null): Promise<Root> {
  const { [variable]: path = '' } = process.env;
  const skip = path === '' ? `${variable} names no archive of this root` : null;
  const name = skip === null ? `archive-${(await hashOfFile(path)).slice(0, 12)}` : '';
  const unpack = async (folder: string): Promise<void> =>
    void (await run('tar', ['--extract', '--file', path, '--directory', folder]));
  return { make: () => keptRootfs(name, unpack), complaint, skip };
}

/** Tag of the image of a root. */
export async function rootImage(name: string): Promise<string> {
  const root = ROOTS[name];
  if (root === undefined) throw new Error(`cannot make the root ${name}: it is not in the table`);
  return importImage(`localhost/onevisor-root-${basename(await root.make())}:1`, root.make);
}

/** Compiles the program that runs in every root into a folder. Returns its path. */
export async function compileProbe(folder: string): Promise<string> {
  const program = join(folder, 'probe');
  const source = join(import.meta.dirname, 'probe.c');
  await run(platformOf(undefined, undefined).cc, ['-static', '-O1', '-Wall', '-Werror', source, '-o', program]);
  return program;
}

async function makeWithoutLibstdc(folder: string): Promise<void> {
  await run('cp', ['--archive', `${await debianRootfs()}/.`, folder]);
  const libraries = join(folder, 'usr', 'lib', 'x86_64-linux-gnu');
  for (const name of (await readdir(libraries)).filter((one) => one.startsWith('libstdc++')))
    await rm(join(libraries, name));
}

/** A root as Alpine's: busybox, and the loader of musl where programs look for it. */
async function makeMusl(folder: string): Promise<void> {
  for (const name of ['bin', 'lib', 'etc', 'proc', 'dev', 'run', 'tmp']) await mkdir(join(folder, name));
  await copyFile(BUSYBOX, join(folder, 'bin', 'busybox'));
  await copyFile(await realpath(MUSL), join(folder, MUSL));
  for (const name of ['sh', 'ls', 'cat', 'sleep', 'echo', 'id']) await symlink('busybox', join(folder, 'bin', name));
  await writeFile(join(folder, 'etc', 'passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n');
  await writeFile(join(folder, 'etc', 'group'), 'root:x:0:\nnogroup:x:65534:\n');
}

/** A root without any file; podman wants one entry to import. */
async function makeEmpty(folder: string): Promise<void> {
  await mkdir(join(folder, 'proc'));
}
