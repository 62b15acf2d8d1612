/**
 * From the options of a program, in the names and units of the file, to the policy of the process machine. Pure.
 */
import type { ProcessConfig } from '../config/model.ts';
import type { ProcessPolicy } from '../core/process-machine.ts';

const SECOND_MS = 1000;

/** What of a policy does not change while a configuration is in use. */
export type FixedPolicy = Omit<ProcessPolicy, 'mayRestart' | 'chance'>;

/** The policy that the options of a process make; startretries -1 means for ever. */
export function policyOf({ options }: ProcessConfig): FixedPolicy {
  return {
    startMs: options.startsecs * SECOND_MS,
    startRetries: options.startretries < 0 ? Infinity : options.startretries,
    autorestart: options.autorestart,
    exitCodes: options.exitcodes,
    stopSignals: options.stopsignal,
    stopWaitMs: options.stopwaitsecs * SECOND_MS,
    stopAsGroup: options.stopasgroup,
    killAsGroup: options.killasgroup,
    restart: {
      pauseMs: options.restartpause * SECOND_MS,
      maxBackoffMs: options.maxbackoff === null ? Infinity : options.maxbackoff * SECOND_MS,
      backoffFactor: options.backoff_factor,
      maxRestarts: options.max_restarts ?? Infinity,
      windowMs: options.max_restarts_window * SECOND_MS,
    },
  };
}
