/**
 * ONEVISOR_ONLY and ONEVISOR_EXCEPT: changes which programs start by themselves. Pure.
 */
import { explainUnknownName, findProcesses } from './dependencies.ts';
import type { GroupConfig, ProcessConfig } from './model.ts';
import type { Problems } from './problems.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Returns the processes that a variable names; null if it is not set. A name without a process is an error. */
function selectProcesses(
  variable: 'ONEVISOR_ONLY' | 'ONEVISOR_EXCEPT',
  env: Environment,
  all: readonly ProcessConfig[],
  problems: Problems,
): ReadonlySet<ProcessConfig> | null {
  const text = env[variable];
  if (text === undefined) return null;
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  return new Set(
    words.flatMap((name) => {
      const found = findProcesses(name, all);
      if (found.length === 0) problems.errorFrom(variable, explainUnknownName(name, all));
      return found;
    }),
  );
}

/**
 * Returns the groups with `autostart` as the environment says. A program in ONEVISOR_ONLY starts whatever its
 * `autostart`, unless it has a schedule. Event listeners and the main program keep their `autostart`.
 *
 * @param main - name of the group of the main program; null without one
 */
export function chooseAutostart(
  groups: readonly GroupConfig[],
  main: string | null,
  env: Environment,
  problems: Problems,
): GroupConfig[] {
  const all = groups.flatMap(({ processes }) => processes);
  const only = selectProcesses('ONEVISOR_ONLY', env, all, problems);
  const except = selectProcesses('ONEVISOR_EXCEPT', env, all, problems);
  const isStarted = (proc: ProcessConfig): boolean => {
    const { autostart, cron } = proc.options;
    if (proc.type === 'eventlistener' || proc.group === main) return autostart;
    if (except?.has(proc) === true) return false;
    return only === null ? autostart : only.has(proc) && (autostart || cron === null);
  };
  return groups.map((group) => ({
    ...group,
    processes: group.processes.map((proc) => ({
      ...proc,
      options: { ...proc.options, autostart: isStarted(proc) },
    })),
  }));
}
