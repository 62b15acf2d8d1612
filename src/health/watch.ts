/**
 * The checks of one run of a program, one after the other: from its begin until it is closed. Carries out what
 * core/health-machine.ts orders. It tells changes, and does not know what follows from them.
 */
import type { ProcessConfig } from '../config/model.ts';
import {
  beginHealth,
  type HealthInput,
  type HealthPolicy,
  type HealthRecord,
  stepHealth,
} from '../core/health-machine.ts';
import type { Health } from '../core/process-record.ts';
import type { Probe } from '../core/probe.ts';
import { Alarm } from '../engine/alarm.ts';
import { beginCheck, type CheckParts } from './check.ts';

const SECOND_MS = 1000;

/** The options `healthcheck_*`, in the machine's terms. */
export function healthPolicyOf({ options }: ProcessConfig): HealthPolicy {
  const ms = (seconds: number): number => Math.round(seconds * SECOND_MS);
  return {
    intervalMs: ms(options.healthcheck_interval),
    retries: options.healthcheck_retries,
    startPeriodMs: ms(options.healthcheck_start_period),
    startIntervalMs: ms(options.healthcheck_start_interval),
  };
}

/** See the head of this file. */
export class Watch {
  readonly run: number;
  readonly #parts: CheckParts;
  readonly #changed: (watch: Watch) => void;
  readonly #alarm: Alarm;
  #latestFailure: string | null = null;
  #process: ProcessConfig;
  #probe: Probe;
  #record: HealthRecord;
  #endCheck: () => void = () => undefined;
  #isClosed = false;

  /** A check is due at once. `changed` is called after the health has become another one; it may close the watch. */
  constructor(proc: ProcessConfig, probe: Probe, run: number, parts: CheckParts, changed: (watch: Watch) => void) {
    this.run = run;
    this.#process = proc;
    this.#probe = probe;
    this.#parts = parts;
    this.#changed = changed;
    this.#alarm = new Alarm(parts.clock, () => this.#accept('elapsed'));
    this.#record = beginHealth(parts.clock.nowMs());
    this.#alarm.set(this.#record.dueMs);
  }

  /** The program as it is configured now. */
  get process(): ProcessConfig {
    return this.#process;
  }

  get health(): Health {
    return this.#record.health;
  }

  /** Failures in a row that counted. */
  get failures(): number {
    return this.#record.failures;
  }

  /** Why the latest check has failed; null where it has not, or there was none. */
  get latestFailure(): string | null {
    return this.#latestFailure;
  }

  /** The program has come up. */
  cameUp(): void {
    this.#accept('cameUp');
  }

  /** The program is configured anew, and goes on. */
  configure(proc: ProcessConfig, probe: Probe): void {
    const isOther = JSON.stringify(probe) !== JSON.stringify(this.#probe);
    this.#process = proc;
    this.#probe = probe;
    if (isOther) this.#endCheck();
    this.#accept(isOther ? 'retargeted' : 'configured');
  }

  /** Ends the checks, at once. */
  close(): void {
    this.#isClosed = true;
    this.#alarm.set(null);
    this.#endCheck();
  }

  #accept(type: HealthInput['type']): void {
    if (this.#isClosed) return;
    const step = stepHealth(this.#record, { type, atMs: this.#parts.clock.nowMs() }, healthPolicyOf(this.#process));
    this.#record = step.record;
    this.#alarm.set(step.record.dueMs);
    if (step.check) this.#check();
    if (step.from !== null) this.#changed(this);
  }

  #check(): void {
    this.#endCheck = beginCheck(
      this.#process,
      this.#probe,
      this.#process.options.healthcheck_timeout * SECOND_MS,
      this.#parts,
      (failure) => {
        this.#latestFailure = failure;
        this.#accept(failure === null ? 'passed' : 'failed');
      },
    );
  }
}
