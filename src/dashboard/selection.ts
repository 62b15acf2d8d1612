/** The selected processes, and the choices of the overview. */
import { signal } from '@preact/signals';
import type { Choice } from './overview-rows.ts';

/** Display names of the selected processes. */
export const selected = signal<ReadonlySet<string>>(new Set());
export const filter = signal('');
export const choice = signal<Choice>('all');

/** Selects processes; deselects them if all of them are selected. */
export function toggleSelected(names: readonly string[]): void {
  const next = new Set(selected.value);
  const areAll = names.every((name) => next.has(name));
  for (const name of names) {
    if (areAll) next.delete(name);
    else next.add(name);
  }
  selected.value = next;
}
