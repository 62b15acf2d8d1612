/**
 * From a name that a client gives to processes. compat: which names mean what, and the faults for those that mean
 * nothing.
 */
import { faults, RpcFault } from '../core/faults.ts';
import { parseNamespec } from '../core/namespec.ts';
import { namespecOf, type ProcessView } from '../engine/process-table.ts';
import type { SupervisorApi } from './supervisor-api.ts';

/** compat: the name stands in the fault also when it is empty. */
function badName(name: string): RpcFault {
  return new RpcFault(faults.BAD_NAME, `BAD_NAME: ${name}`);
}

/**
 * The process `name` or `group:name`, null where a whole group is meant (`group:*`, `group:`). Throws BAD_NAME where
 * there is no such thing.
 */
export function findProcess(
  api: SupervisorApi,
  name: string,
): { readonly group: string; readonly process: ProcessView | null } {
  const { group, process: processName } = parseNamespec(name);
  if (!api.hasGroup(group)) throw badName(name);
  if (processName === null) return { group, process: null };
  const proc = api.process(namespecOf({ group, name: processName }));
  if (proc === null) throw badName(name);
  return { group, process: proc };
}

/** The one process that a name means; BAD_NAME also for a whole group. */
export function findOneProcess(api: SupervisorApi, name: string): ProcessView {
  const { process: proc } = findProcess(api, name);
  if (proc === null) throw badName(name);
  return proc;
}

/** The processes of a group in their order; BAD_NAME where there is no such group. */
export function findGroup(api: SupervisorApi, name: string): ProcessView[] {
  if (!api.hasGroup(name)) throw badName(name);
  return api.processes().filter(({ config }) => config.group === name);
}
