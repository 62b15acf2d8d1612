/**
 * The fields of the supervisor's own log lines in the formats json and logfmt: what happened, to which process. They
 * are made together with the text of a line, so that no reader has to take a sentence apart. Pure.
 */
import { type Cause, formatCauseOf } from './cause.ts';
import type { ExitStatus } from './exit-status.ts';
import type { Health } from './process-record.ts';
import { formatSignal } from './signals.ts';
import type { ProcessStateName } from './states.ts';

/** Each event of a line, with a sentence for the manual. */
export const logEvents = {
  spawned: 'The program was executed.',
  spawn_failed: 'The program could not be executed.',
  running: 'The process has become RUNNING.',
  ready: 'The program has reported that it is ready.',
  not_ready: 'The start has failed: the program was not ready within `ready_timeout`.',
  exited: 'The process has ended by itself. `expected` is true for an exit code of `exitcodes`.',
  stopped: 'The process has ended after a requested stop.',
  gave_up: 'A limit of retries or restarts is reached.',
  fatal: 'The process is FATAL.',
  held: 'A start waits for dependencies.',
  signalling: 'The first signal of a stop, or the next of `stopsignal`, is sent.',
  killing: 'The process has survived `stopwaitsecs` and gets SIGKILL.',
  signal_failed: 'The process could not be signalled.',
  restarting:
    'A health check, `max_memory`, a watchdog, changed files or a new run of a dependency restart the process.',
  changed: 'Watched files have changed: a signal is sent, the program started, or the configuration read again.',
  health: 'The health has changed.',
  out_of_memory: 'The kernel has killed the process or a child of it.',
  hook_failed: 'A hook such as `pre_start_command` has failed.',
  reloaded: 'The program was asked to read its configuration again (`reload_signal`, `reload_command`).',
  left_behind: 'A process has survived SIGKILL.',
  reaped: 'A process without a configuration has ended.',
  requested: 'A client has requested a change.',
  signal_received: 'The supervisor has received a signal.',
  delayed: 'A shutdown has begun, and the programs run on for `shutdown_delay`.',
  waiting: 'The shutdown waits for programs.',
  shutdown: 'The end of a program shuts the supervisor down.',
  configuration: 'A warning or an error of the configuration.',
  updated: 'An update has applied settings, or has left some out.',
  notification: 'A notification of a program (`notify`, `notification_fd`) is broken, or means nothing.',
  listener: 'An event listener has changed its state, rejected an event or broken the protocol.',
  skipped: 'A run of a schedule was left out.',
  cleanup: 'Processes that a program has left are stopped.',
  logging: 'A log of a program or of the supervisor cannot be written or rotated, or can again.',
  unchecked: 'A limit of a process cannot be set, or a fact of it cannot be measured.',
  watching: 'Files are watched, or cannot be watched.',
  internal_error: 'An error of the supervisor itself.',
  message: 'Any other line.',
} as const satisfies Readonly<Record<string, string>>;

/** Event of a line. */
export type LogEvent = keyof typeof logEvents;

/** The fields of a line besides time, level, program and message. A missing field does not apply. */
export interface LogFields {
  readonly event: LogEvent;
  readonly group?: string;
  readonly process?: string;
  readonly pid?: number;
  readonly state?: ProcessStateName;
  readonly exit_code?: number;
  readonly signal?: string;
  readonly expected?: boolean;
  readonly health?: Health;
  readonly cause?: string;
  readonly file?: string;
  readonly line?: number;
  readonly section?: string;
  readonly option?: string;
}

/** Each field, in the order of a line, with a sentence for the manual. */
export const logFields: Readonly<Record<keyof LogFields, string>> = {
  event: 'The event, from the table below.',
  group: 'Group of the process.',
  process: 'Name of the process in its group, as in the lines of its output.',
  pid: 'Pid of the process that the line is about. In a line without a process it is the pid of the supervisor.',
  state: 'State of the process after the event.',
  exit_code: 'Exit code, if it has ended with one.',
  signal: 'Signal that has ended it, that is sent or that was received, as `SIGTERM`.',
  expected: 'Whether `exitcodes` has the exit code.',
  health: 'Health of the process, with the event `health`.',
  cause: 'Who or what asked for a start, a stop or a restart.',
  file: 'File or variable of the configuration, with the event `configuration`.',
  line: 'Line of that file.',
  section: 'Section of the configuration.',
  option: 'Option of that section.',
};

/** Names of a process. */
export interface NamedProcess {
  readonly group: string;
  readonly name: string;
}

/** Returns the fields that name a process. */
export function processFields({ group, name }: NamedProcess): Pick<LogFields, 'group' | 'process'> {
  return { group, process: name };
}

/** Returns the fields of an exit; none for null. */
export function exitFields(status: ExitStatus | null): Pick<LogFields, 'exit_code' | 'signal'> {
  if (status === null) return {};
  return status.kind === 'exited' ? { exit_code: status.code } : { signal: formatSignal(status.signal) };
}

/** Returns the field of a cause; none for null. */
export function causeFields(cause: Cause | null): Pick<LogFields, 'cause'> {
  return cause === null ? {} : { cause: formatCauseOf(cause) };
}
