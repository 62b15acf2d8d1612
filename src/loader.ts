/**
 * The script that Node runs first inside the executable: loads a piece of the program from an asset, with V8's code
 * cache of a run of it. The cache that Node itself makes has no function that was not run while the program was loaded.
 */
import { getRawAsset } from 'node:sea';
import { Script } from 'node:vm';
import { type BundleName, type CacheUse, chooseBundle, type Loader } from './startup/bundles.ts';

/** Form of a piece: a function of a CommonJS module. */
type Program = (
  ...parts: readonly [exports: object, require: NodeJS.Require, module: object, filename: string, dirname: string]
) => void;

/** Returns an asset; null if the executable has none of this name. build/executable.ts adds them. */
function readAsset(name: string): Buffer | null {
  try {
    return Buffer.from(getRawAsset(name));
  } catch {
    return null;
  }
}

/** Makes a script of a piece. An executable with another main program has one piece only. */
function load(name: BundleName): { readonly script: Script; readonly cache: CacheUse } {
  const program = readAsset(`${name}.cjs`);
  if (program === null) return load('onevisor');
  const cachedData = readAsset(`${name}.cache`) ?? undefined;
  // The program is ASCII, and V8 keeps such text with one byte for each character.
  const source = program.toString('latin1');
  const script = new Script(source, { filename: `${name}.cjs`, ...(cachedData === undefined ? {} : { cachedData }) });
  const verdict = script.cachedDataRejected === true ? 'rejected' : 'accepted';
  return { script, cache: cachedData === undefined ? 'none' : verdict };
}

const loader: Loader = {
  run: (name) => (load(name).script.runInThisContext() as Program)({}, require, { exports: {} }, __filename, __dirname),
  cacheUse: (name) => load(name).cache,
};
Object.assign(globalThis, { ONEVISOR_LOADER: loader });
loader.run(chooseBundle(process.argv0, process.argv.slice(2), process.pid));
