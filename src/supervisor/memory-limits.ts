/**
 * Restarts programs whose processes together use more than `max_memory`. Checks every ten seconds while a program with
 * a limit is up, and sets no alarm otherwise. Only asks the engine for restarts. Each failed check is reported once.
 */
import { Alarm } from '../engine/alarm.ts';
import type { Engine } from '../engine/engine.ts';
import type { EngineEvent } from '../engine/events.ts';
import type { Report } from '../engine/ports.ts';
import type { ProcessView } from '../engine/process-table.ts';
import { describeSystemError } from '../files/system-error.ts';
import type { SystemClock } from '../process/clock.ts';
import { readUsage, type TreeUsage } from '../process/usage.ts';
import type { Monitor } from '../engine/monitor.ts';

const INTERVAL_MS = 10_000;

export interface MemoryLimitsParts {
  readonly engine: Pick<Engine, 'restartProcess' | 'process'>;
  readonly clock: SystemClock;
  readonly report: Report;
  /** Replaced in tests. */
  readonly readUsage?: typeof readUsage;
}

/** The memory limits of the programs of one engine. */
export class MemoryLimits implements Monitor {
  readonly #parts: MemoryLimitsParts;
  readonly #alarm: Alarm;
  /** Namespecs of the processes that are up and have a limit. */
  readonly #watched = new Set<string>();
  readonly #reported = new Set<string>();
  #dueMs: number | null = null;
  #isReading = false;

  constructor(parts: MemoryLimitsParts) {
    this.#parts = parts;
    this.#alarm = new Alarm(parts.clock, () => void this.#check());
  }

  begin(): void {
    // No process is up yet.
  }

  observe(event: EngineEvent): void {
    if (event.type !== 'process' && event.type !== 'configured') return;
    const { id, config } = event.process;
    if (config.options.max_memory !== null && isUp(event.process)) this.#watched.add(id);
    else if (!this.#watched.delete(id)) return;
    this.#arm();
  }

  close(): void {
    this.#watched.clear();
    this.#arm();
  }

  #arm(): void {
    if (this.#watched.size === 0 || this.#isReading) this.#dueMs = null;
    else this.#dueMs ??= this.#parts.clock.nowMs() + INTERVAL_MS;
    this.#alarm.set(this.#dueMs);
  }

  /** Checks all processes. Never rejects. The next check is due ten seconds after the end of this one. */
  async #check(): Promise<void> {
    const { engine } = this.#parts;
    const runs = [...this.#watched].map((id) => engine.process(id)).filter((proc) => proc !== null);
    this.#isReading = true;
    this.#dueMs = null;
    try {
      const usages = await (this.#parts.readUsage ?? readUsage)(runs.flatMap(({ record }) => record.pid ?? []));
      for (const run of runs) this.#judge(run, usages);
    } catch (error) {
      this.#reportOnce(`cannot check max_memory: ${describeSystemError(error)}`);
    } finally {
      this.#isReading = false;
      this.#arm();
    }
  }

  /**
   * Restarts a process that exceeds its limit. The measurement took time: check that the run is the same, and use the
   * current limit.
   */
  #judge({ id, record: { run, pid } }: ProcessView, usages: ReadonlyMap<number, TreeUsage>): void {
    const proc = this.#watched.has(id) ? this.#parts.engine.process(id) : null;
    const limit = proc?.config.options.max_memory;
    if (proc?.record.run !== run || pid === null || limit === undefined || limit === null) return;
    const size = usages.get(pid)?.residentBytes;
    if (size === undefined)
      this.#reportOnce(`cannot check max_memory of '${proc.config.name}': its process is not visible in /proc`);
    else if (size > limit) this.#parts.engine.restartProcess(id, { kind: 'memory', bytes: size, limitBytes: limit });
  }

  #reportOnce(text: string): void {
    if (this.#reported.has(text)) return;
    this.#reported.add(text);
    this.#parts.report('warn', text);
  }
}

function isUp({ record: { state } }: ProcessView): boolean {
  return state === 'STARTING' || state === 'RUNNING';
}
