/**
 * What goes along with the programs of one engine: a list, and the contract of its members. Each watches the engine's events and asks it for what
 * follows; none changes a process itself.
 */
import type { Engine } from '../engine/engine.ts';
import type { EngineEvent } from '../engine/events.ts';
import type { Jobs, Report } from '../engine/ports.ts';
import type { ProcessView } from '../engine/registry.ts';
import { HealthChecks } from '../health/health-checks.ts';
import type { Addon } from '../native/addon.ts';
import type { SystemClock } from '../process/clock.ts';
import type { NotificationChannels } from '../process/notification-channels.ts';
import { MemoryLimits } from './memory-limits.ts';
import { Readiness } from './readiness.ts';
import { Schedules } from './schedules.ts';

/** Something that goes along with the programs of one engine: health checks, schedules, memory limits, notifications. */
export interface Companion {
  /** The engine is about to start what has autostart. */
  begin(processes: readonly ProcessView[]): void;
  /** Is told of every change, after it. */
  observe(event: EngineEvent): void;
  /** A few words for the status of a process, as `next run Nov 21 04:00 AM`; null for none. */
  remark?(id: string): string | null;
  /** The engine has finished: no alarm, socket, child or descriptor may be left. */
  close(): void;
}

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
    new Schedules(parts),
    new Readiness(parts),
  ];
}

/** What the companions have to say of a process, for its status; empty where none has. */
export function remarksOf(companions: readonly Companion[], id: string): string[] {
  return companions.flatMap((companion) => companion.remark?.(id) ?? []);
}
