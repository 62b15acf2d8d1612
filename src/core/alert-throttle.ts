/**
 * The throttle of one `[notify:x]`. Pure: the caller gives the time, in milliseconds of the monotonic clock.
 *
 * The first alert about an event of a process passes at once. Further alerts about the same event of the same process
 * wait until the period is over. Then the latest one passes, with the number of those before it, and a new period
 * begins. So a crash loop gives one message in each period, and its end is not lost.
 *
 * If many processes fail together, only the first alerts of a period pass. The rest becomes one summary at its end.
 * Memory is bounded by the number of processes and events.
 */
import { type Alert, NO_PROCESS, SUMMARY, withLeftOut } from './alert.ts';

/** Number of alerts of one section that pass in a period, besides the summary. */
export const BURST = 10;
/** Number of names in a summary. */
const NAMES = 10;

/** The period of one event of one process. */
interface Window {
  readonly endMs: number;
  /** The latest alert that waits; null for none. */
  latest: Alert | null;
  /** Number of alerts that wait, with the latest. */
  count: number;
}

/** Alerts that a summary counts. */
interface Rest {
  count: number;
  readonly events: Map<string, number>;
  readonly names: Set<string>;
  latest: Alert;
}

/** The throttle of one section. */
export class AlertThrottle {
  #periodMs: number;
  /** By process and event. All periods are equally long, so the one that ends first is the first. */
  readonly #windows = new Map<string, Window>();
  /** End of the period in which {@link BURST} alerts may pass. */
  #burstEndMs = -Infinity;
  #passed = 0;
  #rest: Rest | null = null;

  /** Without a period, every alert passes. */
  constructor(periodMs: number) {
    this.#periodMs = periodMs;
  }

  /** Changes the length of the periods that begin from now on. */
  configure(periodMs: number): void {
    this.#periodMs = periodMs;
  }

  /** Takes an alert. Returns the alerts to deliver: this one, or none. */
  take(alert: Alert, nowMs: number): Alert[] {
    if (this.#periodMs <= 0) return [alert];
    const key = `${alert.event} ${alert.group_name ?? ''}:${alert.process_name ?? ''}`;
    const window = this.#windows.get(key);
    if (window !== undefined && nowMs < window.endMs) {
      window.latest = alert;
      window.count += 1;
      return [];
    }
    return this.#pass(key, alert, nowMs);
  }

  /** Returns the time at which {@link AlertThrottle.release} is due; null if nothing waits. */
  nextMs(): number | null {
    const [first] = this.#windows.values();
    const times = [...(first === undefined ? [] : [first.endMs]), ...(this.#rest === null ? [] : [this.#burstEndMs])];
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Ends the periods that are over. Returns the alerts to deliver. */
  release(nowMs: number): Alert[] {
    const released = this.#summarize(nowMs);
    for (const [key, { endMs, latest, count }] of this.#windows) {
      if (nowMs < endMs) break;
      this.#windows.delete(key);
      if (latest !== null) released.push(...this.#pass(key, withLeftOut(latest, count - 1), nowMs, count));
    }
    return released;
  }

  /** Ends all periods, since no time is left. Returns a summary of what waits; nothing if nothing does. */
  flush(): Alert[] {
    for (const { latest, count } of this.#windows.values()) if (latest !== null) this.#leaveOut(latest, count);
    this.#windows.clear();
    return this.#summarize(Infinity);
  }

  /** Lets an alert pass, or leaves it out. `count`: number of events that it stands for. */
  #pass(key: string, alert: Alert, nowMs: number, count = 1): Alert[] {
    if (nowMs >= this.#burstEndMs) {
      this.#burstEndMs = nowMs + this.#periodMs;
      this.#passed = 0;
    }
    // After a summary has begun, it takes everything up to the end of the period.
    if (this.#rest !== null || this.#passed >= BURST) {
      this.#leaveOut(alert, count);
      return [];
    }
    this.#passed += 1;
    // Deleted first, so that it becomes the last one.
    this.#windows.delete(key);
    this.#windows.set(key, { endMs: nowMs + this.#periodMs, latest: null, count: 0 });
    return [alert];
  }

  #leaveOut(alert: Alert, count: number): void {
    this.#rest ??= { count: 0, events: new Map(), names: new Set(), latest: alert };
    const { events, names } = this.#rest;
    this.#rest.count += count;
    this.#rest.latest = alert;
    events.set(alert.event, (events.get(alert.event) ?? 0) + count);
    // One more than is shown, to know that there are others.
    if (names.size <= NAMES) names.add(alert.name ?? alert.group_name ?? alert.event);
  }

  /** Returns the summary if its time has come. */
  #summarize(nowMs: number): Alert[] {
    if (this.#rest === null || nowMs < this.#burstEndMs) return [];
    const { count, events, names, latest } = this.#rest;
    this.#rest = null;
    const shown = [...names].slice(0, NAMES).join(', ') + (names.size > NAMES ? ' and others' : '');
    const kinds = [...events].map(([event, number]) => `${number} × ${event}`).join(', ');
    const message = `${count} further event${count === 1 ? '' : 's'}: ${kinds} (${shown})`;
    return [{ ...latest, ...NO_PROCESS, event: SUMMARY, reason: null, message, left_out: count }];
  }
}
