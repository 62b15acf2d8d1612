/**
 * The client from its command line to its exit code. Never ends the process, never touches its signals or streams but
 * through CtlIo.
 */
import { openSource, readGivenFile } from '../config/source.ts';
import type { Command } from './command.ts';
import { commands } from './command-table.ts';
import { runLine } from './dispatch.ts';
import { InterruptError } from './errors.ts';
import { ExitCode } from './exit-codes.ts';
import type { CtlIo } from './io.ts';
import { openLines } from './lines.ts';
import { formatUsage, parseOptions } from './options.ts';
import { Session } from './session.ts';
import { type CtlSettings, readSettings } from './settings.ts';
import { withPlugins } from './plugins.ts';
import { readHistory, runShell, writeHistory } from './shell.ts';

/**
 * Runs supervisorctl.
 *
 * @param args - the command line after the program's name
 * @returns the exit code: those of LSB init scripts, 2 for a wrong command line or configuration, 130 after Ctrl-C
 */
export async function runCtl(args: readonly string[], io: CtlIo): Promise<number> {
  // A reader that goes away, as in `status | head -1`, is no error of ours: what is left is not wanted.
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  const ignore = (): void => undefined;
  io.stdout.on('error', leave);
  io.stderr.on('error', ignore);
  try {
    return await runArguments(args, io, gone.signal);
  } finally {
    await Promise.all([flush(io.stdout), flush(io.stderr)]);
    io.stdout.off('error', leave);
    io.stderr.off('error', ignore);
  }
}

async function runArguments(args: readonly string[], io: CtlIo, gone: AbortSignal): Promise<number> {
  const outcome = parseOptions(args);
  if (!outcome.ok) return refuse(io, outcome.error);
  const { options } = outcome;
  if (options.wantsHelp) {
    io.stdout.write(formatUsage(io.calledAs));
    return ExitCode.SUCCESS;
  }
  const given = await readGivenFile(options.file ?? io.env['ONEVISOR_CONF']);
  const reading = readSettings(options, { ...openSource(io.env, null, given), cwd: io.cwd }, io.calledAs, io.discovery);
  if (!reading.ok) return refuse(io, reading.error);
  for (const warning of reading.settings.warnings) io.stderr.write(`${warning}\n`);
  if (options.action.length === 0) return interact(io, reading.settings, gone);
  return execute(io, reading.settings, options.action.join(' '), options.isInteractive, gone);
}

function refuse(io: CtlIo, error: string): number {
  io.stderr.write(`Error: ${error}\nFor help, use ${io.calledAs} -h\n`);
  return ExitCode.INVALID_ARGS;
}

async function execute(
  io: CtlIo,
  settings: CtlSettings,
  line: string,
  isInteractive: boolean,
  gone: AbortSignal,
): Promise<number> {
  const lines = openLines(io, []);
  const session = new Session(io, lines, settings, isInteractive, gone);
  try {
    await runLine(session, commandsOf(io, settings), line);
    return session.exitCode;
  } catch (error) {
    if (error instanceof InterruptError) return ExitCode.INTERRUPTED;
    throw error;
  } finally {
    lines.close();
  }
}

async function interact(io: CtlIo, settings: CtlSettings, gone: AbortSignal): Promise<number> {
  const { historyFile } = settings;
  const lines = openLines(io, historyFile === null ? [] : readHistory(historyFile));
  await runShell(new Session(io, lines, settings, true, gone), commandsOf(io, settings), settings.prompt);
  if (historyFile !== null) writeHistory(io, historyFile, lines.history);
  return ExitCode.SUCCESS;
}

/** All commands, those of modules included. */
function commandsOf(io: CtlIo, { plugins, file }: CtlSettings): ReadonlyMap<string, Command> {
  return withPlugins(commands, plugins, file, (text) => io.stderr.write(`${text}\n`));
}

/** Waits until all is written; resolves also when it cannot be. */
async function flush(stream: CtlIo['stdout'] | CtlIo['stderr']): Promise<void> {
  if (stream.destroyed || stream.writableEnded) return;
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}
