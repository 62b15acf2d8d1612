/**
 * Whether a process may be started as far as its `depends_on` goes, and what it waits for if not. Pure.
 */
import { isExpectedExit } from './exit-status.ts';
import type { Hold, ProcessRecord } from './process-record.ts';

/**
 * Condition on another process: `started`, `ready`, `healthy`, `completed` (ended as expected), or `exited` (ended by
 * itself, whatever its exit code). The others are states of Supervisor as supervisord-dependent-startup names them.
 */
export type Condition = 'started' | 'ready' | 'healthy' | 'completed' | 'exited' | 'fatal' | 'backoff' | 'stopped';

/** Conditions as sentences have them: "must be …". */
const WORDS: Readonly<Record<Condition, string>> = {
  started: 'started',
  ready: 'ready',
  healthy: 'healthy',
  completed: 'completed',
  exited: 'exited',
  fatal: 'FATAL',
  backoff: 'in BACKOFF',
  stopped: 'stopped',
};

/** Another process, as far as somebody depends on it. */
export interface Dependable {
  /** Its name for people. */
  readonly name: string;
  /** Any one of them is enough. */
  readonly conditions: readonly Condition[];
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
  if (lost.length > 0) return formatStuck(lost);
  return {
    kind: 'waiting',
    reason: `waits for ${unmet.map((dependency) => `${dependency.name} to be ${formatConditions(dependency)}`).join(', ')}`,
  };
}

function isMet(dependency: Dependable): boolean {
  const { record, conditions } = dependency;
  return record !== null && conditions.some((condition) => meets(record, condition, dependency));
}

function meets(
  record: ProcessRecord,
  condition: Condition,
  { isOneshot, tellsReadiness, exitCodes }: Dependable,
): boolean {
  const isCompleted =
    record.state === 'EXITED' &&
    record.deadlineMs === null &&
    record.exit !== null &&
    isExpectedExit(record.exit, exitCodes);
  switch (condition) {
    case 'completed':
      return isCompleted;
    case 'started':
      return record.state === 'RUNNING' || (isOneshot && isCompleted);
    case 'ready':
      return (record.state === 'RUNNING' && (!tellsReadiness || record.isReady)) || (isOneshot && isCompleted);
    case 'healthy':
      return record.state === 'RUNNING' && record.health === 'healthy';
    case 'exited':
      // A oneshot that fails is tried again, and FATAL in the end: it has ended all the same.
      return record.state === 'EXITED' || (isOneshot && record.state === 'FATAL' && record.exit !== null);
    case 'fatal':
      return record.state === 'FATAL';
    case 'backoff':
      return record.state === 'BACKOFF';
    case 'stopped':
      // Everything is STOPPED before its first start.
      return record.state === 'STOPPED' && record.run > 0;
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

/**
 * True if what is asked of it has failed for good: it is FATAL, or had to be completed and has ended otherwise. What
 * was stopped by a person, is not to be started, or is unhealthy may come yet.
 */
export function hasFailedForGood(dependency: Dependable): boolean {
  const { record, conditions } = dependency;
  if (record === null || isMet(dependency) || isOnItsWay(dependency)) return false;
  return record.state === 'FATAL' || (record.state === 'EXITED' && conditions.includes('completed'));
}

/** It may recover, but nobody knows when: who asked for the start is told. */
function isSick({ record, conditions }: Dependable): boolean {
  return conditions.every((condition) => condition === 'healthy') && record?.health === 'unhealthy';
}

function formatConditions({ conditions }: Dependable): string {
  return conditions.map((condition) => WORDS[condition]).join(' or ');
}

/** Names each root cause once, also where several dependencies, or a chain of them, are blocked by it. */
function formatStuck(lost: readonly Dependable[]): Hold {
  const blocked = new Map<string, string[]>();
  for (const dependency of lost) {
    const { name, hold } = dependency;
    if (hold?.kind !== 'stuck') blocked.set(formatLost(dependency), []);
    else for (const root of hold.roots) blocked.set(root, [...(blocked.get(root) ?? []), name]);
  }
  const sentences = [...blocked].map(([root, names]) =>
    names.length === 0 ? root : `${root} (${names.join(', ')} ${names.length === 1 ? 'depends' : 'depend'} on it)`,
  );
  return { kind: 'stuck', reason: `cannot start: ${sentences.join(', ')}`, roots: [...blocked.keys()] };
}

function formatLost(dependency: Dependable): string {
  const { name, record } = dependency;
  const wanted = `must be ${formatConditions(dependency)}`;
  if (record === null) return `${name} ${wanted} and is not there any more`;
  if (isSick(dependency)) return `${name} ${wanted} and is unhealthy`;
  const how = record.state === 'EXITED' && record.exit?.kind === 'exited' ? ` (exit status ${record.exit.code})` : '';
  return `${name} ${wanted} and is ${record.state}${how}`;
}
