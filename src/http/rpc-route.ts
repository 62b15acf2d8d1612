/**
 * `POST /RPC2`: a call in XML, its answer in XML, or in JSON for a client that asks for it. A fault is an answer too;
 * only what is no call at all is refused with 400.
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

/** What calls are answered from. */
export interface RpcService {
  readonly api: SupervisorApi;
  readonly methods: MethodTable;
  readonly times: ProcessTimes;
}

/** The call in a body; null where it is none, which is said in the log without the body. */
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
interface Answer {
  readonly type: string;
  readonly parts: readonly XmlPart[];
}

/**
 * The answer to a call; null where it failed in us, which is said in the log. Rejects with AnswerBudgetError where it would
 * be too large for now.
 */
async function answerCall(
  { api, methods, times }: RpcService,
  { method, params }: XmlRpcCall,
  { request, signal, reserve }: Exchange,
): Promise<Answer | null> {
  const isJsonAsked = request.headers.accept?.includes(JSON_TYPE) === true;
  try {
    const value = await callMethod(methods, { api, times, signal, reserve }, method, params);
    const json = isJsonAsked ? encodeJsonAnswer(value) : null;
    return json === null ? xml(encodeResponseParts(value)) : { type: JSON_TYPE, parts: [json] };
  } catch (error) {
    if (error instanceof RpcFault) {
      const json = isJsonAsked ? encodeJsonFault(error) : null;
      return json === null ? xml([encodeFault(error.code, error.faultString)]) : { type: JSON_TYPE, parts: [json] };
    }
    if (error instanceof AnswerBudgetError) throw error;
    // Nobody waits for the answer any more, so it does not matter what it would have been.
    if (!signal.aborted) api.report('critical', `cannot answer "${showText(method, 100)}": ${describeMistake(error)}`);
    return null;
  }
}

function xml(parts: readonly XmlPart[]): Answer {
  return { type: 'text/xml', parts };
}

/** The route of XML-RPC. */
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
