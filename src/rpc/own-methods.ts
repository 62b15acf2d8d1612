/** Methods that Supervisor does not have. They have their own namespace, `onevisor.*`. */
import { RpcFault } from '../core/faults.ts';
import { type Method, readText } from './method.ts';

/** The methods of `onevisor.*`. */
export const ownMethods: readonly Method[] = [
  {
    name: 'onevisor.planUpdate',
    help: 'Tell what updateGroup would do; a fault if the group can be replaced as a whole only',
    parameters: [{ type: 'string', name: 'name', help: 'Name of the group' }],
    returns: {
      type: 'struct',
      name: 'result',
      help: 'Lists of names: stopped, restarted, started, and changed without a restart',
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
      'Apply the configuration that was read last to a group, with as few restarts as possible; ' +
      'a fault if the group can be replaced as a whole only',
    parameters: [{ type: 'string', name: 'name', help: 'Name of the group' }],
    returns: { type: 'array', name: 'result', help: 'Names of the processes that were stopped' },
    call: async ({ api }, [name]) => {
      const group = readText(name);
      const stopped = await api.updateGroup(group);
      if (stopped === null) throw RpcFault.of('BAD_NAME', group);
      return [...stopped];
    },
  },
  {
    name: 'onevisor.shutdownAgain',
    help: 'Ask a supervisor that is shutting down to kill the processes that are left',
    parameters: [],
    returns: { type: 'boolean', name: 'result', help: 'True if they are killed' },
    call: ({ api }) => api.shutdownAgain(),
  },
];
