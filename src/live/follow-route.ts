/**
 * Answers `GET /api/v1/logs?follow=true`: one JSON object a line, until the client leaves. Lines that were overwritten
 * before the client could read them are told as `{"missed": …}`.
 */
import type { Exchange } from '../http/route.ts';
import type { LineFollow } from '../rpc/lines.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';
import { beginJsonLines } from './json-answers.ts';
import { filterLineOf, readLogQuery } from './log-query.ts';
import { displayName } from './messages.ts';
import { PacedWriter } from './paced-writer.ts';
import { queryOf, readNumber } from './stream-query.ts';
import type { LiveTimers } from './timers.ts';

/** Number of lines that the answer begins with, and the largest number. */
const DEFAULT_LINES = 1000;
const MAX_LINES = 10_000;
/** Limits of one reading. */
const READ_LIMITS = { lines: 1000, bytes: 192 * 1024 } as const;
const FIRST_BYTES = 1024 * 1024;
/** Time for which new lines are collected. */
const COLLECT_MS = 50;

/** Parts of the routes about logs. */
export interface LogRouteParts {
  readonly api: SupervisorApi;
  readonly timers: LiveTimers;
  readonly stallMs: number;
}

/** Waits for new output of a selection. */
class OutputWait {
  readonly #timers: LiveTimers;
  #hasNew = false;
  #wake: (() => void) | null = null;

  constructor(timers: LiveTimers) {
    this.#timers = timers;
  }

  touch(): void {
    this.#hasNew = true;
    this.#wake?.();
  }

  /** Resolves soon after output that came since the last call. */
  async next(): Promise<void> {
    if (!this.#hasNew)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    this.#wake = null;
    await new Promise<void>((resolve) => void this.#timers.after(COLLECT_MS, resolve));
    this.#hasNew = false;
  }
}

/** Answers a request that {@link readLogQuery} understands. Resolves when the answer is complete. */
export async function followLogs(exchange: Exchange, { api, timers, stallMs }: LogRouteParts): Promise<void> {
  const { request, response, signal } = exchange;
  const query = queryOf(request.url);
  const { selection, range, filter } = readLogQuery(query, api.wallMs());
  const limit = readNumber(query, 'limit', { least: 0, most: MAX_LINES, otherwise: DEFAULT_LINES });
  if (!beginJsonLines(exchange)) return;
  const writer = new PacedWriter(response, signal, timers, stallMs);
  const wait = new OutputWait(timers);
  const send = async ({ lines, missed }: ReturnType<SupervisorApi['readLines']>): Promise<boolean> => {
    const chosen = await filter.choose({
      lines: lines.filter(({ at }) => range.sinceMs === null || at >= range.sinceMs),
      read: filterLineOf,
      isOver: () => writer.isOver,
    });
    const objects = [
      ...missed.map((lost) => ({ missed: { ...lost, name: displayName(lost.name) } })),
      ...chosen.map((line) => ({ ...line, name: displayName(line.name) })),
    ];
    return writer.write(objects.map((object) => `${JSON.stringify(object)}\n`).join(''));
  };
  let isStale = false;
  const told = new WeakMap<object, number>();
  const follow: LineFollow = api.followLines(selection, () => wait.touch());
  const unsubscribe = api.subscribe((event) => {
    if (event.type !== 'group' && event.type !== 'configured' && event.type !== 'restarted') return;
    isStale = true;
    wait.touch();
  });
  response.once('close', () => wait.touch());
  signal.addEventListener('abort', () => wait.touch(), { once: true });
  try {
    let { after } = range;
    if (after === null) {
      const limits = { lines: Math.max(1, limit), bytes: FIRST_BYTES };
      const first = api.readLines(selection, { ...range, limits }, exchange.reserve);
      after = first.next;
      await send(limit === 0 ? { ...first, lines: [] } : first);
    }
    while (!writer.isOver) {
      if (isStale) follow.refresh();
      isStale = false;
      const read = follow.read(after, READ_LIMITS, told);
      after = read.next;
      if (!(await send(read))) break;
      if (!read.hasMore) await wait.next();
    }
  } finally {
    follow.close();
    unsubscribe();
    writer.end();
  }
}
