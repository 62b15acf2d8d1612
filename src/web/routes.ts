/**
 * The routes of the web page. Only our own forms start an action. On Supervisor's page, links start actions; here such
 * a link leads to a question.
 */
import type { IncomingMessage } from 'node:http';
import type { Client, ClientRequest } from '../core/cause.ts';
import { RpcFault } from '../core/faults.ts';
import { formatNamespec } from '../core/namespec.ts';
import { formatMissingRole, hasRole } from '../core/role.ts';
import type { ProcessStateName } from '../core/states.ts';
import { refuse, sendError, sendText } from '../http/answers.ts';
import type { Exchange, Route } from '../http/route.ts';
import { findOneProcess } from '../rpc/lookup.ts';
import { factsOf } from '../rpc/process-facts.ts';
import { isFlapping } from '../rpc/status-methods.ts';
import { parseRequest, perform, type WebSources } from './actions.ts';
import { formatLogText } from './log-text.ts';
import {
  formatConfirmPage,
  formatProblemPage,
  formatStatusPage,
  formatTailPage,
  type PageHeader,
  type ProcessRow,
} from './page.ts';
import type { DashboardPages } from './dashboard-routes.ts';
import type { PageSecret } from './secret.ts';
import { contentPolicy, STYLE } from './style.ts';

const DEFAULT_TAIL_BYTES = 16 * 1024;
/** compat: limits for `limit` (supervisor.web.TailView). */
const SHORTEST_TAIL_BYTES = 1024;
const LONGEST_TAIL_BYTES = 1024 * 1024;
/** Maximum size of a form. Our forms have a token and a name. Parsing a mebibyte of `&=` would take half a second. */
const FORM_BYTES = 64 * 1024;

const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;

/** Headers of every page. */
const headersOf = (): Record<string, string> => ({
  'Content-Security-Policy': contentPolicy(),
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  // With no-referrer, browsers would send no Origin header for our forms.
  'Referrer-Policy': 'same-origin',
  'Cache-Control': 'no-store',
});

/**
 * Makes the routes of the dashboard at `/` and of the page without scripts at `/index.html`. `secret` belongs to this
 * start of the supervisor.
 */
export function webRoutes(sources: WebSources, secret: PageSecret, dashboard: DashboardPages): Route[] {
  const page = new WebPages(sources, secret);
  const get = (exchange: Exchange): void | Promise<void> =>
    isForDashboard(exchange) ? dashboard.sendPage(exchange) : page.get(exchange);
  return [
    { method: 'GET', path: '/', access: 'read', answer: get },
    { method: 'POST', path: '/', access: 'admin', answer: (exchange) => page.post(exchange) },
    // compat: monitoring tools request this file of Supervisor's page.
    { method: 'GET', path: '/stylesheets/supervisor.css', access: 'read', answer: sendStyle },
  ];
}

function sendStyle(exchange: Exchange): void {
  if (exchange.rest === '') sendText(exchange, 200, { type: 'text/css', text: STYLE });
  else sendError(exchange.response, 404);
}

/**
 * True for a browser at `/`. compat: scripts search the page of Supervisor for names, and accept anything. Links of
 * that page have their action in the query.
 */
function isForDashboard({ rest, request: { url = '', headers } }: Exchange): boolean {
  return rest === '' && !url.includes('?') && headers.accept?.includes('text/html') === true;
}

/** Members of `getAllProcessInfo` that the page shows. */
interface ProcessInfo {
  readonly name: string;
  readonly group: string;
  readonly statename: ProcessStateName;
  readonly description: string;
}

/** The page itself, where it reads facts for any of its visitors. */
const PAGE: Client = { door: 'page', user: null, peer: 'reading' };

/** Answers the requests for pages. */
class WebPages {
  readonly #sources: WebSources;
  readonly #secret: PageSecret;

  constructor(sources: WebSources, secret: PageSecret) {
    this.#sources = sources;
    this.#secret = secret;
  }

  async get(exchange: Exchange): Promise<void> {
    const { request, response, rest } = exchange;
    // compat: monitoring tools request this file of Supervisor's page.
    if (rest === 'ok.html') return sendText(exchange, 200, { type: 'text/plain', text: 'OK' });
    if (rest !== '' && rest !== 'index.html' && rest !== 'tail.html') return sendError(response, 404);
    const query = queryOf(request);
    if (rest === 'tail.html') return this.#tail(exchange, query);
    const action = query.get('action');
    if (action === null || action === 'refresh') return send(exchange, 200, this.#status(exchange, query));
    const asked = parseRequest(action, query.get('processname') ?? '');
    if (asked === null) return this.#problem(exchange, 400, 'There is no such action.');
    if (!hasRole(exchange.role, 'admin'))
      return this.#problem(exchange, 403, `Not done: ${formatMissingRole('admin', exchange.role)}.`);
    send(exchange, 200, formatConfirmPage(this.#frame(), asked));
  }

  async post(exchange: Exchange): Promise<void> {
    const { request, response, rest, readBody } = exchange;
    if (rest !== '' && rest !== 'index.html') return refuse(exchange, 404);
    if (!FORM_TYPE.test(request.headers['content-type'] ?? '')) return refuse(exchange, 415);
    const form = new URLSearchParams(await readBody(FORM_BYTES));
    if (!this.#secret.isToken(form.get('token')))
      return this.#problem(
        exchange,
        403,
        'The supervisor was restarted after this page was made. Nothing was done; go back and try again.',
      );
    const [, action = '', name = ''] = /^(\S*)(?: (.*))?$/s.exec(form.get('do') ?? '') ?? [];
    const asked = parseRequest(action, name);
    if (asked === null) return this.#problem(exchange, 400, 'There is no such action.');
    const outcome = await perform(this.#sources, asked, {
      client: { ...exchange.client(), door: 'page' },
      role: exchange.role,
    });
    const seconds = new Date(this.#sources.api.wallMs()).toTimeString().slice(0, 8);
    const query = this.#secret.sign({
      ...outcome,
      text: asked.name === null && !outcome.isError ? `${outcome.text} at ${seconds}` : outcome.text,
    });
    // After a redirect, a reload of the page does not repeat the action.
    response.writeHead(303, { ...headersOf(), Location: `index.html?${query}`, 'Content-Length': 0 });
    response.end();
  }

  #frame(): PageHeader {
    const { api } = this.#sources;
    return {
      identification: api.identification,
      version: String(this.#ask('supervisor.getSupervisorVersion')),
      token: this.#secret.token,
    };
  }

  #status({ role }: Exchange, query: URLSearchParams): string {
    const { api } = this.#sources;
    const infos = this.#ask('supervisor.getAllProcessInfo') as readonly ProcessInfo[];
    const time = new Date(api.wallMs()).toString().slice(0, 24);
    return formatStatusPage({
      ...this.#frame(),
      supervisorState: api.state(),
      processes: infos.map((info) => this.#row(info)),
      outcome: this.#secret.verify(query),
      canChange: hasRole(role, 'admin'),
      time,
    });
  }

  #row({ name, group, statename, description }: ProcessInfo): ProcessRow {
    const { api, times } = this.#sources;
    const id = `${group}:${name}`;
    const proc = api.process(id);
    return {
      name: formatNamespec(group, name),
      state: statename,
      description: proc === null ? description : factsOf(proc, api, times).description,
      isFlapping: isFlapping(api, id),
      hasStderr: api.processLog(id, 'stderr') !== null,
    };
  }

  async #tail(exchange: Exchange, query: URLSearchParams): Promise<void> {
    const { api } = this.#sources;
    const name = query.get('processname') ?? '';
    const id = findId(this.#sources, name);
    if (id === null) return this.#problem(exchange, 404, `No such process named ${name}`);
    const stream = query.get('stream') === 'stderr' ? 'stderr' : 'stdout';
    const limit = Math.min(
      Math.max(Number.parseInt(query.get('limit') ?? '', 10) || DEFAULT_TAIL_BYTES, SHORTEST_TAIL_BYTES),
      LONGEST_TAIL_BYTES,
    );
    const reading = await api.processLog(id, stream)?.read(-limit, 0, exchange.reserve);
    const text = reading?.kind === 'bytes' ? formatLogText(reading.bytes, reading.bytes.length >= limit) : null;
    const reason =
      reading?.kind === 'failed'
        ? `The log cannot be read: ${reading.reason}`
        : `There is no ${stream} log of ${name}.`;
    send(
      exchange,
      200,
      formatTailPage({
        ...this.#frame(),
        name,
        stream,
        hasStderr: api.processLog(id, 'stderr') !== null,
        limit,
        text,
        reason,
      }),
    );
  }

  #problem(exchange: Exchange, status: number, text: string): void {
    send(exchange, status, formatProblemPage(this.#frame(), text));
  }

  /**
   * Calls a method that only reads. Does not use rpc/call.ts, which refuses calls while the supervisor shuts down: the
   * page works until the end.
   */
  #ask(method: string): unknown {
    const { api, methods, times } = this.#sources;
    const request: ClientRequest = { kind: 'request', method, client: PAGE };
    const signal = new AbortController().signal;
    return methods
      .get(method)
      ?.call({ api, times, client: PAGE, role: 'read', request, signal, reserve: () => undefined }, []);
  }
}

function findId({ api }: WebSources, name: string): string | null {
  try {
    return findOneProcess(api, name).id;
  } catch (error) {
    if (error instanceof RpcFault) return null;
    throw error;
  }
}

function queryOf({ url = '' }: IncomingMessage): URLSearchParams {
  const mark = url.indexOf('?');
  return new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1).replace(/#.*$/s, ''));
}

function send(exchange: Exchange, status: number, page: string): void {
  sendText(exchange, status, { type: 'text/html;charset=utf-8', text: page }, headersOf());
}
