/**
 * `supervisorctl`, `onevisor ctl`, `onevisor COMMAND` and `onevisor health`: gives the client its terminal, its
 * environment and the discovery of supervisors, and returns its exit code.
 */
import { writeSync } from 'node:fs';
import { findCommand, isClientCommand } from '../cli/commands.ts';
import { formatCommand, helpOf } from '../cli/help-text.ts';
import { ExitCode } from '../ctl/exit-codes.ts';
import { parseOptions } from '../ctl/options.ts';
import { arrangeWords } from '../ctl/own-words.ts';
import type { TerminalPort } from '../ctl/io.ts';
import type { ProgramSettings } from '../rpc/supervisor-api.ts';
import { runCtl } from '../ctl/run.ts';
import { currentDirectory } from '../files/current-directory.ts';
import { isCalledByOwnName } from '../startup/choose-program.ts';
import { openDiscovery } from '../startup/find-supervisor.ts';
import { type HelpIo, textWidth } from './help.ts';
import type { ProgramIo } from './program-io.ts';
import { openStandardOutput } from './standard-output.ts';

/** Input of the client. */
export interface ControlIo extends ProgramIo {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** Path of this executable. The configuration is searched relative to its directory. */
  readonly calledPath: string;
  /** Name of this command in messages. */
  readonly calledAs: string;
}

/** Runs the client. The words of a command of `onevisor` itself are checked before anything is asked or done. */
export async function runControl(given: readonly string[], io: ControlIo): Promise<number> {
  const { env, calledPath, calledAs } = io;
  const { stderr } = process;
  const columns = process.stdout.isTTY ? process.stdout.columns : null;
  const isOwnName = isCalledByOwnName(calledAs);
  const [command = ''] = given;
  const arranged = isOwnName && isClientCommand(command) ? arrangeWords(given) : null;
  if (arranged?.kind === 'wrong') return refuse(arranged.error, io);
  const args = arranged?.kind === 'line' ? arranged.args : given;
  // Supervisor's client takes --help as the name of a process, which only a script could expect.
  const help = isOwnName || columns !== null ? helpFor(args, columns) : null;
  if (arranged?.kind === 'help' || help !== null) {
    io.out(help ?? helpOf(command, textWidth(columns)));
    return 0;
  }
  const cwd = currentDirectory();
  // Ctrl-C is for the pager while the pager has the terminal.
  let isPaging = false;
  return runCtl(args, {
    get stdin() {
      return process.stdin;
    },
    stdout: openStandardOutput(),
    stderr,
    env,
    cwd,
    isOwnName,
    discovery: openDiscovery(env, cwd, calledPath),
    calledAs: calledPath,
    terminal: {
      ...ownTerminal,
      async page(text, signal) {
        const { loadAddon } = await import('../native/load.ts');
        const { runPager } = await import('./pager.ts');
        isPaging = true;
        try {
          return await runPager(loadAddon(), text, env, signal);
        } finally {
          isPaging = false;
        }
      },
    },
    async runProgram(settings: ProgramSettings, argv: readonly string[]): Promise<number> {
      const { loadAddon } = await import('../native/load.ts');
      const { runWithSettings } = await import('./run-command.ts');
      return runWithSettings(loadAddon(), settings, argv, io);
    },
    onInterrupt(listener: () => void): () => void {
      const pass = (): void => {
        if (!isPaging) listener();
      };
      process.on('SIGINT', pass);
      return () => process.removeListener('SIGINT', pass);
    },
  });
}

/** Signals and the end of this process, for the full-screen view. */
const ownTerminal: Omit<TerminalPort, 'page'> = {
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

function refuse(error: string, io: ControlIo): number {
  io.err(`${error}\n`);
  return ExitCode.INVALID_ARGS;
}

/** Checks the health of the supervisor. Returns 0 or 1: Docker's HEALTHCHECK reserves all other codes. */
export async function runHealth(args: readonly string[], io: ControlIo): Promise<number> {
  const arranged = arrangeWords(['health', ...args]);
  if (arranged.kind === 'wrong') refuse(arranged.error, io);
  if (arranged.kind === 'help')
    io.out(helpOf('health', textWidth(process.stdout.isTTY ? process.stdout.columns : null)));
  if (arranged.kind !== 'line') return arranged.kind === 'help' ? 0 : 1;
  return (await runControl(arranged.args, io)) === 0 ? 0 : 1;
}
