/**
 * The libraries of the toolchain that are linked into the executable: glibc, and libstdc++ with libgcc of GCC. Finds
 * their files, their versions, and the exact source packages of the distribution that they were built from.
 */
import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { absentAsNull } from './cache.ts';
import { glibcVersion } from './platform.ts';
import type { Platform } from './platform.ts';

const run = promisify(execFile);

/** A source package of a distribution. */
export interface SourcePackage {
  /** Identifier of the distribution, such as `debian` (os-release(5), ID). */
  readonly distribution: string;
  /** Version of the distribution, such as `12`. */
  readonly release: string;
  readonly name: string;
  readonly version: string;
  /** Text of the copyright notices that the distribution ships with the library; null if they are not installed. */
  readonly notices: string | null;
}

/** A library that is linked statically. */
export interface LinkedLibrary {
  /** Version of its authors, such as 2.36. */
  readonly version: string;
  /** Null if the library is not from a package of Debian or a distribution based on Debian. */
  readonly source: SourcePackage | null;
}

/** Describes the glibc that a platform links. */
export async function linkedGlibc(platform: Platform): Promise<LinkedLibrary> {
  const source = await sourceOf(await toolchainFile(platform, 'libc.a'), /^glibc$/);
  return { version: await glibcVersion(platform), source };
}

/** Describes the libstdc++ that a platform links. libgcc has the same source. */
export async function linkedGcc(platform: Platform): Promise<LinkedLibrary> {
  const source = await sourceOf(await toolchainFile(platform, 'libstdc++.a'), /^gcc-\d+$/);
  return { version: (await run(platform.cxx, ['-dumpfullversion'])).stdout.trim(), source };
}

/** Returns the path of a file of the toolchain. Throws if the file is missing: the compiler then prints the name. */
export async function toolchainFile({ cxx }: Platform, name: string): Promise<string> {
  const path = (await run(cxx, [`-print-file-name=${name}`])).stdout.trim();
  if (path === name)
    throw new Error(`cannot find ${name}: install g++ with its static libraries (Debian's package g++)`);
  return path;
}

/** Returns a value of os-release(5), such as `PRETTY_NAME`; null if it is not set. */
export async function osRelease(key: string): Promise<string | null> {
  const text = (await readFile('/etc/os-release', 'utf8').catch(absentAsNull)) ?? '';
  return new RegExp(`^${key}="?([^"\n]*)`, 'm').exec(text)?.[1] ?? null;
}

/** Finds the source package of a file. A package of a cross compiler names in Built-Using what it has copied. */
async function sourceOf(file: string, wanted: RegExp): Promise<SourcePackage | null> {
  const output = await queryDpkg('--search', await realpath(file));
  const owner = output === null ? undefined : /^([^:\s,]+(?::[a-z0-9]+)?)(?:,[^:]*)?: /.exec(output)?.[1];
  if (owner === undefined) return null;
  const format = '${source:Package}\\t${source:Version}\\t${Built-Using}';
  const found = parseSource((await queryDpkg('--show', '--showformat', format, owner)) ?? '', wanted);
  if (found === null) return null;
  const notices = join('/usr/share/doc', owner.replace(/:.*/, ''), 'copyright');
  return {
    ...found,
    distribution: (await osRelease('ID')) ?? 'debian',
    release: (await osRelease('VERSION_ID')) ?? '',
    notices: await readFile(notices, 'utf8').catch(absentAsNull),
  };
}

/**
 * Reads the name of a source package, its version and Built-Using, with tabs between them. Returns the first of the
 * sources whose name matches; null if there is none.
 */
export function parseSource(text: string, wanted: RegExp): { readonly name: string; readonly version: string } | null {
  const [own = '', ownVersion = '', others = ''] = text.split('\t');
  const used = [...others.matchAll(/(\S+) \(= ([^)\s]+)\)/g)].map(([, name = '', version = '']) => ({ name, version }));
  return [{ name: own, version: ownVersion }, ...used].find(({ name }) => wanted.test(name)) ?? null;
}

/** Returns the output of dpkg-query(1); null if there is no dpkg, or if it knows no such file or package. */
async function queryDpkg(...args: string[]): Promise<string | null> {
  try {
    return (await run('dpkg-query', args)).stdout;
  } catch (error) {
    const { code } = error as { code?: number | string };
    if (code === 'ENOENT' || code === 1) return null;
    throw error;
  }
}
