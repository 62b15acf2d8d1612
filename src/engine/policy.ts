/**
 * From the options of a program, in the names and units of the file, to the policy of the process machine. Pure.
 */
import type { ProcessConfig } from '../config/model.ts';
import type { ProcessPolicy } from '../core/process-machine.ts';

const SECOND_MS = 1000;

/** The policy that the options of a process make; startretries -1 means for ever. */
export function policyOf({ options }: ProcessConfig): Omit<ProcessPolicy, 'mayRestart'> {
  return {
    startMs: options.startsecs * SECOND_MS,
    startRetries: options.startretries < 0 ? Infinity : options.startretries,
    autorestart: options.autorestart,
    exitCodes: options.exitcodes,
    stopSignals: options.stopsignal,
    stopWaitMs: options.stopwaitsecs * SECOND_MS,
    stopAsGroup: options.stopasgroup,
    killAsGroup: options.killasgroup,
  };
}
