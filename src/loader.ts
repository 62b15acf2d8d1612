/**
 * The script that Node runs first inside the executable: loads the program from an asset, with V8's code cache of a run
 * of it. The cache that Node itself makes has no function that was not run while the program was loaded.
 */
import { getRawAsset } from 'node:sea';
import { Script } from 'node:vm';

/** Names of the assets; build/executable.ts adds them. */
const PROGRAM = 'onevisor.cjs';
const CACHE = 'onevisor.cache';

/** Form of the program: a function of a CommonJS module. */
type Program = (
  ...parts: readonly [exports: object, require: NodeJS.Require, module: object, filename: string, dirname: string]
) => void;

/** Returns the cache; undefined in an executable that was built on a machine of another kind. */
function readCache(): Buffer | undefined {
  try {
    return Buffer.from(getRawAsset(CACHE));
  } catch {
    return undefined;
  }
}

// The program is ASCII, and V8 keeps such text with one byte for each character.
const source = Buffer.from(getRawAsset(PROGRAM)).toString('latin1');
const cachedData = readCache();
const script = new Script(source, { filename: PROGRAM, ...(cachedData === undefined ? {} : { cachedData }) });
// `onevisor --version --json` tells it. A cache is rejected if the flags of V8 differ from those of the build.
const verdict = script.cachedDataRejected === true ? 'rejected' : 'accepted';
Object.assign(globalThis, { ONEVISOR_CODE_CACHE: cachedData === undefined ? 'none' : verdict });
(script.runInThisContext() as Program)({}, require, { exports: {} }, __filename, __dirname);
