/**
 * `npm run verify`: checks properties of the executable that images rely on. It must need no loader of the system and
 * start on a bare Debian 12 file system. With ONEVISOR_LIBC=system it must need only common libraries and no glibc
 * newer than 2.28. It must not be too large. A build of the same sources in another folder must give the same bytes.
 * Prints the sizes. Leaves dist/ as it is.
 */
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { cp, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs, promisify } from 'node:util';
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import type { Transform } from 'node:stream';
import { hashOfFile } from './cache.ts';
import { neededVersions } from './elf.ts';
import { ElfImage, SegmentType } from './libc/elf-image.ts';
import { CACHE, platformOf, productFolder, ROOT, sourceCommit } from './platform.ts';
import { debianRootfs, rootfsSkipReason } from './rootfs.ts';

const run = promisify(execFile);

/** The newest glibc that may be needed. Debian 10, RHEL 8, Ubuntu 20.04 and later systems have it. */
const NEWEST_GLIBC = '2.28';

/** Libraries of every glibc image with libstdc++, such as debian:bookworm-slim. */
const LIBRARIES: ReadonlySet<string> = new Set([
  'libc.so.6',
  'libdl.so.2',
  'libgcc_s.so.1',
  'libm.so.6',
  'libpthread.so.0',
  'libstdc++.so.6',
  'ld-linux-x86-64.so.2',
  'ld-linux-aarch64.so.1',
]);

/** The executable must not grow unnoticed. The client as a bundle of its own took 1.2 MB. */
const LARGEST_BYTES = 84e6;

const { values: options } = parseArgs({
  options: { arch: { type: 'string' }, sizes: { type: 'boolean', default: true } },
  allowNegative: true,
});
const platform = platformOf(options.arch, undefined);
const executable = join(productFolder(platform), 'onevisor');
/** Parts that use the system's libraries with ONEVISOR_LIBC=system. */
const systemParts = ['node', 'onevisor.node'].map((name) => join(CACHE, platform.arch, name));
const problems: string[] = [];

for (const file of systemParts) {
  const { glibc, libraries } = await needsOf(file);
  console.log(`${relative(ROOT, file)}: glibc ${glibc}, ${libraries.join(' ')}`);
  if (compareVersions(glibc, NEWEST_GLIBC) > 0)
    problems.push(`${file} needs glibc ${glibc}, at most ${NEWEST_GLIBC} is allowed`);
  for (const library of libraries)
    if (!LIBRARIES.has(library)) problems.push(`${file} needs ${library}, which slim images lack`);
}
const image = new ElfImage(await readFile(executable));
if (image.segments.some(({ type }) => type === SegmentType.interpreter))
  problems.push(`${executable} names a loader of the system`);
if (image.bytes.length > LARGEST_BYTES)
  problems.push(`${executable} has ${megabytes(image.bytes.length)}, at most ${megabytes(LARGEST_BYTES)} are allowed`);
const skipped = platform.foreign ? 'it is for another processor' : await rootfsSkipReason();
if (skipped === null) await startOnBareSystem();
else console.log(`start on a bare system: skipped, ${skipped}`);
if (platform.foreign) console.log('build in another folder: skipped, it is for another processor');
else await buildElsewhere();
if (options.sizes) await printSizes();
for (const problem of problems) console.error(`verify: ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;

/** Returns the needs of an ELF file: the highest version of glibc's symbols, and the libraries. */
async function needsOf(file: string): Promise<{ glibc: string; libraries: string[] }> {
  const { stdout } = await run('readelf', ['--dynamic', '--wide', file]);
  const libraries = [...stdout.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map((match) => match[1] ?? '');
  const versions = neededVersions(await readFile(file)).flatMap(
    (version) => /^GLIBC_([0-9.]+)$/.exec(version)?.[1] ?? [],
  );
  return { glibc: versions.sort(compareVersions).at(-1) ?? '0', libraries };
}

/** Compares versions such as 2.4 and 2.28 by their numbers. */
function compareVersions(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}

/**
 * Starts the executable in a bare file system. The bind mount is in a mount namespace of its own, so it leaves nothing
 * behind.
 */
async function startOnBareSystem(): Promise<void> {
  const root = await debianRootfs();
  const script = 'mount --bind "$1" "$2/mnt" && exec chroot "$2" /mnt/onevisor --version';
  try {
    const { stdout } = await run('unshare', ['--mount', 'sh', '-c', script, 'sh', productFolder(platform), root], {
      timeout: 60_000,
    });
    console.log(`start on a bare system: ${stdout.trim()}`);
  } catch (error) {
    problems.push(
      `${executable} does not start on a bare system: ` +
        ((error as { stderr?: string }).stderr?.trim() || String(error)),
    );
  }
}

/** Builds the executable from nothing in another folder, and compares the bytes. */
async function buildElsewhere(): Promise<void> {
  const folder = await mkdtemp(join(CACHE, 'verify-'));
  try {
    for (const name of ['build', 'src', 'LICENSE', 'package.json', 'package-lock.json', 'tsconfig.json'])
      await cp(join(ROOT, name), join(folder, name), { recursive: true });
    // Hard links: the bundle has the paths of the packages, which a symbolic link would change.
    await run('cp', ['-al', join(ROOT, 'node_modules'), folder]);
    const env = { ...process.env, SOURCE_COMMIT: (await sourceCommit()) ?? '' };
    await run(process.execPath, [join(folder, 'build', 'build.ts'), '--quiet'], { cwd: folder, env });
    const [here, there] = await Promise.all([executable, join(folder, 'dist', 'onevisor')].map(hashOfFile));
    console.log(`build in another folder: sha256 ${String(there)}`);
    if (here !== there)
      problems.push(
        `${executable} has sha256 ${String(here)}, but a build of the same sources in another folder differs`,
      );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function printSizes(): Promise<void> {
  const best = { params: { [constants.ZSTD_c_compressionLevel]: 19 } };
  const [gzip, zstd] = await Promise.all([compressedSize(createGzip()), compressedSize(createZstdCompress(best))]);
  console.log(
    `size: ${megabytes((await stat(executable)).size)}, gzip ${megabytes(gzip)}, zstd -19 ${megabytes(zstd)}`,
  );
}

async function compressedSize(compressor: Transform): Promise<number> {
  let size = 0;
  await pipeline(createReadStream(executable), compressor, async (pieces: AsyncIterable<Buffer>) => {
    for await (const piece of pieces) size += piece.length;
  });
  return size;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
