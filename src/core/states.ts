/**
 * The eight states of a process and the five of the supervisor, with Supervisor's names and wire numbers, and the named
 * sets of them. Pure data; imports nothing.
 */

/** States of a process, by the number that XML-RPC and events carry (Supervisor, "Subprocesses: Process States"). */
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

/** Name of a process state, as on the wire. */
export type ProcessStateName = keyof typeof ProcessState;

/** All names, in the order of their numbers. */
export const processStateNames = Object.keys(ProcessState) as ProcessStateName[];

/** A process in one of these counts as not running and may be started. */
export const STOPPED_STATES: ReadonlySet<ProcessStateName> = new Set(['STOPPED', 'EXITED', 'FATAL', 'UNKNOWN']);

/** A process in one of these is, or is about to be, up: a start request is refused. */
export const RUNNING_STATES: ReadonlySet<ProcessStateName> = new Set(['RUNNING', 'BACKOFF', 'STARTING']);

/** A process in one of these has a pid that a signal can be sent to. */
export const SIGNALLABLE_STATES: ReadonlySet<ProcessStateName> = new Set(['RUNNING', 'STARTING', 'STOPPING']);

/** States of the supervisor itself (`getState`). */
export const SupervisorState = {
  FATAL: 2,
  RUNNING: 1,
  RESTARTING: 0,
  SHUTDOWN: -1,
} as const;

/** Name of a supervisor state, as on the wire. */
export type SupervisorStateName = keyof typeof SupervisorState;
