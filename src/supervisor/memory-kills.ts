/**
 * Which programs the kernel has killed because memory ran out: a program that ended by SIGKILL while the counter of our
 * cgroup went up.
 * It says so in the log, keeps a count for the metrics and a remark for the status, and changes nothing.
 */
import { type ExitStatus, shellExitCode } from '../core/exit-status.ts';
import type { ProcessRemark } from '../core/process-remark.ts';
import { signalNumbers } from '../core/signals.ts';
import type { EngineEvent, Listener } from '../engine/events.ts';
import type { Report } from '../engine/ports.ts';
import type { ProcessView } from '../engine/process-table.ts';
import { readOomKills } from '../process/oom-kills.ts';

/**
 * One kill of several at once is seen with the exit that is looked at first; the others must follow within this time to
 * be counted with it.
 */
const SAME_KILL_MS = 5000;
/** A shell ends with this code when the kernel has killed what it waited for. */
const KILLED_CODE = 128 + signalNumbers.SIGKILL;

/** Its parts. */
export interface MemoryKillsParts {
  readonly subscribe: (listener: Listener) => unknown;
  readonly report: Report;
  /** The monotonic clock. */
  readonly nowMs: () => number;
  readonly wallMs: () => number;
  /** Replaced in tests. */
  readonly readKills?: () => number | null;
}

/** Follows all programs, over reloads. */
export class MemoryKills {
  readonly #parts: MemoryKillsParts;
  /** By namespec: how often, and when last, in seconds since 1970; 0 where the latest end was another. */
  readonly #kills = new Map<string, { count: number; lastS: number }>();
  /** The counter as of the last look, how much of it is accounted for, and when that was. */
  #seen: { total: number | null; used: number; atMs: number } = { total: null, used: 0, atMs: 0 };

  constructor(parts: MemoryKillsParts) {
    this.#parts = parts;
    this.#look(true);
    parts.subscribe((event) => this.#observe(event));
  }

  /** Number of times that a process was killed for memory. */
  countOf(id: string): number {
    return this.#kills.get(id)?.count ?? 0;
  }

  /** Returns a remark if the latest end of a process was such a kill; null otherwise. */
  remark(id: string): ProcessRemark | null {
    const lastS = this.#kills.get(id)?.lastS ?? 0;
    return lastS === 0 ? null : { kind: 'outOfMemory', atS: lastS };
  }

  #observe(event: EngineEvent): void {
    if (event.type === 'group' && event.change === 'removed') {
      for (const id of this.#kills.keys()) if (id.startsWith(`${event.group}:`)) this.#kills.delete(id);
    }
    // Processes that were killed before this run began do not count.
    if (event.type === 'spawned' && this.#isOld()) this.#look(true);
    if (event.type === 'process' && event.pid !== null && event.process.record.pid === null) this.#ended(event.process);
  }

  #ended({ id, config, record }: ProcessView): void {
    if (record.exit !== null && isKill(record.exit) && this.#takeKill()) {
      const count = this.countOf(id) + 1;
      this.#kills.set(id, { count, lastS: Math.floor(this.#parts.wallMs() / 1000) });
      this.#parts.report(
        'warn',
        `${config.name}: out of memory: the kernel killed it, or what it had started; raise the memory limit of the ` +
          `container, or restart the program in time with max_memory`,
      );
      return;
    }
    const known = this.#kills.get(id);
    if (known !== undefined) known.lastS = 0;
  }

  /** Takes one kill of those that the kernel has counted and no exit has explained yet. */
  #takeKill(): boolean {
    // Kills of a look long ago that no exit has explained were of processes that are not programs of ours.
    if (this.#isOld()) this.#seen.used = this.#seen.total ?? 0;
    this.#look(false);
    const { total, used } = this.#seen;
    if (total === null || total <= used) return false;
    this.#seen.used += 1;
    return true;
  }

  #isOld(): boolean {
    return this.#parts.nowMs() - this.#seen.atMs >= SAME_KILL_MS;
  }

  /** Reads the counter. `isBaseline`: no exit that follows explains what was counted until now. */
  #look(isBaseline: boolean): void {
    const total = (this.#parts.readKills ?? readOomKills)();
    // A counter that has fallen is that of another cgroup.
    const used = isBaseline || this.#seen.total === null ? (total ?? 0) : Math.min(this.#seen.used, total ?? 0);
    this.#seen = { total, used, atMs: this.#parts.nowMs() };
  }
}

function isKill(status: ExitStatus): boolean {
  return shellExitCode(status) === KILLED_CODE;
}
