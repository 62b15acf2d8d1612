/** The owner and the mode of a file, as a configuration writes them. Pure. */

/** A user and an optional group, each a name or a number. */
export interface Owner {
  readonly user: string;
  /** Null if no group is given. */
  readonly group: string | null;
}

/** Formats an owner: `app`, `app:adm`. */
export function formatOwner({ user, group }: Owner): string {
  return group === null ? user : `${user}:${group}`;
}

/** Formats a mode in octal digits: `0640`. */
export function formatMode(mode: number): string {
  return `0${mode.toString(8).padStart(3, '0')}`;
}
