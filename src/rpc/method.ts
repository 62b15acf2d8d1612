/**
 * What a method of the XML-RPC interface is, and how its parameters are read.
 * A method is data in a fixed table: it is found by its name in a Map, never reflected (CVE-2017-11610).
 */
import { RpcFault } from '../core/faults.ts';
import type { Reserve } from './answer-budget.ts';
import type { ProcessTimes } from './process-times.ts';
import type { SupervisorApi } from './supervisor-api.ts';
import type { XmlRpcValue } from './xmlrpc.ts';

/** Types as `system.methodSignature` names them. */
export type TypeName = 'string' | 'int' | 'boolean' | 'array' | 'struct';

/** One parameter, or what is returned. */
export interface ValueDescription {
  readonly type: TypeName;
  readonly name: string;
  readonly help: string;
}

/** A parameter; those that may be left out stand last. */
export interface Parameter extends ValueDescription {
  readonly isOptional?: boolean;
}

/** What a method works with. */
export interface CallContext {
  readonly api: SupervisorApi;
  readonly times: ProcessTimes;
  /** Aborted when nobody waits for the answer any more: what waits lets go. */
  readonly signal: AbortSignal;
  /**
   * Counts what a method reads into memory for its answer, before it is read. Throws NoRoomError, which is no fault:
   * the request is refused.
   */
  readonly reserve: Reserve;
}

/** One method. Its number of parameters is checked before `call`; what they are is for `call` to read. */
export interface Method {
  readonly name: string;
  readonly help: string;
  readonly parameters: readonly Parameter[];
  readonly returns: ValueDescription;
  /** Answers, at once or later; throws or rejects with an {@link RpcFault}. */
  readonly call: (context: CallContext, args: readonly XmlRpcValue[]) => XmlRpcValue | Promise<XmlRpcValue>;
}

/** All methods by name. */
export type MethodTable = ReadonlyMap<string, Method>;

const incorrect = (): RpcFault => RpcFault.of('INCORRECT_PARAMETERS');

/** A parameter that is a text. Anything else is INCORRECT_PARAMETERS (Supervisor answers 500 to some of that). */
export function readText(value: XmlRpcValue | undefined): string {
  if (typeof value !== 'string') throw incorrect();
  return value;
}

/** compat: a whole number, also as text, double or boolean, as Python's `int()` takes it. */
export function readInteger(value: XmlRpcValue | undefined): number {
  const number = typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : value;
  const integer = typeof number === 'number' || typeof number === 'boolean' ? Math.trunc(Number(number)) : Number.NaN;
  if (!Number.isSafeInteger(integer)) throw incorrect();
  return integer;
}

/** compat: any value is true or false, as in Python. Left out, it is `otherwise`. */
export function readTruth(value: XmlRpcValue | undefined, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  if (value === null || typeof value !== 'object') return Boolean(value);
  if (value instanceof Date) return true;
  return (Array.isArray(value) || value instanceof Uint8Array ? value.length : Object.keys(value).length) > 0;
}

/** compat: what Python prints for a value where a text is meant: numbers and booleans only. */
export function readPrinted(value: XmlRpcValue | undefined): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  throw incorrect();
}
