/**
 * Methods that Supervisor does not have, in a namespace of our own, so that the table of its methods stays what it is.
 */
import { RpcFault } from '../core/faults.ts';
import { type Method, readText } from './method.ts';

/** `onevisor.*` */
export const ownMethods: readonly Method[] = [
  {
    name: 'onevisor.planUpdate',
    help: 'What updateGroup would do with the processes of a group, which it leaves as it is; a fault where only the whole can be exchanged',
    parameters: [{ type: 'string', name: 'name', help: 'Name of the group' }],
    returns: {
      type: 'struct',
      name: 'result',
      help: 'Names of the processes that would be stopped, restarted and started, and of those changed without it, a list each',
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
    help: 'Makes a group as it was read last, restarting only what must be; a fault where only the whole can be exchanged',
    parameters: [{ type: 'string', name: 'name', help: 'Name of the group' }],
    returns: { type: 'array', name: 'result', help: 'Names of the processes that had to be stopped' },
    call: async ({ api }, [name]) => {
      const group = readText(name);
      const stopped = await api.updateGroup(group);
      if (stopped === null) throw RpcFault.of('BAD_NAME', group);
      return [...stopped];
    },
  },
  {
    name: 'onevisor.shutdownAgain',
    help: 'Asks a supervisor that is shutting down to kill what is left; the first request to shut down never kills',
    parameters: [],
    returns: { type: 'boolean', name: 'result', help: 'True when what is left is killed' },
    call: ({ api }) => api.shutdownAgain(),
  },
];
