/**
 * The actions of the buttons: calls of the methods that supervisorctl uses, and a sentence about the result.
 * An action continues to its end, even if the browser has closed the page.
 */
import { faultName, RpcFault } from '../core/faults.ts';
import { callMethod, type ClientContext } from '../rpc/call.ts';
import type { MethodTable } from '../rpc/method.ts';
import type { ProcessTimes } from '../rpc/process-times.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';
import type { XmlRpcValue } from '../rpc/xmlrpc.ts';
import type { ActionResult, ActionRequest } from './page.ts';

/** Sources of the pages. */
export interface WebSources {
  readonly api: SupervisorApi;
  readonly methods: MethodTable;
  readonly times: ProcessTimes;
}

type Call = (method: string, ...args: readonly XmlRpcValue[]) => Promise<XmlRpcValue>;

/** compat: the words of Supervisor's page for a failed start. */
const START_FAULTS: Readonly<Record<string, string>> = {
  NO_FILE: 'no such file',
  NOT_EXECUTABLE: 'file not executable',
  ALREADY_STARTED: 'already started',
  SPAWN_ERROR: 'spawn error',
  ABNORMAL_TERMINATION: 'abnormal termination',
};

/** An action of the page. */
interface Action {
  readonly hasName: boolean;
  readonly run: (call: Call, name: string) => Promise<string>;
}

const ACTIONS: ReadonlyMap<string, Action> = new Map<string, Action>([
  [
    'start',
    {
      hasName: true,
      run: async (call, name) => {
        await call('supervisor.startProcess', name);
        return `Process ${name} started`;
      },
    },
  ],
  [
    'stop',
    {
      hasName: true,
      run: async (call, name) => {
        await call('supervisor.stopProcess', name);
        return `Process ${name} stopped`;
      },
    },
  ],
  [
    'restart',
    {
      hasName: true,
      run: async (call, name) => {
        await unless('NOT_RUNNING', call('supervisor.stopProcess', name));
        await call('supervisor.startProcess', name);
        return `Process ${name} restarted`;
      },
    },
  ],
  [
    'clearlog',
    {
      hasName: true,
      run: async (call, name) => {
        await call('supervisor.clearProcessLogs', name);
        return `Log for ${name} cleared`;
      },
    },
  ],
  [
    'stopall',
    {
      hasName: false,
      run: async (call) => {
        await call('supervisor.stopAllProcesses');
        return 'All stopped';
      },
    },
  ],
  [
    'restartall',
    {
      hasName: false,
      run: async (call) => {
        await call('supervisor.stopAllProcesses');
        await call('supervisor.startAllProcesses');
        return 'All restarted';
      },
    },
  ],
]);

/** Makes a request from its two parts, for example `stop` and `web`; null for an unknown action. */
export function parseRequest(action: string, name: string): ActionRequest | null {
  const known = ACTIONS.get(action);
  if (known === undefined || known.hasName !== (name !== '')) return null;
  return { action, name: known.hasName ? name : null };
}

/** Performs an action for a client and describes the result. compat: the sentences are those of Supervisor's page. */
export async function perform(
  { api, methods, times }: WebSources,
  { action, name }: ActionRequest,
  { client, role }: Pick<ClientContext, 'client' | 'role'>,
): Promise<ActionResult> {
  const call: Call = (method, ...args) =>
    callMethod(
      methods,
      { api, times, client, role, signal: new AbortController().signal, reserve: () => undefined },
      method,
      args,
    );
  try {
    const text = await ACTIONS.get(action)?.run(call, name ?? '');
    return { text: text ?? '', isError: false };
  } catch (error) {
    if (!(error instanceof RpcFault)) throw error;
    return { text: describeFault(error, name), isError: true };
  }
}

function describeFault({ code, faultString }: RpcFault, name: string | null): string {
  const fault = faultName(code);
  if (fault === 'BAD_NAME') return `No such process named ${name ?? ''}`;
  const words = START_FAULTS[fault ?? ''];
  return words === undefined
    ? `unexpected rpc fault [${code}] ${faultString}`
    : `ERROR: Process ${name ?? ''}: ${words}`;
}

async function unless(fault: string, done: Promise<unknown>): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (!(error instanceof RpcFault) || faultName(error.code) !== fault) throw error;
  }
}
