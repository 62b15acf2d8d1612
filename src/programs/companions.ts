/**
 * All companions of one engine, as a list: a new one is a class and a line here.
 */
import type { Engine } from '../engine/engine.ts';
import type { Jobs, Report } from '../engine/ports.ts';
import { HealthChecks } from '../health/health-checks.ts';
import type { Addon } from '../native/addon.ts';
import { type SystemClock, watchClock } from '../process/clock.ts';
import type { NotificationChannels } from '../process/notification-channels.ts';
import type { Companion } from './companion.ts';
import { MemoryLimits } from './memory-limits.ts';
import { Readiness } from './readiness.ts';
import { Schedules } from './schedules.ts';

/** What companions are made from. */
export interface CompanionParts {
  readonly engine: Engine;
  readonly clock: SystemClock;
  readonly report: Report;
  readonly jobs: Jobs;
  readonly addon: Addon;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly channels: NotificationChannels;
}

/** Makes all companions of an engine. */
export function makeCompanions(parts: CompanionParts): Companion[] {
  return [
    new HealthChecks(parts),
    new MemoryLimits(parts),
    new Schedules({
      ...parts,
      watchClock: (changed) => watchClock(parts.addon, changed, (text) => parts.report('debug', text)),
    }),
    new Readiness(parts),
  ];
}

/** What the companions have to say of a process, for its status; empty where none has. */
export function remarksOf(companions: readonly Companion[], id: string): string[] {
  return companions.flatMap((companion) => companion.remark?.(id) ?? []);
}
