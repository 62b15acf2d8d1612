/** Names of processes, as clients write them: `name`, `group:name`, `group:*`. Pure. */

/** The parts of a namespec. `process` is null for all processes of the group. */
export interface Namespec {
  readonly group: string;
  readonly process: string | null;
}

/** Splits a namespec. `web` is `web:web`; `web:*` and `web:` mean the whole group. */
export function parseNamespec(text: string): Namespec {
  const colon = text.indexOf(':');
  if (colon === -1) return { group: text, process: text };
  const proc = text.slice(colon + 1);
  return { group: text.slice(0, colon), process: proc === '' || proc === '*' ? null : proc };
}

/** Returns the shortest namespec: the name alone if the group has the same name. */
export function formatNamespec(group: string, proc: string): string {
  return group === proc ? proc : `${group}:${proc}`;
}
