/**
 * `GET /logtail/NAME[/stdout|stderr]` and `GET /mainlogtail`, which `supervisorctl tail -f` and `maintail -f` read.
 */
import { RpcFault } from '../core/faults.ts';
import type { StreamName } from '../core/stream-name.ts';
import { findOneProcess } from '../rpc/lookup.ts';
import type { Log } from '../rpc/log-api.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';
import { sendError } from './answers.ts';
import { type StreamLimits, streamLog } from './log-stream.ts';
import type { Exchange, Route } from './route.ts';

function isStreamName(text: string): text is StreamName {
  return text === 'stdout' || text === 'stderr';
}

/** Finds the log of `NAME[/stdout|stderr]`; null if there is none. */
function findLog(api: SupervisorApi, rest: string): Log | null {
  const [name = '', stream = 'stdout', ...more] = rest.split('/');
  if (more.length > 0 || !isStreamName(stream)) return null;
  try {
    return api.processLog(findOneProcess(api, name).id, stream);
  } catch (error) {
    if (error instanceof RpcFault) return null;
    throw error;
  }
}

/** Value of `Retry-After` for a client that is one too many. */
const RETRY_SECONDS = 10;

/** Makes the routes that stream logs. */
export function logRoutes(api: SupervisorApi, limits: StreamLimits): Route[] {
  let open = 0;
  const send = ({ response, signal }: Exchange, log: Log | null): void => {
    if (log === null) return sendError(response, 404);
    if (open >= limits.streams) {
      const reason = `at most ${limits.streams} clients follow logs at a time`;
      return sendError(response, 503, { 'Retry-After': RETRY_SECONDS }, reason);
    }
    open += 1;
    response.once('close', () => {
      open -= 1;
    });
    streamLog(log, response, signal, limits);
  };
  return [
    {
      method: 'GET',
      path: '/logtail',
      access: 'read',
      answer: (exchange) => send(exchange, findLog(api, exchange.rest)),
    },
    {
      method: 'GET',
      path: '/mainlogtail',
      access: 'read',
      answer: (exchange) => send(exchange, api.mainLog()),
    },
  ];
}
