/**
 * The client, from its command line to its exit code. Never ends the process. Reaches signals and streams through CtlIo
 * only.
 */
import { basename } from 'node:path';
import { openSource, readGivenFile } from '../config/source.ts';
import { describeLostOutput } from '../core/error-text.ts';
import type { Command } from './command.ts';
import { parseLine, runLine } from './dispatch.ts';
import { InterruptError } from './errors.ts';
import { ExitCode } from './exit-codes.ts';
import type { CtlIo } from './io.ts';
import type { LineSource } from './line-source.ts';
import { formatUsage, parseOptions } from './options.ts';
import { Session } from './session.ts';
import { type CtlSettings, readSettings } from './settings.ts';
import { loadAlone } from './single-command.ts';

/**
 * Runs supervisorctl.
 *
 * @param args - the command line after the program's name
 * @returns the exit code: those of LSB init scripts, 2 for a wrong command line or configuration, 130 after Ctrl-C
 */
export async function runCtl(args: readonly string[], io: CtlIo): Promise<number> {
  // A reader that closes our output, as in `status | head -1`, wants no more of it. This is not our error.
  const gone = new AbortController();
  let lost: string | null = null;
  const leave = (error: unknown): void => {
    // A terminal that has gone has an error of its own.
    if (io.stdout.isTTY !== true) lost ??= describeLostOutput(error);
    gone.abort();
  };
  const ignore = (): void => undefined;
  io.stdout.on('error', leave);
  io.stderr.on('error', ignore);
  let code: number = ExitCode.GENERIC;
  try {
    code = await runArguments(args, io, gone.signal);
  } finally {
    await flush(io.stdout);
    if (lost !== null) io.stderr.write(`${basename(io.calledAs)}: ${String(lost)}\n`);
    await flush(io.stderr);
    io.stdout.off('error', leave);
    io.stderr.off('error', ignore);
  }
  return lost !== null && code === ExitCode.SUCCESS ? ExitCode.GENERIC : code;
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
  if (options.action[0] === 'run' && io.runProgram !== undefined) {
    const { runCommand } = await import('./commands/run.ts');
    return withSession(client, false, (session) => runCommand(session, options.action.slice(1)));
  }
  return execute(client, options.action, options.isInteractive);
}

/** The inputs of one run of the client. */
interface ClientRun {
  readonly io: CtlIo;
  readonly settings: CtlSettings;
  readonly gone: AbortSignal;
}

function refuse(io: CtlIo, error: string): number {
  const help = io.isOwnName === true ? 'onevisor ctl --help' : `${io.calledAs} -h`;
  io.stderr.write(`Error: ${error}\nFor help, use ${help}\n`);
  return ExitCode.INVALID_ARGS;
}

/** Runs the command of the command line. */
async function execute(client: ClientRun, words: readonly string[], isInteractive: boolean): Promise<number> {
  const line = words.join(' ');
  const alone = client.settings.plugins.length === 0 ? await loadAlone(parseLine(line)) : null;
  const commands = alone ?? (await loadCommands(client.io, client.settings));
  return withSession(client, isInteractive, (session) => runLine(session, commands, line, words));
}

/** Makes a session for one action, and returns its exit code. */
async function withSession(
  { io, settings, gone }: ClientRun,
  isInteractive: boolean,
  act: (session: Session) => Promise<unknown>,
): Promise<number> {
  const session = new Session({
    io,
    openLines: () => openLines(io, []),
    endpoint: settings,
    isInteractive,
    isOneCommand: true,
    gone,
  });
  try {
    await act(session);
    return session.exitCode;
  } catch (error) {
    if (error instanceof InterruptError) return ExitCode.INTERRUPTED;
    throw error;
  } finally {
    await session.closeLines();
  }
}

/** Runs the shell. */
async function interact({ io, settings, gone }: ClientRun): Promise<number> {
  const { historyFile } = settings;
  const commands = await loadCommands(io, settings);
  const { readHistory, runShell, writeHistory } = await import('./shell.ts');
  const lines = await openLines(io, historyFile === null ? [] : readHistory(historyFile));
  const session = new Session({
    io,
    openLines: async () => lines,
    endpoint: settings,
    isInteractive: true,
    isOneCommand: false,
    gone,
  });
  await runShell(session, commands, settings.prompt);
  if (historyFile !== null) writeHistory(io, historyFile, lines.history);
  return ExitCode.SUCCESS;
}

async function openLines(io: CtlIo, history: readonly string[]): Promise<LineSource> {
  return (await import('./lines.ts')).openLines(io, history);
}

/** Loads all commands, including the commands of plug-ins. */
async function loadCommands(io: CtlIo, { plugins, file }: CtlSettings): Promise<ReadonlyMap<string, Command>> {
  const { commands } = await import('./command-table.ts');
  const { withPlugins } = await import('./plugins.ts');
  return withPlugins(commands, plugins, file, (text) => io.stderr.write(`${text}\n`));
}

/** Waits until all output is written, and until an error of it was told. */
async function flush(stream: CtlIo['stdout'] | CtlIo['stderr']): Promise<void> {
  if (!stream.destroyed && !stream.writableEnded)
    await new Promise<void>((resolve) => stream.write('', () => resolve()));
  if (stream.errored !== null) await new Promise((resolve) => setImmediate(resolve));
}
