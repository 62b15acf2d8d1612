/**
 * The table of all routes with who may use them. Whatever is served stands here; nothing is served beside it.
 */
import { refuse } from './answers.ts';
import { isCrossSite } from './cross-site.ts';
import { healthRoutes } from './health-routes.ts';
import { defaultStreamLimits, type StreamLimits } from './log-stream.ts';
import { logRoutes } from './log-routes.ts';
import { metricsRoute, type MetricsSources } from './metrics-route.ts';
import type { Route } from './route.ts';
import { rpcRoute, type RpcService } from './rpc-route.ts';

/** What the routes serve. */
export interface RouteSources extends RpcService, MetricsSources {
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
      if (!isCrossSite(exchange.request)) return route.answer(exchange);
      refuse(exchange, 403);
    },
  };
}

function tableOf(sources: RouteSources): Route[] {
  return [
    rpcRoute(sources),
    ...logRoutes(sources.api, sources.streamLimits ?? defaultStreamLimits),
    ...healthRoutes(sources),
    metricsRoute(sources),
    ...(sources.more ?? []),
  ];
}
