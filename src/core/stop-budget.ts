/**
 * The time that the end of the supervisor may take. Programs, hooks, the sweep of what is left, and the output share
 * it.
 * Pure arithmetic in milliseconds of the monotonic clock.
 */

/** Part of the budget that programs cannot use up: half for output, half for the last words and our own exit. */
const RESERVE_MS = 800;
const RESERVE_SHARE = 0.1;
/** Time that the kernel has to end what got SIGKILL: while somebody outside counts the seconds, and otherwise. */
const SHORT_KILL_WAIT_MS = 250;
const KILL_WAIT_MS = 5000;

/** The limits of one end. */
export interface EndLimits {
  /** SIGKILL for all programs and hooks that are left. */
  readonly killAtMs: number;
  /** The end of the budget: nothing waits for a reader of output after it. */
  readonly endAtMs: number;
  /** Time for the sweep and for output that the programs do not use up. */
  readonly reserveMs: number;
  /** The option that says when SIGKILL comes. */
  readonly option: 'shutdown_timeout' | 'stop_budget';
}

/** The configured times; null: no limit. */
export interface BudgetSettings {
  /** `shutdown_timeout`. */
  readonly timeoutMs: number | null;
  /** `stop_budget`, or the default of a container. */
  readonly budgetMs: number | null;
}

/** The limits of an end whose time is counted from `fromMs`; null without any limit. */
export function endLimits(fromMs: number, { timeoutMs, budgetMs }: BudgetSettings): EndLimits | null {
  const totalMs = budgetMs ?? timeoutMs;
  if (totalMs === null) return null;
  const reserveMs = Math.min(RESERVE_MS, totalMs * RESERVE_SHARE);
  // Without a budget, shutdown_timeout is what its name says: SIGKILL comes when it has passed, not sooner.
  const [byTimeoutMs, byBudgetMs] = [timeoutMs ?? Infinity, budgetMs === null ? Infinity : budgetMs - reserveMs];
  const option = byTimeoutMs <= byBudgetMs ? 'shutdown_timeout' : 'stop_budget';
  return { killAtMs: fromMs + Math.min(byTimeoutMs, byBudgetMs), endAtMs: fromMs + totalMs, reserveMs, option };
}

/**
 * Grace of the sweep: milliseconds from SIGTERM to SIGKILL, and from there until what cannot be killed is left behind.
 */
export interface SweepGrace {
  readonly termMs: number;
  readonly killMs: number;
}

/**
 * The grace of a sweep that begins now. It has what is left of the budget, less the reserve for output; programs that
 * have used everything up leave it a quarter of the reserve. Without limits it has `unlimitedMs`.
 */
export function sweepGrace(nowMs: number, limits: EndLimits | null, unlimitedMs: number): SweepGrace {
  if (limits === null) return { termMs: unlimitedMs, killMs: RESERVE_MS };
  const leastMs = limits.reserveMs / 4;
  return { termMs: Math.max(limits.endAtMs - limits.reserveMs - nowMs, leastMs), killMs: limits.reserveMs / 2 };
}

/**
 * When output that is not taken is given up, where the end has limits and the last flush began at `nowMs`. What is lost
 * is said after that.
 */
export function outputEndMs(nowMs: number, { endAtMs, reserveMs }: EndLimits): number {
  return Math.max(endAtMs - reserveMs / 2, nowMs + reserveMs / 4);
}

/** Milliseconds from SIGKILL until a process that is still there is left behind. */
export function killWaitMs(limits: EndLimits | null): number {
  return limits?.option === 'stop_budget' ? SHORT_KILL_WAIT_MS : KILL_WAIT_MS;
}
