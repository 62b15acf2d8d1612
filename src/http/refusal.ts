/**
 * Refusals of requests by the server itself: no credentials, no role, no route. A client of the API gets JSON, others
 * get a page.
 */
import { STATUS_CODES, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { formatMissingRole, type Role } from '../core/role.ts';
import { refuse, refuseAs, type RefusedRequest } from './answers.ts';

/** A refusal. Its texts never repeat text of the request. */
export interface Refusal {
  readonly status: number;
  /** Name of the reason, for programs. */
  readonly code: string;
  readonly message: string;
  readonly headers?: OutgoingHttpHeaders;
}

/** Names of the reasons that a status alone gives. */
const CODES: Readonly<Record<number, string>> = {
  400: 'bad_request',
  404: 'not_found',
  405: 'method_not_allowed',
};

const JSON_TYPE = 'application/json';

/** Returns the refusal of a status without a reason of its own. */
export function refusalOf(status: number, headers: OutgoingHttpHeaders = {}): Refusal {
  return { status, code: CODES[status] ?? 'refused', message: STATUS_CODES[status] ?? 'Error', headers };
}

/** Returns the refusal of a client whose role is not enough. */
export function roleRefusal(needed: Role, role: Role): Refusal {
  return { status: 403, code: 'forbidden', message: formatMissingRole(needed, role) };
}

/** Refuses a request. */
export function sendRefusal(target: RefusedRequest, { status, code, message, headers = {} }: Refusal): void {
  // Supervisor's client shows the status line only.
  if (code === 'forbidden') target.response.statusMessage = `${STATUS_CODES[status] ?? ''}: ${message}`;
  const isReason = message !== STATUS_CODES[status];
  if (!takesJson(target.request)) return refuse(target, status, headers, isReason ? message : '');
  const text = JSON.stringify({ error: { code, message } });
  refuseAs(target, status, { type: JSON_TYPE, text }, headers);
}

/** True for a request to the API, and for a client that asks for JSON. */
function takesJson({ url = '', headers }: IncomingMessage): boolean {
  return url.startsWith('/api/') || headers.accept?.includes(JSON_TYPE) === true;
}
