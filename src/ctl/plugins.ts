/**
 * Further commands of the client: the JavaScript modules that `[ctlplugin:x]` names. What is wrong with one is a line
 * on standard error, and the client goes on without it. It runs no command.
 */
import type { PluginConfig } from '../config/model.ts';
import { isModulePath, loadFactory } from '../config/plugin-module.ts';
import { firstLineOf } from '../core/error-text.ts';
import type { XmlRpcValue } from '../rpc/xmlrpc.ts';
import { callRemoteMethod } from './transport.ts';
import type { Command } from './command.ts';
import { createHelp } from './commands/help.ts';
import type { Session } from './session.ts';

/** What a command works with. */
export interface CommandContext {
  /** Calls a method of the supervisor; a fault is an error with `code` and `faultString`. */
  call(method: string, ...params: XmlRpcValue[]): Promise<XmlRpcValue>;
  /** Prints a line. */
  output(line: string): void;
  /** Prints a line, and makes the exit code 1, or the one given. */
  fail(line: string, exitCode?: number): void;
}

/**
 * What a module is called with, beside the options of its section. This is the whole of its contract with us;
 * src/manual/control.md has it too.
 */
export interface CtlPluginApi {
  /** The x of `[ctlplugin:x]`. */
  readonly name: string;
  /** Adds a command. `argument` is the rest of its line; `help` are the lines of `help NAME`. */
  register(name: string, run: (context: CommandContext, argument: string) => unknown, help?: readonly string[]): void;
}

/** The commands with those of the modules added. */
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
        register: (command, run, help = []) =>
          void own.set(
            command,
            commandOf(command, run, help, commands.has(command) || added.has(command) || own.has(command)),
          ),
      };
      loadFactory(factory, file)(api, Object.fromEntries(options));
      for (const [command, entry] of own) added.set(command, entry);
    } catch (error) {
      warn(`cannot load [ctlplugin:${name}] from ${factory}: ${firstLineOf(error)}; its commands are not there`);
    }
  }
  if (added.size === 0) return commands;
  const all = new Map([...commands, ...added]);
  return all.set('help', createHelp([...all.values()].filter((command) => command.name !== 'help')));
}

function commandOf(
  name: string,
  run: (context: CommandContext, argument: string) => unknown,
  help: readonly string[],
  isTaken: boolean,
): Command {
  if (!/^\w+$/.test(name))
    throw new Error(`cannot register ${JSON.stringify(name)}: a command has a name of letters, digits and _`);
  if (typeof run !== 'function') throw new Error(`cannot register ${name}: it is no function`);
  if (isTaken) throw new Error(`cannot register ${name}: there is a command of that name`);
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
