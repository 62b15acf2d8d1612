/**
 * From the options of a program, in the names and units of the file, to the policy of the process machine. Pure.
 */
import type { ProcessConfig } from '../config/model.ts';
import type { ProcessPolicy, Purpose } from '../core/process-record.ts';

const SECOND_MS = 1000;

/** What a program is for: one with a schedule comes to an end, whether it says so or not. */
export function purposeOf({ cron, oneshot }: ProcessConfig['options']): Purpose {
  if (cron !== null) return 'scheduled';
  return oneshot ? 'oneshot' : 'service';
}

/** A stop_command has as long as stop_timeout says before the first signal, and the program at least stopwaitsecs. */
function firstWaitOf({ stop_command: command, stop_timeout: timeout, stopwaitsecs }: ProcessConfig['options']): number {
  return (command === null ? stopwaitsecs : Math.max(stopwaitsecs, timeout ?? 0)) * SECOND_MS;
}

/** The policy that the options of a process make; startretries -1 means for ever. */
export function policyOf({ options }: ProcessConfig): ProcessPolicy {
  const purpose = purposeOf(options);
  const retries = options.startretries < 0 ? Infinity : options.startretries;
  return {
    purpose,
    startMs: options.startsecs * SECOND_MS,
    // The next try of a schedule is its next time.
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
