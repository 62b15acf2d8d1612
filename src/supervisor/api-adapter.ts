/** The interface of the RPC methods ({@link SupervisorApi}), implemented on a Supervision. */
import { logTargets } from '../config/log-target.ts';
import type { GroupConfig, ProcessConfig } from '../config/model.ts';
import type { ClientRequest } from '../core/cause.ts';
import { reasonOf } from '../core/error-text.ts';
import type { Level } from '../core/log-level.ts';
import type { CheckResult } from '../core/probe.ts';
import type { ProcessRemark } from '../core/process-remark.ts';
import type { Sequence } from '../core/sequence.ts';
import type { SupervisorStateName } from '../core/states.ts';
import { STREAM_NAMES, type StreamName } from '../core/stream-name.ts';
import type { Listener } from '../engine/events.ts';
import type { ProcessView } from '../engine/process-table.ts';
import { lastLineOf, type WantedRun } from '../logs/last-line.ts';
import type { StampedLine } from '../logs/line-reader.ts';
import type { Hub } from '../logs/ports.ts';
import type { Addon } from '../native/addon.ts';
import type { SystemClock } from '../process/clock.ts';
import { findCommand } from '../process/command.ts';
import { lookUpOwner } from '../process/credentials.ts';
import { readUsage } from '../process/usage.ts';
import { EXIT_NOT_FOUND, SpawnError } from '../process/spawn-error.ts';
import type {
  GroupPlan,
  LineQuery,
  LineSelection,
  Log,
  LogLine,
  LogLines,
  Reread,
  SupervisorApi,
} from '../rpc/supervisor-api.ts';
import { ReadableLog } from './readable-log.ts';
import { describeTarget, fileOf } from './log-places.ts';
import { mainLogSpec } from './log-specs.ts';
import { EventWaits } from './event-waits.ts';
import { History } from './history.ts';
import { MemoryKills } from './memory-kills.ts';
import { UsageSampler } from './usage-sampler.ts';
import { filterIds, findUnknownName, type NamedOutput, selectOutputs } from './line-sources.ts';
import type { Supervision } from './supervision.ts';

/** Parts of an {@link ApiAdapter}. */
export interface ApiAdapterParts {
  readonly supervision: Supervision;
  readonly hub: Hub;
  readonly clock: SystemClock;
  readonly addon: Addon;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly pid: number;
  /** Identifies our mount namespace; empty without /proc. */
  readonly mountNamespace: () => string;
  /** The sequence of everything that happens. */
  readonly sequence: Sequence;
}

/** Translates between the RPC methods and the supervisor. The interface documents each member. */
export class ApiAdapter implements SupervisorApi {
  readonly #parts: ApiAdapterParts;
  readonly #memoryKills: MemoryKills;
  readonly #usage: UsageSampler;
  readonly history: History;
  readonly #eventWaits: EventWaits;
  readonly epoch: string;

  constructor(parts: ApiAdapterParts) {
    const { supervision, hub, clock } = parts;
    this.#parts = parts;
    this.epoch = `${Math.round(clock.wallMs()).toString(36)}-${parts.pid}`;
    this.#memoryKills = new MemoryKills({
      subscribe: (listener) => supervision.subscribe(listener),
      report: (...line) => hub.mainLog.write(...line),
      nowMs: () => clock.nowMs(),
      wallMs: () => clock.wallMs(),
    });
    this.#usage = new UsageSampler({ clock, processes: () => supervision.engine.processes(), readUsage });
    // Subscribed later, so that a kill for memory is known when the end of its run is handled.
    this.history = new History({
      sequence: parts.sequence,
      subscribe: (listener) => supervision.subscribe(listener),
      report: (...line) => hub.mainLog.write(...line),
      nowMs: () => clock.nowMs(),
      wallMs: () => clock.wallMs(),
      isOutOfMemory: (id) => this.#memoryKills.remark(id) !== null,
      healthReason: (id) => healthReasonOf(supervision.remarks(id)),
    });
    this.#eventWaits = new EventWaits(this.history, clock);
    this.history.subscribe(() => hub.lineReader.touch());
  }

  get identification(): string {
    return this.#supervision.config.supervisord.identifier;
  }

  get pid(): number {
    return this.#parts.pid;
  }

  state(): SupervisorStateName {
    const { goal } = this.#supervision;
    if (goal === null) return 'RUNNING';
    return goal === 'restart' ? 'RESTARTING' : 'SHUTDOWN';
  }

  nowMs(): number {
    return this.#parts.clock.nowMs();
  }

  wallMs(): number {
    return this.#parts.clock.wallMs();
  }

  processes(): readonly ProcessView[] {
    const byId = new Map(this.#engine.processes().map((proc) => [proc.id, proc]));
    const ids = this.#supervision.groups.list.flatMap(({ processes }) =>
      processes.map(({ group, name }) => `${group}:${name}`),
    );
    return ids.flatMap((id) => byId.get(id) ?? []);
  }

  process(id: string): ProcessView | null {
    return this.#engine.process(id);
  }

  remarks(id: string): readonly ProcessRemark[] {
    const kill = this.#memoryKills.remark(id);
    return [...this.#supervision.remarks(id), ...(kill === null ? [] : [kill])];
  }

  lastCheck(id: string): CheckResult | null {
    return this.#supervision.lastCheck(id);
  }

  oomKills(id: string): number {
    return this.#memoryKills.countOf(id);
  }

  usage(): ReturnType<SupervisorApi['usage']> {
    return this.#usage.read();
  }

  waitForEvents(wait: Parameters<SupervisorApi['waitForEvents']>[0]): Promise<boolean> {
    return this.#eventWaits.wait(wait);
  }

  flappingRule(): ReturnType<SupervisorApi['flappingRule']> {
    const { flapping_restarts: restarts, flapping_window: seconds } = this.#supervision.config.supervisord;
    return { restarts, windowMs: seconds * 1000 };
  }

  hasGroup(name: string): boolean {
    return this.#supervision.groups.get(name) !== undefined;
  }

  subscribe(listener: Listener): () => void {
    return this.#supervision.subscribe(listener);
  }

  checkCommand({ argv, options, commandError }: ProcessConfig): ReturnType<SupervisorApi['checkCommand']> {
    if (commandError !== null) return { fault: 'NOT_EXECUTABLE', reason: commandError };
    try {
      findCommand(argv[0] ?? '', {
        programPath: options.environment.get('PATH') ?? null,
        ownPath: this.#parts.env['PATH'],
        directory: options.directory,
      });
      return null;
    } catch (error) {
      if (!(error instanceof SpawnError)) throw error;
      return { fault: error.exitCode === EXIT_NOT_FOUND ? 'NO_FILE' : 'NOT_EXECUTABLE', reason: error.message };
    }
  }

  start(id: string, cause: ClientRequest): void {
    this.#engine.request(id, 'start', cause);
  }

  stop(id: string, cause: ClientRequest): void {
    this.#engine.request(id, 'stop', cause);
  }

  kill(id: string, cause: ClientRequest): void {
    this.#engine.request(id, 'kill', cause);
  }

  signal(id: string, signal: number, cause: ClientRequest): string | null {
    return this.#engine.signalProcess(id, signal, cause);
  }

  writeStdin(id: string, bytes: Uint8Array): ReturnType<SupervisorApi['writeStdin']> {
    return this.#supervision.streams.writeInput(id, bytes);
  }

  emitRemoteCommunication(type: string, data: string): void {
    this.#supervision.events.publishRemote(type, data);
  }

  processLog(id: string, stream: StreamName): Log | null {
    const channel = this.#supervision.streams.channel(id, stream);
    return channel === null ? null : new ReadableLog(channel, fileOf(channel.spec.targets), this.#parts.hub);
  }

  async tendLogs(id: string, action: 'reopen' | 'rotate'): Promise<string | null> {
    const channels = STREAM_NAMES.map((stream) => this.#supervision.streams.channel(id, stream));
    try {
      await Promise.all(channels.flatMap((channel) => (channel === null ? [] : [channel[action]()])));
      return null;
    } catch (error) {
      return reasonOf(error);
    }
  }

  mainLog(): Log | null {
    const { targets, console } = mainLogSpec(this.#supervision.config, true);
    if (targets.length === 0 && console === null) return null;
    return new ReadableLog(this.#parts.hub.mainLog, fileOf(targets), this.#parts.hub);
  }

  findUnknownName(names: readonly string[]): string | null {
    return findUnknownName(names, this.#supervision.groups);
  }

  readLines(selection: LineSelection, query: LineQuery, reserve: (bytes: number) => void): LogLines {
    const { lines, missed, ...rest } = this.#parts.hub.lineReader.read(
      this.#outputs(selection, query.after !== null),
      query,
      reserve,
    );
    return {
      ...rest,
      lines: lines.map(toLogLine),
      missed: missed.map(({ source: { name, stream }, bytes }) => ({ name, stream, bytes })),
    };
  }

  waitForLines(
    selection: LineSelection,
    wait: Parameters<SupervisorApi['waitForLines']>[1],
  ): ReturnType<SupervisorApi['waitForLines']> {
    return this.#parts.hub.lineReader.wait({ ...wait, sources: () => this.#outputs(selection, true) });
  }

  nameFilter(names: readonly string[]): (id: string) => boolean {
    return filterIds(names);
  }

  logPath(config: ProcessConfig, stream: StreamName): string | null {
    const id = `${config.group}:${config.name}`;
    const active = this.#supervision.streams.channel(id, stream);
    if (active !== null) return describeTarget(active.spec.targets[0]);
    const [target] = stream === 'stdout' ? config.options.stdout_logfile : config.options.stderr_logfile;
    if (target === undefined || (stream === 'stderr' && config.options.redirect_stderr)) return null;
    return target.kind === 'file' || target.kind === 'stdio' ? target.path : null;
  }

  launchSettings(id: string): ReturnType<SupervisorApi['launchSettings']> {
    const proc = this.#engine.process(id);
    if (proc === null) return 'it is not active any more';
    try {
      const settings = this.#supervision.launchSettingsOf(proc.config);
      return {
        ...settings,
        // The client may have another user, directory and umask than we have.
        directory: settings.directory ?? process.cwd(),
        umask: settings.umask ?? this.#supervision.config.supervisord.umask,
        uid: settings.uid ?? process.getuid?.() ?? 0,
        gid: settings.gid ?? process.getgid?.() ?? 0,
        groups: settings.groups ?? process.getgroups?.() ?? [],
        mountNamespace: this.#parts.mountNamespace(),
      };
    } catch (error) {
      if (!(error instanceof SpawnError)) throw error;
      return error.message;
    }
  }

  logTargets({ options }: ProcessConfig, stream: StreamName): string | null {
    if (stream === 'stderr' && options.redirect_stderr) return null;
    const shown = logTargets.show?.(stream === 'stdout' ? options.stdout_logfile : options.stderr_logfile);
    return typeof shown === 'string' ? shown : null;
  }

  lastLine(id: string, run: WantedRun): ReturnType<SupervisorApi['lastLine']> {
    for (const stream of STREAM_NAMES.toReversed()) {
      const channel = this.#supervision.streams.channel(id, stream);
      const text = channel === null ? null : lastLineOf(channel.memory, run);
      if (text !== null) return { stream, text };
    }
    return null;
  }

  uid(config: ProcessConfig): number | null {
    const { user } = config.options;
    if (user === null) return null;
    try {
      return lookUpOwner(this.#parts.addon, user).uid;
    } catch (error) {
      if (error instanceof SpawnError) return null;
      throw error;
    }
  }

  configuredGroups(): readonly GroupConfig[] {
    return this.#supervision.groups.configured;
  }

  reread(): Promise<Reread> {
    const outcome = this.#supervision.groups.reread();
    return Promise.resolve(
      'problems' in outcome
        ? { kind: 'invalid', reason: outcome.problems.join('; ') }
        : { kind: 'changes', ...outcome },
    );
  }

  addGroup(name: string, cause: ClientRequest): ReturnType<SupervisorApi['addGroup']> {
    return this.#supervision.groups.add(name, cause);
  }

  removeGroup(name: string): ReturnType<SupervisorApi['removeGroup']> {
    return this.#supervision.groups.remove(name);
  }

  planUpdate(name: string): GroupPlan | null {
    const plan = this.#supervision.groups.planUpdate(name);
    if (plan === null) return null;
    const namesOf = (processes: readonly ProcessConfig[]): string[] => processes.map((proc) => proc.name);
    return {
      stopped: namesOf(plan.stopped),
      restarted: namesOf(plan.restarted),
      started: namesOf(plan.started),
      changed: namesOf(plan.changed),
    };
  }

  updateGroup(name: string, cause: ClientRequest): ReturnType<SupervisorApi['updateGroup']> {
    return this.#supervision.groups.update(name, cause);
  }

  scale(program: string, count: number, cause: ClientRequest): ReturnType<SupervisorApi['scale']> {
    return this.#supervision.groups.scale(program, count, cause);
  }

  restartSupervisor(cause: ClientRequest): string | null {
    const problems = this.#supervision.reload(cause);
    return problems.length === 0 ? null : problems.join('; ');
  }

  shutdown(cause: ClientRequest): void {
    this.#supervision.shutdown(cause);
  }

  shutdownAgain(): boolean {
    return this.#supervision.shutdownAgain();
  }

  noteRequest(request: ClientRequest, target: string | null): void {
    this.history.noteRequest(request, target);
  }

  report(level: Level, text: string): void {
    this.#parts.hub.mainLog.write(level, text);
  }

  /** Returns the selected outputs, with those of former programs for clients that follow. */
  #outputs(selection: LineSelection, isFollowing: boolean): NamedOutput[] {
    const { mainLog } = this.#parts.hub;
    const { groups, streams, departed } = this.#supervision;
    const outputs = selectOutputs(selection, { groups, streams, mainLog });
    return isFollowing ? [...outputs, ...departed.select(selection)] : outputs;
  }

  get #supervision(): Supervision {
    return this.#parts.supervision;
  }

  get #engine(): Supervision['engine'] {
    return this.#parts.supervision.engine;
  }
}

function healthReasonOf(remarks: readonly ProcessRemark[]): string | null {
  return remarks.find((remark) => remark.kind === 'healthFailure')?.reason ?? null;
}

function toLogLine({ source, seq, wallMs, pid, text, isPartial, isRest }: StampedLine<NamedOutput>): LogLine {
  const line = { seq, at: wallMs, name: source.name, stream: source.stream, pid, text };
  if (!isPartial && !isRest) return line;
  return { ...line, ...(isPartial ? { partial: true } : {}), ...(isRest ? { rest: true } : {}) };
}
