/**
 * The supervisor as a program: command line and configuration, our own process, then a Supervision until it ends. Returns the exit code.
 * Everything that can be wrong before the first program starts is said here, on standard error, with exit code 2.
 */
import { MessageChannel } from 'node:worker_threads';
import { formatProblems } from '../config/effective.ts';
import { isContainerMode } from '../config/environment.ts';
import { formatFlags, type Flags, parseFlags } from '../config/flags.ts';
import type { Config, Reading } from '../config/model.ts';
import { readConfig } from '../config/read.ts';
import { openSource } from '../config/source.ts';
import { containerExitCode, type ExitCause, formatCause } from '../core/exit-policy.ts';
import { LogHub } from '../logs/hub.ts';
import type { Addon } from '../native/addon.ts';
import { systemClock } from '../process/clock.ts';
import { Launcher } from '../process/launcher.ts';
import { Leftovers } from '../process/leftovers.ts';
import { LimitError } from '../process/limits.ts';
import { Reaper } from '../process/reaper.ts';
import { FORWARDED_SIGNALS, ignoreTerminalStops, SUPERVISOR_SIGNALS, takeSignals } from '../process/signals.ts';
import { SpawnError } from '../process/spawn-error.ts';
import { sweep } from '../process/sweep.ts';
import { detach, isDetached, reportReady } from './daemon.ts';
import { mainLogSpec } from './log-specs.ts';
import { prepareProcess, removeOldLogs, type Self, writePidFile } from './preparation.ts';
import { Supervision } from './supervision.ts';
import type { ProgramIo } from './check.ts';

/** How long what remains at the end has from TERM to KILL, and how long we wait for the kernel after that. */
const SWEEP_GRACE = { termMs: 1000, killMs: 500 };
/** How long a reader of our output that stalls can hold up the end. */
const FLUSH_MS = 1000;

/** What the program needs from outside. */
export interface SuperviseIo extends ProgramIo {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly self: Omit<Self, 'isContainer'>;
  /** Path of our executable. */
  readonly executable: string;
  /** Name by which messages call us. */
  readonly calledAs: string;
  readonly version: string;
  /** Arguments as they were given, for a copy of ourselves. */
  readonly args: readonly string[];
}

/** Runs the supervisor. Resolves with the exit code of the process. */
export async function runSupervise(addon: Addon, io: SuperviseIo): Promise<number> {
  const outcome = parseFlags(isDetached(io.args) ? io.args.slice(1) : io.args);
  switch (outcome.kind) {
    case 'help':
      io.out(formatFlags(io.calledAs));
      return 0;
    case 'version':
      io.out(`${io.version}\n`);
      return 0;
    case 'usage':
      io.err(`Error: ${outcome.message}\nFor help, use ${io.calledAs} -h\n`);
      return 2;
    case 'run':
      break;
  }
  const isContainer = isContainerMode(io.self.pid, io.env, outcome.flags.isContainer);
  const read = (): Reading => readConfig(openSource(io.env, addon), { isContainer, isStatic: false, flags: outcome.flags, executable: io.executable });
  const reading = read();
  if (reading.config === null) {
    io.err(formatProblems(reading));
    return 2;
  }
  const { config } = reading;
  const staysHere = isContainer || config.supervisord.nodaemon || config.main !== null;
  if (!staysHere && !isDetached(io.args)) return detach(addon, io, config.supervisord);
  holdLoop();
  try {
    return await supervise(addon, io, { config, warnings: formatWarnings(reading), read, isContainer, flags: outcome.flags });
  } catch (error) {
    if (!(error instanceof LimitError) && !(error instanceof SpawnError)) throw error;
    io.err(`Error: ${error.message}\n`);
    return 2;
  }
}

/**
 * Keeps Node's loop alive until the process ends. To wait for a signal, SIGCHLD too, is no reason for it to go on, and there may be nothing
 * else: no program that runs, or only a main program with streams of its own. A port waits without a timer, so it wakes nobody.
 */
function holdLoop(): void {
  new MessageChannel().port1.ref();
}

interface Start {
  readonly config: Config;
  readonly warnings: readonly string[];
  readonly read: () => Reading;
  readonly isContainer: boolean;
  readonly flags: Flags;
}

async function supervise(addon: Addon, io: SuperviseIo, { config, warnings, read, isContainer, flags }: Start): Promise<number> {
  const self: Self = { ...io.self, isContainer };
  const { supervisord } = config;
  const { messages, limits } = prepareProcess(addon, config, self);
  const onConsole = !isDetached(io.args) && !supervisord.silent;
  const hub = new LogHub({
    natives: addon,
    clock: systemClock,
    color: flags.color ? 'always' : 'auto',
    noColor: (io.env['NO_COLOR'] ?? '') !== '',
    streams: { 1: 1, 2: 2 },
  }, mainLogSpec(config, onConsole));
  const log = hub.mainLog;
  const leftovers = new Leftovers((error) => log.write('error', `cannot clean up: ${String(error)}`));
  process.on('uncaughtException', (error) => log.write('critical', `unexpected error: ${error.stack ?? error.message}`));
  for (const [level, text] of [...messages, ...removeOldLogs(config)]) log.write(level, text);
  for (const path of config.included) log.write('info', `Included extra file "${path}" during parsing`);
  for (const warning of warnings) log.write('warn', warning);
  // In a container the default is true: this is what somebody wrote.
  if (isContainer && !supervisord.nodaemon) log.write('warn', 'nodaemon=false is ignored: a container stays in the foreground');

  const reaper = new Reaper(addon);
  const cause = await new Promise<ExitCause>((resolve) => {
    const supervision = new Supervision(config, {
      addon,
      clock: systemClock,
      hub,
      launcher: new Launcher({ addon, self: currentIdentity(), warn: (text) => log.write('warn', text) }),
      env: io.env,
      limits,
      reread: () => reread(read, hub, onConsole),
      ended: resolve,
    });
    reaper.subscribe((batch) => supervision.reaped(batch));
    takeSignals(config.main === null && self.pid !== 1 ? SUPERVISOR_SIGNALS : FORWARDED_SIGNALS, (_name, signal) => supervision.signalled(signal));
    if (config.main !== null) keepTerminal(addon, leftovers);
    if (supervisord.pidfile !== null) log.write(...writePidFile(supervisord.pidfile, self.pid, leftovers));
    else log.write('info', `supervisord started with pid ${self.pid}`);
    reaper.start();
    reportReady(io);
    supervision.start();
  });

  const survivors = self.pid === 1 ? await sweep({ addon, reaper, clock: systemClock, pid: 1 }, SWEEP_GRACE) : [];
  for (const pid of survivors) log.write('error', `pid ${pid} survived SIGKILL and is left behind`);
  if (cause.kind === 'program') log.write(cause.wasExecuted ? 'info' : 'error', formatCause(cause));
  await hub.flush(FLUSH_MS);
  leftovers.removeAll();
  return containerExitCode(cause, supervisord.success_exit_codes);
}

/** A configuration for a reload; a wrong one is reported, and null. */
function reread(read: () => Reading, hub: LogHub, onConsole: boolean): Config | null {
  const reading = read();
  for (const warning of formatWarnings(reading)) hub.mainLog.write('warn', warning);
  if (reading.config === null) {
    for (const line of formatProblems(reading).trimEnd().split('\n')) hub.mainLog.write('error', line);
    hub.mainLog.write('critical', 'the configuration is wrong: nothing is reloaded, everything goes on as it was');
    return null;
  }
  hub.mainLog.configure(mainLogSpec(reading.config, onConsole));
  return reading.config;
}

function formatWarnings({ warnings }: Reading): string[] {
  return warnings.map(({ file, line, section, option, reason }) => `${file}:${line}: [${section}] ${option === null ? '' : `${option}: `}${reason}`);
}

function currentIdentity(): { uid: number; gid: number } {
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
}

/** The terminal is the main program's while it runs, and whose it was before when we end. */
function keepTerminal(addon: Addon, leftovers: Leftovers): void {
  const before = addon.foregroundGroup(0);
  if (before < 0) return;
  ignoreTerminalStops(addon);
  leftovers.add(() => {
    addon.setForegroundGroup(0, before);
  });
}

