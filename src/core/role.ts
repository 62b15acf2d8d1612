/** The roles of clients over HTTP, from the least to the most. */
export const ROLES = ['metrics', 'read', 'admin'] as const;

/**
 * The rights of a client. `metrics`: metrics and probes only. `read`: everything that changes nothing and shows no
 * secret of a program. `admin`: everything. Each role includes those before it.
 */
export type Role = (typeof ROLES)[number];

/** True if `role` includes `needed`. Null: a client without a role. */
export function hasRole(role: Role | null, needed: Role): boolean {
  return role !== null && ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** Formats the reason of a refusal. Has no text of the client, so that it can be a part of a status line. */
export function formatMissingRole(needed: Role, role: Role): string {
  return `this needs the role ${needed}, and yours is ${role}`;
}

/** The needed role and the role of the client, as a server has named them. */
export interface MissingRole {
  readonly needed: string;
  readonly role: string;
}

/** Reads the roles from a reason of {@link formatMissingRole}; null for another text. */
export function findMissingRole(text: string): MissingRole | null {
  const [, needed, role] = /this needs the role ([a-z]+), and yours is ([a-z]+)/.exec(text) ?? [];
  return needed === undefined || role === undefined ? null : { needed, role };
}
