/**
 * The target machine and the tools of a build: processor, C compiler, strip, and the Node for the executable. Builds
 * nothing. All look-ups that depend on the machine are here.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { isPresent } from './cache.ts';

const run = promisify(execFile);

/** The top folder of the checkout. */
export const ROOT = join(import.meta.dirname, '..');
/** Output folder of the build. */
export const DIST = join(ROOT, 'dist');
/** Cache for later builds. Deleting it only costs time. */
export const CACHE = join(DIST, '.cache');

/** Processors that an executable can be built for. */
export const ARCHS = ['x64', 'arm64'] as const;
export type Arch = (typeof ARCHS)[number];

/** A machine to build for. */
export interface Platform {
  readonly arch: Arch;
  /** C compiler for this machine. */
  readonly cc: string;
  /** C++ compiler of the same toolchain; it brings the static libraries. */
  readonly cxx: string;
  /** True if its programs cannot run here. */
  readonly foreign: boolean;
}

/** Names of processors that Debian and container engines use and Node does not. */
const OTHER_NAMES: Readonly<Record<string, Arch>> = { amd64: 'x64' };

export function isArch(text: string): text is Arch {
  return (ARCHS as readonly string[]).includes(text);
}

/** Returns the name of a processor in Debian's packages and in container images. */
export function debianArch(arch: Arch): string {
  return Object.entries(OTHER_NAMES).find(([, name]) => name === arch)?.[0] ?? arch;
}

/**
 * Describes the machine `arch`, by default this one. `arch` may have the name of Debian. Another processor needs a
 * cross compiler, by default with Debian's name.
 */
export function platformOf(arch: string | undefined, cc: string | undefined): Platform {
  const chosen = OTHER_NAMES[arch ?? ''] ?? arch ?? process.arch;
  if (!isArch(chosen)) throw new Error(`cannot build for ${chosen}: only ${ARCHS.join(' and ')} are known`);
  const foreign = chosen !== process.arch;
  const cross = chosen === 'arm64' ? 'aarch64-linux-gnu-gcc' : 'x86_64-linux-gnu-gcc';
  const compiler = cc ?? (foreign ? cross : (process.env['CC'] ?? 'cc'));
  return { arch: chosen, cc: compiler, cxx: process.env['CXX'] ?? cxxOf(compiler), foreign };
}

/** The C++ compiler beside a C compiler, by the usual names: cc and c++, gcc-14 and g++-14, clang and clang++. */
function cxxOf(cc: string): string {
  return cc.replace(/(gcc|cc|clang)(-[\d.]+)?$/, (_, name: string, version = '') => {
    const names: Readonly<Record<string, string>> = { gcc: 'g++', cc: 'c++', clang: 'clang++' };
    return `${names[name] ?? name}${String(version)}`;
  });
}

/** Returns the folder for the products of a platform: dist for this machine, dist/ARCH for another. */
export function productFolder(platform: Platform): string {
  return platform.foreign ? join(DIST, platform.arch) : DIST;
}

/** Returns what a compiler says about its version. Throws an error that names the package if it is not installed. */
export async function compilerVersion(program: string): Promise<string> {
  const { stdout } = await run(program, ['--version']).catch((cause: unknown) => {
    throw new Error(`cannot run ${program}: install g++ with its static libraries`, { cause });
  });
  return stdout;
}

/** Returns a tool for object files, such as `strip`, that belongs to the compiler of a platform. */
export async function toolOf(platform: Platform, name: string): Promise<string> {
  const { stdout } = await run(platform.cc, [`-print-prog-name=${name}`]);
  return stdout.trim();
}

/** Returns the version of the glibc that a compiler links, such as 2.36. */
export async function glibcVersion(platform: Platform): Promise<string> {
  const { stdout } = await run(platform.cc, ['-dM', '-E', '-include', 'features.h', '-x', 'c', '/dev/null']);
  const numbers = ['__GLIBC__', '__GLIBC_MINOR__'].map((name) =>
    new RegExp(`^#define ${name} (\\d+)$`, 'm').exec(stdout),
  );
  if (numbers.includes(null)) throw new Error(`cannot find the version of glibc: ${platform.cc} has another libc`);
  return numbers.map((match) => match?.[1]).join('.');
}

/**
 * Returns $PATH for tests. If `python3` is a script, as the shims of pyenv are, the folder of the real Python comes
 * first: such a script runs bash more than ten times before Python starts.
 */
export async function pathWithoutShims(path: string): Promise<string> {
  try {
    const { stdout: found } = await run('sh', ['-c', 'command -v python3'], { env: { PATH: path } });
    await using file = await open(found.trim());
    const { buffer } = await file.read({ buffer: Buffer.alloc(2) });
    if (buffer.toString('latin1') !== '#!') return path;
    const { stdout: real } = await run('python3', ['-c', 'import sys; print(sys.executable)'], {
      env: { ...process.env, PATH: path },
    });
    return `${dirname(real.trim())}:${path}`;
  } catch {
    // There is no Python. The tests that need Python say so.
    return path;
  }
}

/** The part of package.json that is read. */
export interface Package {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly author: string;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

/** Reads package.json, the only source of our version and of Node's. */
export async function readPackage(): Promise<Package> {
  return JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Package;
}

/** Folders with everything that is built, besides files at the top. */
const SOURCE_FOLDERS: readonly string[] = ['src', 'build'];

/**
 * Returns the commit of the sources (`checkedOutCommit`); null outside a checkout. There, SOURCE_COMMIT may name it, as
 * in the Dockerfile: the context of its build has no history.
 */
export async function sourceCommit(): Promise<string | null> {
  const given = process.env['SOURCE_COMMIT'];
  return given !== undefined && given !== '' ? given : checkedOutCommit(ROOT);
}

/**
 * Returns the commit of a checkout, with `-dirty` behind it if files of git were changed, or if git does not have all
 * files in the folders of the sources; null if the folder is no checkout, or git is not installed.
 */
export async function checkedOutCommit(folder: string): Promise<string | null> {
  // A checkout of something else that this folder is in does not count.
  const git = async (...args: string[]): Promise<string> =>
    (await run('git', ['--git-dir', join(folder, '.git'), ...args], { cwd: folder })).stdout.trim();
  try {
    const commit = await git('describe', '--always', '--dirty', '--abbrev=40', '--exclude', '*');
    const unknown = await git('ls-files', '--others', '--exclude-standard', '--', ...SOURCE_FOLDERS);
    return unknown === '' || commit.endsWith('-dirty') ? commit : `${commit}-dirty`;
  } catch {
    // There is no git, no checkout, or the checkout is another user's.
    return null;
  }
}

/**
 * Returns the time of the sources: SOURCE_DATE_EPOCH (reproducible-builds.org) if it is set, otherwise the time of the
 * commit; null if there is none.
 */
export async function sourceDate(): Promise<Date | null> {
  const given = process.env['SOURCE_DATE_EPOCH'];
  if (given !== undefined && given !== '') {
    if (!/^\d{1,11}$/.test(given)) throw new Error(`cannot use SOURCE_DATE_EPOCH=${given}: it is a number of seconds`);
    return new Date(Number(given) * 1000);
  }
  try {
    const args = ['--git-dir', join(ROOT, '.git'), 'log', '-1', '--format=%ct', 'HEAD'];
    return new Date(Number((await run('git', args, { cwd: ROOT })).stdout) * 1000);
  } catch {
    // The same reasons as for the commit.
    return null;
  }
}

/**
 * Returns the Node executable for a platform, from an npm package. npm installs the package for this machine only. For
 * another machine, `npm pack` fetches it, and its integrity is compared with the lockfile.
 */
export async function nodeFor(platform: Platform): Promise<string> {
  const name = `node-linux-${platform.arch}`;
  const installed = join(ROOT, 'node_modules', name, 'bin', 'node');
  if (await isPresent(installed)) return installed;
  if (!platform.foreign) throw new Error(`cannot find ${name}: run "npm ci", without --omit=optional`);
  const version = (await readPackage()).optionalDependencies[name];
  if (version === undefined) throw new Error(`cannot find a version of ${name} in package.json`);
  const folder = join(CACHE, `${name}-${version}`);
  const unpacked = join(folder, 'package', 'bin', 'node');
  if (await isPresent(unpacked)) return unpacked;
  await mkdir(folder, { recursive: true });
  await run('npm', ['pack', `${name}@${version}`, '--pack-destination', folder], { cwd: ROOT });
  const archive = join(folder, `${name}-${version}.tgz`);
  await compareIntegrity(archive, name);
  await run('tar', ['-xzf', archive, '-C', folder, 'package/bin/node']);
  return unpacked;
}

/** Throws if an archive is not the one that package-lock.json names. */
async function compareIntegrity(archive: string, name: string): Promise<void> {
  const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { integrity?: string }>;
  };
  const expected = lock.packages[`node_modules/${name}`]?.integrity;
  const actual = `sha512-${createHash('sha512')
    .update(await readFile(archive))
    .digest('base64')}`;
  if (expected !== actual)
    throw new Error(`cannot use ${archive}: its integrity is ${actual}, package-lock.json says ${String(expected)}`);
}
