/**
 * As whom a program runs: `user=name[:group]` looked up, by the rules of Supervisor (options.py drop_privileges) for
 * root, and gentler ones for a supervisor that is not. It changes no credentials.
 */
import { errnoOf } from '../core/error-text.ts';
import type { Addon, User } from '../native/addon.ts';
import { SpawnError } from './spawn-error.ts';

/** `user=`: each a name or a number. */
export interface OwnerOption {
  readonly user: string;
  readonly group: string | null;
}

/** Who we are. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Credentials that a spawn changes, null for those that it leaves; and the user that the program then runs as, null
 * where passwd has none.
 */
export interface Credentials {
  readonly uid: number | null;
  readonly gid: number | null;
  readonly groups: readonly number[] | null;
  readonly login: User | null;
  /** Why the program runs as somebody else than was asked for. */
  readonly warning: string | null;
}

type UserLookup = Pick<Addon, 'userByName' | 'userById' | 'groupByName' | 'groupById' | 'groupsOf'>;

/**
 * Looks up whom `owner` means and what has to change for it. A uid that is not in passwd works, and has no
 * supplementary groups; its group is the given one, or else ours stays. When we are not root, another user is a warning
 * and the program runs as us, unless `isStrict` (`strict_user`). Throws {@link SpawnError} for unknown names, for
 * lookups that fail, and for what is refused.
 */
export function resolveCredentials(
  lookup: UserLookup,
  self: Identity,
  owner: OwnerOption | null,
  isStrict: boolean,
): Credentials {
  if (owner === null) return keep(lookup, self, null);
  const wanted = resolveOwner(lookup, self, owner);
  const isSameUser = wanted.uid === self.uid;
  const isSameGroup = owner.group === null || wanted.gid === self.gid;
  // compat: for the user that we are, nothing changes, not even the group, unless one is named.
  if (isSameUser && isSameGroup) return keep(lookup, self, null);
  if (self.uid !== 0) {
    const reason = `couldn't setuid to ${wanted.uid}: Can't drop privilege as nonroot user`;
    if (isStrict) throw new SpawnError('uid', 'EPERM', reason);
    return keep(lookup, self, `${reason}; it runs as uid ${self.uid}`);
  }
  const groups =
    wanted.login === null ? [] : lookUp(() => lookup.groupsOf(wanted.login?.name ?? '', wanted.gid), owner.user);
  return { ...wanted, groups, warning: null };
}

/**
 * Finds the ids of a user and group, no matter whether we may change to them. Throws {@link SpawnError} for unknown
 * names and failed lookups.
 */
export function lookUpOwner(lookup: UserLookup, owner: OwnerOption): { readonly uid: number; readonly gid: number } {
  const { uid, gid } = resolveOwner(lookup, { uid: 0, gid: 0 }, owner);
  return { uid, gid };
}

function keep(lookup: UserLookup, self: Identity, warning: string | null): Credentials {
  return {
    uid: null,
    gid: null,
    groups: null,
    login: lookUp(() => lookup.userById(self.uid), String(self.uid)),
    warning,
  };
}

function resolveOwner(
  lookup: UserLookup,
  self: Identity,
  { user, group }: OwnerOption,
): { uid: number; gid: number; login: User | null } {
  const number = parseId(user);
  const login = lookUp(() => (number === null ? lookup.userByName(user) : lookup.userById(number)), user);
  const uid = number ?? login?.uid;
  if (uid === undefined)
    throw new SpawnError('uid', 'ENOENT', `couldn't setuid to ${user}: Can't find username '${user}'`);
  return { uid, gid: group === null ? (login?.gid ?? self.gid) : resolveGroup(lookup, group), login };
}

function resolveGroup(lookup: UserLookup, group: string): number {
  const gid = parseId(group) ?? lookUp(() => lookup.groupByName(group), group)?.gid;
  if (gid === undefined)
    throw new SpawnError('gid', 'ENOENT', `couldn't setgid to ${group}: Can't find group '${group}'`);
  return gid;
}

/** A failing name service is a failure to start, which is retried, and not the end of the supervisor. */
function lookUp<T>(ask: () => T, name: string): T {
  try {
    return ask();
  } catch (error) {
    const code = errnoOf(error) ?? 'UNKNOWN';
    throw new SpawnError('uid', code, `cannot look up the user or group '${name}': ${code}`);
  }
}

function parseId(text: string): number | null {
  return /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 - 1 ? Number(text) : null;
}
