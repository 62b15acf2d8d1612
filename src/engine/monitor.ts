/** The interface of monitors. The list of all monitors is in supervisor/monitors.ts. */
import type { CheckResult } from '../core/probe.ts';
import type { ProcessRemark } from '../core/process-remark.ts';
import type { EngineEvent } from './events.ts';
import type { ProcessView } from './process-table.ts';

/**
 * Code that watches the programs of one engine: health checks, schedules, memory limits, readiness. A monitor observes
 * the events of the engine and requests actions from the engine. It never changes a process itself.
 */
export interface Monitor {
  /** Called before the engine starts the programs with autostart. */
  begin(processes: readonly ProcessView[]): void;
  /** Called after every change. */
  observe(event: EngineEvent): void;
  /** Returns a fact for the status of a process; null for none. */
  remark?(id: string): ProcessRemark | null;
  /** Returns the latest health check of a process; null for none. */
  lastCheck?(id: string): CheckResult | null;
  /** Called when the engine has finished. No alarm, socket, child or descriptor may be left. */
  close(): void;
}
