/** Finds processes by the names that clients send. compat: the forms of names, and the faults for unknown names. */
import { faults, RpcFault } from '../core/faults.ts';
import { parseNamespec } from '../core/namespec.ts';
import { namespecOf, type ProcessView } from '../engine/process-table.ts';
import { readNames } from './method.ts';
import type { SupervisorApi } from './supervisor-api.ts';
import type { XmlRpcValue } from './xmlrpc.ts';

/** Makes the fault BAD_NAME. compat: the fault has the name even if it is empty. */
function badName(name: string): RpcFault {
  return new RpcFault(faults.BAD_NAME, `BAD_NAME: ${name}`);
}

/**
 * Finds the process `name` or `group:name`; null for a whole group (`group:*`, `group:`). Throws BAD_NAME for an
 * unknown name.
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

/** Finds a single process. Throws BAD_NAME for an unknown name and for a whole group. */
export function findOneProcess(api: SupervisorApi, name: string): ProcessView {
  const { process: proc } = findProcess(api, name);
  if (proc === null) throw badName(name);
  return proc;
}

/** Returns the processes of a group in their order. Throws BAD_NAME for an unknown group. */
export function findGroup(api: SupervisorApi, name: string): ProcessView[] {
  if (!api.hasGroup(name)) throw badName(name);
  return [...api.processesIn(name)];
}

/** Finds the processes that `name`, `group:name` and `group:*` mean, each once. Throws BAD_NAME. */
export function chosenProcesses(api: SupervisorApi, names: XmlRpcValue | undefined): readonly ProcessView[] {
  const found = readNames(names).flatMap((name) => {
    const { group, process: proc } = findProcess(api, name);
    return proc === null ? findGroup(api, group) : [proc];
  });
  return [...new Map(found.map((proc) => [proc.id, proc])).values()];
}
