/**
 * How long the end of the supervisor may take after a stop signal, from the options that bear on it. Pure.
 */
import { signalNumbers } from '../core/signals.ts';
import type { PlaceOf } from './dependencies.ts';
import type { GroupConfig, ProcessConfig } from './model.ts';
import type { SupervisordOptions } from './options.ts';
import { prefixes } from './programs.ts';

/** Seconds in a container that sets none: half a second less than the grace of `docker stop`. */
const CONTAINER_BUDGET = 9.5;
/** Seconds that are left for the rest of the end after the program that may take longest. */
const REST = 1;

/** Facts of a configuration that the budget follows from. */
export interface BudgetFacts {
  readonly isContainer: boolean;
  readonly supervisord: SupervisordOptions;
  readonly groups: readonly GroupConfig[];
  readonly placeOf: PlaceOf;
}

/** Seconds of the budget; null where nothing limits the end, or `shutdown_timeout` alone does. */
export function stopBudgetOf({ isContainer, supervisord, groups, placeOf }: BudgetFacts): number | null {
  const { stop_budget: budget, shutdown_timeout: timeout } = supervisord;
  if (budget !== null || timeout !== null || !isContainer) return budget;
  const longest = groups.flatMap(({ processes }) => processes).map((process) => stopSecondsOf(process, placeOf) + REST);
  return Math.max(CONTAINER_BUDGET, ...longest);
}

/** Seconds that a program has from its stop signal to SIGKILL, as far as somebody has set them; each of several signals has its own. */
function stopSecondsOf({ type, program, options }: ProcessConfig, placeOf: PlaceOf): number {
  const { stopwaitsecs, stopsignal, stop_command: command, stop_timeout: timeout } = options;
  const isSet = (option: string): boolean => placeOf(prefixes[type] + program, option) !== undefined;
  const signals = stopsignal.filter((signal) => signal !== signalNumbers.SIGKILL).length;
  const bySignals = isSet('stopwaitsecs') ? stopwaitsecs * signals : 0;
  const byCommand = command !== null && isSet('stop_timeout') ? (timeout ?? 0) : 0;
  return Math.max(bySignals, byCommand);
}
