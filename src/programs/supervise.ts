/**
 * The supervisor as a program: command line and configuration, our own process, then a Supervision until it ends.
 * Returns the exit code. Everything that can be wrong before the first program starts is said here, on standard error,
 * with exit code 2.
 */
import { isatty } from 'node:tty';
import { MessageChannel } from 'node:worker_threads';
import { formatProblems } from '../config/effective.ts';
import { formatFlags, formatSupervisordUsage, type Flags, parseFlags } from '../config/flags.ts';
import type { Config, Reading } from '../config/model.ts';
import { formatProblem, isNote } from '../config/problems.ts';
import { readConfig } from '../config/read.ts';
import { openSource, readGivenFile } from '../config/source.ts';
import { controlSocketPaths, type Peer } from '../core/control-socket.ts';
import { describeMistake, messageOf, reasonOf } from '../core/error-text.ts';
import { containerExitCode, type ExitCause, formatCause } from '../core/exit-policy.ts';
import type { Message } from '../engine/messages.ts';
import type { Report } from '../engine/ports.ts';
import { currentDirectory } from '../files/current-directory.ts';
import { ListenError } from '../http/listen-error.ts';
import { LogHub } from '../logs/hub.ts';
import type { Addon } from '../native/addon.ts';
import { systemClock } from '../process/clock.ts';
import { resolveCredentials } from '../process/credentials.ts';
import { Launcher } from '../process/launcher.ts';
import { Leftovers } from '../process/leftovers.ts';
import { LimitError } from '../process/limits.ts';
import { Reaper } from '../process/reaper.ts';
import { FORWARDED_SIGNALS, ignoreTerminalStops, type SignalIntake, SUPERVISOR_SIGNALS } from '../process/signals.ts';
import { SpawnError } from '../process/spawn-error.ts';
import { sweep } from '../process/sweep.ts';
import { ApiAdapter } from '../supervisor/api-adapter.ts';
import { detach, isDetached, readHandedOver, reportReady } from '../startup/daemon.ts';
import { EarlySignals } from '../startup/early-signals.ts';
import { readNamespaceIds, SupervisorFinder } from '../startup/find-supervisor.ts';
import { findRefusal, type FirstLook } from '../startup/first-look.ts';
import { mainLogSpec } from '../supervisor/log-specs.ts';
import { findMode, isMain, staysInForeground } from '../startup/mode.ts';
import { NO_TARGET, SdNotifier, readTarget, withoutNotifyVariables } from '../supervisor/sd-notifier.ts';
import { prepareProcess, removeOldLogs, type Self, writePidFiles } from '../startup/preparation.ts';
import { Remote } from '../supervisor/remote.ts';
import { Services } from '../supervisor/services.ts';
import { StopBudget } from '../supervisor/stop-budget.ts';
import { Supervision } from '../supervisor/supervision.ts';
import { writeTerminationLog } from '../supervisor/termination-log.ts';
import type { ProgramIo } from './check.ts';

/** Entrypoint scripts start a daemon on purpose, others by mistake. */
const LEAVES_CONTAINER =
  'becoming a daemon, as nodaemon is not set; to stay in the foreground as the main process of a container, set nodaemon=true, or use -n or ONEVISOR_CONTAINER=1\n';

/** What the program needs from outside. */
export interface SuperviseIo extends ProgramIo {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly self: Omit<Self, 'isContainer'>;
  /** Path of our executable. */
  readonly executable: string;
  /** Path by which it was called, a link for one, beside whose directory the file is searched. */
  readonly calledPath: string;
  /** Name by which messages call us. */
  readonly calledAs: string;
  readonly version: string;
  /** Our own version. */
  readonly ownVersion: string;
  /** Arguments as they were given, for a copy of ourselves. */
  readonly args: readonly string[];
}

/** Runs the supervisor. Resolves with the exit code of the process. */
export async function runSupervise(addon: Addon, io: SuperviseIo, signals: SignalIntake): Promise<number> {
  const outcome = parseFlags(isDetached(io.args) ? io.args.slice(1) : io.args);
  switch (outcome.kind) {
    case 'help':
      io.out(io.calledAs === 'supervisord' ? formatSupervisordUsage(io.calledPath) : formatFlags(io.calledAs));
      return 0;
    case 'version':
      io.out(`${io.version}\n`);
      return 0;
    case 'usage':
      return refuse(
        io,
        isMain({ ...io, flags: { isContainer: false } }),
        `Error: ${outcome.message}\nFor help, use ${io.calledAs} -h\n`,
      );
    case 'run':
      break;
  }
  const { flags } = outcome;
  const refusal = isDetached(io.args) ? null : findRefusal(firstLook(addon, io, flags));
  // Not with the reason of the end that Kubernetes shows: this container goes on.
  if (refusal !== null) return refuse(io, io.self.pid === 1, refusal);
  const named = flags.file ?? io.env['ONEVISOR_CONF'];
  const given = isDetached(io.args) ? await readHandedOver(addon, io, named) : await readGivenFile(named);
  const readAs = (mode: boolean): Reading =>
    readConfig(openSource(io.env, addon, given), {
      isContainer: mode,
      isStatic: false,
      flags,
      executable: io.calledPath,
    });
  const { isContainer, leavesContainer, reading } = findMode({ ...io, flags }, readAs);
  if (reading.config === null) return refuse(io, isContainer, formatProblems(reading));
  const { config } = reading;
  if (!isContainer && !staysInForeground(config) && !isDetached(io.args)) {
    if (leavesContainer) io.err(LEAVES_CONTAINER);
    return detach(addon, io, config.supervisord, { given, signals });
  }
  const read = (): Reading => readAs(isContainer);
  holdLoop();
  try {
    return await supervise(addon, io, { config, warnings: formatWarnings(reading), read, isContainer, flags, signals });
  } catch (error) {
    if (!(error instanceof LimitError) && !(error instanceof SpawnError) && !(error instanceof ListenError))
      throw error;
    return refuse(io, isContainer, `Error: ${error.message}\n`);
  }
}

function firstLook(addon: Addon, io: SuperviseIo, flags: Flags): FirstLook {
  const { self, calledPath, calledAs, env } = io;
  const source = openSource(env, null);
  const finder = new SupervisorFinder({
    env,
    cwd: source.cwd,
    pid: self.pid,
    uid: self.uid,
    calledAs: calledPath,
    peers: () => addon,
  });
  const isOnTerminal = isatty(0) && isatty(1);
  return { flags, source, self, calledPath, calledAs, isOnTerminal, runningPid: () => finder.runningPid() };
}

/**
 * Says why nothing is started, where people look for it. There is no log yet for what else could be said. Returns the
 * exit code.
 */
function refuse(io: SuperviseIo, isContainer: boolean, text: string): number {
  io.err(text);
  if (isContainer) writeTerminationLog(text, () => undefined);
  return 2;
}

/**
 * Keeps Node's loop alive until the process ends. To wait for a signal, SIGCHLD too, is no reason for it to go on, and
 * there may be nothing else: no program that runs, or only a main program with streams of its own. A port waits without
 * a timer, so it wakes nobody.
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
  readonly signals: SignalIntake;
}

async function supervise(addon: Addon, io: SuperviseIo, start: Start): Promise<number> {
  const { config, isContainer, signals } = start;
  const { supervisord } = config;
  // Under tini a command would have the manager's variables too.
  const env = isCommandAlone(config) ? io.env : withoutNotifyVariables(io.env);
  const self: Self = { ...io.self, isContainer };
  signals.take(signalsFor(config, self));
  const { messages, limits } = prepareProcess(addon, config, self);
  const onConsole = !isDetached(io.args) && !supervisord.silent;
  const hub = new LogHub(
    {
      natives: addon,
      clock: systemClock,
      color: start.flags.color ? 'always' : 'auto',
      noColor: (env['NO_COLOR'] ?? '') !== '',
      streams: { 1: 1, 2: 2 },
    },
    mainLogSpec(config, onConsole),
  );
  const report: Report = (level, text) => hub.mainLog.write(level, text);
  const said = new SaidWarnings(start.warnings);
  const leftovers = new Leftovers((error) => report('error', `cannot clean up: ${reasonOf(error)}`));
  process.on('uncaughtException', (error) => report('critical', `unexpected error: ${describeMistake(error)}`));
  for (const [level, text] of [...messages, ...introduce(start), ...removeOldLogs(config)]) report(level, text);

  const reaper = new Reaper(addon);
  const ending = Promise.withResolvers<ExitCause>();
  const stopBudget = new StopBudget(systemClock);
  const supervision: Supervision = new Supervision(config, {
    addon,
    clock: systemClock,
    hub,
    launcher: new Launcher({ addon, self: currentIdentity(), warn: (text) => report('warn', text) }),
    env,
    limits,
    hasTerminal: [0, 1, 2].some((fd) => isatty(fd)),
    stopBudget,
    reread: () => {
      const reading = start.read();
      for (const warning of said.news(formatWarnings(reading))) report(isNote(warning) ? 'info' : 'warn', warning);
      return reading.config === null
        ? { config: null, problems: reading.errors.map(formatProblem) }
        : { config: reading.config };
    },
    reconfigure: async (next) => {
      signals.take(signalsFor(next, self));
      hub.mainLog.configure(mainLogSpec(next, onConsole));
      await remote.close();
      await remote
        .open(next, await services.routesOf(next))
        .catch((error: unknown) =>
          report(
            'critical',
            error instanceof ListenError ? error.message : `cannot open the servers: ${messageOf(error)}`,
          ),
        );
    },
    serverUrl: () => remote.serverUrl,
    ended: ending.resolve,
  });
  const control = new ApiAdapter({ supervision, hub, clock: systemClock, addon, env, pid: self.pid });
  const services = new Services(control, report, io.ownVersion);
  const notifier = new SdNotifier({
    addon,
    clock: systemClock,
    report,
    target: isCommandAlone(config) ? NO_TARGET : readTarget(io.env, self.pid),
    problems: () => services.problems(),
  });
  supervision.subscribe((event) => notifier.observe(event));
  const remote = new Remote({
    // Of a daemon, what is said of the servers is also seen where the command was given, until it is up.
    report: (level, text) => {
      report(level, text);
      if (isDetached(io.args) && level !== 'debug') io.err(`${text}\n`);
    },
    lookUpOwner: (owner) => lookUpOwner(addon, owner, report),
    privatePlaces: isContainer ? controlSocketPaths(env, readNamespaceIds()) : [],
    peerOf: (fd) => peerOf(addon, fd),
  });
  // An error before anything was started is told at once.
  let isAsked = true;
  reaper.subscribe((batch) => {
    supervision.reaped(batch);
    // compat: people, and Supervisor's own tests, wait for this line.
    report('debug', 'received SIGCHLD indicating a child quit');
  });
  reaper.start();
  const early = new EarlySignals(signals, supervision);
  const begin = async (): Promise<void> => {
    await remote.open(config, await services.routesOf(config));
    report('info', "RPC interface 'supervisor' initialized");
    if (!early.isOver) beginWork();
  };
  const beginWork = (): void => {
    if (config.main !== null) keepTerminal(addon, leftovers);
    report(...writePidFiles(config, self, currentDirectory(), leftovers));
    reportReady(addon, io);
    notifier.begin();
    early.start();
  };
  try {
    // Opening the servers may wait for a plug-in; the end does not wait for that.
    if (!early.isOver) await Promise.race([ending.promise, begin()]);
    const cause = await ending.promise;
    isAsked = cause.kind !== 'program';
    const survivors =
      isContainer || self.pid === 1
        ? await sweep({ addon, reaper, clock: systemClock, pid: self.pid }, stopBudget)
        : [];
    for (const pid of survivors) report('error', `pid ${pid} survived SIGKILL and is left behind`);
    if (cause.kind === 'program') {
      report(cause.wasExecuted ? 'info' : 'error', formatCause(cause));
      if (isContainer) writeTerminationLog(formatCause(cause), report);
    }
    return containerExitCode(cause, supervisord.success_exit_codes);
  } finally {
    notifier.close();
    await Promise.all([remote.close(), hub.finish(stopBudget.flushLimit(isAsked))]);
    leftovers.removeAll();
  }
}

/** True for init mode without programs beside the command. */
function isCommandAlone({ main, groups }: Config): boolean {
  return main !== null && groups.length === 1;
}

/**
 * All signals for a main program, in a container, and as PID 1, to which the kernel gives no default actions; else
 * those that mean something, and those of `forward_signals` and `stop_on_signals`.
 */
function signalsFor({ main, supervisord }: Config, { pid, isContainer }: Self): readonly number[] {
  if (main !== null || isContainer || pid === 1) return FORWARDED_SIGNALS;
  const named = [...supervisord.forward_signals.map(({ signal }) => signal), ...supervisord.stop_on_signals];
  return [...SUPERVISOR_SIGNALS, ...named.filter((number) => FORWARDED_SIGNALS.includes(number))];
}

/** What is to be said of the configuration before anything starts. */
function introduce({ config, warnings, isContainer }: Start): Message[] {
  const included = config.included.map((path): Message => ['info', `Included extra file "${path}" during parsing`]);
  const warned = warnings.map((warning): Message => [isNote(warning) ? 'info' : 'warn', warning]);
  // In a container the default is true: this is what somebody wrote.
  const daemon: Message[] =
    isContainer && !config.supervisord.nodaemon
      ? [['warn', 'nodaemon=false is ignored: a container stays in the foreground']]
      : [];
  return [...included, ...warned, ...daemon];
}

function formatWarnings({ warnings }: Reading): string[] {
  return warnings.map(formatProblem);
}

/** Warnings about the configuration that the log has already, so that each reading says only what is new. */
class SaidWarnings {
  #said: ReadonlySet<string>;

  constructor(first: readonly string[]) {
    this.#said = new Set(first);
  }

  /** The warnings that the reading before did not have. */
  news(warnings: readonly string[]): string[] {
    const before = this.#said;
    this.#said = new Set(warnings);
    return warnings.filter((warning) => !before.has(warning));
  }
}

/** The ids of an owner in `chown`; null, with a warning, where there is no such user or group. */
function lookUpOwner(
  addon: Addon,
  owner: { readonly user: string; readonly group: string | null },
  report: Report,
): { uid: number; gid: number } | null {
  try {
    const { uid, gid } = resolveCredentials(addon, { uid: 0, gid: 0 }, owner, false);
    return { uid: uid ?? 0, gid: gid ?? 0 };
  } catch (error) {
    if (!(error instanceof SpawnError)) throw error;
    report('warn', `cannot give the control socket to ${owner.user}: ${error.message}`);
    return null;
  }
}

function peerOf(addon: Addon, fd: number): Peer | null {
  const out = new Uint32Array(2);
  return addon.peerOf(fd, out) === 0 ? { pid: out[0] ?? 0, uid: out[1] ?? 0 } : null;
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
