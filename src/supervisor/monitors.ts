/** All monitors of an engine. To add a monitor, write a class and add a line to `makeMonitors`. */
import type { ProcessRemark } from '../core/process-remark.ts';
import type { Engine } from '../engine/engine.ts';
import type { Jobs, Report } from '../engine/ports.ts';
import { HealthChecks } from '../health/health-checks.ts';
import type { Addon } from '../native/addon.ts';
import { type SystemClock, watchClock } from '../process/clock.ts';
import type { Cgroups } from '../process/cgroups.ts';
import type { NotificationChannels } from '../process/notification-channels.ts';
import type { Monitor } from '../engine/monitor.ts';
import { FileChanges } from './file-changes.ts';
import { LazyStarts } from './lazy-starts.ts';
import { MemoryLimits } from './memory-limits.ts';
import type { ProgramSockets } from './program-sockets.ts';
import { Readiness } from './readiness.ts';
import type { ReadyLogs } from './ready-logs.ts';
import { Schedules } from './schedules.ts';
import type { WatchFiles } from './watched-files.ts';

/** Dependencies of the monitors. */
export interface MonitorParts {
  readonly engine: Engine;
  readonly clock: SystemClock;
  readonly report: Report;
  readonly jobs: Jobs;
  readonly addon: Addon;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly channels: NotificationChannels;
  readonly watchFiles: WatchFiles;
  readonly cgroups: Cgroups;
  readonly readyLogs: ReadyLogs;
  readonly sockets: ProgramSockets;
}

/** Makes all monitors of an engine. */
export function makeMonitors(parts: MonitorParts): Monitor[] {
  return [
    new HealthChecks(parts),
    new MemoryLimits(parts),
    new Schedules({
      ...parts,
      watchClock: (changed) => watchClock(parts.addon, changed, (text) => parts.report('debug', text)),
    }),
    new Readiness(parts),
    new FileChanges(parts),
    new LazyStarts(parts),
  ];
}

/** Returns the remarks of the monitors about a process, for its status. */
export function remarksOf(monitors: readonly Monitor[], id: string): ProcessRemark[] {
  return monitors.flatMap((monitor) => monitor.remark?.(id) ?? []);
}
