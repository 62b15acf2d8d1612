/**
 * The form of a method of the XML-RPC interface, and the parsers for its parameters. A method is a row of a fixed
 * table, found by its name in a Map and never by reflection (CVE-2017-11610).
 */
import type { Client, ClientRequest } from '../core/cause.ts';
import { RpcFault } from '../core/faults.ts';
import type { Role } from '../core/role.ts';
import type { Reserve } from './answer-budget.ts';
import type { ProcessTimes } from './process-times.ts';
import type { SupervisorApi } from './supervisor-api.ts';
import type { XmlRpcValue } from './xmlrpc.ts';

/** Types as `system.methodSignature` names them. */
export type TypeName = 'string' | 'int' | 'boolean' | 'array' | 'struct';

/** Description of a parameter or of the returned value. */
export interface ValueDescription {
  readonly type: TypeName;
  readonly name: string;
  readonly help: string;
}

/** A parameter. Optional parameters come last. */
export interface Parameter extends ValueDescription {
  readonly isOptional?: boolean;
}

/** The context of a call. */
export interface CallContext {
  readonly api: SupervisorApi;
  readonly times: ProcessTimes;
  /** The client that calls. */
  readonly client: Client;
  /** The role of the client. rpc/call.ts has compared it with that of the method. */
  readonly role: Role;
  /** The call as the cause of its actions. */
  readonly request: ClientRequest;
  /** Aborted when the client has disconnected. A method that waits must end then. */
  readonly signal: AbortSignal;
  /**
   * Reserves memory for the data that a method reads for its answer, before it reads them. Throws AnswerBudgetError,
   * which is no fault: the request is refused.
   */
  readonly reserve: Reserve;
}

/** One method. rpc/call.ts checks the number of parameters, and `call` checks their types. */
export interface Method {
  readonly name: string;
  readonly help: string;
  readonly parameters: readonly Parameter[];
  readonly returns: ValueDescription;
  /** True if the method changes a process, a log or the supervisor. Such calls are logged and kept in the history. */
  readonly isChange?: boolean;
  /** The role that a client needs. Without it, a change needs `admin`, and any other method `read`. */
  readonly role?: Role;
  /** Returns or resolves with the answer. Throws or rejects with an {@link RpcFault}. */
  readonly call: (context: CallContext, args: readonly XmlRpcValue[]) => XmlRpcValue | Promise<XmlRpcValue>;
}

/** Returns the role that a method needs. */
export function roleOf({ role, isChange }: Pick<Method, 'role' | 'isChange'>): Role {
  return role ?? (isChange === true ? 'admin' : 'read');
}

/** All methods by name. */
export type MethodTable = ReadonlyMap<string, Method>;

const incorrect = (): RpcFault => RpcFault.of('INCORRECT_PARAMETERS');

/** Reads a string. Throws INCORRECT_PARAMETERS for any other value; Supervisor answers 500 to some of them. */
export function readText(value: XmlRpcValue | undefined): string {
  if (typeof value !== 'string') throw incorrect();
  return value;
}

/** Maximum number of names in one call. Each is looked up among all processes. */
const MAX_NAMES = 200;

/** Reads an array of different names; empty if it is omitted. Throws INCORRECT_PARAMETERS for any other value. */
export function readNames(value: XmlRpcValue | undefined): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw incorrect();
  const names = [...new Set((value as readonly XmlRpcValue[]).map(readText))];
  if (names.length > MAX_NAMES)
    throw RpcFault.of('INCORRECT_PARAMETERS', `at most ${MAX_NAMES} names; without names: all processes`);
  return names;
}

/** Reads an integer. compat: accepts a string, a double or a boolean, as Python's `int()` does. */
export function readInteger(value: XmlRpcValue | undefined): number {
  const number = typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : value;
  const integer = typeof number === 'number' || typeof number === 'boolean' ? Math.trunc(Number(number)) : Number.NaN;
  if (!Number.isSafeInteger(integer)) throw incorrect();
  return integer;
}

/**
 * Reads a boolean. `otherwise` is the value of an omitted parameter. compat: any value is true or false, as in Python.
 */
export function readTruth(value: XmlRpcValue | undefined, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  if (value === null || typeof value !== 'object') return Boolean(value);
  if (value instanceof Date) return true;
  return (Array.isArray(value) || value instanceof Uint8Array ? value.length : Object.keys(value).length) > 0;
}

/** Reads a string. compat: accepts numbers and booleans, formatted as Python prints them. */
export function readPrinted(value: XmlRpcValue | undefined): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  throw incorrect();
}
