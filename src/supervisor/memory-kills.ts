/**
 * Detects programs that the kernel killed because memory ran out: a program ended by SIGKILL while the counter of our
 * cgroup went up. Writes a log line, and keeps a count for the metrics and a remark for the status. Changes nothing.
 */
import { type ExitStatus, shellExitCode } from '../core/exit-status.ts';
import { exitFields, processFields } from '../core/log-fields.ts';
import type { ProcessRemark } from '../core/process-remark.ts';
import { signalNumbers } from '../core/signals.ts';
import type { SupervisorEvent, Listener } from '../engine/events.ts';
import type { Report } from '../engine/ports.ts';
import type { ProcessView } from '../engine/process-table.ts';
import { readOomKills } from '../process/oom-kills.ts';

/**
 * When several kills happen at once, the first exit that is handled reads the counter for all of them. The other exits
 * must follow within this time.
 */
const SAME_KILL_MS = 5000;
/** Exit code of a shell whose child was killed. */
const KILLED_CODE = 128 + signalNumbers.SIGKILL;

type ProcessEvent = Extract<SupervisorEvent, { type: 'process' }>;

/** Parts of {@link MemoryKills}. */
export interface MemoryKillsParts {
  readonly subscribe: (listener: Listener) => unknown;
  readonly report: Report;
  /** The monotonic clock. */
  readonly nowMs: () => number;
  readonly wallMs: () => number;
  /** Replaced in tests. */
  readonly readKills?: () => number | null;
}

/** Follows all programs, across reloads. */
export class MemoryKills {
  readonly #parts: MemoryKillsParts;
  /**
   * By namespec: number of kills, and time of the last in seconds since 1970. The time is 0 if the latest exit was no
   * kill.
   */
  readonly #kills = new Map<string, { count: number; lastS: number }>();
  /** The counter at the last reading, how many of its kills are attributed to exits, and the time of the reading. */
  #lastReading: { total: number | null; used: number; atMs: number } = { total: null, used: 0, atMs: 0 };

  constructor(parts: MemoryKillsParts) {
    this.#parts = parts;
    this.#readCounter(true);
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

  #observe(event: SupervisorEvent): void {
    if (event.type === 'group' && event.change === 'removed') {
      for (const id of event.ids) this.#kills.delete(id);
    }
    if (event.type === 'restarted') for (const id of this.#kills.keys()) if (!event.ids.has(id)) this.#kills.delete(id);
    // Ignore kills before this run began.
    if (event.type === 'spawned' && this.#isOld()) this.#readCounter(true);
    if (isEnd(event)) this.#ended(event.process);
  }

  #ended({ id, config, record }: ProcessView): void {
    if (record.exit !== null && isKill(record.exit) && this.#attributeKill()) {
      const count = this.countOf(id) + 1;
      this.#kills.set(id, { count, lastS: Math.floor(this.#parts.wallMs() / 1000) });
      this.#parts.report(
        'warn',
        `${config.name}: out of memory: the kernel killed it or a process it had started; raise the memory limit of ` +
          `the container, or restart the program in time with max_memory`,
        { event: 'out_of_memory', ...processFields(config), ...exitFields(record.exit) },
      );
      return;
    }
    const known = this.#kills.get(id);
    if (known !== undefined) known.lastS = 0;
  }

  /** Attributes to an exit one of the kills that the kernel has counted. False if none is left. */
  #attributeKill(): boolean {
    // Old kills that no exit explains were of processes that are not our programs.
    if (this.#isOld()) this.#lastReading.used = this.#lastReading.total ?? 0;
    this.#readCounter(false);
    const { total, used } = this.#lastReading;
    if (total === null || total <= used) return false;
    this.#lastReading.used += 1;
    return true;
  }

  #isOld(): boolean {
    return this.#parts.nowMs() - this.#lastReading.atMs >= SAME_KILL_MS;
  }

  /** Reads the counter. `isBaseline`: kills counted so far are attributed to no later exit. */
  #readCounter(isBaseline: boolean): void {
    const total = (this.#parts.readKills ?? readOomKills)();
    // A counter that has decreased belongs to another cgroup.
    const used =
      isBaseline || this.#lastReading.total === null ? (total ?? 0) : Math.min(this.#lastReading.used, total ?? 0);
    this.#lastReading = { total, used, atMs: this.#parts.nowMs() };
  }
}

/**
 * True if a run has ended with this change. The change from BACKOFF or EXITED to FATAL also has a pid, but comes later.
 */
function isEnd(event: SupervisorEvent): event is ProcessEvent {
  if (event.type !== 'process' || event.pid === null || event.process.record.pid !== null) return false;
  return event.from !== 'BACKOFF' && event.from !== 'EXITED';
}

function isKill(status: ExitStatus): boolean {
  return shellExitCode(status) === KILLED_CODE;
}
