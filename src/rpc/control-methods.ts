/**
 * The methods that start, stop and signal processes. compat: the faults in each state are those that Supervisor was
 * observed to give. The methods send requests; the engine decides.
 */
import { RpcFault } from '../core/faults.ts';
import { parseSignal } from '../core/signals.ts';
import { formatHold } from '../core/start-hold.ts';
import { startOrder } from '../core/stop-order.ts';
import { RUNNING_STATES, SIGNALLABLE_STATES, STOPPED_STATES } from '../core/states.ts';
import type { ProcessView } from '../engine/process-table.ts';
import { type ProcessAction, forEachProcess } from './each-process.ts';
import { findGroup, findProcess } from './lookup.ts';
import { type CallContext, type Method, type Parameter, readPrinted, readText, readTruth } from './method.ts';
import { waitForProcess } from './wait-for-process.ts';
import type { XmlRpcStruct, XmlRpcValue } from './xmlrpc.ts';

const isRunning = ({ record }: ProcessView): boolean => RUNNING_STATES.has(record.state);
/** True for a process that does not run and has a start due. */
const isStartDue = ({ record }: ProcessView): boolean => STOPPED_STATES.has(record.state) && record.deadlineMs !== null;
const isUpOrDue = (proc: ProcessView): boolean => isRunning(proc) || proc.record.hold !== null || isStartDue(proc);
const isNotRunning = (proc: ProcessView): boolean => !isRunning(proc);
const isSignallable = ({ record }: ProcessView): boolean => SIGNALLABLE_STATES.has(record.state);

/**
 * Returns true if a start has succeeded, and null while it is in progress. Throws a fault if the start failed, or if a
 * dependency prevents it for good.
 */
function judgeStart(proc: ProcessView | null, name: string): true | null {
  const hold = proc?.record.hold ?? null;
  if (hold?.kind === 'waiting') return null;
  if (hold !== null) throw RpcFault.ofHeldStart(name, formatHold(hold));
  switch (proc?.record.state) {
    case 'RUNNING':
      return true;
    case 'STARTING':
      return null;
    // compat: the first failure is a fault, although more attempts may follow.
    case 'BACKOFF':
    case 'FATAL':
      throw RpcFault.of('SPAWN_ERROR', name);
    default:
      throw RpcFault.of('ABNORMAL_TERMINATION', name);
  }
}

function judgeStop(proc: ProcessView | null, name: string): true | null {
  if (proc?.record.state === 'UNKNOWN') throw RpcFault.of('FAILED', `cannot stop ${name}: it could not be signalled`);
  return proc === null || STOPPED_STATES.has(proc.record.state) ? true : null;
}

function start(
  context: CallContext,
  { id, config, record }: ProcessView,
  name: string,
  wait: boolean,
): true | Promise<true> {
  const { api } = context;
  const objection = api.checkCommand(config);
  if (objection !== null) throw RpcFault.of(objection.fault, objection.reason);
  if (RUNNING_STATES.has(record.state)) throw RpcFault.of('ALREADY_STARTED', name);
  if (record.state === 'UNKNOWN') throw RpcFault.of('FAILED', `${name} is in an unknown process state`);
  api.start(id, context.request);
  const { state, hold } = api.process(id)?.record ?? record;
  // A dependency that prevents the start for good is a fault also without `wait`. A start that only waits for a
  // dependency continues by itself.
  if (hold?.kind === 'stuck') throw RpcFault.ofHeldStart(name, formatHold(hold));
  if (state === 'BACKOFF' || state === 'FATAL') throw RpcFault.of('SPAWN_ERROR', name);
  // compat: true also for a process that is STOPPING, although it is not started.
  if (!wait || state === 'RUNNING') return true;
  return waitForProcess(context, id, (proc) => judgeStart(proc, name));
}

function stop(context: CallContext, proc: ProcessView, name: string, wait: boolean): true | Promise<true> {
  const { api, request } = context;
  const { id, record } = proc;
  // Supervisor answers NOT_RUNNING here. A second request to stop means that the user does not want to wait.
  if (record.state === 'STOPPING') api.kill(id, request);
  // A stop cancels a start that waits or is due.
  else if (isUpOrDue(proc)) api.stop(id, request);
  else throw RpcFault.of('NOT_RUNNING', name);
  if (judgeStop(api.process(id), name) === true || !wait) return true;
  return waitForProcess(context, id, (now) => judgeStop(now, name));
}

function signal(
  { api, request }: CallContext,
  { id, record }: ProcessView,
  name: string,
  requested: XmlRpcValue | undefined,
): true {
  const text = readPrinted(
    typeof requested === 'number' || typeof requested === 'boolean' ? Math.trunc(Number(requested)) : requested,
  );
  // compat: signal 0 is accepted and has no effect.
  const number = text.trim() === '0' ? 0 : parseSignal(text);
  if (number === null) throw RpcFault.of('BAD_SIGNAL', text);
  if (!SIGNALLABLE_STATES.has(record.state)) throw RpcFault.of('NOT_RUNNING', name);
  const code = api.signal(id, number, request);
  if (code !== null) throw RpcFault.of('FAILED', `cannot signal ${name}: ${code}`);
  return true;
}

function startMany(context: CallContext, processes: readonly ProcessView[], wait: boolean): Promise<XmlRpcStruct[]> {
  // Start the dependencies of a process before it.
  const order = new Map(
    startOrder(
      processes.map(({ id, config }, index) => ({
        id,
        groupPriority: 0,
        priority: index,
        dependsOn: config.dependsOn.map(({ group, process: proc }) => `${group}:${proc}`),
      })),
    ).map((id, index) => [id, index]),
  );
  const inOrder = processes.toSorted((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
  const selection = { processes: inOrder, isSelected: isNotRunning, ranking: processes };
  return forEachProcess(context, selection, (proc, name) => start(context, proc, name, wait));
}

/** Stops processes in the reverse order of their start. Supervisor stops them in ascending order here. */
function stopMany(context: CallContext, processes: readonly ProcessView[], wait: boolean): Promise<XmlRpcStruct[]> {
  const selection = { processes: processes.toReversed(), isSelected: isUpOrDue, ranking: processes };
  return forEachProcess(context, selection, (proc, name) => stop(context, proc, name, wait));
}

function signalMany(
  context: CallContext,
  processes: readonly ProcessView[],
  requested: XmlRpcValue | undefined,
): Promise<XmlRpcStruct[]> {
  const send: ProcessAction = (proc, name) => signal(context, proc, name, requested);
  return forEachProcess(context, { processes, isSelected: isSignallable }, send);
}

const nameOrGroup: Parameter = {
  type: 'string',
  name: 'name',
  help: 'Process name, group:name, or group:* for all of a group',
};
const groupName: Parameter = { type: 'string', name: 'name', help: 'Group name' };
const waitStarted: Parameter = {
  type: 'boolean',
  name: 'wait',
  help: 'Wait until the start has succeeded or failed; default true',
  isOptional: true,
};
const waitStopped: Parameter = {
  type: 'boolean',
  name: 'wait',
  help: 'Wait until the process has stopped; default true',
  isOptional: true,
};
const signalName: Parameter = { type: 'string', name: 'signal', help: 'Signal by name (HUP, SIGHUP) or number' };
const done = { type: 'boolean', name: 'result', help: 'Always true; a failure is a fault' } as const;
const outcomes = {
  type: 'array',
  name: 'result',
  help: 'A struct of name, group, status and description for each affected process',
} as const;

/** The methods that act on processes. */
export const controlMethods: readonly Method[] = [
  {
    name: 'supervisor.startProcess',
    help: 'Start a process',
    parameters: [nameOrGroup, waitStarted],
    returns: done,
    isChange: true,
    call: (context, [nameValue, wait]) => {
      const name = readText(nameValue);
      const { group, process: proc } = findProcess(context.api, name);
      if (proc === null) return startMany(context, findGroup(context.api, group), readTruth(wait, true));
      return start(context, proc, name, readTruth(wait, true));
    },
  },
  {
    name: 'supervisor.startProcessGroup',
    help: 'Start all processes of a group',
    parameters: [groupName, waitStarted],
    returns: outcomes,
    isChange: true,
    call: (context, [name, wait]) => startMany(context, findGroup(context.api, readText(name)), readTruth(wait, true)),
  },
  {
    name: 'supervisor.startAllProcesses',
    help: 'Start all processes',
    parameters: [waitStarted],
    returns: outcomes,
    isChange: true,
    call: (context, [wait]) => startMany(context, context.api.processes(), readTruth(wait, true)),
  },
  {
    name: 'supervisor.stopProcess',
    help: 'Stop a process; a second call while it is stopping kills it',
    parameters: [nameOrGroup, waitStopped],
    returns: done,
    isChange: true,
    call: (context, [nameValue, wait]) => {
      const name = readText(nameValue);
      const { group, process: proc } = findProcess(context.api, name);
      if (proc === null) return stopMany(context, findGroup(context.api, group), readTruth(wait, true));
      return stop(context, proc, name, readTruth(wait, true));
    },
  },
  {
    name: 'supervisor.stopProcessGroup',
    help: 'Stop all processes of a group',
    parameters: [groupName, waitStopped],
    returns: outcomes,
    isChange: true,
    call: (context, [name, wait]) => stopMany(context, findGroup(context.api, readText(name)), readTruth(wait, true)),
  },
  {
    name: 'supervisor.stopAllProcesses',
    help: 'Stop all processes',
    parameters: [waitStopped],
    returns: outcomes,
    isChange: true,
    call: (context, [wait]) => stopMany(context, context.api.processes(), readTruth(wait, true)),
  },
  {
    name: 'supervisor.signalProcess',
    help: 'Send a signal to a process',
    parameters: [nameOrGroup, signalName],
    returns: done,
    isChange: true,
    call: (context, [nameValue, requested]) => {
      const name = readText(nameValue);
      const { group, process: proc } = findProcess(context.api, name);
      return proc === null
        ? signalMany(context, findGroup(context.api, group), requested)
        : signal(context, proc, name, requested);
    },
  },
  {
    name: 'supervisor.signalProcessGroup',
    help: 'Send a signal to all processes of a group',
    parameters: [groupName, signalName],
    returns: outcomes,
    isChange: true,
    call: (context, [name, requested]) => signalMany(context, findGroup(context.api, readText(name)), requested),
  },
  {
    name: 'supervisor.signalAllProcesses',
    help: 'Send a signal to all processes',
    parameters: [signalName],
    returns: outcomes,
    isChange: true,
    call: (context, [requested]) => signalMany(context, context.api.processes(), requested),
  },
];
