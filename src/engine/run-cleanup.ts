/**
 * What follows the end of a run before the next one may begin: the rest of its process group is stopped
 * (`kill_orphans`), stop_command comes to its end, and post_stop_command is run. The state of the process does not wait
 * for it; its next start and the end of the supervisor do.
 *
 * Why the group can be signalled after its leader was reaped: the kernel gives a pid to nobody for as long as a process
 * group of that number has members (setpgid(2)).
 */
import { signalNumbers } from '../core/signals.ts';
import { Alarm } from './alarm.ts';
import type { Hooks } from './hooks.ts';
import type { Clock, Processes, Report } from './ports.ts';
import type { Entry } from './process-table.ts';

/** How long we believe that a group which got SIGKILL is still there. */
const GIVE_UP_MS = 1000;

/** What it is built from. */
export interface RunCleanupParts {
  readonly processes: Processes;
  readonly clock: Clock;
  readonly report: Report;
  readonly hooks: Hooks;
}

/** The rest of one process group. */
interface Group {
  readonly entry: Entry;
  /** Pid of the leader that was, and so the id of the group. */
  readonly pid: number;
  readonly alarm: Alarm;
  signalsSent: number;
  isKilled: boolean;
}

/** The ends of all runs that are not over yet, by process. */
export class RunCleanup {
  readonly #parts: RunCleanupParts;
  readonly #groups = new Map<string, Group>();
  /** Processes with a cleanup under way, and what waits for its end. */
  readonly #waiting = new Map<string, Array<() => void>>();
  #isHurried = false;

  constructor(parts: RunCleanupParts) {
    this.#parts = parts;
  }

  /** The leader of a run was reaped. `wasStopped`: because it was told to. Called before anything is made of that. */
  begin(entry: Entry, pid: number, wasStopped: boolean): void {
    const { kill_orphans: kill, post_stop_command: command } = entry.config.options;
    const isGroupStopped = kill === 'always' || (kill === 'stop' && wasStopped);
    if (!isGroupStopped && command === null && !this.#parts.hooks.isStopping(entry.id)) return;
    this.#waiting.set(entry.id, []);
    if (!isGroupStopped || !this.#isThere(pid)) return this.#tidy(entry, pid);
    const group: Group = {
      entry,
      pid,
      alarm: new Alarm(this.#parts.clock, () => this.#press(group)),
      signalsSent: 0,
      isKilled: false,
    };
    this.#groups.set(entry.id, group);
    this.#parts.report('info', `stopping what is left of the process group of '${entry.config.name}' (kill_orphans)`);
    if (this.#isHurried) this.#kill(group);
    else this.#press(group);
  }

  /** Children were reaped that are nobody's: perhaps the last of a group. */
  look(): void {
    for (const group of this.#groups.values()) if (!this.#isThere(group.pid)) this.#end(group);
  }

  /** Whether the next start of a process must wait. */
  isUnderWay(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** Processes with a cleanup under way; one that is configured no more may be among them. */
  underWay(): string[] {
    return [...this.#waiting.keys()];
  }

  /** Calls `then` once nothing is under way for a process: at once, or later. */
  whenOver(id: string, then: () => void): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) then();
    else waiting.push(then);
  }

  /**
   * No more patience, now and with the runs that end from now on: SIGKILL to all that is left of groups, and to
   * commands. None is begun any more.
   */
  hurry(ids: readonly string[]): void {
    this.#isHurried = true;
    for (const id of ids) this.#hurry(id);
  }

  #hurry(id: string): void {
    const group = this.#groups.get(id);
    if (group !== undefined) this.#kill(group);
    this.#parts.hooks.cancel(id, 'stop_command');
    this.#parts.hooks.cancel(id, 'post_stop_command');
  }

  /** The next signal of `stopsignal`, then SIGKILL, stopwaitsecs apart. */
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
    this.#parts.report(
      'error',
      `something of the process group of '${group.entry.config.name}' (${group.pid}) has survived SIGKILL and is left behind`,
    );
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
      const waiting = this.#waiting.get(entry.id) ?? [];
      this.#waiting.delete(entry.id);
      for (const then of waiting) then();
    };
    hooks.afterStop(entry.id, () => (this.#isHurried ? finish() : hooks.postStop(entry, pid, finish)));
  }

  #isThere(pid: number): boolean {
    return this.#parts.processes.signal(pid, 0, true) !== 'ESRCH';
  }
}
