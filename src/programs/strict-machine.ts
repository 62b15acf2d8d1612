/**
 * The machine for the findings of `check --strict`: users, modes, and the environment. Nothing is opened or changed.
 */
import type { Judged } from '../config/findings.ts';
import type { ProcessConfig } from '../config/model.ts';
import { AccessJudge, type Obstacle } from '../process/access.ts';
import { lookUpIds, type OwnerOption, type UserIds, type UserLookup } from '../process/credentials.ts';
import { SpawnError } from '../process/spawn-error.ts';

/** A configuration on its machine. */
export interface Machine extends Judged {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly access: AccessJudge;
  /** Returns the user of a process. Null: none is configured, or it cannot be looked up. */
  userOf(proc: ProcessConfig): NamedUser | null;
}

/** A user with the name that the configuration has. */
export interface NamedUser {
  readonly name: string;
  readonly ids: UserIds;
}

/** Puts a configuration on this machine. */
export function createMachine(
  judged: Judged,
  env: Readonly<Record<string, string | undefined>>,
  lookup: UserLookup | null,
): Machine {
  const known = new Map<string, UserIds | null>();
  const userOf = ({ options: { user } }: ProcessConfig): NamedUser | null => {
    const owner = user ?? judged.config.supervisord.user;
    if (owner === null || lookup === null) return null;
    const key = `${owner.user}:${owner.group ?? ''}`;
    if (!known.has(key)) known.set(key, lookUpOrNull(lookup, owner));
    const ids = known.get(key) ?? null;
    return ids === null ? null : { name: owner.user, ids };
  };
  return { ...judged, env, access: new AccessJudge(), userOf };
}

/** Unknown users are errors of the configuration. A name service that fails says nothing about a configuration. */
function lookUpOrNull(lookup: UserLookup, owner: OwnerOption): UserIds | null {
  try {
    return lookUpIds(lookup, owner);
  } catch (error) {
    if (!(error instanceof SpawnError)) throw error;
    return null;
  }
}

/** A file or folder that a user needs, and the right. */
interface Wanted {
  readonly path: string;
  readonly right: 'read' | 'search' | 'execute';
}

/** Explains which file or folder stops the user of a process, and what to change. */
export function explainObstacle(
  { path, mode, uid, gid }: Obstacle,
  user: string,
  { path: target, right }: Wanted,
): string {
  const verb = path === target ? right : 'search';
  const octal = mode.toString(8).padStart(4, '0');
  const letter = verb === 'read' ? 'r' : 'x';
  return (
    `user ${user} may not ${verb} ${path} (mode ${octal}, owner ${uid}:${gid}); change its owner or its mode ` +
    `(chmod o+${letter}), or the user`
  );
}
