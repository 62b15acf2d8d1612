/**
 * The way to a log server. It takes everything at once, so a server that is down, slow or stuck never slows a program
 * nor the end of the supervisor: what the server does not take is kept up to a limit, and dropped, counted and said
 * beyond that. Invariants: one connection or attempt at one is there at a time; messages go out in order; a message
 * stays here until its connection has taken it; with nothing to send, nothing is done, and no alarm is set.
 */
import { FailureEpisode, NOTHING_DROPPED } from './failure-episode.ts';
import type { Connect, Link, LinkEvents } from './links.ts';
import { MessageCutter } from './message-cutter.ts';
import type { Done, Outlet, Written } from './outlets.ts';
import type { LogClock, LogProblem } from './ports.ts';

/** Most bytes of messages that are kept. */
export const KEPT_BYTES = 1024 * 1024;

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;
const CONNECT_MS = 10_000;
/**
 * A connection over which something was sent so long ago is one that works: over UDP, a refusal comes after the
 * message.
 */
const PROVEN_MS = 1000;
/** How long what is left is tried to be sent when nobody writes to the server any more. */
const LINGER_MS = 5000;

/** Made once: a flood is refused line by line. */
const REFUSED = new Error('it does not take what is written');
const MEANWHILE = 'up to 1 MiB is kept until it can be reached again, and the rest is dropped';

/** What an outlet is made from. */
export interface RemoteParts {
  /** What the server is called in messages: its URL. */
  readonly name: string;
  /** Most bytes of one message. */
  readonly longestMessage: number;
  readonly connect: Connect;
  readonly clock: LogClock;
  readonly report: (problem: LogProblem) => void;
}

/** See the head of this file. */
export class RemoteOutlet implements Outlet {
  readonly #parts: RemoteParts;
  readonly #cutter: MessageCutter;
  readonly #episode: FailureEpisode;
  #messages: Buffer[] = [];
  #keptBytes = 0;
  #link: Link | null = null;
  /** Calls off the attempt at a connection that is under way. */
  #callOffAttempt: (() => void) | null = null;
  /** Calls off the next attempt. */
  #callOffRetry: (() => void) | null = null;
  #isSending = false;
  /** When something was first sent over the connection that is open. */
  #firstSentMs: number | null = null;
  /** When messages last went out. */
  #movedAtMs = -Infinity;
  #attempts = 0;
  #retryMs = FIRST_RETRY_MS;
  #retryAtMs = -Infinity;
  #callOffLinger: (() => void) | null = null;
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

  get movedAtMs(): number {
    return this.#movedAtMs;
  }

  tellDropped(): boolean {
    return this.#episode.tellDropped();
  }

  write(bytes: Buffer, start: number, end: number, written: Written): void {
    this.#stay();
    this.#cutter.push(bytes, start, end);
    this.#advance();
    setImmediate(written, null, end - start);
  }

  /** Connects before there is something to send, so that a server that cannot be reached is told of at once. */
  open(done: Done): void {
    this.#stay();
    if (this.#parts.clock.nowMs() >= this.#retryAtMs) this.#connect();
    queueMicrotask(() => done(null));
  }

  /** Looks the name up again, and tries again at once. */
  reopen(done: Done): void {
    this.#retryMs = FIRST_RETRY_MS;
    this.#retryAtMs = -Infinity;
    if (!this.#isSending) this.#letGo();
    this.#connect();
    queueMicrotask(() => done(null));
  }

  clear(done: Done): void {
    queueMicrotask(() => done(null));
  }

  /** What is kept is still sent, for a while; whoever closes does not wait for that. */
  close(done: Done): void {
    const { clock } = this.#parts;
    this.#isClosing = true;
    this.#episode.tellDropped();
    if (this.#messages.length > 0) this.#callOffLinger = clock.alarm(clock.nowMs() + LINGER_MS, () => this.#giveUp());
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

  #keep(message: Buffer): void {
    if (this.#keptBytes + message.length > KEPT_BYTES) {
      this.#episode.fail(REFUSED, { lines: 1, bytes: message.length });
      return;
    }
    this.#messages.push(Buffer.from(message));
    this.#keptBytes += message.length;
  }

  /** Sends what there is, or connects to be able to. */
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
        if (link === this.#link) this.#sent(count);
      });
    }
  }

  #sent(count: number): void {
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

  /** Connects now, or when it is time for another attempt. */
  #connect(): void {
    if (this.#link !== null || this.#callOffAttempt !== null) return;
    const { clock, connect } = this.#parts;
    this.#callOffRetry?.();
    this.#callOffRetry = null;
    if (clock.nowMs() < this.#retryAtMs) {
      this.#callOffRetry = clock.alarm(this.#retryAtMs, () => {
        this.#callOffRetry = null;
        this.#connect();
      });
      return;
    }
    const callOffLimit = clock.alarm(clock.nowMs() + CONNECT_MS, () =>
      this.#lost(new Error(`no answer within ${CONNECT_MS / 1000} s`)),
    );
    let isOver = false;
    const events: LinkEvents = {
      opened: (link) => {
        callOffLimit();
        this.#callOffAttempt = null;
        this.#link = link;
        this.#advance();
      },
      lost: (error) => {
        if (!isOver) this.#lost(error);
      },
    };
    const cancel = connect(this.#attempts++, events);
    this.#callOffAttempt = () => {
      isOver = true;
      callOffLimit();
      cancel();
    };
  }

  /** There is no connection any more, or none came about; null: the other side ended it in order. */
  #lost(error: NodeJS.ErrnoException | null): void {
    const { clock } = this.#parts;
    const wasUsed = this.#isProven;
    this.#letGo();
    if (error !== null || !wasUsed) {
      this.#retryAtMs = clock.nowMs() + this.#retryMs;
      this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
      this.#episode.fail(error ?? new Error('it ended the connection'), NOTHING_DROPPED);
      for (const resolve of this.#drainWaiters.splice(0)) resolve();
    }
    if (this.#messages.length > 0) this.#connect();
  }

  /** Somebody writes again. */
  #stay(): void {
    this.#isClosing = false;
    this.#callOffLinger?.();
    this.#callOffLinger = null;
  }

  #letGo(): void {
    this.#callOffAttempt?.();
    this.#callOffAttempt = null;
    this.#link?.close();
    this.#link = null;
    this.#isSending = false;
    this.#firstSentMs = null;
  }

  /** Nobody writes any more, and what is kept was sent or has had its time. */
  #giveUp(): void {
    this.#stay();
    this.#letGo();
    this.#callOffRetry?.();
    this.#callOffRetry = null;
    if (this.#messages.length > 0)
      this.#episode.fail(REFUSED, { lines: this.#messages.length, bytes: this.#keptBytes });
    this.#messages = [];
    this.#keptBytes = 0;
    for (const resolve of this.#drainWaiters.splice(0)) resolve();
  }
}
