/**
 * Links the libraries inside: glibc, libstdc++, libgcc, the addon and src/native/libc, as one static program at an
 * address that Node leaves free. The result depends on Node, the C sources and the toolchain, not on our program.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { addonSources, headerFlags, WARNINGS } from '../addon.ts';
import { hashOf, hashOfFile, makeUnlessCurrent } from '../cache.ts';
import { CACHE, compilerVersion, ROOT, toolOf } from '../platform.ts';
import { toolchainFile } from '../toolchain.ts';
import { ElfImage } from './elf-image.ts';
import { sortImports } from './import-rules.ts';
import { importTables, nodeHeader, nodeSymbols, sharedAddresses, threadSize } from './import-table.ts';
import { defaultScript, withNodeThreadBlock } from './linker-script.ts';
import { PAGE_BYTES } from './free-pages.ts';
import type { Platform } from '../platform.ts';

const run = promisify(execFile);

/** Address of the libraries: above Node, which is not relocatable, and below what the kernel gives out. */
const ADDRESS = 0x20000000;

const SOURCES = join(ROOT, 'src', 'native', 'libc');
/** Sources that run before any libc: no protected stack, no calls of memcpy(3), no vector registers. */
const EARLY_SOURCES: readonly string[] = [
  'entry.c',
  'loader.c',
  'variables.c',
  'early-signals.c',
  'streams.c',
  'text.c',
];
const EARLY_FLAGS: readonly string[] = ['-ffreestanding', '-fno-stack-protector', '-fno-tree-loop-distribute-patterns'];

/** Code at a fixed address. */
const FLAGS: readonly string[] = ['-std=gnu17', '-D_GNU_SOURCE', '-U_FORTIFY_SOURCE', '-O2', '-fno-pie'];

const LINKER_FLAGS: readonly string[] = [
  '-static',
  '-no-pie',
  '-nostartfiles',
  '-fuse-ld=bfd',
  `-Wl,-Ttext-segment=0x${ADDRESS.toString(16)}`,
  '-Wl,-e,enter_process',
  '-Wl,--eh-frame-hdr',
  '-Wl,--wrap=_dl_find_object',
  // glibc makes the constants read-only at its start (join.ts has the entry in the table that glibc reads).
  '-Wl,-z,relro',
  '-Wl,--build-id=none',
  // For linkFailure.
  '-Wl,--no-demangle',
];

/** Makes the libraries for a Node executable unless they are up to date. Returns their path, for debuggers, too. */
export async function buildLibraries(platform: Platform, nodePath: string): Promise<string> {
  const product = join(CACHE, platform.arch, 'libraries');
  const compiler = await compilerVersion(platform.cxx);
  const own = (await readdir(SOURCES)).sort().map((name) => join(SOURCES, name));
  const { sources, headers } = await addonSources();
  const archives = await Promise.all(['libc.a', 'libstdc++.a'].map((name) => toolchainFile(platform, name)));
  const inputs = [nodePath, ...archives, ...own, ...(await builderFiles()), ...sources, ...headers];
  const key = hashOf(platform.cc, platform.cxx, compiler, ...(await Promise.all(inputs.map(hashOfFile))));
  await makeUnlessCurrent(product, `${product}.key`, key, async (output) => {
    const folder = await mkdtemp(join(CACHE, 'libraries-'));
    try {
      const objects = await compile(platform, nodePath, folder);
      await link(platform, objects, { folder, output });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
  return product;
}

/** Sources of this folder: what it makes changes with them. */
export async function builderFiles(): Promise<string[]> {
  return (await readdir(import.meta.dirname)).sort().map((name) => join(import.meta.dirname, name));
}

interface Objects {
  readonly files: readonly string[];
  readonly linkerFlags: readonly string[];
}

/** Compiles everything that is not in a library. */
async function compile(platform: Platform, nodePath: string, folder: string): Promise<Objects> {
  const node = new ElfImage(await readFile(nodePath));
  const imports = sortImports(node);
  const { stdout: verbose } = await run(await toolOf(platform, 'ld.bfd'), ['-static', '--verbose']);
  const script = withNodeThreadBlock(defaultScript(verbose), node.arch, threadSize(node));
  await writeFile(join(folder, 'script.ld'), script);
  await writeFile(join(folder, 'imports.S'), importTables(node, imports));
  await writeFile(join(folder, 'node-image.h'), nodeHeader(node, imports));
  const { sources } = await addonSources();
  const own = (await readdir(SOURCES)).filter((name) => name.endsWith('.c'));
  const groups = [
    { flags: headerFlags(), files: sources },
    { flags: [...EARLY_FLAGS, ...(node.arch === 'x64' ? ['-mgeneral-regs-only'] : [])], files: early(own, true) },
    { flags: [], files: early(own, false) },
    { flags: [], files: [join(folder, 'imports.S')] },
  ];
  for (const { flags, files } of groups)
    await run(platform.cc, [...FLAGS, ...WARNINGS, `-I${folder}`, ...flags, '-c', ...files], { cwd: folder });
  await requireNoLibc(platform, folder);
  const wanted = await nodeNamesIn(platform, folder);
  await writeFile(join(folder, 'node-symbols.S'), nodeSymbols(node, wanted));
  await run(platform.cc, ['-c', 'node-symbols.S'], { cwd: folder });
  const files = (await readdir(folder)).filter((name) => name.endsWith('.o')).sort();
  return {
    files,
    linkerFlags: ['-Wl,-T,script.ld', `-Wl,-z,max-page-size=${PAGE_BYTES[node.arch]}`, ...sharedAddresses(imports)],
  };
}

/** Paths of the sources that run before any libc, or of the others. */
function early(names: readonly string[], isEarly: boolean): string[] {
  return names.filter((name) => EARLY_SOURCES.includes(name) === isEarly).map((name) => join(SOURCES, name));
}

/** A symbol of an object file. */
interface ObjectSymbol {
  readonly name: string;
  readonly isDefined: boolean;
}

async function symbolsOf(platform: Platform, folder: string, files: readonly string[]): Promise<ObjectSymbol[]> {
  const { stdout } = await run(await toolOf(platform, 'nm'), ['--extern-only', ...files], { cwd: folder });
  return [...stdout.matchAll(/^[\da-f ]+ ([A-Za-z]) (\S+)$/gm)].map(([, kind, name = '']) => ({
    name,
    isDefined: kind !== 'U',
  }));
}

/** Names that object files use and do not define. */
function namesFromOutside(symbols: readonly ObjectSymbol[]): string[] {
  const own = new Set(symbols.filter(({ isDefined }) => isDefined).map(({ name }) => name));
  return [...new Set(symbols.map(({ name }) => name).filter((name) => !own.has(name)))].sort();
}

/** Throws if code that runs before any libc calls one: compilers make calls of memset(3) by themselves. */
async function requireNoLibc(platform: Platform, folder: string): Promise<void> {
  const objects = EARLY_SOURCES.map((name) => name.replace(/c$/, 'o'));
  const names = namesFromOutside(await symbolsOf(platform, folder, objects)).filter((name) => name !== '_start');
  if (names.length > 0)
    throw new Error(`cannot use ${objects.join(', ')}: they call ${names.join(', ')} before any libc`);
}

/** Names of Node's functions that the compiled addon calls. */
async function nodeNamesIn(platform: Platform, folder: string): Promise<string[]> {
  const objects = (await readdir(folder)).filter((name) => name.endsWith('.o'));
  return namesFromOutside(await symbolsOf(platform, folder, objects)).filter((name) => /^(?:napi|node|uv)_/.test(name));
}

/** Places of the linker's files: sources and objects, and the product. */
interface Places {
  readonly folder: string;
  readonly output: string;
}

async function link(platform: Platform, { files, linkerFlags }: Objects, { folder, output }: Places): Promise<void> {
  // crtbeginT.o, which -static takes by itself, registers the tables for unwinding a second time.
  const before = await Promise.all(['crt1.o', 'crti.o', 'crtbegin.o'].map((name) => toolchainFile(platform, name)));
  const behind = await Promise.all(['crtend.o', 'crtn.o'].map((name) => toolchainFile(platform, name)));
  const libraries = ['-Wl,--start-group', '-lstdc++', '-lm', '-lgcc', '-lgcc_eh', '-lc', '-Wl,--end-group'];
  const parts = [...LINKER_FLAGS, ...linkerFlags, ...before, ...files, ...libraries, ...behind, '-o', output];
  try {
    await run(platform.cxx, parts, { cwd: folder, maxBuffer: 1 << 24 });
  } catch (error) {
    throw new Error(linkFailure((error as { stderr: string }).stderr), { cause: error });
  }
}

/** Says which imports of Node no library has, or what else the linker says. */
export function linkFailure(text: string): string {
  const missing = [...new Set([...text.matchAll(/undefined reference to [`']([^']+)'/g)].map((match) => match[1]))];
  if (missing.length === 0) return `cannot link the libraries inside:\n${text.trim()}`;
  return (
    `cannot link the libraries inside: the static libraries have no ${missing.join(', ')}; ` +
    `Debian's package g++ brings them, or a rule is missing in build/libc/import-rules.ts`
  );
}
