/**
 * Methods that Supervisor does not have, in a namespace of our own, so that the table of its methods stays what it is.
 */
import { RpcFault } from '../core/faults.ts';
import { type Method, readText } from './method.ts';

/** `onevisor.*` */
export const ownMethods: readonly Method[] = [
  {
    name: 'onevisor.updateGroup',
    help: 'Makes a group as it was read last, restarting only what must be; a fault where only the whole can be exchanged',
    parameters: [{ type: 'string', name: 'name', help: 'Name of the group' }],
    returns: { type: 'array', name: 'result', help: 'Names of the processes that had to be stopped' },
    call: async ({ supervisor }, [name]) => {
      const group = readText(name);
      const stopped = await supervisor.updateGroup(group);
      if (stopped === null) throw RpcFault.of('BAD_NAME', group);
      return [...stopped];
    },
  },
];
