/**
 * The program in pieces: `client` is the client alone, so that its many short runs load less; `onevisor` is everything.
 * The loader (src/loader.ts) chooses a piece by the command line. Pure, and with no import, because the loader has no
 * code cache.
 */

/** Names of the pieces, which are names of assets of the executable. */
export type BundleName = 'client' | 'onevisor';

/** Use of the code cache of a piece. `none`: it was built on a machine of another kind, or runs from its sources. */
export type CacheUse = 'accepted' | 'rejected' | 'none';

/** The loader, for the pieces. */
export interface Loader {
  /** Runs another piece in this process. */
  run(name: BundleName): void;
  /** A cache is rejected if the flags of V8 differ from those of the build. */
  cacheUse(name: BundleName): CacheUse;
  /** The addon, if the loader needed it (native/load.ts); null if not. */
  readonly addon: unknown;
}

/** Programs of the client: these words are it in every process. */
const CLIENT_WORDS: ReadonlySet<string> = new Set(['ctl', 'health']);

/** Words that are other programs. Any other word is a command of the client, or turns out to be something else. */
export const OTHER_WORDS: ReadonlySet<string> = new Set([
  'check',
  'install',
  'unpack',
  'echo-conf',
  'schema',
  'completion',
  'pidproxy',
  'demo',
  'help',
  'grafana',
  'alerts',
]);

/** Names of links to other programs. */
export const OTHER_LINKS: ReadonlySet<string> = new Set(['supervisord', 'echo_supervisord_conf', 'pidproxy']);

/** Chooses the piece to load. PID 1 takes a word that is no program of ours as the command to run. */
export function chooseBundle(argv0: string, args: readonly string[], pid: number): BundleName {
  const calledAs = argv0.slice(argv0.lastIndexOf('/') + 1);
  if (calledAs === 'supervisorctl') return 'client';
  const [first = ''] = args;
  if (OTHER_LINKS.has(calledAs) || first === '' || first.startsWith('-')) return 'onevisor';
  if (CLIENT_WORDS.has(first)) return 'client';
  return pid === 1 || OTHER_WORDS.has(first) ? 'onevisor' : 'client';
}

/** Returns the loader; null in a run from the sources. */
export function currentLoader(): Loader | null {
  return (globalThis as { readonly ONEVISOR_LOADER?: Loader }).ONEVISOR_LOADER ?? null;
}
