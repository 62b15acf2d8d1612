/**
 * The form of a row of the table of the JSON API. A row is found by its method and its path template. Its role, its
 * parameters, its body and its answer are data: the dispatcher, the OpenAPI document and the manual read them.
 */
import type { Role } from '../core/role.ts';
import type { Exchange } from '../http/route.ts';
import type { MethodTable } from '../rpc/method.ts';
import type { ProcessTimes } from '../rpc/process-times.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';
import type { XmlRpcValue } from '../rpc/xmlrpc.ts';
import type { Changes } from './changes.ts';
import type { Member, MembersOf, Schema } from './schema.ts';
import type { SharedAnswer } from '../http/shared-answer.ts';
import type { PendingAnswer, UsageHistoryAnswer } from './types.ts';

/** The answers that go on while something happens (live/). Each writes its answer itself. */
export interface LiveAnswers {
  readonly stream: (exchange: Exchange) => Promise<void>;
  readonly follow: (exchange: Exchange) => Promise<void>;
  readonly files: (exchange: Exchange) => Promise<void>;
  readonly download: (exchange: Exchange) => Promise<void>;
  /** Not sent here. Rejects with an RpcFault for an unknown name. */
  readonly usageHistory: (names: readonly string[]) => Promise<UsageHistoryAnswer>;
}

/** Sources of the answers. */
export interface ApiSources {
  readonly api: SupervisorApi;
  readonly methods: MethodTable;
  readonly times: ProcessTimes;
  /** Our own version. */
  readonly version: string;
  readonly hostname: () => string;
  readonly live: LiveAnswers;
}

/** Sources with the state of the API itself. */
export interface ApiContext extends ApiSources {
  readonly changes: Changes;
  /** The answers of `GET /config/pending`: each reads the whole configuration. */
  readonly pending: SharedAnswer<PendingAnswer>;
}

/** One request, checked. */
export interface ApiCall<Query, Body> {
  readonly exchange: Exchange;
  readonly context: ApiContext;
  /** The decoded parameters of the path, by name. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  /**
   * Calls a method of the XML-RPC table for the client. Rejects with an RpcFault, which becomes the error of the
   * answer.
   */
  readonly ask: (method: string, ...args: readonly XmlRpcValue[]) => Promise<XmlRpcValue>;
}

/** Facts about a row, without the types of its values. */
interface RowFacts {
  readonly method: 'GET' | 'POST';
  /** Path below `/api/v1`: `/processes/{name}/start`. */
  readonly path: string;
  readonly role: Role;
  /** One sentence without its full stop. */
  readonly summary: string;
}

/** A row with an answer in JSON. */
interface AnswerRow<Query extends object, Body, Answer> extends RowFacts {
  /** Parameters of the query, by name. Missing: none. */
  readonly query?: MembersOf<Query>;
  /** Schema of the body. Missing: the body is empty or `{}`. */
  readonly body?: Schema<Body>;
  /** Maximum size of the body in bytes. */
  readonly maxBodyBytes?: number;
  /** Schema of the answer. With `otherAnswer`, of the answer with status 202. */
  readonly answer: Schema<Answer> | Schema<never>;
  /** Schema of the answer with status 200, for a row with two kinds of answers. */
  readonly otherAnswer?: Schema<Answer> | Schema<never>;
  /** Status of the answer, or the status by the body; 200 if it is missing. */
  readonly status?: 200 | 202 | ((body: Body) => 200 | 202);
  /** Returns the answer. Throws ApiError, SchemaError or RpcFault. */
  readonly run: (call: ApiCall<Query, Body>) => Answer | Promise<Answer>;
}

/** A row that writes its answer itself: a stream or a file. */
interface StreamRow<Query extends object> extends RowFacts {
  readonly query?: ApiRow['query'];
  /** Media type of the answer. */
  readonly type: string;
  /** Answers as a route does (http/route.ts). Throws ApiError, SchemaError or RpcFault before it has begun. */
  readonly send: (call: ApiCall<Query, null>) => void | Promise<void>;
}

/** A row of the table. */
export interface ApiRow extends RowFacts {
  readonly query: Readonly<Record<string, Schema<unknown> | Member<unknown, true>>>;
  readonly body: Schema<unknown> | null;
  readonly maxBodyBytes: number;
  /** Schema of the answer in JSON; null for another media type. */
  readonly answer: Schema<unknown> | null;
  readonly otherAnswer: Schema<unknown> | null;
  readonly type: string;
  readonly statusOf: (body: unknown) => 200 | 202;
  /** Resolves with the answer; for a row without a schema after it was sent. */
  readonly run: (call: ApiCall<Record<string, unknown>, unknown>) => unknown;
}

/** Maximum size of a body without a limit of its own. */
const BODY_BYTES = 64 * 1024;

/** Media type of JSON. */
export const JSON_TYPE = 'application/json';

/** Makes a row. The compiler holds its function to its schemas. */
export function defineRow<Query extends object = object, Body = null, Answer = unknown>(
  row: AnswerRow<Query, Body, Answer>,
): ApiRow {
  const { method, path, role, summary, query, body, maxBodyBytes = BODY_BYTES, run } = row;
  const { answer, otherAnswer, status = 200 } = row;
  return {
    method,
    path,
    role,
    summary,
    query: query ?? {},
    body: body ?? null,
    maxBodyBytes,
    answer,
    otherAnswer: otherAnswer ?? null,
    type: JSON_TYPE,
    statusOf: typeof status === 'function' ? (status as ApiRow['statusOf']) : () => status,
    run: run as unknown as ApiRow['run'],
  };
}

/** Makes a row that writes its answer itself. */
export function defineStream<Query extends object = object>(row: StreamRow<Query>): ApiRow {
  const { method, path, role, summary, query, type, send } = row;
  return {
    method,
    path,
    role,
    summary,
    query: query ?? {},
    body: null,
    maxBodyBytes: 0,
    answer: null,
    otherAnswer: null,
    type,
    statusOf: () => 200,
    run: send as unknown as ApiRow['run'],
  };
}
