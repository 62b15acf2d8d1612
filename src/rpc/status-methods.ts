/**
 * The methods that tell what is wrong, and why: `onevisor.getStatus`, `onevisor.getRuns`, `onevisor.readEvents`. All
 * views of people and of machines take their facts from here.
 */
import type { Dependency } from '../config/model.ts';
import { messageOf } from '../core/error-text.ts';
import { RpcFault } from '../core/faults.ts';
import { formatNamespec } from '../core/namespec.ts';
import { findProblem } from '../core/process-problem.ts';
import type { ProcessStateName } from '../core/states.ts';
import type { ProcessView } from '../engine/process-table.ts';
import { configuredMembers } from './configured-members.ts';
import { causeStruct, endStruct, eventStruct, runStruct } from './history-structs.ts';
import { chosenProcesses, findOneProcess } from './lookup.ts';
import { type CallContext, type Method, readInteger, readNames, readText, readTruth } from './method.ts';
import { factsOf } from './process-facts.ts';
import { processInfo } from './process-info.ts';
import type { ProgramUsage, SupervisorApi } from './supervisor-api.ts';
import type { XmlRpcStruct, XmlRpcValue } from './xmlrpc.ts';

/** Largest number of events in one answer. */
const MAX_EVENTS = 1000;

/** Longest wait for events. A client repeats its call, so that a lost connection is not kept for long. */
const MAX_WAIT_MS = 30_000;

/** Maximum number of characters of the last line of a run. */
const LAST_LINE_LENGTH = 300;

/** States in which the last line of the latest run may show what is wrong. */
const ENDED_STATES: ReadonlySet<ProcessStateName> = new Set(['FATAL', 'EXITED', 'BACKOFF']);

/** True if a process had `flapping_restarts` unexpected restarts within `flapping_window`. */
export function isFlapping(api: SupervisorApi, id: string): boolean {
  const { restarts, windowMs } = api.flappingRule();
  return api.history.restartsWithin(id, windowMs) >= restarts;
}

/**
 * Makes the struct of `getStatus`: that of `getProcessInfo`, and the facts that show what is wrong. `usage`: null if it
 * was not asked for, or for a process that is not up.
 */
export function processStatus(
  context: Pick<CallContext, 'api' | 'times'>,
  proc: ProcessView,
  usage: ProgramUsage | null,
): XmlRpcStruct {
  const { api, times } = context;
  const { id, record } = proc;
  const latestEnd = api.history.runsOf(id).findLast(({ ended }) => ended !== null)?.ended ?? null;
  const flapping = isFlapping(api, id);
  const facts = factsOf(proc, api, times);
  const problem = findProblem(facts, 'ready');
  const notAlive = findProblem(facts, 'alive');
  return {
    ...processInfo(context, proc, true),
    ...(facts.isStartDue ? { restarting: true } : {}),
    restarts: record.restarts,
    failed_starts: record.failedStarts,
    unexpected_restarts: api.history.restartsWithin(id, api.flappingRule().windowMs),
    flapping,
    autostart: proc.config.options.autostart,
    ...(proc.config.options.healthcheck === null ? {} : { has_healthcheck: true }),
    ...(record.startCause === null ? {} : { start_cause: causeStruct(record.startCause) }),
    ...(record.stopCause === null ? {} : { stop_cause: causeStruct(record.stopCause) }),
    ...(latestEnd === null
      ? {}
      : {
          last_end: {
            at: Math.round(latestEnd.atMs),
            lasted_ms: Math.round(latestEnd.lastedMs),
            ...endStruct(latestEnd.end),
          },
        }),
    ...(flapping || ENDED_STATES.has(record.state) ? lastLineMembers(api, id) : {}),
    ...(problem === null ? {} : { problem }),
    ...(notAlive === null ? {} : { not_alive: notAlive }),
    ...(proc.config.dependsOn.length === 0 ? {} : { depends_on: proc.config.dependsOn.map(dependencyStruct) }),
    ...(proc.config.scaledFrom === null ? {} : { scaled_from: proc.config.scaledFrom }),
    ...(usage === null ? {} : { usage: usageStruct(usage) }),
  };
}

/** Finds the last line of the latest run that has ended: it often says why. Null for none. */
export function lastLineOfRuns(api: SupervisorApi, id: string): ReturnType<SupervisorApi['lastLine']> {
  const runs = api.history.runsOf(id);
  const index = runs.findLastIndex(({ ended }) => ended !== null);
  const pid = runs[index]?.pid ?? null;
  const line = pid === null ? null : api.lastLine(id, { pid, before: runs[index + 1]?.startSeq ?? null });
  return line === null ? null : { ...line, text: line.text.slice(0, LAST_LINE_LENGTH) };
}

function lastLineMembers(api: SupervisorApi, id: string): XmlRpcStruct {
  const line = lastLineOfRuns(api, id);
  return line === null ? {} : { last_line: line.text, last_line_stream: line.stream };
}

function usageStruct({ residentBytes, cpuMs, cpuPercent, processes }: ProgramUsage): XmlRpcStruct {
  return {
    memory: residentBytes,
    cpu_ms: cpuMs,
    ...(cpuPercent === null ? {} : { cpu_percent: Math.round(cpuPercent * 10) / 10 }),
    processes: processes.length,
  };
}

/** Makes the struct of `describeProcess`. */
async function description(context: CallContext, proc: ProcessView): Promise<XmlRpcStruct> {
  const { api } = context;
  const { id, config } = proc;
  const usage = (await measure(api, () => api.usageOf([id])))?.get(id) ?? null;
  return {
    ...processStatus(context, proc, usage),
    ...configuredMembers(api, config),
    process_tree: (usage?.processes ?? []).map(({ pid, parent, name, residentBytes, cpuMs }) => ({
      pid,
      parent,
      name,
      memory: residentBytes,
      cpu_ms: cpuMs,
    })),
    listens: [...(await api.listeningSockets((usage?.processes ?? []).map(({ pid }) => pid)))],
    depends_on: config.dependsOn.map((needed) => ({
      ...dependencyStruct(needed),
      ...dependencyState(api.process(`${needed.group}:${needed.process}`)),
    })),
    ...lastCheckMember(api, id),
    flapping_window: api.flappingRule().windowMs / 1000,
    dependents: api.dependentsOf(id).map(({ config: { group, name } }) => formatNamespec(group, name)),
    notifications: api.notifications.namesFor(config),
    runs: api.history.runsOf(id).map(runStruct),
  };
}

/** Makes the member `last_check`, with the time in milliseconds since 1970. */
function lastCheckMember(api: SupervisorApi, id: string): XmlRpcStruct {
  const check = api.lastCheck(id);
  if (check === null) return {};
  const { atMs, failure, output } = check;
  const at = Math.round(api.wallMs() - api.nowMs() + atMs);
  return { last_check: { at, passed: failure === null, ...(failure === null ? {} : { failure }), output } };
}

function dependencyStruct({ group, process: name, conditions, isFollowed }: Dependency): XmlRpcStruct {
  return { name: formatNamespec(group, name), conditions, ...(isFollowed ? { restart: true } : {}) };
}

function dependencyState(proc: ProcessView | null): XmlRpcStruct {
  if (proc === null) return {};
  const { state, health } = proc.record;
  return { state, ...(health === null ? {} : { health }) };
}

/** Measures programs; null if /proc cannot be read. */
async function measure<T>(api: SupervisorApi, read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    api.report('warn', `cannot measure the programs: ${messageOf(error)}`);
    return null;
  }
}

async function readEvents(
  { api, signal }: CallContext,
  [givenAfter, givenLimit, givenWait]: readonly XmlRpcValue[],
): Promise<XmlRpcStruct> {
  const after = givenAfter === undefined ? 0 : readInteger(givenAfter);
  const limit = givenLimit === undefined ? MAX_EVENTS : readInteger(givenLimit);
  const waitMs = givenWait === undefined ? 0 : Math.min(readInteger(givenWait), MAX_WAIT_MS);
  if (waitMs > 0) {
    const hasWaited = await api.waitForEvents({ after, waitMs, signal });
    if (!hasWaited) throw RpcFault.of('FAILED', 'too many clients wait for events; repeat the call later');
    signal.throwIfAborted();
  }
  const { events, isComplete } = api.history.eventsAfter(after, Math.min(Math.max(limit, 1), MAX_EVENTS));
  const next = events.at(-1)?.seq ?? Math.min(after, api.history.latestSeq);
  return { events: events.map(eventStruct), complete: isComplete, next };
}

/** The methods about the condition of the processes. */
export const statusMethods: readonly Method[] = [
  {
    name: 'onevisor.getStatus',
    help: 'Status of processes with causes, restarts and problems, in their order',
    parameters: [
      {
        type: 'array',
        name: 'names',
        help: 'Names of processes, group:name, or group:*; all processes without names',
        isOptional: true,
      },
      {
        type: 'boolean',
        name: 'usage',
        help: 'With the processor time and the memory of each process tree; default false',
        isOptional: true,
      },
    ],
    returns: {
      type: 'array',
      name: 'result',
      help: 'For each process a struct as in getProcessInfo, with more members',
    },
    call: async (context, [names, usage]) => {
      const { api } = context;
      const isAll = readNames(names).length === 0;
      const processes = isAll ? api.processes() : chosenProcesses(api, names);
      const isAsked = readTruth(usage, false);
      const read = (): Promise<ReadonlyMap<string, ProgramUsage>> =>
        isAll ? api.usage() : api.usageOf(processes.map(({ id }) => id));
      const measured = isAsked ? await measure(api, read) : null;
      return processes.map((proc) => processStatus(context, proc, measured?.get(proc.id) ?? null));
    },
  },
  {
    name: 'onevisor.describeProcess',
    help: 'Everything about a process: status, usage, configuration, process tree, dependencies, latest runs',
    parameters: [{ type: 'string', name: 'name', help: 'Process name, or group:name' }],
    returns: { type: 'struct', name: 'result', help: 'The struct of getStatus, with more members' },
    call: (context, [name]) => description(context, findOneProcess(context.api, readText(name))),
  },
  {
    name: 'onevisor.getRuns',
    help: 'Latest runs of a process with their causes and ends',
    parameters: [{ type: 'string', name: 'name', help: 'Process name, or group:name' }],
    returns: { type: 'array', name: 'result', help: 'A struct for each run, the latest last' },
    call: ({ api }, [name]) => api.history.runsOf(findOneProcess(api, readText(name)).id).map(runStruct),
  },
  {
    name: 'onevisor.readEvents',
    help: 'Changes of states, health and groups, and requests, in the order of their numbers; can wait for new ones',
    parameters: [
      { type: 'int', name: 'after', help: 'Only events with a larger number; default 0', isOptional: true },
      { type: 'int', name: 'limit', help: `Largest number of events; at most ${MAX_EVENTS}`, isOptional: true },
      {
        type: 'int',
        name: 'wait',
        help: `Milliseconds to wait for an event after that number; at most ${MAX_WAIT_MS}`,
        isOptional: true,
      },
    ],
    returns: {
      type: 'struct',
      name: 'result',
      help: 'events (array), complete (false if older events are no longer kept), next (the next value of after)',
    },
    call: readEvents,
  },
];
