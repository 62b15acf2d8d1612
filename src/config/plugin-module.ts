/**
 * Loads JavaScript modules that a configuration names by their path, as a factory in `[rpcinterface:x]` or
 * `[ctlplugin:x]`. Calls nothing in them.
 */
import { createRequire } from 'node:module';
import { posix } from 'node:path';
import { requireRegularFile } from '../files/read-file.ts';

/** Maximum size of a module. It is several times the size of all modules in Node. */
const MAX_MODULE_BYTES = 32 * 1024 * 1024;

/** Files of TypeScript, with the name of an export or without; the executable has no compiler for them. */
const TYPESCRIPT = /\.[cm]?tsx?(?::\w+)?$/;

/**
 * True if a factory is a module, as `/opt/x.mjs`, `./x.js` or `../x.cjs:make`, and not Python's `package.module:name`.
 */
export function isModulePath(factory: string): boolean {
  return /^(?:\/|\.\.?\/)/.test(factory);
}

/**
 * Returns the function that `PATH` or `PATH:EXPORT` names. Without a name, that is the default export or
 * `module.exports`. A path is relative to the configuration `file`. CommonJS and ES modules are loaded synchronously.
 * Throws the errors of the module.
 */
export function loadFactory(
  factory: string,
  file: string | null,
): (api: unknown, options: Readonly<Record<string, string>>) => unknown {
  const [, path = factory, wanted] = /^(.+\.[cm]?js):(\w+)$/.exec(factory) ?? [];
  const place = file === null ? posix.resolve(path) : posix.resolve(posix.dirname(file), path);
  if (TYPESCRIPT.test(place)) throw new Error('it is TypeScript; compile it to JavaScript, and name that file');
  const require = createRequire(place);
  // Reading a pipe without a writer would block for ever.
  requireRegularFile(require.resolve(place), MAX_MODULE_BYTES);
  const loaded = require(place) as unknown;
  const found =
    wanted === undefined && typeof loaded === 'function'
      ? loaded
      : (loaded as Readonly<Record<string, unknown>> | null)?.[wanted ?? 'default'];
  if (typeof found !== 'function')
    throw new Error(
      wanted === undefined
        ? 'it exports no function; a module has one as default or module.exports'
        : `it exports no function ${wanted}`,
    );
  return found as ReturnType<typeof loadFactory>;
}
