/**
 * The one loop: a queue of inputs, the pure machines of core/, and their effects through ports. Only this file changes
 * the state of a process. System calls and timers are behind the ports `Processes` and `Clock`.
 *
 * Invariants:
 *   1. The engine takes one input at a time. It replaces the record, runs the effects, and then takes the next input.
 *   2. The outcome of a spawn is the next input after the spawn.
 *   3. All pids of a batch of ended children leave the pid table before the engine acts on any of them. So no signal
 *      goes to a pid that the kernel has given to another process.
 *   4. An error in one input is logged, and the loop continues.
 */
import type { GroupConfig } from '../config/model.ts';
import { describeMistake } from '../core/error-text.ts';
import type { ExitCause } from '../core/exit-policy.ts';
import { type Cause, type Decision, formatDecision } from '../core/cause.ts';
import { parseWaitStatus } from '../core/exit-status.ts';
import { causeFields, processFields } from '../core/log-fields.ts';
import { step } from '../core/process-machine.ts';
import { isStartDue } from '../core/process-start.ts';
import type { Health, ProcessEffect, ProcessInput, ProcessNote, ProcessRecord } from '../core/process-record.ts';
import { isPlannedRestart } from '../core/restart-policy.ts';
import type { Goal, ShutdownRecord } from '../core/shutdown-machine.ts';
import { STOPPED_STATES } from '../core/states.ts';
import { startOrder } from '../core/stop-order.ts';
import { type EngineEvent, type EngineListener, Subscribers } from './events.ts';
import { Alarm } from './alarm.ts';
import { blockedCauseOf, exitCauseOf, type ExitSettings, judgeMain } from './exit-cause.ts';
import { formatFatal, formatNote, formatReapedUnknown, type Message } from './messages.ts';
import { fieldsOfNote, recordAt } from './note-fields.ts';
import type { EnginePorts } from './ports.ts';
import { type Entry, isFollower, namespecOf, type ProcessView, ProcessTable, viewOf } from './process-table.ts';
import { type Input, InputQueue } from './input-queue.ts';
import { firstRequest, requestInput, type RequestType } from './requests.ts';
import { Runs } from './runs.ts';
import { failedRootOf, isAwaited, judgeDependencies } from './start-holds.ts';
import { Shutdown, type ShutdownPlan } from './shutdown.ts';
import { SignalSender } from './signal-sender.ts';

/** The engine of one configuration. */
export class Engine {
  readonly #options: ExitSettings;
  readonly #ports: EnginePorts;
  readonly #table: ProcessTable;
  readonly #queue: InputQueue;
  readonly #subscribers: Subscribers;
  readonly #runs: Runs;
  readonly #shutdown: Shutdown;
  readonly #sender: SignalSender;

  constructor(groups: readonly GroupConfig[], options: ExitSettings, ports: EnginePorts) {
    this.#options = options;
    this.#ports = ports;
    this.#queue = new InputQueue((input) => this.#take(input));
    const { clock, report, processes, jobs, budget } = ports;
    this.#subscribers = new Subscribers(report);
    const elapsed = (id: string): void =>
      this.#accept({ to: 'process', id, input: { type: 'elapsed', atMs: this.#now() } });
    this.#table = new ProcessTable((id) => new Alarm(clock, elapsed, id));
    this.#runs = new Runs({
      table: this.#table,
      processes,
      jobs,
      clock,
      report,
      budget,
      send: (id, input, place) => {
        this.#queue.add({ to: 'process', id, input }, place);
        this.#queue.turn();
      },
    });
    this.#shutdown = new Shutdown({
      table: this.#table,
      cleanup: this.#runs.cleanup,
      clock,
      report,
      beforeStop: ports.beforeStop ?? ((_ids, proceed) => proceed()),
      budget: ports.shutdownBudget,
      finished: ports.finished,
      accept: (input) => this.#accept({ to: 'supervisor', input }),
      send: (ids, input) => {
        for (const id of ids) this.#queue.add({ to: 'process', id, input });
        this.#queue.turn();
      },
      begun: (goal, cause) => this.#emit({ type: 'supervisor', goal, cause }),
    });
    this.#sender = new SignalSender({
      table: this.#table,
      processes,
      clock,
      mainProgram: options.mainProgram,
      accept: (id, input) => this.#accept({ to: 'process', id, input }),
    });
    for (const group of groups) this.#table.setGroup(group);
  }

  /** Starts all programs with autostart, in the order of their priorities. */
  start(): void {
    this.#autostart(this.#table.all(), { kind: 'boot' });
  }

  /** Adds a group at run time, and starts its programs with autostart. Returns false if the name is taken. */
  addGroup(group: GroupConfig, cause: Cause): boolean {
    if (this.#table.inGroup(group.name).length > 0) return false;
    this.#table.setGroup(group);
    this.#emit({ type: 'group', group: group.name, change: 'added', ids: group.processes.map(namespecOf) });
    if (this.#shutdown.phase === 'running') this.#autostart(this.#table.inGroup(group.name), cause);
    return true;
  }

  /** Removes a group without running processes. `unknown`: no group has the name. `running`: a process is up. */
  removeGroup(name: string): 'removed' | 'unknown' | 'running' {
    const entries = this.#table.inGroup(name);
    if (entries.length === 0) return 'unknown';
    if (entries.some(({ record }) => !STOPPED_STATES.has(record.state))) return 'running';
    const ids = this.#table.removeGroup(name);
    this.#emit({ type: 'group', group: name, change: 'removed', ids });
    this.#reconsider(this.#table.all());
    this.#queue.turn();
    return 'removed';
  }

  /** Applies the new configuration of a group while its programs run. Processes that are removed must be stopped. */
  updateGroup(group: GroupConfig): void {
    const ids = new Set(group.processes.map(namespecOf));
    for (const entry of this.#table.inGroup(group.name)) if (!ids.has(entry.id)) this.#table.removeFromGroup(entry);
    this.#table.setGroup(group);
    for (const entry of this.#table.inGroup(group.name)) {
      this.#queue.add({ to: 'process', id: entry.id, input: { type: 'configured', atMs: this.#now() } });
      this.#emit({ type: 'configured', process: viewOf(entry) });
    }
    // The dependencies may have changed.
    this.#reconsider(this.#table.all());
    this.#queue.turn();
  }

  /**
   * Requests a start, a wait for the first connection, an orderly stop, or SIGKILL. A start or wait is ignored if the
   * process is up or stopping, and during a shutdown. Returns false if there is no such process.
   */
  request(id: string, type: RequestType, cause: Cause): boolean {
    const entry = this.#table.get(id);
    if (entry === undefined) return false;
    const isStart = type === 'start' || type === 'awaitConnection';
    if (!isStart || this.#shutdown.phase === 'running')
      this.#queue.add({ to: 'process', id, input: requestInput(entry, type, cause, this.#now()) });
    this.#queue.turn();
    return true;
  }

  /** Requests an orderly stop with a forwarded signal as its first signal. */
  stopBy(id: string, signal: number, cause: Cause): void {
    this.#accept({ to: 'process', id, input: { type: 'stop', atMs: this.#now(), cause, signal } });
  }

  /**
   * Restarts a process by decision of the supervisor, and logs the reason. The restart counts for max_restarts, unless
   * it is planned. Returns false, and does nothing, if no program runs: one that is not executed yet is up to date.
   */
  restartProcess(id: string, cause: Decision): boolean {
    const entry = this.#table.get(id);
    if (entry === undefined || entry.record.pid === null || !this.#shutdown.mayRestart) return false;
    const { state } = entry.record;
    if (state !== 'RUNNING' && state !== 'STARTING') return false;
    const fields = { event: 'restarting', ...processFields(entry.config), state, ...causeFields(cause) } as const;
    this.#ports.report(
      isPlannedRestart(cause) ? 'info' : 'warn',
      `restarting '${entry.config.name}': ${formatDecision(cause)}`,
      fields,
    );
    this.#accept({ to: 'process', id, input: { type: 'restart', atMs: this.#now(), cause } });
    return true;
  }

  /** Records that a run has reported its readiness. */
  reportReady(id: string, run: number): void {
    this.#accept({ to: 'process', id, input: { type: 'ready', atMs: this.#now(), run } });
  }

  /** Records the health of a run; null if the run is no longer checked. */
  reportHealth(id: string, run: number, health: Health | null): void {
    this.#accept({ to: 'process', id, input: { type: 'health', atMs: this.#now(), run, health } });
  }

  /**
   * Sends a signal as it is. 0 only checks the permission. Returns null, or `no such process`, `not running`, or the
   * name of an errno.
   */
  signalProcess(id: string, signal: number, cause: Cause, group = false): string | null {
    return this.#sender.send(id, signal, cause, group);
  }

  /**
   * Shuts down or restarts the supervisor: stops all processes by descending priority, then calls `finished`. The first
   * cause is kept, but a shutdown replaces a restart under way.
   */
  shutDown(goal: Goal, cause: ExitCause, plan: ShutdownPlan = {}): void {
    this.#accept({ to: 'supervisor', input: this.#shutdown.plan(goal, cause, plan) });
  }

  /**
   * Ends the delay of a shutdown, or sends SIGKILL to all processes that the shutdown still waits for. Without a
   * shutdown, does nothing.
   */
  hurry(): void {
    if (this.#shutdown.hasBegunStop) this.#ports.shutdownBudget.hurry();
    this.#accept({ to: 'supervisor', input: { type: 'hurried', atMs: this.#now() } });
  }

  /** Takes a batch of ended children from the reaper. */
  reaped(batch: ReadonlyArray<{ readonly pid: number; readonly status: number }>): void {
    const atMs = this.#now();
    for (const { pid, status } of batch) {
      const known = this.#table.releasePid(pid);
      const parsed = parseWaitStatus(status);
      // The entry may have been removed and a process with the same name added since. Treat the pid as unknown.
      if (known === undefined || this.#table.get(known.entry.id) !== known.entry)
        this.#say(formatReapedUnknown(pid, parsed));
      else
        this.#queue.add({
          to: 'process',
          id: known.entry.id,
          input: { type: 'exited', atMs, run: known.run, status: parsed },
        });
    }
    for (const { pid } of batch) this.#runs.drainOutput(pid);
    this.#queue.turn();
    this.#runs.cleanup.look();
  }

  /** Calls the listener after every change. Returns the function that ends the subscription. */
  subscribe(listener: EngineListener): () => void {
    return this.#subscribers.add(listener);
  }

  /** Returns all processes, in the order in which they were added. */
  processes(): ProcessView[] {
    return this.#table.all().map(viewOf);
  }

  /** Returns the processes of a group, in their order. */
  readonly processesIn = (group: string): ProcessView[] => this.#table.inGroup(group).map(viewOf);
  /** Returns the processes of a program, and those that have this name themselves, in the order of all processes. */
  readonly processesNamed = (name: string): ProcessView[] => this.#table.named(name).map(viewOf);
  /** Returns the processes that depend on a process directly. */
  readonly dependentsOf = (id: string): ProcessView[] => this.#table.dependentsOf(id).map(viewOf);
  /** Returns what the start of a process waits for after its dependencies; null for nothing. */
  readonly startWaitOf = (id: string): ReturnType<Runs['startWaitOf']> => this.#runs.startWaitOf(this.#table.get(id));
  /** True if a pid belongs to a run that was not reaped yet. */
  readonly ownsPid = (pid: number): boolean => this.#table.ownsPid(pid);

  /** Returns the process with a namespec; null if there is none. */
  process(id: string): ProcessView | null {
    const entry = this.#table.get(id);
    return entry === undefined ? null : viewOf(entry);
  }

  /** `delayed`: a shutdown has begun, and the programs run on (`shutdown_delay`). */
  get phase(): ShutdownRecord['phase'] {
    return this.#shutdown.phase;
  }

  /** True until `shutdown_delay` is over. */
  get isDelaying(): boolean {
    return this.#shutdown.isDelaying;
  }

  #autostart(entries: readonly Entry[], cause: Cause): void {
    const due = entries.filter(({ config }) => config.options.autostart || config.options.dependent_startup);
    for (const id of startOrder(due.map(({ rank }) => rank)))
      this.#queue.add({ to: 'process', id, input: firstRequest(this.#table.get(id), cause, this.#now()) });
    this.#queue.turn();
  }

  #accept(input: Input): void {
    this.#queue.add(input);
    this.#queue.turn();
  }

  #take(input: Input): void {
    try {
      if (input.to === 'supervisor') this.#shutdown.step(input.input);
      else this.#stepProcess(input.id, input.input);
    } catch (error) {
      this.#ports.report('critical', `cannot act on ${input.input.type}: ${describeMistake(error)}`, {
        event: 'internal_error',
      });
    }
  }

  #stepProcess(id: string, input: ProcessInput): void {
    const entry = this.#table.get(id);
    if (entry === undefined) return;
    const before = entry.record;
    const isStart = input.type === 'start' || input.type === 'dependenciesChanged';
    // A start that was queued before the shutdown began. The shutdown would not stop the new process.
    if ((isStart || input.type === 'awaitConnection') && this.#shutdown.phase !== 'running') return;
    const { record, effects } = step(before, input, entry.policy, {
      mayRestart: this.#shutdown.mayRestart,
      chance: this.#ports.chance(),
      ...judgeDependencies(entry, input, this.#table),
    });
    entry.record = record;
    entry.alarm.set(record.deadlineMs);
    if (record === before) return;
    if (input.type === 'exited' && before.pid !== null)
      this.#runs.cleanUp(entry, before.pid, before.state === 'STOPPING');
    if (input.type === 'spawned')
      this.#emit({ type: 'spawned', process: viewOf(entry), run: input.run, pid: input.pid });
    for (const [index, effect] of effects.entries()) {
      if (effect.type === 'note') this.#tell(entry, effect.note, recordAt(effects, index, before), before.pid);
      else this.#runEffect(entry, effect, before.pid);
    }
    // A start that was due was cancelled. The state is the same, but dependents wait in vain from now on.
    if (record.state === before.state && isStartDue(before) && !isStartDue(record))
      this.#reconsider(this.#table.affectedBy(id));
  }

  #tell({ id, config }: Entry, noted: ProcessNote, record: ProcessRecord, pidBefore: number | null): void {
    const note = id === this.#options.mainProgram ? judgeMain(noted, this.#sender.sentToMain) : noted;
    const { group, name } = config;
    this.#say([...formatNote(name, note), fieldsOfNote(note, { group, name, record, pidBefore })]);
  }

  #runEffect(entry: Entry, effect: Exclude<ProcessEffect, { type: 'note' }>, pidBefore: number | null): void {
    switch (effect.type) {
      case 'spawn':
        return this.#runs.begin(entry, effect.run);
      case 'signal':
        return this.#runs.signal(entry, effect);
      case 'factChanged':
        return this.#publishFact(entry, effect);
      case 'stateChanged':
        this.#emit({
          type: 'process',
          process: { ...viewOf(entry), record: effect.record },
          from: effect.from,
          expected: effect.expected,
          pid: effect.to === 'STARTING' ? null : (effect.record.pid ?? pidBefore),
        });
        return this.#afterChange(entry, effect);
    }
  }

  #publishFact(entry: Entry, { fact, from, record }: Extract<ProcessEffect, { type: 'factChanged' }>): void {
    const proc = { ...viewOf(entry), record };
    this.#emit(
      fact === 'health' ? { type: 'health', process: proc, from: from.health } : { type: fact, process: proc },
    );
    this.#reconsider(this.#table.affectedBy(entry.id));
    if (record.hold?.kind === 'stuck') this.#shutDownIfBlocked(entry);
  }

  /** Treats a start that can never happen as a failure of that program. */
  #shutDownIfBlocked(entry: Entry): void {
    const root = failedRootOf(entry, this.#table);
    const cause = root === null ? null : blockedCauseOf(entry, root, this.#options.mainProgram);
    if (cause !== null) this.#queue.add({ to: 'supervisor', input: this.#shutdown.requestFor('exit', cause) }, 'next');
  }

  /** Judges again the starts that wait for dependencies, and the processes that follow theirs. */
  #reconsider(entries: readonly Entry[]): void {
    if (this.#shutdown.phase !== 'running') return;
    for (const { id } of entries.filter((entry) => entry.record.hold !== null || isFollower(entry)))
      this.#queue.add({ to: 'process', id, input: { type: 'dependenciesChanged', atMs: this.#now() } });
  }

  /** Applies a state change to the other processes: their dependencies, the next rank of a shutdown, an exit rule. */
  #afterChange(entry: Entry, { to, record, expected }: Extract<ProcessEffect, { type: 'stateChanged' }>): void {
    this.#reconsider(this.#table.affectedBy(entry.id));
    if (to === 'STOPPING' && record.pid === null) this.#runs.callOff(entry.id);
    if (to === 'FATAL') this.#say(formatFatal(entry.config, record.failure));
    if (to === 'STARTING' || to === 'RUNNING' || to === 'STOPPING') return;
    if (this.#shutdown.phase === 'stopping') {
      // Cancel the next try of a start that fails during a shutdown.
      if (to === 'BACKOFF') this.#queue.add({ to: 'process', id: entry.id, input: this.#shutdown.stopInput() });
      return this.#shutdown.stopped({ ...entry, record });
    }
    const cause = exitCauseOf({ ...entry, record }, expected, this.#options, {
      some: (isFound) => this.#table.some(isFound),
      all: () => this.#table.all(),
      isAwaited: ({ id }) => this.#queue.hasStart(id) || isAwaited(id, this.#table),
    });
    if (cause === null) return this.#shutdown.endIdleDelay();
    // Ahead of the other inputs: other exits of the same batch must not restart a process any more.
    this.#queue.add({ to: 'supervisor', input: this.#shutdown.requestFor('exit', cause) }, 'next');
  }

  #emit(event: EngineEvent): void {
    this.#subscribers.publish(event);
  }

  #say(message: Message): void {
    this.#ports.report(...message);
  }

  #now(): number {
    return this.#ports.clock.nowMs();
  }
}
