/**
 * Answers to XML-RPC calls as JSON, for a client that says it reads them (`Accept: application/json`), as ours does.
 * The table of a thousand processes is 1.2 MB of XML, and reading that takes longer than to start the client.
 * JSON is used only for values that it carries exactly as XML would; all others, and faults, are sent as XML.
 */
import { isStruct, type XmlRpcValue, XmlRpcSyntaxError } from './xmlrpc.ts';

/** Media type of such an answer. */
export const JSON_TYPE = 'application/json';

/** Characters that XML replaces by U+FFFD, and all pairs of surrogates, since halves are replaced. */
const NOT_IN_XML = /[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]/;

/** The answer `value` as JSON; null if XML has to carry it. */
export function encodeJsonAnswer(value: XmlRpcValue): string | null {
  return isExact(value) ? JSON.stringify({ value }) : null;
}

/** The value of an answer in JSON. Throws {@link XmlRpcSyntaxError}. */
export function decodeJsonAnswer(text: string): XmlRpcValue {
  try {
    const answer = JSON.parse(text) as XmlRpcValue;
    if (isStruct(answer) && Object.hasOwn(answer, 'value')) return answer['value'] ?? null;
  } catch (error) {
    throw new XmlRpcSyntaxError('not JSON', { cause: error });
  }
  throw new XmlRpcSyntaxError('the JSON has no value');
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
