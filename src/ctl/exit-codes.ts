/**
 * Exit codes of supervisorctl: those that the Linux Standard Base gives to init scripts. Pure data.
 */

/** Exit codes of all commands but `status` (LSB, "Init Script Actions"). */
export const ExitCode = {
  SUCCESS: 0,
  GENERIC: 1,
  INVALID_ARGS: 2,
  UNIMPLEMENTED_FEATURE: 3,
  INSUFFICIENT_PRIVILEGES: 4,
  NOT_INSTALLED: 5,
  NOT_RUNNING: 7,
  /** The time of `--timeout` has passed. timeout(1) has the same code. */
  TIMEOUT: 124,
  /** Ended by Ctrl-C: 128 and the number of SIGINT, as in shells. */
  INTERRUPTED: 130,
} as const;

/** Exit codes of `status` that differ (LSB). */
export const StatusExitCode = {
  NOT_RUNNING: 3,
  UNKNOWN: 4,
} as const;

/** Exit codes of `wait` that differ. Unknown names have that of `status`. */
export const WaitExitCode = {
  /** A condition can only be met after an action of a person. */
  NEVER: 3,
} as const;
