/**
 * The names of the API. Clients see display names, `web` and `pool:pool_00`. A client may give names, `group:*`, and
 * patterns with `*` and `?`. Pure.
 */
import { createNameMatcher, isPattern } from '../core/name-pattern.ts';
import { formatNamespec, parseNamespec } from '../core/namespec.ts';
import { showText } from '../core/shown-text.ts';
import type { ProcessView } from '../engine/process-table.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';
import { ApiError } from './api-error.ts';
import { suggest } from './schema.ts';

/** Longest part of a name that an error repeats. */
const SHOWN = 100;

/** Converts a namespec `group:name` to a display name. Other names, such as `supervisor`, stay. */
export function displayName(id: string): string {
  const { group, process: name } = parseNamespec(id);
  return name === null ? id : formatNamespec(group, name);
}

/** Returns the display name of a process. */
export function displayNameOf({ config: { group, name } }: Pick<ProcessView, 'config'>): string {
  return formatNamespec(group, name);
}

/** Returns the processes that a name means: `web`, `pool:pool_00`, `pool:*`, `*`, `pool_0?`. Empty for none. */
function findProcesses(api: SupervisorApi, name: string): readonly ProcessView[] {
  if (name === '*') return api.processes();
  if (isPattern(name)) {
    const isMatch = createNameMatcher(name);
    return api.processes().filter(({ config }) => isMatch(config));
  }
  const { group, process: wanted } = parseNamespec(name);
  if (wanted === null) return api.processesIn(group);
  const proc = api.process(`${group}:${wanted}`);
  return proc === null ? [] : [proc];
}

/** Makes the error for a name that means nothing. */
export function unknownName(what: 'process' | 'group' | 'program', name: string, known: Iterable<string>): ApiError {
  const shown = showText(name, SHOWN);
  return new ApiError(404, 'bad_name', `there is no ${what} "${shown}"${suggest(name, known)}`);
}

/** Returns the processes that names mean, each once, in the supervisor's order. Throws a 404 for an unknown name. */
export function chooseProcesses(api: SupervisorApi, names: readonly string[]): readonly ProcessView[] {
  const found = [...new Set(names)].map((name) => {
    const processes = findProcesses(api, name);
    // Of a supervisor without programs, `*` means none of them.
    if (processes.length === 0 && name !== '*') throw unknownName('process', name, api.processes().map(displayNameOf));
    return processes;
  });
  const [first = []] = found;
  if (found.length < 2) return first;
  const chosen = new Set(found.flat().map(({ id }) => id));
  return api.processes().filter(({ id }) => chosen.has(id));
}

/** Returns a single process. Throws a 404 for an unknown name or a pattern. */
export function oneProcess(api: SupervisorApi, name: string): ProcessView {
  const { group, process: wanted } = parseNamespec(name);
  const found = wanted === null ? null : api.process(`${group}:${wanted}`);
  if (found === null) throw unknownName('process', name, api.processes().map(displayNameOf));
  return found;
}

/** Returns the name of an active group. Throws a 404 for another name. */
export function oneGroup(api: SupervisorApi, name: string): string {
  if (api.hasGroup(name)) return name;
  throw unknownName('group', name, new Set(api.processes().map(({ config }) => config.group)));
}
