/**
 * Makes the native addon as a file, for checkouts and for ONEVISOR_LIBC=system; build/libc links it into the
 * executable, too. It is one call of the C compiler on src/native/*.c, and a look at what the result asks of glibc.
 * Runs by itself (`node build/addon.ts [--arch ARCH] [--cc CC] [--out FILE] [--sanitize]`) and as a step of the build.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { hashOf, hashOfFile, makeUnlessCurrent } from './cache.ts';
import { neededVersions } from './elf.ts';
import { CACHE, compilerVersion, platformOf, ROOT } from './platform.ts';
import type { Arch } from './platform.ts';

const run = promisify(execFile);

/** The newest glibc that the addon may need. Debian 10, RHEL 8 and Ubuntu 20.04 have at least this version. */
const NEWEST_GLIBC = '2.28';

/** _FORTIFY_SOURCE is undefined because fortified functions need newer symbols, and only some compilers define it. */
const FLAGS: readonly string[] = [
  '-std=c17',
  '-D_GNU_SOURCE',
  '-U_FORTIFY_SOURCE',
  '-O2',
  '-fPIC',
  '-fvisibility=hidden',
  '-fno-plt',
];

/** Every warning about our C is an error. */
export const WARNINGS: readonly string[] = ['-Wall', '-Wextra', '-Werror'];

/** Both sanitizers, with every finding fatal. They need a newer glibc, so such a build is for tests only. */
export const SANITIZER_FLAGS: readonly string[] = [
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
  '-fno-omit-frame-pointer',
  '-g',
];

export interface AddonOptions {
  readonly arch: Arch;
  /** The C compiler; a cross compiler for another processor. */
  readonly cc: string;
  /** Path of the product; by default `onevisor.node` in the cache, where src/native/load.ts finds it in a checkout. */
  readonly out?: string;
  /** True for tests: builds with AddressSanitizer and UndefinedBehaviorSanitizer. */
  readonly sanitize?: boolean;
}

/**
 * Builds the addon unless it is up to date, and returns its path. Throws if it does not compile, or needs a newer glibc
 * than allowed.
 */
export async function buildAddon({ arch, cc, out, sanitize = false }: AddonOptions): Promise<string> {
  const product = out ?? join(CACHE, arch, sanitize ? 'onevisor-sanitized.node' : 'onevisor.node');
  const { sources, headers } = await addonSources();
  const flags = [...FLAGS, ...WARNINGS, ...(sanitize ? SANITIZER_FLAGS : []), ...headerFlags(), '-shared'];
  const hashes = await Promise.all([...sources, ...headers].map(hashOfFile));
  const compiler = await compilerVersion(cc);
  const key = hashOf(product, cc, compiler, flags.join(' '), sources.join(' '), ...hashes);
  await makeUnlessCurrent(product, join(CACHE, `addon-${hashOf(product).slice(0, 16)}.key`), key, async (output) => {
    await run(cc, [...flags, ...sources, '-o', output]);
    if (!sanitize) await requireOldGlibc(output);
  });
  return product;
}

/** Lists the C files and headers of the addon. */
export async function addonSources(): Promise<{ readonly sources: string[]; readonly headers: string[] }> {
  const folder = join(ROOT, 'src', 'native');
  const names = (await readdir(folder)).sort();
  const pathsOf = (ending: string): string[] =>
    names.filter((name) => name.endsWith(ending)).map((name) => join(folder, name));
  return { sources: pathsOf('.c'), headers: pathsOf('.h') };
}

/** Options by which the compiler finds the headers of Node. */
export function headerFlags(): string[] {
  const headers = join(dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')), 'include');
  // Only Node's own package has the header of its event loop. npm installs the package for this machine; its header is
  // the same on all.
  const loopHeaders = join(ROOT, 'node_modules', `node-linux-${process.arch}`, 'include', 'node');
  return ['-isystem', headers, '-isystem', loopHeaders];
}

/** Throws if a shared object needs a symbol that is newer than {@link NEWEST_GLIBC}. */
async function requireOldGlibc(file: string): Promise<void> {
  const prefix = 'GLIBC_';
  const needed = neededVersions(await readFile(file))
    .filter((version) => version.startsWith(prefix))
    .map((version) => version.slice(prefix.length));
  const newer = needed.filter((version) => version.localeCompare(NEWEST_GLIBC, 'en', { numeric: true }) > 0);
  if (needed.length === 0) throw new Error(`cannot check ${file}: it names no version of glibc`);
  if (newer.length > 0)
    throw new Error(`cannot use ${file}: it needs glibc ${newer.join(', ')}, at most ${NEWEST_GLIBC} is allowed`);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string' },
      cc: { type: 'string' },
      out: { type: 'string' },
      sanitize: { type: 'boolean', default: false },
    },
  });
  const { arch, cc } = platformOf(values.arch, values.cc);
  const path = await buildAddon({
    arch,
    cc,
    sanitize: values.sanitize,
    ...(values.out === undefined ? {} : { out: values.out }),
  });
  console.log(relative(ROOT, path));
}
