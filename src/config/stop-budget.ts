/**
 * Longest time for the end of the supervisor after a stop signal, from its options. Pure.
 */
import { signalNumbers } from '../core/signals.ts';
import type { PlaceOf } from './dependencies.ts';
import type { Config, GroupConfig, ProcessConfig } from './model.ts';
import type { SupervisordOptions } from './options.ts';
import { prefixes } from './programs.ts';

/** Seconds in a container that sets none: half a second less than the grace of `docker stop`. */
const CONTAINER_BUDGET = 9.5;
/** The same after the main program of init mode, if others are stopped only after it. */
const REST_WITH_OTHERS = 5.5;
/** Seconds that are left for the rest of the end after the program that may take longest. */
const REST = 1;

/** Facts of a configuration that the budget follows from. */
export interface BudgetFacts {
  readonly isContainer: boolean;
  readonly supervisord: SupervisordOptions;
  readonly groups: readonly GroupConfig[];
  /** Name of the group of the main program; null without one. */
  readonly main: string | null;
  readonly placeOf: PlaceOf;
}

/** The times of a configuration that bear on its end. */
export function endTimesOf(facts: BudgetFacts): Pick<Config, 'stopBudget' | 'mainStopWait'> {
  return { stopBudget: stopBudgetOf(facts), mainStopWait: mainStopWaitOf(facts) };
}

/** Seconds of the budget; null where nothing limits the end, or `shutdown_timeout` alone does. */
function stopBudgetOf({ isContainer, supervisord, groups, main, placeOf }: BudgetFacts): number | null {
  const { stop_budget: budget, shutdown_timeout: timeout } = supervisord;
  if (budget !== null || timeout !== null || !isContainer) return budget;
  const needs = groups
    .flatMap(({ processes }) => processes)
    .map((proc) => {
      const seconds = stopSecondsOf(proc, placeOf);
      const isBefore = proc.group === main && groups.length > 1 && seconds + REST > CONTAINER_BUDGET;
      return seconds + (isBefore ? REST_WITH_OTHERS : REST);
    });
  return Math.max(CONTAINER_BUDGET, ...needs);
}

/** `stopwaitsecs` of the main program, if somebody has set it. */
function mainStopWaitOf({ groups, main, placeOf }: BudgetFacts): number | null {
  const proc = groups.find(({ name }) => name === main)?.processes[0];
  const isSet = proc !== undefined && placeOf(prefixes[proc.type] + proc.program, 'stopwaitsecs') !== undefined;
  return isSet ? proc.options.stopwaitsecs : null;
}

/**
 * Seconds that a program has from its stop signal to SIGKILL, as far as somebody has set them; each of several signals
 * has its own.
 */
function stopSecondsOf({ type, program, options }: ProcessConfig, placeOf: PlaceOf): number {
  const { stopwaitsecs, stopsignal, stop_command: command, stop_timeout: timeout } = options;
  const isSet = (option: string): boolean => placeOf(prefixes[type] + program, option) !== undefined;
  const signals = stopsignal.filter((signal) => signal !== signalNumbers.SIGKILL).length;
  const bySignals = isSet('stopwaitsecs') ? stopwaitsecs * signals : 0;
  const byCommand = command !== null && isSet('stop_timeout') ? (timeout ?? 0) : 0;
  return Math.max(bySignals, byCommand);
}
