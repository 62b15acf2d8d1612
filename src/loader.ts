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

/** Name by which the libraries inside have the addon, as in native/load.ts. */
const ADDON_INSIDE = '/dev/null/onevisor.node';

/** A text of this size is worth the loading of the addon, which takes as long as the copying of one megabyte. */
const LARGE_BYTES = 1024 * 1024;

/** The addon, once it is loaded. native/addon.ts has its whole interface. */
let addon: { textInPlace(bytes: Uint8Array): string } | null = null;

/** Returns an asset; null if the executable has none of this name. build/executable.ts adds them. */
function readAsset(name: string): Buffer | null {
  try {
    return Buffer.from(getRawAsset(name));
  } catch {
    return null;
  }
}

/**
 * Returns the text of an asset of ASCII: V8 keeps such text with one byte for each character. A large one stays in the
 * executable file, so that it takes no memory of this process alone.
 */
function textOf(asset: Buffer): string {
  if (asset.length < LARGE_BYTES) return asset.toString('latin1');
  try {
    const target = { exports: {} };
    process.dlopen(target, ADDON_INSIDE);
    addon = target.exports as NonNullable<typeof addon>;
    return addon.textInPlace(asset);
  } catch {
    // ONEVISOR_LIBC=system: the addon is a file that native/load.ts writes.
    return asset.toString('latin1');
  }
}

/** Makes a script of a piece. An executable with another main program has one piece only. */
function load(name: BundleName): { readonly script: Script; readonly cache: CacheUse } {
  const program = readAsset(`${name}.cjs`);
  if (program === null) return load('onevisor');
  const cachedData = readAsset(`${name}.cache`) ?? undefined;
  const script = new Script(textOf(program), {
    filename: `${name}.cjs`,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const verdict = script.cachedDataRejected === true ? 'rejected' : 'accepted';
  return { script, cache: cachedData === undefined ? 'none' : verdict };
}

const loader: Loader = {
  run: (name) => (load(name).script.runInThisContext() as Program)({}, require, { exports: {} }, __filename, __dirname),
  cacheUse: (name) => load(name).cache,
  get addon() {
    return addon;
  },
};
Object.assign(globalThis, { ONEVISOR_LOADER: loader });
loader.run(chooseBundle(process.argv0, process.argv.slice(2), process.pid));
