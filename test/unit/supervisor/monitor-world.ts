/**
 * A fake engine for monitors: processes in states that the test sets, and a record of the requests. The wall clock can
 * be set.
 */
import { type Decision, formatDecision } from '../../../src/core/cause.ts';
import type { Schedule } from '../../../src/config/cron.ts';
import { initialRecord, type ProcessRecord } from '../../../src/core/process-record.ts';
import type { ProcessStateName } from '../../../src/core/states.ts';
import type { EngineEvent } from '../../../src/engine/events.ts';
import type { Report } from '../../../src/engine/ports.ts';
import type { ProcessView } from '../../../src/engine/process-table.ts';
import { FakeClock } from '../../engine/world.ts';

/** Time passes on both clocks alike. The wall clock can be set. */
export class WallClock extends FakeClock {
  #offsetMs = 0;

  wallMs(): number {
    return this.nowMs() + this.#offsetMs;
  }

  set(time: string): void {
    this.#offsetMs = Date.parse(time) - this.nowMs();
  }
}

interface Options {
  readonly cron: Schedule | null;
  readonly tz: string | null;
  readonly max_memory: number | null;
}

/** An engine whose processes a monitor observes. */
export class MonitorWorld {
  readonly clock = new WallClock();
  readonly log: string[] = [];
  /** Started and restarted processes, in order, with the time or the reason. */
  readonly asked: string[] = [];
  readonly #views = new Map<string, ProcessView>();

  /** Listeners for changes of the wall clock. */
  readonly clockWatchers = new Set<() => void>();

  readonly watchClock = (changed: () => void): (() => void) => {
    this.clockWatchers.add(changed);
    return () => this.clockWatchers.delete(changed);
  };

  /** Sets the wall clock, as an administrator or a wake-up does. */
  setClock(time: string): void {
    this.clock.set(time);
    for (const changed of this.clockWatchers) changed();
  }

  readonly report: Report = (level, text) => void this.log.push(`${level} ${text}`);

  readonly engine = {
    process: (id: string): ProcessView | null => this.#views.get(id) ?? null,
    processes: (): ProcessView[] => [...this.#views.values()],
    request: (id: string): boolean =>
      this.asked.push(`${id} ${new Date(this.clock.wallMs()).toISOString().slice(0, 19)}`) > 0,
    restartProcess: (id: string, cause: Decision): boolean => this.asked.push(`${id} ${formatDecision(cause)}`) > 0,
  };

  /** Adds a process or changes its configuration. */
  configure(id: string, options: Partial<Options>): EngineEvent {
    const config = {
      name: id,
      options: { cron: null, tz: null, max_memory: null, ...options },
    } as unknown as ProcessView['config'];
    return {
      type: 'configured',
      process: this.#put({ id, config, record: this.#views.get(id)?.record ?? initialRecord }),
    };
  }

  /** Changes the state of a process. STARTING begins the next run. */
  become(id: string, state: ProcessStateName, change: Partial<ProcessRecord> = {}): EngineEvent {
    const before = this.#views.get(id);
    if (before === undefined) throw new Error(`there is no ${id}`);
    const run = before.record.run + (state === 'STARTING' ? 1 : 0);
    const pid = ['STARTING', 'RUNNING', 'STOPPING'].includes(state) ? 1000 + run : null;
    const proc = this.#put({ ...before, record: { ...before.record, run, pid, state, ...change } });
    return { type: 'process', process: proc, from: before.record.state, expected: true, pid };
  }

  remove(id: string): void {
    this.#views.delete(id);
  }

  #put(view: ProcessView): ProcessView {
    this.#views.set(view.id, view);
    return view;
  }
}
