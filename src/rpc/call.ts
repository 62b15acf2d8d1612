/**
 * One call: finds the method, checks the number of its parameters and the state of the supervisor, and calls it.
 */
import type { ClientRequest } from '../core/cause.ts';
import { RpcFault } from '../core/faults.ts';
import type { CallContext, MethodTable } from './method.ts';
import type { XmlRpcValue } from './xmlrpc.ts';

/** compat: methods of this namespace are refused during a shutdown or restart; `system.*` still works. */
const OWN_NAMESPACE = 'supervisor.';

/** The context of a call before its method is known. */
export type ClientContext = Omit<CallContext, 'request'>;

/** Calls a method. Rejects with an RpcFault, or with another error for a mistake of ours. */
export async function callMethod(
  table: MethodTable,
  context: ClientContext,
  name: string,
  args: readonly XmlRpcValue[],
): Promise<XmlRpcValue> {
  const method = table.get(name);
  if (method === undefined) throw RpcFault.of('UNKNOWN_METHOD');
  const required = method.parameters.filter(({ isOptional }) => isOptional !== true).length;
  if (args.length < required || args.length > method.parameters.length) throw RpcFault.of('INCORRECT_PARAMETERS');
  const state = context.api.state();
  if (name.startsWith(OWN_NAMESPACE) && (state === 'SHUTDOWN' || state === 'RESTARTING'))
    throw RpcFault.of('SHUTDOWN_STATE');
  const request: ClientRequest = { kind: 'request', method: name, client: context.client };
  if (method.isChange === true) context.api.noteRequest(request, typeof args[0] === 'string' ? args[0] : null);
  return method.call({ ...context, request }, args);
}
