/** Converts the options of a program, with the file's names and units, to the policy of the process machine. Pure. */
import type { ProcessConfig } from '../config/model.ts';
import type { ProcessPolicy, Purpose } from '../core/process-record.ts';

const SECOND_MS = 1000;

/** Returns milliseconds, without the rounding error of a fraction such as 1.1. */
function milliseconds(seconds: number): number {
  return Math.round(seconds * SECOND_MS);
}

/** Returns the purpose of a program. A program with a schedule is expected to end, with or without `oneshot`. */
export function purposeOf({ cron, oneshot }: ProcessConfig['options']): Purpose {
  if (cron !== null) return 'scheduled';
  return oneshot ? 'oneshot' : 'service';
}

/** True if a program can report that it is ready. */
export function tellsReadiness(options: ProcessConfig['options']): boolean {
  return options.ready_log !== null || options.notification_fd !== null || options.notify !== null;
}

/** Returns the wait before the first signal after stop_command: stop_timeout, but at least stopwaitsecs. */
function firstWaitOf({ stop_command: command, stop_timeout: timeout, stopwaitsecs }: ProcessConfig['options']): number {
  return milliseconds(command === null ? stopwaitsecs : Math.max(stopwaitsecs, timeout ?? 0));
}

/** Returns the policy of a process. startretries=-1 means no limit. */
export function policyOf({ options }: ProcessConfig): ProcessPolicy {
  const purpose = purposeOf(options);
  const retries = options.startretries < 0 ? Infinity : options.startretries;
  return {
    purpose,
    startMs: milliseconds(options.startsecs),
    readyMs: options.ready_timeout === null || !tellsReadiness(options) ? null : milliseconds(options.ready_timeout),
    // A scheduled program is not retried: its next try is the next time of the schedule.
    startRetries: purpose === 'scheduled' ? 0 : retries,
    firstWaitMs: firstWaitOf(options),
    hasStopCommand: options.stop_command !== null,
    autorestart: options.autorestart,
    exitCodes: options.exitcodes,
    stopSignals: options.stopsignal,
    stopWaitMs: milliseconds(options.stopwaitsecs),
    stopAsGroup: options.stopasgroup,
    killAsGroup: options.killasgroup,
    restarts: {
      pauseMs: options.restartpause * SECOND_MS,
      maxBackoffMs: options.maxbackoff === null ? Infinity : options.maxbackoff * SECOND_MS,
      backoffFactor: options.backoff_factor,
      maxRestarts: options.max_restarts ?? Infinity,
      windowMs: options.max_restarts_window * SECOND_MS,
    },
  };
}
