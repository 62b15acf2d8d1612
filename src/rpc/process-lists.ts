/** The processes of the supervisor, as clients find them. Only the list of all costs more with more processes. */
import type { ProcessView } from '../engine/process-table.ts';

/** Finds processes. */
export interface ProcessLists {
  /**
   * All active processes: groups by priority, then in the order of the configuration. The same holds for the processes
   * of a group.
   */
  processes(): readonly ProcessView[];
  /** The processes of a group, in their order; empty for an unknown group. */
  processesIn(group: string): readonly ProcessView[];
  /** The processes of a program, and those that have this name themselves; empty for an unknown name. */
  processesNamed(name: string): readonly ProcessView[];
  /** Active process by its namespec `group:name`; null if there is none. */
  process(id: string): ProcessView | null;
  /** The processes that depend on a process directly (`depends_on`), by its namespec. */
  dependentsOf(id: string): readonly ProcessView[];
}
