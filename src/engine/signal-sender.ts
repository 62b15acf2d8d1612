/** Sends signals to processes without a change of their state: those of clients, and forwarded ones. */
import type { Cause } from '../core/cause.ts';
import type { ProcessInput } from '../core/process-record.ts';
import { SIGNALLABLE_STATES } from '../core/states.ts';
import type { Clock, Processes } from './ports.ts';
import type { Entry, ProcessTable } from './process-table.ts';

/** Dependencies of {@link SignalSender}. */
export interface SenderParts {
  readonly table: ProcessTable;
  readonly processes: Processes;
  readonly clock: Clock;
  /** Namespec of the main program; null without one. */
  readonly mainProgram: string | null;
  /** Adds an input for a process to the engine's queue, and takes the queue. */
  readonly accept: (id: string, input: ProcessInput) => void;
}

/** The sender of one engine. */
export class SignalSender {
  readonly #parts: SenderParts;
  /** Signals that were sent to the main program. An exit by one of them was requested. */
  readonly sentToMain = new Set<number>();

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /** Returns the process and its pid if a signal can be sent to it; otherwise `no such process` or `not running`. */
  find(id: string): { readonly entry: Entry; readonly pid: number } | string {
    const { table } = this.#parts;
    const entry = table.get(id);
    if (entry === undefined) return 'no such process';
    const { pid, state } = entry.record;
    return pid !== null && SIGNALLABLE_STATES.has(state) && table.ownsPid(pid) ? { entry, pid } : 'not running';
  }

  /**
   * Sends a signal as it is. 0 only checks the permission. Returns null, or `no such process`, `not running`, or the
   * name of an errno.
   */
  send(id: string, signal: number, cause: Cause, group: boolean): string | null {
    const { processes, clock, mainProgram, accept } = this.#parts;
    const found = this.find(id);
    if (typeof found === 'string') return found;
    if (id === mainProgram) this.sentToMain.add(signal);
    const code = processes.signal(found.pid, signal, group);
    const { run } = found.entry.record;
    if (code === null && signal !== 0) accept(id, { type: 'signalled', atMs: clock.nowMs(), run, signal, cause });
    return code;
  }
}
