/**
 * Problems of the processes of a supervisor: processes that should run and do not, or are not healthy. The rules are in
 * core/process-problem.ts. Pure.
 */
import { formatNamespec } from '../core/namespec.ts';
import { findProblem, type ProcessFacts } from '../core/process-problem.ts';
import { ProcessState, processStateNames } from '../core/states.ts';
import { textOf } from './members.ts';
import { selectNamed } from './names.ts';
import type { ProcessStatus } from './process-status.ts';
import type { ConfigInfo, ProcessInfo } from './supervisor-client.ts';

/** Returns one line for each problem. `names` as in `status`; empty for all processes. */
export function findProblems(
  infos: readonly ProcessInfo[],
  configs: readonly ConfigInfo[],
  names: readonly string[],
): string[] {
  const configOf = new Map(configs.map((config) => [`${config.group}:${config.name}`, config]));
  const judge = (info: ProcessInfo, isNamed: boolean): string[] => {
    const reason = findProblem(factsOf(info, configOf.get(`${info.group}:${info.name}`)), 'ready', isNamed);
    return reason === null ? [] : [`${formatNamespec(info.group, info.name)}: ${reason}`];
  };
  if (names.length === 0 || names.includes('all')) return infos.flatMap((info) => judge(info, false));
  return names.flatMap((name) => {
    const found = selectNamed([name], infos);
    return found.length === 0 ? [`${name}: ERROR (no such process)`] : found.flatMap((info) => judge(info, true));
  });
}

/** Returns one line for each problem that the supervisor has found (`onevisor.getStatus`). */
export function listProblems(infos: readonly ProcessInfo[]): string[] {
  return infos.flatMap(({ group, name, struct }) => {
    const problem = textOf(struct, 'problem');
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
      return `${name}: ${info.statename} flapping, ${unexpectedRestarts} unexpected restarts`;
    });
}

function factsOf(info: ProcessInfo, config: ConfigInfo | undefined): ProcessFacts {
  const { state, description, start, exitstatus, health, healthReason, isReady, hold, purpose, isStartDue } = info;
  return {
    state: processStateNames.find((name) => ProcessState[name] === state) ?? 'UNKNOWN',
    description,
    autostart: config?.autostart === true,
    wasStarted: start !== 0,
    exitStatus: exitstatus,
    isExitExpected: (config?.exitcodes ?? [0]).includes(exitstatus),
    health,
    healthReason,
    isReady,
    hold,
    purpose,
    isStartDue,
    // The question `ready` does not depend on this.
    failedStarts: 0,
  };
}
