/**
 * Samples the processor time and the memory of the programs while a client asks for them, at most once a second for all
 * clients together. Without clients it does nothing.
 */
import type { Clock } from '../engine/ports.ts';
import type { ProcessView } from '../engine/process-table.ts';
import type { readUsage, TreeUsage } from '../process/usage.ts';
import type { ProgramUsage } from '../rpc/supervisor-api.ts';

/** A sample of this age or less is given to the next client. */
const FRESH_MS = 1000;
/** Shortest and longest period over which a share of processor time is calculated. */
const SHORTEST_MS = 500;
const LONGEST_MS = 10_000;

/** Processor time and memory at one time. */
export interface UsageSample {
  readonly atMs: number;
  /** The programs that were up. */
  readonly pids: ReadonlySet<number>;
  /** By pid of the program. A program that /proc does not show has no entry. */
  readonly trees: ReadonlyMap<number, TreeUsage>;
}

/** Parts of {@link UsageSampler}. */
export interface UsageSamplerParts {
  readonly clock: Clock;
  readonly processes: () => readonly ProcessView[];
  readonly process: (id: string) => ProcessView | null;
  readonly readUsage: typeof readUsage;
  readonly readUsageOf: (pids: readonly number[]) => Promise<ReadonlyMap<number, TreeUsage>>;
}

/** The usage of all programs of one supervisor. */
export class UsageSampler {
  readonly #parts: UsageSamplerParts;
  #before: UsageSample | null = null;
  #latest: UsageSample | null = null;
  /** The measurement of shares under way; null for none. */
  #underWay: Promise<void> | null = null;
  /** The sample under way; null for none. */
  #sampling: Promise<UsageSample> | null = null;

  constructor(parts: UsageSamplerParts) {
    this.#parts = parts;
  }

  /**
   * Measures all programs that are up, by namespec. Takes half a second if no other client has asked in the last
   * seconds. Rejects if /proc cannot be listed.
   */
  async read(): Promise<ReadonlyMap<string, ProgramUsage>> {
    this.#underWay ??= this.#measure().finally(() => {
      this.#underWay = null;
    });
    await this.#underWay;
    return usagesOf(this.#parts.processes(), this.#before, this.#latest);
  }

  /**
   * Measures some programs, by namespec, without a look at the others. Takes half a second if no sample of the last
   * seconds is there to compare with. Rejects as {@link read}.
   */
  async readOf(ids: readonly string[]): Promise<ReadonlyMap<string, ProgramUsage>> {
    const views = ids.flatMap((id) => this.#parts.process(id) ?? []);
    const pids = views.flatMap(({ record }) => record.pid ?? []);
    if (pids.length === 0) return new Map();
    if (this.#ageMs() <= FRESH_MS && this.#isComparable()) return usagesOf(views, this.#before, this.#latest);
    let base = this.#comparable();
    try {
      if (base === null) {
        base = await this.#sampleOf(pids);
        await this.#wait(SHORTEST_MS);
      }
      return usagesOf(views, base, await this.#sampleOf(pids));
    } catch {
      // The kernel does not list children. Without /proc, this rejects with the reason.
      return this.read();
    }
  }

  /** Returns a sample that is at most a second old, without the wait that shares of processor time need. */
  async readSample(): Promise<UsageSample> {
    return this.#latest !== null && this.#ageMs() <= FRESH_MS ? this.#latest : await this.#sample();
  }

  #ageMs(): number {
    return this.#latest === null ? Infinity : this.#parts.clock.nowMs() - this.#latest.atMs;
  }

  async #measure(): Promise<void> {
    const ageMs = this.#ageMs();
    if (ageMs <= FRESH_MS && this.#isComparable()) return;
    if (ageMs > LONGEST_MS) await this.#sample();
    const waitMs = SHORTEST_MS - (this.#parts.clock.nowMs() - (this.#latest?.atMs ?? 0));
    if (waitMs > 0) await this.#wait(waitMs);
    await this.#sample();
  }

  #wait(ms: number): Promise<void> {
    const { clock } = this.#parts;
    return new Promise((resolve) => void clock.alarm(clock.nowMs() + ms, resolve));
  }

  /** True if a share of the last seconds can be calculated. Scrapes leave samples that are far apart. */
  #isComparable(): boolean {
    return (
      this.#before !== null && this.#latest !== null && this.#latest.atMs - this.#before.atMs <= LONGEST_MS + FRESH_MS
    );
  }

  #sample(): Promise<UsageSample> {
    this.#sampling ??= this.#readSample().finally(() => {
      this.#sampling = null;
    });
    return this.#sampling;
  }

  /** Returns a sample that a share of processor time can be calculated from now; null if there is none. */
  #comparable(): UsageSample | null {
    const nowMs = this.#parts.clock.nowMs();
    const isInRange = (ageMs: number): boolean => ageMs >= SHORTEST_MS && ageMs <= LONGEST_MS;
    return [this.#latest, this.#before].find((sample) => sample !== null && isInRange(nowMs - sample.atMs)) ?? null;
  }

  async #sampleOf(pids: readonly number[]): Promise<UsageSample> {
    const trees = await this.#parts.readUsageOf(pids);
    return { atMs: this.#parts.clock.nowMs(), pids: new Set(pids), trees };
  }

  async #readSample(): Promise<UsageSample> {
    const pids = this.#parts.processes().flatMap(({ record }) => record.pid ?? []);
    const trees = await this.#parts.readUsage(pids);
    const sample = { atMs: this.#parts.clock.nowMs(), pids: new Set(pids), trees };
    this.#before = this.#latest;
    this.#latest = sample;
    return sample;
  }
}

/** Returns the usage of the programs that the latest sample shows. */
function usagesOf(
  views: readonly ProcessView[],
  before: UsageSample | null,
  latest: UsageSample | null,
): Map<string, ProgramUsage> {
  const usages = new Map<string, ProgramUsage>();
  for (const { id, record } of views) {
    const tree = record.pid === null ? undefined : latest?.trees.get(record.pid);
    if (record.pid === null || tree === undefined) continue;
    const { residentBytes, cpuMs, processes } = tree;
    usages.set(id, { residentBytes, cpuMs, cpuPercent: percentOf(record.pid, before, latest), processes });
  }
  return usages;
}

/** Returns the share of one processor between two samples; null for a program that was not up in both. */
function percentOf(pid: number, before: UsageSample | null, latest: UsageSample | null): number | null {
  const [then, now] = [before?.trees.get(pid), latest?.trees.get(pid)];
  if (then === undefined || now === undefined || before === null || latest === null) return null;
  // The sum falls when a process ends that its parent has not waited for.
  const usedMs = Math.max(0, now.cpuMs - then.cpuMs);
  return (100 * usedMs) / Math.max(1, latest.atMs - before.atMs);
}
