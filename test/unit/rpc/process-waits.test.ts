/** Waits for changes of processes: one subscription for all, one listener for each client. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import type { SupervisorEvent } from '../../../src/engine/events.ts';
import type { ProcessView } from '../../../src/engine/process-table.ts';
import { onAbort, onProcessChange } from '../../../src/rpc/process-waits.ts';
import type { SupervisorApi } from '../../../src/rpc/supervisor-api.ts';

/** A supervisor whose events the test makes. */
class Source {
  readonly listeners = new Set<(event: SupervisorEvent) => void>();
  readonly api = {
    subscribe: (listener: (event: SupervisorEvent) => void) => {
      this.listeners.add(listener);
      return () => this.listeners.delete(listener);
    },
  } as unknown as SupervisorApi;

  held(id: string): void {
    this.#tell({ type: 'held', process: { id } as ProcessView });
  }

  removed(...ids: string[]): void {
    this.#tell({ type: 'group', group: 'g', change: 'removed', ids });
  }

  #tell(event: SupervisorEvent): void {
    const listeners = [...this.listeners];
    for (const listener of listeners) listener(event);
  }
}

test('thousands of waits have one subscription, and a change is told to those that wait for it', () => {
  const source = new Source();
  const told: string[] = [];
  const ends = Array.from({ length: 2000 }, (_, index) =>
    onProcessChange(source.api, `g:${index}`, (proc) => told.push(proc?.id ?? `${index} is removed`)),
  );
  assert.equal(source.listeners.size, 1);
  source.held('g:7');
  source.held('g:other');
  source.removed('g:8', 'g:9');
  assert.deepEqual(told, ['g:7', '8 is removed', '9 is removed']);
  for (const end of ends) end();
  assert.equal(source.listeners.size, 0);
  for (const end of ends) end();
  const end = onProcessChange(source.api, 'g:7', () => told.push('again'));
  ends[7]?.();
  source.held('g:7');
  assert.equal(told.at(-1), 'again');
  end();
  assert.equal(source.listeners.size, 0);
});

test('a listener may end its wait and begin another', () => {
  const source = new Source();
  const told: string[] = [];
  const end = onProcessChange(source.api, 'g:a', () => {
    end();
    told.push('first');
    onProcessChange(source.api, 'g:a', () => told.push('second'));
  });
  source.held('g:a');
  assert.deepEqual(told, ['first']);
  source.held('g:a');
  assert.deepEqual(told, ['first', 'second']);
});

test('a signal has one listener, and calls what still waits', () => {
  const gone = new AbortController();
  const told: number[] = [];
  const ends = Array.from({ length: 2000 }, (_, index) => onAbort(gone.signal, () => told.push(index)));
  assert.equal(getEventListeners(gone.signal, 'abort').length, 1);
  for (const end of ends.slice(2)) end();
  gone.abort();
  assert.deepEqual(told, [0, 1]);
  const again = new AbortController();
  for (let round = 0; round < 3; round++) onAbort(again.signal, () => undefined)();
  assert.equal(getEventListeners(again.signal, 'abort').length, 1);
});
