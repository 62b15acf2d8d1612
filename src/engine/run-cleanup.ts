/**
 * The cleanup after a run: stop the remaining processes of its group (`kill_orphans`), wait for stop_command, run
 * post_stop_command. The next start and a shutdown wait for the cleanup; the state does not.
 *
 * The group can be signalled after its leader was reaped: the kernel does not reuse a pid while a process group with
 * that number has members (setpgid(2)).
 */
import { processFields } from '../core/log-fields.ts';
import { signalNumbers } from '../core/signals.ts';
import type { CleanupStep } from '../core/start-wait.ts';
import { Alarm } from './alarm.ts';
import type { Hooks } from './hooks.ts';
import type { Clock, Processes, Report } from './ports.ts';
import type { Entry } from './process-table.ts';

/** Wait after SIGKILL. A group that still exists then is left behind. */
const GIVE_UP_MS = 1000;

/** Dependencies of the cleanup. */
export interface RunCleanupParts {
  readonly processes: Processes;
  readonly clock: Clock;
  readonly report: Report;
  readonly hooks: Hooks;
}

/** The remaining processes of one group. */
interface Group {
  readonly entry: Entry;
  /** Pid of the reaped leader, which is the id of the group. */
  readonly pid: number;
  readonly alarm: Alarm;
  signalsSent: number;
  isKilled: boolean;
}

/** The cleanups under way, by process. */
export class RunCleanup {
  readonly #parts: RunCleanupParts;
  readonly #groups = new Map<string, Group>();
  /** Callbacks that wait for a cleanup, by process. */
  readonly #waiting = new Map<string, Set<() => void>>();
  #isHurried = false;

  constructor(parts: RunCleanupParts) {
    this.#parts = parts;
  }

  /** Begins the cleanup of a run whose leader was reaped. `wasStopped`: the exit was requested. */
  begin(entry: Entry, pid: number, wasStopped: boolean): void {
    const { kill_orphans: kill, post_stop_command: command } = entry.config.options;
    const isGroupStopped = kill === 'always' || kill === 'cgroup' || (kill === 'stop' && wasStopped);
    if (!isGroupStopped && command === null && !this.#parts.hooks.isRunning(entry.id, 'stop_command')) return;
    this.#waiting.set(entry.id, new Set());
    if (!isGroupStopped || !this.#isThere(pid)) return this.#tidy(entry, pid);
    const group: Group = {
      entry,
      pid,
      alarm: new Alarm(this.#parts.clock, () => this.#press(group)),
      signalsSent: 0,
      isKilled: false,
    };
    this.#groups.set(entry.id, group);
    this.#parts.report(
      'info',
      `stopping the remaining processes of the group of '${entry.config.name}' (kill_orphans)`,
      { event: 'cleanup', ...processFields(entry.config), pid },
    );
    if (this.#isHurried) this.#kill(group);
    else this.#press(group);
  }

  /** Ends the cleanup of groups that no longer exist. Called after children without an entry were reaped. */
  look(): void {
    for (const group of this.#groups.values()) if (!this.#isThere(group.pid)) this.#end(group);
  }

  /** True if the next start of a process must wait. */
  isUnderWay(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** Returns the processes with a cleanup under way. Some may have been removed from the configuration. */
  underWay(): string[] {
    return [...this.#waiting.keys()];
  }

  /** Returns the step that the cleanup of a process is at; null if no cleanup is under way. */
  stepOf(id: string): CleanupStep | null {
    if (!this.#waiting.has(id)) return null;
    if (this.#groups.has(id)) return 'kill_orphans';
    return this.#parts.hooks.isRunning(id, 'stop_command') ? 'stop_command' : 'post_stop_command';
  }

  /** Calls `then` once no cleanup of a process is under way. The returned function cancels the call. */
  whenOver(id: string, then: () => void): () => void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) then();
    else waiting.add(then);
    return () => waiting?.delete(then);
  }

  /**
   * Cuts cleanups short, now and for the runs that end from now on. Sends SIGKILL to the remaining groups and to
   * commands, and starts no more commands.
   */
  hurry(ids: readonly string[]): void {
    this.#isHurried = true;
    for (const id of ids) this.#hurry(id);
  }

  /** Waits for no group any more, at the end of the engine. Groups that are left got SIGKILL before. */
  close(): void {
    for (const { alarm } of this.#groups.values()) alarm.set(null);
    this.#groups.clear();
  }

  #hurry(id: string): void {
    const group = this.#groups.get(id);
    if (group !== undefined) this.#kill(group);
    this.#parts.hooks.cancel(id, 'stop_command');
    this.#parts.hooks.cancel(id, 'post_stop_command');
  }

  /** Sends the next signal of `stopsignal`, then SIGKILL, stopwaitsecs apart. */
  #press(group: Group): void {
    const { processes, clock } = this.#parts;
    const {
      entry: { policy },
      pid,
    } = group;
    if (!this.#isThere(pid)) return this.#end(group);
    const signal = policy.stopSignals[group.signalsSent];
    if (group.isKilled) return this.#giveUp(group);
    if (signal === undefined || signal === signalNumbers.SIGKILL) return this.#kill(group);
    group.signalsSent += 1;
    processes.signal(pid, signal, true);
    group.alarm.set(clock.nowMs() + policy.stopWaitMs);
  }

  #kill(group: Group): void {
    group.isKilled = true;
    this.#parts.processes.signal(group.pid, signalNumbers.SIGKILL, true);
    group.alarm.set(this.#parts.clock.nowMs() + GIVE_UP_MS);
  }

  #giveUp(group: Group): void {
    const name = `the process group of '${group.entry.config.name}' (${group.pid})`;
    this.#parts.report('error', `a process of ${name} has survived SIGKILL and is left behind`, {
      event: 'left_behind',
      ...processFields(group.entry.config),
      pid: group.pid,
    });
    this.#end(group);
  }

  #end({ entry, pid, alarm }: Group): void {
    alarm.set(null);
    this.#groups.delete(entry.id);
    this.#tidy(entry, pid);
  }

  #tidy(entry: Entry, pid: number): void {
    const { hooks } = this.#parts;
    const finish = (): void => {
      const waiting = this.#waiting.get(entry.id) ?? new Set();
      this.#waiting.delete(entry.id);
      for (const then of waiting) then();
    };
    hooks.afterStop(entry.id, () => (this.#isHurried ? finish() : hooks.postStop(entry, pid, finish)));
  }

  #isThere(pid: number): boolean {
    return this.#parts.processes.signal(pid, 0, true) !== 'ESRCH';
  }
}
