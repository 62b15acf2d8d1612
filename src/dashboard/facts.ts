/** A process of the JSON API as the views of the terminal know it, so that all views say the same words. Pure. */
import type { StatusAnswer } from '../api/types.ts';
import { type ProcessStatus, readStatus } from '../ctl/process-status.ts';
import type { ProcessInfo } from '../ctl/supervisor-client.ts';

/** Reads the status of a process. */
export function statusOf(answer: StatusAnswer): ProcessStatus {
  const { name, group, state, statename, description, pid, start, exitstatus } = answer;
  const info: ProcessInfo = {
    name,
    group,
    state,
    statename,
    description,
    pid,
    start,
    exitstatus,
    health: answer.health ?? null,
    healthReason: answer.health_reason ?? null,
    isReady: answer.ready ?? null,
    hold: answer.hold ?? null,
    purpose: answer.purpose ?? 'service',
    isStartDue: answer.restarting === true,
    struct: answer as unknown as ProcessInfo['struct'],
  };
  return readStatus(info);
}
