/** Sentences and exit codes that several commands share. Pure data. */

/** Meaning of the names of processes. */
export const NAMES =
  'A NAME is a process, `GROUP:PROCESS`, `GROUP:*` for all processes of a group, or `all`. `*` matches any ' +
  "characters and `?` matches one, as in 'web_*'. Quote them, because shells have a use of their own for both.";

/** Exit code of our own commands without a supervisor. */
export const NO_SUPERVISOR = [4, 'no supervisor answers'] as const;

/** Exit codes of the commands of Supervisor without a supervisor. compat: there are two. */
export const REFUSED = [4, 'no supervisor answers at the socket or port'] as const;
export const NO_SOCKET = [7, 'there is no such socket'] as const;

/** Exit code of a failed action. */
export const FAILED = [1, 'an action failed, there is no such name, or the supervisor refuses the user'] as const;

/** Exit code of the commands that do not tell a missing supervisor from other errors. compat: as in Supervisor. */
export const FAILED_OR_ALONE = [
  1,
  'an action failed, there is no such name, no supervisor answers, or it refuses the user',
] as const;
