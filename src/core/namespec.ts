/**
 * How a process is named from outside: `name`, `group:name`, `group:*`.
 * Pure text; whether such a process exists is not looked up here.
 */

/** The two halves of a namespec; `process` is null where all processes of the group are meant. */
export interface Namespec {
  readonly group: string;
  readonly process: string | null;
}

/** Splits a namespec: `web` is `web:web`, and `web:*` as well as `web:` is the whole group. */
export function parseNamespec(text: string): Namespec {
  const colon = text.indexOf(':');
  if (colon === -1) return { group: text, process: text };
  const proc = text.slice(colon + 1);
  return { group: text.slice(0, colon), process: proc === '' || proc === '*' ? null : proc };
}

/** The shortest namespec of a process: its name alone where the group has the same. */
export function formatNamespec(group: string, proc: string): string {
  return group === proc ? proc : `${group}:${proc}`;
}
