/**
 * Pools of event listeners: delivery, rejected events, the limit of the queue, and listeners that break the protocol.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PoolScene } from './fakes.ts';

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

test('events wait until a listener is RUNNING and READY, then come one by one, in order', () => {
  const scene = new PoolScene();
  for (const data of ['one', 'two', 'three']) scene.tell(data);
  scene.pool.began('p:a', 7);
  scene.pool.readOutput('p:a', 7, 'READY\n');
  assert.deepEqual(scene.sent, [], 'startsecs has not passed yet');
  scene.pool.up('p:a', 7);
  assert.deepEqual(scene.sent, ['p:a one 100 0']);
  scene.pool.readOutput('p:a', 7, 'RESULT 2\nOK');
  assert.equal(scene.sent.length, 1, 'the listener has answered and is not ready');
  scene.pool.readOutput('p:a', 7, 'READY\n');
  scene.pool.readOutput('p:a', 7, 'RESULT 2\nOKREADY\n');
  assert.deepEqual(scene.sent, ['p:a one 100 0', 'p:a two 101 1', 'p:a three 102 2']);
  scene.pool.readOutput('p:a', 7, 'RESULT 2\nOKREADY\n');
  assert.deepEqual([scene.log, scene.condemned, scene.clock.pending], [[], [], []]);
});

test('each state of a listener has a line at level debug, also if one read brings several', () => {
  const scene = new PoolScene();
  scene.ready('p:a', 7);
  scene.tell('one');
  scene.pool.readOutput('p:a', 7, 'RESULT 2\nOKREADY\n');
  scene.pool.readOutput('p:a', 7, 'spam');
  assert.deepEqual(scene.debug, [
    'a: ACKNOWLEDGED -> READY',
    'event 100 sent to listener a',
    'a: event was processed',
    'a: BUSY -> ACKNOWLEDGED',
    'a: ACKNOWLEDGED -> READY',
    'a: READY -> UNKNOWN',
  ]);
});

test('a handler that cannot be loaded accepts every result but FAIL', () => {
  const scene = new PoolScene({ isLenient: true, members: [{ id: 'p:a', name: 'a' }] });
  scene.ready('p:a', 7);
  for (const data of ['one', 'two', 'three']) scene.tell(data);
  scene.pool.readOutput('p:a', 7, 'RESULT 9\nmy resultREADY\n');
  scene.pool.readOutput('p:a', 7, 'RESULT 0\nREADY\n');
  assert.deepEqual([scene.data, scene.log], [['one', 'two', 'three'], []]);
  scene.pool.readOutput('p:a', 7, 'RESULT 4\nFAILREADY\n');
  assert.deepEqual([scene.data, scene.log], [['one', 'two', 'three', 'three'], ['warn a: event was rejected']]);
});

test('an event without a subscription gets no serial number', () => {
  const scene = new PoolScene();
  scene.pool.offer({ kind: 'supervisor', change: 'running' }, () => assert.fail('a number was taken'));
  scene.ready('p:a', 7);
  assert.deepEqual(scene.sent, []);
});

test('an event goes to the first ready listener of the pool only', () => {
  const scene = new PoolScene();
  scene.ready('p:b', 8);
  scene.ready('p:a', 7);
  for (const data of ['one', 'two', 'three']) scene.tell(data);
  assert.deepEqual(scene.sent, ['p:a one 100 0', 'p:b two 101 1']);
  scene.pool.readOutput('p:b', 8, 'RESULT 2\nOKREADY\n');
  assert.deepEqual(scene.sent.at(-1), 'p:b three 102 2');
});

test('a rejected event is sent again, first at once and then after growing pauses', () => {
  const scene = new PoolScene({ members: [{ id: 'p:a', name: 'a' }] });
  scene.ready('p:a', 7);
  scene.tell('one');
  scene.tell('two');
  const refuse = (): void => scene.pool.readOutput('p:a', 7, 'RESULT 4\nFAILREADY\n');
  refuse();
  assert.deepEqual(scene.sent, ['p:a one 100 0', 'p:a one 100 0']);
  refuse();
  assert.equal(scene.sent.length, 2);
  assert.deepEqual(scene.clock.pending, [100]);
  const pauses: number[] = [];
  for (let round = 0; round < 9; round++) {
    pauses.push(scene.clock.pending[0] ?? 0);
    scene.clock.advance(pauses.at(-1) ?? 0);
    refuse();
  }
  assert.deepEqual(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  assert.deepEqual(new Set(scene.data), new Set(['one']));
  scene.clock.advance(5000);
  scene.pool.readOutput('p:a', 7, 'RESULT 2\nOKREADY\n');
  assert.equal(scene.data.at(-1), 'two');
  assert.equal(scene.log.filter((line) => line === 'warn a: event was rejected').length, 11);
});

test('rejected events keep their order', () => {
  const scene = new PoolScene();
  scene.ready('p:a', 7);
  scene.ready('p:b', 8);
  for (const data of ['one', 'two', 'three']) scene.tell(data);
  scene.pool.readOutput('p:a', 7, 'RESULT 4\nFAIL');
  scene.pool.readOutput('p:b', 8, 'RESULT 4\nFAIL');
  scene.pool.readOutput('p:b', 8, 'READY\n');
  scene.pool.readOutput('p:a', 7, 'READY\n');
  assert.deepEqual(scene.sent.slice(2), ['p:b one 100 0', 'p:a two 101 1']);
});

test('an ended listener gives its event back, unless its result was still in the pipe', () => {
  const scene = new PoolScene();
  scene.ready('p:a', 7);
  scene.tell('one');
  scene.tell('two');
  scene.pool.ended('p:a');
  scene.ready('p:a', 9);
  assert.deepEqual(scene.data, ['one'], 'no other one before it is known what became of the first');
  scene.pool.readOutput('p:a', 7, 'RESULT 2\nOK');
  scene.pool.drained(7);
  assert.deepEqual(scene.sent, ['p:a one 100 0', 'p:a two 101 1']);
  scene.pool.ended('p:a');
  scene.pool.drained(9);
  scene.pool.drained(9);
  scene.ready('p:a', 10);
  assert.deepEqual(scene.sent.at(-1), 'p:a two 101 1');
  scene.pool.readOutput('p:a', 7, 'noise of something that an earlier run has left behind');
  assert.deepEqual(scene.condemned, []);
});

test('a listener that is being stopped gets no event, and its output is not judged', () => {
  const scene = new PoolScene();
  scene.ready('p:a', 7);
  scene.pool.down('p:a');
  scene.tell('one');
  scene.pool.readOutput('p:a', 7, 'good bye\n');
  scene.pool.ended('p:a');
  scene.pool.drained(7);
  assert.deepEqual([scene.sent, scene.log, scene.condemned], [[], [], []]);
});

test('a listener that breaks the protocol is killed, and its event goes to another', () => {
  const scene = new PoolScene();
  scene.ready('p:a', 7);
  scene.tell('one');
  scene.pool.readOutput('p:a', 7, 'RESULT x\n');
  assert.deepEqual(scene.condemned, ['p:a 7']);
  assert.deepEqual(scene.log, [
    "warn a: bad result line: 'RESULT x'",
    'warn a: has entered the UNKNOWN state, because it violated the eventlistener protocol; it is killed',
  ]);
  scene.pool.readOutput('p:a', 7, 'READY\n');
  assert.equal(scene.sent.length, 1);
  scene.ready('p:b', 8);
  assert.deepEqual(scene.sent.at(-1), 'p:b one 100 0');
  assert.equal(scene.condemned.length, 1);
});

test('a listener that does not read is killed', () => {
  const scene = new PoolScene();
  scene.writing = 'full';
  scene.ready('p:a', 7);
  scene.tell('one');
  assert.deepEqual(scene.condemned, ['p:a 7']);
  scene.writing = 'written';
  scene.ready('p:b', 8);
  assert.deepEqual(scene.sent, ['p:b one 100 0']);
});

test('a listener that closed its standard input and still runs is killed', () => {
  for (const isLater of [false, true]) {
    const scene = new PoolScene();
    scene.writing = isLater ? 'written' : 'closed';
    scene.ready('p:a', 7);
    scene.tell('one');
    if (isLater) scene.failWrite();
    assert.deepEqual(scene.condemned, []);
    scene.clock.advance(200);
    assert.deepEqual(scene.condemned, ['p:a 7']);
    assert.match(scene.log[0] ?? '', /it has closed its standard input$/);
    scene.writing = 'written';
    scene.ready('p:b', 8);
    assert.equal(scene.data.at(-1), 'one');
  }
});

test('a write to a listener that has ended is not reported', () => {
  const scene = new PoolScene();
  scene.ready('p:a', 7);
  scene.tell('one');
  scene.failWrite();
  scene.pool.ended('p:a');
  scene.pool.drained(7);
  scene.clock.advance(200);
  assert.deepEqual([scene.log, scene.condemned], [[], []]);
});

const accept = (scene: PoolScene): void => scene.pool.readOutput('p:a', 7, 'RESULT 2\nOKREADY\n');

test('no event of the boot is lost with the default buffer_size, however slow the listeners are', () => {
  const scene = new PoolScene();
  for (const data of numbers(0, 500)) scene.tell(data);
  scene.clock.advance(60_000);
  scene.ready('p:a', 7);
  scene.clock.advance(60_000);
  for (const data of numbers(500, 600)) scene.tell(data);
  for (let round = 0; round < 600; round++) accept(scene);
  assert.deepEqual(scene.data, numbers(0, 600));
  assert.deepEqual(scene.log, []);
});

test('after the boot, buffer_size limits the queue of listeners that are a second behind', () => {
  const scene = new PoolScene();
  scene.ready('p:a', 7);
  scene.clock.advance(60_000);
  for (const data of numbers(0, 51)) scene.tell(data);
  assert.deepEqual(scene.log, [], 'much at once, as in a shutdown');
  scene.clock.advance(1000);
  for (const data of numbers(51, 61)) scene.tell(data);
  assert.deepEqual(scene.log, ['error pool p event buffer overflowed, discarding event 101'], 'once, whatever follows');
  for (let round = 0; round < 45; round++) accept(scene);
  assert.deepEqual(scene.data, ['0', ...numbers(11, 56)], 'one makes room for one');
  assert.equal(scene.log.length, 1);
  for (const data of numbers(61, 71)) scene.tell(data);
  for (let round = 0; round < 10; round++) accept(scene);
  assert.deepEqual(scene.data.slice(46), numbers(61, 71));
  assert.deepEqual(scene.log.slice(1), ['error pool p discarded 15 events while its buffer was full (buffer_size)']);
  for (const data of numbers(71, 91)) scene.tell(data);
  assert.equal(scene.log.length, 2, 'a burst again');
});

test('a queue has a hard limit in events and in bytes', () => {
  const many = new PoolScene();
  for (const data of numbers(0, 10_003)) many.tell(data);
  many.ready('p:a', 7);
  assert.deepEqual(many.data, ['3']);
  assert.equal(many.log.length, 1);
  const large = new PoolScene();
  for (const data of numbers(0, 40)) large.tell(data + ' '.repeat(500_000));
  large.ready('p:a', 7);
  assert.ok(Number(large.data[0]) >= 20);
  large.tell('one more than could ever fit is taken by itself');
});

test('dropped events are reported at the end of a pool too', () => {
  const scene = new PoolScene({ bufferSize: 1 });
  scene.ready('p:a', 7);
  for (const data of numbers(0, 2)) scene.tell(data);
  scene.clock.advance(1000);
  for (const data of numbers(2, 5)) scene.tell(data);
  scene.pool.close();
  assert.deepEqual(scene.log, [
    'error pool p event buffer overflowed, discarding event 101',
    'error pool p discarded 3 events while its buffer was full (buffer_size)',
  ]);
  scene.failWrite();
  scene.clock.advance(10_000);
  assert.deepEqual([scene.condemned, scene.clock.pending], [[], []]);
});

test('a closed pool has no alarm', () => {
  const scene = new PoolScene();
  scene.ready('p:a', 7);
  scene.tell('one');
  for (let round = 0; round < 3; round++) scene.pool.readOutput('p:a', 7, 'RESULT 4\nFAILREADY\n');
  assert.equal(scene.clock.pending.length, 1);
  scene.pool.close();
  assert.deepEqual(scene.clock.pending, []);
});

test('a pool is idle when no running listener has an event to handle', () => {
  const scene = new PoolScene();
  assert.equal(scene.pool.isIdle, true);
  scene.tell('one');
  assert.equal(scene.pool.isIdle, true, 'no listener can take it');
  scene.ready('p:a', 7);
  assert.equal(scene.pool.isIdle, false);
  scene.idles = 0;
  scene.pool.readOutput('p:a', 7, 'RESULT 2\nOK');
  assert.deepEqual([scene.pool.isIdle, scene.idles], [true, 1]);
  scene.tell('two');
  assert.equal(scene.pool.isIdle, false, 'the listener is up and may write READY');
  scene.pool.ended('p:a');
  assert.deepEqual([scene.pool.isIdle, scene.idles], [true, 2]);
});
