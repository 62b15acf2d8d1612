/** Runs the shutdown machine (core/shutdown-machine.ts) on the processes of the engine. Part of the engine. */
import type { ExitCause } from '../core/exit-policy.ts';
import type { Cause } from '../core/cause.ts';
import { processFields } from '../core/log-fields.ts';
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
import type { Clock, ShutdownBudget, Report } from './ports.ts';
import type { ProcessView, ProcessTable } from './process-table.ts';

/** Dependencies of the shutdown. */
export interface ShutdownParts {
  readonly table: ProcessTable;
  readonly cleanup: RunCleanup;
  readonly clock: Clock;
  readonly report: Report;
  readonly budget: Pick<ShutdownBudget, 'limitsOf'>;
  /** Adds an input for this machine to the engine's queue, and takes the queue. */
  readonly accept: (input: ShutdownInput) => void;
  /** Adds an input for each process to the engine's queue, and takes the queue. */
  readonly send: (ids: readonly string[], input: ProcessInput) => void;
  /** Called when the shutdown begins. */
  readonly begun: (goal: Goal, cause: ExitCause) => void;
  /** Called before a rank is stopped. SIGKILL does not wait. */
  readonly beforeStop: (ids: readonly string[], proceed: () => void) => void;
  readonly finished: (goal: Goal, cause: ExitCause) => void;
}

/** The shutdown of one engine, final or for a restart. */
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

  /** Returns the input that begins a shutdown: the processes that are up, in the order in which they are stopped. */
  requestFor(goal: Goal, cause: ExitCause, forwarded: Forwarded | null = null): ShutdownInput {
    const { table, cleanup, budget } = this.#parts;
    const all = table.all();
    const up = new Set(
      all
        .filter(({ id, record }) => SIGNALLABLE_STATES.has(record.state) || cleanup.isUnderWay(id))
        .map(({ id }) => id),
    );
    // A process that was removed during its cleanup has no rank.
    const removed = cleanup.underWay().filter((id) => table.get(id) === undefined);
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
        `${record.limits?.option ?? 'shutdown_timeout'} has passed: killing the remaining processes`,
      );
    }
    this.#record = record;
    this.#timeout.set(record.deadlineMs);
    if (before.phase === 'running' && record.phase !== 'running') this.#callOffWaiting(record);
    for (const effect of effects) this.#runEffect(effect);
  }

  /** Returns the input that stops a process because of this shutdown. */
  stopInput(): Extract<ProcessInput, { type: 'stop' }> {
    return { type: 'stop', atMs: this.#parts.clock.nowMs(), cause: this.#cause() };
  }

  #cause(): Cause {
    const { goal, cause } = this.#record;
    if (cause === null) throw new Error('no shutdown is under way');
    return { kind: 'shutdown', goal, cause };
  }

  /** Notes a stopped process. The exit of a main program that got the signal itself gives the exit code. */
  stopped(proc: ProcessView): void {
    if (this.#record.forwarded?.id === proc.id)
      this.#parts.accept({ type: 'caused', cause: causeBy(proc, 'main program') });
    this.awaitCleanup(proc.id);
  }

  /** Reports a stopped process to the shutdown machine once its cleanup is over. */
  awaitCleanup(id: string): void {
    this.#parts.cleanup.whenOver(id, () => this.#parts.accept({ type: 'ended', id }));
  }

  /** Cancels all starts that are due or wait for dependencies, whatever their rank. */
  #callOffWaiting(record: ShutdownRecord): void {
    const { table, cleanup, report, begun, send } = this.#parts;
    if (record.cause !== null) begun(record.goal, record.cause);
    const names = record.ranks
      .flat()
      .filter((id) => id !== record.forwarded?.id)
      .map((id) => table.get(id)?.config.name ?? id);
    if (names.length > 0) report(...formatWaiting(names));
    const stopped = table
      .all()
      .filter(({ record: proc }) => !SIGNALLABLE_STATES.has(proc.state))
      .map(({ id }) => id);
    send(stopped, this.stopInput());
    for (const id of cleanup.underWay()) if (stopped.includes(id) || table.get(id) === undefined) this.awaitCleanup(id);
  }

  #runEffect(effect: ShutdownEffect): void {
    const { beforeStop, finished, send, cleanup } = this.#parts;
    switch (effect.type) {
      case 'finished':
        return finished(effect.goal, effect.cause);
      case 'leave':
        return this.#leave(effect.ids);
      case 'kill':
        send(effect.ids, { ...this.stopInput(), type: 'kill' });
        return cleanup.hurry(effect.ids);
      case 'stop':
        return beforeStop(effect.ids, () => send(effect.ids, this.stopInput()));
    }
  }
  #leave(ids: readonly string[]): void {
    const { table, report } = this.#parts;
    for (const id of ids) {
      const entry = table.get(id);
      const pid = entry?.record.pid ?? null;
      report(
        'error',
        `'${entry?.config.name ?? id}'${pid === null ? '' : ` (${pid})`} has survived SIGKILL and is left behind`,
        {
          event: 'left_behind',
          ...(entry === undefined ? {} : processFields(entry.config)),
          ...(pid === null ? {} : { pid }),
        },
      );
    }
  }
}
