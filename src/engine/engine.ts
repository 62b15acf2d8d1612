/**
 * The one loop: a queue of inputs, the pure machines of core/, and their effects through ports. The only place where the state of a process changes.
 * It makes no system call and owns no timer: those are behind `Processes` and `Clock`.
 *
 * Invariants:
 *   1. One input at a time, to the end: its record is replaced, then its effects run, then the next input is taken.
 *   2. The outcome of a spawn is the very next input.
 *   3. All pids of a batch of ended children leave the pid table before any of them is acted upon: no signal goes to a recycled pid.
 *   4. An error in one input is logged and the loop goes on.
 */
import type { GroupConfig } from '../config/model.ts';
import type { ExitCause } from '../core/exit-policy.ts';
import { parseWaitStatus } from '../core/exit-status.ts';
import { type ProcessEffect, type ProcessInput, type ProcessNote, step } from '../core/process-machine.ts';
import { type Goal, initialShutdown, type ShutdownEffect, type ShutdownInput, type ShutdownRecord, stepShutdown } from '../core/shutdown-machine.ts';
import { SIGNALLABLE_STATES } from '../core/states.ts';
import { startOrder, stopRanks } from '../core/stop-order.ts';
import type { EngineEvent, Listener } from './events.ts';
import { Alarm } from './alarm.ts';
import { exitCauseOf, type ExitSettings } from './exit-cause.ts';
import { formatError, formatNote, formatReapedUnknown, formatWaiting, type Message } from './messages.ts';
import type { Clock, Processes, Report } from './ports.ts';
import { type Entry, namespecOf, type ProcessView, Registry } from './registry.ts';

/** What is fixed for the life of an engine. */
export interface EngineOptions extends ExitSettings {
  /** `[supervisord] shutdown_timeout` in milliseconds; null for none. */
  readonly shutdownTimeoutMs: number | null;
}

/** Where the engine's orders go. */
export interface EnginePorts {
  readonly processes: Processes;
  readonly clock: Clock;
  readonly report: Report;
  /** A number in [0, 1), another one each time. */
  readonly chance: () => number;
  /** Asked before a rank of a shutdown is told to stop: calls `proceed`, at once or soon. SIGKILL does not ask. */
  readonly beforeStop?: (ids: readonly string[], proceed: () => void) => void;
  /** Nothing of ours runs any more: the last thing that an engine does. */
  readonly finished: (goal: Goal, cause: ExitCause) => void;
}

type Input =
  | { readonly to: 'process'; readonly id: string; readonly input: ProcessInput }
  | { readonly to: 'supervisor'; readonly input: ShutdownInput };

/** The supervisor at work on one configuration. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #ports: EnginePorts;
  readonly #registry: Registry;
  readonly #queue: Input[] = [];
  readonly #listeners = new Set<Listener>();
  #isTurning = false;
  #shutdown: ShutdownRecord = initialShutdown;
  readonly #timeout: Alarm;
  /** Signals that were sent on to the main program: an end by one of them was asked for. */
  readonly #passedOn = new Set<number>();

  constructor(groups: readonly GroupConfig[], options: EngineOptions, ports: EnginePorts) {
    this.#options = options;
    this.#ports = ports;
    const { clock, report } = ports;
    this.#registry = new Registry((id) => new Alarm(clock, () => this.#accept({ to: 'process', id, input: { type: 'elapsed', atMs: this.#now() } })));
    this.#timeout = new Alarm(clock, () => {
      report('warn', 'shutdown_timeout has run out: killing all that is left');
      this.#accept({ to: 'supervisor', input: { type: 'elapsed', atMs: this.#now() } });
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

  /** Forgets a group of which nothing runs: `unknown` when there is none of that name, `running` while a process of it is up. */
  removeGroup(name: string): 'removed' | 'unknown' | 'running' {
    const entries = this.#registry.inGroup(name);
    if (entries.length === 0) return 'unknown';
    if (entries.some(({ record }) => record.pid !== null || record.state === 'BACKOFF')) return 'running';
    for (const entry of entries) this.#registry.remove(entry);
    this.#emit({ type: 'group', group: name, change: 'removed' });
    return 'removed';
  }

  /** Makes a known group as it is configured now, while it runs. Processes that are configured no more must be at rest, and are forgotten. */
  updateGroup(group: GroupConfig): void {
    const ids = new Set(group.processes.map(namespecOf));
    for (const entry of this.#registry.inGroup(group.name)) if (!ids.has(entry.id)) this.#registry.remove(entry);
    this.#registry.setGroup(group);
  }

  /**
   * Asks for a start (ignored where the process is up or being stopped), an orderly stop, or an end by SIGKILL whatever its stopsignal.
   * False when there is no such process.
   */
  request(id: string, type: 'start' | 'stop' | 'kill'): boolean {
    if (this.#registry.get(id) === undefined) return false;
    if (type !== 'start' || this.#shutdown.phase === 'running') this.#enqueue({ to: 'process', id, input: { type, atMs: this.#now() } });
    this.#turn();
    return true;
  }

  /** Sends a signal, with no intention of ours: null, or `no such process`, `not running`, or the name of an errno. */
  signalProcess(id: string, signal: number, group = false): string | null {
    const entry = this.#registry.get(id);
    if (entry === undefined) return 'no such process';
    if (entry.record.pid === null || !SIGNALLABLE_STATES.has(entry.record.state) || !this.#registry.ownsPid(entry.record.pid)) return 'not running';
    if (id === this.#options.mainProgram) this.#passedOn.add(signal);
    return this.#ports.processes.signal(entry.record.pid, signal, group);
  }

  /**
   * Ends or restarts the supervisor: everything is stopped by descending priority, then `finished` is called.
   * The first cause is kept; an end asked for during a restart replaces it.
   */
  end(goal: Goal, cause: ExitCause): void {
    this.#accept({ to: 'supervisor', input: this.#shutdownRequest(goal, cause) });
  }

  /** Loses patience with a shutdown under way: SIGKILL to all that is left. Nothing happens when none is. */
  hurry(): void {
    this.#accept({ to: 'supervisor', input: { type: 'hurried' } });
  }

  /** Takes a batch of ended children from the reaper. */
  reaped(batch: ReadonlyArray<{ readonly pid: number; readonly status: number }>): void {
    const atMs = this.#now();
    for (const { pid, status } of batch) {
      const known = this.#registry.releasePid(pid);
      const parsed = parseWaitStatus(status);
      if (known === undefined) {
        this.#say(formatReapedUnknown(pid, parsed));
        continue;
      }
      this.#enqueue({ to: 'process', id: known.entry.id, input: { type: 'exited', atMs, run: known.run, status: parsed } });
    }
    this.#turn();
  }

  /** Is told of every change, after it. Returns the function that ends this. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** All processes, in order of group priority and name. */
  processes(): ProcessView[] {
    return this.#registry.all().map(({ id, config, record }) => ({ id, config, record }));
  }

  /** One process; null when there is none of that namespec. */
  process(id: string): ProcessView | null {
    const entry = this.#registry.get(id);
    return entry === undefined ? null : { id, config: entry.config, record: entry.record };
  }

  get phase(): ShutdownRecord['phase'] {
    return this.#shutdown.phase;
  }

  #autostart(entries: readonly Entry[]): void {
    const due = entries.filter(({ config }) => config.options.autostart);
    for (const id of startOrder(due.map(({ rank }) => rank))) this.#enqueue({ to: 'process', id, input: { type: 'start', atMs: this.#now() } });
    this.#turn();
  }

  #shutdownRequest(goal: Goal, cause: ExitCause): ShutdownInput {
    const up = this.#registry.all().filter(({ record }) => SIGNALLABLE_STATES.has(record.state));
    return { type: 'requested', atMs: this.#now(), goal, cause, ranks: stopRanks(up.map(({ rank }) => rank)), timeoutMs: this.#options.shutdownTimeoutMs };
  }

  #enqueue(input: Input): void {
    this.#queue.push(input);
  }

  #accept(input: Input): void {
    this.#enqueue(input);
    this.#turn();
  }

  /** Takes inputs until none is left. A call from within an effect only queues: the turn under way goes on to it. */
  #turn(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    try {
      for (let input = this.#queue.shift(); input !== undefined; input = this.#queue.shift()) this.#take(input);
    } finally {
      this.#isTurning = false;
    }
  }

  #take(input: Input): void {
    try {
      if (input.to === 'supervisor') this.#stepSupervisor(input.input);
      else this.#stepProcess(input.id, input.input);
    } catch (error) {
      this.#ports.report('critical', `cannot act on ${input.input.type}: ${formatError(error)}`);
    }
  }

  #stepProcess(id: string, input: ProcessInput): void {
    const entry = this.#registry.get(id);
    if (entry === undefined) return;
    const { pid } = entry.record;
    const { record, effects } = step(entry.record, input, { ...entry.policy, mayRestart: this.#shutdown.phase === 'running', chance: this.#ports.chance() });
    entry.record = record;
    entry.alarm.set(record.deadlineMs);
    for (const effect of effects) this.#runEffect(entry, effect, pid);
  }

  #runEffect(entry: Entry, effect: ProcessEffect, pidBefore: number | null): void {
    switch (effect.type) {
      case 'note':
        return this.#say(formatNote(entry.config.name, this.#judge(entry, effect.note)));
      case 'spawn':
        return this.#spawn(entry, effect.run);
      case 'signal':
        return this.#signal(entry, effect.pid, effect.signal, effect.group);
      case 'changed':
        this.#emit({
          type: 'process',
          process: { id: entry.id, config: entry.config, record: effect.record },
          from: effect.from,
          expected: effect.expected,
          pid: effect.to === 'STARTING' ? null : (effect.record.pid ?? pidBefore),
        });
        return this.#afterChange(entry, effect);
    }
  }

  /** Whatever exit code the main program chooses is the answer that the container was started for; and who sends it a signal expects what that does. */
  #judge(entry: Entry, note: ProcessNote): ProcessNote {
    if (entry.id !== this.#options.mainProgram || note.note !== 'exited') return note;
    return { ...note, expected: note.status.kind === 'exited' || this.#passedOn.has(note.status.signal) };
  }

  #spawn(entry: Entry, run: number): void {
    const outcome = this.#ports.processes.spawn(entry.config, run);
    const atMs = this.#now();
    if (outcome.ok) this.#registry.claimPid(outcome.pid, { entry, run });
    const input: ProcessInput = outcome.ok
      ? { type: 'spawned', atMs, run, pid: outcome.pid }
      : { type: 'spawnFailed', atMs, run, reason: outcome.reason, exitCode: outcome.exitCode };
    this.#queue.unshift({ to: 'process', id: entry.id, input });
  }

  #signal(entry: Entry, pid: number, signal: number, group: boolean): void {
    const code = this.#registry.ownsPid(pid) ? this.#ports.processes.signal(pid, signal, group) : 'ESRCH';
    if (code !== null) this.#enqueue({ to: 'process', id: entry.id, input: { type: 'signalFailed', atMs: this.#now(), run: entry.record.run, code } });
  }

  /** What a change of one process means for the whole: the next rank of a shutdown, or an end of the container. */
  #afterChange(entry: Entry, { to, record, expected }: Extract<ProcessEffect, { type: 'changed' }>): void {
    if (to === 'STARTING' || to === 'RUNNING' || to === 'STOPPING') return;
    if (this.#shutdown.phase === 'stopping') {
      // A start that fails during a shutdown would be tried again: it is called off.
      if (to === 'BACKOFF') this.#enqueue({ to: 'process', id: entry.id, input: { type: 'stop', atMs: this.#now() } });
      this.#enqueue({ to: 'supervisor', input: { type: 'gone', id: entry.id } });
      return;
    }
    const cause = exitCauseOf({ ...entry, record }, expected, this.#registry.all(), this.#options);
    if (cause === null) return;
    // Ahead of what else has happened: other ends of the same batch are no reason to restart anything any more.
    this.#queue.unshift({ to: 'supervisor', input: this.#shutdownRequest('exit', cause) });
  }

  #stepSupervisor(input: ShutdownInput): void {
    const before = this.#shutdown;
    const { record, effects } = stepShutdown(before, input);
    this.#shutdown = record;
    this.#timeout.set(record.deadlineMs);
    if (before.phase === 'running' && record.phase !== 'running') this.#callOffWaiting(record);
    for (const effect of effects) this.#runShutdownEffect(effect);
  }

  /** What does not run and is due to is called off at once, whatever its rank. */
  #callOffWaiting(record: ShutdownRecord): void {
    this.#emit({ type: 'supervisor', goal: record.goal });
    const names = record.ranks.flat().map((id) => this.#registry.get(id)?.config.name ?? id);
    if (names.length > 0) this.#say(formatWaiting(names));
    for (const { id, record: process } of this.#registry.all()) {
      if (!SIGNALLABLE_STATES.has(process.state)) this.#enqueue({ to: 'process', id, input: { type: 'stop', atMs: this.#now() } });
    }
  }

  #runShutdownEffect(effect: ShutdownEffect): void {
    if (effect.type === 'finished') {
      this.#ports.finished(effect.goal, effect.cause);
      return;
    }
    const order = (): void => {
      for (const id of effect.ids) this.#enqueue({ to: 'process', id, input: { type: effect.type, atMs: this.#now() } });
      this.#turn();
    };
    const { beforeStop } = this.#ports;
    if (effect.type === 'kill' || beforeStop === undefined) order();
    else beforeStop(effect.ids, order);
  }

  #emit(event: EngineEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#ports.report('critical', `cannot tell of an event: ${formatError(error)}`);
      }
    }
  }

  #say([level, text]: Message): void {
    this.#ports.report(level, text);
  }

  #now(): number {
    return this.#ports.clock.nowMs();
  }
}
