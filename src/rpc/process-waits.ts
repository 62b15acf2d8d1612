/**
 * Waits for changes of processes. All of them share one subscription, and those of one client share one listener of its
 * signal: a call may wait for thousands of processes, and each change concerns one of them.
 */
import type { ProcessView } from '../engine/process-table.ts';
import type { SupervisorApi } from './supervisor-api.ts';

/** Called after a change of a process; with null when its group was removed. */
export type ProcessListener = (proc: ProcessView | null) => void;

/** The listeners of one supervisor, by process. */
class ProcessWaits {
  readonly #api: Pick<SupervisorApi, 'subscribe'>;
  readonly #listeners = new Map<string, Set<ProcessListener>>();
  #unsubscribe: () => void = () => undefined;

  constructor(api: Pick<SupervisorApi, 'subscribe'>) {
    this.#api = api;
  }

  add(id: string, listener: ProcessListener): () => void {
    if (this.#listeners.size === 0) this.#subscribe();
    const known = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, known.add(listener));
    return () => {
      if (!known.delete(listener) || known.size > 0 || this.#listeners.get(id) !== known) return;
      this.#listeners.delete(id);
      if (this.#listeners.size === 0) this.#unsubscribe();
    };
  }

  #subscribe(): void {
    this.#unsubscribe = this.#api.subscribe((event) => {
      if (event.type === 'process' || event.type === 'held') this.#tell(event.process.id, event.process);
      else if (event.type === 'group' && event.change === 'removed') for (const id of event.ids) this.#tell(id, null);
    });
  }

  #tell(id: string, proc: ProcessView | null): void {
    // A listener may add and remove others.
    const listeners = [...(this.#listeners.get(id) ?? [])];
    for (const listener of listeners) listener(proc);
  }
}

const waitsOf = new WeakMap<object, ProcessWaits>();

/** Calls a function after each change of a process, and when its group is removed. Returns a function that ends it. */
export function onProcessChange(api: SupervisorApi, id: string, listener: ProcessListener): () => void {
  const waits = waitsOf.get(api) ?? new ProcessWaits(api);
  waitsOf.set(api, waits);
  return waits.add(id, listener);
}

const abortsOf = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls a function when a signal is aborted. Returns a function that ends it. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const listeners = abortsOf.get(signal) ?? followAbort(signal);
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Listens to a signal, once and for all. */
function followAbort(signal: AbortSignal): Set<() => void> {
  const listeners = new Set<() => void>();
  abortsOf.set(signal, listeners);
  signal.addEventListener('abort', () => [...listeners].forEach((each) => each()), { once: true });
  return listeners;
}
