/**
 * Exit codes of supervisorctl: those that the Linux Standard Base gives to init scripts. Pure data.
 */

/** What an action ends with (LSB, "Init Script Actions"). */
export const ExitCode = {
  SUCCESS: 0,
  GENERIC: 1,
  INVALID_ARGS: 2,
  UNIMPLEMENTED_FEATURE: 3,
  INSUFFICIENT_PRIVILEGES: 4,
  NOT_INSTALLED: 5,
  NOT_RUNNING: 7,
  /** `--timeout` has passed, as timeout(1) counts it. */
  TIMEOUT: 124,
  /** Ended by Ctrl-C, as shells count it. */
  INTERRUPTED: 130,
} as const;

/** What `status` ends with, where it is another number (LSB). */
export const StatusExitCode = {
  NOT_RUNNING: 3,
  UNKNOWN: 4,
} as const;
