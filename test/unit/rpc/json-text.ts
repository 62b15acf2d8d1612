/** The whole text of an answer in JSON, for tests. */
import { encodeJsonSlices } from '../../../src/rpc/json-answer.ts';
import type { XmlRpcValue } from '../../../src/rpc/xmlrpc.ts';

/** Encodes a value. Null if the answer must be XML. */
export function encodeJsonAnswer(value: XmlRpcValue): string | null {
  const parts = [...encodeJsonSlices(value)];
  return parts.includes(null) ? null : parts.join('');
}
