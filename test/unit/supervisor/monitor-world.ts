/**
 * A fake engine for monitors: processes in states that the test sets, and what was asked of them. The
 * clock on the wall can be set.
 */
import type { Schedule } from '../../../src/config/cron.ts';
import { initialRecord, type ProcessRecord } from '../../../src/core/process-record.ts';
import type { ProcessStateName } from '../../../src/core/states.ts';
import type { EngineEvent } from '../../../src/engine/events.ts';
import type { Report } from '../../../src/engine/ports.ts';
import type { ProcessView } from '../../../src/engine/process-table.ts';
import { FakeClock } from '../../engine/world.ts';

/** Time passes on both clocks alike; the one on the wall can be set. */
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

/** An engine of which a monitor sees the processes. */
export class CompanionWorld {
  readonly clock = new WallClock();
  readonly log: string[] = [];
  /** Names of what was started or restarted, in order, with the time or the reason. */
  readonly asked: string[] = [];
  readonly #views = new Map<string, ProcessView>();

  /** Those who are told when the clock on the wall is set. */
  readonly clockWatchers = new Set<() => void>();

  readonly watchClock = (changed: () => void): (() => void) => {
    this.clockWatchers.add(changed);
    return () => this.clockWatchers.delete(changed);
  };

  /** Sets the clock on the wall, as an administrator or a machine that wakes up does. */
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
    restartProcess: (id: string, reason: string): boolean => this.asked.push(`${id} ${reason}`) > 0,
  };

  /** Configures a process, anew or for the first time. */
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

  /** A process is in another state; one that starts begins its next run. */
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
