/** Carries out the orders to spawn and to signal, with the hooks around them. Part of the engine; changes no state. */
import { processFields } from '../core/log-fields.ts';
import { describeMistake } from '../core/error-text.ts';
import type { ProcessEffect, ProcessInput } from '../core/process-record.ts';
import type { StartWait } from '../core/start-wait.ts';
import { RunCleanup } from './run-cleanup.ts';
import { Hooks } from './hooks.ts';
import type { Clock, Jobs, Processes, Report, SpawnOutcome, StartBudget } from './ports.ts';
import type { Entry, ProcessTable } from './process-table.ts';

type SignalOrder = Extract<ProcessEffect, { readonly type: 'signal' }>;

const STOPPED_BEFORE = 'it was stopped before it was started';

/** Dependencies of the runs. */
export interface RunsParts {
  readonly table: ProcessTable;
  readonly processes: Processes;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly report: Report;
  readonly budget: StartBudget;
  /** Adds an input to the engine's queue, and takes the queue; `next`: before all others. */
  readonly send: (id: string, input: ProcessInput, place: 'last' | 'next') => void;
}

/** The runs of all processes. Outcomes come back to the engine as inputs. */
export class Runs {
  readonly #parts: RunsParts;
  readonly #hooks: Hooks;
  /** Functions that cancel looks at the files of starts, by process. */
  readonly #looks = new Map<string, () => void>();
  /** Functions that cancel starts while these wait for the cleanup of the run before, by process. */
  readonly #waits = new Map<string, () => void>();
  /** The cleanup after runs. */
  readonly cleanup: RunCleanup;

  constructor(parts: RunsParts) {
    const { processes, clock, report, jobs } = parts;
    this.#parts = parts;
    this.#hooks = new Hooks(jobs, report);
    this.cleanup = new RunCleanup({ processes, clock, report, hooks: this.#hooks });
  }

  /**
   * Waits for the cleanup of the run before and for the file systems of the program, runs pre_start_command, and then
   * executes the program.
   */
  begin(entry: Entry, run: number): void {
    const isStill = (): boolean => entry.record.run === run && entry.record.state === 'STARTING';
    const fail = (reason: string, exitCode: number): void =>
      this.#parts.send(
        entry.id,
        { type: 'spawnFailed', atMs: this.#parts.clock.nowMs(), run, reason, exitCode },
        'next',
      );
    const runHook = (): void =>
      this.#hooks.preStart(entry, (failure) => {
        if (failure !== null) fail(failure.reason, failure.exitCode);
        else if (!isStill()) fail(STOPPED_BEFORE, 1);
        else this.#spawn(entry, run);
      });
    const prepare = (): void => {
      if (!isStill()) return fail(STOPPED_BEFORE, 1);
      this.#reach(entry, (reason) => {
        if (reason !== null) fail(reason, 1);
        else if (!isStill()) fail(STOPPED_BEFORE, 1);
        else runHook();
      });
    };
    this.#awaitCleanup(
      entry.id,
      () => this.#parts.budget.run(prepare),
      () => fail(STOPPED_BEFORE, 1),
    );
  }

  /** Returns what the start of a process waits for; null if it does not wait, or if no start is under way. */
  startWaitOf(entry: Entry | undefined): StartWait | null {
    if (entry === undefined || entry.record.state !== 'STARTING' || entry.record.pid !== null) return null;
    const { id } = entry;
    return this.cleanup.stepOf(id) ?? (this.#hooks.isRunning(id, 'pre_start_command') ? 'pre_start_command' : null);
  }

  /**
   * Cancels the preparation of a run. The outcome is a failed spawn. The cleanup of the run before goes on, and is not
   * waited for.
   */
  callOff(id: string): void {
    this.#waits.get(id)?.();
    this.#looks.get(id)?.();
    this.#hooks.cancel(id, 'pre_start_command');
  }

  /** Sends a signal ordered by the state machine. If `stop_command` is set, it runs in place of the first signal. */
  signal(entry: Entry, order: SignalOrder): void {
    const { pid, isFirst } = order;
    const { run } = entry.record;
    const isReplaced =
      isFirst &&
      this.#hooks.stop(entry, pid, (failure) => {
        if (failure !== null)
          this.#parts.send(entry.id, { type: 'stopCommandFailed', atMs: this.#parts.clock.nowMs(), run }, 'last');
      });
    if (!isReplaced) this.#send(entry, run, order);
  }

  /** Begins the cleanup of a run whose leader was reaped. `wasStopped`: the exit was requested. */
  cleanUp(entry: Entry, pid: number, wasStopped: boolean): void {
    this.cleanup.begin(entry, pid, wasStopped);
  }

  /** Reads the remaining output of a reaped process. An error in one pipe must not lose the exits of the same batch. */
  drainOutput(pid: number): void {
    try {
      this.#parts.processes.readRemaining(pid);
    } catch (error) {
      this.#parts.report('critical', `cannot read the remaining output of pid ${pid}: ${describeMistake(error)}`, {
        event: 'internal_error',
        pid,
      });
    }
  }

  #awaitCleanup(id: string, then: () => void, cancelled: () => void): void {
    if (!this.cleanup.isUnderWay(id)) return then();
    const forget = this.cleanup.whenOver(id, () => {
      this.#waits.delete(id);
      then();
    });
    this.#waits.set(id, () => {
      this.#waits.delete(id);
      forget();
      cancelled();
    });
  }

  #reach(entry: Entry, done: (reason: string | null) => void): void {
    const { processes } = this.#parts;
    let isOver = false;
    const cancel = processes.reach?.(entry.config, (reason) => {
      isOver = true;
      this.#looks.delete(entry.id);
      done(reason);
    });
    if (cancel === undefined) done(null);
    else if (!isOver) this.#looks.set(entry.id, cancel);
  }

  #spawn(entry: Entry, run: number): void {
    const { processes, table, clock, report, send } = this.#parts;
    let outcome: SpawnOutcome;
    try {
      outcome = processes.spawn(entry.config, run);
    } catch (error) {
      // A bug of ours. Without an outcome the process would stay in STARTING, and a shutdown would never finish.
      report('critical', `cannot start '${entry.config.name}': ${describeMistake(error)}`, {
        event: 'internal_error',
        ...processFields(entry.config),
      });
      outcome = { ok: false, reason: `cannot start '${entry.config.name}': the supervisor has failed`, exitCode: 1 };
    }
    const atMs = clock.nowMs();
    if (outcome.ok) table.claimPid(outcome.pid, { entry, run });
    const input: ProcessInput = outcome.ok
      ? { type: 'spawned', atMs, run, pid: outcome.pid }
      : { type: 'spawnFailed', atMs, run, reason: outcome.reason, exitCode: outcome.exitCode };
    send(entry.id, input, 'next');
  }

  #send(entry: Entry, run: number, { pid, signal, group }: SignalOrder): void {
    const { processes, table, clock, send } = this.#parts;
    const code = table.ownsPid(pid) ? processes.signal(pid, signal, group) : 'ESRCH';
    if (code !== null) send(entry.id, { type: 'signalFailed', atMs: clock.nowMs(), run, code }, 'last');
  }
}
