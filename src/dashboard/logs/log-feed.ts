/**
 * The rows of one selection: the history from the server, then the live lines and events in the order of their numbers.
 * A line that comes twice is left out. Everything that is missing becomes a mark. Knows no DOM.
 */
import type { EventAnswer, LogsAnswer } from '../../api/types.ts';
import type { Query } from '../api.ts';
import type { LineMessage, LinesMessage } from '../messages.ts';
import { eventWords } from './event-words.ts';
import { MAX_ROWS } from './line-ring.ts';
import { type MarkFacts, type MarkKind, markOf, type Row, rowOf } from './row.ts';

/** Lines of the history at the beginning, and of each "load earlier". */
export const HISTORY_LINES = 1000;

/** Lines of one answer when all lines are wanted. */
const PAGE_LINES = 10_000;

/** Time for which live lines are collected, so that lines and events of the same moment can be put in order. */
const COLLECT_MS = 30;

/** Ports of a feed. */
export interface FeedPorts {
  /** Asks for `GET logs`. */
  read(query: Query): Promise<LogsAnswer>;
  /** Calls `run` once after a time. Returns a function that cancels it. */
  later(ms: number, run: () => void): () => void;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Receiver of rows. */
export interface RowSink {
  add(rows: readonly Row[]): void;
  /** Adds older rows before all others. */
  prepend(rows: readonly Row[]): void;
  /** Tells about an answer that failed; null when one has succeeded. */
  fail(message: string | null): void;
}

/** The wanted lines. */
export interface FeedChoice {
  /** Names and patterns; empty for all. */
  readonly names: readonly string[];
  readonly streams: readonly string[];
  /** True if a process belongs to the names. Takes a display name. */
  readonly hasName: (name: string) => boolean;
}

/** One selection of programs. */
export class LogFeed {
  readonly #choice: FeedChoice;
  readonly #ports: FeedPorts;
  readonly #sink: RowSink;
  #epoch: string | null = null;
  /** Lines up to this number have been added, and events up to the other one. */
  #floor = 0;
  #eventFloor = 0;
  /** Number of the first row, for older ones; null before there is a row. */
  #firstSeq: number | null = null;
  #lines: LineMessage[] = [];
  #events: LineMessage[] = [];
  #marks: Row[] = [];
  #cancel: (() => void) | null = null;
  #isLoading = false;
  /** True if lines may be missing after the load that is going on. */
  #isBehind = false;
  #isClosed = false;
  #isLost = false;
  /** True if a new supervisor was told. Its stream then says that it cannot continue, which goes without saying. */
  #isNew = false;

  constructor(choice: FeedChoice, ports: FeedPorts, sink: RowSink) {
    this.#choice = choice;
    this.#ports = ports;
    this.#sink = sink;
  }

  /** Takes the beginning of a stream. The first one loads the history; a new supervisor is told. */
  hello(epoch: string): void {
    const before = this.#epoch;
    if (before !== null && before !== epoch) this.#release();
    this.#epoch = epoch;
    const wasLost = this.#isLost;
    if (wasLost) this.#mark('back');
    this.#isLost = false;
    if (before === epoch) {
      // The server continues a lost stream. A stream for another selection may begin later than the history ended.
      if (!wasLost) this.#catchUp();
      return;
    }
    if (before !== null) {
      this.#isNew = true;
      this.#mark('restarted');
      this.#floor = 0;
      this.#eventFloor = 0;
    }
    this.#load({ limit: HISTORY_LINES });
  }

  /** Takes live lines of all programs. */
  take({ lines, missed = [] }: LinesMessage): void {
    for (const line of lines) if (this.#isWanted(line.name, line.stream)) this.#lines.push(line);
    this.#markMissed(missed);
    this.#trim();
    this.#plan();
  }

  /** Takes events of all programs. */
  takeEvents(events: readonly EventAnswer[]): void {
    for (const event of events) {
      const { kind, seq, at, name = 'supervisor' } = event;
      if (kind === 'request' || seq <= this.#eventFloor) continue;
      const isOfAll = kind === 'supervisor' || (kind === 'group' && this.#choice.names.length === 0);
      if (isOfAll || (kind !== 'group' && this.#choice.hasName(name)))
        this.#events.push({ seq, at, name, event: kind, text: eventWords(event) });
    }
    if (this.#events.length > 0) this.#plan();
  }

  /** Takes the number of lines that the server dropped for this page. */
  dropped(count: number): void {
    this.#mark('dropped', { count });
  }

  /** The stream could not continue: asks for the lines since the last one. */
  reset(reason: string): void {
    if (this.#isNew) {
      this.#isNew = false;
      return;
    }
    this.#mark('reset', { text: reason });
    this.#catchUp();
  }

  /** The stream is lost. */
  lost(at: number): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#mark('lost', { at });
  }

  /** Loads lines before the first row. Returns false if there are none. */
  async loadEarlier(): Promise<boolean> {
    if (this.#firstSeq === null || this.#isLoading) return true;
    const answer = await this.#read({ before: this.#firstSeq, limit: HISTORY_LINES });
    if (answer === null) return true;
    this.#sink.prepend(this.#rowsOf(answer));
    return answer.more;
  }

  /** Loads exactly the lines of a span of time. There is no live part. */
  async loadSpan(since: number | null, until: number | null): Promise<void> {
    let after = 0;
    for (let rows = 0, hasMore = true; hasMore && rows < MAX_ROWS && !this.#isClosed;) {
      const answer = await this.#read({ since, until, after, limit: PAGE_LINES });
      if (answer === null) return;
      this.#sink.add(this.#rowsOf(answer));
      if (after === 0) this.#markMissed(answer.missed);
      this.#release();
      hasMore = answer.more && answer.lines.length > 0;
      rows += answer.lines.length;
      after = answer.next;
      this.#floor = after;
    }
  }

  /** Loads the lines around a line. Resolves with false if the line is of another supervisor. */
  async loadAround(epoch: string, seq: number): Promise<boolean> {
    const before = await this.#read({ before: seq + 1, limit: HISTORY_LINES / 2 });
    if (before === null) return true;
    if (before.epoch !== epoch) return false;
    const after = await this.#read({ after: seq, limit: HISTORY_LINES / 2 });
    this.#sink.add([...this.#rowsOf(before), ...(after === null ? [] : this.#rowsOf(after))]);
    return true;
  }

  /** Ends the feed. */
  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  #isWanted(name = 'supervisor', stream = 'stdout'): boolean {
    const { streams, hasName } = this.#choice;
    return (streams.length === 0 || streams.includes(stream)) && hasName(name);
  }

  #mark(kind: MarkKind, facts: Partial<MarkFacts> = {}): void {
    this.#marks.push(markOf(kind, { epoch: this.#epoch ?? '', seq: this.#floor, at: this.#ports.now(), ...facts }));
    this.#plan();
  }

  #markMissed(missed: LogsAnswer['missed']): void {
    for (const { name, stream, bytes } of missed)
      if (this.#isWanted(name, stream)) this.#mark('missed', { name, text: stream, count: bytes });
  }

  /** Keeps what waits for the history within the size of the ring. */
  #trim(): void {
    const excess = this.#lines.length - MAX_ROWS;
    if (excess <= 0) return;
    this.#lines.splice(0, excess);
    this.dropped(excess);
  }

  #plan(): void {
    if (this.#isLoading || this.#isClosed) return;
    this.#cancel ??= this.#ports.later(COLLECT_MS, () => this.#release());
  }

  /** Adds what was collected: marks first, since they tell of what comes before the new lines. */
  #release(): void {
    this.#cancel?.();
    this.#cancel = null;
    const epoch = this.#epoch ?? '';
    const merged = mergeBySeq(
      this.#lines.filter(({ seq }) => seq > this.#floor),
      this.#events.filter(({ seq }) => seq > this.#eventFloor),
    );
    this.#floor = Math.max(this.#floor, this.#lines.at(-1)?.seq ?? 0);
    this.#eventFloor = Math.max(this.#eventFloor, this.#events.at(-1)?.seq ?? 0);
    const rows = [...this.#marks, ...merged.map((line) => rowOf(line, epoch))];
    this.#firstSeq ??= merged[0]?.seq ?? null;
    this.#marks = [];
    this.#lines = [];
    this.#events = [];
    if (rows.length > 0) this.#sink.add(rows);
  }

  /** Asks for the lines since the last one. */
  #catchUp(): void {
    if (this.#isLoading) this.#isBehind = true;
    else if (this.#floor > 0) this.#load({ after: this.#floor, limit: PAGE_LINES });
  }

  #load(query: Query): void {
    this.#isLoading = true;
    this.#isBehind = false;
    this.#cancel?.();
    this.#cancel = null;
    void this.#loadPages(query).finally(() => {
      this.#isLoading = false;
      if (this.#isClosed) return;
      if (this.#isBehind) this.#catchUp();
      else this.#release();
    });
  }

  async #loadPages(first: Query): Promise<void> {
    let query = first;
    for (let pages = 0; pages < MAX_ROWS / PAGE_LINES; pages++) {
      const answer = await this.#read(query);
      if (answer === null || this.#isClosed) return;
      if (answer.epoch !== this.#epoch) return;
      if (query['after'] !== undefined) this.#markMissed(answer.missed);
      this.#sink.add([...this.#marks.splice(0), ...this.#rowsOf(answer)]);
      this.#floor = Math.max(this.#floor, answer.next);
      this.#eventFloor = this.#floor;
      const live = this.#lines[0]?.seq ?? Infinity;
      // Without `after`, `more` means older lines.
      if (query['after'] === undefined || !answer.more || answer.next >= live) return;
      query = { ...query, after: answer.next };
    }
  }

  /** Asks the server. Null if that failed: the view says so. */
  async #read(query: Query): Promise<LogsAnswer | null> {
    const { names, streams } = this.#choice;
    try {
      const answer = await this.#ports.read({ names, streams, events: true, ...query });
      this.#sink.fail(null);
      return answer;
    } catch (error) {
      this.#sink.fail(error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  #rowsOf({ lines, epoch }: LogsAnswer): Row[] {
    const first = lines[0]?.seq;
    if (first !== undefined) this.#firstSeq = Math.min(this.#firstSeq ?? Infinity, first);
    return lines.map((line) => rowOf(line as LineMessage, epoch));
  }
}

/** Merges two lists that are in the order of their numbers. */
function mergeBySeq(lines: readonly LineMessage[], events: readonly LineMessage[]): readonly LineMessage[] {
  if (events.length === 0) return lines;
  return [...lines, ...events].sort((one, other) => one.seq - other.seq);
}
