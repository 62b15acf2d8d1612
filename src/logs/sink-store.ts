/**
 * All sinks of one supervisor. Logs that lead to one destination get one sink here, so that their lines never mix.
 * The kinds of log targets (target-kinds.ts) say how a sink is made. This file makes, shares and closes them.
 */
import { BlockPool } from './blocks.ts';
import { CompressionTurns } from './compression.ts';
import { PipeGrowth } from './outlets.ts';
import type { Outlet } from './outlets.ts';
import type { LogDeps, LogProblem } from './ports.ts';
import { Sink } from './sink.ts';

/** Functions of the store for an outlet that is made. */
export interface OutletHost {
  readonly report: (problem: LogProblem) => void;
  /** Asks for a call of {@link Outlet.open} when nothing else is under way. */
  readonly requestOpen: () => void;
}

/** Description of a destination. */
export interface Destination {
  /** Equal for destinations that are the same place. */
  readonly id: string;
  /** Name in messages. */
  readonly name: string;
  /**
   * `stream`: our own stdout or stderr. `service`: the log daemon of this machine. Both stay open until the end, and
   * USR2 does not reopen them. `path` and `server` are closed when their last user has gone.
   */
  readonly type: 'stream' | 'service' | 'path' | 'server';
  /** Codes of errors after which the destination never takes a byte again. */
  readonly goneOn?: ReadonlySet<string>;
  readonly makeOutlet: (host: OutletHost) => Outlet;
}

/** A sink with its outlet. */
export interface OpenSink {
  readonly sink: Sink;
  readonly outlet: Outlet;
}

interface Entry extends OpenSink {
  readonly id: string;
  readonly type: Destination['type'];
  /** Number of channels and logs that use the sink. */
  users: number;
}

const NEVER_GONE: ReadonlySet<string> = new Set();

/** Makes, shares and closes sinks. */
export class SinkStore {
  readonly deps: LogDeps;
  readonly growth: PipeGrowth;
  readonly turns = new CompressionTurns();
  readonly #report: (sink: Sink, problem: LogProblem) => void;
  readonly #pool = new BlockPool();
  readonly #entries = new Map<string, Entry>();
  /** The same entries. A reload releases all sinks, so none may be searched for. */
  readonly #bySink = new Map<Sink, Entry>();

  constructor(deps: LogDeps, report: (sink: Sink, problem: LogProblem) => void) {
    this.deps = deps;
    this.growth = new PipeGrowth(deps.natives, deps.clock);
    this.#report = report;
  }

  /** All sinks. */
  get all(): Sink[] {
    return [...this.#entries.values()].map(({ sink }) => sink);
  }

  /** The sinks of the container's streams. */
  get streams(): Sink[] {
    return this.#sinksOf('stream');
  }

  /** Returns the sink of a destination, and counts a user. Each call needs a {@link release}. */
  acquire(destination: Destination): OpenSink {
    const { id, type } = destination;
    const entry = this.#entries.get(id) ?? { ...this.#make(destination), id, type, users: 0 };
    this.#entries.set(id, entry);
    this.#bySink.set(entry.sink, entry);
    entry.users++;
    return entry;
  }

  /** Counts a user out. Closes the sink of a file or a server that has no user left. */
  release(released: Sink): void {
    const entry = this.#bySink.get(released);
    if (entry === undefined) return;
    const { id, sink, type } = entry;
    entry.users--;
    if (entry.users > 0 || type === 'stream' || type === 'service') return;
    // The queue is still written. A user that comes before its end gets the same sink, which opens again.
    void sink.close().then(() => {
      if (entry.users > 0) return;
      this.#entries.delete(id);
      this.#bySink.delete(sink);
    });
  }

  /** Returns the open sink of a destination. Undefined: no log uses the destination. */
  find(id: string): OpenSink | undefined {
    return this.#entries.get(id);
  }

  /** Reopens files and connects to servers again. `onFailure` gets each sink that refused. */
  async reopen(onFailure: (sink: Sink, error: NodeJS.ErrnoException) => void): Promise<void> {
    const reopened = [...this.#sinksOf('path'), ...this.#sinksOf('server')];
    await Promise.all(
      reopened.map((sink) => sink.reopen().catch((error: unknown) => onFailure(sink, error as NodeJS.ErrnoException))),
    );
  }

  /** Closes all sinks. The streams are the last, because losses of the others are reported there. */
  async close(): Promise<void> {
    const { streams } = this;
    await Promise.all(this.all.filter((sink) => !streams.includes(sink)).map((sink) => sink.close()));
    for (const sink of streams) sink.tellDropped();
    await Promise.all(streams.map((sink) => sink.close()));
    this.#entries.clear();
    this.#bySink.clear();
  }

  /** Ends the connections to log servers in order, at the exit of the supervisor. */
  async hangUp(): Promise<void> {
    await Promise.all([...this.#entries.values()].flatMap(({ outlet }) => outlet.hangUp?.() ?? []));
  }

  #sinksOf(type: Destination['type']): Sink[] {
    return [...this.#entries.values()].filter((entry) => entry.type === type).map(({ sink }) => sink);
  }

  #make({ name, goneOn = NEVER_GONE, makeOutlet }: Destination): OpenSink {
    const { natives, clock } = this.deps;
    const report = (problem: LogProblem): void => this.#report(sink, problem);
    const outlet = makeOutlet({ report, requestOpen: () => sink.open() });
    const sink: Sink = new Sink({ name, outlet, pool: this.#pool, natives, clock, goneOn, report });
    return { sink, outlet };
  }
}
