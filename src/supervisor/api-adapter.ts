/** The interface of the RPC methods ({@link SupervisorApi}), implemented on a Supervision. */
import { logTargets } from '../config/log-target.ts';
import type { GroupConfig, ProcessConfig } from '../config/model.ts';
import type { ClientRequest } from '../core/cause.ts';
import { reasonOf } from '../core/error-text.ts';
import type { Level } from '../core/log-level.ts';
import type { CheckResult } from '../core/probe.ts';
import { healthReasonOf, type ProcessRemark } from '../core/process-remark.ts';
import type { Sequence } from '../core/sequence.ts';
import type { SupervisorStateName } from '../core/states.ts';
import { STREAM_NAMES, type StreamName } from '../core/stream-name.ts';
import type { Listener } from '../engine/events.ts';
import type { ProcessView } from '../engine/process-table.ts';
import { currentDirectory } from '../files/current-directory.ts';
import { lastLineOf, type WantedRun } from '../logs/last-line.ts';
import type { OnOutput } from '../logs/line-reader.ts';
import type { Hub } from '../logs/ports.ts';
import { waitForFiles } from '../logs/written.ts';
import type { Addon } from '../native/addon.ts';
import type { SystemClock } from '../process/clock.ts';
import type { Cgroups } from '../process/cgroups.ts';
import { lookUpOwner } from '../process/credentials.ts';
import { readListeningSockets } from '../process/listening-sockets.ts';
import type { ReapListener } from '../process/reaper.ts';
import { SpawnError } from '../process/spawn-error.ts';
import type { Log } from '../rpc/log-api.ts';
import type { LineFollow, LineQuery, LineSelection, LogLines, WaitForLines } from '../rpc/lines.ts';
import type { GroupPlan, NotificationsApi, ReloadAnswer, Reread, SupervisorApi } from '../rpc/supervisor-api.ts';
import { toReread } from './active-groups.ts';
import { ReadableLog } from './readable-log.ts';
import { describeTarget, fileOf } from './log-places.ts';
import { mainLogSpec } from './log-specs.ts';
import { checkCommand } from './command-check.ts';
import { effectiveConfigOf } from './effective-config.ts';
import { EventWaits } from './event-waits.ts';
import { History } from './history.ts';
import { programSettings } from './program-settings.ts';
import { createMeasures, type Measures } from './measures.ts';
import { MemoryKills } from './memory-kills.ts';
import type { UsageSampler } from './usage-sampler.ts';
import { filterIds, findUnknownName, type NamedOutput, selectOutputs, toLogLines } from './line-sources.ts';
import type { Supervision } from './supervision.ts';

/** Parts of an {@link ApiAdapter}. */
export interface ApiAdapterParts {
  readonly supervision: Supervision;
  readonly hub: Hub;
  readonly clock: SystemClock;
  readonly addon: Addon;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly pid: number;
  readonly cgroups: Cgroups;
  /** Identifies our mount namespace; empty without /proc. */
  readonly mountNamespace: () => string;
  /** The sequence of everything that happens. */
  readonly sequence: Sequence;
  readonly notifications: NotificationsApi;
  /** Subscribes to ended children. */
  readonly onReaped: (listener: ReapListener) => unknown;
}

/** Translates between the RPC methods and the supervisor. The interface documents each member. */
export class ApiAdapter implements SupervisorApi {
  readonly #parts: ApiAdapterParts;
  readonly #memoryKills: MemoryKills;
  readonly #usage: UsageSampler;
  readonly history: History;
  readonly measures: Measures;
  readonly notifications: NotificationsApi;
  readonly #eventWaits: EventWaits;
  readonly epoch: string;

  constructor(parts: ApiAdapterParts) {
    const { supervision, hub, clock } = parts;
    this.#parts = parts;
    this.notifications = parts.notifications;
    this.epoch = `${Math.round(clock.wallMs()).toString(36)}-${parts.pid}`;
    const watched = {
      subscribe: (listener: Listener) => supervision.subscribe(listener),
      report: (...line: Parameters<Hub['mainLog']['write']>) => hub.mainLog.write(...line),
      nowMs: () => clock.nowMs(),
      wallMs: () => clock.wallMs(),
    };
    this.#memoryKills = new MemoryKills(watched);
    const { sampler, measures } = createMeasures(parts);
    this.#usage = sampler;
    this.measures = measures;
    // Subscribed later, so that a kill for memory is known when the end of its run is handled.
    this.history = new History({
      ...watched,
      sequence: parts.sequence,
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
    return this.#supervision.groups.list.flatMap(({ name }) => this.#engine.processesIn(name));
  }

  readonly processesIn = (group: string): readonly ProcessView[] => this.#engine.processesIn(group);
  readonly processesNamed = (name: string): readonly ProcessView[] => this.#engine.processesNamed(name);
  readonly dependentsOf = (id: string): readonly ProcessView[] => this.#engine.dependentsOf(id);

  process(id: string): ProcessView | null {
    return this.#engine.process(id);
  }

  remarks(id: string): readonly ProcessRemark[] {
    const kill = this.#memoryKills.remark(id);
    const wait = this.#engine.startWaitOf(id);
    return [
      ...(wait === null ? [] : [{ kind: 'startWait' as const, wait }]),
      ...this.#supervision.remarks(id),
      ...(kill === null ? [] : [kill]),
    ];
  }

  lastCheck(id: string): CheckResult | null {
    return this.#supervision.lastCheck(id);
  }

  oomKills(id: string): number {
    return this.#memoryKills.countOf(id);
  }

  readonly usage = (): ReturnType<SupervisorApi['usage']> => this.#usage.read();
  readonly usageOf: SupervisorApi['usageOf'] = (ids) => this.#usage.readOf(ids);

  listeningSockets(pids: readonly number[]): Promise<readonly string[]> {
    return readListeningSockets(pids);
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

  checkCommand(config: ProcessConfig): ReturnType<SupervisorApi['checkCommand']> {
    return checkCommand(config, this.#parts.env['PATH']);
  }

  start(id: string, cause: ClientRequest): void {
    this.#engine.request(id, 'start', cause);
  }

  stop(id: string, cause: ClientRequest): void {
    this.#supervision.streams.closeOldPipes(id);
    this.#engine.request(id, 'stop', cause);
  }

  kill(id: string, cause: ClientRequest): void {
    this.#supervision.streams.closeOldPipes(id);
    this.#engine.request(id, 'kill', cause);
  }

  signal(id: string, signal: number, cause: ClientRequest): string | null {
    return this.#engine.signalProcess(id, signal, cause);
  }

  async reloadProcess(id: string, cause: ClientRequest): Promise<ReloadAnswer> {
    const answer = await this.#supervision.reloads.reload(id, cause);
    if (answer.kind === 'tried') this.history.noteReload(id, cause, answer.result);
    return answer;
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
    const { targets, console } = mainLogSpec(this.#supervision.config, true, () => null);
    if (targets.length === 0 && console === null) return null;
    return new ReadableLog(this.#parts.hub.mainLog, fileOf(targets), this.#parts.hub);
  }

  findUnknownName(names: readonly string[]): string | null {
    return findUnknownName(names, this.#supervision.groups);
  }

  readLines(selection: LineSelection, query: LineQuery, reserve: (bytes: number) => void): LogLines {
    const outputs = this.#outputs(selection, query.after !== null);
    return toLogLines(this.#parts.hub.lineReader.read(outputs, query, reserve, query.told));
  }

  followLines(selection: LineSelection, onOutput: OnOutput): LineFollow {
    const { read, ...follow } = this.#parts.hub.lineReader.follow(() => this.#outputs(selection, true), onOutput);
    return { ...follow, read: (...query) => toLogLines(read(...query)) };
  }

  get latestSeq(): number {
    return this.#parts.sequence.latest;
  }

  waitForLines(selection: LineSelection, wait: WaitForLines): Promise<boolean> {
    return this.#parts.hub.lineReader.wait({ ...wait, sources: () => this.#outputs(selection, true) });
  }

  waitForFiles(selection: LineSelection, limitMs: number, signal: AbortSignal): Promise<void> {
    return waitForFiles(this.#outputs(selection, false), { clock: this.#parts.clock, limitMs, signal });
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

  async launchSettings(id: string): ReturnType<SupervisorApi['launchSettings']> {
    const proc = this.#engine.process(id);
    if (proc === null) return 'it is not active any more';
    return programSettings(this.#supervision, proc.config, this.#parts.mountNamespace());
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

  self(): ReturnType<SupervisorApi['self']> {
    return { uid: process.getuid?.() ?? 0, directory: currentDirectory() };
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

  effectiveConfig(): ReturnType<SupervisorApi['effectiveConfig']> {
    return effectiveConfigOf(this.#supervision);
  }

  configuredGroups(): readonly GroupConfig[] {
    return this.#supervision.groups.configured;
  }

  reread(): Promise<Reread> {
    const { groups } = this.#supervision;
    return groups.reach((unread) => toReread(unread ?? groups.reread()));
  }

  previewUpdate<T>(look: (changes: Reread) => T): Promise<T> {
    const { groups } = this.#supervision;
    return groups.reach((unread) =>
      unread === null ? groups.preview((changes) => look(toReread(changes))) : look(toReread(unread)),
    );
  }

  addGroup(name: string, cause: ClientRequest): ReturnType<SupervisorApi['addGroup']> {
    return this.#supervision.groups.add(name, cause);
  }

  removeGroup = (name: string): ReturnType<SupervisorApi['removeGroup']> => this.#supervision.groups.remove(name);

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

  updateSettings(isApplied: boolean): ReturnType<SupervisorApi['updateSettings']> {
    return this.#supervision.updateSettings(isApplied);
  }

  updateGroup(name: string, cause: ClientRequest): ReturnType<SupervisorApi['updateGroup']> {
    return this.#supervision.groups.update(name, cause);
  }

  scale(program: string, count: number, cause: ClientRequest): ReturnType<SupervisorApi['scale']> {
    return this.#supervision.groups.scale(program, count, cause);
  }

  async restartSupervisor(cause: ClientRequest): Promise<string | null> {
    const problems = await this.#supervision.reload(cause);
    return problems.length === 0 ? null : problems.join('; ');
  }

  shutdown(cause: ClientRequest): void {
    this.#supervision.shutdown(cause);
  }

  shutdownAgain(): boolean {
    return this.#supervision.shutdownAgain();
  }

  endDelay(cause: ClientRequest): boolean {
    return this.#supervision.endDelay(cause);
  }

  isDelayed(): boolean {
    return this.#engine.phase === 'delayed';
  }

  noteRequest(request: ClientRequest, target: string | null): void {
    this.history.noteRequest(request, target);
  }

  report(level: Level, text: string): void {
    this.#parts.hub.mainLog.write(level, text);
  }

  /** Returns the selected outputs, with those of former programs for clients that follow. */
  #outputs(selection: LineSelection, isFollowing: boolean): NamedOutput[] {
    const { groups, streams, departed } = this.#supervision;
    const outputs = selectOutputs(selection, { groups, streams, mainLog: this.#parts.hub.mainLog });
    return isFollowing ? [...outputs, ...departed.select(selection)] : outputs;
  }

  get #supervision(): Supervision {
    return this.#parts.supervision;
  }
  get #engine(): Supervision['engine'] {
    return this.#parts.supervision.engine;
  }
}
