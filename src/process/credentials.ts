/**
 * Determines the user of a program: looks up `user=name[:group]`. Root follows the rules of Supervisor (options.py
 * drop_privileges); a supervisor without root rights is less strict. Changes no credentials.
 */
import { errnoOf } from '../core/error-text.ts';
import type { Addon, User } from '../native/addon.ts';
import { SpawnError } from './spawn-error.ts';

/** Option `user`: names or numbers. */
export interface OwnerOption {
  readonly user: string;
  readonly group: string | null;
}

/** User and group of our own process. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** User, group and supplementary groups of a program. */
export interface UserIds extends Identity {
  readonly groups: readonly number[];
}

/**
 * Credentials that a spawn changes; null for those that stay. `login`: the user that the program then runs as, null if
 * passwd does not have it.
 */
export interface Credentials {
  readonly uid: number | null;
  readonly gid: number | null;
  readonly groups: readonly number[] | null;
  readonly login: User | null;
  /** Reason why the program runs as a different user than configured. */
  readonly warning: string | null;
}

/** The functions of the addon that look up users and groups. */
export type UserLookup = Pick<Addon, 'userByName' | 'userById' | 'groupByName' | 'groupById' | 'groupsOf'>;

/**
 * Looks up the user of `owner` and the necessary changes. A uid that is not in passwd is allowed. It has no
 * supplementary groups, and its group is the given one or ours. If we are not root, another user is only a warning, and
 * the program runs as our user, unless `isStrict` (`strict_user`). Throws {@link SpawnError} for unknown names, failed
 * lookups and changes that are not permitted.
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
  // compat: for our own user nothing changes, not even the group, unless a group is given.
  if (isSameUser && isSameGroup) return keep(lookup, self, null);
  if (self.uid !== 0) {
    const reason = `couldn't setuid to ${wanted.uid}: Can't drop privilege as nonroot user`;
    if (isStrict) throw new SpawnError('uid', 'EPERM', reason);
    return keep(lookup, self, `${reason}; it runs as uid ${self.uid}`);
  }
  return { ...wanted, groups: groupsOf(lookup, wanted, owner), warning: null };
}

/**
 * Finds the ids of a user and group, whether or not we may change to them. Throws {@link SpawnError} for unknown names
 * and failed lookups.
 */
export function lookUpOwner(lookup: UserLookup, owner: OwnerOption): { readonly uid: number; readonly gid: number } {
  const { uid, gid } = resolveOwner(lookup, { uid: 0, gid: 0 }, owner);
  return { uid, gid };
}

/**
 * Finds the user, the group and the supplementary groups that a program of `owner` gets from root. Throws
 * {@link SpawnError} for unknown names and failed lookups.
 */
export function lookUpIds(lookup: UserLookup, owner: OwnerOption): UserIds {
  const wanted = resolveOwner(lookup, { uid: 0, gid: 0 }, owner);
  return { uid: wanted.uid, gid: wanted.gid, groups: groupsOf(lookup, wanted, owner) };
}

/** Returns all groups of a user in passwd; none for another uid. */
function groupsOf(
  lookup: UserLookup,
  { login, gid }: { readonly login: User | null; readonly gid: number },
  owner: OwnerOption,
): readonly number[] {
  return login === null ? [] : lookUp(() => lookup.groupsOf(login.name, gid), owner.user);
}

function keep(lookup: UserLookup, self: Identity, warning: string | null): Credentials {
  return {
    uid: null,
    gid: null,
    groups: null,
    // Only when it is asked for: starts without `user` must not wait for a passwd that hangs.
    get login() {
      return lookUp(() => lookup.userById(self.uid), String(self.uid));
    },
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

/** Runs a lookup. A failing name service fails the start, which is retried. It must not end the supervisor. */
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
