/** The texts for a failed run. Pure. Supervisor's texts must not change: clients read them in `spawnerr`. */
import { supervisorExitStatus } from './exit-status.ts';
import type { RunFailure } from './process-record.ts';

/** Formats the reason of a start that failed because of ready_timeout. */
export function formatUnready(limitMs: number): string {
  return `not ready within ${limitMs / 1000} seconds (ready_timeout)`;
}

/** Formats a failure for people. compat: the texts of `spawnerr` (supervisor.process.Subprocess). */
export function formatFailure(failure: RunFailure): string {
  switch (failure.kind) {
    case 'notExecuted':
      return failure.reason;
    case 'exitedTooQuickly':
      return 'Exited too quickly (process log may have details)';
    case 'badExit':
      return `Bad exit code ${supervisorExitStatus(failure.status)}`;
    case 'notReady':
      return formatUnready(failure.limitMs);
    case 'restartedTooOften':
      return `more than ${failure.maxRestarts} restarts within ${failure.windowMs / 1000} seconds (max_restarts)`;
  }
}
