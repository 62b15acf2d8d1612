/**
 * The outlet for a log server. It takes all output at once, so a server that is down, slow or stuck never delays a
 * program or a shutdown. Messages that the server does not take are queued up to a limit. Beyond the limit they are
 * dropped, counted and reported.
 *
 * Invariants:
 * - There is at most one connection or attempt at a time.
 * - Messages are sent in order. A message stays in the queue until its connection has taken the message.
 * - With an empty queue, nothing is done and no alarm is set.
 */
import { FailureEpisode, NOTHING_DROPPED } from './failure-episode.ts';
import type { Connect, Link, LinkEvents } from './links.ts';
import { showNewlines } from './inner-newlines.ts';
import { MessageCutter } from './message-cutter.ts';
import type { Done, Outlet, Written } from './outlets.ts';
import type { LogClock, LogProblem } from './ports.ts';

/** Limit of the queue of messages. */
export const KEPT_BYTES = 1024 * 1024;

const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;
const CONNECT_MS = 10_000;
/** A connection that is this old after its first message works. Over UDP, a refusal comes only after the message. */
const PROVEN_MS = 1000;
/** Time to send the remaining queue after the last writer has gone. */
const LINGER_MS = 5000;

/** Error for a message that the full queue refuses. Made once, because a flood refuses many. */
const REFUSED = new Error('it accepts no messages');
const MEANWHILE = 'up to 1 MiB is kept until it can be reached again; further lines are dropped';

/** Parts of a remote outlet. */
export interface RemoteParts {
  /** Name of the server in reports: its URL. */
  readonly name: string;
  /** Maximum number of bytes of one message. */
  readonly longestMessage: number;
  readonly connect: Connect;
  readonly clock: LogClock;
  readonly report: (problem: LogProblem) => void;
}

/** The outlet for a log server. */
export class RemoteOutlet implements Outlet {
  readonly #parts: RemoteParts;
  readonly #cutter: MessageCutter;
  readonly #episode: FailureEpisode;
  #messages: Buffer[] = [];
  #keptBytes = 0;
  #link: Link | null = null;
  /** Cancels the attempt to connect that is under way. */
  #cancelAttempt: (() => void) | null = null;
  /** Cancels the next attempt. */
  #cancelRetry: (() => void) | null = null;
  #isSending = false;
  /** Time of the first message over the open connection. */
  #firstSentMs: number | null = null;
  /** Time at which messages were last sent. */
  #movedAtMs = -Infinity;
  #attempts = 0;
  #retryMs = FIRST_RETRY_MS;
  #retryAtMs = -Infinity;
  /** Cancels the time limit for the remaining queue. */
  #cancelLinger: (() => void) | null = null;
  #isClosing = false;
  #drainWaiters: Array<() => void> = [];

  constructor(parts: RemoteParts) {
    this.#parts = parts;
    this.#cutter = new MessageCutter(parts.longestMessage, (message) => this.#keep(message));
    this.#episode = new FailureEpisode(parts.name, parts.clock, parts.report, MEANWHILE);
  }

  get keptBytes(): number {
    return this.#keptBytes;
  }

  get keptLines(): number {
    return this.#messages.length;
  }

  get droppedLines(): number {
    return this.#episode.droppedLines;
  }

  get movedAtMs(): number {
    return this.#movedAtMs;
  }

  tellDropped(): boolean {
    return this.#episode.tellDropped();
  }

  write(bytes: Buffer, start: number, end: number, written: Written): void {
    this.#keepOpen();
    this.#cutter.push(bytes, start, end);
    this.#advance();
    setImmediate(written, null, end - start);
  }

  /** Connects before the first message, so that a server that cannot be reached is reported at once. */
  open(done: Done): void {
    this.#keepOpen();
    if (this.#parts.clock.nowMs() >= this.#retryAtMs) this.#connect();
    queueMicrotask(() => done(null));
  }

  /** Looks up the name again, and connects at once. */
  reopen(done: Done): void {
    this.#retryMs = FIRST_RETRY_MS;
    this.#retryAtMs = -Infinity;
    if (!this.#isSending) this.#disconnect();
    this.#connect();
    queueMicrotask(() => done(null));
  }

  clear(done: Done): void {
    queueMicrotask(() => done(null));
  }

  rotate(done: Done): void {
    queueMicrotask(() => done(null));
  }

  /** Sends the remaining queue for a limited time. The caller does not wait for that. */
  close(done: Done): void {
    const { clock } = this.#parts;
    this.#isClosing = true;
    this.#episode.tellDropped();
    if (this.#messages.length > 0) this.#cancelLinger = clock.alarm(clock.nowMs() + LINGER_MS, () => this.#giveUp());
    else this.#giveUp();
    queueMicrotask(() => done(null));
  }

  async drained(): Promise<void> {
    if (this.#messages.length === 0) return;
    const left = new Promise<void>((resolve) => this.#drainWaiters.push(resolve));
    if (this.#link === null) {
      this.#retryAtMs = -Infinity;
      this.#connect();
    }
    await left;
  }

  /** Over TLS, a server takes a connection without an end for one that was cut by an attacker (RFC 5425). */
  hangUp(): Promise<void> {
    const link = this.#link;
    if (link === null || this.#isSending) return Promise.resolve();
    this.#link = null;
    this.#disconnect();
    return new Promise((resolve) => link.close(resolve));
  }

  #keep(message: Buffer): void {
    if (this.#keptBytes + message.length > KEPT_BYTES) {
      this.#episode.fail(REFUSED, { lines: 1, bytes: message.length });
      return;
    }
    const copy = Buffer.from(message);
    const kept = copy.subarray(0, showNewlines(copy, 0, copy.length));
    this.#messages.push(kept);
    this.#keptBytes += kept.length;
  }

  /** Sends the queue, or connects first. */
  #advance(): void {
    if (this.#isSending) return;
    if (this.#messages.length === 0) {
      for (const resolve of this.#drainWaiters.splice(0)) resolve();
      if (this.#isClosing) this.#giveUp();
    } else if (this.#link === null) {
      this.#connect();
    } else {
      this.#isSending = true;
      const link = this.#link;
      link.send(this.#messages.slice(), (count) => {
        if (link === this.#link) this.#onSent(count);
      });
    }
  }

  #onSent(count: number): void {
    this.#isSending = false;
    for (const message of this.#messages.splice(0, count)) this.#keptBytes -= message.length;
    this.#movedAtMs = this.#parts.clock.nowMs();
    this.#firstSentMs ??= this.#movedAtMs;
    if (this.#isProven) {
      this.#retryMs = FIRST_RETRY_MS;
      if (!this.#isClosing) this.#episode.succeed();
    }
    this.#advance();
  }

  get #isProven(): boolean {
    return this.#firstSentMs !== null && this.#parts.clock.nowMs() - this.#firstSentMs >= PROVEN_MS;
  }

  /** Connects now, or at the time of the next attempt. */
  #connect(): void {
    if (this.#link !== null || this.#cancelAttempt !== null) return;
    const { clock, connect } = this.#parts;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    if (clock.nowMs() < this.#retryAtMs) {
      this.#cancelRetry = clock.alarm(this.#retryAtMs, () => {
        this.#cancelRetry = null;
        this.#connect();
      });
      return;
    }
    const cancelTimeout = clock.alarm(clock.nowMs() + CONNECT_MS, () =>
      this.#onLost(new Error(`no answer within ${CONNECT_MS / 1000} s`)),
    );
    let isOver = false;
    const events: LinkEvents = {
      opened: (link) => {
        cancelTimeout();
        this.#cancelAttempt = null;
        this.#link = link;
        this.#advance();
      },
      lost: (error) => {
        if (!isOver) this.#onLost(error);
      },
    };
    const cancel = connect(this.#attempts++, events);
    this.#cancelAttempt = () => {
      isOver = true;
      cancelTimeout();
      cancel();
    };
  }

  /** Handles a connection that was lost or refused. Null: the server closed the connection in order. */
  #onLost(error: NodeJS.ErrnoException | null): void {
    const { clock } = this.#parts;
    const wasUsed = this.#isProven;
    this.#disconnect();
    if (error !== null || !wasUsed) {
      this.#retryAtMs = clock.nowMs() + this.#retryMs;
      this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
      this.#episode.fail(error ?? new Error('it closed the connection'), NOTHING_DROPPED);
      for (const resolve of this.#drainWaiters.splice(0)) resolve();
    }
    if (this.#messages.length > 0) this.#connect();
  }

  /** Cancels the closing, because a writer uses the outlet again. */
  #keepOpen(): void {
    this.#isClosing = false;
    this.#cancelLinger?.();
    this.#cancelLinger = null;
  }

  #disconnect(): void {
    this.#cancelAttempt?.();
    this.#cancelAttempt = null;
    this.#link?.close();
    this.#link = null;
    this.#isSending = false;
    this.#firstSentMs = null;
  }

  /**
   * Closes the outlet after its last writer: the queue is sent, or its time is over and the remaining messages are
   * dropped.
   */
  #giveUp(): void {
    this.#keepOpen();
    this.#disconnect();
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    if (this.#messages.length > 0)
      this.#episode.fail(REFUSED, { lines: this.#messages.length, bytes: this.#keptBytes });
    this.#messages = [];
    this.#keptBytes = 0;
    for (const resolve of this.#drainWaiters.splice(0)) resolve();
  }
}
