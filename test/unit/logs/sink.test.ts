import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadAddon } from '../../../src/native/load.ts';
import { BLOCK_BYTES } from '../../../src/logs/blocks.ts';
import type { LogProblem } from '../../../src/logs/ports.ts';
import { QUEUE_BYTES, type Sink } from '../../../src/logs/sink.ts';
import type { Waiter } from '../../../src/logs/sink-parts.ts';
import { FakeClock, FakeOutlet, errnoError, put, makeSink } from './fakes.ts';

const natives = loadAddon();

interface Bench {
  readonly sink: Sink;
  readonly outlet: FakeOutlet;
  readonly clock: FakeClock;
  readonly problems: LogProblem[];
  put(text: string): void;
}

function bench(): Bench {
  const outlet = new FakeOutlet();
  const clock = new FakeClock();
  const problems: LogProblem[] = [];
  const sink = makeSink({
    name: '/x.log',
    outlet,
    natives,
    clock,
    goneOn: new Set(['EPIPE']),
    report: (problem) => problems.push(problem),
  });
  return { sink, outlet, clock, problems, put: (text) => put(sink, text) };
}

/** A waiter that notes its name when it is resumed. */
function waiter(name: string, turns: string[]): Waiter {
  return { resume: () => turns.push(name), hasLastOutput: false };
}

const dropped = (lines: number): Buffer => Buffer.from(`${lines} dropped\n`);

test('bytes are written in order and once, also by partial writes', async () => {
  const { sink, outlet, put } = bench();
  outlet.isStalled = true;
  put('abcdef');
  put('ghi');
  outlet.finish(2);
  outlet.finish(3);
  outlet.isStalled = false;
  outlet.finish();
  await sink.idle();
  assert.equal(outlet.text, 'abcdefghi');
  assert.equal(sink.unwrittenBytes, 0);
});

test('the end of what was queued is told once, whatever is queued later, and not after an end of the wait', () => {
  const { sink, outlet, put } = bench();
  const told: string[] = [];
  sink.afterQueue(() => told.push('nothing queued'));
  assert.deepEqual(told.splice(0), ['nothing queued']);
  outlet.isStalled = true;
  put('abc\n');
  sink.afterQueue(() => told.push('first'));
  const end = sink.afterQueue(() => told.push('ended'));
  put('de\n');
  sink.afterQueue(() => told.push('second'));
  end();
  outlet.finish(3);
  assert.deepEqual(told, []);
  outlet.finish(1);
  assert.deepEqual(told, ['first']);
  outlet.finish();
  assert.deepEqual(told, ['first', 'second']);
  put('more\n');
  outlet.finish();
  assert.deepEqual(told, ['first', 'second']);
});

test('dropped bytes count as told: after an error, and after the file was emptied', async () => {
  const { sink, outlet, put } = bench();
  const told: string[] = [];
  outlet.isStalled = true;
  put('abc\n');
  sink.afterQueue(() => told.push('error'));
  outlet.failure = errnoError('ENOSPC', -28);
  outlet.finish();
  outlet.failure = null;
  assert.deepEqual(told, ['error']);
  put('de\n');
  put('fg\n');
  sink.afterQueue(() => told.push('cleared'));
  const cleared = sink.clear();
  outlet.isStalled = false;
  outlet.finish();
  await cleared;
  assert.deepEqual(told, ['error', 'cleared']);
});

test('lines longer than a block, and lines at the end of a block, stay whole', async () => {
  const { sink, outlet } = bench();
  const prefix = Buffer.from('web | ');
  const lines = [
    'x'.repeat(BLOCK_BYTES - 20),
    'y'.repeat(100),
    'z'.repeat(BLOCK_BYTES + 5),
    'w'.repeat(BLOCK_BYTES - prefix.length - 1),
    '',
  ];
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  sink.write({}, (queue) => {
    queue.appendLines(bytes, 0, bytes.length, prefix);
    return false;
  });
  await sink.idle();
  assert.equal(outlet.text, lines.map((line) => `web | ${line}\n`).join(''));
});

test('a full sink makes readers wait, and resumes them in order', () => {
  const { sink, outlet, put } = bench();
  const turns: string[] = [];
  outlet.isStalled = true;
  put('a');
  assert.equal(sink.wait(waiter('early', turns)), false, 'there is room');
  put('b'.repeat(QUEUE_BYTES));
  for (const name of ['first', 'second', 'third', 'fourth']) assert.equal(sink.wait(waiter(name, turns)), true);
  assert.deepEqual(turns, []);
  while (turns.length === 0) outlet.finish();
  assert.deepEqual(
    turns,
    ['first', 'second', 'third'],
    'a quarter of the queue is left, so there is room for three reads',
  );
  assert.equal(sink.wait(waiter('first again', turns)), true, 'who reads while another waits goes behind it');
  while (outlet.hasPending) outlet.finish();
  assert.deepEqual(turns, ['first', 'second', 'third', 'fourth', 'first again']);
  assert.equal(sink.isIdle, true);
});

test('an idle sink makes no reader wait', () => {
  const { sink } = bench();
  assert.equal(sink.wait(waiter('x', [])), false);
});

test('lines of the supervisor are kept up to a limit, and further lines are counted', async () => {
  const { sink, outlet, put } = bench();
  outlet.isStalled = true;
  put('p'.repeat(QUEUE_BYTES));
  const line = Buffer.from(`${'o'.repeat(1023)}\n`);
  for (let i = 0; i < 1000; i++) sink.say(line, dropped);
  assert.ok(sink.unwrittenBytes <= QUEUE_BYTES + 256 * 1024);
  outlet.isStalled = false;
  outlet.finish();
  await sink.idle();
  const own = outlet.text.slice(QUEUE_BYTES);
  assert.equal(own, `${'o'.repeat(1023)}\n`.repeat(256) + '744 dropped\n');
});

test('a line of the supervisor ends the open line of a program first', async () => {
  const { sink, outlet } = bench();
  sink.write({}, (queue) => {
    queue.append(Buffer.from('half'), 0, 4);
    return true;
  });
  sink.say(Buffer.from('own\n'), dropped);
  await sink.idle();
  assert.equal(outlet.text, 'half\nown\n');
});

test('ENOSPC: output is dropped, counted and reported once, and the next line is whole', async () => {
  const { sink, outlet, clock, problems, put } = bench();
  outlet.isStalled = true;
  put('abc\ndef\n');
  outlet.finish(6);
  outlet.failure = errnoError('ENOSPC', -28);
  outlet.finish();
  for (let i = 0; i < 5; i++) {
    put('lost\n');
    outlet.finish();
  }
  assert.deepEqual(problems, [
    {
      level: 'error',
      text:
        'cannot write /x.log: no space left on device (ENOSPC); ' +
        'output for it is dropped until it can be written again',
    },
  ]);
  outlet.failure = null;
  clock.advance(10_000);
  outlet.isStalled = false;
  put('again\n');
  await sink.idle();
  assert.equal(outlet.text, 'abc\nde\nagain\n');
  assert.deepEqual(problems[1], {
    level: 'warn',
    text: '/x.log is written again; 6 lines (27 bytes) for it were dropped',
  });
  assert.equal(problems.length, 2);
});

test('a full sink: the last output of a process comes before the line about its end', async () => {
  const { sink, outlet, put } = bench();
  outlet.isStalled = true;
  put(`${'x'.repeat(QUEUE_BYTES)}\n`);
  const turns: string[] = [];
  const ended = {
    hasLastOutput: true,
    resume: () => {
      turns.push('ended');
      ended.hasLastOutput = false;
      put('last words\n');
    },
  };
  assert.equal(sink.wait(waiter('other', turns)), true);
  assert.equal(sink.wait(ended), true);
  sink.say(Buffer.from('exited\n'), () => Buffer.alloc(0));
  while (outlet.hasPending || turns.length < 2) {
    outlet.finish();
    await Promise.resolve();
  }
  assert.deepEqual(turns, ['ended', 'other']);
  assert.match(outlet.text, /x\nlast words\nexited\n$/);
});

test('an episode ends after some time without a failure, and dropped output is reported once at the end', async () => {
  const { sink, outlet, clock, problems, put } = bench();
  const fail = async (): Promise<void> => {
    outlet.failure = errnoError('ENOSPC', -28);
    put('one\ntwo\n');
    await sink.idle();
    outlet.failure = null;
  };
  await fail();
  put('kept\n');
  await sink.idle();
  clock.advance(3000);
  await fail();
  clock.advance(10_000);
  assert.deepEqual([problems.length, clock.pending], [1, 0], 'no write has succeeded since the failure');
  put('kept\n');
  await sink.idle();
  assert.equal(problems[1]?.text, '/x.log is written again; 4 lines (16 bytes) for it were dropped');
  await fail();
  put('kept\n');
  await sink.idle();
  clock.advance(5000);
  assert.equal(problems[3]?.text, '/x.log is written again; 2 lines (8 bytes) for it were dropped');
  await fail();
  assert.deepEqual([sink.tellDropped(), sink.tellDropped()], [true, false]);
  assert.equal(problems[5]?.text, '2 lines (8 bytes) for /x.log were dropped');
});

test('a failure that is reported to the failed sink itself loses nothing else', async () => {
  const outlet = new FakeOutlet();
  const clock = new FakeClock();
  const sink: Sink = makeSink({
    name: '/x.log',
    outlet,
    natives,
    clock,
    report: (problem) => sink.say(Buffer.from(`${problem.level}\n`), dropped),
  });
  outlet.isStalled = true;
  put(sink, 'lost\n');
  outlet.failure = errnoError('ENOSPC', -28);
  outlet.finish();
  outlet.failure = null;
  outlet.isStalled = false;
  outlet.finish();
  put(sink, 'next\n');
  await sink.idle();
  clock.advance(60_000);
  put(sink, 'calm\n');
  await sink.idle();
  assert.equal(outlet.text, 'error\nnext\nwarn\ncalm\n');
});

test('a disk that fails and succeeds in turns is reported once', async () => {
  const { sink, outlet, clock, problems, put } = bench();
  for (let i = 0; i < 10; i++) {
    outlet.failure = errnoError('ENOSPC', -28);
    put('x\n');
    await sink.idle();
    outlet.failure = null;
    clock.advance(100);
    put('y\n');
    await sink.idle();
  }
  assert.equal(problems.length, 1);
});

test('EPIPE: reported once, all output is dropped from then on, and no reader waits', async () => {
  const { sink, outlet, problems, put } = bench();
  const turns: string[] = [];
  outlet.isStalled = true;
  put('x'.repeat(QUEUE_BYTES + 1));
  sink.wait(waiter('reader', turns));
  sink.say(Buffer.from('own\n'), dropped);
  outlet.failure = errnoError('EPIPE', -32);
  outlet.finish();
  assert.deepEqual(turns, ['reader']);
  assert.equal(sink.isGone, true);
  sink.say(Buffer.from('own\n'), dropped);
  assert.equal(sink.unwrittenBytes, 0);
  assert.equal(sink.wait(waiter('reader', turns)), false);
  await sink.idle();
  assert.deepEqual(
    problems.map((problem) => problem.text),
    ['cannot write /x.log any more: broken pipe (EPIPE); output for it is dropped from now on'],
  );
  // The queue held one line, which was open.
  sink.countLost(Buffer.from('end\nnext\n'));
  assert.equal(sink.tellDropped(), true);
  assert.match(problems[1]?.text ?? '', /^2 lines \(\d+ bytes\) for \/x\.log were dropped$/);
});

test('clear drops the queue but not the write under way, and runs before later output', async () => {
  const { sink, outlet, put } = bench();
  outlet.isStalled = true;
  put('being written ');
  put('queued ');
  put('q'.repeat(2 * BLOCK_BYTES));
  const cleared = sink.clear();
  put('later');
  outlet.isStalled = false;
  outlet.finish();
  await cleared;
  await sink.idle();
  assert.deepEqual(outlet.calls, ['clear']);
  assert.equal(outlet.text, 'being written later');
});

test('callers of a stalled sink share an operation, get an error that names it, and it is done later', async () => {
  const { sink, outlet, clock, put } = bench();
  outlet.isStalled = true;
  put('stalls');
  for (const kind of ['reopen', 'rotate', 'clear'] as const) {
    const calls = Array.from({ length: 1000 }, () => sink[kind]().then(String, ({ message }: Error) => message));
    assert.equal(clock.pending, 1, 'one wait for all callers');
    clock.advance(10_000);
    const participle = { reopen: 'reopened', rotate: 'rotated', clear: 'cleared' }[kind];
    const text = `/x.log has taken nothing for 10 s; it is ${participle} as soon as it does`;
    assert.deepEqual([...new Set(await Promise.all(calls))], [text]);
  }
  const last = sink.reopen();
  assert.deepEqual(outlet.calls, []);
  outlet.finish();
  await last;
  await sink.idle();
  assert.deepEqual(outlet.calls, ['reopen', 'rotate', 'clear']);
  assert.equal(clock.pending, 0);
});

test('an operation that does not end in time is an error, and goes on', async () => {
  const { sink, outlet, clock, put } = bench();
  let finish: (() => void) | undefined;
  outlet.rotate = (done) => void (finish = () => done(null));
  const rotated = sink.rotate();
  clock.advance(10_000);
  await assert.rejects(rotated, { message: '/x.log is not rotated within 10 s; the work goes on' });
  put('later');
  assert.equal(outlet.text, '');
  finish?.();
  await sink.idle();
  assert.equal(outlet.text, 'later');
});

test('a path that is no file is emptied and rotated at once, although its reader stalls', async () => {
  const { sink, outlet, put } = bench();
  Object.assign(outlet, { hasNoFile: true, isStalled: true });
  put('stalls');
  put('queued');
  await Promise.all([sink.rotate(), sink.clear()]);
  outlet.finish();
  await sink.idle();
  assert.deepEqual([outlet.text, outlet.calls], ['stalls', []]);
});

test('clear between a torn line and its newline loses no later output', async () => {
  const { sink, outlet, put } = bench();
  outlet.isStalled = true;
  put('abc');
  outlet.finish(1);
  outlet.failure = errnoError('ENOSPC', -28);
  outlet.finish();
  outlet.failure = null;
  put('x\n');
  const cleared = sink.clear();
  put('later\n');
  outlet.isStalled = false;
  outlet.finish();
  await cleared;
  await sink.idle();
  assert.equal(outlet.text, 'a\nlater\n');
});
