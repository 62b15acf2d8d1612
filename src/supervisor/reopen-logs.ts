/** Reopens all logs (USR2): the supervisor's own, and those of the programs. */
import { reasonOf } from '../core/error-text.ts';
import type { Hub } from '../logs/ports.ts';

/** Reopens all log files. Failures are reported. */
export function reopenLogs(hub: Hub): void {
  const failed = (error: unknown): void => hub.mainLog.write('error', `cannot reopen the log: ${reasonOf(error)}`);
  hub.mainLog.reopen().then(() => hub.mainLog.write('info', 'supervisord logreopen'), failed);
  hub.reopen().catch(failed);
}
