/**
 * The contenders: the executable, and its peers as Debian has them. A peer that is not installed is null, and its rows
 * say so. Runs them only to ask for their version.
 */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A supervisor that reads supervisord.conf. */
export interface Contender {
  readonly name: string;
  /** Command line up to the path of the configuration. */
  readonly command: readonly string[];
}

export interface Contenders {
  readonly ours: Contender;
  readonly supervisor: Contender | null;
  /** Path of s6-log. */
  readonly s6Log: string | null;
}

/** What a row says where the peer's figure would be. */
export const MISSING = { supervisor: 'supervisord is not installed', s6Log: 's6-log is not installed' } as const;

/** Looks for the peers in PATH. */
export async function findContenders(executable: string): Promise<Contenders> {
  const supervisord = await findInPath('supervisord');
  return {
    ours: { name: 'onevisor', command: [executable, '-c'] },
    supervisor:
      supervisord === null
        ? null
        : {
            name: `Supervisor ${(await run(supervisord, ['--version'])).stdout.trim()}`,
            command: [supervisord, '-c'],
          },
    s6Log: await findInPath('s6-log'),
  };
}

/** Path of an executable in PATH; null when there is none. */
export async function findInPath(name: string): Promise<string | null> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return null;
}
