/** Measures programs for the metrics, only when a client asks: process trees, processor time, counts of output. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StreamName } from '../core/stream-name.ts';
import type { Listener } from '../engine/events.ts';
import type { Report } from '../engine/ports.ts';
import type { ProcessView } from '../engine/process-table.ts';
import { describeSystemError } from '../files/system-error.ts';
import type { ChannelCounts, Hub, LogChannel } from '../logs/ports.ts';
import { OpenFileCounter } from '../process/open-files.ts';
import type { Cgroups } from '../process/cgroups.ts';
import type { SystemClock } from '../process/clock.ts';
import type { ReapListener } from '../process/reaper.ts';
import { readUsage, readUsageOf, type TreeUsage } from '../process/usage.ts';
import type { MeasuresReader, TreeMeasures } from '../rpc/measures.ts';
import { ProcessorTime } from './processor-time.ts';
import type { Supervision } from './supervision.ts';
import { type UsageSample, UsageSampler } from './usage-sampler.ts';

/** Longest time to block the loop. Counting the descriptors of one process takes about 10 µs. */
const SLICE_MS = 2;

/** Parts of {@link Measures}. */
export interface MeasuresParts {
  readonly usage: Pick<UsageSampler, 'readSample'>;
  readonly readUsageOf: (pids: readonly number[]) => Promise<ReadonlyMap<number, TreeUsage>>;
  readonly processes: () => readonly ProcessView[];
  readonly process: (id: string) => ProcessView | null;
  readonly channel: (id: string, stream: StreamName) => Pick<LogChannel, 'counts'> | null;
  readonly subscribe: (listener: Listener) => unknown;
  readonly onReaped: (listener: ReapListener) => unknown;
  readonly report: Report;
}

/** The trees of one sample by pid, with their open descriptors. */
interface Measurement {
  readonly sample: UsageSample;
  readonly trees: ReadonlyMap<number, TreeMeasures>;
}

/** The measurements of one supervisor. {@link MeasuresReader} documents its readers. */
export class Measures implements MeasuresReader {
  readonly #parts: MeasuresParts;
  readonly #times = new ProcessorTime();
  #latest: Measurement | null = null;
  /** The measurement under way; null for none. */
  #underWay: Promise<ReadonlyMap<string, TreeMeasures> | null> | null = null;
  #isReported = false;

  constructor(parts: MeasuresParts) {
    this.#parts = parts;
    parts.subscribe((event) => this.#times.observe(event));
    parts.onReaped((batch) => this.#times.ended(batch));
  }

  readTrees(): Promise<ReadonlyMap<string, TreeMeasures> | null> {
    this.#underWay ??= this.#read().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  async readTreesOf(ids: readonly string[]): Promise<ReadonlyMap<string, TreeMeasures> | null> {
    const running = ids.flatMap((id) => {
      const pid = this.#parts.process(id)?.record.pid ?? null;
      return pid === null ? [] : [{ id, pid }];
    });
    try {
      const usages = await this.#parts.readUsageOf(running.map(({ pid }) => pid));
      const trees = await countFiles(usages);
      for (const { id, pid } of running) this.#times.measuredAtLeast(id, usages.get(pid)?.cpuMs ?? 0);
      const named = new Map<string, TreeMeasures>();
      for (const { id, pid } of running) {
        const tree = trees.get(pid);
        if (tree !== undefined) named.set(id, tree);
      }
      return named;
    } catch {
      // The kernel does not list children. Without /proc, this reports the reason.
      return this.readTrees();
    }
  }

  cpuSecondsOf(id: string): number {
    return this.#times.totalMsOf(id) / 1000;
  }

  outputOf(id: string, stream: StreamName): ChannelCounts | null {
    return this.#parts.channel(id, stream)?.counts ?? null;
  }

  async #read(): Promise<ReadonlyMap<string, TreeMeasures> | null> {
    try {
      const sample = await this.#parts.usage.readSample();
      if (this.#latest?.sample !== sample) this.#latest = { sample, trees: await countFiles(sample.trees) };
      return this.#byName(this.#latest);
    } catch (error) {
      this.#reportOnce(describeSystemError(error));
      return null;
    }
  }

  /** Names the trees. A program that was started or has ended since the sample has none. */
  #byName({ sample, trees }: Measurement): Map<string, TreeMeasures> {
    const named = new Map<string, TreeMeasures>();
    for (const { id, record } of this.#parts.processes()) {
      if (record.pid === null || !sample.pids.has(record.pid)) continue;
      const tree = trees.get(record.pid);
      const usage = sample.trees.get(record.pid);
      if (tree === undefined || usage === undefined) {
        this.#reportOnce(`/proc does not show the process of '${id}'`);
        continue;
      }
      this.#times.measured(id, usage.cpuMs);
      named.set(id, tree);
    }
    return named;
  }

  #reportOnce(reason: string): void {
    if (this.#isReported) return;
    this.#isReported = true;
    this.#parts.report('warn', `cannot measure programs for /metrics: ${reason}`, { event: 'unchecked' });
  }
}

/** Counts the open descriptors of trees, in slices. */
async function countFiles(trees: UsageSample['trees']): Promise<Map<number, TreeMeasures>> {
  const counter = new OpenFileCounter();
  let beganMs = performance.now();
  const counted = new Map<number, TreeMeasures>();
  for (const [pid, { residentBytes, processes }] of trees) {
    let openFiles: number | null = 0;
    for (const proc of processes) {
      if (performance.now() - beganMs > SLICE_MS) {
        await nextTurn();
        beganMs = performance.now();
      }
      const count: number | null = proc.isZombie || openFiles === null ? 0 : await counter.count(proc.pid);
      openFiles = count === null || openFiles === null ? null : openFiles + count;
    }
    counted.set(pid, { residentBytes, processes: processes.length, openFiles });
  }
  return counted;
}

/** Creates the measurements of a running supervisor, and the sampler that they share with other clients. */
export function createMeasures({
  supervision,
  hub,
  clock,
  cgroups,
  onReaped,
}: {
  readonly supervision: Supervision;
  readonly hub: Hub;
  readonly clock: SystemClock;
  readonly cgroups: Cgroups;
  readonly onReaped: MeasuresParts['onReaped'];
}): { readonly sampler: UsageSampler; readonly measures: Measures } {
  const processes = (): readonly ProcessView[] => supervision.engine.processes();
  const find = (id: string): ProcessView | null => supervision.engine.process(id);
  const known = { groups: cgroups, isProgram: (pid: number): boolean => supervision.engine.ownsPid(pid) };
  const measureSome = (pids: readonly number[]): Promise<Map<number, TreeUsage>> => readUsageOf(pids, known);
  const sampler = new UsageSampler({
    clock,
    processes,
    process: find,
    readUsage: (pids) => readUsage(pids, cgroups),
    readUsageOf: measureSome,
  });
  const measures = new Measures({
    usage: sampler,
    readUsageOf: measureSome,
    processes,
    process: find,
    channel: (id, stream) => supervision.streams.logChannel(id, stream),
    subscribe: (listener) => supervision.subscribe(listener),
    onReaped,
    report: (...line) => hub.mainLog.write(...line),
  });
  return { sampler, measures };
}
