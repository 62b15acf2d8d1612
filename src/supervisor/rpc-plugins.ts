/**
 * Loads further XML-RPC methods from the JavaScript modules that `[rpcinterface:x]` names. An error in a module becomes
 * a log line, and the supervisor continues without the module. This file calls no method of the supervisor itself.
 */
import type { Config, PluginConfig } from '../config/model.ts';
import { isModulePath, loadFactory } from '../config/plugin-module.ts';
import { describeMistake, firstLineOf } from '../core/error-text.ts';
import { type Level, levels } from '../core/log-level.ts';
import { RpcFault } from '../core/faults.ts';
import type { Report } from '../engine/ports.ts';
import type { Method, Parameter, TypeName } from '../rpc/method.ts';
import type { XmlRpcValue } from '../rpc/xmlrpc.ts';

/** Time limit for loading a module. */
const LOAD_MS = 10_000;
const TYPES: ReadonlySet<string> = new Set<TypeName>(['string', 'int', 'boolean', 'array', 'struct']);
const LEVELS: ReadonlySet<string> = new Set(levels);

/** Calls any method of the supervisor by name. Rejects with an error that has `faultCode` and `faultString`. */
export type Call = (method: string, ...params: XmlRpcValue[]) => Promise<XmlRpcValue>;

/** Optional description of a method, shown by `system.methodHelp` and `system.methodSignature`. */
export interface MethodDescription {
  readonly help?: string;
  /** Required and allowed parameters. The default is the number of parameters of the function. */
  readonly parameters?: ReadonlyArray<{
    readonly name: string;
    readonly type?: TypeName;
    readonly help?: string;
    readonly optional?: boolean;
  }>;
  readonly returns?: { readonly type?: TypeName; readonly name?: string; readonly help?: string };
}

/**
 * Argument of a module, besides the options of its section. This is the whole contract with modules;
 * src/manual/control.md documents it.
 */
export interface PluginApi {
  /** The x of `[rpcinterface:x]`. */
  readonly name: string;
  /**
   * Adds the method `x.name`. Its return value, or the value of its promise, is the answer. An error with an integer
   * `faultCode` becomes that fault.
   */
  register(name: string, method: (...params: XmlRpcValue[]) => unknown, description?: MethodDescription): void;
  readonly call: Call;
  /** Writes a line to the log of the supervisor. */
  log(level: Level, text: string): void;
}

/** Functions of the supervisor that loading needs. */
export interface PluginContext {
  readonly report: Report;
  /** Makes the function with which a plug-in calls methods. */
  readonly callFor: (plugin: string) => Call;
}

/** Loads the methods of all modules, in the order of the configuration. Never rejects. */
export async function loadPlugins({ rpcInterfaces, file }: Config, context: PluginContext): Promise<Method[]> {
  const methods: Method[] = [];
  for (const plugin of rpcInterfaces.filter(({ factory }) => isModulePath(factory)))
    methods.push(...(await loadPlugin(plugin, file, context)));
  return methods;
}

async function loadPlugin(
  plugin: PluginConfig,
  file: string | null,
  { report, callFor }: PluginContext,
): Promise<Method[]> {
  const registry = new PluginMethods(plugin, report);
  try {
    const api: PluginApi = {
      name: plugin.name,
      register: (...args) => registry.register(...args),
      call: callFor(plugin.name),
      log: (level, text) => report(LEVELS.has(level) ? level : 'info', `${plugin.name}: ${text}`),
    };
    await within(LOAD_MS, async () => loadFactory(plugin.factory, file)(api, Object.fromEntries(plugin.options)));
  } catch (error) {
    report(
      'warn',
      `cannot load [rpcinterface:${plugin.name}] from ${plugin.factory}: ${firstLineOf(error)}; ` +
        'its methods are not available',
    );
    return [];
  } finally {
    registry.close();
  }
  report('info', `RPC interface '${plugin.name}' initialized`);
  return registry.methods;
}

/** Collects the methods of one module. */
class PluginMethods {
  readonly methods: Method[] = [];
  readonly #plugin: PluginConfig;
  readonly #report: Report;
  #isClosed = false;

  constructor(plugin: PluginConfig, report: Report) {
    this.#plugin = plugin;
    this.#report = report;
  }

  register(name: string, method: (...params: XmlRpcValue[]) => unknown, description: MethodDescription = {}): void {
    const full = `${this.#plugin.name}.${name}`;
    if (this.#isClosed) throw new Error(`cannot register ${full}: methods are registered while the module is loaded`);
    if (typeof name !== 'string' || !/^\w+(\.\w+)*$/.test(name))
      throw new Error(`cannot register ${JSON.stringify(name)}: a method has a name of letters, digits, _ and dots`);
    if (typeof method !== 'function') throw new Error(`cannot register ${full}: it is not a function`);
    if (this.#plugin.name === 'supervisor' || this.#plugin.name === 'system')
      throw new Error(
        `cannot register ${full}: the name ${this.#plugin.name} is taken; ` +
          'call the section [rpcinterface:NAME] something else',
      );
    if (this.methods.some((known) => known.name === full))
      throw new Error(`cannot register ${full}: the name is used already`);
    const { help = full, returns = {} } = description;
    this.methods.push({
      name: full,
      help,
      parameters: describeParameters(full, method, description),
      // The supervisor does not know which of them change something.
      role: 'admin',
      returns: { type: typeOf(full, returns.type), name: returns.name ?? 'result', help: returns.help ?? '' },
      call: (_context, args) => this.#call(full, method, args),
    });
  }

  close(): void {
    this.#isClosed = true;
  }

  async #call(
    name: string,
    method: (...params: XmlRpcValue[]) => unknown,
    args: readonly XmlRpcValue[],
  ): Promise<XmlRpcValue> {
    try {
      // A method that returns nothing has succeeded.
      return requireCarried((await method(...args)) ?? true);
    } catch (error) {
      const { faultCode, faultString } = error as { readonly faultCode?: unknown; readonly faultString?: unknown };
      if (Number.isInteger(faultCode))
        throw new RpcFault(Number(faultCode), typeof faultString === 'string' ? faultString : firstLineOf(error));
      this.#report('error', `cannot answer ${name}: ${describeMistake(error)}`);
      throw RpcFault.of('FAILED', firstLineOf(error));
    }
  }
}

/** Returns the value if XML-RPC can encode it. Throws otherwise. */
function requireCarried(value: unknown): XmlRpcValue {
  const isPlain =
    value === null ||
    ['string', 'number', 'boolean'].includes(typeof value) ||
    value instanceof Date ||
    value instanceof Uint8Array;
  if (isPlain) return value as XmlRpcValue;
  if (typeof value !== 'object') throw new Error(`XML-RPC has no form for ${typeof value}`);
  for (const part of Object.values(value)) requireCarried(part);
  return value as XmlRpcValue;
}

function describeParameters(
  name: string,
  method: (...params: never[]) => unknown,
  { parameters }: MethodDescription,
): Parameter[] {
  const described = parameters ?? Array.from({ length: method.length }, (_, i) => ({ name: `p${i + 1}` }));
  return described.map((parameter): Parameter => {
    const {
      name: called,
      type,
      help = '',
      optional = false,
    } = parameter as NonNullable<MethodDescription['parameters']>[number];
    return { name: called, type: typeOf(name, type), help, isOptional: optional };
  });
}

function typeOf(name: string, type: string = 'string'): TypeName {
  if (!TYPES.has(type))
    throw new Error(`cannot register ${name}: ${JSON.stringify(type)} is no type; there are ${[...TYPES].join(', ')}`);
  return type as TypeName;
}

/** Waits for the result of `begin`. Rejects after `ms`. */
async function within(ms: number, begin: () => unknown): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`it was not ready within ${ms / 1000} s`)), ms);
  try {
    await Promise.race([begin(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
