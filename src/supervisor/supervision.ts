/**
 * The running supervisor: connects the engine to the kernel, the pipes of the programs to the logs, and signals to
 * requests. A reload creates a new engine, new streams and new monitors. Does not end the process.
 */
import { applyLiveSettings, diffSettings, type SettingsDiff } from '../config/diff.ts';
import type { Config, ProcessConfig } from '../config/model.ts';
import { formatProblem } from '../config/problems.ts';
import type { ClientRequest, SignalCause } from '../core/cause.ts';
import type { ExitCause } from '../core/exit-policy.ts';
import type { Goal } from '../core/shutdown-machine.ts';
import { Engine } from '../engine/engine.ts';
import type { EngineEvent, Listener } from '../engine/events.ts';
import type { Monitor } from '../engine/monitor.ts';
import type { Jobs, Report } from '../engine/ports.ts';
import { namespecOf } from '../engine/process-table.ts';
import type { ShutdownPlan } from '../engine/shutdown.ts';
import { TurnBudget } from '../engine/turn-budget.ts';
import { Serials } from '../events/event-pools.ts';
import type { Reaped } from '../native/addon.ts';
import type { CheckResult } from '../core/probe.ts';
import type { ProcessRemark } from '../core/process-remark.ts';
import type { LaunchSettings } from '../process/launcher.ts';
import { CommandJobs } from '../process/jobs.ts';
import { ActiveGroups } from './active-groups.ts';
import { problemFields, type Unread } from './config-reader.ts';
import { ConfigurationWatch } from './configuration-watch.ts';
import { DepartedOutputs } from './departed-outputs.ts';
import { EventWiring } from './event-wiring.ts';
import { makeMonitors, remarksOf } from './monitors.ts';
import { ProgramReloads } from './program-reloads.ts';
import type { NamedOutput } from './line-sources.ts';
import { ProgramStarter } from './program-starter.ts';
import { ProgramStreams } from './program-streams.ts';
import { reopenLogs } from './reopen-logs.ts';
import { SignalActions } from './signal-actions.ts';
import type { SupervisionParts } from './supervision-parts.ts';
import { makeWatchFiles, type WatchFiles } from './watched-files.ts';

/** The supervisor from its start to its end, over all reloads. */
export class Supervision {
  readonly #parts: SupervisionParts;
  readonly #starter: ProgramStarter;
  readonly #listeners = new Set<Listener>();
  /** The configuration that the engine was made from, with the options that updates have applied since. */
  #config: Config;
  #streams: ProgramStreams;
  #events: EventWiring;
  #engine: Engine;
  #groups: ActiveGroups;
  #monitors: readonly Monitor[] = [];
  readonly #jobs: CommandJobs;
  readonly #report: Report = (...line) => this.#parts.hub.mainLog.write(...line);
  /** Limits the starts in one turn of the loop: of programs, hooks and checks together. */
  readonly #startBudget = new TurnBudget({ nowMs: () => this.#parts.clock.nowMs(), nextTurn: setImmediate });
  readonly #serials = new Serials();
  readonly #watchFiles: WatchFiles;
  /** The watch of the configuration files; null without `watch_config`. */
  #configurationWatch: ConfigurationWatch | null = null;
  /** The last lines of programs that are no longer configured. */
  readonly departed = new DepartedOutputs(() => this.#parts.clock.nowMs());
  /** Handles incoming signals. */
  readonly signals: SignalActions;
  /** Reloads of single programs, by clients. */
  readonly reloads: ProgramReloads;
  /** New configuration of the reload in progress; null if there is none. */
  #next: Config | null = null;
  /** First request to shut down; null for none. */
  #shutdownCause: ExitCause | null = null;
  /** True once a client has requested a shutdown. */
  #isRequestedByClient = false;

  constructor(config: Config, parts: SupervisionParts) {
    this.#parts = parts;
    this.#starter = new ProgramStarter({ ...parts, report: this.#report }, () => ({
      config: this.#config,
      streams: this.#streams,
      sockets: this.#parts.sockets,
    }));
    this.#config = config;
    this.#watchFiles = makeWatchFiles(parts.clock, parts.hub, this.#report);
    this.signals = this.#makeSignals();
    parts.sockets.attach({ engine: () => this.#engine, report: this.#report });
    this.#jobs = this.#makeJobs();
    this.reloads = new ProgramReloads({ engine: () => this.#engine, jobs: this.#jobs, report: this.#report });
    this.#streams = this.#openStreams(config);
    this.#events = this.#wireEvents(config);
    this.#engine = this.#makeEngine(config);
    this.#groups = this.#makeGroups(config);
  }

  /** The engine; another object after a reload. */
  get engine(): Engine {
    return this.#engine;
  }

  /** The streams of the programs; another object after a reload. */
  get streams(): ProgramStreams {
    return this.#streams;
  }

  /** The events and their listeners; another object after a reload. */
  get events(): EventWiring {
    return this.#events;
  }

  /** The configuration that the engine was made from. Clients may have added and removed groups since. */
  get config(): Config {
    return this.#config;
  }

  /** Goal of the shutdown in progress; null if there is none. */
  get goal(): Goal | null {
    if (this.#engine.phase === 'running') return null;
    return this.#next === null || this.#shutdownCause !== null ? 'exit' : 'restart';
  }

  /** Runs commands besides the programs. */
  get jobs(): Jobs {
    return this.#jobs;
  }

  /** The active groups; another object after a reload. */
  get groups(): ActiveGroups {
    return this.#groups;
  }

  /** Returns the facts of the monitors about a process, such as the next run of its schedule. */
  remarks(id: string): ProcessRemark[] {
    return remarksOf(this.#monitors, id);
  }

  /** Returns the latest health check of a process; null for none. */
  lastCheck(id: string): CheckResult | null {
    return this.#monitors.map((monitor) => monitor.lastCheck?.(id) ?? null).find((check) => check !== null) ?? null;
  }

  /** Returns the settings that a program would start with. Rejects with a SpawnError. */
  launchSettingsOf(proc: ProcessConfig): Promise<LaunchSettings> {
    return this.#starter.settingsOf(proc);
  }

  /** Starts all programs with autostart. */
  start(): void {
    this.#parts.started();
    this.#events.begin(this.#config.groups);
    for (const monitor of this.#monitors) monitor.begin(this.#engine.processes());
    this.#engine.start();
    this.#watchConfiguration();
  }

  /** Calls `listener` on every event of this engine and of later engines. Returns a function that unsubscribes. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes a batch of ended children from the reaper. */
  reaped(batch: readonly Reaped[]): void {
    this.#engine.reaped(this.#jobs.take(batch));
  }

  /** Shuts down on request of a client. */
  shutdown(cause: ClientRequest): void {
    this.#isRequestedByClient = true;
    this.#shutDownBy(cause, { delayMs: this.#config.supervisord.shutdown_delay * 1000 });
  }

  /** Stops the programs now, during the delay of a shutdown, on request of a client. False if there is no delay. */
  endDelay(cause: ClientRequest): boolean {
    if (this.#engine.phase !== 'delayed') return false;
    this.#isRequestedByClient = true;
    this.#report('warn', 'a client asked again to shut down: ending shutdown_delay');
    this.#engine.shutDown('exit', cause);
    return true;
  }

  /** Takes a request of a client during a shutdown. The second one kills the remaining processes, and returns true. */
  shutdownAgain(): boolean {
    if (this.#engine.phase === 'running' || this.#engine.phase === 'delayed') return false;
    const isSecond = this.#isRequestedByClient;
    this.#isRequestedByClient = true;
    if (!isSecond) return false;
    this.#report('warn', 'a client asked again to shut down: killing the remaining processes');
    this.#engine.hurry();
    return true;
  }

  /**
   * Reads the configuration again and restarts everything with it. Returns the problems of an invalid configuration,
   * which changes nothing. During a reload, the latest valid configuration is the one that is started with.
   */
  reload(cause: ExitCause): Promise<readonly string[]> {
    return this.#parts.configuration.reach((unread) => this.#reload(cause, unread));
  }

  #reload(cause: ExitCause, unread: Unread | null): readonly string[] {
    const isRunning = this.#engine.phase === 'running';
    if (!isRunning && this.#next === null) return [];
    const reread = unread ?? this.#parts.configuration.reread();
    if (reread.config === null) {
      for (const error of reread.errors) this.#report('error', formatProblem(error), problemFields(error));
      const why = unread === null ? 'the configuration is invalid' : 'its files do not answer';
      this.#report('critical', `cannot reload: ${why}; nothing has changed`, { event: 'configuration' });
      return reread.problems;
    }
    this.#next = reread.config;
    if (isRunning) this.#engine.shutDown('restart', cause);
    return [];
  }

  #watchConfiguration(): void {
    if (!this.#config.supervisord.watch_config) return;
    this.#configurationWatch = new ConfigurationWatch({
      engine: this.#engine,
      groups: this.#groups,
      updateSettings: () => void this.updateSettings(true),
      report: this.#report,
      watchFiles: this.#watchFiles,
      updateNotifications: this.#parts.updateNotifications,
    });
  }

  /**
   * Compares the settings of the latest configuration, besides the groups, with the current ones. `isApplied`: also
   * applies those that can change while programs run.
   */
  updateSettings(isApplied: boolean): SettingsDiff {
    const { latest, list } = this.#groups;
    const difference = diffSettings(this.#config, latest);
    if (!isApplied || this.#engine.phase !== 'running') return difference;
    this.#config = applyLiveSettings(this.#config, latest);
    if (difference.live.length > 0) {
      const processes = list.flatMap((group) => group.processes);
      this.#parts.configureSelf(this.#config);
      this.#streams.configureAll(this.#config.supervisord, processes);
      this.#report('info', `[supervisord] ${difference.live.join(', ')} updated`, { event: 'updated' });
    }
    if (difference.pending.length > 0)
      this.#report('warn', `an update does not apply ${difference.pending.join(', ')}; use onevisor reload`, {
        event: 'updated',
      });
    return difference;
  }

  #makeEngine(config: Config): Engine {
    const { clock, addon, env, sockets, stopBudget } = this.#parts;
    const main = config.groups.find(({ name }) => name === config.main)?.processes[0];
    const engine = new Engine(
      config.groups,
      {
        exitWhenIdle: config.supervisord.exit_when_idle,
        mainProgram: main === undefined ? null : namespecOf(main),
      },
      {
        processes: this.#starter,
        jobs: this.#jobs,
        clock,
        report: this.#report,
        chance: Math.random,
        budget: this.#startBudget,
        shutdownBudget: stopBudget.of(() => this.#config),
        beforeStop: (ids, proceed) => this.#events.waitForListeners(ids, proceed),
        finished: (goal, cause) => this.#finished(goal, cause),
      },
    );
    this.#monitors = makeMonitors({
      engine,
      clock,
      report: this.#report,
      jobs: this.#jobs,
      addon,
      env,
      channels: this.#starter.channels,
      watchFiles: this.#watchFiles,
      cgroups: this.#parts.cgroups,
      readyLogs: this.#starter.readyLogs,
      sockets,
    });
    engine.subscribe((event) => this.#observe(event));
    return engine;
  }

  #makeGroups(config: Config): ActiveGroups {
    const { configuration, sockets } = this.#parts;
    return new ActiveGroups(config, { engine: this.#engine, streams: this.#streams, sockets, configuration });
  }

  #finished(goal: Goal, cause: ExitCause): void {
    this.#events.close();
    this.#configurationWatch?.close();
    this.#configurationWatch = null;
    for (const monitor of this.#monitors) monitor.close();
    if (goal === 'exit' || this.#next === null) {
      this.#parts.sockets.closeAll();
      return this.#parts.finished(cause);
    }
    void this.#startOver();
  }

  /**
   * Starts again with the next configuration, after the last turn of the finished engine. Until then, a signal only
   * notes a request to shut down, and a reload replaces the configuration.
   */
  async #startOver(): Promise<void> {
    this.#streams.closeAll();
    let next = this.#config;
    while (this.#next !== null && next !== this.#next && this.#shutdownCause === null)
      await this.#parts.reconfigure((next = this.#next));
    if (this.#shutdownCause !== null) {
      this.#parts.sockets.closeAll();
      return this.#parts.finished(this.#shutdownCause);
    }
    this.#next = null;
    this.#config = next;
    this.#parts.sockets.begin(next);
    this.#streams = this.#openStreams(next);
    this.#events = this.#wireEvents(next);
    this.#engine = this.#makeEngine(next);
    this.#groups = this.#makeGroups(next);
    // The servers are open already, and their clients may follow the processes from before.
    const ids = new Set(this.#engine.processes().map(({ id }) => id));
    for (const listener of this.#listeners) listener({ type: 'restarted', ids });
    this.start();
  }

  #observe(event: EngineEvent): void {
    if (event.type === 'configured') this.#parts.cgroups.update(event.process.config);
    if (event.type === 'group') this.#parts.cgroups.removeEmpty();
    this.#parts.sockets.observe(event);
    if (event.type === 'supervisor' && event.goal === 'exit') this.#parts.sockets.release();
    // The run has ended, so its standard input is closed.
    if (event.type === 'process' && event.process.record.pid === null && event.process.record.state !== 'STARTING')
      this.#streams.closeInput(event.process.id);
    this.#events.observe(event, (name) => this.#groups.get(name));
    for (const monitor of this.#monitors) monitor.observe(event);
    this.reloads.observe(event);
    for (const listener of this.#listeners) listener(event);
  }

  /** Makes the runner of hooks and checks. They get the same environment and limits as programs. */
  #makeJobs(): CommandJobs {
    const { addon, launcher, clock, env, limits, serverUrl } = this.#parts;
    return new CommandJobs({
      budget: this.#startBudget,
      addon,
      launcher,
      clock,
      report: this.#report,
      context: () => ({
        inherited: env,
        common: this.#config.supervisord.environment,
        serverUrl: serverUrl(),
        limits,
      }),
      channel: (proc, stream) => this.#streams.channel(namespecOf(proc), stream),
    });
  }

  #wireEvents({ supervisord }: Config): EventWiring {
    return new EventWiring({
      clock: this.#parts.clock,
      report: this.#report,
      serials: this.#serials,
      server: supervisord.identifier,
      streams: this.#streams,
      engine: () => this.#engine,
    });
  }

  /** Opens the streams of all programs, except for the main program of init mode, which has our own streams. */
  #openStreams({ groups, supervisord, main }: Config): ProgramStreams {
    const { hub, findOwner } = this.#parts;
    const departed = (output: NamedOutput): void => this.departed.add(output);
    const streams = new ProgramStreams({ hub, findOwner, report: this.#report, supervisord, departed });
    for (const { name, processes } of groups) if (name !== main) for (const proc of processes) streams.open(proc);
    return streams;
  }

  #makeSignals(): SignalActions {
    const { clock, hasTerminal, stopBudget } = this.#parts;
    return new SignalActions({
      config: () => this.#config,
      engine: () => this.#engine,
      clock,
      stopBudget,
      report: this.#report,
      hasTerminal,
      isShuttingDown: () => this.#shutdownCause !== null,
      shutDown: (cause, plan) => this.#shutDownBy(cause, plan),
      reload: (cause) => void this.reload(cause),
      reopenLogs: () => reopenLogs(this.#parts.hub),
    });
  }

  #shutDownBy(cause: SignalCause | ClientRequest, plan: ShutdownPlan): void {
    this.#shutdownCause ??= cause;
    this.#engine.shutDown('exit', cause, plan);
  }
}
