/** The table of all routes. The servers serve nothing else. */
import { refuse } from './answers.ts';
import { isCrossSite } from './cross-site.ts';
import { healthRoutes } from './health-routes.ts';
import { defaultStreamLimits, type StreamLimits } from './log-stream.ts';
import { logRoutes } from './log-routes.ts';
import { metricsRoute, type MetricsSources } from './metrics-route.ts';
import type { Route } from './route.ts';
import { rpcRoute, type RpcService } from './rpc-route.ts';

/** Sources of the routes. */
export interface RouteSources extends RpcService, MetricsSources {
  /** Further routes, for example of the web page. */
  readonly more?: readonly Route[];
  readonly streamLimits?: StreamLimits;
}

/** Makes all routes. A POST from the page of another site is always refused, even with the password. */
export function createRoutes(sources: RouteSources): Route[] {
  return tableOf(sources).map((route) => (route.method === 'POST' ? refuseCrossSite(route) : route));
}

function refuseCrossSite(route: Route): Route {
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
