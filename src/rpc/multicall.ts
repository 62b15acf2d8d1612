/**
 * `system.multicall`: several calls one after the other, each with its own value or fault. The answers have a common
 * size limit, and the event loop runs between the calls.
 */
import { describeMistake } from '../core/error-text.ts';
import { faults, RpcFault } from '../core/faults.ts';
import { AnswerBudgetError } from './answer-budget.ts';
import { callMethod } from './call.ts';
import type { CallContext, MethodTable } from './method.ts';
import { MAX_READ_BYTES } from './log-api.ts';
import { isStruct, Utf8Text, type XmlRpcStruct, type XmlRpcValue } from './xmlrpc.ts';

/** Maximum number of calls in one request. */
const MAX_CALLS = 10_000;

/** Size that a value counts in an answer besides its text: about the size of its XML. */
const VALUE_SIZE = 50;

function sizeOf(value: XmlRpcValue): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return VALUE_SIZE + value.length;
  if (value instanceof Utf8Text) return VALUE_SIZE + value.bytes.length;
  if (value === null || typeof value !== 'object' || value instanceof Date) return VALUE_SIZE;
  return Object.values(value).reduce<number>((sum, member: XmlRpcValue) => sum + sizeOf(member), VALUE_SIZE);
}

function formatFault(fault: RpcFault): XmlRpcStruct {
  return { faultCode: fault.code, faultString: fault.faultString };
}

function readParams(value: XmlRpcValue | undefined): readonly XmlRpcValue[] {
  if (value === undefined || (isStruct(value) && Object.keys(value).length === 0)) return [];
  if (!Array.isArray(value)) throw RpcFault.of('INCORRECT_PARAMETERS');
  return value;
}

async function callOne(table: MethodTable, context: CallContext, call: XmlRpcValue): Promise<XmlRpcValue> {
  const name = isStruct(call) && Object.hasOwn(call, 'methodName') ? call['methodName'] : undefined;
  if (!isStruct(call) || name === undefined) throw RpcFault.of('INCORRECT_PARAMETERS', 'No methodName');
  if (name === 'system.multicall') throw RpcFault.of('INCORRECT_PARAMETERS', 'Recursive system.multicall forbidden');
  if (typeof name !== 'string') throw RpcFault.of('UNKNOWN_METHOD');
  return callMethod(table, context, name, readParams(Object.hasOwn(call, 'params') ? call['params'] : undefined));
}

/**
 * Runs the calls. compat: the answer contains each value directly, not in an array as the specification of multicall
 * says.
 */
export async function runMulticall(
  table: MethodTable,
  context: CallContext,
  calls: XmlRpcValue | undefined,
): Promise<XmlRpcValue[]> {
  if (!Array.isArray(calls) || calls.length > MAX_CALLS) throw RpcFault.of('INCORRECT_PARAMETERS');
  const results: XmlRpcValue[] = [];
  let size = 0;
  for (const call of calls as readonly XmlRpcValue[]) {
    context.signal.throwIfAborted();
    try {
      if (size > MAX_READ_BYTES)
        throw RpcFault.of('FAILED', 'the answers of this multicall are too large; ask for less at a time');
      const value = await callOne(table, context, call);
      size += sizeOf(value);
      results.push(value);
    } catch (error) {
      context.signal.throwIfAborted();
      if (error instanceof AnswerBudgetError) throw error;
      if (!(error instanceof RpcFault))
        context.api.report('critical', `cannot answer a call of a multicall: ${describeMistake(error)}`);
      results.push(
        error instanceof RpcFault
          ? formatFault(error)
          : { faultCode: faults.FAILED, faultString: 'FAILED: internal error' },
      );
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return results;
}
