/**
 * One call: the method by its name, the number of its parameters, the state of the supervisor, then the method itself.
 */
import { RpcFault } from '../core/faults.ts';
import type { CallContext, MethodTable } from './method.ts';
import type { XmlRpcValue } from './xmlrpc.ts';

/** compat: while it ends or restarts, the supervisor answers no method of its own; `system.*` goes on working. */
const OWN_NAMESPACE = 'supervisor.';

/** Calls a method. Rejects with an RpcFault, or with what went wrong in us. */
export async function callMethod(
  table: MethodTable,
  context: CallContext,
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
  return method.call(context, args);
}
