/**
 * The contenders: the executable, and its peers in Debian's versions. A peer that is not installed is null, and its
 * rows show that. Runs them only to get their versions.
 */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A supervisor that reads supervisord.conf. */
export interface Contender {
  readonly name: string;
  /** Command line before the path of the configuration. */
  readonly command: readonly string[];
}

export interface Contenders {
  readonly ours: Contender;
  readonly supervisor: Contender | null;
  /** Path of s6-log. */
  readonly s6Log: string | null;
}

/** Text of a row in place of the peer's figure. */
export const MISSING = { supervisor: 'supervisord is not installed', s6Log: 's6-log is not installed' } as const;

/** Finds the peers in PATH. With `against`, the path of another build of ours, that build takes Supervisor's place. */
export async function findContenders(executable: string, against: string | null): Promise<Contenders> {
  const supervisord = await findInPath('supervisord');
  if (against !== null) {
    return {
      ours: { name: 'onevisor', command: [executable, '-c'] },
      supervisor: { name: 'other build', command: [against, '-c'] },
      s6Log: null,
    };
  }
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

/** Returns the path of an executable in PATH; null if there is none. */
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
