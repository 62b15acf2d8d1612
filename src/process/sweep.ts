/**
 * Ends all remaining processes when the supervisor exits: SIGTERM to all, then SIGKILL after a grace period. Finishes
 * as soon as no process remains. There are no fixed waits, only exits and two deadlines. Used in container mode and as
 * PID 1. Elsewhere orphans are left alone, as in Supervisor.
 */
import { signalNumbers } from '../core/signals.ts';
import type { SweepGrace } from '../core/stop-budget.ts';
import type { Addon } from '../native/addon.ts';
import type { SystemClock } from './clock.ts';
import { descendantsOf, readProcesses } from './process-tree.ts';
import type { ProcessEntry } from './process-tree.ts';
import type { Reaper } from './reaper.ts';

export interface SweepParts {
  readonly addon: Pick<Addon, 'kill'>;
  /** The reaper, already started. */
  readonly reaper: Pick<Reaper, 'subscribe' | 'drain'>;
  readonly clock: Pick<SystemClock, 'nowMs' | 'alarm'>;
  /**
   * Our pid. PID 1 ends all processes of its namespace. Otherwise we end our descendants, including orphans
   * (subreaper).
   */
  readonly pid: number;
  /** Replaced in tests. */
  readonly readProcesses?: () => ProcessEntry[] | null;
}

/** Time limit of a sweep. */
export interface SweepLimit {
  /** Returns the current grace periods, counted from now. */
  grace(): SweepGrace;
  /** Calls `listener` when the grace period becomes shorter. Returns a function that unsubscribes. */
  onChange(listener: () => void): () => void;
}

/** Ends all remaining processes. Resolves with the pids that survived SIGKILL (in an uninterruptible wait). */
export function sweep(parts: SweepParts, limit: SweepLimit): Promise<readonly number[]> {
  return new Promise((resolve) => new Sweep(parts, limit, resolve).start());
}

class Sweep {
  readonly #parts: SweepParts;
  readonly #limit: SweepLimit;
  readonly #resolve: (survivors: readonly number[]) => void;
  /**
   * Our own children at the last scan. Any other descendant hangs from one of them, or becomes our child when its
   * parent ends. So a new scan is needed only when all of these have been reaped.
   */
  readonly #children = new Set<number>();
  #isKilling = false;
  #stopListening: () => void = () => undefined;
  #stopAlarm: () => void = () => undefined;
  #stopWatching: () => void = () => undefined;

  constructor(parts: SweepParts, limit: SweepLimit, resolve: (survivors: readonly number[]) => void) {
    this.#parts = parts;
    this.#limit = limit;
    this.#resolve = resolve;
  }

  start(): void {
    const { reaper, clock } = this.#parts;
    reaper.drain();
    this.#signalAll(signalNumbers.SIGTERM);
    // A stopped process receives SIGTERM only after it continues.
    this.#signalAll(signalNumbers.SIGCONT);
    if (this.#isOver()) return this.#resolve([]);
    this.#stopListening = reaper.subscribe((ended) => {
      for (const { pid } of ended) this.#children.delete(pid);
      if (this.#children.size > 0) return;
      if (this.#isOver()) this.#finish([]);
      // A process was forked while the others were killed.
      else if (this.#isKilling) this.#signalAll(signalNumbers.SIGKILL);
    });
    const { termMs } = this.#limit.grace();
    const killAtMs = clock.nowMs() + termMs;
    this.#stopAlarm = clock.alarm(killAtMs, () => this.#kill());
    this.#stopWatching = this.#limit.onChange(() => {
      const sooner = Math.min(killAtMs, clock.nowMs() + this.#limit.grace().termMs);
      this.#stopAlarm();
      this.#stopAlarm = clock.alarm(sooner, () => this.#kill());
    });
  }

  #kill(): void {
    const { clock } = this.#parts;
    this.#isKilling = true;
    this.#stopWatching();
    this.#signalAll(signalNumbers.SIGKILL);
    if (this.#isOver()) return this.#finish([]);
    this.#stopAlarm = clock.alarm(clock.nowMs() + this.#limit.grace().killMs, () => this.#finish([...this.#children]));
  }

  #finish(survivors: readonly number[]): void {
    this.#stopListening();
    this.#stopAlarm();
    this.#stopWatching();
    this.#resolve(survivors);
  }

  /**
   * True if no process remains to wait for. Our PID namespace may have processes that are not our descendants (`docker
   * exec`). They get the signals too, but we do not wait for them: their parent is outside, and the kernel ends them
   * with us.
   */
  #isOver(): boolean {
    const { addon, pid } = this.#parts;
    const entries = this.#readAll();
    if (entries === null) return pid !== 1 || addon.kill(-1, 0) !== 0;
    this.#children.clear();
    for (const entry of entries) if (entry.parent === pid) this.#children.add(entry.pid);
    return this.#children.size === 0;
  }

  #signalAll(signal: number): void {
    const { addon, pid } = this.#parts;
    // ESRCH and EPERM need no handling, since a scan follows.
    if (pid === 1) {
      addon.kill(-1, signal);
      return;
    }
    for (const entry of descendantsOf(pid, this.#readAll() ?? [])) if (!entry.isZombie) addon.kill(entry.pid, signal);
  }

  #readAll(): ProcessEntry[] | null {
    return (this.#parts.readProcesses ?? readProcesses)();
  }
}
