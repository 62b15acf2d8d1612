/**
 * The actions of changes. They call the methods that supervisorctl calls, in its order, and note its words as results.
 * An action continues to its end, even if its client has left.
 */
import type { Client } from '../core/cause.ts';
import type { Role } from '../core/role.ts';
import { faults, RpcFault } from '../core/faults.ts';
import { type ActionResult, type ActionWord, formatActionResult, isSatisfied } from '../core/result-text.ts';
import { formatNamespec } from '../core/namespec.ts';
import { startOrder } from '../core/stop-order.ts';
import { RUNNING_STATES } from '../core/states.ts';
import type { ProcessView } from '../engine/process-table.ts';
import { callMethod } from '../rpc/call.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';
import { isStruct, type XmlRpcStruct, type XmlRpcValue } from '../rpc/xmlrpc.ts';
import type { NoteResult } from './changes.ts';
import { displayNameOf } from './names.ts';
import type { ApiSources } from './row.ts';

/** Calls a method for the client of a change. */
export type Ask = (method: string, ...args: readonly XmlRpcValue[]) => Promise<XmlRpcValue>;

/** The context of an action. */
export interface ActionContext {
  readonly api: SupervisorApi;
  readonly ask: Ask;
  readonly note: NoteResult;
}

/** Makes the function that calls methods for a client that may leave. */
export function askFor({ api, methods, times }: ApiSources, client: Client, role: Role): Ask {
  // A signal of its own for each call: a shared one would keep the listeners of all calls.
  return (method, ...args) =>
    callMethod(
      methods,
      { api, times, client, role, signal: new AbortController().signal, reserve: () => undefined },
      method,
      args,
    );
}

/** Processes to act on. `isAll`: all processes of the supervisor, so that one call is enough. */
export interface Targets {
  readonly processes: readonly ProcessView[];
  readonly isAll: boolean;
}

/** Calls for one kind of action. */
interface Action {
  readonly done: ActionWord;
  readonly all: string;
  readonly one: string;
  readonly args: readonly XmlRpcValue[];
  /** Returns the processes in the order of their calls. */
  readonly order: (processes: readonly ProcessView[]) => readonly ProcessView[];
  /** True to leave out the result of a process. */
  readonly isIgnored?: (result: ActionResult) => boolean;
}

const START: Action = {
  done: 'started',
  all: 'supervisor.startAllProcesses',
  one: 'supervisor.startProcess',
  args: [],
  order: inStartOrder,
};

const STOP: Action = {
  done: 'stopped',
  all: 'supervisor.stopAllProcesses',
  one: 'supervisor.stopProcess',
  args: [],
  order: (processes) => inStartOrder(processes).toReversed(),
};

const CLEAR: Action = {
  done: 'cleared',
  all: 'supervisor.clearAllProcessLogs',
  one: 'supervisor.clearProcessLogs',
  args: [],
  order: (processes) => processes,
};

/** Starts processes and waits until they are up. */
export function start(context: ActionContext, targets: Targets): Promise<void> {
  return act(context, START, targets);
}

/** Stops processes and waits until they have ended. */
export function stop(context: ActionContext, targets: Targets): Promise<void> {
  return act(context, STOP, targets);
}

/** Empties the logs of processes. */
export function clearLogs(context: ActionContext, targets: Targets): Promise<void> {
  return act(context, CLEAR, targets);
}

/** Sends a signal to processes. */
export function signal(context: ActionContext, targets: Targets, name: string): Promise<void> {
  const action: Action = {
    done: 'signalled',
    all: 'supervisor.signalAllProcesses',
    one: 'supervisor.signalProcess',
    args: [name],
    order: (processes) => processes,
  };
  return act(context, action, targets);
}

/** Stops processes, then starts them. A process that did not run is only started. */
export async function restart(context: ActionContext, targets: Targets): Promise<void> {
  const resting = new Set(
    targets.processes.filter(({ record }) => !RUNNING_STATES.has(record.state)).map(({ id }) => id),
  );
  const isIgnored = ({ group, name, status }: ActionResult): boolean =>
    status === faults.NOT_RUNNING || (status === faults.SUCCESS && resting.has(`${group}:${name}`));
  await act(context, { ...STOP, isIgnored }, targets);
  // The programs may be others by now. Results name those that are gone.
  await act(context, START, targets);
}

/** Asks programs to read their own configuration again, one after the other. */
export async function reload({ ask, note }: ActionContext, { processes }: Targets): Promise<void> {
  for (const proc of processes) {
    const name = displayNameOf(proc);
    try {
      const way = textOf(await ask('onevisor.reloadProcess', proc.id));
      note({ name, ok: true, text: `${name}: reloaded (${way})` });
    } catch (error) {
      if (!(error instanceof RpcFault)) throw error;
      note({ name, ok: false, text: `${name}: ERROR (${error.faultString.replace(/^FAILED: /, '')})` });
    }
  }
}

async function act({ ask, note }: ActionContext, action: Action, { processes, isAll }: Targets): Promise<void> {
  const { done, order, isIgnored = () => false } = action;
  const tell = (result: ActionResult): void => {
    if (!isIgnored(result)) note(toResult(result, done));
  };
  if (isAll) {
    for (const struct of (await ask(action.all, ...action.args)) as readonly XmlRpcValue[])
      if (isStruct(struct)) tell(resultOfStruct(struct));
    return;
  }
  // As supervisorctl does with a group: all calls at once, and the results as they come.
  await Promise.all(
    order(processes).map(async (proc) => {
      const fault = await faultOf(ask(action.one, proc.id, ...action.args));
      tell(resultOf(proc, fault));
    }),
  );
}

/** Resolves with the fault of a call; null for none. */
export async function faultOf(call: Promise<unknown>): Promise<RpcFault | null> {
  try {
    await call;
    return null;
  } catch (error) {
    if (error instanceof RpcFault) return error;
    throw error;
  }
}

/** Makes the result of a call for a process. */
export function resultOf({ config: { group, name } }: ProcessView, fault: RpcFault | null): ActionResult {
  if (fault === null) return { group, name, status: faults.SUCCESS, description: '', reason: null };
  return { group, name, status: fault.code, description: fault.faultString, reason: fault.reason };
}

function textOf(value: XmlRpcValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function resultOfStruct({ name, group, status, description, reason }: XmlRpcStruct): ActionResult {
  return {
    name: textOf(name),
    group: textOf(group),
    status: Number(status),
    description: textOf(description),
    reason: typeof reason === 'string' ? reason : null,
  };
}

/** Makes the result of a change, with the words of supervisorctl. */
export function toResult(result: ActionResult, done: ActionWord): { name: string; ok: boolean; text: string } {
  const name = formatNamespec(result.group, result.name);
  const text = formatActionResult(result, done) ?? `${name}: ERROR (${result.description})`;
  return { name, ok: isSatisfied(result, done), text };
}

/** Sorts processes so that the dependencies of a process come before it. */
function inStartOrder(processes: readonly ProcessView[]): readonly ProcessView[] {
  const ids = startOrder(
    processes.map(({ id, config }, index) => ({
      id,
      groupPriority: 0,
      priority: index,
      dependsOn: config.dependsOn.map(({ group, process: proc }) => `${group}:${proc}`),
    })),
  );
  const byId = new Map(processes.map((proc) => [proc.id, proc]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}
