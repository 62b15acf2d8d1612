/** The methods for the sections `[notify:x]`: their update, and a test. */
import { RpcFault } from '../core/faults.ts';
import { type Method, readText } from './method.ts';
import type { NotificationChanges } from './supervisor-api.ts';
import type { XmlRpcStruct } from './xmlrpc.ts';

const CHANGES = { type: 'struct', name: 'result', help: 'Lists of names: added, removed and changed' } as const;

/** The methods. */
export const notificationMethods: readonly Method[] = [
  {
    name: 'onevisor.planNotifications',
    help: 'The effect of updateNotifications',
    parameters: [],
    returns: CHANGES,
    call: ({ api }) => changesStruct(api.notifications.plan()),
  },
  {
    name: 'onevisor.updateNotifications',
    help: 'Apply the sections [notify:x] of the latest configuration',
    parameters: [],
    returns: CHANGES,
    isChange: true,
    call: ({ api }) => changesStruct(api.notifications.update()),
  },
  {
    name: 'onevisor.testNotification',
    help: 'Send a test message by a section [notify:x], and wait for the outcome',
    parameters: [{ type: 'string', name: 'name', help: 'The x of [notify:x]' }],
    returns: { type: 'string', name: 'result', help: 'Reason of a failure; empty for success' },
    isChange: true,
    call: async ({ api }, [value]) => {
      const name = readText(value);
      const outcome = api.notifications.test(name);
      if (outcome === null) throw RpcFault.of('BAD_NAME', name);
      return (await outcome) ?? '';
    },
  },
];

function changesStruct({ added, removed, changed }: NotificationChanges): XmlRpcStruct {
  return { added: [...added], removed: [...removed], changed: [...changed] };
}
