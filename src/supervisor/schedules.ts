/**
 * Starts programs at the times of their `cron`. One alarm serves all of them; without a schedule there is no alarm.
 * Only asks the engine for starts. The policy (engine/policy.ts) decides that the end of a run is no failure and is not
 * followed by a restart.
 *
 * Scheduled times are on the wall clock, which can jump; the alarm is monotonic. The kernel reports when the clock is
 * set, and each alarm reads the clock too. The rules are those of Vixie cron:
 *   back, less than 3 hours     A schedule with `*` or a step continues at once. A fixed time that has passed does not
 *                               run again.
 *   forward, less than 3 hours  Missed times run once, however many were missed.
 *   further                     The clock was wrong, or the machine slept. One log line, and the next time counts.
 */
import { processFields } from '../core/log-fields.ts';
import { nextTime, type Schedule } from '../config/cron.ts';
import type { ProcessRemark } from '../core/process-remark.ts';
import { STOPPED_STATES } from '../core/states.ts';
import { Alarm } from '../engine/alarm.ts';
import type { Engine } from '../engine/engine.ts';
import type { EngineEvent } from '../engine/events.ts';
import type { Report } from '../engine/ports.ts';
import type { ProcessView } from '../engine/process-table.ts';
import type { SystemClock } from '../process/clock.ts';
import type { Monitor } from '../engine/monitor.ts';

const MINUTE_MS = 60_000;
const LONGEST_SLEEP_MS = 15 * MINUTE_MS;
/** compat: for Vixie cron, a larger jump means that the clock was wrong before. */
const CORRECTION_MS = 180 * MINUTE_MS;
/** Smaller steps back are normal corrections of a clock. A program that runs every minute must not run twice. */
const SMALL_STEP_MS = MINUTE_MS;
const SMALLEST_STEP_MS = 1000;

export interface SchedulesParts {
  readonly engine: Pick<Engine, 'request' | 'process' | 'processes'>;
  readonly clock: SystemClock;
  readonly report: Report;
  /** Calls `changed` whenever the wall clock is set. Returns a function that stops this. */
  readonly watchClock: (changed: () => void) => () => void;
}

/** The schedule of one process. */
interface Plan {
  readonly schedule: Schedule;
  readonly timeZone: string | null;
  /** In milliseconds since 1970; null if there is no further time. */
  nextMs: number | null;
  /** The run because of which a time was skipped. It is reported once for each run. */
  skippedFor: number | null;
}

/** The schedules of the programs of one engine. */
export class Schedules implements Monitor {
  readonly #parts: SchedulesParts;
  readonly #alarm: Alarm;
  /** By namespec. */
  readonly #plans = new Map<string, Plan>();
  /** Both clocks at the last check. */
  #lastReading: ClockReading;
  #unwatch: (() => void) | null = null;

  constructor(parts: SchedulesParts) {
    this.#parts = parts;
    this.#alarm = new Alarm(parts.clock, () => this.#check());
    this.#lastReading = { wallMs: parts.clock.wallMs(), monotonicMs: parts.clock.nowMs() };
  }

  begin(processes: readonly ProcessView[]): void {
    for (const proc of processes) this.#plan(proc);
    this.#arm();
  }

  observe(event: EngineEvent): void {
    if (event.type === 'supervisor') return this.close();
    if (event.type === 'configured') this.#plan(event.process);
    else if (event.type === 'group') this.#planGroup(event.ids);
    else return;
    this.#arm();
  }

  /** Returns the next run of a process; null if there is none. */
  remark(id: string): ProcessRemark | null {
    const plan = this.#plans.get(id);
    if (plan === undefined || plan.nextMs === null) return null;
    return { kind: 'nextRun', atMs: plan.nextMs, hasSeconds: plan.schedule.hasSeconds };
  }

  close(): void {
    this.#plans.clear();
    this.#arm();
  }

  /** Plans the processes of a group that was added or removed. */
  #planGroup(ids: readonly string[]): void {
    for (const id of ids) {
      const proc = this.#parts.engine.process(id);
      if (proc === null) this.#plans.delete(id);
      else this.#plan(proc);
    }
  }

  /** Plans a process. A schedule that has not changed continues. */
  #plan({ id, config }: ProcessView): void {
    const { cron: schedule, tz: timeZone } = config.options;
    const known = this.#plans.get(id);
    if (schedule === null) this.#plans.delete(id);
    else if (known?.schedule.text !== schedule.text || known.timeZone !== timeZone) {
      this.#plans.set(id, {
        schedule,
        timeZone,
        nextMs: nextTime(schedule, timeZone, this.#parts.clock.wallMs()),
        skippedFor: null,
      });
    }
  }

  #check(): void {
    const { clock, engine } = this.#parts;
    const wallMs = clock.wallMs();
    const jumpMs = this.#measureJump(wallMs);
    for (const [id, plan] of this.#plans) {
      const proc = engine.process(id);
      // An update has removed the process.
      if (proc === null) {
        this.#plans.delete(id);
        continue;
      }
      const dueMs = plan.nextMs ?? Infinity;
      const isDue = dueMs <= wallMs;
      // Without the jump the time would not be due yet.
      const isSkipped = jumpMs >= CORRECTION_MS && dueMs > wallMs - jumpMs;
      if (isDue || mustRecalculate(plan.schedule, jumpMs)) plan.nextMs = nextTime(plan.schedule, plan.timeZone, wallMs);
      if (isDue && !isSkipped) this.#run(proc, plan);
    }
    this.#arm();
  }

  /** Returns the jump of the wall clock since the last check; negative for backwards. */
  #measureJump(wallMs: number): number {
    const monotonicMs = this.#parts.clock.nowMs();
    const jumpMs = wallMs - this.#lastReading.wallMs - (monotonicMs - this.#lastReading.monotonicMs);
    this.#lastReading = { wallMs, monotonicMs };
    if (Math.abs(jumpMs) >= CORRECTION_MS && this.#plans.size > 0) {
      this.#parts.report(
        'warn',
        `the clock has jumped ${jumpMs < 0 ? 'back' : 'forward'} by ${formatDuration(Math.abs(jumpMs))}: schedules ` +
          `continue with their next times`,
      );
    }
    return jumpMs;
  }

  /** Starts a run, unless the previous run has not ended. */
  #run({ id, config, record }: ProcessView, plan: Plan): void {
    if (STOPPED_STATES.has(record.state) && record.state !== 'UNKNOWN') {
      this.#parts.engine.request(id, 'start', { kind: 'schedule' });
      return;
    }
    if (plan.skippedFor !== record.run)
      this.#parts.report('info', `skipped a run of '${config.name}': it is still ${record.state}`, {
        event: 'skipped',
        ...processFields(config),
        state: record.state,
      });
    plan.skippedFor = record.run;
  }

  #arm(): void {
    const { clock } = this.#parts;
    const times = [...this.#plans.values()].flatMap(({ nextMs }) => nextMs ?? []);
    const sleepMs = Math.min(...times.map((timeMs) => timeMs - clock.wallMs()), LONGEST_SLEEP_MS);
    // Without a schedule, changes of the clock do not matter.
    if (times.length > 0) this.#unwatch ??= this.#parts.watchClock(() => this.#check());
    else this.#endWatch();
    this.#alarm.set(times.length === 0 ? null : clock.nowMs() + Math.max(sleepMs, 0));
  }
  #endWatch(): void {
    this.#unwatch?.();
    this.#unwatch = null;
  }
}

interface ClockReading {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** True if a jump makes a schedule continue from the new time. */
function mustRecalculate({ isWildcard, hasSeconds }: Schedule, jumpMs: number): boolean {
  if (Math.abs(jumpMs) >= CORRECTION_MS) return true;
  return isWildcard && jumpMs <= -(hasSeconds ? SMALLEST_STEP_MS : SMALL_STEP_MS);
}

/** Formats a rough duration: `5 hours`, `2 days`. */
function formatDuration(ms: number): string {
  const hours = Math.round(ms / (60 * MINUTE_MS));
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}
