import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cron, type Schedule } from '../../../src/config/cron.ts';
import type { ProcessStateName } from '../../../src/core/states.ts';
import { Schedules } from '../../../src/supervisor/schedules.ts';
import { MonitorWorld } from './monitor-world.ts';
import { REQUEST } from '../../causes.ts';

const MINUTE_MS = 60_000;
const schedule = (text: string): Schedule => cron.parse(text, { cwd: '/', home: null, host: null });

/** Creates schedules of programs by name, all stopped, from noon on. */
function begin(programs: Readonly<Record<string, string>>): { world: MonitorWorld; schedules: Schedules } {
  const world = new MonitorWorld();
  world.clock.set('2026-11-21T12:00:30Z');
  for (const [name, text] of Object.entries(programs)) world.configure(name, { cron: schedule(text), tz: 'UTC' });
  const schedules = new Schedules(world);
  schedules.begin(world.engine.processes());
  return { world, schedules };
}

test('each program is started at the times of its schedule', () => {
  const { world, schedules } = begin({ a: '*/10 * * * *', b: '15 12,13 * * *' });
  world.clock.advance(31 * MINUTE_MS);
  assert.deepEqual(world.asked, [
    'a 2026-11-21T12:10:00',
    'b 2026-11-21T12:15:00',
    'a 2026-11-21T12:20:00',
    'a 2026-11-21T12:30:00',
  ]);
  assert.deepEqual(world.log, []);
  schedules.close();
  assert.deepEqual(world.clock.pending, []);
});

test('seconds count', () => {
  const { world } = begin({ a: '*/2 * * * * *' });
  world.clock.advance(5000);
  assert.deepEqual(world.asked, ['a 2026-11-21T12:00:32', 'a 2026-11-21T12:00:34']);
});

test('without a schedule there is no alarm', () => {
  const world = new MonitorWorld();
  world.configure('a', {});
  const schedules = new Schedules(world);
  schedules.begin(world.engine.processes());
  assert.deepEqual(world.clock.pending, []);
  assert.equal(schedules.remark('a'), null);
});

test('during a long wait the clock is checked every quarter of an hour', () => {
  const { world } = begin({ a: '30 13 * * *' });
  let looks = 0;
  for (let pending = world.clock.pending; world.asked.length === 0; pending = world.clock.pending) {
    assert.equal(pending.length, 1);
    world.clock.advance(pending[0] ?? 0);
    looks += 1;
  }
  assert.deepEqual([world.asked, looks], [['a 2026-11-21T13:30:00'], 6]);
});

test('a run that has not ended is not joined by another one; the skip is reported once for each run', () => {
  for (const state of ['STARTING', 'RUNNING', 'STOPPING', 'BACKOFF', 'UNKNOWN'] as ProcessStateName[]) {
    const { world } = begin({ a: '* * * * *' });
    world.become('a', 'STARTING');
    world.become('a', state, { run: 1 });
    world.clock.advance(3 * MINUTE_MS);
    assert.deepEqual([world.asked, world.log], [[], [`info skipped a run of 'a': it is still ${state}`]]);
    world.become('a', 'EXITED');
    world.clock.advance(MINUTE_MS);
    world.become('a', 'STARTING');
    world.clock.advance(MINUTE_MS);
    assert.deepEqual([world.asked.length, world.log.length], [1, 2]);
  }
});

test('a program that failed, was stopped or has given up is started at its next time', () => {
  for (const state of ['EXITED', 'STOPPED', 'FATAL'] as const) {
    const { world } = begin({ a: '* * * * *' });
    world.become('a', state);
    world.clock.advance(MINUTE_MS);
    assert.deepEqual(world.asked, ['a 2026-11-21T12:01:00']);
  }
});

test('times missed by a jump of under three hours run once, with or without a report of the kernel', () => {
  for (const isTold of [true, false]) {
    const { world } = begin({ a: '*/5 * * * *', b: '30 12 * * *' });
    if (isTold) world.setClock('2026-11-21T14:58:00Z');
    else world.clock.set('2026-11-21T14:58:00Z');
    world.clock.advance(10 * MINUTE_MS);
    const atMs = isTold ? '14:58:00' : '15:02:30';
    assert.deepEqual(world.asked.slice(0, 3), [
      `a 2026-11-21T${atMs}`,
      `b 2026-11-21T${atMs}`,
      isTold ? 'a 2026-11-21T15:00:00' : 'a 2026-11-21T15:05:00',
    ]);
    world.clock.advance(15 * MINUTE_MS);
    assert.equal(world.asked.filter((line) => line.startsWith('b')).length, 1);
    assert.deepEqual(world.log, []);
  }
});

test('a jump of hours forward is one log line, and missed times do not run', () => {
  const { world } = begin({ a: '*/5 * * * *', b: '30 12 * * *', c: '30 18 * * *' });
  world.setClock('2026-11-21T18:02:00Z');
  world.clock.advance(40 * MINUTE_MS);
  assert.deepEqual(
    world.asked.filter((line) => !line.startsWith('a')),
    ['c 2026-11-21T18:30:00'],
  );
  assert.equal(world.asked[0], 'a 2026-11-21T18:05:00');
  assert.deepEqual(world.log, [
    'warn the clock has jumped forward by 6 hours: schedules continue with their next times',
  ]);
});

test('times that were due before such a jump run', () => {
  const { world } = begin({ a: '1 12 * * *' });
  world.clock.set('2026-11-21T12:00:59Z');
  world.setClock('2026-11-21T12:00:59Z');
  world.clock.advance(1000);
  assert.deepEqual(world.asked, ['a 2026-11-21T12:01:00']);
});

test('after a clock is set back, a fixed time does not run again, and a schedule with a star continues', () => {
  const { world } = begin({ a: '*/5 * * * *', b: '5 12 * * *', c: '*/20 * * * * *' });
  world.clock.advance(6 * MINUTE_MS);
  world.asked.length = 0;
  world.setClock('2026-11-21T11:01:30Z');
  world.clock.advance(70 * MINUTE_MS);
  assert.deepEqual(
    world.asked.filter((line) => line.startsWith('b')),
    [],
  );
  assert.equal(world.asked.filter((line) => line.startsWith('a')).length, 14);
  assert.equal(world.asked.filter((line) => line.startsWith('a'))[0], 'a 2026-11-21T11:05:00');
  assert.equal(world.asked[0], 'c 2026-11-21T11:01:40');
  assert.deepEqual(world.log, []);
  // A fixed time that has not run yet runs.
  world.clock.advance(24 * 60 * MINUTE_MS);
  assert.deepEqual(
    world.asked.filter((line) => line.startsWith('b')),
    ['b 2026-11-22T12:05:00'],
  );
});

test('small corrections of the clock run nothing twice', () => {
  const { world } = begin({ a: '*/5 * * * *' });
  world.clock.advance(5 * MINUTE_MS);
  world.setClock('2026-11-21T12:04:58Z');
  world.clock.advance(6 * MINUTE_MS);
  assert.deepEqual(world.asked, ['a 2026-11-21T12:05:00', 'a 2026-11-21T12:10:00']);
});

test('a clock that was set back by hours was wrong: one line, and the next time counts', () => {
  const { world } = begin({ a: '0 8 * * *' });
  world.setClock('2026-11-19T07:30:00Z');
  world.clock.advance(45 * MINUTE_MS);
  assert.deepEqual(world.asked, ['a 2026-11-19T08:00:00']);
  assert.deepEqual(world.log, ['warn the clock has jumped back by 2 days: schedules continue with their next times']);
});

test('the clock is watched only with a schedule', () => {
  const { world, schedules } = begin({ a: '0 8 * * *' });
  assert.equal(world.clockWatchers.size, 1);
  schedules.observe(world.configure('a', {}));
  assert.equal(world.clockWatchers.size, 0);
  schedules.observe(world.configure('a', { cron: schedule('5 * * * *'), tz: 'UTC' }));
  assert.equal(world.clockWatchers.size, 1);
  schedules.close();
  assert.equal(world.clockWatchers.size, 0);
});

test('an update with another schedule sets new times', () => {
  const { world, schedules } = begin({ a: '0 * * * *', b: '0 * * * *', c: '0 * * * *' });
  schedules.observe(world.configure('a', { cron: schedule('5 * * * *'), tz: 'UTC' }));
  schedules.observe(world.configure('b', {}));
  schedules.observe(world.configure('c', { cron: schedule('0 * * * *'), tz: 'Asia/Kolkata' }));
  world.configure('new', { cron: schedule('10 * * * *'), tz: 'UTC' });
  schedules.observe({ type: 'group', group: 'new', change: 'added', ids: ['new'] });
  world.clock.advance(60 * MINUTE_MS);
  assert.deepEqual(world.asked, ['a 2026-11-21T12:05:00', 'new 2026-11-21T12:10:00', 'c 2026-11-21T12:30:00']);
});

test('a removed program is not started', () => {
  const { world, schedules } = begin({ a: '* * * * *' });
  world.remove('a');
  world.clock.advance(5 * MINUTE_MS);
  assert.deepEqual([world.asked, world.clock.pending, schedules.remark('a')], [[], [], null]);
});

test('a shutdown starts nothing', () => {
  const { world, schedules } = begin({ a: '* * * * *' });
  schedules.observe(world.become('a', 'STARTING'));
  schedules.observe({ type: 'supervisor', goal: 'exit', cause: REQUEST });
  assert.deepEqual(world.clock.pending, []);
});

test('a remark has the next run', () => {
  const { world, schedules } = begin({ a: '0 4 * * *', b: '5 0 4 * * *' });
  const timeMs = Date.parse('2026-11-22T04:00:05Z');
  assert.deepEqual(
    [schedules.remark('a'), schedules.remark('b')],
    [
      { kind: 'nextRun', atMs: timeMs - 5000, hasSeconds: false },
      { kind: 'nextRun', atMs: timeMs, hasSeconds: true },
    ],
  );
  schedules.observe(world.configure('a', {}));
  assert.equal(schedules.remark('a'), null);
});
