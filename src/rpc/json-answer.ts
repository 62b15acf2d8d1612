/**
 * Encodes answers to XML-RPC calls as JSON, for clients that accept it (`Accept: application/json`), as ours does. The
 * table of a thousand processes is 1.2 MB of XML, and parsing that takes longer than starting the client. JSON is used
 * only for answers that it carries exactly as XML would. All others are sent as XML.
 */
import type { RpcFault } from '../core/faults.ts';
import {
  isStruct,
  slicesOf,
  type XmlRpcResponse,
  type XmlRpcStruct,
  type XmlRpcValue,
  XmlRpcSyntaxError,
} from './xmlrpc.ts';

/** Media type of such an answer. */
export const JSON_TYPE = 'application/json';

/**
 * Finds in JSON the characters that XML replaces by U+FFFD, and all surrogates, since lone ones are replaced.
 * JSON.stringify escapes control characters and lone surrogates. One search is faster than one in each text.
 */
const NOT_IN_XML = /(?:^|[^\\])(?:\\\\)*\\[bfu]|[\ud800-\udfff\ufffe\uffff]/;

/** Characters that JSON.stringify leaves as they are, although XML or an exact answer in JSON cannot have them. */
const TO_ESCAPE = /[\ud800-\udfff\ufffe\uffff]/g;

/** Formats a value as JSON text that an answer can carry as a string, without characters that it would replace. */
export function stringifyExactly(value: unknown): string {
  return JSON.stringify(value).replace(TO_ESCAPE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Encodes a value as JSON, a long array slice by slice. A null means that the answer must be XML. */
export function* encodeJsonSlices(value: XmlRpcValue): Generator<string | null> {
  const slices = slicesOf(value);
  if (slices === null) return yield stringifyIfExact({ value });
  let before = '{"value":[';
  for (const slice of slices) {
    const text = stringifyIfExact(slice);
    yield text === null ? null : `${before}${text.slice(1, -1)}`;
    before = ',';
  }
  yield ']}';
}

/**
 * Encodes a fault as JSON, with its reason, for which XML-RPC has no member. Returns null if the answer must be XML.
 */
export function encodeJsonFault({ code, faultString, reason }: RpcFault): string | null {
  return stringifyIfExact({ fault: { code, text: faultString, reason } });
}

/** Returns JSON, from which a client reads the same value as from XML; null if there is none. */
function stringifyIfExact(answer: XmlRpcStruct | readonly XmlRpcValue[]): string | null {
  const text = hasExactTypes(answer) ? JSON.stringify(answer) : null;
  return text === null || NOT_IN_XML.test(text) ? null : text;
}

/** Decodes an answer in JSON. Throws {@link XmlRpcSyntaxError}. */
export function decodeJsonAnswer(text: string): XmlRpcResponse {
  const answer = parseJson(text);
  if (isStruct(answer) && answer['value'] !== undefined) return { kind: 'value', value: answer['value'] };
  const fault = isStruct(answer) ? (answer['fault'] ?? null) : null;
  if (!isStruct(fault) || typeof fault['code'] !== 'number' || typeof fault['text'] !== 'string')
    throw new XmlRpcSyntaxError('the JSON has neither a value nor a fault');
  const { code, text: faultText, reason } = fault;
  return { kind: 'fault', code, text: faultText, ...(typeof reason === 'string' ? { reason } : {}) };
}

function parseJson(text: string): XmlRpcValue {
  try {
    return JSON.parse(text) as XmlRpcValue;
  } catch (error) {
    throw new XmlRpcSyntaxError('not JSON', { cause: error });
  }
}

/** True if JSON has the types and the numbers of a value. */
function hasExactTypes(value: XmlRpcValue): boolean {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0);
    case 'object':
      if (Array.isArray(value)) return value.every(hasExactTypes);
      if (!isStruct(value)) return value === null;
      for (const name of Object.keys(value)) if (!hasExactTypes(value[name] ?? null)) return false;
      return true;
    default:
      return true;
  }
}
