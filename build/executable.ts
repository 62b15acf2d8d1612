/**
 * Makes the executable: strips Node, injects the bundle and the assets, then joins the libraries (build/libc).
 * (Stripping after the injection would break it.) `execArgv` disables what Node must not do by itself as PID 1. No
 * other file does that.
 */
import { execFile } from 'node:child_process';
import { chmod, link, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { log } from '@yao-pkg/pkg-fetch/lib-es5/log.js';
import sea from '@yao-pkg/pkg/lib-es5/sea.js';
import type { SeaOptions } from '@yao-pkg/pkg/lib-es5/sea.js';
import { hashOf, hashOfFile, makeUnlessCurrent } from './cache.ts';
import { joinLibraries } from './libc/join.ts';
import { builderFiles, buildLibraries } from './libc/libraries.ts';
import { CACHE, nodeFor, productFolder, readPackage, toolOf } from './platform.ts';
import type { Platform } from './platform.ts';

const run = promisify(execFile);

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
  // The memory reducer wakes an idle process every 8.1 s, to check if garbage collection is worthwhile.
  '--no-memory-reducer',
];

/** Name of our program in stack traces. */
const SCRIPT = '../onevisor.cjs';

/** Seed of the hashes in V8's code cache; see {@link seededNode}. */
const CACHE_SEED = '--random-seed=1';

const PIECE_BYTES = 64 * 1024;

/** Makes dist/onevisor (dist/ARCH/onevisor for another machine). Returns its path, and true if it was made now. */
export async function makeExecutable(
  platform: Platform,
  code: Uint8Array,
  assets: Readonly<Record<string, string>>,
): Promise<{ path: string; made: boolean }> {
  const base = await strippedNode(platform);
  const libraries = await buildLibraries(platform, base.path);
  const seaConfig = {
    main: SCRIPT,
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    // The code cache is made by running the executable, which is impossible for another processor.
    useCodeCache: !platform.foreign,
    execArgv: [...EXEC_ARGV],
    execArgvExtension: 'none',
    assets: { ...assets },
  };
  const path = join(productFolder(platform), 'onevisor');
  const inputs = [libraries, ...(await builderFiles()), ...Object.values(assets)];
  const contents = await Promise.all(inputs.map(hashOfFile));
  const settings = JSON.stringify({ ...seaConfig, assets: Object.keys(assets), seed: CACHE_SEED });
  const key = hashOf(base.key, code, settings, ...contents);
  const made = await makeUnlessCurrent(path, join(CACHE, platform.arch, 'onevisor.key'), key, async (output) => {
    await injectBundle(platform, base.path, { code, seaConfig, output });
    await writeInPieces(output, joinLibraries(await readFile(output), await readFile(libraries)));
    await chmod(output, 0o755);
  });
  return { path, made };
}

/** Input of pkg, and the file that it makes. */
interface Injection {
  readonly code: Uint8Array;
  readonly seaConfig: NonNullable<SeaOptions['seaConfig']>;
  readonly output: string;
}

/**
 * Makes `output`: Node with the bundle and the assets. pkg resolves {@link SCRIPT} from a folder that it makes below
 * TMPDIR, and writes the name as it is into the executable. So the bytes do not depend on the folder of the build.
 */
async function injectBundle(platform: Platform, node: string, { code, seaConfig, output }: Injection): Promise<void> {
  const folder = await mkdtemp(join(CACHE, 'inject-'));
  const { TMPDIR: before } = process.env;
  try {
    const script = join(folder, basename(SCRIPT));
    await writeFile(script, code);
    process.env['TMPDIR'] = folder;
    // pkg reports each of its steps; build.ts prints one line instead.
    log.info = () => undefined;
    await sea.default(script, {
      targets: [{ nodeRange: 'node24', platform: 'linux', arch: platform.arch, output }],
      nodePath: seaConfig.useCodeCache ? await seededNode(node, folder) : node,
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
 * Returns a path that is a script first: it runs Node with a fixed seed, then puts that Node into its own place. pkg
 * takes one path for the Node that makes V8's code cache and for the Node that gets it, and gives no options to the
 * former. With a random seed, the hashes of strings in the cache differ from build to build. V8 accepts the cache
 * whatever the seed is when the executable runs, which is random as ever.
 */
async function seededNode(node: string, folder: string): Promise<string> {
  const path = join(folder, 'node');
  await link(node, join(folder, 'stripped'));
  const lines = ['#!/bin/sh -e', `"\${0%/*}/stripped" ${CACHE_SEED} "$@"`, 'mv "${0%/*}/stripped" "$0"', ''];
  await writeFile(path, lines.join('\n'), { mode: 0o755 });
  return path;
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
  const key = hashOf(await hashOfFile(source), JSON.stringify(optionalDependencies));
  const path = join(CACHE, platform.arch, 'node');
  const strip = await toolOf(platform, 'strip');
  await makeUnlessCurrent(path, `${path}.key`, key, async (output) => {
    await run(strip, ['-o', output, source]);
  });
  return { path, key };
}
