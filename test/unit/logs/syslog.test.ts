/**
 * The outlet for the log daemon, with a fake daemon: datagrams, lines in several parts, and a daemon that is slow,
 * stuck, gone or restarted.
 */
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import type { LogNatives, LogProblem } from '../../../src/logs/ports.ts';
import { hideNewlines } from '../../../src/logs/inner-newlines.ts';
import type { Sink } from '../../../src/logs/sink.ts';
import { syslogHeader } from '../../../src/logs/syslog-format.ts';
import { MAX_DATAGRAM_LINE_BYTES, SyslogOutlet } from '../../../src/logs/syslog-outlet.ts';
import { FakeClock, put, makeSink } from './fakes.ts';

const ENOENT = 2;
const EAGAIN = 11;
const ECONNREFUSED = 111;

/** A fake daemon: the datagrams received, the free places of its queue, and whether it runs. */
class Daemon {
  readonly got: string[] = [];
  room = Infinity;
  isThere = true;
  /** Number of the current run. Sockets of earlier runs are refused. */
  life = 0;
  readonly #lives = new Map<number, number>();
  connects = 0;

  connectDatagram(path: string): number {
    assert.equal(path, '/dev/log');
    this.connects++;
    if (!this.isThere)
      throw Object.assign(new Error('connect: ENOENT'), { code: 'ENOENT', errno: ENOENT, syscall: 'connect' });
    const fd = openSync('/dev/null', 'r');
    this.#lives.set(fd, this.life);
    return fd;
  }

  sendDatagram(fd: number, bytes: Uint8Array, start: number, end: number): number {
    if (!this.isThere || this.#lives.get(fd) !== this.life) return ECONNREFUSED;
    if (this.room <= 0) return EAGAIN;
    this.room--;
    this.got.push(Buffer.from(bytes.subarray(start, end)).toString('latin1'));
    return 0;
  }

  /** Datagrams received, without the time. */
  get lines(): string[] {
    return this.got.map((line) => line.replace(/^<14>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d supervisord: /, ''));
  }
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface World {
  readonly daemon: Daemon;
  readonly clock: FakeClock;
  readonly sink: Sink;
  readonly problems: LogProblem[];
  give(text: string | Buffer): Promise<void>;
}

async function inWorld(run: (world: World) => Promise<void>): Promise<void> {
  const daemon = new Daemon();
  const clock = new FakeClock();
  const problems: LogProblem[] = [];
  const natives: LogNatives = {
    frame: () => undefined,
    record: () => undefined,
    countNewlines: () => 0,
    pipeSize: () => 0,
    getLimit: () => ({ soft: 1024 }),
    growPipe: () => 0,
    readNow: () => 0,
    writeNow: () => 0,
    watchReadable: () => undefined,
    unwatchReadable: () => undefined,
    connectDatagram: (path) => daemon.connectDatagram(path),
    sendDatagram: (...args) => daemon.sendDatagram(...args),
  };
  const sink = makeSink({
    name: 'syslog (/dev/log)',
    outlet: new SyslogOutlet({ path: '/dev/log', natives, clock }),
    natives,
    clock,
    report: (problem) => problems.push(problem),
  });
  await run({
    daemon,
    clock,
    sink,
    problems,
    give: async (text) => {
      put(sink, text);
      await tick();
      await tick();
    },
  });
  await sink.close();
}

test('the header is that of syslog(3), in local time', () => {
  assert.equal(
    syslogHeader(new Date(2026, 0, 2, 3, 4, 5, 999).getTime()).toString(),
    '<14>Jan  2 03:04:05 supervisord: ',
  );
  assert.equal(
    syslogHeader(new Date(2026, 10, 21, 23, 59, 0).getTime()).toString(),
    '<14>Nov 21 23:59:00 supervisord: ',
  );
});

test('a record of several lines is one datagram with newlines in it', () =>
  inWorld(async ({ daemon, give }) => {
    await give(Buffer.concat([Buffer.from('web '), hideNewlines(Buffer.from('a\n b\n c')), Buffer.from('\nweb d\n')]));
    assert.deepEqual(daemon.lines, ['web a\n b\n c', 'web d']);
  }));

test('each line is one datagram, also in several parts, with its bytes unchanged', () =>
  inWorld(async ({ daemon, give }) => {
    await give('a one\na two\nb thr');
    assert.deepEqual(daemon.lines, ['a one', 'a two']);
    await give('ee');
    await give('\nc ');
    await give(Buffer.from([0xff, 0x00, 0x0a]));
    assert.deepEqual(daemon.lines, ['a one', 'a two', 'b three', 'c \xff\0']);
    assert.equal(daemon.connects, 1);
    assert.match(daemon.got[0] ?? '', /^<14>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d supervisord: a one$/);
  }));

test('a line that is too long for a datagram becomes several', () =>
  inWorld(async ({ daemon, give }) => {
    const long = 'x'.repeat(2 * MAX_DATAGRAM_LINE_BYTES + 5);
    await give(`begin `);
    await give(`${long}\n${'y'.repeat(MAX_DATAGRAM_LINE_BYTES)}\nend\n`);
    await tick();
    assert.deepEqual(
      daemon.lines.map((line) => line.length),
      [MAX_DATAGRAM_LINE_BYTES, MAX_DATAGRAM_LINE_BYTES, 11, MAX_DATAGRAM_LINE_BYTES, 3],
    );
    assert.equal(daemon.lines.slice(0, 3).join(''), `begin ${long}`);
  }));

test('a burst larger than the queue of the daemon loses nothing', () =>
  inWorld(async ({ daemon, clock, give, problems }) => {
    daemon.room = 3;
    await give(Array.from({ length: 10 }, (_, i) => `${i}\n`).join(''));
    assert.equal(daemon.got.length, 3);
    daemon.room = Infinity;
    clock.advance(1);
    await tick();
    assert.deepEqual(daemon.lines, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    assert.deepEqual(problems, []);
    assert.equal(clock.pending, 0);
  }));

test('a daemon that reads nothing delays output for a second, then output is dropped and reported', () =>
  inWorld(async ({ daemon, clock, give, problems, sink }) => {
    await give('before\n');
    daemon.room = 1;
    await give('half\nlost 1\nlost 2\n');
    clock.advance(2000);
    for (let i = 0; i < 4; i++) await tick();
    assert.deepEqual(
      problems.map(({ text }) => text),
      [
        'cannot write syslog (/dev/log): resource temporarily unavailable (EAGAIN); ' +
          'output for it is dropped until it can be written again',
      ],
    );
    assert.ok(sink.isIdle);
    // Not a moment is spent on it from now on.
    await give('lost 3\n');
    assert.ok(sink.isIdle);
    assert.equal(clock.pending, 0);
    daemon.room = Infinity;
    clock.advance(10_000);
    await give('after\n');
    assert.deepEqual(daemon.lines, ['before', 'half', 'after']);
    assert.deepEqual(
      problems.slice(1).map(({ text }) => text),
      ['syslog (/dev/log) is written again; 3 lines (21 bytes) for it were dropped'],
    );
  }));

test('a restarted daemon is found again, and a torn line does not go on there', () =>
  inWorld(async ({ daemon, clock, give, problems }) => {
    await give('one\n');
    daemon.life++;
    await give('two\n');
    assert.deepEqual(daemon.lines, ['one', 'two']);
    await give('torn ');
    daemon.isThere = false;
    await give('line\nlost\nlost too ');
    assert.deepEqual(
      problems.map(({ text }) => text),
      [
        'cannot write syslog (/dev/log): no such file or directory (ENOENT); ' +
          'output for it is dropped until it can be written again',
      ],
    );
    daemon.isThere = true;
    daemon.life++;
    clock.advance(10_000);
    await give('rest\n');
    await give('three\n');
    assert.deepEqual(daemon.lines.slice(2), ['rest', 'three']);
  }));

test('a missing daemon is reported once, when a log is opened', () =>
  inWorld(async ({ daemon, sink, problems, give }) => {
    daemon.isThere = false;
    sink.open();
    await tick();
    await give('x\n');
    assert.equal(problems.length, 1);
    await assert.rejects(sink.reopen(), { code: 'ENOENT' });
    daemon.isThere = true;
    await sink.reopen();
    await sink.clear();
    await give('y\n');
    assert.deepEqual(daemon.lines, ['y']);
  }));

test('a closed outlet has no descriptor open', async () => {
  const before = openSync('/dev/null', 'r');
  closeSync(before);
  await inWorld(({ give }) => give('x\n'));
  const after = openSync('/dev/null', 'r');
  closeSync(after);
  assert.equal(after, before);
});
