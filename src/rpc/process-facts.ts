/** The facts of a process for core/process-problem.ts, from its record and its options. Pure. */
import { isExpectedExit, supervisorExitStatus } from '../core/exit-status.ts';
import type { ProcessFacts } from '../core/process-problem.ts';
import { purposeOf } from '../engine/policy.ts';
import type { ProcessView } from '../engine/process-table.ts';
import { describeProcess, tellsReadiness } from './process-info.ts';
import type { ProcessTimes } from './process-times.ts';
import type { SupervisorApi } from './supervisor-api.ts';

/** Collects the facts of one process. */
export function factsOf(view: ProcessView, api: SupervisorApi, times: ProcessTimes): ProcessFacts {
  const {
    record,
    config: { name, options },
  } = view;
  const { exit, hold } = record;
  const remarks = api.remarks(view.id);
  return {
    state: record.state,
    description: describeProcess(name, record, {
      times: times.of(view),
      nowMs: api.nowMs(),
      wallMs: api.wallMs(),
      remarks,
    }),
    autostart: options.autostart,
    wasStarted: record.run > 0,
    exitStatus: exit === null ? 0 : supervisorExitStatus(exit),
    isExitExpected: exit !== null && isExpectedExit(exit, options.exitcodes),
    isStartDue: record.isStartPending || (record.state === 'EXITED' && record.deadlineMs !== null),
    failedStarts: record.failedStarts,
    health: record.health,
    healthReason: remarks.find((remark) => remark.kind === 'healthFailure')?.reason ?? null,
    isReady: tellsReadiness(view.config) ? record.isReady : null,
    hold: hold?.kind ?? null,
    purpose: purposeOf(options),
  };
}
