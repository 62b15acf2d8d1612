/**
 * Commands of plug-ins: JavaScript modules that `[ctlplugin:x]` names. An error in a plug-in is printed to stderr, and
 * the client works without its commands.
 */
import type { PluginConfig } from '../config/model.ts';
import { isModulePath, loadFactory } from '../config/plugin-module.ts';
import { firstLineOf } from '../core/error-text.ts';
import type { XmlRpcValue } from '../rpc/xmlrpc.ts';
import { callRemoteMethod } from './transport.ts';
import type { Command } from './command.ts';
import { createHelp } from './commands/help.ts';
import type { Session } from './session.ts';

/** The functions that a command of a plug-in can use. */
export interface CommandContext {
  /** Calls a method of the supervisor; a fault is an error with `code` and `faultString`. */
  call(method: string, ...params: XmlRpcValue[]): Promise<XmlRpcValue>;
  /** Prints a line. */
  output(line: string): void;
  /** Prints an error and sets the exit code, 1 by default. */
  fail(line: string, exitCode?: number): void;
}

/**
 * The first argument of a module; the second has the options of its section. This is the whole contract of plug-ins,
 * which src/manual/control.md describes.
 */
export interface CtlPluginApi {
  /** The x of `[ctlplugin:x]`. */
  readonly name: string;
  /** Adds a command. `help` has the lines of `help NAME`. */
  register(name: string, run: PluginCommand, help?: readonly string[]): void;
}

/** A command of a plug-in. `argument` is the line after the name of the command. */
type PluginCommand = (context: CommandContext, argument: string) => unknown;

/** Adds the commands of the plug-ins. */
export function withPlugins(
  commands: ReadonlyMap<string, Command>,
  plugins: readonly PluginConfig[],
  file: string | null,
  warn: (text: string) => void,
): ReadonlyMap<string, Command> {
  const added = new Map<string, Command>();
  for (const { name, factory, options } of plugins.filter((plugin) => isModulePath(plugin.factory))) {
    const own = new Map<string, Command>();
    try {
      const api: CtlPluginApi = {
        name,
        register: (command, run, help = []) => {
          if ([commands, added, own].some((known) => known.has(command)))
            throw new Error(`cannot register ${command}: a command with that name exists`);
          own.set(command, commandOf(command, run, help));
        },
      };
      loadFactory(factory, file)(api, Object.fromEntries(options));
      for (const [command, entry] of own) added.set(command, entry);
    } catch (error) {
      warn(`cannot load [ctlplugin:${name}] from ${factory}: ${firstLineOf(error)}; its commands are missing`);
    }
  }
  if (added.size === 0) return commands;
  const all = new Map([...commands, ...added]);
  return all.set('help', createHelp([...all.values()].filter((command) => command.name !== 'help')));
}

function commandOf(name: string, run: PluginCommand, help: readonly string[]): Command {
  if (!/^\w+$/.test(name))
    throw new Error(`cannot register ${JSON.stringify(name)}: the name of a command has letters, digits and _ only`);
  if (typeof run !== 'function') throw new Error(`cannot register ${name}: the second argument must be a function`);
  return {
    name,
    help,
    run: async (session, argument) => {
      await run(contextOf(session), argument);
      return false;
    },
  };
}

function contextOf(session: Session): CommandContext {
  return {
    call: (method, ...params) => callRemoteMethod(session.endpoint, method, params, session.interrupt.signal),
    output: (line) => session.output(line),
    fail: (line, exitCode) => session.fail(line, exitCode),
  };
}
