/**
 * One run of the supervisor: creates its parts from a configuration, starts everything, waits for the shutdown, and
 * cleans up. The order of the steps is Supervisor's if a program or a test can observe it.
 */
import { hostname } from 'node:os';
import { isatty } from 'node:tty';
import { Alerts } from '../alerts/alerts.ts';
import type { Flags } from '../config/flags.ts';
import type { Config, Reading } from '../config/model.ts';
import { processFields } from '../core/log-fields.ts';
import { controlSocketPaths } from '../core/control-socket.ts';
import { describeMistake, messageOf, reasonOf } from '../core/error-text.ts';
import { containerExitCode, type ExitCause, formatCause, levelOfCause } from '../core/exit-policy.ts';
import { Sequence } from '../core/sequence.ts';
import { type InheritedSockets, readInheritedSockets } from '../core/socket-activation.ts';
import type { Message } from '../engine/messages.ts';
import type { Report } from '../engine/ports.ts';
import { currentDirectory } from '../files/current-directory.ts';
import type { Route } from '../http/route.ts';
import { ListenError } from '../http/listen-error.ts';
import { LogHub } from '../logs/hub.ts';
import type { MainLogSpec } from '../logs/ports.ts';
import type { Addon } from '../native/addon.ts';
import { Cgroups } from '../process/cgroups.ts';
import { systemClock, waitAtMost } from '../process/clock.ts';
import { Launcher } from '../process/launcher.ts';
import { LAST_WAIT_MS, Leftovers } from '../process/leftovers.ts';
import { waitForOutsiders } from '../process/outsiders.ts';
import { pathProbe } from '../files/path-probe.ts';
import { peerOf } from '../process/peer.ts';
import { Reaper } from '../process/reaper.ts';
import { type SignalIntake, signalsToTake } from '../process/signals.ts';
import { sweep } from '../process/sweep.ts';
import { isDetached, reportReady } from '../startup/daemon.ts';
import { EarlySignals } from '../startup/early-signals.ts';
import { hasOurMounts, readNamespaceIds } from '../startup/find-supervisor.ts';
import { type Preparation, prepareProcess, removeOldLogs, type Self, writePidFiles } from '../startup/own-process.ts';
import { findNoSocket, NOT_PASSED } from '../startup/inherited-sockets.ts';
import { keepTerminal } from '../startup/terminal.ts';
import { alertFacts } from '../supervisor/alert-facts.ts';
import { ApiAdapter } from '../supervisor/api-adapter.ts';
import { ConfigReader, type Scales } from '../supervisor/config-reader.ts';
import { ControlServers } from '../supervisor/control-servers.ts';
import { mainLogSpec } from '../supervisor/log-specs.ts';
import { type FindOwner, ownerFinder } from '../supervisor/owner-lookup.ts';
import { NO_TARGET, readTarget, SdNotifier, withoutNotifyVariables } from '../supervisor/sd-notifier.ts';
import { ProgramSockets } from '../supervisor/program-sockets.ts';
import { ServerRoutes } from '../supervisor/server-routes.ts';
import { memoryPort, Settling } from '../supervisor/settling.ts';
import { StopBudget } from '../supervisor/stop-budget.ts';
import { Supervision } from '../supervisor/supervision.ts';
import { writeTerminationLog } from '../supervisor/termination-log.ts';
import type { ProgramIo } from './program-io.ts';

/** The process that becomes the supervisor, and the way it was called. */
export interface SuperviseIo extends ProgramIo {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** Variables that make a copy of our process run with the same libc. */
  readonly libcChoice: Readonly<Record<string, string>>;
  readonly self: Omit<Self, 'isContainer'>;
  /** Path of our executable. */
  readonly executable: string;
  /** Path that was called, possibly a link. The configuration file is searched relative to its directory. */
  readonly calledPath: string;
  /** Name of this program in messages. */
  readonly calledAs: string;
  /** Version of onevisor. */
  readonly ownVersion: string;
  /** Original arguments, for a copy of ourselves. */
  readonly args: readonly string[];
}

/** Input of a run. */
export interface RunInput {
  readonly addon: Addon;
  readonly io: SuperviseIo;
  /** The configuration that was read first. */
  readonly reading: Reading & { readonly config: Config };
  /** Reads the configuration again. */
  readonly read: (scales: Scales) => Reading;
  readonly isContainer: boolean;
  readonly flags: Flags;
  readonly signals: SignalIntake;
}

/** A supervisor from its start to its exit. Creates all its parts; {@link SupervisorRun.run} starts them. */
export class SupervisorRun {
  readonly #input: RunInput;
  readonly #self: Self;
  /** Environment of the programs. */
  readonly #env: Readonly<NodeJS.ProcessEnv>;
  readonly #hub: LogHub;
  readonly #report: Report = (...line) => this.#hub.mainLog.write(...line);
  readonly #findOwner: FindOwner;
  readonly #configReader: ConfigReader;
  readonly #leftovers: Leftovers;
  readonly #reaper: Reaper;
  readonly #cgroups: Cgroups;
  readonly #sequence = new Sequence();
  readonly #stopBudget = new StopBudget(systemClock);
  readonly #finished = Promise.withResolvers<ExitCause>();
  readonly #supervision: Supervision;
  readonly #api: ApiAdapter;
  readonly #alerts: Alerts;
  readonly #routes: ServerRoutes;
  readonly #servers: ControlServers;
  readonly #notifier: SdNotifier;
  readonly #settling: Settling;

  /** Also prepares our own process: user, limits, umask. Throws a LimitError or a SpawnError. */
  constructor(input: RunInput) {
    const { addon, io, isContainer, signals, reading } = input;
    const { config } = reading;
    this.#input = input;
    // A command without other programs inherits the variables of the service manager, as under tini.
    this.#env = isCommandAlone(config) ? io.env : withoutNotifyVariables(io.env);
    this.#self = { ...io.self, isContainer };
    signals.take(signalsToTake(config, this.#self));
    const sockets = new ProgramSockets(addon);
    // Before the user changes: only root may listen at some ports and make sockets in some directories.
    sockets.begin(config);
    const { messages, limits, oomScoreAdj } = prepareProcess(addon, config, this.#self);
    // The log is not open yet when the owner of its file is looked up.
    this.#findOwner = ownerFinder(addon, (...line) => queueMicrotask(() => this.#report(...line)));
    this.#hub = this.#openLog();
    this.#configReader = new ConfigReader(input.read, reading, { report: this.#report, probe: pathProbe });
    this.#leftovers = new Leftovers((error) => this.#report('error', `cannot clean up: ${reasonOf(error)}`));
    process.on('uncaughtException', (error) =>
      this.#report('critical', `unexpected error: ${describeMistake(error)}`, { event: 'internal_error' }),
    );
    for (const message of [...messages, ...this.#introduce(), ...removeOldLogs(config)]) this.#report(...message);

    this.#reaper = new Reaper(addon);
    this.#settling = new Settling(memoryPort(() => addon.trimMemory(), this.#report));
    this.#cgroups = this.#makeCgroups();
    this.#supervision = this.#makeSupervision({ limits, oomScoreAdj }, sockets);
    this.#alerts = this.#makeAlerts();
    this.#api = new ApiAdapter({
      supervision: this.#supervision,
      hub: this.#hub,
      clock: systemClock,
      addon,
      env: this.#env,
      pid: this.#self.pid,
      sequence: this.#sequence,
      cgroups: this.#cgroups,
      onReaped: (listener) => this.#reaper.subscribe(listener),
      mountNamespace: () => readNamespaceIds().mount,
      notifications: {
        namesFor: (proc) => this.#alerts.namesFor(proc),
        plan: () => this.#alerts.plan(this.#supervision.groups.latest.notifications),
        update: () => this.#alerts.configure(this.#supervision.groups.latest.notifications),
        test: (name) => this.#alerts.test(name),
      },
    });
    // Subscribed later, so that the history knows the end of a run already.
    this.#supervision.subscribe((event) => this.#alerts.observe(event));
    this.#alerts.configure(config.notifications);
    this.#routes = new ServerRoutes(this.#api, this.#report, io.ownVersion);
    this.#notifier = new SdNotifier({
      addon,
      clock: systemClock,
      report: this.#report,
      target: isCommandAlone(config) ? NO_TARGET : readTarget(io.env, this.#self.pid),
      problems: () => this.#routes.problems(),
    });
    this.#supervision.subscribe((event) => this.#notifier.observe(event));
    this.#supervision.subscribe(() => this.#settling.note());
    this.#servers = this.#makeServers();
  }

  /** Starts the servers and the programs. Resolves with the exit code after the shutdown. */
  async run(): Promise<number> {
    this.#startReaper();
    const early = new EarlySignals(this.#input.signals, this.#supervision);
    // Report an error before the first start at once.
    let isAsked = true;
    try {
      // Opening the servers may wait for a plug-in. A shutdown does not wait for that.
      if (!early.isOver) await Promise.race([this.#finished.promise, this.#begin(early)]);
      const cause = await this.#finished.promise;
      isAsked = cause.kind !== 'program';
      // Before the sweep, which ends commands too.
      await this.#alerts.finish(this.#stopBudget.alertLimit());
      await this.#sweep(cause);
      return this.#exitCodeOf(cause);
    } finally {
      this.#notifier.close();
      this.#alerts.close();
      const closed = waitAtMost(LAST_WAIT_MS, this.#servers.close());
      await Promise.all([closed, this.#hub.finish(this.#stopBudget.flushLimit(isAsked))]);
      await this.#leftovers.finish();
    }
  }

  /** The initial configuration of the run. */
  get #config(): Config {
    return this.#input.reading.config;
  }

  /** True if our own log also goes to the console. */
  get #hasConsole(): boolean {
    return !isDetached(this.#input.io.args) && !this.#config.supervisord.silent;
  }

  #openLog(): LogHub {
    const { addon, flags } = this.#input;
    return new LogHub(
      {
        natives: addon,
        clock: systemClock,
        sequence: this.#sequence,
        color: flags.color ? 'always' : 'auto',
        noColor: (this.#env['NO_COLOR'] ?? '') !== '',
        streams: { 1: 1, 2: 2 },
      },
      this.#mainLogSpec(this.#config),
    );
  }

  #mainLogSpec(config: Config): MainLogSpec {
    return mainLogSpec(config, this.#hasConsole, (owner) => this.#findOwner(owner, 'the log of the supervisor'));
  }

  /** Returns messages about the configuration, before anything starts. */
  #introduce(): Message[] {
    const { isContainer } = this.#input;
    const { included, supervisord } = this.#config;
    const messages = included.map((path): Message => ['info', `Included extra file "${path}" during parsing`]);
    messages.push(...this.#configReader.firstWarnings());
    // The default is true in a container, so a user has written false.
    if (isContainer && !supervisord.nodaemon)
      messages.push(['warn', 'nodaemon=false is ignored: a container stays in the foreground']);
    return messages;
  }

  /** Makes the control groups of programs, which are removed at the end. */
  #makeCgroups(): Cgroups {
    const cgroups = new Cgroups({
      warn: (text, target) => this.#report('warn', text, { event: 'unchecked', ...processFields(target) }),
      kill: (pid, signal) => this.#input.addon.kill(pid, signal),
    });
    this.#leftovers.add(() => cgroups.removeEmpty());
    return cgroups;
  }

  #makeSupervision({ limits, oomScoreAdj }: Omit<Preparation, 'messages'>, sockets: ProgramSockets): Supervision {
    const { addon } = this.#input;
    const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    return new Supervision(this.#config, {
      addon,
      clock: systemClock,
      hub: this.#hub,
      findOwner: this.#findOwner,
      launcher: new Launcher({
        addon,
        self,
        warn: (text, fields) => this.#report('warn', text, fields),
        oomScoreAdj,
        freeDescriptors: () => this.#hub.closeOldPipes(),
      }),
      env: this.#env,
      limits,
      sockets,
      inherited: this.#takeInheritedSockets(),
      hasTerminal: [0, 1, 2].some((fd) => isatty(fd)),
      stopBudget: this.#stopBudget,
      cgroups: this.#cgroups,
      configuration: this.#configReader,
      reconfigure: (next) => this.#reconfigure(next),
      configureSelf: (next) => this.#configureSelf(next),
      serverUrl: () => this.#servers.serverUrl,
      updateNotifications: (sections) => this.#alerts.configure(sections),
      started: () => this.#alerts.started(),
      finished: this.#finished.resolve,
    });
  }

  #makeAlerts(): Alerts {
    return new Alerts({
      clock: systemClock,
      report: this.#report,
      jobs: this.#supervision.jobs,
      facts: alertFacts(() => this.#api),
      host: hostname(),
      identifier: () => this.#supervision.config.supervisord.identifier,
    });
  }

  /** Returns the sockets of a service manager (LISTEN_FDS) for the main program; null for none. */
  #takeInheritedSockets(): InheritedSockets | null {
    const { io } = this.#input;
    const inherited = readInheritedSockets(io.env, this.#self.pid);
    if (inherited === null) return null;
    const reason = this.#config.main === null ? NOT_PASSED : findNoSocket(inherited);
    if (reason === null) return inherited;
    this.#report('warn', `the sockets of LISTEN_FDS=${inherited.count} are not passed on: ${reason}`);
    return null;
  }

  #makeServers(): ControlServers {
    const { addon, io, isContainer } = this.#input;
    return new ControlServers({
      // Until the daemon is up, messages about its servers also appear on the terminal of the command.
      report: (level, text) => {
        this.#report(level, text);
        if (isDetached(io.args) && level !== 'debug') io.err(`${text}\n`);
      },
      lookUpOwner: (owner) => this.#findOwner(owner, 'the control socket'),
      privateAddresses: isContainer ? controlSocketPaths(this.#env, readNamespaceIds()) : [],
      peerOf: (fd) => peerOf(addon, fd),
    });
  }

  /** Applies a new configuration to the signals, our own log and the servers, while no program runs. Never rejects. */
  async #reconfigure(next: Config): Promise<void> {
    this.#configureSelf(next);
    this.#alerts.configure(next.notifications);
    await this.#servers.close();
    try {
      await this.#servers.open(next, await this.#routesOf(next));
    } catch (error) {
      const text = error instanceof ListenError ? error.message : `cannot open the servers: ${messageOf(error)}`;
      this.#report('critical', text);
    }
  }

  /** Makes the routes. Each request counts as activity. */
  async #routesOf(config: Config): Promise<Route[]> {
    const routes = await this.#routes.routesOf(config);
    return routes.map((route) => ({
      ...route,
      answer: (exchange) => {
        this.#settling.note();
        return route.answer(exchange);
      },
    }));
  }

  /** Applies a new configuration to the signals and our own log, while programs run or not. */
  #configureSelf(next: Config): void {
    this.#input.signals.take(signalsToTake(next, this.#self));
    this.#hub.mainLog.configure(this.#mainLogSpec(next));
  }

  #startReaper(): void {
    this.#reaper.subscribe((batch) => {
      this.#supervision.reaped(batch);
      // compat: users, and Supervisor's own tests, wait for this line.
      this.#report('debug', 'received SIGCHLD indicating a child quit');
    });
    this.#reaper.start();
  }

  async #begin(early: EarlySignals): Promise<void> {
    const { addon, io } = this.#input;
    const routes = await this.#routesOf(this.#config);
    if (early.isOver) return;
    await this.#servers.open(this.#config, routes);
    this.#report('info', "RPC interface 'supervisor' initialized");
    if (early.isOver) return;
    if (this.#config.main !== null) keepTerminal(addon, this.#leftovers);
    this.#report(...writePidFiles(this.#config, this.#self, currentDirectory(), this.#leftovers));
    reportReady(addon, io);
    this.#notifier.begin();
    early.start();
  }

  /** Stops the remaining orphans. Outside containers they are not touched, as in Supervisor. */
  async #sweep(cause: ExitCause): Promise<void> {
    const { pid, isContainer } = this.#self;
    if (!isContainer && pid !== 1) return;
    // The client that requested the shutdown must be able to print the answer and to exit with 0.
    if (cause.kind === 'request')
      await waitForOutsiders({ clock: systemClock, pid, isInside: hasOurMounts }, this.#stopBudget);
    const parts = { addon: this.#input.addon, reaper: this.#reaper, clock: systemClock, pid };
    for (const survivor of await sweep(parts, this.#stopBudget))
      this.#report('error', `pid ${survivor} survived SIGKILL and is left behind`, {
        event: 'left_behind',
        pid: survivor,
      });
  }

  #exitCodeOf(cause: ExitCause): number {
    const { success_exit_codes: successes } = this.#supervision.config.supervisord;
    if (cause.kind === 'program') {
      const level = levelOfCause(cause, successes);
      this.#report(level, formatCause(cause), { event: 'shutdown' });
      if (this.#self.isContainer) writeTerminationLog(formatCause(cause), this.#report);
    }
    return containerExitCode(cause, successes);
  }
}

/** True in init mode without other programs. */
function isCommandAlone({ main, groups }: Config): boolean {
  return main !== null && groups.length === 1;
}
