/**
 * What goes along with the programs of one engine and is not their state: the contract. Each watches the engine's
 * events and asks it for what follows; none changes a process itself. The list of them is in supervisor/monitors.ts.
 */
import type { ProcessRemark } from '../core/process-remark.ts';
import type { EngineEvent } from './events.ts';
import type { ProcessView } from './process-table.ts';

/**
 * Something that goes along with the programs of one engine: health checks, schedules, memory limits, notifications.
 */
export interface Monitor {
  /** The engine is about to start what has autostart. */
  begin(processes: readonly ProcessView[]): void;
  /** Is told of every change, after it. */
  observe(event: EngineEvent): void;
  /** Returns a fact for the status of a process; null for none. */
  remark?(id: string): ProcessRemark | null;
  /** The engine has finished: no alarm, socket, child or descriptor may be left. */
  close(): void;
}
