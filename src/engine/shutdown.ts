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
  type ShutdownRequest,
  stepShutdown,
} from '../core/shutdown-machine.ts';
import { SIGNALLABLE_STATES } from '../core/states.ts';
import { stopRanks } from '../core/stop-order.ts';
import type { RunCleanup } from './run-cleanup.ts';
import { Alarm } from './alarm.ts';
import { causeBy } from './exit-cause.ts';
import { formatDelay, formatWaiting } from './messages.ts';
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

/** The way of a shutdown, besides its goal and its cause. */
export interface ShutdownPlan {
  /** A program that got the stop signal itself. Its exit gives the exit code. */
  readonly forwarded?: Forwarded;
  /** `shutdown_delay` in milliseconds. Without a process that is up, there is no delay. */
  readonly delayMs?: number;
  /** Called when the delay is over, in place of the stop. A later request without a delay begins the stop. */
  readonly delayOver?: () => void;
  /** Called when the stop begins, before any process is stopped. Not called if a stop is under way already. */
  readonly prepare?: () => void;
}

/** True for a process that is up, or that starts again without a request. */
function isUpOrDue({ record: { state, deadlineMs } }: Pick<ProcessView, 'record'>): boolean {
  return SIGNALLABLE_STATES.has(state) || deadlineMs !== null;
}

/** The shutdown of one engine, final or for a restart. */
export class Shutdown {
  readonly #parts: ShutdownParts;
  readonly #timeout: Alarm;
  #record: ShutdownRecord = initialShutdown;
  #delayMs = 0;
  #delayOver: (() => void) | null = null;
  #prepare: () => void = () => undefined;

  constructor(parts: ShutdownParts) {
    this.#parts = parts;
    this.#timeout = new Alarm(parts.clock, () => {
      parts.accept({ type: 'elapsed', atMs: parts.clock.nowMs() });
    });
  }

  get phase(): ShutdownRecord['phase'] {
    return this.#record.phase;
  }

  /** True until the delay is over. */
  get isDelaying(): boolean {
    return this.#record.phase === 'delayed' && this.#record.deadlineMs !== null;
  }

  /** True from the stop of the programs on, also when all have ended and only their output is left. */
  get hasBegunStop(): boolean {
    return !this.mayRestart;
  }

  /** False once programs are being stopped: no automatic restarts. */
  get mayRestart(): boolean {
    return this.#record.phase === 'running' || this.#record.phase === 'delayed';
  }

  /** Keeps the functions of a plan, and returns the input that begins the shutdown. */
  plan(goal: Goal, cause: ExitCause, plan: ShutdownPlan): ShutdownInput {
    const { forwarded = null, delayMs = 0, delayOver, prepare } = plan;
    if (this.#record.phase === 'running') {
      this.#delayMs = delayMs;
      this.#delayOver = delayOver ?? null;
      this.#prepare = prepare ?? this.#prepare;
    }
    const hasDelay = delayMs > 0 && this.#parts.table.all().some(({ record }) => SIGNALLABLE_STATES.has(record.state));
    const delayedUntilMs = hasDelay ? this.#parts.clock.nowMs() + delayMs : null;
    return { ...this.requestFor(goal, cause, forwarded), delayedUntilMs };
  }

  /** Returns the input that begins a stop: the processes that are up, in the order in which they are stopped. */
  requestFor(goal: Goal, cause: ExitCause, forwarded: Forwarded | null = null): ShutdownRequest {
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
    return {
      type: 'requested',
      goal,
      cause,
      ranks,
      forwarded: isUp ? forwarded : null,
      limits: budget.limitsOf(goal),
      delayedUntilMs: null,
    };
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
    if (before.phase === 'running' && record.phase !== 'running' && record.cause !== null)
      this.#parts.begun(record.goal, record.cause);
    if (before.phase === 'running' && record.phase === 'delayed') this.#beginDelay();
    if (record.phase !== before.phase && record.phase !== 'delayed' && before.phase !== 'stopping') this.#begin(record);
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

  /** Begins the delay. Programs that run stay as they are; starts that wait for dependencies are cancelled. */
  #beginDelay(): void {
    const { table, report, send } = this.#parts;
    report(...formatDelay(this.#delayMs));
    const held = table.all().filter(({ record }) => record.hold !== null);
    send(
      held.map(({ id }) => id),
      this.stopInput(),
    );
  }

  /** Cancels all starts that are due, wait for dependencies, or have not executed the program, whatever their rank. */
  #begin(record: ShutdownRecord): void {
    const { table, cleanup, report, send } = this.#parts;
    this.#prepare();
    const names = record.ranks
      .flat()
      .filter((id) => id !== record.forwarded?.id)
      .map((id) => table.get(id)?.config.name ?? id);
    if (names.length > 0) report(...formatWaiting(names));
    const all = table.all();
    const stopped = all.filter(({ record: proc }) => !SIGNALLABLE_STATES.has(proc.state)).map(({ id }) => id);
    const unexecuted = all.filter(({ record: proc }) => proc.state === 'STARTING' && proc.pid === null);
    send([...stopped, ...unexecuted.map(({ id }) => id)], this.stopInput());
    for (const id of cleanup.underWay()) if (stopped.includes(id) || table.get(id) === undefined) this.awaitCleanup(id);
  }

  #runEffect(effect: ShutdownEffect): void {
    const { beforeStop, finished, send, cleanup } = this.#parts;
    switch (effect.type) {
      case 'finished':
        cleanup.close();
        return finished(effect.goal, effect.cause);
      case 'leave':
        return this.#leave(effect.ids);
      case 'delayOver':
        if (this.#delayOver !== null) return this.#delayOver();
        return this.#parts.accept(this.requestFor(effect.goal, effect.cause));
      case 'kill':
        send(effect.ids, { ...this.stopInput(), type: 'kill' });
        return cleanup.hurry(effect.ids);
      case 'stop':
        return beforeStop(effect.ids, () => send(effect.ids, this.stopInput()));
    }
  }

  /** Ends the delay if no program is left that could use it. */
  endIdleDelay(): void {
    const { table, clock, accept } = this.#parts;
    if (this.isDelaying && !table.some(isUpOrDue)) accept({ type: 'hurried', atMs: clock.nowMs() });
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
