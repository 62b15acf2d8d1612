/** The processes as the page knows them: one entry each, whose signals change in place. Knows no DOM. */
import { batch, type Signal, signal } from '@preact/signals';
import type { EventAnswer, StatusAnswer } from '../api/types.ts';
import { formatNamespec } from '../core/namespec.ts';
import type { ProcessStatus } from '../ctl/process-status.ts';
import type { StatusSink } from './connection.ts';
import { statusOf } from './facts.ts';
import type { DeltaMessage, SnapshotMessage, Usage, UsageMessage } from './messages.ts';

/** Number of measurements for a sparkline. */
export const SAMPLES = 60;

/** Number of events that are kept. */
const MAX_EVENTS = 2000;

/** One measurement of the usage. */
export interface Sample {
  readonly at: number;
  readonly cpu: number;
  readonly memory: number;
}

/** A process. The entry stays the same object as long as the process exists. */
export interface ProcessEntry {
  /** As in all commands: `web`, or `group:web`. */
  readonly name: string;
  readonly group: string;
  readonly status: Signal<ProcessStatus>;
  /** Null if it is not up, or not yet measured. */
  readonly usage: Signal<Usage | null>;
  readonly samples: Signal<readonly Sample[]>;
}

/** The display name of a process. */
export function displayName({ group, name }: Pick<StatusAnswer, 'group' | 'name'>): string {
  return formatNamespec(group, name);
}

/** The processes, and the latest events. */
export class ProcessStore implements StatusSink {
  /** Entries in the order of the supervisor. Changes only if a process is added or removed. */
  readonly entries = signal<readonly ProcessEntry[]>([]);
  /** State of the supervisor; empty before the first snapshot. */
  readonly supervisorState = signal('');
  /** Events that were received since the page was opened, the latest last. */
  readonly events = signal<readonly EventAnswer[]>([]);
  readonly #byName = new Map<string, ProcessEntry>();

  /** Returns a process; undefined if there is none. Tracks additions and removals. */
  find(name: string): ProcessEntry | undefined {
    return this.entries.value.length === 0 ? undefined : this.#byName.get(name);
  }

  /** Takes the state of all processes. */
  snapshot({ processes, state }: SnapshotMessage): void {
    batch(() => {
      const names = new Set(processes.map(displayName));
      for (const name of this.#byName.keys()) if (!names.has(name)) this.#byName.delete(name);
      const entries = processes.map((answer) => this.#put(answer));
      if (!isSame(entries, this.entries.peek())) this.entries.value = entries;
      this.supervisorState.value = state;
    });
  }

  /** Takes changes. */
  delta({ processes = [], removed = [], events = [], state }: DeltaMessage): void {
    batch(() => {
      const added = processes.filter((answer) => !this.#byName.has(displayName(answer)));
      for (const answer of processes) this.#put(answer);
      const gone = removed.filter((name) => this.#byName.delete(name));
      if (added.length + gone.length > 0) this.entries.value = [...this.#byName.values()];
      if (events.length > 0) this.events.value = [...this.events.peek(), ...events].slice(-MAX_EVENTS);
      if (state !== undefined) this.supervisorState.value = state;
    });
  }

  /** Takes a measurement of all processes. */
  usage({ at, processes }: UsageMessage): void {
    batch(() => {
      for (const entry of this.#byName.values()) {
        const usage = processes[entry.name] ?? null;
        entry.usage.value = usage;
        const sample = { at, cpu: usage?.cpu ?? 0, memory: usage?.memory ?? 0 };
        entry.samples.value = [...entry.samples.peek().slice(1 - SAMPLES), sample];
      }
    });
  }

  #put(answer: StatusAnswer): ProcessEntry {
    const name = displayName(answer);
    const status = statusOf(answer);
    const known = this.#byName.get(name);
    if (known !== undefined) {
      known.status.value = status;
      if (answer.pid === 0) known.usage.value = null;
      return known;
    }
    const entry = { name, group: answer.group, status: signal(status), usage: signal(null), samples: signal([]) };
    this.#byName.set(name, entry);
    return entry;
  }
}

function isSame<T>(one: readonly T[], other: readonly T[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index]);
}
