/**
 * The contenders: the executable, and its peers in Debian's versions. A peer that is not installed is null, and its
 * rows show that. Runs them only to get their versions.
 */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Sample } from './figures.ts';

const run = promisify(execFile);

/** A supervisor that reads supervisord.conf. */
export interface Contender {
  readonly name: string;
  /** Command line before the path of the configuration. */
  readonly command: readonly string[];
}

/** A peer that is one program. */
export interface Peer {
  readonly name: string;
  readonly path: string;
}

/** Programs of Debian that are peers, with the packages that have them. */
const PACKAGES = {
  s6Log: ['s6-log', 's6'],
  s6Supervise: ['s6-supervise', 's6'],
  runsv: ['runsv', 'runit'],
  svlogd: ['svlogd', 'runit'],
  tini: ['tini', 'tini'],
  dumbInit: ['dumb-init', 'dumb-init'],
  supervisorctl: ['supervisorctl', 'supervisor'],
} as const;

export interface Contenders {
  readonly ours: Contender;
  /** Path of our executable. */
  readonly executable: string;
  readonly supervisor: Contender | null;
  readonly peers: Readonly<Record<keyof typeof PACKAGES, Peer | null>>;
  /** True if `supervisor` is another build of ours. */
  readonly isOtherBuild: boolean;
}

/** Finds the peers in PATH. With `against`, the path of another build of ours, that build is the only peer. */
export async function findContenders(executable: string, against: string | null): Promise<Contenders> {
  const found = await Promise.all(
    Object.entries(PACKAGES).map(async ([key, [program, owner]]) => {
      const path = against === null ? await findInPath(program) : null;
      return [key, path === null ? null : { name: await nameWithVersion(program, owner), path }] as const;
    }),
  );
  return {
    ours: { name: 'onevisor', command: [executable, '-c'] },
    executable,
    supervisor: against === null ? await findSupervisor() : { name: 'other build', command: [against, '-c'] },
    peers: Object.fromEntries(found) as Record<keyof typeof PACKAGES, Peer | null>,
    isOtherBuild: against !== null,
  };
}

async function findSupervisor(): Promise<Contender | null> {
  const path = await findInPath('supervisord');
  if (path === null) return null;
  return { name: `Supervisor ${(await run(path, ['--version'])).stdout.trim()}`, command: [path, '-c'] };
}

/** Returns a program's name with the version of its package, where dpkg knows it. */
async function nameWithVersion(program: string, owner: string): Promise<string> {
  const version = await run('dpkg-query', ['--show', '--showformat', '${Version}', owner]).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
  return version === '' ? program : `${program} ${version.replace(/-[^-]*$/, '')}`;
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

/** Returns the peer's part of a row: its figures and name, or the reason why there are none. */
export function peerPart(
  peer: { readonly name: string } | null,
  program: string,
  sample: Sample | null,
): { peer: Sample | null; peerName: string } {
  return peer === null
    ? { peer: null, peerName: `${program} is not installed` }
    : { peer: sample, peerName: peer.name };
}
