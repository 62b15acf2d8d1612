/**
 * The runs of processes as the kernel has them: carries out the orders to spawn and to signal, with the hooks around
 * them, and gives back what came of them as inputs. Part of the engine, and called by it alone; no state of a process
 * changes here.
 */
import { describeMistake } from '../core/error-text.ts';
import type { ProcessEffect, ProcessInput } from '../core/process-record.ts';
import { RunCleanup } from './run-cleanup.ts';
import { Hooks } from './hooks.ts';
import type { Clock, Jobs, Processes, Report, SpawnOutcome, StartBudget } from './ports.ts';
import type { Entry, ProcessTable } from './process-table.ts';

const STOPPED_BEFORE = 'it was stopped before it was started';

/** What it is built from. */
export interface RunsParts {
  readonly registry: ProcessTable;
  readonly processes: Processes;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly report: Report;
  readonly budget: StartBudget;
  /** Puts an input into the engine's queue, and turns; `next` before all others. */
  readonly send: (id: string, input: ProcessInput, place: 'last' | 'next') => void;
}

/** See the head of this file. */
export class Runs {
  readonly #parts: RunsParts;
  readonly #hooks: Hooks;
  /** What follows the end of a run. */
  readonly cleanup: RunCleanup;

  constructor(parts: RunsParts) {
    const { processes, clock, report, jobs } = parts;
    this.#parts = parts;
    this.#hooks = new Hooks(jobs, report);
    this.cleanup = new RunCleanup({ processes, clock, report, hooks: this.#hooks });
  }

  /**
   * Makes sure that nothing of the run before is left, and that pre_start_command has succeeded; then executes the
   * program.
   */
  begin(entry: Entry, run: number): void {
    const isStill = (): boolean => entry.record.run === run && entry.record.state === 'STARTING';
    const fail = (reason: string, exitCode: number): void =>
      this.#parts.send(
        entry.id,
        { type: 'spawnFailed', atMs: this.#parts.clock.nowMs(), run, reason, exitCode },
        'next',
      );
    const prepare = (): void => {
      if (!isStill()) return fail(STOPPED_BEFORE, 1);
      this.#hooks.preStart(entry, (failure) => {
        if (failure !== null) fail(failure.reason, failure.exitCode);
        else if (!isStill()) fail(STOPPED_BEFORE, 1);
        else this.#spawn(entry, run);
      });
    };
    this.cleanup.whenOver(entry.id, () => this.#parts.budget.run(prepare));
  }

  /** Gives up the preparation of a run: its outcome comes as a spawn that failed. */
  callOff(id: string): void {
    this.#hooks.cancel(id, 'pre_start_command');
  }

  /** Carries out a signal of the machine; the first one of a stop is what stop_command is instead of. */
  signal(entry: Entry, { pid, signal, group, isFirst }: Extract<ProcessEffect, { type: 'signal' }>): void {
    const { run } = entry.record;
    const isReplaced =
      isFirst &&
      this.#hooks.stop(entry, pid, (failure) => {
        if (failure !== null)
          this.#parts.send(entry.id, { type: 'stopCommandFailed', atMs: this.#parts.clock.nowMs(), run }, 'last');
      });
    if (!isReplaced) this.#send(entry, run, pid, signal, group);
  }

  /** A run is over: its leader was reaped. `wasStopped`: because it was told to. */
  end(entry: Entry, pid: number, wasStopped: boolean): void {
    this.cleanup.begin(entry, pid, wasStopped);
  }

  /**
   * Has the rest of the output of a reaped process read. An error in one pipe must not cost the other processes of a
   * batch their ends.
   */
  readRest(pid: number): void {
    try {
      this.#parts.processes.ended(pid);
    } catch (error) {
      this.#parts.report('critical', `cannot read the rest of the output of pid ${pid}: ${describeMistake(error)}`);
    }
  }

  #spawn(entry: Entry, run: number): void {
    const { processes, registry, clock, report, send } = this.#parts;
    let outcome: SpawnOutcome;
    try {
      outcome = processes.spawn(entry.config, run);
    } catch (error) {
      // A mistake of ours. A run without an outcome would be STARTING for ever: nothing could stop it, nor end the
      // supervisor.
      report('critical', `cannot start '${entry.config.name}': ${describeMistake(error)}`);
      outcome = { ok: false, reason: `cannot start '${entry.config.name}': the supervisor has failed`, exitCode: 1 };
    }
    const atMs = clock.nowMs();
    if (outcome.ok) registry.claimPid(outcome.pid, { entry, run });
    const input: ProcessInput = outcome.ok
      ? { type: 'spawned', atMs, run, pid: outcome.pid }
      : { type: 'spawnFailed', atMs, run, reason: outcome.reason, exitCode: outcome.exitCode };
    send(entry.id, input, 'next');
  }

  #send(entry: Entry, run: number, pid: number, signal: number, group: boolean): void {
    const { processes, registry, clock, send } = this.#parts;
    const code = registry.ownsPid(pid) ? processes.signal(pid, signal, group) : 'ESRCH';
    if (code !== null) send(entry.id, { type: 'signalFailed', atMs: clock.nowMs(), run, code }, 'last');
  }
}
