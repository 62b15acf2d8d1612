/**
 * The running supervisor: connects the engine to the kernel, the pipes of the programs to the logs, and signals to
 * requests. A reload creates a new engine, new streams and new monitors. Does not end the process.
 */

import type { Config, ProcessConfig } from '../config/model.ts';
import type { ClientRequest, SignalCause } from '../core/cause.ts';
import { reasonOf } from '../core/error-text.ts';
import type { ExitCause } from '../core/exit-policy.ts';
import type { Goal } from '../core/shutdown-machine.ts';
import { Engine } from '../engine/engine.ts';
import type { EngineEvent, Listener } from '../engine/events.ts';
import type { Monitor } from '../engine/monitor.ts';
import type { Report } from '../engine/ports.ts';
import { namespecOf } from '../engine/process-table.ts';
import { TurnBudget } from '../engine/turn-budget.ts';
import { Serials } from '../events/event-pools.ts';
import type { Hub } from '../logs/ports.ts';
import type { Reaped } from '../native/addon.ts';
import type { CheckResult } from '../core/probe.ts';
import type { ProcessRemark } from '../core/process-remark.ts';
import type { SystemClock } from '../process/clock.ts';
import type { LaunchSettings } from '../process/launcher.ts';
import { CommandJobs } from '../process/jobs.ts';
import { ActiveGroups } from './active-groups.ts';
import type { ConfigurationReader } from './config-reader.ts';
import { DepartedOutputs } from './departed-outputs.ts';
import { EventWiring } from './event-wiring.ts';
import { FastCgiSockets } from './fastcgi-sockets.ts';
import { makeMonitors, remarksOf } from './monitors.ts';
import { ProgramStarter, type StarterParts } from './program-starter.ts';
import { ProgramStreams } from './program-streams.ts';
import { SignalActions } from './signal-actions.ts';
import type { StopBudget } from './stop-budget.ts';

/** Parts of a {@link Supervision}. */
export interface SupervisionParts extends StarterParts {
  readonly clock: SystemClock;
  readonly hub: Hub;
  readonly stopBudget: StopBudget;
  /** True if standard input, output or error is a terminal. */
  readonly hasTerminal: boolean;
  /** Reads the configuration again and reports its warnings. */
  readonly configuration: ConfigurationReader;
  /** Applies a new configuration to our own log, the signals and the servers, while no program runs. Never rejects. */
  readonly reconfigure: (config: Config) => Promise<void>;
  /** Called when all programs have ended. */
  readonly finished: (cause: ExitCause) => void;
}

/** The supervisor from its start to its end, over all reloads. */
export class Supervision {
  readonly #parts: SupervisionParts;
  readonly #starter: ProgramStarter;
  readonly #listeners = new Set<Listener>();
  /** The configuration that the engine was made from. */
  #config: Config;
  #streams: ProgramStreams;
  readonly #sockets: FastCgiSockets;
  #events: EventWiring;
  #engine: Engine;
  #groups: ActiveGroups;
  #monitors: readonly Monitor[] = [];
  readonly #jobs: CommandJobs;
  readonly #report: Report = (...line) => this.#parts.hub.mainLog.write(...line);
  /** Limits the starts in one turn of the loop: of programs, hooks and checks together. */
  readonly #startBudget = new TurnBudget({ nowMs: () => this.#parts.clock.nowMs(), nextTurn: setImmediate });
  readonly #serials = new Serials();
  /** The last lines of programs that are no longer configured. */
  readonly departed = new DepartedOutputs(() => this.#parts.clock.nowMs());
  /** Handles incoming signals. */
  readonly signals: SignalActions;
  /** New configuration of the reload in progress; null if there is none. */
  #next: Config | null = null;
  /** First request of a signal or of a client to shut down; null for none. */
  #shutdownCause: ExitCause | null = null;
  /** True once a client has requested a shutdown. */
  #isRequestedByClient = false;

  constructor(config: Config, parts: SupervisionParts) {
    this.#parts = parts;
    this.#starter = new ProgramStarter(parts, () => ({
      config: this.#config,
      streams: this.#streams,
      sockets: this.#sockets,
    }));
    this.#config = config;
    this.signals = this.#makeSignals();
    this.#sockets = new FastCgiSockets(parts.addon, this.#report);
    this.#jobs = this.#makeJobs();
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

  /** Returns the settings that a program would start with. Throws a SpawnError for an unknown user. */
  launchSettingsOf(proc: ProcessConfig): LaunchSettings {
    return this.#starter.settingsOf(proc);
  }

  /** Starts all programs with autostart. */
  start(): void {
    this.#events.begin(this.#config.groups);
    for (const monitor of this.#monitors) monitor.begin(this.#engine.processes());
    this.#engine.start();
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
    this.#shutdownCause ??= cause;
    this.#isRequestedByClient = true;
    this.#engine.shutDown('exit', cause);
  }

  /**
   * Handles another shutdown request of a client during a shutdown. The second request kills the remaining processes
   * and returns true.
   */
  shutdownAgain(): boolean {
    if (this.#engine.phase === 'running') return false;
    const isSecond = this.#isRequestedByClient;
    this.#isRequestedByClient = true;
    if (!isSecond) return false;
    this.#report('warn', 'a client asked again to shut down: killing the remaining processes');
    this.#engine.hurry();
    return true;
  }

  /**
   * Reads the configuration again and restarts everything with it. Returns the problems of an invalid configuration,
   * which changes nothing.
   */
  reload(cause: ExitCause): readonly string[] {
    if (this.#engine.phase !== 'running') return [];
    const { mainLog } = this.#parts.hub;
    const reread = this.#parts.configuration.reread();
    if (reread.config === null) {
      for (const problem of reread.problems) mainLog.write('error', problem);
      mainLog.write('critical', 'cannot reload: the configuration is invalid; nothing has changed');
      return reread.problems;
    }
    this.#next = reread.config;
    this.#engine.shutDown('restart', cause);
    return [];
  }

  #makeEngine(config: Config): Engine {
    const { clock, addon, env, stopBudget } = this.#parts;
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
    });
    engine.subscribe((event) => this.#observe(event));
    return engine;
  }

  #makeGroups(config: Config): ActiveGroups {
    const { configuration } = this.#parts;
    return new ActiveGroups(config, { engine: this.#engine, streams: this.#streams, configuration });
  }

  #finished(goal: Goal, cause: ExitCause): void {
    this.#events.close();
    for (const monitor of this.#monitors) monitor.close();
    const next = this.#next;
    if (goal === 'exit' || next === null) return this.#parts.finished(cause);
    void this.#startOver(next);
  }

  /**
   * Starts again with a new configuration, after the last turn of the finished engine. Signals during the wait still
   * reach the finished engine, which only notes a request to shut down.
   */
  async #startOver(next: Config): Promise<void> {
    this.#streams.closeAll();
    await this.#parts.reconfigure(next);
    if (this.#shutdownCause !== null) return this.#parts.finished(this.#shutdownCause);
    this.#next = null;
    this.#config = next;
    this.#streams = this.#openStreams(next);
    this.#events = this.#wireEvents(next);
    this.#engine = this.#makeEngine(next);
    this.#groups = this.#makeGroups(next);
    this.start();
  }

  #observe(event: EngineEvent): void {
    if (event.type === 'process' || event.type === 'group') this.#sockets.closeUnused(() => this.#engine.processes());
    // The run has ended, so its standard input is closed.
    if (event.type === 'process' && event.process.record.pid === null && event.process.record.state !== 'STARTING')
      this.#streams.closeInput(event.process.id);
    this.#events.observe(event, (name) => this.#groups.get(name));
    for (const monitor of this.#monitors) monitor.observe(event);
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
    const streams = new ProgramStreams(this.#parts.hub, this.#report, supervisord, (output) =>
      this.departed.add(output),
    );
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
      shutDown: (cause) => this.#shutDownBy(cause),
      reload: (cause) => void this.reload(cause),
      reopenLogs: () => this.#reopenLogs(),
    });
  }

  #shutDownBy(cause: SignalCause): void {
    this.#shutdownCause ??= cause;
    this.#engine.shutDown('exit', cause);
  }

  #reopenLogs(): void {
    const { hub } = this.#parts;
    const failed = (error: unknown): void => hub.mainLog.write('error', `cannot reopen the log: ${reasonOf(error)}`);
    hub.mainLog.reopen().then(() => hub.mainLog.write('info', 'supervisord logreopen'), failed);
    hub.reopen().catch(failed);
  }
}
