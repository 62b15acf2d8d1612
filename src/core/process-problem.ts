/**
 * Finds the problem of one process, if any, for `onevisor health`, /healthz and /readyz. Pure. There are two questions:
 *
 * alive: would a new container help? A start in progress, or one that is due, is no problem: the supervisor repairs it
 * by itself. For liveness probes (/healthz, `onevisor health --live`). ready: do all programs run that should? For
 * readiness probes, load balancers and Docker's HEALTHCHECK (/readyz, `onevisor health`).
 *
 * A process that a person has stopped need not run. Nor need one without autostart that was never started. An expected
 * exit is no problem. Nor is a program that waits for its first connection. The exit of a scheduled program does not
 * affect the container, but a scheduled program that cannot be executed is not ready.
 */
import type { Health, Hold, Purpose } from './process-record.ts';
import type { ProcessStateName } from './states.ts';

/** The question that a probe asks. */
export type Question = 'alive' | 'ready';

/** The facts of a process that the judgement depends on. */
export interface ProcessFacts {
  readonly state: ProcessStateName;
  /** Description as in `status`. */
  readonly description: string;
  readonly autostart: boolean;
  /** True if the process was ever started. */
  readonly wasStarted: boolean;
  /** Exit of the latest run, as in the log: `exit status 3`, `terminated by SIGSEGV`. Valid in EXITED. */
  readonly exitText: string;
  readonly isExitExpected: boolean;
  /** True if a restart is due (EXITED), or if a start follows the stop (STOPPING, STOPPED). */
  readonly isStartDue: boolean;
  /** Null without a health check. */
  readonly health: Health | null;
  /** Reason why the latest health check failed; null for none. */
  readonly healthReason: string | null;
  /** Null if the program does not report its readiness. */
  readonly isReady: boolean | null;
  /** Null if no start waits for dependencies. */
  readonly hold: Hold['kind'] | null;
  readonly purpose: Purpose;
}

type Rule = (facts: ProcessFacts, isReadyAsked: boolean) => string | null;

const asIs: Rule = ({ state, description }) => (description === '' ? state : `${state} ${description}`);

/** The table. A missing cell is a compile error. */
const rules: Readonly<Record<ProcessStateName, Rule>> = {
  RUNNING: ({ state, health, healthReason, isReady, purpose }, isReadyAsked) => {
    if (health === 'unhealthy' || (health === 'starting' && isReadyAsked))
      return `${state} ${health}${healthReason === null ? '' : `, ${healthReason}`}`;
    if (!isReadyAsked) return null;
    if (isReady === false) return `${state} not ready`;
    return purpose === 'oneshot' ? `${state} not done` : null;
  },
  // It may be ready before startsecs.
  STARTING: (facts, isReadyAsked) => (isReadyAsked && facts.isReady !== true ? asIs(facts, isReadyAsked) : null),
  STOPPING: (facts, isReadyAsked) => (isReadyAsked && facts.isStartDue ? `${facts.state} to be started again` : null),
  STOPPED: (facts, isReadyAsked) => {
    if (!isReadyAsked) return null;
    if (facts.isStartDue) return `${facts.state} to be started again`;
    return facts.autostart && !facts.wasStarted ? asIs(facts, isReadyAsked) : null;
  },
  EXITED: ({ state, exitText, isExitExpected, isStartDue }, isReadyAsked) => {
    if (isStartDue && !isReadyAsked) return null;
    if (!isExitExpected) return `${state} ${exitText}`;
    return isStartDue ? `${state} to be started again` : null;
  },
  BACKOFF: (facts, isReadyAsked) => (isReadyAsked ? asIs(facts, isReadyAsked) : null),
  FATAL: asIs,
  UNKNOWN: asIs,
};

/**
 * Returns the problem of a process in a few words; null for none. `isNamed`: the question is about this process, so it
 * should run even if a person has stopped it.
 */
export function findProblem(facts: ProcessFacts, question: Question, isNamed = false): string | null {
  if (facts.hold === 'connection') return null;
  if (isNamed && (facts.state === 'STOPPED' || facts.state === 'STOPPING')) return asIs(facts, true);
  const isLost = facts.state === 'UNKNOWN' || (facts.state === 'FATAL' && question === 'ready');
  if (facts.purpose === 'scheduled' && !isNamed && !isLost) return null;
  const isReadyAsked = question === 'ready';
  if (facts.hold !== null) return facts.hold === 'stuck' || isReadyAsked ? asIs(facts, isReadyAsked) : null;
  return rules[facts.state](facts, isReadyAsked);
}
