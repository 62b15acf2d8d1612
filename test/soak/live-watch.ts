/** A client of the event stream that checks what comes, and continues after each cut of its connection. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type EventStream, openStream, type StreamMessage } from '../e2e/event-stream.ts';
import type { EventCheck } from './event-check.ts';
import type { LineCheck } from './line-check.ts';

const QUERY = 'status=1&logs=*';

/** A line, as it comes. */
interface Line {
  readonly name: string;
  readonly text: string;
  readonly stream: string;
  /** Set if the line has not ended here. */
  readonly partial?: true;
  /** Set if this continues the line before. */
  readonly rest?: true;
}

/** See the file header. */
export class LiveWatch {
  /** Losses that the stream has told. */
  missed = 0;
  readonly #socketPath: string;
  readonly #events: EventCheck;
  readonly #lines: LineCheck;
  #stream: EventStream | null = null;
  #lastId: string | null = null;
  #isClosed = false;
  /** Lines that have not ended, by process. */
  readonly #begun = new Map<string, string>();

  constructor(socketPath: string, events: EventCheck, lines: LineCheck) {
    this.#socketPath = socketPath;
    this.#events = events;
    this.#lines = lines;
  }

  get isOpen(): boolean {
    return this.#stream !== null;
  }

  /** Connects, and connects again after each end. Resolves with the first connection. */
  async open(): Promise<void> {
    const stream = await openStream(null, { socketPath: this.#socketPath }, QUERY, {
      lastEventId: this.#lastId,
      onMessage: (message) => this.#take(message),
    });
    this.#stream = stream;
    // The helper keeps messages for tests that wait for some.
    const forgetting = setInterval(() => stream.messages.splice(0), 100);
    void stream.ended.then(() => {
      clearInterval(forgetting);
      this.#lastId = stream.lastId() ?? this.#lastId;
      this.#stream = null;
      if (!this.#isClosed) void this.#reopen();
    });
  }

  /** Cuts the connection, perhaps within a message. */
  cut(): void {
    this.#stream?.close();
  }

  close(): void {
    this.#isClosed = true;
    this.#stream?.close();
  }

  async #reopen(): Promise<void> {
    while (!this.#isClosed) {
      try {
        return await this.open();
      } catch {
        // The server is closed for a moment during a reload.
        await sleep(20);
      }
    }
  }

  #take(message: StreamMessage): void {
    const { event, data } = message;
    this.#events.take(message);
    if (event === 'dropped') this.missed += 1;
    if (event !== 'lines') return;
    this.missed += (data.missed as unknown[] | undefined)?.length ?? 0;
    for (const line of data.lines as readonly Line[]) if (line.stream === 'stdout') this.#takeLine(line);
  }

  #takeLine({ name, text, partial, rest }: Line): void {
    const whole = (rest === true ? (this.#begun.get(name) ?? '') : '') + text;
    if (partial === true) this.#begun.set(name, whole);
    else this.#lines.take(name, whole);
  }
}
