/** The table of all routes. The servers serve nothing else. */
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

/** Makes all routes. The server checks the role of each, and refuses a POST from the page of another site. */
export function createRoutes(sources: RouteSources): Route[] {
  return [
    rpcRoute(sources),
    ...logRoutes(sources.api, sources.streamLimits ?? defaultStreamLimits),
    ...healthRoutes(sources),
    metricsRoute(sources),
    ...(sources.more ?? []),
  ];
}
