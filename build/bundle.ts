/**
 * Bundles src/main.ts and its imports into one function of a CommonJS module, and the pages of the manual into one
 * file. Does not know about executables. Names are kept, so that stack traces in users' logs are readable.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { writeWhole } from './cache.ts';
import { CACHE, glibcVersion, readPackage, ROOT, sourceCommit } from './platform.ts';
import type { Platform } from './platform.ts';

/** A bundle and the npm packages whose code is in it, for the list of licences. */
export interface Bundle {
  readonly code: Uint8Array;
  readonly packages: readonly string[];
}

/** Modules of Node that many starts never use, or use only later. Loading them all takes 15 ms. */
const LAZY = [
  'http',
  'https',
  'zlib',
  'dns',
  'dgram',
  'readline',
  'fs/promises',
  'crypto',
  'tls',
  'stream',
  'stream/promises',
  'timers/promises',
  'module',
  'vm',
  'v8',
];

/** Defines a require that loads a module when one of its members is first used. */
const LAZY_REQUIRE =
  'var __lazy=(name)=>{let loaded;return new Proxy({},{get:(_,key)=>(loaded??=require(name))[key]})};';

/** Lets the program load some modules of Node later. */
function lazyBuiltins(code: string): Uint8Array {
  const names = LAZY.map((name) => name.replace('/', '\\/')).join('|');
  return Buffer.from(code.replace(new RegExp(`=require\\("(node:(?:${names}))"\\)`, 'g'), '=__lazy("$1")'));
}

/** Bundles `entry`, with what main.ts declares as constants: our version, the commit, and the version of glibc. */
export async function bundle(entry: string, platform: Platform): Promise<Bundle> {
  const { version } = await readPackage();
  const result = await build({
    entryPoints: [entry],
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    // The loader reads the program as text of one byte for each character.
    charset: 'ascii',
    banner: { js: `(function(exports,require,module,__filename,__dirname){${LAZY_REQUIRE}` },
    footer: { js: '})' },
    minifyWhitespace: true,
    legalComments: 'none',
    // CommonJS has no import.meta. Inside the executable, the directory is that of the executable.
    define: {
      ONEVISOR_VERSION: JSON.stringify(version),
      ONEVISOR_COMMIT: JSON.stringify(await sourceCommit()),
      ONEVISOR_GLIBC: JSON.stringify(await glibcVersion(platform)),
      'import.meta.dirname': '__dirname',
    },
    logLevel: 'warning',
  }).catch((error: Error) => {
    // esbuild has printed its findings already, with their lines.
    throw new Error(`cannot bundle ${entry}`, { cause: error.message });
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error(`cannot bundle ${entry}: esbuild wrote nothing`);
  return { code: lazyBuiltins(file.text), packages: packagesIn(Object.keys(result.metafile.inputs)) };
}

/** Returns the npm packages of paths such as node_modules/@a/b/c.js, each once, sorted. */
export function packagesIn(paths: readonly string[]): string[] {
  const names = paths.map(
    (path) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/?node_modules\/)/.exec(path)?.[1],
  );
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

/** Bundles src/loader.ts, which Node runs first. */
export async function bundleLoader(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, 'src', 'loader.ts')],
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minifyWhitespace: true,
    logLevel: 'warning',
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error('cannot bundle the loader: esbuild wrote nothing');
  return file.contents;
}

/**
 * Writes the pages of src/manual/ as one JSON object, from topic to Markdown, for `onevisor help`. An asset costs
 * nothing at a start that does not read it; a string in the code would. Returns the path of the file.
 */
export async function bundleManual(): Promise<string> {
  const folder = join(ROOT, 'src', 'manual');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.md')).sort();
  const pages = files.map(async (name) => [name.slice(0, -'.md'.length), await readFile(join(folder, name), 'utf8')]);
  const path = join(CACHE, 'manual.json');
  await writeWhole(path, JSON.stringify(Object.fromEntries(await Promise.all(pages))));
  return path;
}
