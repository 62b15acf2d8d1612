/**
 * Tells people about events, by the sections `[notify:x]`. Lives over all reloads of the configuration. Observes the
 * engine, and changes no process. Nothing waits for a delivery, except the end of the supervisor for a limited time.
 */
import { diffNotifications } from '../config/diff.ts';
import type { NotifyConfig, ProcessConfig } from '../config/model.ts';
import { type Alert, NO_PROCESS } from '../core/alert.ts';
import type { SupervisorEvent } from '../engine/events.ts';
import type { Clock, Jobs, Report } from '../engine/ports.ts';
import { HostLookups } from '../health/host-lookups.ts';
import { type Occurrence, type OccurrenceFacts, Occurrences, ofSupervisor } from './occurrences.ts';
import { Receiver } from './receiver.ts';

/** Parts of {@link Alerts}. */
export interface AlertsParts {
  readonly clock: Clock & { wallMs(): number };
  readonly report: Report;
  readonly jobs: Jobs;
  readonly facts: OccurrenceFacts;
  readonly host: string;
  /** `identifier` of [supervisord]. */
  readonly identifier: () => string;
}

/** Names of sections that a change adds, removes and changes. */
export type NotificationChanges = ReturnType<typeof diffNotifications>;

/** The time at which the deliveries at the end of the supervisor are given up. */
export interface AlertLimit {
  readonly giveUpAtMs: () => number;
  /** Calls `listener` when that time has become earlier. Returns a function that unsubscribes. */
  readonly onChange: (listener: () => void) => () => void;
}

/** All receivers of one supervisor. */
export class Alerts {
  readonly #parts: AlertsParts;
  readonly #occurrences: Occurrences;
  readonly #lookups = new HostLookups();
  #sections: readonly NotifyConfig[] = [];
  readonly #receivers = new Map<string, Receiver>();

  constructor(parts: AlertsParts) {
    this.#parts = parts;
    this.#occurrences = new Occurrences(parts.facts);
  }

  /** Names of the sections that tell about a process. */
  namesFor(proc: ProcessConfig): string[] {
    return [...this.#receivers].filter(([, receiver]) => receiver.isAbout(proc)).map(([name]) => name);
  }

  /** Compares sections with those in use. */
  plan(sections: readonly NotifyConfig[]): NotificationChanges {
    return diffNotifications(this.#sections, sections);
  }

  /** Puts sections into use. Those that stay keep what they have to deliver. */
  configure(sections: readonly NotifyConfig[]): NotificationChanges {
    const changes = this.plan(sections);
    for (const name of changes.removed) {
      this.#receivers.get(name)?.close('the section was removed');
      this.#receivers.delete(name);
    }
    for (const section of sections) {
      const known = this.#receivers.get(section.name);
      if (known === undefined) this.#receivers.set(section.name, this.#makeReceiver(section));
      else known.configure(section);
    }
    this.#sections = sections;
    return changes;
  }

  /** Takes a change of the engine. */
  observe(event: SupervisorEvent): void {
    const occurrence = this.#occurrences.take(event);
    if (occurrence !== null) this.#take(occurrence);
  }

  /** Takes note that the supervisor is about to start its programs. */
  started(): void {
    this.#take(ofSupervisor(['SUPERVISOR_STATE_CHANGE_RUNNING'], 'the supervisor is running', null));
  }

  /** Delivers a test by a section. Resolves with the reason of a failure, null for success. Null without it. */
  test(name: string): Promise<string | null> | null {
    const facts = { ...NO_PROCESS, message: `this is a test of notify:${name}`, reason: null };
    return this.#receivers.get(name)?.test(this.#complete(facts, 'test', name)) ?? null;
  }

  /** Delivers what waits, up to a limit, and ends. Never rejects. */
  async finish({ giveUpAtMs, onChange }: AlertLimit): Promise<void> {
    const { clock } = this.#parts;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    let cancel = (): void => undefined;
    const arm = (): void => {
      cancel();
      cancel = clock.alarm(giveUpAtMs(), resolve);
    };
    const unsubscribe = onChange(arm);
    arm();
    await Promise.race([over, Promise.all([...this.#receivers.values()].map((receiver) => receiver.finish()))]);
    unsubscribe();
    cancel();
    this.close();
  }

  /** Ends all deliveries. */
  close(): void {
    for (const receiver of this.#receivers.values()) receiver.close('no time was left before the exit');
    this.#receivers.clear();
  }

  #take(occurrence: Occurrence): void {
    for (const receiver of this.#receivers.values()) receiver.take(occurrence);
  }

  #makeReceiver(section: NotifyConfig): Receiver {
    const { clock, jobs, report } = this.#parts;
    const { lookup } = this.#lookups;
    return new Receiver(section, { clock, jobs, report, lookup, complete: (...facts) => this.#complete(...facts) });
  }

  #complete(facts: ReturnType<Occurrence['describe']>, event: string, notify: string): Alert {
    const { clock, host, identifier } = this.#parts;
    const time = new Date(clock.wallMs()).toISOString();
    return { event, ...facts, left_out: 0, time, host, identifier: identifier(), notify };
  }
}
