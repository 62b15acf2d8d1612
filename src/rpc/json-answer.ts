/**
 * Encodes answers to XML-RPC calls as JSON, for clients that accept it (`Accept: application/json`), as ours does. The
 * table of a thousand processes is 1.2 MB of XML, and parsing that takes longer than starting the client. JSON is used
 * only for answers that it carries exactly as XML would. All others are sent as XML.
 */
import type { RpcFault } from '../core/faults.ts';
import { isStruct, type XmlRpcResponse, type XmlRpcValue, XmlRpcSyntaxError } from './xmlrpc.ts';

/** Media type of such an answer. */
export const JSON_TYPE = 'application/json';

/** Characters that XML replaces by U+FFFD, and all surrogates, since lone ones are replaced. */
const NOT_IN_XML = /[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]/;

/** Characters that JSON.stringify leaves as they are, although XML or an exact answer in JSON cannot have them. */
const TO_ESCAPE = /[\ud800-\udfff\ufffe\uffff]/g;

/** Formats a value as JSON text that an answer can carry as a string, without characters that it would replace. */
export function stringifyExactly(value: unknown): string {
  return JSON.stringify(value).replace(TO_ESCAPE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Encodes a value as JSON. Returns null if the answer must be XML. */
export function encodeJsonAnswer(value: XmlRpcValue): string | null {
  return isExact(value) ? JSON.stringify({ value }) : null;
}

/**
 * Encodes a fault as JSON, with its reason, for which XML-RPC has no member. Returns null if the answer must be XML.
 */
export function encodeJsonFault({ code, faultString, reason }: RpcFault): string | null {
  const fault = { code, text: faultString, reason };
  return isExact(fault) ? JSON.stringify({ fault }) : null;
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

/** True if a client reads the same value from JSON as from XML. */
function isExact(value: XmlRpcValue): boolean {
  switch (typeof value) {
    case 'string':
      return !NOT_IN_XML.test(value);
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0);
    case 'object':
      if (Array.isArray(value)) return value.every(isExact);
      if (!isStruct(value)) return value === null;
      for (const name of Object.keys(value)) if (!isExact(name) || !isExact(value[name] ?? null)) return false;
      return true;
    default:
      return true;
  }
}
