/** One client of the stream. */
import type { ServerResponse } from 'node:http';
import type { SupervisorStateName } from '../core/states.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';
import type { BatchReceiver, LineBatch } from './line-feed.ts';
import { displayName, formatMessage, MESSAGE_END, type MessageKind, messageHead } from './messages.ts';
import { formatPosition, type Position } from './position.ts';
import type { StatusTexts } from './status-texts.ts';
import type { StreamQuery } from './stream-query.ts';
import type { LiveTimers } from './timers.ts';

/** Maximum number of processes and of events in one message. */
const MESSAGE_PROCESSES = 100;
const MESSAGE_EVENTS = 500;

/** Limits of a client. Tests use small values. */
export interface ClientLimits {
  /** Bytes of lines that wait for the client. */
  readonly queueBytes: number;
  /** Time after which a client that does not read is disconnected. */
  readonly stallMs: number;
}

/** Parts that a client uses. */
export interface ClientParts {
  readonly api: SupervisorApi;
  readonly timers: LiveTimers;
  readonly limits: ClientLimits;
  readonly query: StreamQuery;
  readonly response: ServerResponse;
  /** Called when the client can take more. */
  readonly drained: () => void;
}

/**
 * One client of the stream. States are marked and encoded when the client can take them, so that a slow client gets the
 * latest states. Lines wait in a queue of a limited size, and the oldest are dropped. Nothing waits for the client.
 */
export class StreamClient implements BatchReceiver {
  readonly query: StreamQuery;
  readonly #parts: ClientParts;
  readonly #dirty = new Set<string>();
  readonly #removed = new Set<string>();
  readonly #queue: LineBatch[] = [];
  #queuedBytes = 0;
  #dropped = 0;
  #isStateDirty = false;
  #position: Position = { lines: 0, events: 0 };
  /** Time since when the client has not taken what was written; null if it has. */
  #blockedSinceMs: number | null = null;
  #lastWriteMs: number;
  #wake: (() => void) | null = null;
  /** False while a snapshot is sent. */
  isLive = false;
  /** Time of the next usage. */
  usageDueMs = 0;

  constructor(parts: ClientParts) {
    this.#parts = parts;
    this.query = parts.query;
    this.#lastWriteMs = parts.timers.nowMs();
    parts.response.on('drain', () => {
      this.#blockedSinceMs = null;
      this.#wake?.();
      parts.drained();
    });
    parts.response.once('close', () => this.#wake?.());
  }

  get position(): Position {
    return this.#position;
  }

  moveTo(position: Partial<Position>): void {
    this.#position = { ...this.#position, ...position };
  }

  get isBlocked(): boolean {
    return this.#blockedSinceMs !== null;
  }

  get isGone(): boolean {
    return this.#parts.response.destroyed || this.#parts.response.writableEnded;
  }

  /** True if a client that wants pings has had nothing for a while. */
  needsPing(quietMs: number): boolean {
    return this.isLive && !this.isBlocked && this.#parts.timers.nowMs() - this.#lastWriteMs >= quietMs;
  }

  /** True if the client has not read for too long. */
  get isStalled(): boolean {
    const { timers, limits } = this.#parts;
    return this.#blockedSinceMs !== null && timers.nowMs() - this.#blockedSinceMs >= limits.stallMs;
  }

  markChanged(id: string): void {
    if (this.query.hasStatus) this.#dirty.add(id);
  }

  markRemoved(id: string): void {
    if (!this.query.hasStatus) return;
    this.#dirty.delete(id);
    this.#removed.add(id);
  }

  markState(): void {
    this.#isStateDirty = this.query.hasStatus;
  }

  /** Forgets the marks: a snapshot with all states follows. */
  clearMarks(): void {
    this.#dirty.clear();
    this.#removed.clear();
    this.#isStateDirty = false;
  }

  pushLines(batch: LineBatch): void {
    this.#queue.push(batch);
    this.#queuedBytes += batch.body.length;
    while (this.#queuedBytes > this.#parts.limits.queueBytes && this.#queue.length > 1) {
      const oldest = this.#queue.shift() as LineBatch;
      this.#queuedBytes -= oldest.body.length;
      this.#dropped += oldest.lines;
    }
  }

  /** True if so many lines wait that they should be sent before the next tick. */
  hasManyLines(): boolean {
    return this.isLive && !this.isBlocked && this.#queuedBytes >= this.#parts.limits.queueBytes / 4;
  }

  /** Writes text. */
  write(text: string | Buffer): void {
    if (this.isGone) return;
    const { response, timers } = this.#parts;
    this.#lastWriteMs = timers.nowMs();
    if (!response.write(text)) this.#blockedSinceMs ??= timers.nowMs();
  }

  send(kind: MessageKind, data: unknown): void {
    this.write(formatMessage(kind, data));
  }

  /** Resolves when the client has taken what was written, or is gone. */
  async taken(): Promise<void> {
    await new Promise<void>((resolve) => this.#parts.timers.soon(resolve));
    if (!this.isBlocked || this.isGone) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = null;
  }

  /** Writes the beginning of a message with the present position as its id. */
  writeHead(kind: MessageKind, position: Position): void {
    this.write(messageHead(kind, formatPosition(this.#parts.api.epoch, position)));
  }

  /**
   * Writes what is due until the client must read first. Returns false if events were lost that the client has not had.
   */
  flush(texts: StatusTexts): boolean {
    while (!this.isBlocked && !this.isGone) {
      if (this.query.hasStatus) {
        const result = this.#writeDelta(texts);
        if (result === 'lost') return false;
        if (result === 'written') continue;
      }
      if (!this.#writeLines()) break;
    }
    return true;
  }

  /** Takes over the position of a feed that has no more lines for this client. */
  linesAreReadTo(position: number): void {
    if (this.#queue.length > 0 || this.#dropped > 0) return;
    const lines = Math.max(this.#position.lines, position);
    this.moveTo(this.query.hasStatus ? { lines } : { lines, events: lines });
  }

  end(): void {
    this.#parts.response.end();
  }

  destroy(): void {
    this.#parts.response.destroy();
  }

  #writeDelta(texts: StatusTexts): 'lost' | 'written' | 'nothing' {
    const { api } = this.#parts;
    const { events, isComplete } = api.history.eventsAfter(this.#position.events, MESSAGE_EVENTS);
    if (!isComplete) return 'lost';
    const hasMarks = this.#dirty.size > 0 || this.#removed.size > 0 || this.#isStateDirty;
    if (!hasMarks && events.length === 0) {
      this.#moveEvents(api.latestSeq);
      return 'nothing';
    }
    const statuses = this.#takeStatuses(texts);
    // The events come with the last states: their number tells that the client has the states, too.
    const isLast = this.#dirty.size === 0;
    const told = isLast ? events : [];
    if (isLast) this.#moveEvents(told.length === MESSAGE_EVENTS ? (told.at(-1)?.seq ?? 0) : api.latestSeq);
    const removed = JSON.stringify([...this.#removed].map(displayName));
    const state = this.#isStateDirty ? `,"state":${JSON.stringify(api.state() satisfies SupervisorStateName)}` : '';
    this.#removed.clear();
    this.#isStateDirty = false;
    const members = told.map((event) => texts.eventText(event)).join(',');
    this.writeHead('delta', this.#position);
    this.write(
      `{"processes":[${statuses.join(',')}],"removed":${removed},"events":[${members}]${state}}${MESSAGE_END}`,
    );
    return 'written';
  }

  /** A client without lines is always as far with them as with the events. */
  #moveEvents(events: number): void {
    this.moveTo(this.query.selection === null ? { events, lines: events } : { events });
  }

  #takeStatuses(texts: StatusTexts): string[] {
    const statuses: string[] = [];
    for (const id of this.#dirty) {
      if (statuses.length >= MESSAGE_PROCESSES) break;
      this.#dirty.delete(id);
      const text = texts.statusOf(id);
      if (text !== null) statuses.push(text);
    }
    return statuses;
  }

  /** Writes the next lines. Returns false if there are none. */
  #writeLines(): boolean {
    if (this.#dropped > 0) {
      this.send('dropped', { n: this.#dropped });
      this.#dropped = 0;
    }
    const batch = this.#queue.shift();
    if (batch === undefined) return false;
    this.#queuedBytes -= batch.body.length;
    this.moveTo(this.query.hasStatus ? { lines: batch.position } : { lines: batch.position, events: batch.position });
    this.writeHead('lines', this.#position);
    this.write(batch.body);
    return true;
  }
}
