/**
 * Makes the executable: Node stripped, then the bundle and the assets injected (strip afterwards would break it), then
 * the libraries joined (build/libc).
 * What Node must not do on its own as PID 1 is switched off here, in `execArgv`, and nowhere else.
 */
import { execFile } from 'node:child_process';
import { chmod, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { log } from '@yao-pkg/pkg-fetch/lib-es5/log.js';
import sea from '@yao-pkg/pkg/lib-es5/sea.js';
import { hashOf, hashOfFile, makeUnlessCurrent } from './cache.ts';
import { joinLibraries } from './libc/join.ts';
import { buildLibraries } from './libc/libraries.ts';
import { CACHE, nodeFor, productFolder, readPackage, toolOf } from './platform.ts';
import type { Platform } from './platform.ts';

const run = promisify(execFile);

/** Options that Node gets in the executable, whatever NODE_OPTIONS says. */
export const EXEC_ARGV: readonly string[] = [
  // SIGUSR1 would start Node's debugger on port 9229.
  '--disable-sigusr1',
  // Node's warnings are no log lines of ours. It also makes NODE_PENDING_DEPRECATION and NODE_REDIRECT_WARNINGS
  // harmless.
  '--no-warnings',
  // An application's OPENSSL_CONF that Node's OpenSSL cannot read would end PID 1 before our first line runs.
  '--openssl-config=/dev/null',
  // One thread for V8's background work instead of up to four: three threads in all, and a start that is 5 ms shorter.
  '--v8-pool-size=1',
  // V8 keeps the young generation as large as a flood of lines once made it: 62 MB of private memory for good, 13 MB
  // with this limit, at the same speed.
  '--max-semi-space-size=2',
  // It wakes an idle process every 8.1 s for ever, to see whether garbage is worth collecting.
  '--no-memory-reducer',
];

const PIECE_BYTES = 64 * 1024;

/** Makes dist/onevisor (dist/ARCH/onevisor for another machine). Returns its path and whether it was made anew. */
export async function makeExecutable(
  platform: Platform,
  code: Uint8Array,
  assets: Readonly<Record<string, string>>,
): Promise<{ path: string; made: boolean }> {
  const base = await strippedNode(platform);
  const libraries = await buildLibraries(platform, base.path);
  const seaConfig = {
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    // The cache is made by running the base executable, so there is none for a foreign one.
    useCodeCache: !platform.foreign,
    execArgv: [...EXEC_ARGV],
    execArgvExtension: 'none',
    assets: { ...assets },
  };
  const path = join(productFolder(platform), 'onevisor');
  const contents = await Promise.all([libraries, ...Object.values(assets)].map(hashOfFile));
  const key = hashOf(base.key, code, JSON.stringify({ ...seaConfig, assets: Object.keys(assets) }), ...contents);
  const made = await makeUnlessCurrent(path, join(CACHE, platform.arch, 'onevisor.key'), key, async (output) => {
    const script = `${output}.cjs`;
    try {
      await writeFile(script, code);
      const target = { nodeRange: 'node24', platform: 'linux' as const, arch: platform.arch, output };
      // pkg tells each of its steps; build.ts says in one line what came of them.
      log.info = () => undefined;
      await sea.default(script, {
        targets: [target],
        nodePath: base.path,
        useLocalNode: platform.foreign,
        seaConfig,
        signature: false,
      });
    } finally {
      await rm(script, { force: true });
    }
    await writeInPieces(output, joinLibraries(await readFile(output), await readFile(libraries)));
    await chmod(output, 0o755);
  });
  return { path, made };
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

/** Node without symbols, 127 MB → 108 MB; kept by the hash of what it was made from. */
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
