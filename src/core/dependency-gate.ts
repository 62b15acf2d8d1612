/**
 * Whether a process may be started as far as its `depends_on` goes, and what it waits for if not. Pure.
 */
import { isExpectedExit } from './exit-status.ts';
import type { Hold, ProcessRecord } from './process-record.ts';

/** What is asked of another process: `started`, `ready`, `healthy`, or `completed` (ended as expected). */
export type Condition = 'started' | 'ready' | 'healthy' | 'completed';

/** Another process, as far as somebody depends on it. */
export interface Dependable {
  /** Its name for people. */
  readonly name: string;
  readonly condition: Condition;
  /** Null where it is not configured any more. */
  readonly record: ProcessRecord | null;
  readonly exitCodes: readonly number[];
  readonly isOneshot: boolean;
  /** It says itself when it is ready (`notification_fd`, `notify`). */
  readonly tellsReadiness: boolean;
  /** It is started by a schedule: at rest, it is on its way. */
  readonly isScheduled: boolean;
  /** Why it is itself not started; null where nothing holds it. */
  readonly hold: Hold | null;
}

/** Null where everything has come; else what is waited for, and whether it can still come. */
export function judgeGate(dependencies: readonly Dependable[]): Hold | null {
  const unmet = dependencies.filter((dependency) => !isMet(dependency));
  if (unmet.length === 0) return null;
  const lost = unmet.filter((dependency) => !isOnItsWay(dependency));
  if (lost.length > 0) return { kind: 'stuck', reason: `cannot start: ${lost.map(formatLost).join(', ')}` };
  return { kind: 'waiting', reason: `waits for ${unmet.map(({ name, condition }) => `${name} to be ${condition}`).join(', ')}` };
}

function isMet({ record, condition, isOneshot, tellsReadiness, exitCodes }: Dependable): boolean {
  if (record === null) return false;
  const isCompleted = record.state === 'EXITED' && record.deadlineMs === null && record.exit !== null && isExpectedExit(record.exit, exitCodes);
  switch (condition) {
    case 'completed':
      return isCompleted;
    case 'started':
      return record.state === 'RUNNING' || (isOneshot && isCompleted);
    case 'ready':
      return (record.state === 'RUNNING' && (!tellsReadiness || record.isReady)) || (isOneshot && isCompleted);
    case 'healthy':
      return record.state === 'RUNNING' && record.health === 'healthy';
  }
}

/** Whether what is asked of it may still come by itself. */
function isOnItsWay(dependency: Dependable): boolean {
  const { record, hold, isScheduled } = dependency;
  if (record === null || isSick(dependency)) return false;
  switch (record.state) {
    case 'STARTING':
    case 'RUNNING':
    case 'BACKOFF':
      return true;
    case 'STOPPING':
      return record.thenStart;
    case 'STOPPED':
    case 'EXITED':
    case 'FATAL':
      return record.deadlineMs !== null || isScheduled || hold?.kind === 'waiting';
    case 'UNKNOWN':
      return false;
  }
}

/** It may recover, but nobody knows when: who asked for the start is told. */
function isSick({ record, condition }: Dependable): boolean {
  return condition === 'healthy' && record?.health === 'unhealthy';
}

function formatLost(dependency: Dependable): string {
  const { name, record, condition, hold } = dependency;
  const wanted = `must be ${condition}`;
  if (record === null) return `${name} ${wanted} and is not there any more`;
  if (hold !== null) return `${name} ${wanted} and ${hold.reason}`;
  if (isSick(dependency)) return `${name} ${wanted} and is unhealthy`;
  const how = record.state === 'EXITED' && record.exit?.kind === 'exited' ? ` (exit status ${record.exit.code})` : '';
  return `${name} ${wanted} and is ${record.state}${how}`;
}
