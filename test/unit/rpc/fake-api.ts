/** The real engine with programs in memory, behind the interface for RPC methods and routes. */
import { sampleConfig, sampleProgram } from '../../../build/sample-program.ts';
import type { Reserve } from '../../../src/rpc/answer-budget.ts';
import { effectiveSections, type ShownConfig } from '../../../src/config/effective-sections.ts';
import type { GroupConfig, ProcessConfig } from '../../../src/config/model.ts';
import { type ClientRequest, formatClient } from '../../../src/core/cause.ts';
import { Sequence } from '../../../src/core/sequence.ts';
import { EventWaits } from '../../../src/supervisor/event-waits.ts';
import { History } from '../../../src/supervisor/history.ts';
import { filterIds } from '../../../src/supervisor/line-sources.ts';
import type { Level } from '../../../src/core/log-level.ts';
import type { CheckResult } from '../../../src/core/probe.ts';
import type { ProcessRemark } from '../../../src/core/process-remark.ts';
import type { SupervisorStateName } from '../../../src/core/states.ts';
import type { StreamName } from '../../../src/core/stream-name.ts';
import { Engine } from '../../../src/engine/engine.ts';
import type { Listener } from '../../../src/engine/events.ts';
import type { Clock } from '../../../src/engine/ports.ts';
import { namespecOf, type ProcessView } from '../../../src/engine/process-table.ts';
import type { WantedRun } from '../../../src/logs/last-line.ts';
import type { OnOutput } from '../../../src/logs/line-reader.ts';
import { Tail } from '../../../src/logs/tail.ts';
import type { ChannelCounts } from '../../../src/logs/ports.ts';
import type { TreeMeasures } from '../../../src/rpc/measures.ts';
import type { Log, LogTail, LogReading } from '../../../src/rpc/log-api.ts';
import type { LineFollow, LineQuery, LineSelection, LogLines, WaitForLines } from '../../../src/rpc/lines.ts';
import type {
  GroupPlan,
  NotificationChanges,
  ProgramSettings,
  ProgramUsage,
  ReloadAnswer,
  ScaleOutcome,
  Reread,
  SupervisorApi,
} from '../../../src/rpc/supervisor-api.ts';

/** A program with Supervisor's defaults, started only on request. */
const sample = sampleProgram('autostart=false');

/** A program and its behaviour. */
export interface FakeProgram {
  readonly name: string;
  readonly group?: string;
  readonly groupPriority?: number;
  readonly type?: ProcessConfig['type'];
  readonly options?: Partial<ProcessConfig['options']>;
  /** Name of a program that must be started first. */
  readonly dependsOn?: string;
  /** Time after which it exits with `exitCode`; never if omitted. */
  readonly exitAfterMs?: number;
  readonly exitCode?: number;
  /** Signals that it ignores, besides 0. */
  readonly ignores?: readonly number[];
  readonly stdout?: string | Buffer;
  readonly stderr?: string | Buffer;
  /** True if it copies its standard input to its standard output, as cat does. */
  readonly isEchoing?: boolean;
  readonly spawnError?: string;
  readonly objection?: { readonly fault: 'NO_FILE' | 'NOT_EXECUTABLE'; readonly reason: string };
  /** True if it has no log: `stdout_logfile=NONE`. */
  readonly hasNoLog?: boolean;
}

/** A log in memory. */
export class FakeLog implements Log {
  readonly #tail = new Tail(1 << 26);
  readonly #listeners = new Set<(bytes: Uint8Array) => void>();
  /** Results of `read` and `clear` in place of the real ones. */
  trouble:
    | { readonly kind: 'failed'; readonly reason: string }
    | { readonly kind: 'noFile'; readonly path: string | null }
    | null = null;

  get followers(): number {
    return this.#listeners.size;
  }

  push(data: string | Buffer): void {
    const bytes = Buffer.from(data);
    this.#tail.push(bytes, { seq: this.#tail.size + 1, wallMs: 0, pid: 1 });
    for (const listener of this.#listeners) listener(bytes);
    // As in the real log, the bytes are valid only during the call.
    bytes.fill(0x21);
  }

  async read(offset: number, length: number, reserve: Reserve): Promise<LogReading> {
    if (this.trouble !== null) return this.trouble;
    const bytes = this.#tail.read(offset, length);
    reserve(bytes?.length ?? 0);
    return bytes === null ? { kind: 'badArguments' } : { kind: 'bytes', bytes };
  }

  async tail(offset: number, length: number, reserve: Reserve): Promise<LogTail> {
    reserve(Math.min(length, this.#tail.size));
    return this.#tail.tail(offset, length);
  }

  async clear(): Promise<{ kind: 'cleared' } | { kind: 'noFile' } | { kind: 'failed'; reason: string }> {
    if (this.trouble !== null) return this.trouble;
    this.#tail.clear();
    return { kind: 'cleared' };
  }

  follow(lastBytes: number, listener: (bytes: Uint8Array) => void): () => void {
    const last = this.#tail.read(-lastBytes, 0);
    if (last !== null) listener(last);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** See the top. */
export class FakeApi implements SupervisorApi {
  readonly identification: string = 'fake';
  readonly pid = 4711;
  readonly engine: Engine;
  readonly history: History;
  readonly sequence = new Sequence();
  readonly log = new FakeLog();
  readonly reports: Array<readonly [Level, string]> = [];
  readonly remoteCommunications: string[] = [];
  /** Noted requests, as `supervisor.stopProcess web by CLIENT`. */
  readonly requests: string[] = [];
  checkAnswer: CheckResult | null = null;
  readonly usages = new Map<string, ProgramUsage>();
  usageError: Error | null = null;
  /** Process trees for metrics, by namespec. */
  trees: ReadonlyMap<string, TreeMeasures> | null = new Map();
  readonly cpuSeconds = new Map<string, number>();
  /** Counts of output, by namespec and stream. */
  readonly counts = new Map<string, ChannelCounts>();
  /** Log files that were reopened or rotated, as `rotate g:web`. */
  readonly tended: string[] = [];
  tendError: string | null = null;
  readonly scaled: string[] = [];
  settingsAnswer: ProgramSettings | string = 'there are none';
  scaleAnswer: ScaleOutcome = { kind: 'unknown' };
  /** Signals that arrived, as `15 web`. */
  readonly signals: string[] = [];
  rereadAnswer: Reread = { kind: 'changes', added: [], changed: [], removed: [] };
  readonly oomKillsOf = new Map<string, number>();
  readonly remarksOf = new Map<string, readonly ProcessRemark[]>();
  planAnswer: GroupPlan | null = null;
  notificationChanges: NotificationChanges = { added: [], removed: [], changed: [] };
  /** Outcome of a test by its section. */
  readonly testAnswers = new Map<string, string | null>();
  readonly notifications = {
    namesFor: (): readonly string[] => [...this.testAnswers.keys()],
    plan: (): NotificationChanges => this.notificationChanges,
    update: (): NotificationChanges => this.notificationChanges,
    test: (name: string): Promise<string | null> | null =>
      this.testAnswers.has(name) ? Promise.resolve(this.testAnswers.get(name) ?? null) : null,
  };
  /** Problems of the configuration for the next restart. */
  restartProblem: string | null = null;
  stdinAnswer: 'written' | 'closed' | 'full' = 'written';
  signalError: string | null = null;
  hasMainLog = true;
  shownConfig: ShownConfig = sampleConfig('[supervisord]\nidentifier=fake\n');
  readonly epoch = 'fake-1';
  linesAnswer: LogLines = { lines: [], next: 0, hasMore: false, missed: [] };
  readonly lineCalls: Array<{ readonly selection: LineSelection; readonly query: LineQuery }> = [];
  readonly lineWaits: WaitForLines[] = [];
  canWait = true;
  readonly eventWaits: EventWaits;
  readonly lastLines = new Map<string, { readonly stream: StreamName; readonly text: string }>();
  readonly lastLineCalls: WantedRun[] = [];
  /** Difference between wall clock and monotonic clock. */
  wallOffsetMs = 1_795_223_700_000;
  readonly #clock: Clock;
  readonly #groups: GroupConfig[];
  readonly #programs = new Map<string, FakeProgram>();
  readonly #logs = new Map<string, FakeLog>();
  readonly #alive = new Map<number, { readonly program: FakeProgram; readonly id: string; cancel: () => void }>();
  #nextPid = 1000;
  #state: SupervisorStateName = 'RUNNING';

  constructor(programs: readonly FakeProgram[], clock: Clock) {
    this.#clock = clock;
    this.#groups = this.groupsOf(programs);
    this.engine = new Engine(
      this.#groups,
      { exitWhenIdle: false, mainProgram: null },
      {
        shutdownBudget: { limitsOf: () => null, hurry: () => undefined },
        clock,
        report: (level, text) => this.report(level, text),
        chance: () => 0,
        budget: { run: (task) => task() },
        finished: () => this.report('info', 'finished'),
        jobs: { run: () => () => undefined },
        processes: {
          spawn: (config) => this.#spawn(config),
          signal: (pid, signal) => this.#receive(pid, signal),
          readRemaining: () => undefined,
        },
      },
    );
    this.history = new History({
      sequence: this.sequence,
      subscribe: (listener) => this.subscribe(listener),
      report: (level, text) => this.report(level, text),
      nowMs: () => this.nowMs(),
      wallMs: () => this.wallMs(),
      isOutOfMemory: () => false,
      healthReason: () => null,
    });
    this.eventWaits = new EventWaits(this.history, clock);
    this.engine.start();
  }

  groupsOf(programs: readonly FakeProgram[]): GroupConfig[] {
    const groups = new Map<string, FakeProgram[]>();
    for (const program of programs) {
      const group = program.group ?? program.name;
      this.#programs.set(`${group}:${program.name}`, program);
      groups.set(group, [...(groups.get(group) ?? []), program]);
    }
    const made = [...groups].map(([name, members]): GroupConfig => ({
      name,
      type: 'program',
      priority: members[0]?.groupPriority ?? 999,
      processes: members.map((program): ProcessConfig => ({
        ...sample,
        name: program.name,
        group: name,
        program: program.name,
        type: program.type ?? 'program',
        options: { ...sample.options, ...program.options },
        dependsOn:
          program.dependsOn === undefined
            ? []
            : [{ group: program.dependsOn, process: program.dependsOn, conditions: ['started'], isFollowed: false }],
      })),
    }));
    return made.toSorted((a, b) => a.priority - b.priority);
  }

  /** Adds a group to the latest configuration. */
  configure(programs: readonly FakeProgram[]): void {
    this.#groups.push(...this.groupsOf(programs));
  }

  #spawn(config: ProcessConfig): { ok: true; pid: number } | { ok: false; reason: string; exitCode: number } {
    const id = namespecOf(config);
    const program = this.#programs.get(id);
    if (program === undefined || program.spawnError !== undefined)
      return { ok: false, reason: program?.spawnError ?? 'unknown', exitCode: 127 };
    const pid = this.#nextPid++;
    const cancel =
      program.exitAfterMs === undefined
        ? () => undefined
        : this.#clock.alarm(this.nowMs() + program.exitAfterMs, () => this.#die(pid, (program.exitCode ?? 0) << 8));
    this.#alive.set(pid, { program, id, cancel });
    if (program.stdout !== undefined) this.logOf(id, 'stdout').push(program.stdout);
    if (program.stderr !== undefined)
      this.logOf(id, program.options?.redirect_stderr === true ? 'stdout' : 'stderr').push(program.stderr);
    return { ok: true, pid };
  }

  #receive(pid: number, signal: number): string | null {
    if (this.signalError !== null) return this.signalError;
    const proc = this.#alive.get(pid);
    if (proc === undefined) return 'ESRCH';
    this.signals.push(`${signal} ${proc.program.name}`);
    if (signal === 9 || (signal !== 0 && signal !== 18 && !(proc.program.ignores ?? []).includes(signal))) {
      proc.cancel();
      proc.cancel = this.#clock.alarm(this.nowMs() + 2, () => this.#die(pid, signal));
    }
    return null;
  }

  #die(pid: number, status: number): void {
    this.#alive.delete(pid);
    this.engine.reaped([{ pid, status }]);
  }

  logOf(id: string, stream: StreamName): FakeLog {
    const key = `${id} ${stream}`;
    const log = this.#logs.get(key) ?? new FakeLog();
    this.#logs.set(key, log);
    return log;
  }

  state(): SupervisorStateName {
    return this.#state;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  wallMs(): number {
    return this.#clock.nowMs() + this.wallOffsetMs;
  }

  processes(): readonly ProcessView[] {
    return this.engine.processes();
  }

  processesIn(group: string): readonly ProcessView[] {
    return this.engine.processesIn(group);
  }

  processesNamed(name: string): readonly ProcessView[] {
    return this.engine.processesNamed(name);
  }

  process(id: string): ProcessView | null {
    return this.engine.process(id);
  }

  dependentsOf(id: string): readonly ProcessView[] {
    return this.engine.dependentsOf(id);
  }

  oomKills(id: string): number {
    return this.oomKillsOf.get(id) ?? 0;
  }

  remarks(id: string): readonly ProcessRemark[] {
    return this.remarksOf.get(id) ?? [];
  }

  hasGroup(name: string): boolean {
    return this.processesIn(name).length > 0;
  }

  readonly #listeners = new Set<Listener>();

  subscribe(listener: Listener): () => void {
    const unsubscribe = this.engine.subscribe(listener);
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      unsubscribe();
    };
  }

  /** Tells that the supervisor was restarted, and has these processes now. */
  tellRestarted(...ids: string[]): void {
    for (const listener of this.#listeners) listener({ type: 'restarted', ids: new Set(ids) });
  }

  checkCommand(config: ProcessConfig): NonNullable<FakeProgram['objection']> | null {
    return this.#programs.get(namespecOf(config))?.objection ?? null;
  }

  start(id: string, cause: ClientRequest): void {
    this.engine.request(id, 'start', cause);
  }

  stop(id: string, cause: ClientRequest): void {
    this.engine.request(id, 'stop', cause);
  }

  kill(id: string, cause: ClientRequest): void {
    this.engine.request(id, 'kill', cause);
  }

  signal(id: string, signal: number, cause: ClientRequest): string | null {
    return this.engine.signalProcess(id, signal, cause);
  }

  writeStdin(id: string, bytes: Uint8Array): 'written' | 'closed' | 'full' {
    if (this.stdinAnswer === 'written' && this.#programs.get(id)?.isEchoing === true)
      this.logOf(id, 'stdout').push(Buffer.from(bytes));
    return this.stdinAnswer;
  }

  emitRemoteCommunication(type: string, data: string): void {
    this.remoteCommunications.push(`${type} ${data}`);
  }

  processLog(id: string, stream: StreamName): Log | null {
    const program = this.#programs.get(id);
    if (program?.hasNoLog === true || (stream === 'stderr' && program?.options?.redirect_stderr === true)) return null;
    return this.logOf(id, stream);
  }

  async tendLogs(id: string, action: 'reopen' | 'rotate'): Promise<string | null> {
    this.tended.push(`${action} ${id}`);
    return this.tendError;
  }

  async launchSettings(): Promise<ProgramSettings | string> {
    return this.settingsAnswer;
  }

  mainLog(): Log | null {
    return this.hasMainLog ? this.log : null;
  }

  findUnknownName(names: readonly string[]): string | null {
    return names.find((name) => (this.process(name) ?? this.process(`${name}:${name}`)) === null) ?? null;
  }

  readLines(selection: LineSelection, query: LineQuery): LogLines {
    this.lineCalls.push({ selection, query });
    return this.linesAnswer;
  }

  async waitForLines(_selection: LineSelection, wait: WaitForLines): Promise<boolean> {
    this.lineWaits.push(wait);
    return this.canWait;
  }

  /** Number of waits for log files. */
  fileWaits = 0;

  /** Number of readings before each wait for log files. */
  readonly linesBeforeFiles: number[] = [];

  async waitForFiles(): Promise<void> {
    this.fileWaits += 1;
    this.linesBeforeFiles.push(this.lineCalls.length);
  }

  /** The selections that are followed. */
  readonly follows = new Set<{ readonly selection: LineSelection; readonly onOutput: OnOutput }>();
  /** Number of times that followers looked up their outputs again. */
  refreshes = 0;
  /** Gives the lines of {@link followLines}. */
  readFollowed: LineFollow['read'] = () => this.linesAnswer;

  followLines(selection: LineSelection, onOutput: OnOutput): LineFollow {
    const follow = { selection, onOutput };
    this.follows.add(follow);
    return {
      read: (...query) => this.readFollowed(...query),
      refresh: () => void this.refreshes++,
      close: () => void this.follows.delete(follow),
    };
  }

  get latestSeq(): number {
    return this.sequence.latest;
  }

  nameFilter(names: readonly string[]): (id: string) => boolean {
    return filterIds(names);
  }

  logPath(config: ProcessConfig, stream: StreamName): string | null {
    return this.processLog(namespecOf(config), stream) === null
      ? null
      : `/tmp/${config.name}-${stream}---fake-AUTO.log`;
  }

  self(): { readonly uid: number; readonly directory: string } {
    return { uid: 1000, directory: '/srv' };
  }

  uid(config: ProcessConfig): number | null {
    return config.options.user === null ? null : 65_534;
  }

  effectiveConfig(): ReturnType<SupervisorApi['effectiveConfig']> {
    return { file: '/etc/supervisord.conf', included: [], sections: effectiveSections(this.shownConfig, this.#groups) };
  }

  configuredGroups(): readonly GroupConfig[] {
    return this.#groups;
  }

  async reread(): Promise<Reread> {
    return this.rereadAnswer;
  }

  async previewUpdate<T>(look: (changes: Reread) => T): Promise<T> {
    return look(this.rereadAnswer);
  }

  addGroup(name: string, cause: ClientRequest): 'added' | 'unknown' | 'active' {
    const group = this.#groups.find((candidate) => candidate.name === name);
    if (group === undefined) return 'unknown';
    return this.engine.addGroup(group, cause) ? 'added' : 'active';
  }

  removeGroup(name: string): 'removed' | 'unknown' | 'running' {
    return this.engine.removeGroup(name);
  }

  planUpdate(): GroupPlan | null {
    return this.planAnswer;
  }

  readonly settingsUpdates: boolean[] = [];

  async scale(program: string, count: number): Promise<ScaleOutcome> {
    this.scaled.push(`${program}=${count}`);
    return this.scaleAnswer;
  }

  updateSettings(isApplied: boolean): { live: string[]; pending: string[] } {
    this.settingsUpdates.push(isApplied);
    return { live: ['loglevel'], pending: ['umask'] };
  }

  updateGroup(): Promise<null> {
    return Promise.resolve(null);
  }

  async restartSupervisor(cause: ClientRequest): Promise<string | null> {
    if (this.restartProblem !== null) return this.restartProblem;
    this.#state = 'RESTARTING';
    this.engine.shutDown('restart', cause);
    return null;
  }

  /** Delay of the next shutdown in milliseconds. */
  shutdownDelayMs = 0;

  shutdown(cause: ClientRequest): void {
    this.#state = 'SHUTDOWN';
    this.engine.shutDown('exit', cause, { delayMs: this.shutdownDelayMs });
  }

  shutdownAgain(): boolean {
    this.engine.hurry();
    return this.#state === 'SHUTDOWN';
  }

  reloadAnswer: ReloadAnswer = { kind: 'refused', reason: 'no answer' };

  reloadProcess(): Promise<ReloadAnswer> {
    return Promise.resolve(this.reloadAnswer);
  }

  endDelay(cause: ClientRequest): boolean {
    if (this.engine.phase !== 'delayed') return false;
    this.engine.shutDown('exit', cause);
    return true;
  }

  isDelayed(): boolean {
    return this.engine.phase === 'delayed';
  }

  noteRequest(request: ClientRequest, target: string | null): void {
    this.requests.push(`${request.method} ${target} by ${formatClient(request.client)}`);
  }

  /** Listening sockets by pid. */
  readonly listeners = new Map<number, string>();

  async listeningSockets(pids: readonly number[]): Promise<string[]> {
    return pids.flatMap((pid) => this.listeners.get(pid) ?? []);
  }

  readonly measures = {
    readTrees: async (): Promise<ReadonlyMap<string, TreeMeasures> | null> => this.trees,
    readTreesOf: async (): Promise<ReadonlyMap<string, TreeMeasures> | null> => this.trees,
    cpuSecondsOf: (id: string): number => this.cpuSeconds.get(id) ?? 0,
    outputOf: (id: string, stream: StreamName): ChannelCounts | null => this.counts.get(`${id} ${stream}`) ?? null,
  };

  async usage(): Promise<ReadonlyMap<string, ProgramUsage>> {
    if (this.usageError !== null) throw this.usageError;
    return this.usages;
  }

  async usageOf(ids: readonly string[]): Promise<ReadonlyMap<string, ProgramUsage>> {
    if (this.usageError !== null) throw this.usageError;
    return new Map([...this.usages].filter(([id]) => ids.includes(id)));
  }

  logTargets(config: ProcessConfig, stream: StreamName): string | null {
    return this.logPath(config, stream) === null ? null : 'AUTO';
  }

  lastLine(id: string, run: WantedRun): { stream: StreamName; text: string } | null {
    this.lastLineCalls.push(run);
    return this.lastLines.get(id) ?? null;
  }

  waitForEvents(wait: {
    readonly after: number;
    readonly waitMs: number;
    readonly signal: AbortSignal;
  }): Promise<boolean> {
    return this.canWait ? this.eventWaits.wait(wait) : Promise.resolve(false);
  }

  lastCheck(): CheckResult | null {
    return this.checkAnswer;
  }

  flappingRule(): { restarts: number; windowMs: number } {
    return { restarts: 3, windowMs: 600_000 };
  }

  report(level: Level, text: string): void {
    this.reports.push([level, text]);
    this.log.push(`${level} ${text}\n`);
  }
}
