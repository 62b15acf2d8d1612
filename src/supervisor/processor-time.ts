/**
 * The processor time of each process over all its runs, as a counter that never falls.
 *
 * The kernel tells the time of a run exactly when it is reaped: that of the program and of the descendants that were
 * waited for. Until then the latest measurement of its tree counts. So the counter is right without any sampling, and
 * sampling only makes it current. The time of an orphan that ends between two measurements is lost.
 */
import type { SupervisorEvent } from '../engine/events.ts';
import type { Reaped } from '../native/addon.ts';

/** The time of one process in milliseconds. */
interface Total {
  ms: number;
  /** Part of the time that is from the current run. */
  ofRunMs: number;
}

/** The counters of one supervisor. Names are namespecs. */
export class ProcessorTime {
  readonly #totals = new Map<string, Total>();
  /** Names of the processes that are up, by pid. */
  readonly #names = new Map<number, string>();

  /** Takes an event of the engine. */
  observe(event: SupervisorEvent): void {
    if (event.type === 'spawned') this.#names.set(event.pid, event.process.id);
    if (event.type === 'group' && event.change === 'removed') for (const id of event.ids) this.#totals.delete(id);
    if (event.type === 'restarted')
      for (const id of this.#totals.keys()) if (!event.ids.has(id)) this.#totals.delete(id);
  }

  /** Adds the rest of the runs that have ended. */
  ended(batch: readonly Reaped[]): void {
    if (this.#names.size === 0) return;
    for (const { pid, cpuMs } of batch) {
      const id = this.#names.get(pid);
      if (id === undefined) continue;
      this.#names.delete(pid);
      this.measured(id, cpuMs);
      this.#of(id).ofRunMs = 0;
    }
  }

  /** Takes the time of the current run so far. The time falls when an orphan of the tree has ended. */
  measured(id: string, cpuMs: number): void {
    const total = this.#of(id);
    total.ms += Math.max(0, cpuMs - total.ofRunMs);
    total.ofRunMs = cpuMs;
  }

  /** Takes a time of the current run that may leave out a part of its tree. */
  measuredAtLeast(id: string, cpuMs: number): void {
    if (cpuMs > this.#of(id).ofRunMs) this.measured(id, cpuMs);
  }

  /** Returns the time of all runs in milliseconds. */
  totalMsOf(id: string): number {
    return this.#totals.get(id)?.ms ?? 0;
  }

  #of(id: string): Total {
    const known = this.#totals.get(id);
    if (known !== undefined) return known;
    const made: Total = { ms: 0, ofRunMs: 0 };
    this.#totals.set(id, made);
    return made;
  }
}
