/**
 * Evaluates the dependencies of a process (`depends_on`): decides if a start may happen, and if not, what it waits for.
 * Also has the texts for that. Pure.
 */
import { formatExit, isExpectedExit } from './exit-status.ts';
import type { BlockingDependency, Condition, Hold, ProcessRecord, UnmetDependency } from './process-record.ts';

/** Words for the conditions, to follow "to be" and "must be". */
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

/** The facts about one dependency. */
export interface DependencyFacts extends UnmetDependency {
  /** Null if the process is no longer configured. */
  readonly record: ProcessRecord | null;
  readonly exitCodes: readonly number[];
  readonly isOneshot: boolean;
  /** True if the program reports its readiness (`ready_log`, `notification_fd`, `notify`). */
  readonly reportsReadiness: boolean;
  /** True if a schedule starts the program. */
  readonly isScheduled: boolean;
  /** The hold of the dependency itself; null for none. */
  readonly hold: Hold | null;
}

/** Returns what holds back a start with these dependencies; null if it may happen. */
export function findHold(dependencies: readonly DependencyFacts[]): Hold | null {
  const unmet = dependencies.filter((dependency) => !isMet(dependency));
  if (unmet.length === 0) return null;
  const lost = unmet.filter((dependency) => !canStillBeMet(dependency));
  if (lost.length > 0) return { kind: 'stuck', roots: findRoots(lost) };
  return { kind: 'waiting', dependencies: unmet.map(({ name, conditions }) => ({ name, conditions })) };
}

/** True if a dependency meets one of its conditions. */
export function isMet(dependency: DependencyFacts): boolean {
  const { record, conditions } = dependency;
  return record !== null && conditions.some((condition) => meets(record, condition, dependency));
}

function meets(
  record: ProcessRecord,
  condition: Condition,
  { isOneshot, reportsReadiness, exitCodes }: DependencyFacts,
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
      // A program may say that it is ready before startsecs.
      if (reportsReadiness && record.isReady) return record.state === 'RUNNING' || record.state === 'STARTING';
      return (record.state === 'RUNNING' && !reportsReadiness) || (isOneshot && isCompleted);
    case 'healthy':
      return record.state === 'RUNNING' && record.health === 'healthy';
    case 'exited':
      // A oneshot that fails is tried again and ends in FATAL. That counts as exited, too.
      return record.state === 'EXITED' || (isOneshot && record.state === 'FATAL' && record.exit !== null);
    case 'fatal':
      return record.state === 'FATAL';
    case 'backoff':
      return record.state === 'BACKOFF';
    case 'stopped':
      // Every process is STOPPED before its first start. That does not count.
      return record.state === 'STOPPED' && record.run > 0;
  }
}

/** True if the conditions may be fulfilled without an action of a person. */
export function canStillBeMet(dependency: DependencyFacts): boolean {
  const { record, hold, isScheduled } = dependency;
  if (record === null || isTooUnhealthy(dependency)) return false;
  switch (record.state) {
    case 'STARTING':
    case 'RUNNING':
    case 'BACKOFF':
      return true;
    case 'STOPPING':
      return record.isStartPending || record.hasStartFailed;
    case 'STOPPED':
    case 'EXITED':
    case 'FATAL':
      return record.deadlineMs !== null || isScheduled || hold?.kind === 'waiting';
    case 'UNKNOWN':
      return false;
  }
}

/**
 * True if a dependency has failed for good: it is FATAL, or it had to be completed and ended differently. A dependency
 * that is unhealthy, that a person has stopped, or that is not to be started may still be met.
 */
export function hasFailedForGood(dependency: DependencyFacts): boolean {
  const { record, conditions } = dependency;
  if (record === null || isMet(dependency) || canStillBeMet(dependency)) return false;
  // With a cause of a stop, the program was to be started again, and a person has cancelled that.
  return (
    record.state === 'FATAL' ||
    (record.state === 'EXITED' && conditions.includes('completed') && record.stopCause === null)
  );
}

/** True if only health is asked for and the program is unhealthy. It may recover, but the caller should know now. */
function isTooUnhealthy({ record, conditions }: DependencyFacts): boolean {
  return conditions.every((condition) => condition === 'healthy') && record?.health === 'unhealthy';
}

/** Collects each root cause once, even if several dependencies or a chain of them lead to it. */
function findRoots(lost: readonly DependencyFacts[]): BlockingDependency[] {
  const roots = new Map<string, BlockingDependency>();
  for (const dependency of lost) {
    if (dependency.hold?.kind !== 'stuck') {
      const root = rootOf(dependency);
      roots.set(formatRoot(root), root);
      continue;
    }
    for (const root of dependency.hold.roots) {
      const key = formatRoot(root);
      roots.set(key, { ...root, blocks: [...(roots.get(key)?.blocks ?? []), dependency.name] });
    }
  }
  return [...roots.values()];
}

function rootOf(dependency: DependencyFacts): BlockingDependency {
  const { name, conditions, record } = dependency;
  return {
    name,
    conditions,
    state: record?.state ?? null,
    isUnhealthy: isTooUnhealthy(dependency),
    exit: record?.state === 'EXITED' ? record.exit : null,
    blocks: [],
  };
}

/** True if both holds have the same text. */
export function isSameHold(one: Hold | null, other: Hold): boolean {
  return one !== null && formatHold(one) === formatHold(other);
}

/** Formats a hold so that it completes a sentence after the name of the process: `waits for db to be started`. */
export function formatHold(hold: Hold): string {
  if (hold.kind === 'connection') return `waits for a connection to ${hold.addresses.join(' or ')}`;
  if (hold.kind === 'waiting')
    return `waits for ${hold.dependencies.map((other) => `${other.name} to be ${formatConditions(other)}`).join(', ')}`;
  const sentences = hold.roots.map((root) => {
    const { blocks } = root;
    if (blocks.length === 0) return formatRoot(root);
    return `${formatRoot(root)} (${blocks.join(', ')} ${blocks.length === 1 ? 'depends' : 'depend'} on it)`;
  });
  return `cannot start: ${sentences.join(', ')}`;
}

function formatConditions({ conditions }: UnmetDependency): string {
  return conditions.map((condition) => WORDS[condition]).join(' or ');
}

function formatRoot(root: BlockingDependency): string {
  const { name, state, isUnhealthy, exit } = root;
  const wanted = `${name} must be ${formatConditions(root)}`;
  if (state === null) return `${wanted} and is not configured any more`;
  // A program that was stopped meets the condition. Before its first start it is STOPPED too, and does not meet it.
  if (state === 'STOPPED' && root.conditions.includes('stopped')) return `${wanted} and was not started yet`;
  if (isUnhealthy) return `${wanted} and is unhealthy`;
  return `${wanted} and is ${state}${exit === null ? '' : ` (${formatExit(exit)})`}`;
}
