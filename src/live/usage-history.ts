/** Samples of processor time and memory, for charts. */
import type { ProgramUsage, SupervisorApi } from '../rpc/supervisor-api.ts';
import type { LiveTimers } from './timers.ts';

/** Interval of the samples. */
export const SAMPLE_MS = 10_000;
/** Time for which samples are kept if no history is configured. */
export const DEFAULT_HISTORY_MS = 3_600_000;
/** Maximum number of programs with samples. */
const MAX_PROGRAMS = 5000;

/** Samples of one program, in a ring. The arrays grow up to the limit. */
class Series {
  readonly at: number[] = [];
  readonly cpu: Array<number | null> = [];
  readonly memory: number[] = [];
  readonly #limit: number;
  #first = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(atMs: number, { cpuPercent, residentBytes }: ProgramUsage): void {
    const at = this.at.length < this.#limit ? this.at.length : this.#first;
    this.at[at] = Math.round(atMs);
    this.cpu[at] = cpuPercent === null ? null : Math.round(cpuPercent * 10) / 10;
    this.memory[at] = residentBytes;
    if (at === this.#first && this.at.length === this.#limit) this.#first = (at + 1) % this.#limit;
  }

  get latestMs(): number {
    return this.at.at(this.#first - 1) ?? 0;
  }

  /** The samples in their order. */
  inOrder(): { readonly at: number[]; readonly cpu: Array<number | null>; readonly memory: number[] } {
    const turn = <T>(values: readonly T[]): T[] => [...values.slice(this.#first), ...values.slice(0, this.#first)];
    return { at: turn(this.at), cpu: turn(this.cpu), memory: turn(this.memory) };
  }
}

/** Samples by the names of processes. */
export type NamedSamples = Readonly<Record<string, ReturnType<Series['inOrder']>>>;

/** Parts of {@link UsageHistory}. */
export interface UsageHistoryParts {
  readonly api: SupervisorApi;
  readonly timers: LiveTimers;
}

/**
 * The latest samples of the processor time and the memory of the programs, for charts. Samples come from the streams
 * that ask for the usage. With an interval of its own (`[dashboard] history`), it also measures without a client.
 */
export class UsageHistory {
  readonly #parts: UsageHistoryParts;
  #limit = DEFAULT_HISTORY_MS / SAMPLE_MS;
  readonly #series = new Map<string, Series>();
  #historyMs = 0;
  #latestMs = -Infinity;
  #cancel: (() => void) | null = null;

  constructor(parts: UsageHistoryParts) {
    this.#parts = parts;
  }

  /** Measures by itself and keeps the samples of `historyMs`; 0 measures only while a client asks for the usage. */
  configure(historyMs: number): void {
    this.#cancel?.();
    this.#cancel = null;
    // A reload with the same setting keeps the samples, for charts that go on.
    if (historyMs !== this.#historyMs) this.#series.clear();
    this.#historyMs = historyMs;
    this.#limit = Math.max(1, Math.ceil((historyMs === 0 ? DEFAULT_HISTORY_MS : historyMs) / SAMPLE_MS));
    if (historyMs > 0) void this.#measure();
  }

  /** Takes a sample that was made for a client. Samples that come sooner than the interval are left out. */
  take(usages: ReadonlyMap<string, ProgramUsage>): void {
    const nowMs = this.#parts.timers.nowMs();
    // A timer may be a little early.
    if (nowMs - this.#latestMs < SAMPLE_MS * 0.9) return;
    this.#latestMs = nowMs;
    const { api } = this.#parts;
    const atMs = api.wallMs();
    for (const [id, usage] of usages) this.#of(id)?.add(atMs, usage);
    for (const [id, { latestMs }] of this.#series)
      if (api.process(id) === null || latestMs < atMs - this.#limit * SAMPLE_MS) this.#series.delete(id);
  }

  /** Returns the samples of the processes that are wanted. */
  read(isWanted: (id: string) => boolean): ReadonlyMap<string, ReturnType<Series['inOrder']>> {
    return new Map(
      [...this.#series].filter(([id]) => isWanted(id)).map(([id, series]) => [id, series.inOrder()] as const),
    );
  }

  #of(id: string): Series | null {
    const known = this.#series.get(id);
    if (known !== undefined) return known;
    if (this.#series.size >= MAX_PROGRAMS) return null;
    const made = new Series(this.#limit);
    this.#series.set(id, made);
    return made;
  }

  async #measure(): Promise<void> {
    const { api, timers } = this.#parts;
    let isCancelled = false;
    this.#cancel = () => {
      isCancelled = true;
    };
    try {
      this.take(await api.usage());
    } catch (error) {
      api.report('warn', `cannot measure the programs: ${String(error)}`);
    }
    if (isCancelled) return;
    this.#cancel = timers.after(SAMPLE_MS, () => void this.#measure());
  }
}
