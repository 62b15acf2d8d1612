/** The end of the wait for slow readers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlushTimer } from '../../../src/logs/flush-timer.ts';
import type { FlushLimit } from '../../../src/logs/ports.ts';
import { FakeClock } from './fakes.ts';

interface Bench {
  readonly clock: FakeClock;
  readonly timer: FlushTimer;
  movedMs: number;
  limitMs: number | null;
  change(): void;
}

function bench(): Bench {
  const clock = new FakeClock();
  const listeners = new Set<() => void>();
  const limit: FlushLimit = {
    giveUpAtMs: (movedMs) => world.limitMs ?? movedMs + 30_000,
    reason: () => '',
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const world = {
    clock,
    movedMs: clock.nowMs(),
    limitMs: null as number | null,
    change: () => listeners.forEach((listener) => listener()),
  };
  return Object.assign(world, { timer: new FlushTimer(clock, limit, () => world.movedMs) });
}

test('each byte that moves puts off the end by the whole limit', () => {
  const { clock, timer, ...rest } = bench();
  assert.equal(rest.movedMs, clock.nowMs());
  clock.advance(29_999);
  assert.equal(timer.isLate, false);
  clock.advance(1);
  assert.equal(timer.isLate, true);
  assert.equal(clock.pending, 0);
  const other = bench();
  for (let turn = 0; turn < 10; turn++) {
    other.clock.advance(20_000);
    other.movedMs = other.clock.nowMs();
  }
  other.clock.advance(29_999);
  assert.equal(other.timer.isLate, false);
  other.clock.advance(1);
  assert.equal(other.timer.isLate, true);
});

test('a new limit applies from its time on, and no alarm is left at the end', () => {
  const world = bench();
  world.limitMs = world.clock.nowMs() + 500;
  world.change();
  world.clock.advance(499);
  assert.equal(world.timer.isLate, false);
  world.clock.advance(1);
  assert.equal(world.timer.isLate, true);
  const done = bench();
  done.timer.stop();
  assert.equal(done.clock.pending, 0);
});
