/** The sequence of checks of one run. The rules are in core/health-machine.ts. */
import type { ProcessConfig } from '../config/model.ts';
import {
  beginHealth,
  type HealthInput,
  type HealthPolicy,
  type HealthRecord,
  stepHealth,
} from '../core/health-machine.ts';
import type { Health } from '../core/process-record.ts';
import type { CheckResult, Probe } from '../core/probe.ts';
import { Alarm } from '../engine/alarm.ts';
import { beginCheck, type CheckParts } from './check.ts';

const SECOND_MS = 1000;

/** Converts the options `healthcheck_*` to the policy of the health machine. */
export function healthPolicyOf({ options }: ProcessConfig): HealthPolicy {
  const ms = (seconds: number): number => Math.round(seconds * SECOND_MS);
  return {
    intervalMs: ms(options.healthcheck_interval),
    retries: options.healthcheck_retries,
    passesNeeded: options.healthcheck_success_threshold,
    startPeriodMs: ms(options.healthcheck_start_period),
    startIntervalMs: ms(options.healthcheck_start_interval),
  };
}

/** The run that is checked. */
interface WatchedRun {
  readonly proc: ProcessConfig;
  readonly probe: Probe;
  readonly run: number;
}

/** Runs the checks of one run, one after the other, until it is closed. Reports changes of the health. */
export class Watch {
  readonly run: number;
  readonly #parts: CheckParts;
  readonly #changed: (watch: Watch) => void;
  readonly #alarm: Alarm;
  #latestCheck: CheckResult | null = null;
  #process: ProcessConfig;
  #probe: Probe;
  #record: HealthRecord;
  #endCheck: () => void = () => undefined;
  #isClosed = false;

  /** The first check is due at once. `changed` is called after each change of the health, and may close the watch. */
  constructor({ proc, probe, run }: WatchedRun, parts: CheckParts, changed: (watch: Watch) => void) {
    this.run = run;
    this.#process = proc;
    this.#probe = probe;
    this.#parts = parts;
    this.#changed = changed;
    this.#alarm = new Alarm(parts.clock, () => this.#accept('elapsed'));
    this.#record = beginHealth(parts.clock.nowMs());
    this.#alarm.set(this.#record.dueMs);
  }

  /** The current configuration of the program. */
  get process(): ProcessConfig {
    return this.#process;
  }

  get health(): Health {
    return this.#record.health;
  }

  /** Counted failures in a row. */
  get failures(): number {
    return this.#record.failures;
  }

  /** The latest check; null before the first has ended. */
  get latestCheck(): CheckResult | null {
    return this.#latestCheck;
  }

  /** Reason of the latest check if it failed; null otherwise. */
  get latestFailure(): string | null {
    return this.#latestCheck?.failure ?? null;
  }

  /** Takes note that the program is RUNNING. */
  cameUp(): void {
    this.#accept('cameUp');
  }

  /** Applies a changed configuration while the program runs. */
  configure(proc: ProcessConfig, probe: Probe): void {
    const isOther = JSON.stringify(probe) !== JSON.stringify(this.#probe);
    this.#process = proc;
    this.#probe = probe;
    if (isOther) this.#endCheck();
    this.#accept(isOther ? 'retargeted' : 'configured');
  }

  /** Ends the checks. */
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
    const proc = this.#process;
    const timeoutMs = proc.options.healthcheck_timeout * SECOND_MS;
    this.#endCheck = beginCheck({ proc, probe: this.#probe, timeoutMs }, this.#parts, (failure, output = '') => {
      this.#latestCheck = { atMs: this.#parts.clock.nowMs(), failure, output };
      this.#accept(failure === null ? 'passed' : 'failed');
    });
  }
}
