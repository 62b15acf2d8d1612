/** Methods that Supervisor does not have. They have their own namespace, `onevisor.*`. */
import { RpcFault } from '../core/faults.ts';
import { formatReloadWay } from '../core/program-reload.ts';
import { dependencyMethods } from './dependency-methods.ts';
import { launchMethod } from './launch-method.ts';
import { lineMethods } from './line-methods.ts';
import { findOneProcess } from './lookup.ts';
import { logFileMethods } from './log-methods.ts';
import { type Method, readInteger, readText, readTruth } from './method.ts';
import { notificationMethods } from './notification-methods.ts';
import { statusMethods } from './status-methods.ts';

/** The methods of `onevisor.*`. */
export const ownMethods: readonly Method[] = [
  {
    name: 'onevisor.planUpdate',
    help: 'Plan of updateGroup; a fault if only the whole group can be replaced',
    parameters: [{ type: 'string', name: 'name', help: 'Name of the group' }],
    returns: {
      type: 'struct',
      name: 'result',
      help: 'Lists of process names: stopped, restarted, started, and changed without a restart',
    },
    call: ({ api }, [name]) => {
      const group = readText(name);
      const plan = api.planUpdate(group);
      if (plan === null) throw RpcFault.of('BAD_NAME', group);
      return {
        stopped: [...plan.stopped],
        restarted: [...plan.restarted],
        started: [...plan.started],
        changed: [...plan.changed],
      };
    },
  },
  {
    name: 'onevisor.updateGroup',
    help:
      'Apply the latest configuration to a group, with as few restarts as possible; ' +
      'a fault if only the whole group can be replaced',
    parameters: [{ type: 'string', name: 'name', help: 'Name of the group' }],
    returns: { type: 'array', name: 'result', help: 'Names of the processes that were stopped' },
    isChange: true,
    call: async ({ api, request }, [name]) => {
      const group = readText(name);
      const stopped = await api.updateGroup(group, request);
      if (stopped === null) throw RpcFault.of('BAD_NAME', group);
      if ('refused' in stopped) throw RpcFault.ofRefusedGroup(group, stopped.refused);
      return [...stopped];
    },
  },
  {
    name: 'onevisor.updateSettings',
    help: 'Apply the options of [supervisord] in the latest configuration that can change while programs run',
    parameters: [{ type: 'boolean', name: 'apply', help: 'False to change nothing; default true', isOptional: true }],
    returns: {
      type: 'struct',
      name: 'result',
      help: 'live: the changed options of [supervisord]; pending: those, and sections, that only a reload applies',
    },
    isChange: true,
    call: ({ api }, [apply]) => {
      const { live, pending } = api.updateSettings(readTruth(apply, true));
      return { live: [...live], pending: [...pending] };
    },
  },
  {
    name: 'onevisor.scaleProgram',
    help: 'Give a program another number of processes, until its numprocs changes in the configuration',
    parameters: [
      { type: 'string', name: 'program', help: 'Name of the program, the x of [program:x]' },
      { type: 'int', name: 'count', help: 'Number of processes, at least 1' },
    ],
    returns: { type: 'struct', name: 'result', help: 'from (int), and the names of started and stopped processes' },
    isChange: true,
    call: async ({ api, request }, [name, value]) => {
      const program = readText(name);
      const count = readInteger(value);
      if (count < 1) throw RpcFault.of('INCORRECT_PARAMETERS', 'the number of processes must be 1 or more');
      const outcome = await api.scale(program, count, request);
      if (outcome.kind === 'unknown') throw RpcFault.of('BAD_NAME', program);
      if (outcome.kind === 'refused') throw RpcFault.of('FAILED', `cannot scale ${program}: ${outcome.reason}`);
      const { from, started, stopped } = outcome;
      return { from, started: [...started], stopped: [...stopped] };
    },
  },
  {
    name: 'onevisor.shutdownAgain',
    help: 'During a shutdown, kill the remaining processes',
    parameters: [],
    returns: { type: 'boolean', name: 'result', help: 'False if nothing is killed' },
    isChange: true,
    call: ({ api }) => api.shutdownAgain(),
  },
  {
    name: 'onevisor.endShutdownDelay',
    help: 'During shutdown_delay, stop the processes now',
    parameters: [],
    returns: { type: 'boolean', name: 'result', help: 'False if there is no delay' },
    isChange: true,
    call: ({ api, request }) => api.endDelay(request),
  },
  {
    name: 'onevisor.reloadProcess',
    help: 'Ask a program to read its own configuration again, by its reload_signal or reload_command',
    parameters: [{ type: 'string', name: 'name', help: 'Process name, or group:name' }],
    returns: { type: 'string', name: 'result', help: 'The signal that was sent, or reload_command' },
    isChange: true,
    call: async ({ api, request }, [value]) => {
      const name = readText(value);
      const answer = await api.reloadProcess(findOneProcess(api, name).id, request);
      if (answer.kind === 'refused') throw RpcFault.of('FAILED', `cannot reload ${name}: ${answer.reason}`);
      const { way, failure } = answer.result;
      if (failure !== null) throw RpcFault.of('FAILED', `cannot reload ${name}: ${failure}`);
      return formatReloadWay(way);
    },
  },
  launchMethod,
  ...dependencyMethods,
  ...statusMethods,
  ...lineMethods,
  ...logFileMethods,
  ...notificationMethods,
];
