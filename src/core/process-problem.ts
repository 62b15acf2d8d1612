/**
 * What is wrong with one process, asked in two ways; the one judgement behind `onevisor health`, /healthz and /readyz.
 * Pure.
 *
 * alive: would it help to start the container anew? What is on its way is not wrong. For liveness probes (/healthz).
 * ready: is everything there that should be? For readiness probes, load balancers and Docker's HEALTHCHECK (/readyz,
 * `onevisor health`).
 *
 * Something that was stopped by hand, or that is not started by itself and never was, should not run. What ended as it
 * was expected to is done. Nobody waits for what runs by a schedule, and how one run of it ended is not the state of
 * the whole; one that cannot even be executed is not ready.
 */
import type { Health, Hold, Purpose } from './process-record.ts';
import type { ProcessStateName } from './states.ts';

/** The two ways to ask. */
export type Question = 'alive' | 'ready';

/** What of a process bears on it. */
export interface ProcessFacts {
  readonly state: ProcessStateName;
  /** Description as in `status`. */
  readonly description: string;
  readonly autostart: boolean;
  /** Ever. */
  readonly wasStarted: boolean;
  /** Of its latest run, as on the wire; means something in EXITED. */
  readonly exitStatus: number;
  readonly isExitExpected: boolean;
  /** In EXITED: it is about to be restarted. In STOPPING: it is stopped in order to start again. */
  readonly isStartDue: boolean;
  /** Starts that failed in a row. */
  readonly failedStarts: number;
  /** Null where nothing checks it. */
  readonly health: Health | null;
  /** Reason why the latest health check failed; null for none. */
  readonly healthReason: string | null;
  /** Null where it has no way to say so. */
  readonly isReady: boolean | null;
  /** Null where it waits for nothing. */
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
  STARTING: (facts, isReadyAsked) => {
    if (isReadyAsked) return asIs(facts, isReadyAsked);
    // A program that fails at each start is not alive in the moment of the next try either.
    return facts.failedStarts === 0 ? null : `${facts.state} after failed starts: ${facts.failedStarts}`;
  },
  STOPPING: (facts, isReadyAsked) => (isReadyAsked && facts.isStartDue ? `${facts.state} to be started again` : null),
  STOPPED: (facts, isReadyAsked) => {
    if (!isReadyAsked) return null;
    if (facts.isStartDue) return `${facts.state} to be started again`;
    return facts.autostart && !facts.wasStarted ? asIs(facts, isReadyAsked) : null;
  },
  EXITED: ({ state, exitStatus, isExitExpected, isStartDue }, isReadyAsked) => {
    if (!isExitExpected) return `${state} exit status ${exitStatus}`;
    return isReadyAsked && isStartDue ? `${state} to be started again` : null;
  },
  BACKOFF: asIs,
  FATAL: asIs,
  UNKNOWN: asIs,
};

/**
 * What is wrong with a process, in a few words; null for nothing. `isNamed`: somebody asks for this one, so that it
 * should run although nothing else says so.
 */
export function findProblem(facts: ProcessFacts, question: Question, isNamed = false): string | null {
  if (isNamed && (facts.state === 'STOPPED' || facts.state === 'STOPPING')) return asIs(facts, true);
  const isLost = facts.state === 'UNKNOWN' || (facts.state === 'FATAL' && question === 'ready');
  if (facts.purpose === 'scheduled' && !isNamed && !isLost) return null;
  const isReadyAsked = question === 'ready';
  if (facts.hold !== null) return facts.hold === 'stuck' || isReadyAsked ? asIs(facts, isReadyAsked) : null;
  return rules[facts.state](facts, isReadyAsked);
}
