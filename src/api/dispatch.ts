/**
 * Answers the requests of the API: finds the row, checks the role, the headers, the parameters and the body by the
 * table, and sends what the row answers. Every error is JSON.
 */
import { RpcFault } from '../core/faults.ts';
import { hasRole } from '../core/role.ts';
import { showText } from '../core/shown-text.ts';
import { refuseAs, sendText } from '../http/answers.ts';
import { BodyError } from '../http/body.ts';
import type { Exchange } from '../http/route.ts';
import { callMethod, RoleFault } from '../rpc/call.ts';
import { ApiError, errorOfFault, type ErrorStatus } from './api-error.ts';
import { locateJsonError } from './json-error.ts';
import { readQuery } from './query.ts';
import { type ApiCall, type ApiContext, type ApiRow, JSON_TYPE } from './row.ts';
import { SchemaError, suggest } from './schema.ts';
import type { ApiErrorBody } from './types.ts';

/** Path of the API. */
export const API_PATH = '/api/v1';

/** Header of requests that change something. A browser does not send it for a form or a link of another site. */
export const CHANGE_HEADER = 'x-onevisor';

const HEADERS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' } as const;

/** Longest part of a path that an error repeats. */
const SHOWN = 100;

/** The error for a client that waits while the server closes. */
const CLOSING = new ApiError(503, 'closing', 'the server closes');

/** A row with the parts of its path. */
interface SplitRow {
  readonly row: ApiRow;
  readonly parts: readonly string[];
}

/** Answers all requests below the path of the API. */
export class ApiDispatcher {
  readonly #context: ApiContext;
  readonly #rows: readonly SplitRow[];

  constructor(rows: readonly ApiRow[], context: ApiContext) {
    this.#context = context;
    this.#rows = rows.map((row) => ({ row, parts: row.path.slice(1).split('/') }));
  }

  /** Answers a request. Rejects with AnswerBudgetError, and with other errors for mistakes of ours. */
  async answer(exchange: Exchange): Promise<void> {
    try {
      const { row, path } = this.#find(exchange);
      if (!hasRole(exchange.role, row.role))
        throw new ApiError(403, 'forbidden', `this needs the role ${row.role}; yours is ${exchange.role}`);
      await this.#run(exchange, row, path);
    } catch (error) {
      const known = toApiError(error) ?? (exchange.signal.aborted ? CLOSING : null);
      if (known === null) throw error;
      // A client that has left gets no answer.
      if (!exchange.response.destroyed) sendApiError(exchange, known);
    }
  }

  #find({ request }: Exchange): { readonly row: ApiRow; readonly path: Readonly<Record<string, string>> } {
    const parts = splitPath(request.url ?? '');
    const found = this.#rows.filter((candidate) => fits(candidate, parts));
    // Of `/changes/{id}` and a fixed path, the fixed path is meant.
    const most = Math.min(...found.map(({ row }) => row.path.split('{').length));
    const here = found.filter(({ row }) => row.path.split('{').length === most);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const match = here.find(({ row }) => row.method === method);
    if (match !== undefined) return { row: match.row, path: parametersOf(match, parts) };
    if (here.length > 0) {
      const allow = here.map(({ row }) => (row.method === 'GET' ? 'GET, HEAD' : row.method)).join(', ');
      throw new ApiError(405, 'method_not_allowed', `this path takes ${allow}`, { Allow: allow });
    }
    const wanted = `/${parts.join('/')}`;
    const near = suggest(
      wanted,
      this.#rows.map(({ row }) => row.path),
    );
    throw new ApiError(404, 'not_found', `there is no ${API_PATH}${showText(wanted, SHOWN)}${near}`);
  }

  async #run(exchange: Exchange, row: ApiRow, path: Readonly<Record<string, string>>): Promise<void> {
    const { request } = exchange;
    if (row.method === 'POST') checkHeaders(exchange);
    const query = readQuery(request.url ?? '', row.query);
    const body = row.method === 'POST' ? await readBody(exchange, row) : null;
    const call: ApiCall<Record<string, unknown>, unknown> = {
      exchange,
      context: this.#context,
      path,
      query,
      body,
      ask: (method, ...args) => {
        const { api, methods, times } = this.#context;
        const { signal, reserve, role } = exchange;
        return callMethod(methods, { api, times, client: exchange.client(), role, signal, reserve }, method, args);
      },
    };
    const answer = await row.run(call);
    const { response } = exchange;
    if (row.answer === null || response.headersSent || response.destroyed) return;
    sendText(exchange, row.statusOf(body), { type: JSON_TYPE, text: `${JSON.stringify(answer)}\n` }, HEADERS);
  }
}

/** Returns the decoded parts of a path below the API. Throws a 400 for a wrong percent-encoding. */
function splitPath(target: string): string[] {
  const path = target.replace(/^https?:\/\/[^/]*/i, '').replace(/[?#].*$/s, '');
  const below = path.slice(path.toLowerCase().startsWith(API_PATH) ? API_PATH.length : 0);
  try {
    return below
      .split('/')
      .filter((part) => part !== '')
      .map((part) => decodeURIComponent(part));
  } catch {
    throw new ApiError(400, 'bad_path', 'the path has a wrong percent-encoding');
  }
}

function isParameter(part: string): boolean {
  return part.startsWith('{');
}

function fits({ parts }: SplitRow, given: readonly string[]): boolean {
  return parts.length === given.length && parts.every((part, index) => isParameter(part) || part === given[index]);
}

function parametersOf({ parts }: SplitRow, given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    parts.flatMap((part, index) => (isParameter(part) ? [[part.slice(1, -1), given[index] ?? '']] : [])),
  );
}

/** Checks the headers that keep forms and links of other sites out. */
function checkHeaders({ request: { headers } }: Exchange): void {
  if (!/^application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? ''))
    throw new ApiError(415, 'unsupported_media_type', 'the header Content-Type must be application/json');
  if ((headers[CHANGE_HEADER] ?? '') === '')
    throw new ApiError(403, 'missing_header', 'a POST needs the header X-Onevisor: 1');
}

async function readBody({ request, readBody: read }: Exchange, row: ApiRow): Promise<unknown> {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  const isEmpty = length === undefined && encoding === undefined;
  const text = isEmpty ? '' : await read(row.maxBodyBytes);
  const value = text.trim() === '' ? {} : parseJson(text);
  if (row.body !== null) return row.body.check(value, '');
  const members = typeof value === 'object' && value !== null ? Object.keys(value) : ['a value'];
  if (members.length > 0)
    throw new SchemaError(`this request has no body, not ${showText(members.join(', '), SHOWN)}`, 'unknown_member');
  return null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const { line, column } = locateJsonError(text);
    throw new ApiError(400, 'bad_json', `the body is not JSON: error at line ${line}, column ${column}`);
  }
}

const BODY_ERRORS: Readonly<Record<number, readonly [ErrorStatus, string, string]>> = {
  413: [413, 'too_large', 'the body is too large'],
  415: [415, 'unsupported_media_type', 'a compressed body is not accepted'],
  503: [503, 'too_many_bodies', 'too many bodies are being read; repeat the request later'],
};

/** Converts an error of a request; null for an error that is not the client's. */
function toApiError(error: unknown): ApiError | null {
  if (error instanceof ApiError) return error;
  if (error instanceof SchemaError) return new ApiError(400, error.code, error.message);
  if (error instanceof RoleFault) return new ApiError(403, 'forbidden', error.reason ?? error.message);
  if (error instanceof RpcFault) return errorOfFault(error);
  if (!(error instanceof BodyError)) return null;
  const [status, code, message] = BODY_ERRORS[error.status] ?? [400, 'bad_body', 'the body cannot be read'];
  return new ApiError(status, code, message);
}

function sendApiError(exchange: Exchange, { status, code, message, headers }: ApiError): void {
  const body: ApiErrorBody = { error: { code, message: message.toWellFormed() } };
  refuseAs(exchange, status, { type: JSON_TYPE, text: `${JSON.stringify(body)}\n` }, { ...HEADERS, ...headers });
}
