/** Methods that Supervisor does not have. They have their own namespace, `onevisor.*`. */
import { RpcFault } from '../core/faults.ts';
import { launchMethod } from './launch-method.ts';
import { lineMethods } from './line-methods.ts';
import { logFileMethods } from './log-methods.ts';
import { type Method, readInteger, readText } from './method.ts';
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
      return [...stopped];
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
  launchMethod,
  ...statusMethods,
  ...lineMethods,
  ...logFileMethods,
];
