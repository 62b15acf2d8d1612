/**
 * Makes the executable: strips Node, injects the bundle and the assets, then joins the libraries (build/libc).
 * (Stripping after the injection would break it.) `execArgv` disables what Node must not do by itself as PID 1. No
 * other file does that.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { log } from '@yao-pkg/pkg-fetch/lib-es5/log.js';
import sea from '@yao-pkg/pkg/lib-es5/sea.js';
import type { SeaOptions } from '@yao-pkg/pkg/lib-es5/sea.js';
import { hashOf, hashOfFile, makeUnlessCurrent, writeWhole } from './cache.ts';
import { joinLibraries } from './libc/join.ts';
import { builderFiles, buildLibraries } from './libc/libraries.ts';
import { requirePinnedNode } from './node-hashes.ts';
import { CACHE, nodeFor, productFolder, readPackage, toolOf } from './platform.ts';
import type { Platform } from './platform.ts';
import { makeWarmCache } from './warm-cache.ts';
import type { BundleName } from '../src/startup/bundles.ts';

const run = promisify(execFile);

/**
 * Time for each address of a host in milliseconds, such as the two of localhost. With Node's 250 ms, the first one
 * fails when the loop is busy for that long.
 */
export const ATTEMPT_TIMEOUT = '--network-family-autoselection-attempt-timeout=1000';

/** Options of Node in the executable, whatever NODE_OPTIONS has. */
export const EXEC_ARGV: readonly string[] = [
  // SIGUSR1 would start Node's debugger on port 9229.
  '--disable-sigusr1',
  // Node's warnings must not appear among our log lines. This also disables NODE_PENDING_DEPRECATION and
  // NODE_REDIRECT_WARNINGS.
  '--no-warnings',
  // The OPENSSL_CONF of an application may be unreadable for Node's OpenSSL. That would end PID 1 before our first
  // line.
  '--openssl-config=/dev/null',
  // The build takes the compiler of TypeScript out (libc/type-stripper.ts).
  '--no-strip-types',
  // One thread for V8's background work instead of up to four: three threads in all, and a start that is 5 ms faster.
  '--v8-pool-size=1',
  // After a flood of lines, V8 keeps a large young generation: 62 MB of private memory, against 13 MB with this limit,
  // at the same speed.
  '--max-semi-space-size=2',
  ATTEMPT_TIMEOUT,
  // The memory reducer wakes an idle process every 8.1 s, to check if garbage collection is worthwhile.
  '--no-memory-reducer',
];

/** Name of the loader. */
const SCRIPT = '../loader.cjs';

const PIECE_BYTES = 64 * 1024;

/** Bundles of the program by their names. */
export type Pieces = Readonly<Partial<Record<BundleName, Uint8Array>>>;

/** Contents of the executable. */
export interface Contents {
  /** The script that Node runs first. */
  readonly loader: Uint8Array;
  /** The pieces of the program; src/loader.ts chooses one of them. */
  readonly pieces: Pieces;
  /** True if the pieces can be run to make V8's code caches: they are the supervisor and its client. */
  readonly canRun: boolean;
  /** Paths of further assets. */
  readonly assets: Readonly<Record<string, string>>;
  /** Path of the executable, if it is another one than the product. */
  readonly path?: string;
}

/** Makes dist/onevisor (dist/ARCH/onevisor for another machine). Returns its path, and true if it was made now. */
export async function makeExecutable(
  platform: Platform,
  { loader, pieces, canRun, assets: others, path = join(productFolder(platform), 'onevisor') }: Contents,
): Promise<{ path: string; made: boolean }> {
  const base = await strippedNode(platform);
  const libraries = await buildLibraries(platform, base.path);
  const assets = { ...others, ...(await pieceAssets(platform, base, { name: basename(path), pieces, canRun })) };
  const seaConfig = {
    main: SCRIPT,
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    // The loader is short. The cache of the program is an asset.
    useCodeCache: false,
    execArgv: [...EXEC_ARGV],
    execArgvExtension: 'none',
    assets,
  };
  const inputs = [libraries, ...(await builderFiles()), ...Object.values(assets)];
  const contents = await Promise.all(inputs.map(hashOfFile));
  const settings = JSON.stringify({ ...seaConfig, assets: Object.keys(assets) });
  const key = hashOf(base.key, loader, settings, ...contents);
  const made = await makeUnlessCurrent(
    path,
    join(CACHE, platform.arch, `${basename(path)}.key`),
    key,
    async (output) => {
      await injectLoader(platform, base.path, { loader, seaConfig, output });
      await writeInPieces(output, joinLibraries(await readFile(output), await readFile(libraries)));
      await chmod(output, 0o755);
    },
  );
  return { path, made };
}

/**
 * Writes the pieces of the program and their code caches, and returns their paths by the names of their assets. Another
 * processor's Node cannot be run here: its executable has no caches. `name` is that of the executable.
 */
async function pieceAssets(
  platform: Platform,
  node: { readonly path: string; readonly key: string },
  { name, pieces, canRun }: Pick<Contents, 'pieces' | 'canRun'> & { readonly name: string },
): Promise<Record<string, string>> {
  const folder = join(CACHE, platform.arch, `${name}-pieces`);
  await mkdir(folder, { recursive: true });
  const assets: Record<string, string> = {};
  for (const [piece, code] of Object.entries(pieces)) {
    const path = join(folder, `${piece}.cjs`);
    await writeWhole(path, code);
    assets[basename(path)] = path;
  }
  if (platform.foreign || !canRun) return assets;
  const recipes = ['warm-cache.ts', 'warm-run.cjs', 'warm-client.cjs', 'warm.cjs', 'warm-again.cjs'].map((recipe) =>
    hashOfFile(join(import.meta.dirname, recipe)),
  );
  const key = hashOf(node.key, ...Object.values(pieces), EXEC_ARGV.join(' '), ...(await Promise.all(recipes)));
  for (const wanted of Object.keys(pieces) as BundleName[]) {
    const cache = join(folder, `${wanted}.cache`);
    await makeUnlessCurrent(cache, `${cache}.key`, key, (output) =>
      makeWarmCache(wanted, { node: node.path, pieces: folder, flags: EXEC_ARGV }, output),
    );
    assets[basename(cache)] = cache;
  }
  return assets;
}

/** Input of pkg, and the file that it makes. */
interface Injection {
  readonly loader: Uint8Array;
  readonly seaConfig: NonNullable<SeaOptions['seaConfig']>;
  readonly output: string;
}

/**
 * Makes `output`: Node with the loader and the assets. pkg resolves {@link SCRIPT} from a folder that it makes below
 * TMPDIR, and writes the name as it is into the executable. So the bytes do not depend on the folder of the build.
 */
async function injectLoader(platform: Platform, node: string, { loader, seaConfig, output }: Injection): Promise<void> {
  const folder = await mkdtemp(join(CACHE, 'inject-'));
  const { TMPDIR: before } = process.env;
  try {
    const script = join(folder, basename(SCRIPT));
    await writeFile(script, loader);
    process.env['TMPDIR'] = folder;
    // pkg reports each of its steps; build.ts prints one line instead.
    log.info = () => undefined;
    await sea.default(script, {
      targets: [{ nodeRange: 'node24', platform: 'linux', arch: platform.arch, output }],
      nodePath: node,
      useLocalNode: platform.foreign,
      seaConfig,
      signature: false,
    });
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Writes a file in small pieces. After one large write, the kernel keeps the file in large folios, maps whole ones into
 * a process, and counts 20 MB more resident memory for it than for any copy.
 */
async function writeInPieces(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES)
      await file.write(bytes, at, Math.min(PIECE_BYTES, bytes.length - at));
  } finally {
    await file.close();
  }
}

/** Strips Node (127 MB to 108 MB). The result is cached by the hash of its inputs. */
async function strippedNode(platform: Platform): Promise<{ path: string; key: string }> {
  const source = await nodeFor(platform);
  const { optionalDependencies } = await readPackage();
  const sha256 = await hashOfFile(source);
  requirePinnedNode(sha256, optionalDependencies[`node-linux-${platform.arch}`] ?? '', platform.arch);
  const key = hashOf(sha256, JSON.stringify(optionalDependencies));
  const path = join(CACHE, platform.arch, 'node');
  const strip = await toolOf(platform, 'strip');
  await makeUnlessCurrent(path, `${path}.key`, key, async (output) => {
    await run(strip, ['-o', output, source]);
  });
  return { path, key };
}
