/**
 * One call: finds the method, checks the number of its parameters and the state of the supervisor, and calls it.
 */
import type { ClientRequest } from '../core/cause.ts';
import { faults, RpcFault } from '../core/faults.ts';
import { formatMissingRole, hasRole, type Role } from '../core/role.ts';
import { type CallContext, type MethodTable, roleOf } from './method.ts';
import type { XmlRpcValue } from './xmlrpc.ts';

/**
 * compat: methods of this namespace are refused during a shutdown or restart; `system.*` still works. During
 * `shutdown_delay`, methods that change nothing work too.
 */
const OWN_NAMESPACE = 'supervisor.';

/** The context of a call before its method is known. */
export type ClientContext = Omit<CallContext, 'request'>;

/** The fault of a client whose role is not enough. Over HTTP, a single call is refused with 403 in place of a fault. */
export class RoleFault extends RpcFault {
  readonly needed: Role;
  readonly role: Role;

  constructor(needed: Role, role: Role) {
    const reason = formatMissingRole(needed, role);
    super(faults.FAILED, `FAILED: ${reason}`, reason);
    this.needed = needed;
    this.role = role;
  }
}

/**
 * Calls a method. Rejects with an RpcFault, of which RoleFault is one, or with another error for a mistake of ours. A
 * client without the role learns nothing about parameters and state.
 */
export async function callMethod(
  table: MethodTable,
  context: ClientContext,
  name: string,
  args: readonly XmlRpcValue[],
): Promise<XmlRpcValue> {
  const method = table.get(name);
  if (method === undefined) throw RpcFault.of('UNKNOWN_METHOD');
  const needed = roleOf(method);
  if (!hasRole(context.role, needed)) throw new RoleFault(needed, context.role);
  const required = method.parameters.filter(({ isOptional }) => isOptional !== true).length;
  if (args.length < required || args.length > method.parameters.length) throw RpcFault.of('INCORRECT_PARAMETERS');
  const state = context.api.state();
  const isEnding = state === 'SHUTDOWN' || state === 'RESTARTING';
  const isRefused = method.isChange === true || !context.api.isDelayed();
  if (name.startsWith(OWN_NAMESPACE) && isEnding && isRefused) throw RpcFault.of('SHUTDOWN_STATE');
  const request: ClientRequest = { kind: 'request', method: name, client: context.client };
  if (method.isChange === true) context.api.noteRequest(request, typeof args[0] === 'string' ? args[0] : null);
  return method.call({ ...context, request }, args);
}
