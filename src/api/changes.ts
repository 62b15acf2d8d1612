/**
 * The changes that clients have requested: each runs on its own, and its request is answered at once. The latest
 * changes are kept for clients that ask later. Clients can wait for the end of a change.
 */
import { type Client, formatClient } from '../core/cause.ts';
import { describeMistake } from '../core/error-text.ts';
import { RpcFault } from '../core/faults.ts';
import type { Level } from '../core/log-level.ts';
import { errorOfFault, tooMany } from './api-error.ts';
import type { ChangeAnswer, ChangeResult } from './types.ts';

/** Limits of the list. Tests use small values. */
export interface ChangeLimits {
  /** Number of changes that are kept. Changes that run are never dropped. */
  readonly kept: number;
  /** Number of changes that run at a time. */
  readonly running: number;
  /** Number of clients that wait for changes. */
  readonly waiting: number;
  /** Results of one change, and of all changes that are kept. */
  readonly resultsOfOne: number;
  readonly results: number;
}

/** Limits in production. */
export const changeLimits: ChangeLimits = {
  kept: 200,
  running: 64,
  waiting: 64,
  resultsOfOne: 5000,
  results: 20_000,
};

/** A change before it has begun. */
export interface WantedChange {
  readonly action: string;
  readonly names: readonly string[];
  readonly client: Client;
  /** True for a shutdown or a reload, which must not wait for a place. Its change ends at once. */
  readonly isUrgent?: boolean;
}

/** Adds a result to a change. */
export type NoteResult = (result: ChangeResult) => void;

interface Change {
  readonly id: string;
  readonly action: string;
  readonly names: readonly string[];
  readonly by: string;
  readonly at: number;
  status: ChangeAnswer['status'];
  ended: number | null;
  readonly results: ChangeResult[];
  isCapped: boolean;
  error: string | null;
}

/** Parts of {@link Changes}. */
export interface ChangesParts {
  readonly epoch: string;
  readonly wallMs: () => number;
  readonly report: (level: Level, text: string) => void;
  readonly limits?: ChangeLimits;
}

/** The list of changes. */
export class Changes {
  readonly #parts: ChangesParts;
  readonly #limits: ChangeLimits;
  readonly #changes = new Map<string, Change>();
  readonly #waiting = new Map<string, Set<() => void>>();
  #waitingClients = 0;
  #lastNumber = 0;

  constructor(parts: ChangesParts) {
    this.#parts = parts;
    this.#limits = parts.limits ?? changeLimits;
  }

  /**
   * Begins a change and returns it. `run` does the work and ends on its own; it begins before this returns. Throws an
   * ApiError if too many changes run already.
   */
  begin(
    { action, names, client, isUrgent = false }: WantedChange,
    run: (note: NoteResult) => Promise<void>,
  ): ChangeAnswer {
    const running = [...this.#changes.values()].filter(({ status }) => status === 'running').length;
    if (running >= this.#limits.running && !isUrgent)
      throw tooMany(429, `${running} changes are running; wait for one of them, and try again`);
    this.#lastNumber += 1;
    const change: Change = {
      id: `${this.#parts.epoch}-${this.#lastNumber}`,
      action,
      names: [...names],
      by: formatClient(client),
      at: Math.round(this.#parts.wallMs()),
      status: 'running',
      ended: null,
      results: [],
      isCapped: false,
      error: null,
    };
    this.#changes.set(change.id, change);
    this.#trim();
    void this.#run(change, run);
    return answerOf(change);
  }

  /** Returns all changes that are kept, in their order. */
  list(): ChangeAnswer[] {
    return [...this.#changes.values()].map(answerOf);
  }

  /** Returns a change; null for an unknown one. */
  get(id: string): ChangeAnswer | null {
    const change = this.#changes.get(id);
    return change === undefined ? null : answerOf(change);
  }

  /**
   * Resolves with a change when it has ended, when the time is over, or when the signal is aborted. Null for an unknown
   * change. Rejects with an ApiError if too many clients wait.
   */
  async wait(id: string, waitMs: number, signal: AbortSignal): Promise<ChangeAnswer | null> {
    const change = this.#changes.get(id);
    if (change === undefined) return null;
    if (change.status === 'running' && waitMs > 0 && !signal.aborted) await this.#waitForEnd(id, waitMs, signal);
    return answerOf(change);
  }

  #waitForEnd(id: string, waitMs: number, signal: AbortSignal): Promise<void> {
    if (this.#waitingClients >= this.#limits.waiting)
      throw tooMany(503, 'too many clients wait for changes; repeat the request later');
    this.#waitingClients += 1;
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(id) ?? new Set<() => void>();
      this.#waiting.set(id, waiting);
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        waiting.delete(wake);
        if (waiting.size === 0) this.#waiting.delete(id);
        this.#waitingClients -= 1;
        resolve();
      };
      const timer = setTimeout(wake, waitMs);
      signal.addEventListener('abort', wake);
      waiting.add(wake);
    });
  }

  async #run(change: Change, run: (note: NoteResult) => Promise<void>): Promise<void> {
    try {
      await run((result) => this.#note(change, result));
    } catch (error) {
      change.error = this.#describe(change, error);
    }
    const isFailed = change.error !== null || change.results.some(({ ok }) => !ok);
    change.status = isFailed ? 'failed' : 'done';
    change.ended = Math.round(this.#parts.wallMs());
    this.#trim();
    for (const wake of this.#waiting.get(change.id) ?? []) wake();
  }

  #note(change: Change, result: ChangeResult): void {
    if (change.results.length < this.#limits.resultsOfOne) {
      change.results.push(result);
      return;
    }
    change.isCapped = true;
    // A failure must not get lost: it decides about the status.
    if (!result.ok) change.results[change.results.length - 1] = result;
  }

  #describe(change: Change, error: unknown): string {
    if (error instanceof RpcFault) return errorOfFault(error).message;
    this.#parts.report('critical', `cannot ${change.action} for a client: ${describeMistake(error)}`);
    return 'internal error; see the log of the supervisor';
  }

  /** Drops the oldest changes that have ended, until all limits are kept. */
  #trim(): void {
    let results = 0;
    for (const change of this.#changes.values()) results += change.results.length;
    for (const change of this.#changes.values()) {
      if (this.#changes.size <= this.#limits.kept && results <= this.#limits.results) return;
      if (change.status === 'running') continue;
      this.#changes.delete(change.id);
      results -= change.results.length;
    }
  }
}

function answerOf({ ended, isCapped, error, results, ...change }: Change): ChangeAnswer {
  return {
    ...change,
    results: [...results],
    ...(ended === null ? {} : { ended }),
    ...(isCapped ? { capped: true } : {}),
    ...(error === null ? {} : { error }),
  };
}
