/**
 * All sinks of one supervisor. Logs that lead to one destination get one sink here, so that their lines never mix.
 * The kinds of log targets (target-kinds.ts) say how a sink is made. This file makes, shares and closes them.
 */
import { BlockPool } from './blocks.ts';
import { CompressionTurns } from './compression.ts';
import type { FileContext } from './file-outlet.ts';
import { PipeGrowth } from './outlets.ts';
import type { Outlet, OutletHost } from './outlets.ts';
import type { LogDeps, LogProblem } from './ports.ts';
import { Sink } from './sink.ts';
import { SinkContext } from './sink-parts.ts';

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

interface Entry {
  readonly sink: Sink;
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
  readonly files: FileContext;
  readonly #context: SinkContext;
  readonly #entries = new Map<string, Entry>();

  constructor(deps: LogDeps, report: (sink: Sink, problem: LogProblem) => void) {
    this.deps = deps;
    this.growth = new PipeGrowth(deps.natives, deps.clock);
    const { natives, clock } = deps;
    this.files = { growth: this.growth, clock, turns: this.turns };
    this.#context = new SinkContext({ pool: new BlockPool(), natives, clock, report });
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
  acquire({ id, name, type, goneOn = NEVER_GONE, makeOutlet }: Destination): Sink {
    let entry = this.#entries.get(id);
    if (entry === undefined) {
      entry = { sink: new Sink({ id, name, goneOn, makeOutlet }, this.#context), type, users: 0 };
      this.#entries.set(id, entry);
    }
    entry.users++;
    return entry.sink;
  }

  /** Counts a user out. Closes the sink of a file or a server that has no user left. */
  release(released: Sink): void {
    const { id } = released;
    const entry = this.#entries.get(id);
    if (entry?.sink !== released) return;
    const { sink, type } = entry;
    entry.users--;
    if (entry.users > 0 || type === 'stream' || type === 'service') return;
    // The queue is still written. A user that comes before its end gets the same sink, which opens again.
    void sink.close().then(() => {
      if (entry.users > 0) return;
      if (this.#entries.get(id) === entry) this.#entries.delete(id);
    });
  }

  /** Returns the open sink of a destination. Undefined: no log uses the destination. */
  find(id: string): Sink | undefined {
    return this.#entries.get(id)?.sink;
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
  }

  /** Ends the connections to log servers in order, at the exit of the supervisor. */
  async hangUp(): Promise<void> {
    await Promise.all([...this.#entries.values()].flatMap(({ sink }) => sink.outlet.hangUp?.() ?? []));
  }

  #sinksOf(type: Destination['type']): Sink[] {
    return [...this.#entries.values()].filter((entry) => entry.type === type).map(({ sink }) => sink);
  }
}
