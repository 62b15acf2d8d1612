/**
 * Restarts programs whose processes together use more than `max_memory`. Checks every ten seconds while a program with
 * a limit is up, and sets no alarm otherwise. Only asks the engine for restarts. Each failed check is reported once.
 */
import { type NamedProcess, processFields } from '../core/log-fields.ts';
import type { ProcessConfig } from '../config/model.ts';
import { Alarm } from '../engine/alarm.ts';
import type { Engine } from '../engine/engine.ts';
import type { EngineEvent } from '../engine/events.ts';
import type { Report } from '../engine/ports.ts';
import type { ProcessView } from '../engine/process-table.ts';
import { describeSystemError } from '../files/system-error.ts';
import type { SystemClock } from '../process/clock.ts';
import type { Cgroups } from '../process/cgroups.ts';
import { readProportionalBytes, readUsage, type TreeUsage } from '../process/usage.ts';
import type { Monitor } from '../engine/monitor.ts';

const INTERVAL_MS = 10_000;
/** Longest wait for the kernel's count of shared pages. */
const LATE_MS = 5000;

export interface MemoryLimitsParts {
  readonly engine: Pick<Engine, 'restartProcess' | 'process'>;
  readonly clock: SystemClock;
  readonly report: Report;
  readonly cgroups: Pick<Cgroups, 'membersOf' | 'memoryOf' | 'substituteOf'>;
  /** Replaced in tests. */
  readonly readUsage?: typeof readUsage;
  /** Replaced in tests. */
  readonly readProportionalBytes?: typeof readProportionalBytes;
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
  /** True while shared pages are being read. */
  #isProportionalLate = false;

  constructor(parts: MemoryLimitsParts) {
    this.#parts = parts;
    this.#alarm = new Alarm(parts.clock, () => void this.#check());
  }

  begin(): void {
    // No process is up yet.
  }

  observe(event: EngineEvent): void {
    if (event.type !== 'process' && event.type !== 'configured') return;
    const { id } = event.process;
    if (this.#limitOf(event.process) !== null && isUp(event.process)) this.#watched.add(id);
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
      const usages = await (this.#parts.readUsage ?? readUsage)(
        runs.flatMap(({ record }) => record.pid ?? []),
        this.#parts.cgroups,
      );
      for (const run of runs) await this.#judge(run, usages);
    } catch (error) {
      this.#reportOnce(null, `cannot check max_memory: ${describeSystemError(error)}`);
    } finally {
      this.#isReading = false;
      this.#arm();
    }
  }

  /**
   * Restarts a process that exceeds its limit. The measurement took time: check that the run is the same, and use the
   * current limit.
   */
  async #judge({ id, record: { run, pid } }: ProcessView, usages: ReadonlyMap<number, TreeUsage>): Promise<void> {
    const before = this.#sameRun(id, run);
    if (before === null || pid === null) return;
    const usage = usages.get(pid);
    if (usage === undefined)
      return this.#reportOnce(
        before.config,
        `cannot check max_memory of '${before.config.name}': its process is not visible in /proc`,
      );
    const bytes = await this.#measure(pid, usage, before.limitBytes);
    const limitBytes = this.#sameRun(id, run)?.limitBytes ?? Infinity;
    if (bytes > limitBytes) this.#parts.engine.restartProcess(id, { kind: 'memory', bytes, limitBytes });
  }

  /**
   * Returns the memory of a program: that of its control group; otherwise the sum of its processes. Only if that sum is
   * above the limit, shared pages are looked at, which takes the kernel much longer.
   */
  async #measure(pid: number, { residentBytes, processes }: TreeUsage, limitBytes: number): Promise<number> {
    const inGroup = this.#parts.cgroups.memoryOf(pid);
    if (inGroup !== null) return inGroup;
    if (residentBytes <= limitBytes || processes.length < 2 || this.#isProportionalLate) return residentBytes;
    const proportional = (this.#parts.readProportionalBytes ?? readProportionalBytes)(
      processes.map(({ pid: id }) => id),
    );
    // The read waits for a process that waits for a disk. The other programs must still be checked.
    this.#isProportionalLate = true;
    const late = Promise.withResolvers<number>();
    const cancel = this.#parts.clock.alarm(this.#parts.clock.nowMs() + LATE_MS, () => late.resolve(residentBytes));
    void proportional.finally(() => {
      this.#isProportionalLate = false;
      cancel();
    });
    return Promise.race([proportional, late.promise]);
  }

  /** Returns the limit of a process that is still in its run. */
  #sameRun(id: string, run: number): { readonly config: ProcessConfig; readonly limitBytes: number } | null {
    const proc = this.#watched.has(id) ? this.#parts.engine.process(id) : null;
    const limitBytes = proc === null ? null : this.#limitOf(proc);
    return proc?.record.run === run && limitBytes !== null ? { config: proc.config, limitBytes } : null;
  }

  /** Returns `max_memory`, or a limit of a control group that cannot be made here. */
  #limitOf({ id, config }: ProcessView): number | null {
    return config.options.max_memory ?? this.#parts.cgroups.substituteOf(id);
  }

  #reportOnce(config: NamedProcess | null, text: string): void {
    if (this.#reported.has(text)) return;
    this.#reported.add(text);
    this.#parts.report('warn', text, { event: 'unchecked', ...(config === null ? {} : processFields(config)) });
  }
}

function isUp({ record: { state } }: ProcessView): boolean {
  return state === 'STARTING' || state === 'RUNNING';
}
