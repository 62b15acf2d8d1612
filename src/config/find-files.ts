/**
 * Finds the main file of a configuration. All access to files goes through the Source.
 */
import { posix } from 'node:path';
import { definesPrograms } from './environment.ts';
import type { Flags } from './flags.ts';
import type { Problems } from './problems.ts';
import type { Source } from './source.ts';

/** Number of processes of a program that a client has asked for. */
export interface Scale {
  readonly count: number;
  /** `numprocs` of the configuration at that time. If it has another value since, the configuration wins. */
  readonly configured: number;
}

/** Settings of a reading. */
export interface ReadSettings {
  readonly isContainer: boolean;
  /** True: no look-up that depends on the host (users, directories, includes). */
  readonly isStatic: boolean;
  readonly flags: Flags;
  /** Path of our executable. Supervisor searches its file relative to the directory of the executable. */
  readonly executable: string;
  /** Programs that clients have scaled, by name. */
  readonly scales?: ReadonlyMap<string, Scale>;
}

/** Returns the paths at which Supervisor looks for its file, in its order and as it writes them. */
export function searchNames(executable: string): string[] {
  const base = posix.dirname(posix.dirname(executable));
  const candidates = ['etc/supervisord.conf', 'supervisord.conf'].map((name) => posix.join(base, name));
  return [
    ...candidates,
    'supervisord.conf',
    'etc/supervisord.conf',
    '/etc/supervisord.conf',
    '/etc/supervisor/supervisord.conf',
  ];
}

/** Returns the same as absolute paths. */
export function searchPaths(executable: string, cwd: string): string[] {
  return [...new Set(searchNames(executable).map((path) => posix.resolve(cwd, path)))];
}

/** Returns the file that the command line or ONEVISOR_CONF names; empty for "no file", null if none is named. */
function namedFile({ env }: Source, { file }: Flags): string | null {
  return file ?? env.ONEVISOR_CONF ?? null;
}

/**
 * True if there is nothing to read a configuration from: no file is named or found, no variable defines a program, and
 * no command is given.
 */
export function isUnconfigured(
  source: Source,
  { flags, executable }: Pick<ReadSettings, 'flags' | 'executable'>,
): boolean {
  const named = namedFile(source, flags);
  const hasFile =
    named === null ? searchPaths(executable, source.cwd).some((path) => source.isFile(path)) : named !== '';
  return !hasFile && flags.command === null && !definesPrograms(source.env);
}

const WAYS_TO_CONFIGURE = 'give one with -c, or set ONEVISOR_PROGRAM_<NAME>=<command>, or give a command after --';

/** Returns the file to read; null if there is none. That is an error if nothing else configures us. */
export function findFile(source: Source, settings: ReadSettings, problems: Problems | null): string | null {
  const { flags, executable } = settings;
  const named = namedFile(source, flags);
  if (named !== null && named !== '') return posix.resolve(source.cwd, named);
  // Set and empty: no file is searched, whatever an image contains.
  const paths = named === '' ? [] : searchPaths(executable, source.cwd);
  const found = paths.find((path) => source.isFile(path));
  if (found !== undefined) return found;
  if (isUnconfigured(source, settings)) {
    const reason = named === '' ? 'there is no configuration' : `no configuration file found at ${paths.join(', ')}`;
    problems?.errorFrom('-c', `${reason}; ${WAYS_TO_CONFIGURE}`);
  }
  return null;
}
