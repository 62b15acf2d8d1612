/**
 * The states of a process and of the supervisor, with Supervisor's names and numbers, and named sets of states. Pure
 * data.
 */

/** States of a process, by the numbers in XML-RPC and events (Supervisor, "Subprocesses: Process States"). */
export const ProcessState = {
  STOPPED: 0,
  STARTING: 10,
  RUNNING: 20,
  BACKOFF: 30,
  STOPPING: 40,
  EXITED: 100,
  FATAL: 200,
  UNKNOWN: 1000,
} as const;

/** Name of a process state. */
export type ProcessStateName = keyof typeof ProcessState;

/** All names, in the order of their numbers. */
export const processStateNames = Object.keys(ProcessState) as ProcessStateName[];

/** States of a process that is not running and may be started. */
export const STOPPED_STATES: ReadonlySet<ProcessStateName> = new Set(['STOPPED', 'EXITED', 'FATAL', 'UNKNOWN']);

/** States of a process that is up, or about to be. A start request is refused. */
export const RUNNING_STATES: ReadonlySet<ProcessStateName> = new Set(['RUNNING', 'BACKOFF', 'STARTING']);

/** States of a process with a pid that a signal can be sent to. */
export const SIGNALLABLE_STATES: ReadonlySet<ProcessStateName> = new Set(['RUNNING', 'STARTING', 'STOPPING']);

/** States of the supervisor itself (`getState`). */
export const SupervisorState = {
  FATAL: 2,
  RUNNING: 1,
  RESTARTING: 0,
  SHUTDOWN: -1,
} as const;

/** Name of a supervisor state. */
export type SupervisorStateName = keyof typeof SupervisorState;
