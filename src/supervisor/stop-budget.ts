/**
 * The remaining time for a shutdown, counted from the first stop signal. All parts of the shutdown share it: programs
 * and hooks (the engine), the sweep, and the output. Ends nothing itself.
 */
import type { AlertLimit } from '../alerts/alerts.ts';
import type { Config } from '../config/model.ts';
import type { Goal } from '../core/shutdown-machine.ts';
import {
  alertDeadlineMs,
  type BudgetSettings,
  type ShutdownLimits,
  shutdownLimits,
  outputDeadlineMs,
  type SweepGrace,
  sweepGrace,
} from '../core/stop-budget.ts';
import type { FlushLimit } from '../logs/ports.ts';
import type { Clock, ShutdownBudget } from '../engine/ports.ts';

const SECOND_MS = 1000;
/** Timeout of the sweep without a budget: the default of stopwaitsecs in a container. */
const UNCOUNTED_SWEEP_MS = 8000;
/** Time for the last notifications without a budget. */
const UNCOUNTED_ALERTS_MS = 5000;
/** Maximum time without progress of an output reader, without a budget. */
const PATIENCE_MS = 30_000;
/** The same if someone waits for the shutdown without killing us: a client, or a stop signal without a limit. */
const ASKED_PATIENCE_MS = 9500;
/** Time for output after a second signal. A reader that reads gets the remaining output. */
const HURRIED_MS = 500;

/** Effect of a stop signal. */
export type StopSignal =
  /** All programs are being stopped. */
  | 'obeyed'
  /** The signal was forwarded to the main program, which may ignore it. */
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
  #limits: ShutdownLimits | null = null;
  #signal: StopSignal | null = null;
  #isHurried = false;
  readonly #listeners = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes note of a stop signal. Time counts from the first one. */
  signalled(config: Config, how: StopSignal): void {
    if (this.#isCounted()) return;
    this.#signal = how;
    this.#limits = shutdownLimits(this.#clock.nowMs(), settingsOf(config));
    this.#notifyListeners();
  }

  /** Ends all waiting as soon as possible. */
  hurry(): void {
    this.#isHurried = true;
    this.#notifyListeners();
  }

  /** Returns the budget for an engine. */
  of(config: () => Config): ShutdownBudget {
    return { limitsOf: (goal) => this.#limitsOf(goal, config()), hurry: () => this.hurry() };
  }

  /**
   * Returns the limits of a shutdown. The budget is for shutdowns by a stop signal; shutdown_timeout is for all, and
   * for restarts.
   */
  #limitsOf(goal: Goal, config: Config): ShutdownLimits | null {
    const counted = goal === 'exit' ? this.#countedLimits : null;
    return counted ?? shutdownLimits(this.#clock.nowMs(), { ...settingsOf(config), budgetMs: null });
  }

  get #countedLimits(): ShutdownLimits | null {
    return this.#isCounted() ? this.#limits : null;
  }

  /** Returns the limit for the last notifications, which begin now. */
  alertLimit(): AlertLimit {
    const beganMs = this.#clock.nowMs();
    return {
      giveUpAtMs: () =>
        this.#isHurried ? beganMs : alertDeadlineMs(beganMs, this.#countedLimits, UNCOUNTED_ALERTS_MS),
      onChange: (listener) => this.onChange(listener),
    };
  }

  /** Returns the timeouts of a sweep that begins now. */
  grace(): SweepGrace {
    if (this.#isHurried) return { termMs: 0, killMs: sweepGrace(this.#clock.nowMs(), this.#countedLimits, 0).killMs };
    return sweepGrace(this.#clock.nowMs(), this.#countedLimits, UNCOUNTED_SWEEP_MS);
  }

  /** Returns the limit for the last flush, which begins now. `isAsked`: a client waits for the shutdown. */
  flushLimit(isAsked: boolean): FlushLimit {
    const beganMs = this.#clock.nowMs();
    const patienceMs = isAsked || this.#signal !== null ? ASKED_PATIENCE_MS : PATIENCE_MS;
    return {
      giveUpAtMs: (movedMs) => {
        if (this.#isHurried) return beganMs + HURRIED_MS;
        return this.#countedLimits === null ? movedMs + patienceMs : outputDeadlineMs(beganMs, this.#countedLimits);
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

  /** Calls `listener` when the remaining time has become shorter. Returns a function that unsubscribes. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * True if the time counts. If a main program got the signal and has outlived the time, the engine did not enforce the
   * limit. The later parts then get their full time.
   */
  #isCounted(): boolean {
    if (this.#signal === null) return false;
    return this.#signal === 'obeyed' || this.#limits === null || this.#clock.nowMs() < this.#limits.endAtMs;
  }

  #notifyListeners(): void {
    for (const listener of this.#listeners) listener();
  }
}
