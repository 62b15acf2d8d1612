/**
 * The time that a shutdown may take. Programs, hooks, the final sweep and the remaining output share it. Pure
 * arithmetic in milliseconds of the monotonic clock.
 */

/** Part of the budget that programs cannot use: half for output, half for the last messages and our own exit. */
const RESERVE_MS = 800;
const RESERVE_SHARE = 0.1;
/** Time for the kernel to end processes after SIGKILL. The short one applies if the budget limits the shutdown. */
const SHORT_KILL_WAIT_MS = 250;
const KILL_WAIT_MS = 5000;

/** Limits of one shutdown. */
export interface ShutdownLimits {
  /** Time of SIGKILL for all remaining programs and hooks. */
  readonly killAtMs: number;
  /** The end of the budget. After it, nothing waits for a reader of output. */
  readonly endAtMs: number;
  /** Time for the sweep and for output, not available to programs. */
  readonly reserveMs: number;
  /** The option that determines the time of SIGKILL. */
  readonly option: 'shutdown_timeout' | 'stop_budget';
}

/** The configured times; null for no limit. */
export interface BudgetSettings {
  /** `shutdown_timeout`. */
  readonly timeoutMs: number | null;
  /** `stop_budget`, or the default of a container. */
  readonly budgetMs: number | null;
}

/** Returns the limits of a shutdown whose time counts from `fromMs`; null if there is no limit. */
export function shutdownLimits(fromMs: number, { timeoutMs, budgetMs }: BudgetSettings): ShutdownLimits | null {
  const totalMs = budgetMs ?? timeoutMs;
  if (totalMs === null) return null;
  const reserveMs = Math.min(RESERVE_MS, totalMs * RESERVE_SHARE);
  // Without a budget, SIGKILL comes exactly when shutdown_timeout has passed.
  const [byTimeoutMs, byBudgetMs] = [timeoutMs ?? Infinity, budgetMs === null ? Infinity : budgetMs - reserveMs];
  const option = byTimeoutMs <= byBudgetMs ? 'shutdown_timeout' : 'stop_budget';
  return { killAtMs: fromMs + Math.min(byTimeoutMs, byBudgetMs), endAtMs: fromMs + totalMs, reserveMs, option };
}

/**
 * Timeouts of the sweep: milliseconds from SIGTERM to SIGKILL, and from SIGKILL until remaining processes are given up.
 */
export interface SweepGrace {
  readonly termMs: number;
  readonly killMs: number;
}

/**
 * Returns the timeouts of a sweep that begins now. The sweep may use the remaining budget, less the reserve for output.
 * If programs have used up the budget, the sweep gets a quarter of the reserve. Without limits it gets `unlimitedMs`.
 */
export function sweepGrace(nowMs: number, limits: ShutdownLimits | null, unlimitedMs: number): SweepGrace {
  if (limits === null) return { termMs: unlimitedMs, killMs: RESERVE_MS };
  const leastMs = limits.reserveMs / 4;
  return { termMs: Math.max(limits.endAtMs - limits.reserveMs - nowMs, leastMs), killMs: limits.reserveMs / 2 };
}

/**
 * Returns the time at which the last notifications are given up. They may use the remaining budget, less the reserve
 * for the steps after them. Without limits they get `unlimitedMs` from `fromMs`, their beginning.
 */
export function alertDeadlineMs(fromMs: number, limits: ShutdownLimits | null, unlimitedMs: number): number {
  return limits === null ? fromMs + unlimitedMs : Math.max(limits.endAtMs - limits.reserveMs, fromMs);
}

/**
 * Returns the time at which output that no reader takes is given up. The last flush began at `nowMs`. The loss is
 * reported after that time.
 */
export function outputDeadlineMs(nowMs: number, { endAtMs, reserveMs }: ShutdownLimits): number {
  return Math.max(endAtMs - reserveMs / 2, nowMs + reserveMs / 4);
}

/** Returns the milliseconds from SIGKILL until a process that has not ended is given up. */
export function killWaitMs(limits: ShutdownLimits | null): number {
  return limits?.option === 'stop_budget' ? SHORT_KILL_WAIT_MS : KILL_WAIT_MS;
}
