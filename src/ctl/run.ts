/**
 * The client, from its command line to its exit code. Never ends the process. Reaches signals and streams through CtlIo
 * only.
 */
import { openSource, readGivenFile } from '../config/source.ts';
import type { Command } from './command.ts';
import { commands } from './command-table.ts';
import { runCommand } from './commands/run.ts';
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
  // A reader that closes our output, as in `status | head -1`, wants no more of it. This is not our error.
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
  const parsed = parseOptions(args);
  if (!parsed.ok) return refuse(io, parsed.error);
  const { options } = parsed;
  if (options.wantsHelp) {
    io.stdout.write(formatUsage(io.calledAs));
    return ExitCode.SUCCESS;
  }
  const given = await readGivenFile(options.file ?? io.env['ONEVISOR_CONF']);
  const reading = readSettings(options, { ...openSource(io.env, null, given), cwd: io.cwd }, io.calledAs, io.discovery);
  if (!reading.ok) return refuse(io, reading.error);
  for (const warning of reading.settings.warnings) io.stderr.write(`${warning}\n`);
  const client: ClientRun = { io, settings: reading.settings, gone };
  if (options.action.length === 0) return interact(client);
  // The words of the command must stay as they are; those of other commands are split again.
  if (options.action[0] === 'run' && io.runProgram !== undefined)
    return withSession(client, false, (session) => runCommand(session, options.action.slice(1)));
  return execute(client, options.action, options.isInteractive);
}

/** The inputs of one run of the client. */
interface ClientRun {
  readonly io: CtlIo;
  readonly settings: CtlSettings;
  readonly gone: AbortSignal;
}

function refuse(io: CtlIo, error: string): number {
  io.stderr.write(`Error: ${error}\nFor help, use ${io.calledAs} -h\n`);
  return ExitCode.INVALID_ARGS;
}

/** Runs the command of the command line. */
function execute(client: ClientRun, words: readonly string[], isInteractive: boolean): Promise<number> {
  return withSession(client, isInteractive, (session) =>
    runLine(session, commandsOf(client.io, client.settings), words.join(' '), words),
  );
}

/** Makes a session for one action, and returns its exit code. */
async function withSession(
  { io, settings, gone }: ClientRun,
  isInteractive: boolean,
  act: (session: Session) => Promise<unknown>,
): Promise<number> {
  const lines = openLines(io, []);
  const session = new Session({ io, lines, endpoint: settings, isInteractive, isOneCommand: true, gone });
  try {
    await act(session);
    return session.exitCode;
  } catch (error) {
    if (error instanceof InterruptError) return ExitCode.INTERRUPTED;
    throw error;
  } finally {
    lines.close();
  }
}

/** Runs the shell. */
async function interact({ io, settings, gone }: ClientRun): Promise<number> {
  const { historyFile } = settings;
  const lines = openLines(io, historyFile === null ? [] : readHistory(historyFile));
  const session = new Session({ io, lines, endpoint: settings, isInteractive: true, isOneCommand: false, gone });
  await runShell(session, commandsOf(io, settings), settings.prompt);
  if (historyFile !== null) writeHistory(io, historyFile, lines.history);
  return ExitCode.SUCCESS;
}

/** Returns all commands, including the commands of plug-ins. */
function commandsOf(io: CtlIo, { plugins, file }: CtlSettings): ReadonlyMap<string, Command> {
  return withPlugins(commands, plugins, file, (text) => io.stderr.write(`${text}\n`));
}

/** Waits until all output is written. Resolves also if the stream is broken. */
async function flush(stream: CtlIo['stdout'] | CtlIo['stderr']): Promise<void> {
  if (stream.destroyed || stream.writableEnded) return;
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}
