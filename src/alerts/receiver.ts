/**
 * One `[notify:x]`: throttles its alerts, queues them and delivers one after the other, with retries. The decisions are
 * in core/alert-throttle.ts and core/alert-queue.ts. Never makes its caller wait.
 */
import type { NotifyConfig, ProcessConfig } from '../config/model.ts';
import type { Alert } from '../core/alert.ts';
import { chooseAlertEvent } from '../core/alert-events.ts';
import { createProgramFilter, type ProgramFilter } from '../core/alert-programs.ts';
import { type AlertFailure, type AlertLine, AlertQueue } from '../core/alert-queue.ts';
import { AlertThrottle } from '../core/alert-throttle.ts';
import { Alarm } from '../engine/alarm.ts';
import type { Report } from '../engine/ports.ts';
import { deliver, type DeliveryParts } from './delivery.ts';
import type { Occurrence } from './occurrences.ts';

const SECOND_MS = 1000;

/** Parts of a {@link Receiver}. */
export interface ReceiverParts extends DeliveryParts {
  readonly report: Report;
  /** Completes an alert with the facts that do not depend on what has happened. */
  readonly complete: (facts: ReturnType<Occurrence['describe']>, event: string, notify: string) => Alert;
}

/** The receiver of one section. */
export class Receiver {
  readonly #parts: ReceiverParts;
  #section: NotifyConfig;
  #filter: ProgramFilter;
  readonly #throttle: AlertThrottle;
  readonly #queue: AlertQueue;
  readonly #throttleAlarm: Alarm;
  readonly #retryAlarm: Alarm;
  /** Cancels the attempt under way; null for none. */
  #cancel: (() => void) | null = null;
  #cancelTest: (() => void) | null = null;
  #isFinishing = false;
  /** Called when nothing is left to deliver. */
  #whenIdle: (() => void) | null = null;
  #isClosed = false;

  constructor(section: NotifyConfig, parts: ReceiverParts) {
    const { clock } = parts;
    this.#parts = parts;
    this.#section = section;
    this.#filter = createProgramFilter(section.options.programs);
    this.#throttle = new AlertThrottle(section.options.throttle * SECOND_MS);
    this.#queue = new AlertQueue(section.name, section.options.retries);
    this.#throttleAlarm = new Alarm(clock, () => this.#accept(this.#throttle.release(clock.nowMs())));
    this.#retryAlarm = new Alarm(clock, () => this.#advance());
  }

  /** True if the section tells about a process. */
  isAbout(proc: ProcessConfig): boolean {
    return this.#filter.hasProcess(proc);
  }

  /** Changes the options. Alerts that wait are delivered with the new ones. */
  configure(section: NotifyConfig): void {
    this.#section = section;
    this.#filter = createProgramFilter(section.options.programs);
    this.#throttle.configure(section.options.throttle * SECOND_MS);
    this.#queue.configure(section.options.retries);
  }

  /** Takes an occurrence, if the section wants it. */
  take(occurrence: Occurrence): void {
    const event = this.#isClosed ? null : chooseAlertEvent(this.#section.options.events, occurrence.events);
    if (event === null || !this.#isWanted(occurrence)) return;
    const alert = this.#parts.complete(occurrence.describe(event), event, this.#section.name);
    // The supervisor starts and stops once.
    const isRare = occurrence.group === null;
    this.#accept(isRare ? [alert] : this.#throttle.take(alert, this.#parts.clock.nowMs()));
  }

  /** Delivers a test without throttle, queue and retries. Resolves with the reason of a failure; null for success. */
  test(alert: Alert): Promise<string | null> {
    if (this.#cancelTest !== null) return Promise.resolve('another test is under way');
    const { promise, resolve } = Promise.withResolvers<string | null>();
    this.#cancelTest = deliver({ section: this.#section, alert, name: 'test' }, this.#parts, (failure) => {
      this.#cancelTest = null;
      resolve(failure?.reason ?? null);
    });
    return promise;
  }

  /**
   * Delivers what waits, for the end of the supervisor: without throttle, and without retries after a failure. Resolves
   * when nothing is left.
   */
  finish(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#isFinishing = true;
    this.#whenIdle = resolve;
    this.#throttleAlarm.set(null);
    this.#accept(this.#throttle.flush());
    this.#queue.hurry();
    this.#advance();
    return promise;
  }

  /** Ends everything. What waits is lost, and the log says so with the reason. */
  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#throttleAlarm.set(null);
    this.#retryAlarm.set(null);
    this.#say(this.#queue.giveUp(reason, this.#parts.clock.nowMs()));
    this.#cancel?.();
    this.#cancelTest?.();
    this.#whenIdle?.();
  }

  #isWanted({ process: proc, group }: Occurrence): boolean {
    if (proc !== null) return this.isAbout(proc.config);
    return group === null || this.#filter.hasGroup(group);
  }

  #accept(alerts: readonly Alert[]): void {
    const nowMs = this.#parts.clock.nowMs();
    for (const alert of alerts) this.#say(this.#queue.push(alert, nowMs));
    if (!this.#isFinishing) this.#throttleAlarm.set(this.#throttle.nextMs());
    this.#advance();
  }

  /** Begins the next attempt, or sets the time for it. */
  #advance(): void {
    if (this.#isClosed) return;
    const step = this.#queue.next(this.#parts.clock.nowMs());
    this.#retryAlarm.set(step?.kind === 'wait' ? step.untilMs : null);
    if (step?.kind === 'send') {
      const attempt = { section: this.#section, alert: step.alert, name: 'notification' } as const;
      this.#cancel = deliver(attempt, this.#parts, (failure) => this.#delivered(failure));
    } else if (this.#queue.isIdle) this.#whenIdle?.();
  }

  #delivered(failure: AlertFailure | null): void {
    this.#cancel = null;
    if (this.#isClosed) return;
    const nowMs = this.#parts.clock.nowMs();
    if (failure === null) this.#say(this.#queue.succeeded());
    else if (this.#isFinishing) this.#say(this.#queue.giveUp(failure.reason, nowMs));
    else this.#say(this.#queue.failed(failure, nowMs));
    this.#advance();
  }

  #say(lines: readonly AlertLine[]): void {
    for (const line of lines) this.#parts.report(...line);
  }
}
