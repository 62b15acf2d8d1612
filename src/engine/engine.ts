/**
 * The one loop: a queue of inputs, the pure machines of core/, and their effects through ports. The only place where
 * the state of a process changes. It makes no system call and owns no timer: those are behind `Processes` and `Clock`.
 *
 * Invariants:
 *   1. One input at a time, to the end: its record is replaced, then its effects run, then the next input is taken.
 *   2. The outcome of a spawn is the very next input after it.
 *   3. All pids of a batch of ended children leave the pid table before any of them is acted upon: no signal goes to a recycled pid.
 *   4. An error in one input is logged and the loop goes on.
 */
import type { GroupConfig } from '../config/model.ts';
import { describeMistake } from '../core/error-text.ts';
import type { ExitCause } from '../core/exit-policy.ts';
import { parseWaitStatus } from '../core/exit-status.ts';
import { step } from '../core/process-machine.ts';
import type { Health, ProcessEffect, ProcessInput } from '../core/process-record.ts';
import type { Forwarded, Goal, ShutdownRecord } from '../core/shutdown-machine.ts';
import { SIGNALLABLE_STATES, STOPPED_STATES } from '../core/states.ts';
import { startOrder } from '../core/stop-order.ts';
import { type EngineEvent, type Listener, Subscribers } from './events.ts';
import { Alarm } from './alarm.ts';
import { blockedCauseOf, exitCauseOf, type ExitSettings, judgeMain } from './exit-cause.ts';
import { formatFatal, formatNote, formatReapedUnknown, type Message } from './messages.ts';
import type { Clock, EndBudget, Jobs, Processes, Report, StartBudget } from './ports.ts';
import { type Entry, namespecOf, type ProcessView, ProcessTable, viewOf } from './process-table.ts';
import { type Input, InputQueue } from './input-queue.ts';
import { Runs } from './runs.ts';
import { failedRootOf, holdOf, isAwaited } from './start-holds.ts';
import { Shutdown } from './shutdown.ts';

/** Where the engine's orders go. */
export interface EnginePorts {
  readonly processes: Processes;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly report: Report;
  /** A number in [0, 1), another one each time. */
  readonly chance: () => number;
  readonly budget: StartBudget;
  readonly endBudget: EndBudget;
  /** Asked before a rank of a shutdown is told to stop: calls `proceed`, at once or soon. SIGKILL does not ask. */
  readonly beforeStop?: (ids: readonly string[], proceed: () => void) => void;
  /** Nothing of ours runs any more: the last thing that an engine does. */
  readonly finished: (goal: Goal, cause: ExitCause) => void;
}

/** The supervisor at work on one configuration. */
export class Engine {
  readonly #options: ExitSettings;
  readonly #ports: EnginePorts;
  readonly #registry: ProcessTable;
  readonly #queue: InputQueue;
  readonly #subscribers: Subscribers;
  readonly #runs: Runs;
  readonly #shutdown: Shutdown;
  /** Signals that were sent on to the main program: an end by one of them was asked for. */
  readonly #passedOn = new Set<number>();

  constructor(groups: readonly GroupConfig[], options: ExitSettings, ports: EnginePorts) {
    this.#options = options;
    this.#ports = ports;
    this.#queue = new InputQueue((input) => this.#take(input));
    const {
      clock,
      report,
      processes,
      jobs,
      budget,
      beforeStop = (_ids, proceed) => proceed(),
      endBudget,
      finished,
    } = ports;
    this.#subscribers = new Subscribers(report);
    this.#registry = new ProcessTable(
      (id) =>
        new Alarm(clock, () => this.#accept({ to: 'process', id, input: { type: 'elapsed', atMs: this.#now() } })),
    );
    this.#runs = new Runs({
      registry: this.#registry,
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
      registry: this.#registry,
      cleanup: this.#runs.cleanup,
      clock,
      report,
      beforeStop,
      budget: endBudget,
      finished,
      accept: (input) => this.#accept({ to: 'supervisor', input }),
      send: (ids, input) => {
        for (const id of ids) this.#queue.add({ to: 'process', id, input });
        this.#queue.turn();
      },
      begun: (goal) => this.#emit({ type: 'supervisor', goal }),
    });
    for (const group of groups) this.#registry.setGroup(group);
  }

  /** Starts all programs with autostart, in the order of their priorities. */
  start(): void {
    this.#autostart(this.#registry.all());
  }

  /** Takes a group in at run time and starts what has autostart. False when there is one of that name. */
  addGroup(group: GroupConfig): boolean {
    if (this.#registry.inGroup(group.name).length > 0) return false;
    this.#registry.setGroup(group);
    this.#emit({ type: 'group', group: group.name, change: 'added' });
    if (this.#shutdown.phase === 'running') this.#autostart(this.#registry.inGroup(group.name));
    return true;
  }

  /**
   * Forgets a group of which nothing runs: `unknown` when there is none of that name, `running` while a process of it
   * is up.
   */
  removeGroup(name: string): 'removed' | 'unknown' | 'running' {
    const entries = this.#registry.inGroup(name);
    if (entries.length === 0) return 'unknown';
    if (entries.some(({ record }) => !STOPPED_STATES.has(record.state))) return 'running';
    for (const entry of entries) this.#registry.remove(entry);
    this.#emit({ type: 'group', group: name, change: 'removed' });
    this.#reconsider(this.#registry.all());
    this.#queue.turn();
    return 'removed';
  }

  /**
   * Makes a known group as it is configured now, while it runs. Processes that are configured no more must be at rest,
   * and are forgotten.
   */
  updateGroup(group: GroupConfig): void {
    const ids = new Set(group.processes.map(namespecOf));
    for (const entry of this.#registry.inGroup(group.name)) if (!ids.has(entry.id)) this.#registry.remove(entry);
    this.#registry.setGroup(group);
    for (const entry of this.#registry.inGroup(group.name)) this.#emit({ type: 'configured', process: viewOf(entry) });
    // What is depended on, and by whom, may be something else now.
    this.#reconsider(this.#registry.all());
    this.#queue.turn();
  }

  /**
   * Asks for a start (ignored where the process is up or being stopped), an orderly stop, or an end by SIGKILL whatever
   * its stopsignal. False when there is no such process.
   */
  request(id: string, type: 'start' | 'stop' | 'kill'): boolean {
    if (this.#registry.get(id) === undefined) return false;
    if (type !== 'start' || this.#shutdown.phase === 'running')
      this.#queue.add({ to: 'process', id, input: { type, atMs: this.#now() } });
    this.#queue.turn();
    return true;
  }

  /**
   * Stops a process in an orderly way and starts it again, by decision of ours and for a reason that the log tells;
   * max_restarts counts it. False, and nothing is done, where it is not up.
   */
  restartProcess(id: string, reason: string): boolean {
    const entry = this.#registry.get(id);
    const state = entry?.record.state;
    if (entry === undefined || (state !== 'RUNNING' && state !== 'STARTING') || this.#shutdown.phase !== 'running')
      return false;
    this.#ports.report('warn', `restarting '${entry.config.name}': ${reason}`);
    this.#accept({ to: 'process', id, input: { type: 'restart', atMs: this.#now() } });
    return true;
  }

  /** A run has said that it is ready. */
  tellReady(id: string, run: number): void {
    this.#accept({ to: 'process', id, input: { type: 'ready', atMs: this.#now(), run } });
  }

  /** The health of a run is this now; null: nothing checks it any more. */
  tellHealth(id: string, run: number, health: Health | null): void {
    this.#accept({ to: 'process', id, input: { type: 'health', atMs: this.#now(), run, health } });
  }

  /** Sends a signal, with no intention of ours: null, or `no such process`, `not running`, or the name of an errno. */
  signalProcess(id: string, signal: number, group = false): string | null {
    const entry = this.#registry.get(id);
    if (entry === undefined) return 'no such process';
    if (
      entry.record.pid === null ||
      !SIGNALLABLE_STATES.has(entry.record.state) ||
      !this.#registry.ownsPid(entry.record.pid)
    )
      return 'not running';
    if (id === this.#options.mainProgram) this.#passedOn.add(signal);
    return this.#ports.processes.signal(entry.record.pid, signal, group);
  }

  /**
   * Ends or restarts the supervisor: everything is stopped by descending priority, then `finished` is called.
   * The first cause is kept; an end asked for during a restart replaces it. `forwarded` got the signal itself: its end
   * gives the exit code.
   */
  end(goal: Goal, cause: ExitCause, forwarded: Forwarded | null = null): void {
    this.#accept({ to: 'supervisor', input: this.#shutdown.requestFor(goal, cause, forwarded) });
  }

  /** Loses patience with a shutdown under way: SIGKILL to all that is left. Nothing happens when none is. */
  hurry(): void {
    if (this.#shutdown.phase !== 'running') this.#ports.endBudget.hurry();
    this.#accept({ to: 'supervisor', input: { type: 'hurried', atMs: this.#now() } });
  }

  /** Takes a batch of ended children from the reaper. */
  reaped(batch: ReadonlyArray<{ readonly pid: number; readonly status: number }>): void {
    const atMs = this.#now();
    for (const { pid, status } of batch) {
      const known = this.#registry.releasePid(pid);
      const parsed = parseWaitStatus(status);
      // One that was forgotten while nobody could vouch for it is not the one that may have its name by now.
      if (known === undefined || this.#registry.get(known.entry.id) !== known.entry)
        this.#say(formatReapedUnknown(pid, parsed));
      else
        this.#queue.add({
          to: 'process',
          id: known.entry.id,
          input: { type: 'exited', atMs, run: known.run, status: parsed },
        });
    }
    for (const { pid } of batch) this.#runs.readRest(pid);
    this.#queue.turn();
    this.#runs.cleanup.look();
  }

  /** Is told of every change, after it. Returns the function that ends this. */
  subscribe(listener: Listener): () => void {
    return this.#subscribers.add(listener);
  }

  /** All processes, in order of group priority and name. */
  processes(): ProcessView[] {
    return this.#registry.all().map(viewOf);
  }

  /** One process; null when there is none of that namespec. */
  process(id: string): ProcessView | null {
    const entry = this.#registry.get(id);
    return entry === undefined ? null : viewOf(entry);
  }

  get phase(): ShutdownRecord['phase'] {
    return this.#shutdown.phase;
  }

  #autostart(entries: readonly Entry[]): void {
    const due = entries.filter(({ config }) => config.options.autostart || config.options.dependent_startup);
    for (const id of startOrder(due.map(({ rank }) => rank)))
      this.#queue.add({ to: 'process', id, input: { type: 'start', atMs: this.#now() } });
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
      this.#ports.report('critical', `cannot act on ${input.input.type}: ${describeMistake(error)}`);
    }
  }

  #stepProcess(id: string, input: ProcessInput): void {
    const entry = this.#registry.get(id);
    if (entry === undefined) return;
    const before = entry.record;
    const isStart = input.type === 'start' || input.type === 'dependenciesChanged';
    // What was in the queue when the end began: nothing would stop it any more.
    if (isStart && this.#shutdown.phase !== 'running') return;
    const { record, effects } = step(before, input, entry.policy, {
      mayRestart: this.#shutdown.phase === 'running',
      chance: this.#ports.chance(),
      hold: isStart ? holdOf(entry, this.#registry) : null,
    });
    entry.record = record;
    entry.alarm.set(record.deadlineMs);
    if (record === before) return;
    if (input.type === 'exited' && before.pid !== null) this.#runs.end(entry, before.pid, before.state === 'STOPPING');
    if (input.type === 'spawned')
      this.#emit({ type: 'spawned', process: viewOf(entry), run: input.run, pid: input.pid });
    for (const effect of effects) this.#runEffect(entry, effect, before.pid);
  }

  #runEffect(entry: Entry, effect: ProcessEffect, pidBefore: number | null): void {
    switch (effect.type) {
      case 'note':
        return this.#say(
          formatNote(
            entry.config.name,
            entry.id === this.#options.mainProgram ? judgeMain(effect.note, this.#passedOn) : effect.note,
          ),
        );
      case 'spawn':
        return this.#runs.begin(entry, effect.run);
      case 'signal':
        return this.#runs.signal(entry, effect);
      case 'factChanged':
        return this.#tell(entry, effect);
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

  #tell(entry: Entry, { fact, from, record }: Extract<ProcessEffect, { type: 'factChanged' }>): void {
    const proc = { ...viewOf(entry), record };
    this.#emit(
      fact === 'health' ? { type: 'health', process: proc, from: from.health } : { type: fact, process: proc },
    );
    this.#reconsider(this.#registry.dependentsOf(entry.id));
    if (record.hold?.kind === 'stuck') this.#endIfBlocked(entry);
  }

  /** A start that can never happen is a failure of the program that it is for. */
  #endIfBlocked(entry: Entry): void {
    const root = failedRootOf(entry, this.#registry);
    const cause = root === null ? null : blockedCauseOf(entry, root, this.#options.mainProgram);
    if (cause !== null) this.#queue.add({ to: 'supervisor', input: this.#shutdown.requestFor('exit', cause) }, 'next');
  }

  /** Starts that are held may be able to go on now, or never any more. */
  #reconsider(entries: readonly Entry[]): void {
    const held = this.#shutdown.phase === 'running' ? entries.filter(({ record }) => record.hold !== null) : [];
    for (const { id } of held)
      this.#queue.add({ to: 'process', id, input: { type: 'dependenciesChanged', atMs: this.#now() } });
  }

  /**
   * What a change of one process means for the others, and for the whole: the next rank of a shutdown, or an end of the
   * container.
   */
  #afterChange(entry: Entry, { to, record, expected }: Extract<ProcessEffect, { type: 'stateChanged' }>): void {
    this.#reconsider(this.#registry.dependentsOf(entry.id));
    if (to === 'STOPPING' && record.pid === null) this.#runs.callOff(entry.id);
    if (to === 'FATAL') this.#say(formatFatal(entry.config.name, record.failure));
    if (to === 'STARTING' || to === 'RUNNING' || to === 'STOPPING') return;
    if (this.#shutdown.phase === 'stopping') {
      // A start that fails during a shutdown would be tried again: it is called off.
      if (to === 'BACKOFF')
        this.#queue.add({ to: 'process', id: entry.id, input: { type: 'stop', atMs: this.#now() } });
      return this.#shutdown.ended({ ...entry, record });
    }
    const isDue = (other: ProcessView): boolean =>
      this.#queue.hasStart(other.id) || isAwaited(other.id, this.#registry);
    const cause = exitCauseOf({ ...entry, record }, expected, this.#registry.all(), this.#options, isDue);
    if (cause === null) return;
    // Ahead of what else has happened: other ends of the same batch are no reason to restart anything any more.
    this.#queue.add({ to: 'supervisor', input: this.#shutdown.requestFor('exit', cause) }, 'next');
  }

  #emit(event: EngineEvent): void {
    this.#subscribers.tell(event);
  }

  #say([level, text]: Message): void {
    this.#ports.report(level, text);
  }

  #now(): number {
    return this.#ports.clock.nowMs();
  }
}
