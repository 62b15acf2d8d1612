/**
 * `supervisorctl`, `onevisor ctl`, `onevisor COMMAND` and `onevisor health`: gives the client its terminal, its
 * environment and the discovery of supervisors, and returns its exit code.
 */
import { writeSync } from 'node:fs';
import { findCommand, isClientCommand } from '../cli/commands.ts';
import { formatCommand } from '../cli/help-text.ts';
import { parseOptions, placeAction, placeConnection } from '../ctl/options.ts';
import type { TerminalPort } from '../ctl/io.ts';
import type { ProgramSettings } from '../rpc/supervisor-api.ts';
import { runCtl } from '../ctl/run.ts';
import { currentDirectory } from '../files/current-directory.ts';
import { isCalledByOwnName } from '../startup/choose-program.ts';
import { openDiscovery } from '../startup/find-supervisor.ts';
import { type HelpIo, textWidth } from './help.ts';
import type { ProgramIo } from './program-io.ts';

/** Input of the client. */
export interface ControlIo extends ProgramIo {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** Path of this executable. The configuration is searched relative to its directory. */
  readonly calledPath: string;
  /** Name of this command in messages. */
  readonly calledAs: string;
}

/** Runs the client. A command of `onevisor` itself may have the options of the connection behind its name. */
export async function runControl(given: readonly string[], io: ControlIo): Promise<number> {
  const { env, calledPath, calledAs } = io;
  const args = isClientCommand(given[0] ?? '') && isCalledByOwnName(calledAs) ? placeConnection(given) : given;
  const { stdin, stdout, stderr } = process;
  const columns = stdout.isTTY ? stdout.columns : null;
  // Supervisor's client takes --help as the name of a process, which only a script could expect.
  const help = isCalledByOwnName(calledAs) || columns !== null ? helpFor(args, columns) : null;
  if (help !== null) {
    io.out(help);
    return 0;
  }
  const cwd = currentDirectory();
  return runCtl(args, {
    stdin,
    stdout,
    stderr,
    env,
    cwd,
    isOwnName: isCalledByOwnName(calledAs),
    discovery: openDiscovery(env, cwd, calledPath),
    calledAs: calledPath,
    terminal: ownTerminal,
    async runProgram(settings: ProgramSettings, argv: readonly string[]): Promise<number> {
      const { loadAddon } = await import('../native/load.ts');
      const { runWithSettings } = await import('./run-command.ts');
      return runWithSettings(loadAddon(), settings, argv, io);
    },
    onInterrupt(listener: () => void): () => void {
      process.on('SIGINT', listener);
      return () => process.removeListener('SIGINT', listener);
    },
  });
}

/** Signals and the end of this process, for the full-screen view. */
const ownTerminal: TerminalPort = {
  onSignal(name, listener) {
    process.on(name, listener);
    return () => process.removeListener(name, listener);
  },
  onExit(listener) {
    process.on('exit', listener);
    return () => process.removeListener('exit', listener);
  },
  writeNow(text) {
    try {
      writeSync(process.stdout.fd, text);
    } catch {
      // EIO, EPIPE, EAGAIN: the terminal has gone, or takes nothing. There is no reader to tell.
    }
  },
  stopSelf() {
    // The kernel ignores SIGTSTP, unlike SIGSTOP, if there is no shell that could continue us (`docker exec`).
    process.kill(0, 'SIGTSTP');
  },
};

/** Returns the help for a command that is followed by `-h` or `--help`; null for other command lines. */
function helpFor(args: readonly string[], columns: HelpIo['columns']): string | null {
  const parsed = parseOptions(args);
  const [name = '', option] = parsed.ok ? parsed.options.action : [];
  const spec = option === '-h' || option === '--help' ? findCommand(name) : null;
  return spec === null ? null : formatCommand(spec, textWidth(columns));
}

/** Checks the health of the supervisor. Returns 0 or 1: Docker's HEALTHCHECK reserves all other codes. */
export async function runHealth(args: readonly string[], io: ControlIo): Promise<number> {
  // The options of the connection come before the action, and those of the command behind it.
  const isOwn = (word: string): boolean => word === '--flapping' || /^--wait(?:=|$)/.test(word);
  const line = placeAction(
    'health',
    args.filter((word) => !isOwn(word)),
  );
  return (await runControl([...line, ...args.filter(isOwn)], io)) === 0 ? 0 : 1;
}
