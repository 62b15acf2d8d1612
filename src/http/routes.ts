/**
 * The table of all routes with who may use them. Whatever is served stands here; nothing is served beside it.
 */
import { refuse, sendError, sendText } from './answers.ts';
import { isForeign } from './foreign.ts';
import { defaultStreamLimits, type StreamLimits } from './log-stream.ts';
import { logRoutes } from './log-routes.ts';
import type { Route } from './route.ts';
import { rpcRoute, type RpcService } from './rpc-route.ts';

/** What the routes serve. */
export interface RouteSources extends RpcService {
  /** What `/healthz` answers; null until there is something that knows. */
  readonly health: (() => { readonly isHealthy: boolean; readonly text: string }) | null;
  /** Routes of others, as the web page. */
  readonly more?: readonly Route[];
  readonly streamLimits?: StreamLimits;
}

/** All routes. What changes something is closed to the pages of other sites, whatever they know. */
export function createRoutes(sources: RouteSources): Route[] {
  return tableOf(sources).map((route) => (route.method === 'POST' ? closeToOthers(route) : route));
}

function closeToOthers(route: Route): Route {
  return {
    ...route,
    answer: (exchange) => {
      if (!isForeign(exchange.request, exchange.isLocal)) return route.answer(exchange);
      refuse(exchange.request, exchange.response, 403);
    },
  };
}

function tableOf(sources: RouteSources): Route[] {
  return [
    rpcRoute(sources),
    ...logRoutes(sources.supervisor, sources.streamLimits ?? defaultStreamLimits),
    {
      method: 'GET', path: '/healthz', access: 'password',
      answer: ({ response }) => {
        const health = sources.health?.();
        if (health === undefined) sendError(response, 404);
        else sendText(response, health.isHealthy ? 200 : 503, 'text/plain;charset=utf-8', health.text);
      },
    },
    ...(sources.more ?? []),
  ];
}
