/**
 * `POST /RPC2`: a call in XML. The answer is in XML, or in JSON for a client that accepts JSON. A fault is an answer,
 * too; only a body that is no call is refused with 400, and a client whose role is not enough with 403: Supervisor's
 * client shows the text of such a status for every command, but the text of a fault only for some.
 */
import { describeMistake } from '../core/error-text.ts';
import { RpcFault } from '../core/faults.ts';
import { showText } from '../core/shown-text.ts';
import { AnswerBudgetError } from '../rpc/answer-budget.ts';
import { callMethod, RoleFault } from '../rpc/call.ts';
import { encodeJsonFault, encodeJsonSlices, JSON_TYPE } from '../rpc/json-answer.ts';
import type { MethodTable } from '../rpc/method.ts';
import type { ProcessTimes } from '../rpc/process-times.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';
import {
  decodeCall,
  encodeFault,
  encodeResponseSlices,
  type ResponsePart,
  type XmlRpcCall,
  type XmlRpcValue,
  XmlRpcSyntaxError,
} from '../rpc/xmlrpc.ts';
import { nextTurn, sendError, sendParts } from './answers.ts';
import { roleRefusal, sendRefusal } from './refusal.ts';
import type { Exchange, Route } from './route.ts';

/** The API and the methods for calls. */
export interface RpcService {
  readonly api: SupervisorApi;
  readonly methods: MethodTable;
  readonly times: ProcessTimes;
}

/** Reads the call in a body. If the body has no call, logs the error without the body and returns null. */
function readCall({ api }: RpcService, body: string): XmlRpcCall | null {
  try {
    return decodeCall(body);
  } catch (error) {
    if (!(error instanceof XmlRpcSyntaxError)) throw error;
    api.report('error', `cannot read an XML-RPC request: ${error.message}`);
    return null;
  }
}

/** The body of an answer and its media type. */
interface RpcAnswer {
  readonly type: string;
  readonly parts: readonly ResponsePart[];
}

/**
 * Answers a call. Returns the fault of a client whose role is not enough. Returns null, after a line in the log, if the
 * call failed because of a bug of ours. Rejects with
 * AnswerBudgetError if there is no memory for the answer now.
 */
async function answerCall(
  { api, methods, times }: RpcService,
  { method, params }: XmlRpcCall,
  { request, client, role, signal, reserve }: Exchange,
): Promise<RpcAnswer | RoleFault | null> {
  const isJsonAsked = request.headers.accept?.includes(JSON_TYPE) === true;
  try {
    const value = await callMethod(methods, { api, times, client: client(), role, signal, reserve }, method, params);
    return (isJsonAsked ? await encodeJson(value) : null) ?? xml((await collect(encodeResponseSlices(value))).flat());
  } catch (error) {
    if (error instanceof RoleFault) return error;
    if (error instanceof RpcFault) {
      const json = isJsonAsked ? encodeJsonFault(error) : null;
      return json === null ? xml([encodeFault(error.code, error.faultString)]) : { type: JSON_TYPE, parts: [json] };
    }
    if (error instanceof AnswerBudgetError) throw error;
    // After an abort no client waits for the answer, and the error is not reported.
    if (!signal.aborted) api.report('critical', `cannot answer "${showText(method, 100)}": ${describeMistake(error)}`);
    return null;
  }
}

/** Encodes a value as JSON. Null if the answer must be XML. */
async function encodeJson(value: XmlRpcValue): Promise<RpcAnswer | null> {
  const parts = await collect(encodeJsonSlices(value));
  return parts.includes(null) ? null : { type: JSON_TYPE, parts: parts.filter((part) => part !== null) };
}

/** Collects what a generator makes, one piece in a turn of the loop. Ends at the first null. */
async function collect<Piece>(pieces: Iterable<Piece>): Promise<Piece[]> {
  const made: Piece[] = [];
  for (const piece of pieces) {
    if (made.length > 0) await nextTurn();
    made.push(piece);
    if (piece === null) break;
  }
  return made;
}

function xml(parts: readonly ResponsePart[]): RpcAnswer {
  return { type: 'text/xml', parts };
}

/** Makes the route of XML-RPC. */
export function rpcRoute(service: RpcService): Route {
  const answer = async (exchange: Exchange): Promise<void> => {
    const call = readCall(service, await exchange.readBody());
    if (call === null) {
      sendError(exchange.response, 400);
      return;
    }
    const answered = await answerCall(service, call, exchange);
    if (answered === null) sendError(exchange.response, 500);
    else if (answered instanceof RoleFault) sendRefusal(exchange, roleRefusal(answered.needed, answered.role));
    else await sendParts(exchange, answered.type, answered.parts);
  };
  return { method: 'POST', path: '/RPC2', access: 'read', answer };
}
