/** The facts of a process for core/process-problem.ts, from its record and its options. Pure. */
import { formatExit, isExpectedExit } from '../core/exit-status.ts';
import type { ProcessFacts } from '../core/process-problem.ts';
import { healthReasonOf } from '../core/process-remark.ts';
import { purposeOf } from '../engine/policy.ts';
import type { ProcessView } from '../engine/process-table.ts';
import { tellsReadiness } from '../engine/policy.ts';
import { describeProcess } from './process-info.ts';
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
    // Few states need the text, and a table of 500 processes asks for the facts of each.
    get description() {
      return describeProcess(name, record, {
        times: times.of(view),
        nowMs: api.nowMs(),
        wallMs: api.wallMs(),
        remarks,
        isOwnView: true,
      });
    },
    autostart: options.autostart,
    wasStarted: record.run > 0,
    exitText: exit === null ? '' : formatExit(exit),
    isExitExpected: exit !== null && isExpectedExit(exit, options.exitcodes),
    isStartDue:
      record.isStartPending || record.hasStartFailed || (record.state === 'EXITED' && record.deadlineMs !== null),
    health: record.health,
    healthReason: healthReasonOf(remarks),
    isReady: tellsReadiness(view.config.options) ? record.isReady : null,
    hold: hold?.kind ?? null,
    purpose: purposeOf(options),
  };
}
