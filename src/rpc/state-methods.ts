/**
 * The methods about the supervisor itself, its processes and its configuration, and about groups, reload, shutdown,
 * standard input and events.
 */
import { RpcFault } from '../core/faults.ts';
import { SupervisorState } from '../core/states.ts';
import { SUPERVISOR_VERSION } from '../core/supervisor-version.ts';
import { formatConfigInfo } from './config-info.ts';
import { findOneProcess } from './lookup.ts';
import {
  type CallContext,
  type ValueDescription,
  type Method,
  type Parameter,
  readPrinted,
  readText,
} from './method.ts';
import { processInfo } from './process-info.ts';
import type { XmlRpcStruct, XmlRpcValue } from './xmlrpc.ts';

/** Result of `getAPIVersion`. */
export const API_VERSION = '3.0';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Compares texts by code units. Python compares code points, which differs only for characters above U+FFFF. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function allConfigInfo({ api }: CallContext): XmlRpcStruct[] {
  const rows = api.configuredGroups().flatMap((group) => group.processes.map((config) => ({ group, config })));
  return rows
    .toSorted((a, b) => compareText(a.config.name, b.config.name))
    .map(({ group, config }) =>
      formatConfigInfo(group, config, {
        isActive: api.hasGroup(group.name),
        uid: api.uid(config),
        stdoutPath: api.logPath(config, 'stdout'),
        stderrPath: api.logPath(config, 'stderr'),
      }),
    );
}

function sendStdin({ api }: CallContext, nameValue: XmlRpcValue | undefined, chars: XmlRpcValue | undefined): true {
  if (typeof chars !== 'string' && !(chars instanceof Uint8Array))
    throw RpcFault.of('INCORRECT_PARAMETERS', typeof chars === 'object' ? '' : readPrinted(chars));
  const name = readText(nameValue);
  const { id, record } = findOneProcess(api, name);
  if (record.pid === null || record.state === 'STOPPING') throw RpcFault.of('NOT_RUNNING', name);
  switch (api.writeStdin(id, typeof chars === 'string' ? encoder.encode(chars) : chars)) {
    case 'written':
      return true;
    case 'closed':
      throw RpcFault.of('NO_FILE', name);
    case 'full':
      throw RpcFault.of('FAILED', `cannot write to the standard input of ${name}: it does not read`);
  }
}

function removeGroup({ api }: CallContext, name: string): true {
  const outcome = api.removeGroup(name);
  if (outcome === 'unknown') throw RpcFault.of('BAD_NAME', name);
  if (outcome === 'running') throw RpcFault.of('STILL_RUNNING', name);
  return true;
}

function addGroup({ api, request }: CallContext, name: string): true {
  const outcome = api.addGroup(name, request);
  if (outcome === 'unknown') throw RpcFault.of('BAD_NAME', name);
  if (outcome === 'active') throw RpcFault.of('ALREADY_ADDED', name);
  if (outcome !== 'added') throw RpcFault.ofRefusedGroup(name, outcome.refused);
  return true;
}

const processName: Parameter = { type: 'string', name: 'name', help: 'Process name, or group:name' };
const groupName: Parameter = { type: 'string', name: 'name', help: 'Group name' };
const done: ValueDescription = { type: 'boolean', name: 'result', help: 'Always true; a failure is a fault' };
const apiVersion: ValueDescription = { type: 'string', name: 'version', help: 'Version of this interface' };

/** The methods about the supervisor, its processes, its configuration and its groups. */
export const stateMethods: readonly Method[] = [
  {
    name: 'supervisor.getAPIVersion',
    help: 'Version of the XML-RPC interface',
    parameters: [],
    returns: apiVersion,
    call: () => API_VERSION,
  },
  // compat: the name of getAPIVersion before Supervisor 3.0.
  {
    name: 'supervisor.getVersion',
    help: 'Version of the XML-RPC interface; old name of getAPIVersion',
    parameters: [],
    returns: apiVersion,
    call: () => API_VERSION,
  },
  {
    name: 'supervisor.getSupervisorVersion',
    help: 'Version of Supervisor that this is compatible with',
    parameters: [],
    returns: { type: 'string', name: 'version', help: 'Version' },
    call: () => SUPERVISOR_VERSION,
  },
  {
    name: 'supervisor.getIdentification',
    help: 'Name of this supervisor (identifier)',
    parameters: [],
    returns: { type: 'string', name: 'identifier', help: 'Name' },
    call: ({ api }) => api.identification,
  },
  {
    name: 'supervisor.getState',
    help: 'State of the supervisor',
    parameters: [],
    returns: { type: 'struct', name: 'result', help: 'statecode (int) and statename (string)' },
    call: ({ api }) => ({ statecode: SupervisorState[api.state()], statename: api.state() }),
  },
  {
    name: 'supervisor.getPID',
    help: 'Process id of the supervisor',
    parameters: [],
    returns: { type: 'int', name: 'pid', help: 'Process id' },
    call: ({ api }) => api.pid,
  },
  {
    name: 'supervisor.getProcessInfo',
    help: 'Status of a process',
    parameters: [processName],
    returns: {
      type: 'struct',
      name: 'result',
      help: 'Name, group, state, times, exit status, logs, pid and description',
    },
    call: (context, [name]) => processInfo(context, findOneProcess(context.api, readText(name))),
  },
  {
    name: 'supervisor.getAllProcessInfo',
    help: 'Status of all processes',
    parameters: [],
    returns: { type: 'array', name: 'result', help: 'For each process a struct as in getProcessInfo' },
    // compat: sorted by the names of group and process, not by priority.
    call: (context) =>
      context.api
        .processes()
        .toSorted((a, b) => compareText(a.config.group, b.config.group) || compareText(a.config.name, b.config.name))
        .map((proc) => processInfo(context, proc)),
  },
  {
    name: 'supervisor.getAllConfigInfo',
    help: 'Configuration of all processes, active or not',
    parameters: [],
    returns: { type: 'array', name: 'result', help: 'A struct of options for each process' },
    call: allConfigInfo,
  },
  {
    name: 'supervisor.sendProcessStdin',
    help: 'Write to the standard input of a process',
    parameters: [processName, { type: 'string', name: 'chars', help: 'Text to write, in UTF-8' }],
    returns: done,
    isChange: true,
    call: (context, [name, chars]) => sendStdin(context, name, chars),
  },
  {
    name: 'supervisor.sendRemoteCommEvent',
    help: 'Emit a REMOTE_COMMUNICATION event for event listeners',
    parameters: [
      { type: 'string', name: 'type', help: 'Type of the event, for its header' },
      { type: 'string', name: 'data', help: 'Body of the event' },
    ],
    returns: done,
    role: 'admin',
    call: ({ api }, [type, data]) => {
      api.emitRemoteCommunication(readEventText(type), readEventText(data));
      return true;
    },
  },
  {
    name: 'supervisor.reloadConfig',
    help: 'Read the configuration again without activating anything',
    parameters: [],
    returns: { type: 'array', name: 'result', help: 'One array of three: names of groups added, changed, removed' },
    // The groups that the next update takes change.
    role: 'admin',
    call: async ({ api }) => {
      const reread = await api.reread();
      if (reread.kind === 'invalid') throw RpcFault.of('CANT_REREAD', reread.reason);
      return [[reread.added, reread.changed, reread.removed]];
    },
  },
  {
    name: 'supervisor.addProcessGroup',
    help: 'Activate a group of the configuration',
    parameters: [groupName],
    returns: done,
    isChange: true,
    call: (context, [name]) => addGroup(context, readPrinted(name)),
  },
  {
    name: 'supervisor.removeProcessGroup',
    help: 'Remove a group whose processes are all stopped',
    parameters: [groupName],
    returns: done,
    isChange: true,
    call: (context, [name]) => removeGroup(context, readPrinted(name)),
  },
  {
    name: 'supervisor.shutdown',
    help: 'Stop all processes and exit',
    parameters: [],
    returns: done,
    isChange: true,
    call: ({ api, request }) => {
      api.shutdown(request);
      return true;
    },
  },
  {
    name: 'supervisor.restart',
    help: 'Stop all processes, read the configuration again, and start again',
    parameters: [],
    returns: done,
    isChange: true,
    call: async ({ api, request }) => {
      const problem = await api.restartSupervisor(request);
      if (problem !== null) throw RpcFault.of('CANT_REREAD', problem);
      return true;
    },
  },
];

function readEventText(value: XmlRpcValue | undefined): string {
  return value instanceof Uint8Array ? decoder.decode(value) : readPrinted(value);
}
