/**
 * Sources of events: ticks and the output of programs. Also the serial numbers of events.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SupervisorEvent } from '../../../src/core/event-payload.ts';
import { EventPools, Serials } from '../../../src/events/event-pools.ts';
import { OutputTap } from '../../../src/events/output-tap.ts';
import { Ticker } from '../../../src/events/ticker.ts';
import type { BytesListener, LogChannel } from '../../../src/logs/ports.ts';
import { FakeWallClock, PoolScene, remote } from './fakes.ts';

test('ticks come at multiples of their periods, and only for periods with a subscription', () => {
  const clock = new FakeWallClock();
  clock.offsetMs = 1_000_000_001_500 - clock.nowMs();
  const ticks: string[] = [];
  const ticker = new Ticker(clock, (period, whenS) => ticks.push(`${period} ${whenS}`));
  assert.deepEqual(clock.pending, []);
  ticker.follow((period) => period !== 3600);
  assert.deepEqual(clock.pending, [3500]);
  clock.advance(20_000);
  assert.deepEqual(ticks, ['5 1000000005', '5 1000000010', '5 1000000015', '5 1000000020', '60 1000000020']);
  ticker.follow((period) => period === 3600);
  ticker.follow((period) => period === 3600);
  assert.deepEqual(clock.pending, [800_000 - 21_500], 'no alarm without a subscription');
  ticker.follow(() => false);
  assert.deepEqual(clock.pending, []);
});

test('an early alarm causes no tick, and a change of the wall clock causes one', () => {
  const clock = new FakeWallClock();
  clock.offsetMs = 1_000_000_000_000 - clock.nowMs();
  const ticks: number[] = [];
  const ticker = new Ticker(clock, (_period, whenS) => ticks.push(whenS));
  ticker.follow((period) => period === 5);
  clock.offsetMs -= 10;
  clock.advance(5000);
  assert.deepEqual(ticks, [], 'ten milliseconds are missing');
  clock.advance(10);
  assert.deepEqual(ticks, [1_000_000_005]);
  clock.offsetMs += 3_600_000;
  clock.advance(5000);
  assert.deepEqual(ticks.slice(1), [1_000_003_610]);
  clock.offsetMs -= 10_000;
  clock.advance(5000);
  assert.deepEqual(ticks.slice(2), [1_000_003_605], 'set back: another multiple, as for Supervisor');
});

/** A fake channel. */
class FakeChannel {
  readonly listeners = new Set<BytesListener>();
  readonly captureListeners = new Set<BytesListener>();
  readonly spec = { stream: 'stdout' };

  onBytes(listener: BytesListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  onCapture(listener: BytesListener): () => void {
    this.captureListeners.add(listener);
    return () => this.captureListeners.delete(listener);
  }

  say(pid: number, ...values: number[]): void {
    const bytes = Buffer.from(values);
    for (const listener of this.listeners) listener(bytes, pid);
    // The buffer of a read is reused.
    bytes.fill(0);
  }
}

function openTap(plan: { log: boolean; communication: boolean }): {
  channel: FakeChannel;
  tap: OutputTap;
  told: string[];
} {
  const channel = new FakeChannel();
  const events: Array<Extract<SupervisorEvent, { bytes: Uint8Array }>> = [];
  const tap = new OutputTap(channel as unknown as LogChannel, { process: 'a', group: 'g' }, plan, (event) =>
    events.push(event),
  );
  return {
    channel,
    tap,
    get told() {
      return events.map(
        ({ kind, process: proc, group, stream, pid, bytes }) =>
          `${kind} ${group}:${proc} ${stream} ${pid} ${Buffer.from(bytes).toString('hex')}`,
      );
    },
  };
}

test('output becomes events, and a character that two reads cut apart stays whole', () => {
  const scene = openTap({ log: true, communication: false });
  scene.channel.say(7, 0x61, 0xe2);
  scene.channel.say(7, 0x82);
  scene.channel.say(7, 0xac, 0x62);
  assert.deepEqual(scene.told, ['log g:a stdout 7 61', 'log g:a stdout 7 e282ac62']);
  scene.channel.say(7, 0xc3);
  scene.channel.say(8, 0x63);
  assert.deepEqual(
    scene.told.slice(2),
    ['log g:a stdout 7 c3', 'log g:a stdout 8 63'],
    'another run does not go on with it',
  );
  scene.channel.say(8, 0xc3);
  scene.tap.flush();
  scene.tap.flush();
  assert.deepEqual(scene.told.slice(4), ['log g:a stdout 8 c3']);
  assert.equal(scene.channel.captureListeners.size, 0);
  scene.tap.close();
  assert.equal(scene.channel.listeners.size, 0);
});

test('a captured section becomes an event of another type', () => {
  const scene = openTap({ log: false, communication: true });
  const bytes = Buffer.from('hello');
  for (const listener of scene.channel.captureListeners) listener(bytes, 7);
  bytes.fill(0);
  assert.deepEqual(scene.told, [`communication g:a stdout 7 ${Buffer.from('hello').toString('hex')}`]);
  assert.equal(scene.channel.listeners.size, 0);
});

test('an event has one serial number for all pools, and none without a subscription', () => {
  const serials = new Serials();
  const pools = new EventPools(serials);
  const [one, two] = [new PoolScene(), new PoolScene()];
  pools.add('one', one.pool);
  pools.publish(remote('first'));
  pools.add('two', two.pool);
  pools.publish({ kind: 'supervisor', change: 'running' });
  pools.publish(remote('second'));
  one.ready('p:a', 7);
  one.pool.readOutput('p:a', 7, 'RESULT 2\nOKREADY\n');
  two.ready('p:a', 7);
  assert.deepEqual(one.sent, ['p:a first 0 0', 'p:a second 1 1']);
  assert.deepEqual(two.sent, ['p:a second 1 0']);
  assert.equal(pools.wants('REMOTE_COMMUNICATION'), true);
  assert.equal(pools.wants('TICK_5'), false);
  assert.equal(pools.isIdle, false);
  assert.equal(pools.get('one'), one.pool);
  assert.deepEqual([pools.remove('one'), pools.remove('one')], [true, false]);
  pools.close();
  assert.equal(pools.wants('REMOTE_COMMUNICATION'), false);
  assert.equal(serials.take(), 2, 'numbers go on after a reload');
});
