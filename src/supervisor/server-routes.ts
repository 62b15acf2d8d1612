/** Creates the routes of the servers for a configuration, including the methods of its modules. Opens no server. */
import type { Config } from '../config/model.ts';
import type { Client } from '../core/cause.ts';
import { errnoOf } from '../core/error-text.ts';
import { RpcFault } from '../core/faults.ts';
import type { Report } from '../engine/ports.ts';
import type { Route } from '../http/route.ts';
import { createRoutes } from '../http/routes.ts';
import { callMethod } from '../rpc/call.ts';
import type { MethodTable } from '../rpc/method.ts';
import { createMethodTable } from '../rpc/method-table.ts';
import { ownMethods } from '../rpc/own-methods.ts';
import { findProblems } from '../rpc/problems.ts';
import { ProcessTimes } from '../rpc/process-times.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';
import { webRoutes } from '../web/routes.ts';
import { decodeTexts, type XmlRpcValue } from '../rpc/xmlrpc.ts';
import { PageSecret } from '../web/secret.ts';
import { type Call, loadPlugins } from './rpc-plugins.ts';

/** Creates routes, again for each new configuration. */
export class ServerRoutes {
  readonly #supervisor: SupervisorApi;
  readonly #report: Report;
  readonly #times: ProcessTimes;
  readonly #version: string;
  readonly #secret = new PageSecret();

  /** `version` is our own version. */
  constructor(api: SupervisorApi, report: Report, version: string) {
    this.#supervisor = api;
    this.#report = report;
    this.#version = version;
    this.#times = new ProcessTimes(api);
  }

  /** Returns the reasons why the programs are not ready, one line each. */
  problems(): string[] {
    return findProblems({ api: this.#supervisor, times: this.#times }, 'ready');
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
            { api, times, client, signal: new AbortController().signal, reserve: () => undefined },
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
    return createRoutes({
      api,
      methods,
      times,
      version: this.#version,
      residentBytes,
      more: webRoutes({ api, methods, times }, this.#secret),
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
