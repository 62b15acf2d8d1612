/** Maximum time from a stop signal to the exit of the supervisor, from the options. Pure. */
import { beginsStop, meaningOf } from '../core/signal-meaning.ts';
import { signalNumbers } from '../core/signals.ts';
import { findProcesses, type PlaceOf } from './dependencies.ts';
import type { Config, GroupConfig, ProcessConfig } from './model.ts';
import type { SupervisordOptions } from './options.ts';
import { sectionNameOf } from './section-names.ts';

/** Default in a container: half a second less than the grace period of `docker stop`. */
const CONTAINER_BUDGET_S = 9.5;
/** Time after the main program of init mode, if other programs are stopped only after it. */
const OTHERS_RESERVE_S = 5.5;
/** Time for the exit of the supervisor after the program that may take longest. */
const EXIT_RESERVE_S = 1;
/** Least time for the stop of the programs after `shutdown_delay`. */
const LEAST_STOP_S = 3.5;

/** Facts of a configuration that the budget depends on. */
export interface BudgetFacts {
  readonly isContainer: boolean;
  readonly supervisord: SupervisordOptions;
  readonly groups: readonly GroupConfig[];
  /** Name of the group of the main program; null without one. */
  readonly main: string | null;
  readonly placeOf: PlaceOf;
}

/** Returns the times of a configuration that limit a shutdown. */
export function shutdownTimesOf(facts: BudgetFacts): Pick<Config, 'stopBudget' | 'mainStopWait'> {
  return { stopBudget: stopBudgetOf(facts), mainStopWait: mainStopWaitOf(facts) };
}

/** Returns the budget in seconds; null if nothing but `shutdown_timeout` limits a shutdown. */
function stopBudgetOf(facts: BudgetFacts): number | null {
  const { isContainer, supervisord, groups, main } = facts;
  const { stop_budget: budget, shutdown_timeout: timeout, shutdown_delay: delay } = supervisord;
  if (budget !== null || timeout !== null || !isContainer) return budget;
  const needs = groups
    .flatMap(({ processes }) => processes)
    .map((proc) => {
      const seconds = delay + stopSecondsOf(proc, facts);
      const isBeforeOthers = proc.group === main && groups.length > 1 && seconds + EXIT_RESERVE_S > CONTAINER_BUDGET_S;
      return seconds + (isBeforeOthers ? OTHERS_RESERVE_S : EXIT_RESERVE_S);
    });
  const least = delay === 0 ? 0 : delay + LEAST_STOP_S + EXIT_RESERVE_S;
  return Math.max(CONTAINER_BUDGET_S, least, ...needs);
}

/** Returns `stopwaitsecs` of the main program; null if it is not set. */
function mainStopWaitOf({ groups, main, placeOf }: BudgetFacts): number | null {
  const proc = groups.find(({ name }) => name === main)?.processes[0];
  const isSet = proc !== undefined && placeOf(sectionNameOf(proc), 'stopwaitsecs') !== undefined;
  return isSet ? proc.options.stopwaitsecs : null;
}

/** True if a forwarded signal comes before the signals of `stopsignal` at a shutdown. */
function hasForwardedStop(proc: ProcessConfig, { supervisord, groups }: BudgetFacts): boolean {
  const { stopsignal: stopSignals } = proc.options;
  const all = groups.flatMap(({ processes }) => processes);
  return supervisord.forward_signals.some(({ signal, name, as }) => {
    const sent = as ?? signal;
    const isStop = meaningOf(signal, supervisord.stop_on_signals) === 'shutdown' && beginsStop(sent, stopSignals);
    return isStop && sent !== stopSignals[0] && findProcesses(name, all).includes(proc);
  });
}

/**
 * Returns the seconds from the first stop signal to SIGKILL. Each signal has its own wait. Options that are not set
 * count as 0.
 */
function stopSecondsOf(proc: ProcessConfig, facts: BudgetFacts): number {
  const { placeOf } = facts;
  const { stopwaitsecs, stopsignal, stop_command: command, stop_timeout: timeout } = proc.options;
  const isSet = (option: string): boolean => placeOf(sectionNameOf(proc), option) !== undefined;
  const before = hasForwardedStop(proc, facts) ? 1 : 0;
  const signals = before + stopsignal.filter((signal) => signal !== signalNumbers.SIGKILL).length;
  const bySignals = isSet('stopwaitsecs') ? stopwaitsecs * signals : 0;
  const byCommand = command !== null && isSet('stop_timeout') ? (timeout ?? 0) : 0;
  return Math.max(bySignals, byCommand);
}
