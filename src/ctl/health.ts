/**
 * Problems of the processes of a supervisor: processes that should run and do not, or are not healthy. The rules are in
 * core/process-problem.ts. Pure.
 */
import { formatNamespec } from '../core/namespec.ts';
import { findProblem, type ProcessFacts } from '../core/process-problem.ts';
import { ProcessState, processStateNames } from '../core/states.ts';
import { selectNamed } from './names.ts';
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

function factsOf(info: ProcessInfo, config: ConfigInfo | undefined): ProcessFacts {
  const { hold, ready, purpose, restarting } = info.struct;
  return {
    state: processStateNames.find((name) => ProcessState[name] === info.state) ?? 'UNKNOWN',
    description: info.description,
    autostart: config?.autostart === true,
    wasStarted: info.start !== 0,
    exitStatus: info.exitstatus,
    isExitExpected: (config?.exitcodes ?? [0]).includes(info.exitstatus),
    health: info.health === 'healthy' || info.health === 'starting' || info.health === null ? info.health : 'unhealthy',
    healthReason: info.healthReason,
    // Supervisor has no word for these, and says nothing of them.
    isReady: typeof ready === 'boolean' ? ready : null,
    hold: hold === 'waiting' || hold === 'stuck' ? hold : null,
    purpose: purpose === 'oneshot' || purpose === 'scheduled' ? purpose : 'service',
    isStartDue: restarting === true,
    // Means nothing to the question that is asked here.
    failedStarts: 0,
  };
}
