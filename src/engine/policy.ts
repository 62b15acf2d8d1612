/** Converts the options of a program, with the file's names and units, to the policy of the process machine. Pure. */
import type { ProcessConfig } from '../config/model.ts';
import type { ProcessPolicy, Purpose } from '../core/process-record.ts';

const SECOND_MS = 1000;

/** Returns the purpose of a program. A program with a schedule is expected to end, with or without `oneshot`. */
export function purposeOf({ cron, oneshot }: ProcessConfig['options']): Purpose {
  if (cron !== null) return 'scheduled';
  return oneshot ? 'oneshot' : 'service';
}

/** Returns the wait before the first signal after stop_command: stop_timeout, but at least stopwaitsecs. */
function firstWaitOf({ stop_command: command, stop_timeout: timeout, stopwaitsecs }: ProcessConfig['options']): number {
  return (command === null ? stopwaitsecs : Math.max(stopwaitsecs, timeout ?? 0)) * SECOND_MS;
}

/** Returns the policy of a process. startretries=-1 means no limit. */
export function policyOf({ options }: ProcessConfig): ProcessPolicy {
  const purpose = purposeOf(options);
  const retries = options.startretries < 0 ? Infinity : options.startretries;
  return {
    purpose,
    startMs: options.startsecs * SECOND_MS,
    // A scheduled program is not retried: its next try is the next time of the schedule.
    startRetries: purpose === 'scheduled' ? 0 : retries,
    firstWaitMs: firstWaitOf(options),
    hasStopCommand: options.stop_command !== null,
    autorestart: options.autorestart,
    exitCodes: options.exitcodes,
    stopSignals: options.stopsignal,
    stopWaitMs: options.stopwaitsecs * SECOND_MS,
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
