/**
 * Problems of the processes of a supervisor: processes that should run and do not, or are not healthy. The rules are in
 * core/process-problem.ts. Pure.
 */
import { formatNamespec } from '../core/namespec.ts';
import { findProblem, type ProcessFacts, type Question } from '../core/process-problem.ts';
import { ProcessState, processStateNames } from '../core/states.ts';
import { formatSignal } from '../core/signals.ts';
import { numberOf, textOf } from './members.ts';
import { selectNamed } from './names.ts';
import { countRestarts, forOwnView, type ProcessStatus } from './process-status.ts';
import type { ConfigInfo, ProcessInfo } from './supervisor-client.ts';

/** Returns one line for each problem. `names` as in `status`; empty for all processes. */
export function findProblems(
  infos: readonly ProcessInfo[],
  configs: readonly ConfigInfo[],
  { names, question }: { readonly names: readonly string[]; readonly question: Question },
): string[] {
  const configOf = new Map(configs.map((config) => [`${config.group}:${config.name}`, config]));
  const judge = (info: ProcessInfo, isNamed: boolean): string[] => {
    const reason = findProblem(factsOf(info, configOf.get(`${info.group}:${info.name}`)), question, isNamed);
    return reason === null ? [] : [`${formatNamespec(info.group, info.name)}: ${reason}`];
  };
  if (names.length === 0 || names.includes('all')) return infos.flatMap((info) => judge(info, false));
  return names.flatMap((name) => {
    const found = selectNamed([name], infos);
    return found.length === 0 ? [formatUnknown(name)] : found.flatMap((info) => judge(info, true));
  });
}

/** Returns the line for a name without a process. */
export function formatUnknown(name: string): string {
  return `${name}: ERROR (no such process)`;
}

/** Returns one line for each problem that the supervisor has found (`onevisor.getStatus`). */
export function listProblems(infos: readonly ProcessInfo[], question: Question): string[] {
  return infos.flatMap(({ group, name, struct }) => {
    const problem = textOf(struct, question === 'ready' ? 'problem' : 'not_alive');
    return problem === null ? [] : [`${formatNamespec(group, name)}: ${problem}`];
  });
}

/** Returns one line for each process that is flapping. `names` as in {@link findProblems}. */
export function findFlapping(statuses: readonly ProcessStatus[], names: readonly string[]): string[] {
  const isAll = names.length === 0 || names.includes('all');
  const named = isAll
    ? statuses.map(({ info }) => info)
    : selectNamed(
        names,
        statuses.map(({ info }) => info),
      );
  return statuses
    .filter(({ info, isFlapping }) => isFlapping && named.includes(info))
    .map(({ name, info, unexpectedRestarts }) => {
      return `${name}: ${info.statename} flapping, ${countRestarts(unexpectedRestarts)}`;
    });
}

function factsOf(info: ProcessInfo, config: ConfigInfo | undefined): ProcessFacts {
  const { state, start, exitstatus, health, healthReason, isReady, hold, purpose, isStartDue } = info;
  return {
    state: processStateNames.find((name) => ProcessState[name] === state) ?? 'UNKNOWN',
    description: forOwnView(info).description,
    autostart: config?.autostart === true,
    wasStarted: start !== 0,
    exitText: formatExitOf(info),
    isExitExpected: (config?.exitcodes ?? [0]).includes(exitstatus),
    health,
    healthReason,
    isReady,
    hold,
    purpose,
    isStartDue,
  };
}

/** Formats the exit of a process. With a signal, Supervisor tells no more than -1. */
function formatExitOf({ exitstatus, struct }: ProcessInfo): string {
  if (exitstatus >= 0) return `exit status ${exitstatus}`;
  const signal = numberOf(struct, 'exit_signal');
  return `terminated by ${signal === null ? 'a signal' : formatSignal(signal)}`;
}
