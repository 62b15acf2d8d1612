/** The counter of processor time over runs: it never falls, and counts each run once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { EngineEvent } from '../../../src/engine/events.ts';
import { ProcessorTime } from '../../../src/supervisor/processor-time.ts';

const spawned = (id: string, pid: number): EngineEvent =>
  ({ type: 'spawned', process: { id }, run: 1, pid }) as unknown as EngineEvent;

test('a run that was never measured counts in full when it is reaped', () => {
  const times = new ProcessorTime();
  times.observe(spawned('web:web', 7));
  assert.equal(times.totalMsOf('web:web'), 0);
  times.ended([{ pid: 7, status: 0, cpuMs: 40 }]);
  times.observe(spawned('web:web', 8));
  times.ended([
    { pid: 99, status: 0, cpuMs: 1000 },
    { pid: 8, status: 0, cpuMs: 2 },
  ]);
  assert.equal(times.totalMsOf('web:web'), 42);
});

test('a measured run adds only the rest when it is reaped', () => {
  const times = new ProcessorTime();
  times.observe(spawned('web:web', 7));
  times.measured('web:web', 30);
  times.measured('web:web', 30);
  assert.equal(times.totalMsOf('web:web'), 30);
  times.ended([{ pid: 7, status: 0, cpuMs: 40 }]);
  assert.equal(times.totalMsOf('web:web'), 40);
  times.observe(spawned('web:web', 8));
  times.measured('web:web', 5);
  assert.equal(times.totalMsOf('web:web'), 45);
});

test('the end of an orphan makes the counter neither fall nor count twice', () => {
  const times = new ProcessorTime();
  times.observe(spawned('web:web', 7));
  times.measured('web:web', 100);
  times.measured('web:web', 60);
  assert.equal(times.totalMsOf('web:web'), 100);
  times.measured('web:web', 70);
  assert.equal(times.totalMsOf('web:web'), 110);
});

test('a removed group is forgotten', () => {
  const times = new ProcessorTime();
  times.measured('g:web', 100);
  times.measured('gg:web', 100);
  times.observe({ type: 'group', group: 'g', change: 'added', ids: ['g:web'] });
  assert.equal(times.totalMsOf('g:web'), 100);
  times.observe({ type: 'group', group: 'g', change: 'removed', ids: ['g:web'] });
  assert.equal(times.totalMsOf('g:web'), 0);
  assert.equal(times.totalMsOf('gg:web'), 100);
});

test('a restart of the supervisor forgets the processes that are gone', () => {
  const times = new ProcessorTime();
  times.measured('g:web', 100);
  times.measured('g:db', 50);
  times.observe({ type: 'restarted', ids: new Set(['g:db']) });
  assert.deepEqual([times.totalMsOf('g:web'), times.totalMsOf('g:db')], [0, 50]);
});

test('whatever happens, the counter does not fall', () => {
  const step = fc.oneof(
    fc.nat(1000).map((ms) => ({ kind: 'measured', ms }) as const),
    fc.nat(1000).map((ms) => ({ kind: 'ended', ms }) as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const times = new ProcessorTime();
      let before = 0;
      steps.forEach(({ kind, ms }, pid) => {
        times.observe(spawned('a:a', pid));
        if (kind === 'measured') times.measured('a:a', ms);
        else times.ended([{ pid, status: 0, cpuMs: ms }]);
        assert.ok(times.totalMsOf('a:a') >= before);
        before = times.totalMsOf('a:a');
      });
    }),
  );
});
