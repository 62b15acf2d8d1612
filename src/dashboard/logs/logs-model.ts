/** The state of the log view: its columns, what is chosen in them, and the connection to the server. Knows no DOM. */
import { effect, type ReadonlySignal, type Signal, signal, untracked } from '@preact/signals';
import type { EventAnswer, LogsAnswer } from '../../api/types.ts';
import { createNameFilter } from '../../core/name-pattern.ts';
import { parseNamespec } from '../../core/namespec.ts';
import { getJson } from '../api.ts';
import type { Connection } from '../connection.ts';
import { LinePane } from './line-pane.ts';
import { MAX_ROWS } from './line-ring.ts';
import type { LineRange } from './line-range.ts';
import { LogFeed } from './log-feed.ts';
import { formatLogsQuery, type LogsQuery, MAX_COLUMNS } from './logs-query.ts';
import { Matcher } from './matcher.ts';

/** Ports of the model. */
export interface LogsParts {
  readonly connection: Connection;
  /** Events since the page was opened, the latest last. */
  readonly events: ReadonlySignal<readonly EventAnswer[]>;
}

/** One column. */
export interface Column {
  /** Names and patterns; empty for all. */
  readonly names: readonly string[];
  readonly pane: LinePane;
  readonly feed: LogFeed;
}

/** Chosen lines of a column. */
export interface Selection extends LineRange {
  readonly column: number;
}

/** The state of the whole view. */
export class LogsModel {
  readonly query: Signal<LogsQuery>;
  readonly columns = signal<readonly Column[]>([]);
  /** The column that keys are for. */
  readonly active = signal(0);
  readonly selection = signal<Selection | null>(null);
  /** Position of the line that a search has found last, in the active column. */
  readonly found = signal<number | null>(null);
  /** Row to show as soon as it is there. */
  readonly wanted = signal<number | null>(null);
  /** True if the line of the address is of another supervisor. */
  readonly isOtherEpoch = signal(false);
  /** True if the server has no lines before the first row of a column. */
  readonly complete = signal<ReadonlySet<LogFeed>>(new Set());
  readonly filter = signal<Matcher | string | null>(null);
  readonly findText = signal<Matcher | string | null>(null);
  readonly highlight = signal<Matcher | string | null>(null);
  readonly #parts: LogsParts;
  readonly #dispose: Array<() => void>;
  #lastEvent = 0;

  constructor(query: LogsQuery, parts: LogsParts) {
    this.query = signal(query);
    this.#parts = parts;
    const { connection, events } = parts;
    this.#build();
    this.#dispose = [
      connection.onLines((message) => this.#each((feed) => feed.take(message))),
      connection.onDropped((count) => this.#each((feed) => feed.dropped(count))),
      connection.onReset((reason) => this.#each((feed) => feed.reset(reason))),
      effect(() => {
        const { value } = connection.version;
        if (value !== null) untracked(() => this.#each((feed) => feed.hello(value.epoch)));
      }),
      effect(() => {
        const at = connection.lostAt.value;
        if (connection.link.value === 'lost') untracked(() => this.#each((feed) => feed.lost(at ?? Date.now())));
      }),
      effect(() => {
        const { value } = events;
        untracked(() => this.#takeEvents(value));
      }),
    ];
  }

  /** True if live lines come. */
  get isLive(): boolean {
    const { since, until, at } = this.query.value;
    return since === null && until === null && at === null;
  }

  /** The column that keys are for. */
  get column(): Column | undefined {
    return this.columns.value[this.active.value] ?? this.columns.value[0];
  }

  /** True if rows of a column may be of several programs. */
  hasNames(column: Column): boolean {
    return column.names.length !== 1 || /[*?]/.test(column.names[0] ?? '');
  }

  /** Changes choices. Only what has changed is made anew. */
  change(change: Partial<LogsQuery>): void {
    const before = this.query.peek();
    const query = { ...before, ...change };
    if (formatLogsQuery(query) === formatLogsQuery(before)) return;
    this.query.value = query;
    if (sourceOf(query) !== sourceOf(before)) this.#build();
    else this.#choose(before);
  }

  /** Loads older lines of a column. */
  async loadEarlier({ feed }: Column): Promise<void> {
    if (!(await feed.loadEarlier())) this.complete.value = new Set([...this.complete.value, feed]);
  }

  /** Goes to the next or previous line with the searched text, and tells its position. */
  step(direction: 1 | -1, tell: (position: number) => void): void {
    const pane = this.column?.pane;
    pane?.whenDone(() => {
      const from = this.found.peek() ?? this.selection.peek()?.head ?? pane.anchor?.position;
      // At the end, the latest line comes first.
      const position = from === undefined ? pane.find?.step(Infinity, -1) : pane.find?.step(from, direction);
      this.found.value = position ?? null;
      if (this.found.value !== null) tell(this.found.value);
    });
  }

  /** Ends all requests and the live lines. */
  dispose(): void {
    for (const dispose of this.#dispose) dispose();
    this.#each((feed) => feed.close());
    this.#parts.connection.setLogs(null);
  }

  #each(run: (feed: LogFeed) => void): void {
    if (this.isLive) for (const { feed } of this.columns.peek()) run(feed);
  }

  #takeEvents(events: readonly EventAnswer[]): void {
    const last = events.at(-1)?.seq ?? 0;
    const epochStartedAnew = last < this.#lastEvent;
    const fresh = epochStartedAnew ? events.slice(-1) : events.filter(({ seq }) => seq > this.#lastEvent);
    this.#lastEvent = last;
    if (fresh.length > 0) this.#each((feed) => feed.takeEvents(fresh));
  }

  /** Makes the columns. */
  #build(): void {
    const query = this.query.peek();
    for (const { feed } of this.columns.peek()) feed.close();
    this.selection.value = null;
    this.found.value = null;
    this.wanted.value = null;
    this.isOtherEpoch.value = false;
    this.active.value = 0;
    const { names, streams, isSplit } = query;
    const lists = isSplit && names.length > 1 ? names.slice(0, MAX_COLUMNS).map((name) => [name]) : [names];
    this.columns.value = lists.map((list) => makeColumn(list, streams, Math.floor(MAX_ROWS / lists.length)));
    this.#choose(null);
    const { connection } = this.#parts;
    if (!this.isLive) {
      connection.setLogs(null);
      for (const column of this.columns.peek()) void this.#loadStatic(column, query);
      return;
    }
    connection.setLogs({ names: names.length === 0 ? ['*'] : lists.flat(), streams, tail: 0 });
    const epoch = connection.version.peek()?.epoch;
    if (epoch !== undefined) this.#each((feed) => feed.hello(epoch));
  }

  async #loadStatic({ pane, feed }: Column, { since, until, at }: LogsQuery): Promise<void> {
    pane.follow(false);
    if (at === null) return feed.loadSpan(since, until);
    const isThere = await feed.loadAround(at.epoch, at.seq);
    this.isOtherEpoch.value = !isThere;
    const position = pane.ring.find(at.seq);
    if (!isThere || pane.ring.at(position)?.seq !== at.seq) return;
    this.selection.value = { column: this.columns.peek().findIndex((one) => one.feed === feed), ...only(position) };
    this.wanted.value = position;
  }

  /** Applies filter, search and highlight. `before`: null for new columns. */
  #choose(before: LogsQuery | null): void {
    const query = this.query.peek();
    this.filter.value = Matcher.parse(query.filter);
    this.highlight.value = Matcher.parse(query.highlight);
    this.findText.value = Matcher.parse(query.find);
    const isFilterSame =
      before !== null &&
      before.filter === query.filter &&
      before.level === query.level &&
      before.context === query.context;
    for (const { pane } of this.columns.peek()) {
      const text = matcherOf(this.filter.peek());
      if (!isFilterSame) pane.setFilter({ text, level: query.level }, query.context);
      if (before?.find !== query.find) pane.setFind(matcherOf(this.findText.peek()));
      pane.redraw();
    }
    if (before?.find !== query.find) this.found.value = null;
  }
}

/** Returns the text of a search, if it is one. */
export function matcherOf(found: Matcher | string | null): Matcher | null {
  return found instanceof Matcher ? found : null;
}

function only(position: number): LineRange {
  return { anchor: position, head: position };
}

/** The part of the choices that decides which lines are asked for. */
function sourceOf({ names, streams, isSplit, since, until, at }: LogsQuery): string {
  return JSON.stringify([names, streams, isSplit, since, until, at]);
}

function makeColumn(names: readonly string[], streams: readonly string[], maxRows: number): Column {
  const later = (ms: number, run: () => void): (() => void) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  };
  const pane = new LinePane({ later, clock: () => performance.now() }, maxRows);
  const ports = {
    later,
    now: () => Date.now(),
    read: (query: Parameters<typeof getJson>[1]) => getJson<LogsAnswer>('logs', query),
  };
  return { names, pane, feed: new LogFeed({ names, streams, hasName: nameTest(names) }, ports, pane) };
}

/** Makes a test for display names, which remembers its answers. */
function nameTest(names: readonly string[]): (name: string) => boolean {
  if (names.length === 0) return () => true;
  const filter = createNameFilter(names);
  const known = new Map<string, boolean>();
  return (name) => {
    let isWanted = known.get(name);
    if (isWanted === undefined) {
      const { group, process: proc } = parseNamespec(name);
      isWanted = filter({ group, name: proc ?? name });
      known.set(name, isWanted);
    }
    return isWanted;
  };
}
