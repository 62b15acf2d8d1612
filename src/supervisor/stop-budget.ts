/**
 * The time that is left for the end of the supervisor, counted from the first stop signal. Shared by all parts of the
 * end: programs and hooks (the engine), the sweep, and the output. It ends nothing itself.
 */
import type { Config } from '../config/model.ts';
import type { Goal } from '../core/shutdown-machine.ts';
import {
  type BudgetSettings,
  type EndLimits,
  endLimits,
  outputEndMs,
  type SweepGrace,
  sweepGrace,
} from '../core/stop-budget.ts';
import type { FlushLimit } from '../logs/ports.ts';
import type { Clock, EndBudget } from '../engine/ports.ts';

const SECOND_MS = 1000;
/** Grace of the sweep without a budget: the default of stopwaitsecs. */
const UNCOUNTED_SWEEP_MS = 8000;
/** Longest time without progress of a reader of output, without a budget. */
const PATIENCE_MS = 30_000;
/** The same when somebody waits for the end, but does not kill us: a client, or a stop signal without a limit. */
const ASKED_PATIENCE_MS = 9500;
/** Time for output after a second signal: a reader that reads gets what there is. */
const HURRIED_MS = 500;

/** Result of taking a stop signal. */
export type StopSignal =
  /** Everything is being stopped. */
  | 'obeyed'
  /** It was sent on to the main program, which may do with it what it likes. */
  | 'forwarded';

function settingsOf({ stopBudget, supervisord: { shutdown_timeout: timeout } }: Config): BudgetSettings {
  return {
    timeoutMs: timeout === null ? null : timeout * SECOND_MS,
    budgetMs: stopBudget === null ? null : stopBudget * SECOND_MS,
  };
}

/** The budget of one supervisor. Time counts from the first stop signal. */
export class StopBudget {
  readonly #clock: Clock;
  #limits: EndLimits | null = null;
  #signal: StopSignal | null = null;
  #isHurried = false;
  readonly #listeners = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A stop signal has come: the time is counted from now on, unless it is already. */
  signalled(config: Config, how: StopSignal): void {
    if (this.#isCounted()) return;
    this.#signal = how;
    this.#limits = endLimits(this.#clock.nowMs(), settingsOf(config));
    this.#tell();
  }

  /** No more patience with anything. */
  hurry(): void {
    this.#isHurried = true;
    this.#tell();
  }

  /** The budget as an engine has it. */
  of(config: () => Config): EndBudget {
    return { limitsOf: (goal) => this.#limitsOf(goal, config()), hurry: () => this.hurry() };
  }

  /** The budget is for ends by a stop signal only; shutdown_timeout is for all, and for restarts. */
  #limitsOf(goal: Goal, config: Config): EndLimits | null {
    const counted = goal === 'exit' ? this.#countedLimits : null;
    return counted ?? endLimits(this.#clock.nowMs(), { ...settingsOf(config), budgetMs: null });
  }

  get #countedLimits(): EndLimits | null {
    return this.#isCounted() ? this.#limits : null;
  }

  /** The grace of the sweep, if it begins now. */
  grace(): SweepGrace {
    if (this.#isHurried) return { termMs: 0, killMs: sweepGrace(this.#clock.nowMs(), this.#countedLimits, 0).killMs };
    return sweepGrace(this.#clock.nowMs(), this.#countedLimits, UNCOUNTED_SWEEP_MS);
  }

  /** The limit of the last flush, which begins now. `isAsked`: somebody waits for the end. */
  flushLimit(isAsked: boolean): FlushLimit {
    const beganMs = this.#clock.nowMs();
    const patienceMs = isAsked || this.#signal !== null ? ASKED_PATIENCE_MS : PATIENCE_MS;
    return {
      giveUpAtMs: (movedMs) => {
        if (this.#isHurried) return beganMs + HURRIED_MS;
        return this.#countedLimits === null ? movedMs + patienceMs : outputEndMs(beganMs, this.#countedLimits);
      },
      reason: () => {
        if (this.#isHurried) return 'a second signal left no time to wait for its reader';
        return this.#countedLimits === null
          ? `its reader took nothing for ${patienceMs / 1000} s`
          : `its reader did not take them before ${this.#countedLimits.option} ran out`;
      },
      onChange: (listener) => this.onChange(listener),
    };
  }

  /** Calls `listener` when there is less time than there was. Returns the function that ends this. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * A main program that outlives the time shows that the engine does not enforce it, so the parts after it get their
   * time all the same.
   */
  #isCounted(): boolean {
    if (this.#signal === null) return false;
    return this.#signal === 'obeyed' || this.#limits === null || this.#clock.nowMs() < this.#limits.endAtMs;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
