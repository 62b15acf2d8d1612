/**
 * What is wrong with the processes of a supervisor: which should run and do not, or are not healthy. Pure.
 *
 * Something that was stopped by hand, or that is not started by itself and never was, should not run. Something that ended as it was
 * expected to is done. A name that is given outweighs both but for the last.
 */
import { formatNamespec, parseNamespec } from '../core/namespec.ts';
import { ProcessState } from '../core/states.ts';
import { findMatches } from './names.ts';
import type { ConfigInfo, ProcessInfo } from './supervisor.ts';

/** One line a problem; none means healthy. Names as in `status`; none means everything. */
export function findProblems(infos: readonly ProcessInfo[], configs: readonly ConfigInfo[], names: readonly string[]): string[] {
  const configOf = new Map(configs.map((config) => [`${config.group}:${config.name}`, config]));
  const judge = (info: ProcessInfo, isNamed: boolean): string[] => {
    const reason = findProblem(info, configOf.get(`${info.group}:${info.name}`), isNamed);
    return reason === null ? [] : [`${formatNamespec(info.group, info.name)}: ${reason}`];
  };
  if (names.length === 0 || names.includes('all')) return infos.flatMap((info) => judge(info, false));
  return names.flatMap((name) => {
    const { group, process } = parseNamespec(name);
    const found = findMatches(process === null ? `${group}:*` : name, infos);
    return found.length === 0 ? [`${name}: ERROR (no such process)`] : found.flatMap((info) => judge(info, true));
  });
}

function findProblem(info: ProcessInfo, config: ConfigInfo | undefined, isNamed: boolean): string | null {
  const text = info.description === '' ? info.statename : `${info.statename} ${info.description}`;
  switch (info.state) {
    case ProcessState.RUNNING:
      return info.health === null || info.health === 'healthy' ? null : `${info.statename} ${info.health}`;
    case ProcessState.EXITED:
      return (config?.exitcodes ?? [0]).includes(info.exitstatus) ? null : `${info.statename} exit status ${info.exitstatus}`;
    case ProcessState.STOPPED: {
      const isAwaited = info.start === 0 && config?.autostart === true;
      return isNamed || isAwaited ? text : null;
    }
    case ProcessState.STOPPING:
      return isNamed ? text : null;
    default:
      return text;
  }
}
