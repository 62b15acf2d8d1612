/** Sentences and exit codes that several commands share. Pure data. */

/** Meaning of the names of processes. */
export const NAMES =
  'A NAME is a process, `GROUP:PROCESS`, `GROUP:*` for all processes of a group, or `all`. `*` matches any ' +
  "characters and `?` matches one, as in 'web_*'. Quote them, because shells have a use of their own for both.";

/** Exit code without a supervisor. */
export const NO_SUPERVISOR = [4, 'no supervisor answers, or it refuses the connection'] as const;

/** Exit code of a failed action. */
export const FAILED = [1, 'an action failed, or there is no such name'] as const;
