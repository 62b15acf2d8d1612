/**
 * An executable that is made as ours is, with an empty program: the least that a start of ours can take. It is kept in
 * dist/.cache. With the path of a configuration it reports the time of its first statement to the FIFO of the rig and
 * waits; without one it ends.
 */
import { join } from 'node:path';
import { bundleLoader } from '../../build/bundle.ts';
import { makeExecutable } from '../../build/executable.ts';
import { CACHE, platformOf } from '../../build/platform.ts';
import type { Contender } from './contenders.ts';

const PROGRAM = `(function(exports,require,module,__filename,__dirname){
const atMs = Number(process.hrtime.bigint()) / 1e6;
const path = process.argv.at(-1);
if (path.endsWith('/supervisord.conf')) {
  const { appendFileSync } = require('node:fs');
  appendFileSync(path.replace(/[^/]*$/, 'stamps'), atMs.toFixed(6) + ' ' + process.pid + '\\n');
  setInterval(() => {}, 1e6);
}
})`;

let made: Promise<string> | undefined;

/** Makes the executable unless it is current, and returns its path. */
export function emptyExecutable(): Promise<string> {
  made ??= (async () => {
    const loader = await bundleLoader();
    const path = join(CACHE, 'bench', 'empty');
    await makeExecutable(platformOf(undefined, undefined), {
      loader,
      pieces: { onevisor: Buffer.from(PROGRAM) },
      canRun: false,
      assets: {},
      path,
    });
    return path;
  })();
  return made;
}

/** Returns the executable as a contender of a start. */
export async function emptyContender(): Promise<Contender> {
  return { name: 'empty executable', command: [await emptyExecutable(), '-c'] };
}
