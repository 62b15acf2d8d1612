/** Creates the routes of the servers for a configuration, including the methods of its modules. Opens no server. */
import { hostname } from 'node:os';
import { ApiState, createApiRoutes } from '../api/routes.ts';
import type { Config } from '../config/model.ts';
import type { Client } from '../core/cause.ts';
import { errnoOf } from '../core/error-text.ts';
import { RpcFault } from '../core/faults.ts';
import type { Report } from '../engine/ports.ts';
import type { Route } from '../http/route.ts';
import { createRoutes } from '../http/routes.ts';
import { LiveViews } from '../live/routes.ts';
import { callMethod } from '../rpc/call.ts';
import type { MethodTable } from '../rpc/method.ts';
import { createMethodTable } from '../rpc/method-table.ts';
import { ownMethods } from '../rpc/own-methods.ts';
import { findAllProblems } from '../rpc/problems.ts';
import { ProcessTimes } from '../rpc/process-times.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';
import { readDashboard } from '../web/dashboard-asset.ts';
import { DashboardPages } from '../web/dashboard-routes.ts';
import { webRoutes } from '../web/routes.ts';
import { decodeTexts, type XmlRpcValue } from '../rpc/xmlrpc.ts';
import { PageSecret } from '../web/secret.ts';
import { loadPeerRows } from './peer-rows.ts';
import { type Call, loadPlugins } from './rpc-plugins.ts';

const SECOND_MS = 1000;

/** Creates routes, again for each new configuration. */
export class ServerRoutes {
  readonly #supervisor: SupervisorApi;
  readonly #report: Report;
  readonly #times: ProcessTimes;
  readonly #version: string;
  readonly #secret = new PageSecret();
  /** Also for `[dashboard] history` ({@link LiveViews.configureHistory}). */
  readonly live: LiveViews;
  readonly #dashboard = new DashboardPages(readDashboard);
  readonly #apiState = new ApiState();

  /** `version` is our own version. */
  constructor(api: SupervisorApi, report: Report, version: string) {
    this.#supervisor = api;
    this.#report = report;
    this.#version = version;
    this.#times = new ProcessTimes(api);
    this.live = new LiveViews({ api, times: this.#times, version });
  }

  /** Returns the reasons why the programs are not ready, one line each. */
  problems(): string[] {
    return findAllProblems({ api: this.#supervisor, times: this.#times }, 'ready');
  }

  /** Loads the modules of a configuration and returns all routes. Never rejects. */
  async routesOf(config: Config): Promise<Route[]> {
    const api = this.#supervisor;
    const times = this.#times;
    let methods: MethodTable = createMethodTable();
    // A module may call a method of a module that is loaded later. So look up the method at the time of the call.
    const callAs = async (plugin: string, method: string, params: readonly XmlRpcValue[]): Promise<XmlRpcValue> => {
      const client: Client = { door: 'plugin', user: null, peer: plugin };
      try {
        // Modules get plain strings. Their calls are outside the memory limit for answers.
        return decodeTexts(
          await callMethod(
            methods,
            { api, times, client, role: 'admin', signal: new AbortController().signal, reserve: () => undefined },
            method,
            params,
          ),
        );
      } catch (error) {
        throw error instanceof RpcFault ? Object.assign(error, { faultCode: error.code }) : error;
      }
    };
    const callFor =
      (plugin: string): Call =>
      (method, ...params) =>
        callAs(plugin, method, params);
    methods = createMethodTable([...ownMethods, ...(await loadPlugins(config, { report: this.#report, callFor }))]);
    // Nothing is loaded for the default, 0.
    await this.live.configureHistory(config.dashboard.history * SECOND_MS);
    return createRoutes({
      api,
      methods,
      times,
      version: this.#version,
      residentBytes,
      more: [
        ...webRoutes({ api, methods, times }, this.#secret, this.#dashboard),
        ...createApiRoutes({ api, methods, times, version: this.#version, hostname, live: this.live }, this.#apiState, [
          () => loadPeerRows(config, api),
        ]),
      ],
    });
  }
}

/** Returns our resident memory; null without /proc. */
function residentBytes(): number | null {
  try {
    return process.memoryUsage.rss();
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return null;
  }
}
