/** Looks up the user and the group that a file or a socket of ours is to belong to. */
import type { Report } from '../engine/ports.ts';
import { type Identity, lookUpOwner, type OwnerOption, type UserLookup } from '../process/credentials.ts';
import { SpawnError } from '../process/spawn-error.ts';

/** Finds the ids of an owner. Null, with a warning about `thing`, if there is no such user or group any more. */
export type FindOwner = (owner: OwnerOption, thing: string) => Identity | null;

/** Returns the function that finds owners. */
export function ownerFinder(lookup: UserLookup, report: Report): FindOwner {
  return (owner, thing) => {
    try {
      return lookUpOwner(lookup, owner);
    } catch (error) {
      if (!(error instanceof SpawnError)) throw error;
      report('warn', `cannot give ${thing} to ${owner.user}: ${error.message}`);
      return null;
    }
  };
}
