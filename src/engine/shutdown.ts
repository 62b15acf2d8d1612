/**
 * The end, or the restart, of the whole: runs the machine of core/shutdown-machine.ts on the processes that the engine
 * has. Part of the engine, and called by it alone.
 */
import type { ExitCause } from '../core/exit-policy.ts';
import type { ProcessInput } from '../core/process-record.ts';
import {
  type Forwarded,
  type Goal,
  initialShutdown,
  type ShutdownEffect,
  type ShutdownInput,
  type ShutdownRecord,
  stepShutdown,
} from '../core/shutdown-machine.ts';
import { SIGNALLABLE_STATES } from '../core/states.ts';
import { stopRanks } from '../core/stop-order.ts';
import type { RunCleanup } from './run-cleanup.ts';
import { Alarm } from './alarm.ts';
import { causeBy } from './exit-cause.ts';
import { formatWaiting } from './messages.ts';
import type { Clock, EndBudget, Report } from './ports.ts';
import type { ProcessView, ProcessTable } from './process-table.ts';

/** What it is built from. */
export interface ShutdownParts {
  readonly registry: ProcessTable;
  readonly cleanup: RunCleanup;
  readonly clock: Clock;
  readonly report: Report;
  readonly budget: Pick<EndBudget, 'limitsOf'>;
  /** Puts an input for this machine into the engine's queue, and turns. */
  readonly accept: (input: ShutdownInput) => void;
  /** Puts inputs for processes into the engine's queue, and turns. */
  readonly send: (ids: readonly string[], input: ProcessInput) => void;
  /** It begins. */
  readonly begun: (goal: Goal) => void;
  /** Asked before a rank is told to stop; SIGKILL does not ask. */
  readonly beforeStop: (ids: readonly string[], proceed: () => void) => void;
  readonly finished: (goal: Goal, cause: ExitCause) => void;
}

/** The end of one engine. */
export class Shutdown {
  readonly #parts: ShutdownParts;
  readonly #timeout: Alarm;
  #record: ShutdownRecord = initialShutdown;

  constructor(parts: ShutdownParts) {
    this.#parts = parts;
    this.#timeout = new Alarm(parts.clock, () => {
      parts.accept({ type: 'elapsed', atMs: parts.clock.nowMs() });
    });
  }

  get phase(): ShutdownRecord['phase'] {
    return this.#record.phase;
  }

  /** The input that begins it: what is up now, in the order in which it is to be stopped. */
  requestFor(goal: Goal, cause: ExitCause, forwarded: Forwarded | null = null): ShutdownInput {
    const { registry, cleanup, budget } = this.#parts;
    const all = registry.all();
    const up = new Set(
      all
        .filter(({ id, record }) => SIGNALLABLE_STATES.has(record.state) || cleanup.isUnderWay(id))
        .map(({ id }) => id),
    );
    // What was removed while its cleanup was under way has no rank any more.
    const removed = cleanup.underWay().filter((id) => registry.get(id) === undefined);
    const ranks = [
      ...stopRanks(
        all.map(({ rank }) => rank),
        (id) => up.has(id),
      ),
      removed,
    ];
    const isUp = forwarded !== null && up.has(forwarded.id);
    return { type: 'requested', goal, cause, ranks, forwarded: isUp ? forwarded : null, limits: budget.limitsOf(goal) };
  }

  /** Applies one input. */
  step(input: ShutdownInput): void {
    const before = this.#record;
    const { record, effects } = stepShutdown(before, input);
    if (input.type === 'elapsed' && effects.some(({ type }) => type === 'kill')) {
      this.#parts.report(
        'warn',
        `${record.limits?.option ?? 'shutdown_timeout'} has run out: killing all that is left`,
      );
    }
    this.#record = record;
    this.#timeout.set(record.deadlineMs);
    if (before.phase === 'running' && record.phase !== 'running') this.#callOffWaiting(record);
    for (const effect of effects) this.#runEffect(effect);
  }

  /**
   * A process has come to rest. The end of a main program that was only waited for gives the exit code, as without
   * anything beside it.
   */
  ended(proc: ProcessView): void {
    if (this.#record.forwarded?.id === proc.id)
      this.#parts.accept({ type: 'caused', cause: causeBy(proc, 'main program') });
    this.atRest(proc.id);
  }

  /** A process is at rest: it counts as gone once nothing of it is left. */
  atRest(id: string): void {
    this.#parts.cleanup.whenOver(id, () => this.#parts.accept({ type: 'gone', id }));
  }

  /** What does not run and is due to is called off at once, whatever its rank. */
  #callOffWaiting(record: ShutdownRecord): void {
    const { registry, cleanup, report, begun, send, clock } = this.#parts;
    begun(record.goal);
    const names = record.ranks
      .flat()
      .filter((id) => id !== record.forwarded?.id)
      .map((id) => registry.get(id)?.config.name ?? id);
    if (names.length > 0) report(...formatWaiting(names));
    const resting = registry
      .all()
      .filter(({ record: proc }) => !SIGNALLABLE_STATES.has(proc.state))
      .map(({ id }) => id);
    send(resting, { type: 'stop', atMs: clock.nowMs() });
    for (const id of cleanup.underWay()) if (resting.includes(id) || registry.get(id) === undefined) this.atRest(id);
  }

  #runEffect(effect: ShutdownEffect): void {
    const { beforeStop, finished, send, clock, cleanup } = this.#parts;
    switch (effect.type) {
      case 'finished':
        return finished(effect.goal, effect.cause);
      case 'leave':
        return this.#leave(effect.ids);
      case 'kill':
        send(effect.ids, { type: 'kill', atMs: clock.nowMs() });
        return cleanup.hurry(effect.ids);
      case 'stop':
        return beforeStop(effect.ids, () => send(effect.ids, { type: 'stop', atMs: clock.nowMs() }));
    }
  }
  #leave(ids: readonly string[]): void {
    const { registry, report } = this.#parts;
    for (const id of ids) {
      const entry = registry.get(id);
      const pid = entry?.record.pid ?? null;
      report(
        'error',
        `'${entry?.config.name ?? id}'${pid === null ? '' : ` (${pid})`} has survived SIGKILL and is left behind`,
      );
    }
  }
}
