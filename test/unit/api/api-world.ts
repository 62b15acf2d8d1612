/** The JSON API over a real server with programs in memory, and its answers held against the OpenAPI document. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { peerRows } from '../../../src/api/peer-rows.ts';
import { openApiDocument } from '../../../src/api/openapi.ts';
import { type MoreRows, ApiState, createApiRoutes } from '../../../src/api/routes.ts';
import type { ApiRow } from '../../../src/api/row.ts';
import { createTable } from '../../../src/api/table.ts';
import type { ChangeAnswer } from '../../../src/api/types.ts';
import type { Role } from '../../../src/core/role.ts';
import type { Route } from '../../../src/http/route.ts';
import { LiveViews } from '../../../src/live/routes.ts';
import { createMethodTable } from '../../../src/rpc/method-table.ts';
import { ownMethods } from '../../../src/rpc/own-methods.ts';
import { ProcessTimes } from '../../../src/rpc/process-times.ts';
import { makeHub } from '../peers/fake-peers.ts';
import { ServerWorld, type WorldOptions } from '../http/server-world.ts';

/** Headers of a request that changes something. */
export const CHANGE = { 'Content-Type': 'application/json', 'X-Onevisor': '1' } as const;

/** An answer. `json` is undefined for a body that is not JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: unknown;
}

/** Options of a request. */
export interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** A body as it is, in place of `body`. */
  readonly raw?: string;
  readonly role?: Role;
  readonly signal?: AbortSignal;
}

/** Options of a world of the API. */
export interface ApiWorldOptions extends Omit<WorldOptions, 'more'> {
  readonly moreRows?: readonly MoreRows[];
}

/** The header in which the tests name the role of the client. */
const ROLE_HEADER = 'x-test-role';

/** Gives a route the role that the test names. */
function withRole(route: Route): Route {
  return {
    ...route,
    answer: (exchange) => {
      const role = exchange.request.headers[ROLE_HEADER];
      return route.answer(typeof role === 'string' ? { ...exchange, role: role as Role } : exchange);
    },
  };
}

/** The rows about peers, for a supervisor without peers. A hub without peers opens nothing that must be closed. */
const { hub } = makeHub({ after: () => undefined }, []);
const PEER_ROWS = peerRows(() => hub, Date.now);

/** The table of a supervisor. */
export const TABLE = createTable(PEER_ROWS);

/** A server with the API. */
export class ApiWorld {
  readonly world: ServerWorld;
  readonly rows: readonly ApiRow[] = TABLE;

  constructor({ moreRows = [], ...options }: ApiWorldOptions) {
    this.world = new ServerWorld({
      ...options,
      more: (api) => {
        const times = new ProcessTimes(api);
        const methods = createMethodTable(ownMethods);
        const version = '1.2.3';
        const live = new LiveViews({ api, times, version });
        const sources = { api, methods, times, version, hostname: () => 'box', live };
        return createApiRoutes(sources, new ApiState(), [async () => PEER_ROWS, ...moreRows]).map(withRole);
      },
    });
  }

  get api(): ServerWorld['api'] {
    return this.world.api;
  }

  /** Sends a request to a path below the API. */
  send(method: string, path: string, { headers = {}, body, raw, role, signal }: Ask = {}): Promise<Answer> {
    const text = raw ?? (body === undefined ? '' : JSON.stringify(body));
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          socketPath: this.world.socketPath,
          method,
          path: `/api/v1${path}`,
          headers: {
            ...(text === '' ? {} : { 'Content-Length': Buffer.byteLength(text) }),
            ...(role === undefined ? {} : { [ROLE_HEADER]: role }),
            ...headers,
          },
          agent: false,
          ...(signal === undefined ? {} : { signal }),
        },
        (response) => {
          let received = '';
          response
            .setEncoding('utf8')
            .on('data', (part: string) => (received += part))
            .on('end', () =>
              resolve({
                status: response.statusCode ?? 0,
                headers: response.headers,
                text: received,
                json: parse(received),
              }),
            )
            .on('error', reject);
        },
      );
      sent.on('error', reject).end(text);
    });
  }

  get(path: string, ask: Ask = {}): Promise<Answer> {
    return this.send('GET', path, ask);
  }

  /** Sends a POST with the headers that it needs. */
  post(path: string, body?: unknown, ask: Ask = {}): Promise<Answer> {
    return this.send('POST', path, { ...ask, body, headers: { ...CHANGE, ...ask.headers } });
  }

  /** Sends a POST and returns the change when it has ended. */
  async change(path: string, body?: unknown): Promise<ChangeAnswer> {
    const begun = await this.post(path, body);
    assert.equal(begun.status, 202, begun.text);
    check('Change', begun.json);
    const ended = await this.get(`/changes/${(begun.json as ChangeAnswer).id}/wait?timeout=60`);
    assert.equal(ended.status, 200, ended.text);
    check('Change', ended.json);
    return ended.json as ChangeAnswer;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema({ $id: 'api', ...openApiDocument(TABLE, '1.2.3') });
const validators = new Map<string, ValidateFunction>();

/** Asserts that an answer fits a schema of the document. */
export function check(name: string, answer: unknown): void {
  const validate = validators.get(name) ?? ajv.compile({ $ref: `api#/components/schemas/${name}` });
  validators.set(name, validate);
  assert.ok(validate(answer), `${name}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(answer, null, 1)}`);
}

/** Runs a test in a world of its own, with an open server. */
export async function inApi(options: ApiWorldOptions, run: (world: ApiWorld) => Promise<void>): Promise<void> {
  const api = new ApiWorld(options);
  try {
    await api.world.open();
    await run(api);
  } finally {
    await api.world.end();
  }
}
