/**
 * `POST /RPC2`: a call in XML. The answer is in XML, or in JSON for a client that accepts JSON. A fault is an answer,
 * too; only a body that is no call is refused with 400.
 */
import { describeMistake } from '../core/error-text.ts';
import { RpcFault } from '../core/faults.ts';
import { showText } from '../core/shown-text.ts';
import { AnswerBudgetError } from '../rpc/answer-budget.ts';
import { callMethod } from '../rpc/call.ts';
import { encodeJsonAnswer, encodeJsonFault, JSON_TYPE } from '../rpc/json-answer.ts';
import type { MethodTable } from '../rpc/method.ts';
import type { ProcessTimes } from '../rpc/process-times.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';
import {
  decodeCall,
  encodeFault,
  encodeResponseParts,
  type XmlPart,
  type XmlRpcCall,
  XmlRpcSyntaxError,
} from '../rpc/xmlrpc.ts';
import { sendError, sendParts } from './answers.ts';
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
  readonly parts: readonly XmlPart[];
}

/**
 * Answers a call. Returns null, after a line in the log, if the call failed because of a bug of ours. Rejects with
 * AnswerBudgetError if there is no memory for the answer now.
 */
async function answerCall(
  { api, methods, times }: RpcService,
  { method, params }: XmlRpcCall,
  { request, client, signal, reserve }: Exchange,
): Promise<RpcAnswer | null> {
  const isJsonAsked = request.headers.accept?.includes(JSON_TYPE) === true;
  try {
    const value = await callMethod(methods, { api, times, client: client(), signal, reserve }, method, params);
    const json = isJsonAsked ? encodeJsonAnswer(value) : null;
    return json === null ? xml(encodeResponseParts(value)) : { type: JSON_TYPE, parts: [json] };
  } catch (error) {
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

function xml(parts: readonly XmlPart[]): RpcAnswer {
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
    else await sendParts(exchange, answered.type, answered.parts);
  };
  return { method: 'POST', path: '/RPC2', access: 'password', answer };
}
