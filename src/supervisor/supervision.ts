/**
 * The supervisor on one configuration after the other: connects the engine to the kernel, the programs' pipes to the
 * logs, and signals to requests. It decides nothing that core/ decides, and does not end the process.
 */
import { splitCommandLine } from '../config/command-line.ts';
import { diffConfigs } from '../config/diff.ts';
import type { Config, GroupConfig } from '../config/model.ts';
import { reasonOf } from '../core/error-text.ts';
import type { ExitCause } from '../core/exit-policy.ts';
import type { Goal } from '../core/shutdown-machine.ts';
import { Engine } from '../engine/engine.ts';
import type { EngineEvent, Listener } from '../engine/events.ts';
import type { Report } from '../engine/ports.ts';
import { namespecOf } from '../engine/process-table.ts';
import { TurnBudget } from '../engine/turn-budget.ts';
import { Serials } from '../events/event-pools.ts';
import type { Hub } from '../logs/ports.ts';
import type { Reaped } from '../native/addon.ts';
import type { SystemClock } from '../process/clock.ts';
import { CommandJobs } from '../process/jobs.ts';
import type { Monitor } from '../engine/monitor.ts';
import { makeMonitors, remarksOf } from './monitors.ts';
import type { Reread } from './config-reader.ts';
import { EventWiring } from './event-wiring.ts';
import { FastCgiSockets } from './fastcgi-sockets.ts';
import { planUpdate, type UpdatePlan, updateGroup } from './group-update.ts';
import { ProgramStarter, type StarterParts } from './program-starter.ts';
import { ProgramStreams } from './program-streams.ts';
import { SignalActions } from './signal-actions.ts';
import type { StopBudget } from './stop-budget.ts';

/** What a supervision is built from. */
export interface SupervisionParts extends StarterParts {
  readonly clock: SystemClock;
  readonly hub: Hub;
  readonly stopBudget: StopBudget;
  /** A terminal is attached to us, as standard input, output or error. */
  readonly hasTerminal: boolean;
  /** Reads the configuration anew, with its warnings said. */
  readonly reread: () => Reread;
  /**
   * Makes the rest of the supervisor as a new configuration has it, after everything was stopped: its log, its servers.
   * Never rejects.
   */
  readonly reconfigure: (config: Config) => Promise<void>;
  /** Nothing of ours runs any more. */
  readonly ended: (cause: ExitCause) => void;
}

/** One run of the supervisor, reloads included. */
export class Supervision {
  readonly #parts: SupervisionParts;
  readonly #starter: ProgramStarter;
  readonly #listeners = new Set<Listener>();
  /** The groups at work, by name. */
  readonly #active = new Map<string, GroupConfig>();
  /** What the engine was made from. */
  #config: Config;
  /** The configuration as it was read last; its groups can be activated. */
  #latest: Config;
  #streams: ProgramStreams;
  readonly #sockets: FastCgiSockets;
  #events: EventWiring;
  #engine: Engine;
  #monitors: readonly Monitor[] = [];
  readonly #jobs: CommandJobs;
  readonly #report: Report = (level, text) => this.#parts.hub.mainLog.write(level, text);
  /** Programs, hooks and checks start out of one budget. */
  readonly #startBudget = new TurnBudget({ nowMs: () => this.#parts.clock.nowMs(), nextTurn: setImmediate });
  readonly #serials = new Serials();
  /** Acts upon the signals that come in. */
  readonly signals: SignalActions;
  /** What a reload under way will start with. */
  #next: Config | null = null;
  #wasAskedToEnd = false;
  /** A client has asked for the end. */
  #wasRequested = false;

  constructor(config: Config, parts: SupervisionParts) {
    this.#parts = parts;
    this.#starter = new ProgramStarter(parts, () => ({
      config: this.#config,
      streams: this.#streams,
      sockets: this.#sockets,
    }));
    this.#config = config;
    this.#latest = config;
    this.signals = this.#makeSignals();
    this.#sockets = new FastCgiSockets(parts.addon, this.#report);
    this.#jobs = this.#makeJobs();
    this.#streams = this.#openStreams(config);
    this.#events = this.#wireEvents(config);
    this.#engine = this.#makeEngine(config);
  }

  /** The engine at work; another one after a reload. */
  get engine(): Engine {
    return this.#engine;
  }

  /** The streams of the programs at work. */
  get streams(): ProgramStreams {
    return this.#streams;
  }

  /** The event listeners at work. */
  get events(): EventWiring {
    return this.#events;
  }

  /** The configuration at work; groups may have come and gone since. */
  get config(): Config {
    return this.#config;
  }

  /** The configuration as it was read last. */
  get latest(): Config {
    return this.#latest;
  }

  /** Whether the end under way is a restart; null while there is none. */
  get goal(): Goal | null {
    if (this.#engine.phase === 'running') return null;
    return this.#next === null || this.#wasAskedToEnd ? 'exit' : 'restart';
  }

  /** The groups at work, by priority. */
  get groups(): GroupConfig[] {
    return [...this.#active.values()].toSorted((a, b) => a.priority - b.priority);
  }

  /** What is to be said of a process besides its state, as the next run of its schedule. */
  remarks(id: string): string[] {
    return remarksOf(this.#monitors, id);
  }

  /** Starts everything that has autostart. */
  start(): void {
    this.#events.begin(this.#config.groups);
    for (const monitor of this.#monitors) monitor.begin(this.#engine.processes());
    this.#engine.start();
  }

  /** Is told of every change in this engine and those after it. Returns the function that ends this. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes a batch from the reaper. */
  reaped(batch: readonly Reaped[]): void {
    this.#engine.reaped(this.#jobs.take(batch));
  }

  /** Ends everything, by request of a client. */
  shutdown(): void {
    this.#wasAskedToEnd = true;
    this.#wasRequested = true;
    this.#engine.end('exit', { kind: 'request' });
  }

  /**
   * Takes a client's request to shut down during a shutdown. The second one kills what is left; false for the first.
   */
  shutdownAgain(): boolean {
    if (this.#engine.phase === 'running') return false;
    const isSecond = this.#wasRequested;
    this.#wasRequested = true;
    if (!isSecond) return false;
    this.#report('warn', 'a client asked once more to shut down: killing what is left');
    this.#engine.hurry();
    return true;
  }

  /**
   * Restarts everything on a configuration read anew. A wrong one changes nothing; returns its problems, a line each.
   */
  reload(cause: ExitCause): readonly string[] {
    if (this.#engine.phase !== 'running') return [];
    const { mainLog } = this.#parts.hub;
    const reread = this.#parts.reread();
    if (reread.config === null) {
      for (const problem of reread.problems) mainLog.write('error', problem);
      mainLog.write('critical', 'the configuration is wrong: nothing is reloaded, everything goes on as it was');
      return reread.problems;
    }
    this.#next = reread.config;
    this.#engine.end('restart', cause);
    return [];
  }

  /**
   * Reads the configuration again without acting on it: what differs from what is at work, or what is wrong with it.
   */
  reread(): ReturnType<typeof diffConfigs> | { readonly problems: readonly string[] } {
    const reread = this.#parts.reread();
    if (reread.config === null) return { problems: reread.problems };
    this.#latest = reread.config;
    return diffConfigs({ groups: [...this.#active.values()] }, reread.config);
  }

  /** Activates a group of the configuration as read last. */
  addGroup(name: string): 'added' | 'unknown' | 'active' {
    if (this.#active.has(name)) return 'active';
    const group = this.#latest.groups.find((other) => other.name === name);
    if (group === undefined) return 'unknown';
    this.#active.set(name, group);
    for (const proc of group.processes) this.#streams.open(proc);
    this.#engine.addGroup(group);
    return 'added';
  }

  /** Forgets a group of which nothing runs. */
  removeGroup(name: string): 'removed' | 'unknown' | 'running' {
    const outcome = this.#engine.removeGroup(name);
    if (outcome !== 'removed') return outcome;
    for (const proc of this.#active.get(name)?.processes ?? []) this.#streams.close(namespecOf(proc));
    this.#active.delete(name);
    return outcome;
  }

  /**
   * What it takes to make a group at work as it was read last, restarting only what must be; null where that cannot be
   * done.
   */
  planUpdate(name: string): UpdatePlan | null {
    return planUpdate(
      this.#engine,
      this.#active.get(name),
      this.#latest.groups.find((group) => group.name === name),
    );
  }

  /** Carries out that plan. Resolves with the names of what had to be stopped; null where there is no plan. */
  async updateGroup(name: string): Promise<string[] | null> {
    const plan = this.planUpdate(name);
    if (plan === null) return null;
    this.#active.set(name, plan.group);
    return updateGroup({ engine: this.#engine, streams: this.#streams }, plan);
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
        endBudget: stopBudget.of(() => this.#config),
        beforeStop: (ids, proceed) => this.#events.waitForListeners(ids, proceed),
        finished: (goal, cause) => this.#finished(goal, cause),
      },
    );
    this.#active.clear();
    for (const group of config.groups) this.#active.set(group.name, group);
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

  #finished(goal: Goal, cause: ExitCause): void {
    this.#events.close();
    for (const monitor of this.#monitors) monitor.close();
    const next = this.#next;
    if (goal === 'exit' || next === null) return this.#parts.ended(cause);
    void this.#startOver(next);
  }

  /**
   * Comes after the turn of the engine that has finished. Signals that come meanwhile find that engine, which takes an
   * end and no more.
   */
  async #startOver(next: Config): Promise<void> {
    this.#streams.closeAll();
    await this.#parts.reconfigure(next);
    if (this.#wasAskedToEnd) return this.#parts.ended({ kind: 'request' });
    this.#next = null;
    this.#config = next;
    this.#latest = next;
    this.#streams = this.#openStreams(next);
    this.#events = this.#wireEvents(next);
    this.#engine = this.#makeEngine(next);
    this.start();
  }

  #observe(event: EngineEvent): void {
    if (event.type === 'process' || event.type === 'group') this.#sockets.closeUnused(() => this.#engine.processes());
    // A run that is over has no use for its standard input any more.
    if (event.type === 'process' && event.process.record.pid === null && event.process.record.state !== 'STARTING')
      this.#streams.closeInput(event.process.id);
    this.#events.observe(event, (name) => this.#active.get(name));
    for (const monitor of this.#monitors) monitor.observe(event);
    for (const listener of this.#listeners) listener(event);
  }

  /** Hooks and checks, which start with what programs start with. */
  #makeJobs(): CommandJobs {
    const { addon, launcher, clock, env, limits, serverUrl } = this.#parts;
    return new CommandJobs({
      budget: this.#startBudget,
      addon,
      launcher,
      clock,
      report: this.#report,
      split: splitCommandLine,
      surroundings: () => ({
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

  /** The main program of init mode has our own streams. */
  #openStreams({ groups, supervisord, main }: Config): ProgramStreams {
    const streams = new ProgramStreams(this.#parts.hub, this.#report, supervisord);
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
      isEnding: () => this.#wasAskedToEnd,
      end: (signal) => this.#endBy(signal),
      reload: (signal) => void this.reload({ kind: 'signal', signal }),
      reopenLogs: () => this.#reopenLogs(),
    });
  }

  #endBy(signal: number): void {
    this.#wasAskedToEnd = true;
    this.#engine.end('exit', { kind: 'signal', signal });
  }

  #reopenLogs(): void {
    const { hub } = this.#parts;
    const failed = (error: unknown): void => hub.mainLog.write('error', `cannot reopen the log: ${reasonOf(error)}`);
    hub.mainLog.reopen().then(() => hub.mainLog.write('info', 'supervisord logreopen'), failed);
    hub.reopen().catch(failed);
  }
}
