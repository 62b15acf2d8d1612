/**
 * The one live stream of the page: an EventSource that carries the states, the usage and the lines that the views ask
 * for. A lost stream is opened again after a pause and continues after the last message, without a gap. While the tab
 * is hidden, there is no stream. Knows no DOM: the ports come from the caller.
 */
import { signal } from '@preact/signals';
import type { VersionAnswer, UsageMessage, LinesMessage, SnapshotMessage, DeltaMessage } from './messages.ts';

/** `opening`: the first connection. `lost`: it will be opened again. `hidden`: closed while the tab is hidden. */
export type Link = 'opening' | 'open' | 'lost' | 'hidden';

/** The lines that a view wants. Lines with numbers up to `next` of its last answer may come again. */
export interface LogSelection {
  /** Names and patterns; `*` for all. */
  readonly names: readonly string[];
  /** Both streams if it is missing. */
  readonly streams?: readonly string[];
  /** Number of the latest lines to begin with; 0 without it. */
  readonly tail?: number;
}

/** A message as EventSource passes it. */
export interface StreamEvent {
  readonly data?: unknown;
  readonly lastEventId?: string;
}

/** The part of EventSource that is used. */
export interface StreamSource {
  addEventListener(type: string, listener: (event: StreamEvent) => void): void;
  close(): void;
}

/** The ports to the browser. */
export interface ConnectionPorts {
  open(url: string): StreamSource;
  /** Calls `run` once after a time. Returns a function that cancels it. */
  after(ms: number, run: () => void): () => void;
  /** Milliseconds since 1970. */
  now(): number;
}

/** The messages for the store of the processes. */
export interface StatusSink {
  snapshot(message: SnapshotMessage): void;
  delta(message: DeltaMessage): void;
  usage(message: UsageMessage): void;
}

/** Pauses before the next attempt, in milliseconds. The last one repeats. */
const PAUSES = [200, 500, 1000, 2000, 4000] as const;

/** A stream without any message for this time is lost. The server sends a ping every 5 seconds. */
const SILENCE_MS = 15_000;

/** Keeps the stream open, and passes its messages on. */
export class Connection {
  readonly link = signal<Link>('opening');
  /** Time since which there is no stream, in milliseconds since 1970; null while there is one. */
  readonly lostAt = signal<number | null>(null);
  readonly version = signal<VersionAnswer | null>(null);
  /** Clock of the server minus that of the browser, in milliseconds. */
  readonly clockSkew = signal(0);
  readonly #ports: ConnectionPorts;
  readonly #sink: StatusSink;
  readonly #lineListeners = new Set<(message: LinesMessage) => void>();
  readonly #dropListeners = new Set<(count: number) => void>();
  readonly #resetListeners = new Set<(reason: string) => void>();
  #source: StreamSource | null = null;
  #position: string | null = null;
  #logs: LogSelection | null = null;
  #usageSeconds: number | null = null;
  #failures = 0;
  #cancelTimer: (() => void) | null = null;

  constructor(ports: ConnectionPorts, sink: StatusSink) {
    this.#ports = ports;
    this.#sink = sink;
  }

  /** Number of the last message in the sequence of the supervisor, as `EPOCH-SEQ`; null before the first one. */
  get position(): string | null {
    return this.#position;
  }

  /** Opens the stream. */
  start(): void {
    if (this.#source === null && this.#cancelTimer === null) this.#open();
  }

  /** Closes the stream while the tab is hidden, and continues it later. */
  setHidden(isHidden: boolean): void {
    if (isHidden === (this.link.value === 'hidden')) return;
    if (isHidden) {
      this.#close();
      this.link.value = 'hidden';
      return;
    }
    this.#failures = 0;
    this.link.value = this.lostAt.value === null ? 'opening' : 'lost';
    this.#open();
  }

  /** Chooses the lines of the stream; null for none. The stream continues without a gap in its other messages. */
  setLogs(selection: LogSelection | null): void {
    if (JSON.stringify(selection) === JSON.stringify(this.#logs)) return;
    this.#logs = selection;
    this.#reopen();
  }

  /** Chooses the seconds between two messages about the usage; null for none. */
  setUsage(seconds: number | null): void {
    if (seconds === this.#usageSeconds) return;
    this.#usageSeconds = seconds;
    this.#reopen();
  }

  /** Calls a listener with the lines of each batch. Returns a function that removes it. */
  onLines(listener: (message: LinesMessage) => void): () => void {
    return added(this.#lineListeners, listener);
  }

  /** Calls a listener with the number of lines that the server has dropped for this page. */
  onDropped(listener: (count: number) => void): () => void {
    return added(this.#dropListeners, listener);
  }

  /** Calls a listener when the stream could not continue: what was sent in between is not known. */
  onReset(listener: (reason: string) => void): () => void {
    return added(this.#resetListeners, listener);
  }

  /** Opens a lost stream now, without waiting for the end of the pause. */
  retry(): void {
    if (this.link.value !== 'lost') return;
    this.#close();
    this.#open();
  }

  #reopen(): void {
    if (this.#source === null) return;
    this.#close();
    this.#open();
  }

  #url(): string {
    const query = new URLSearchParams({ status: '1' });
    if (this.#usageSeconds !== null) query.set('usage', String(this.#usageSeconds));
    const logs = this.#logs;
    if (logs !== null) {
      for (const name of logs.names) query.append('logs', name);
      for (const stream of logs.streams ?? []) query.append('streams', stream);
      query.set('tail', String(logs.tail ?? 0));
    }
    if (this.#position !== null) query.set('after', this.#position);
    return `api/v1/stream?${query}`;
  }

  #open(): void {
    const source = this.#ports.open(this.#url());
    this.#source = source;
    const on = (type: string, take: (data: never) => void): void =>
      source.addEventListener(type, (event) => {
        // A closed source may still have messages in the queue of the browser.
        if (this.#source !== source) return;
        this.#heard();
        take((typeof event.data === 'string' ? JSON.parse(event.data) : null) as never);
        if (event.lastEventId !== undefined && event.lastEventId !== '') this.#position = event.lastEventId;
      });
    on('hello', ({ version }: { readonly version: VersionAnswer }) => this.#welcome(version));
    on('snapshot', (message: SnapshotMessage) => this.#sink.snapshot(message));
    on('delta', (message: DeltaMessage) => this.#sink.delta(message));
    on('usage', (message: UsageMessage) => this.#sink.usage(message));
    on('lines', (message: LinesMessage) => {
      for (const listener of this.#lineListeners) listener(message);
    });
    on('dropped', ({ n }: { readonly n: number }) => {
      for (const listener of this.#dropListeners) listener(n);
    });
    on('reset', ({ reason }: { readonly reason: string }) => {
      for (const listener of this.#resetListeners) listener(reason);
    });
    on('ping', () => undefined);
    source.addEventListener('error', () => {
      if (this.#source === source) this.#lost();
    });
    this.#watchSilence();
  }

  #welcome(version: VersionAnswer): void {
    this.version.value = version;
    this.clockSkew.value = version.now - this.#ports.now();
    this.link.value = 'open';
    this.lostAt.value = null;
    this.#failures = 0;
  }

  #heard(): void {
    this.#cancelTimer?.();
    this.#watchSilence();
  }

  #watchSilence(): void {
    this.#cancelTimer = this.#ports.after(SILENCE_MS, () => this.#lost());
  }

  #lost(): void {
    this.#close();
    this.lostAt.value ??= this.#ports.now();
    this.link.value = 'lost';
    const pause = PAUSES[Math.min(this.#failures, PAUSES.length - 1)] ?? 0;
    this.#failures += 1;
    this.#cancelTimer = this.#ports.after(pause, () => {
      this.#cancelTimer = null;
      this.#open();
    });
  }

  #close(): void {
    this.#source?.close();
    this.#source = null;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }
}

function added<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
