/**
 * The queue of one `[notify:x]`: which alert is sent when, and the lines for our log. Pure: the caller gives the time,
 * in milliseconds of the monotonic clock, and carries out what {@link AlertQueue.next} says.
 *
 * Invariants:
 *   1. One alert is sent at a time, in order.
 *   2. At most {@link MOST_WAITING} alerts wait. Further ones are lost, and counted.
 *   3. A receiver that fails causes at most one line a minute. Every lost alert is counted in a line, and in the next
 *      alert that arrives.
 */
import { type Alert, sayLeftOut, withLeftOut } from './alert.ts';
import type { Level } from './log-level.ts';

/** Largest number of alerts that wait. */
export const MOST_WAITING = 100;
/** The first pause before a retry; each one is twice as long as the one before. */
const FIRST_PAUSE_MS = 1000;
/** The longest pause, also if the receiver asks for a longer one. */
const LONGEST_PAUSE_MS = 60_000;
/** Least time between two lines about failures. */
const LINE_PERIOD_MS = 60_000;

/** Why an attempt failed. */
export interface AlertFailure {
  readonly reason: string;
  /** True if another attempt would fail too. */
  readonly isFinal: boolean;
  /** Pause that the receiver asks for; null for none. */
  readonly pauseMs: number | null;
}

/** The next thing to do. */
export type AlertStep =
  { readonly kind: 'send'; readonly alert: Alert } | { readonly kind: 'wait'; readonly untilMs: number };

/** A line for the log. */
export type AlertLine = readonly [level: Level, text: string];

/** The queue of one section. */
export class AlertQueue {
  readonly #name: string;
  #retries: number;
  readonly #waiting: Alert[] = [];
  #isSending = false;
  /** Failed attempts to send the first alert. */
  #failures = 0;
  #retryMs = -Infinity;
  /** Lost alerts that no line has counted yet. */
  #unsaid = 0;
  /** Lost alerts that no alert has counted yet. */
  #untold = 0;
  /** Lost alerts since the last success. */
  #lost = 0;
  /** Time of the last line about a failure; null after a success. */
  #saidMs: number | null = null;

  /** `name`: the x of the section. `retries`: further attempts to send an alert. */
  constructor(name: string, retries: number) {
    this.#name = name;
    this.#retries = retries;
  }

  /** Changes the number of further attempts. */
  configure(retries: number): void {
    this.#retries = retries;
  }

  /** True if nothing waits and nothing is being sent. */
  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  /** Adds an alert, or loses it if too many wait. */
  push(alert: Alert, nowMs: number): AlertLine[] {
    if (this.#waiting.length < MOST_WAITING) {
      this.#waiting.push(alert);
      return [];
    }
    return this.#lose(1, `${MOST_WAITING} notifications wait for delivery`, nowMs);
  }

  /** Returns the next thing to do; null if there is nothing, or if an alert is being sent. */
  next(nowMs: number): AlertStep | null {
    const [first] = this.#waiting;
    if (first === undefined || this.#isSending) return null;
    if (nowMs < this.#retryMs) return { kind: 'wait', untilMs: this.#retryMs };
    this.#isSending = true;
    return { kind: 'send', alert: sayLeftOut(withLeftOut(first, this.#untold)) };
  }

  /** Ends the pause before a retry. */
  hurry(): void {
    this.#retryMs = -Infinity;
  }

  /** Takes note that the alert has arrived. */
  succeeded(): AlertLine[] {
    this.#advance();
    const [lost, wasSaid] = [this.#lost, this.#saidMs !== null];
    [this.#lost, this.#unsaid, this.#untold, this.#saidMs] = [0, 0, 0, null];
    if (!wasSaid) return [];
    return [['info', `notify:${this.#name} works again${lost === 0 ? '' : `; ${countOf(lost)} lost`}`]];
  }

  /** Takes note that an attempt has failed. The alert is tried again, or lost. */
  failed({ reason, isFinal, pauseMs }: AlertFailure, nowMs: number): AlertLine[] {
    this.#isSending = false;
    if (isFinal || this.#failures >= this.#retries) {
      this.#advance();
      return this.#lose(1, reason, nowMs);
    }
    const own = FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 6);
    this.#failures += 1;
    this.#retryMs = nowMs + Math.min(Math.max(own, pauseMs ?? 0), LONGEST_PAUSE_MS);
    return this.#say(reason, nowMs);
  }

  /** Empties the queue, since no time is left. */
  giveUp(reason: string, nowMs: number): AlertLine[] {
    const count = this.#waiting.length;
    this.#waiting.length = 0;
    this.#isSending = false;
    // Say now all that was held back before.
    this.#saidMs = null;
    return count + this.#unsaid === 0 ? [] : this.#lose(count, reason, nowMs);
  }

  /** Removes the first alert, with its failures. */
  #advance(): void {
    this.#waiting.shift();
    this.#isSending = false;
    this.#failures = 0;
    this.#retryMs = -Infinity;
  }

  #lose(count: number, reason: string, nowMs: number): AlertLine[] {
    this.#lost += count;
    this.#unsaid += count;
    this.#untold += count;
    return this.#say(reason, nowMs);
  }

  #say(reason: string, nowMs: number): AlertLine[] {
    if (this.#saidMs !== null && nowMs - this.#saidMs < LINE_PERIOD_MS) return [];
    this.#saidMs = nowMs;
    const then = this.#unsaid === 0 ? 'it is tried again' : `${countOf(this.#unsaid)} lost`;
    this.#unsaid = 0;
    return [['warn', `cannot notify by notify:${this.#name}: ${reason}; ${then}`]];
  }
}

function countOf(count: number): string {
  return count === 1 ? '1 notification is' : `${count} notifications are`;
}
