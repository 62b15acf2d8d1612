/**
 * Log files that are rotated by time and compressed: real files, with a clock that the test advances.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { loadAddon } from '../../../src/native/load.ts';
import { CompressionTurns } from '../../../src/logs/compression.ts';
import { FileOutlet } from '../../../src/logs/file-outlet.ts';
import { PipeGrowth } from '../../../src/logs/outlets.ts';
import type { FileLimits, LogProblem } from '../../../src/logs/ports.ts';
import { shiftBackups } from '../../../src/logs/rotation.ts';
import type { Sink } from '../../../src/logs/sink.ts';
import { FakeClock, put, makeSink } from './fakes.ts';

const natives = loadAddon();
const root = mkdtempSync(join(tmpdir(), 'logs-'));
after(() => rmSync(root, { recursive: true }));

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

class Log {
  readonly folder = mkdtempSync(join(root, 'x-'));
  readonly path = join(this.folder, 'x.log');
  readonly clock = new FakeClock();
  readonly problems: string[] = [];
  readonly turns = new CompressionTurns();
  outlet: FileOutlet;
  sink: Sink;
  limits: FileLimits;

  constructor(limits: Partial<FileLimits>) {
    // The files have the times of the real clock. Noon, so that no boundary is near.
    this.clock.wall = new Date().setHours(12, 30, 0, 0);
    this.limits = { maxBytes: 0, backups: 3, interval: null, compress: false, ...limits };
    [this.outlet, this.sink] = this.#make();
  }

  #make(): [FileOutlet, Sink] {
    const { path, clock, turns } = this;
    const report = (problem: LogProblem): void => {
      this.problems.push(problem.text);
    };
    const shared = { growth: new PipeGrowth(natives, clock), clock, turns };
    const sink = makeSink({
      name: path,
      outlet: (host) => new FileOutlet({ path, shared, host }, this.limits),
      natives,
      clock,
      report,
    });
    return [sink.outlet as FileOutlet, sink];
  }

  /** Closes the log, and opens it as another supervisor would. */
  async restart(): Promise<void> {
    await this.sink.close();
    [this.outlet, this.sink] = this.#make();
  }

  write(text: string): Promise<void> {
    put(this.sink, text);
    return this.sink.idle();
  }

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.sink.idle();
  }

  /** Sets the time of the last write to so long ago. The birth time cannot be set. */
  age(ms: number, name = 'x.log'): void {
    const at = (this.clock.wall - ms) / 1000;
    utimesSync(join(this.folder, name), at, at);
  }

  put(name: string, text: string): void {
    writeFileSync(join(this.folder, name), name.endsWith('.gz') ? gzipSync(text) : text);
  }

  /** Contents of the files, by the end of their names. */
  get files(): Record<string, string> {
    const read = (name: string): string =>
      name.endsWith('.gz')
        ? execFileSync('zcat', [join(this.folder, name)], { encoding: 'latin1', maxBuffer: 1 << 26 })
        : readFileSync(join(this.folder, name), 'latin1');
    return Object.fromEntries(
      readdirSync(this.folder)
        .sort()
        .map((name) => [name.slice('x.log'.length), read(name)]),
    );
  }

  /** Waits for work of the thread pool that no event reports. */
  async until(isSo: () => boolean): Promise<void> {
    const deadline = performance.now() + 20_000;
    while (!isSo()) {
      assert.ok(performance.now() < deadline, `still ${readdirSync(this.folder).join(' ')}`);
      await sleep(2);
    }
  }

  /** Waits until all is compressed. A compressed file gets its name before the plain file is removed. */
  compressed(): Promise<void> {
    return this.until(() => readdirSync(this.folder).every((name) => !/\.\d+$|\.tmp$/.test(name)));
  }

  exists(suffix: string): boolean {
    return existsSync(this.path + suffix);
  }
}

test('a file is rotated at midnight without a further write; an empty file is not, and sets no alarm', async () => {
  const log = new Log({ interval: 'daily' });
  log.sink.open();
  await log.sink.idle();
  assert.equal(log.clock.pending, 0);
  await log.advance(3 * DAY);
  assert.deepEqual(log.files, { '': '' });
  await log.write('one\n');
  await log.write('two\n');
  assert.equal(log.clock.pending, 1);
  await log.advance(11 * HOUR);
  assert.deepEqual(log.files, { '': 'one\ntwo\n' });
  await log.advance(HOUR);
  assert.deepEqual(log.files, { '': '', '.1': 'one\ntwo\n' });
  assert.equal(log.clock.pending, 0);
  await log.advance(2 * DAY);
  await log.write('three\n');
  await log.advance(DAY);
  assert.deepEqual(log.files, { '': '', '.1': 'three\n', '.2': 'one\ntwo\n' });
  await log.sink.close();
  assert.equal(log.clock.pending, 0);
});

test('after a restart, a file of an earlier period is rotated at once, a file of this period is not', async () => {
  for (const [hours, expected] of [
    [11, { '': 'old\nnew\n' }],
    [13, { '': 'new\n', '.1': 'old\n' }],
  ] as const) {
    const log = new Log({ interval: 'daily' });
    log.put('x.log', 'old\n');
    log.age(hours * HOUR);
    await log.write('new\n');
    assert.deepEqual(log.files, expected, `${hours} hours ago`);
    await log.sink.close();
  }
  const log = new Log({ interval: 'hourly' });
  log.put('x.log', 'old\n');
  log.age(HOUR);
  log.sink.open();
  await log.sink.idle();
  log.clock.advance(0);
  await log.sink.idle();
  assert.deepEqual(log.files, { '': '', '.1': 'old\n' });
  await log.sink.close();
});

test('a duration is counted from the birth of the file, also after a restart', async () => {
  const log = new Log({ interval: 10 * HOUR });
  log.clock.wall = Date.now();
  log.put('x.log', 'first\n');
  log.age(7 * HOUR);
  await log.write('second\n');
  await log.advance(3 * HOUR - 1);
  assert.deepEqual(log.files, { '': 'first\nsecond\n' });
  await log.advance(1);
  assert.deepEqual(log.files, { '': '', '.1': 'first\nsecond\n' });
  await log.sink.close();
});

test('rotation waits for the end of an open line', async () => {
  const log = new Log({ interval: 'daily' });
  await log.write('one\nbegin');
  await log.advance(12 * HOUR);
  assert.deepEqual(log.files, { '': 'one\nbegin' });
  await log.write(' end\ntwo\n');
  assert.deepEqual(log.files, { '': 'two\n', '.1': 'one\nbegin end\n' });
  await log.advance(DAY);
  assert.deepEqual(log.files, { '': '', '.1': 'two\n', '.2': 'one\nbegin end\n' });
  await log.sink.close();
});

test('a clock set forward counts at the next write, a clock set back at the next alarm', async () => {
  const log = new Log({ interval: 'daily' });
  await log.write('one\n');
  log.clock.wall += DAY;
  await log.write('two\n');
  assert.deepEqual(log.files, { '': 'two\n', '.1': 'one\n' });
  log.clock.wall -= 400 * DAY;
  await log.advance(12 * HOUR);
  assert.deepEqual(log.files, { '': 'two\n', '.1': 'one\n' });
  await log.advance(DAY);
  assert.deepEqual(log.files, { '': '', '.1': 'two\n', '.2': 'one\n' });
  await log.sink.close();
});

test('rotation by size and time together; without backups the file is emptied', async () => {
  const log = new Log({ interval: 'daily', maxBytes: 10, backups: 0 });
  await log.write('0123456789\n');
  assert.deepEqual(log.files, { '': '' });
  await log.write('short\n');
  await log.advance(12 * HOUR);
  assert.deepEqual(log.files, { '': '' });
  assert.equal(log.clock.pending, 0);
  await log.sink.close();
});

test('a change of the interval applies at once', async () => {
  const log = new Log({});
  await log.write('one\n');
  assert.equal(log.clock.pending, 0);
  log.outlet.limit({ ...log.limits, interval: 'weekly' });
  log.outlet.limit({ ...log.limits, interval: 'hourly' });
  assert.equal(log.clock.pending, 1);
  await log.advance(HOUR / 2);
  assert.deepEqual(log.files, { '': '', '.1': 'one\n' });
  await log.write('two\n');
  log.outlet.limit({ ...log.limits, interval: null });
  assert.equal(log.clock.pending, 0);
  await log.sink.close();
});

test('neither an emptied file nor another file with the name of a renamed log is rotated', async () => {
  const log = new Log({ interval: 'daily' });
  await log.write('one\n');
  truncateSync(log.path);
  await log.advance(12 * HOUR);
  assert.deepEqual(log.files, { '': '' });
  await log.write('two\n');
  renameSync(log.path, `${log.path}.moved`);
  await log.advance(DAY);
  assert.deepEqual(log.files, { '': '', '.moved': 'two\n' });
  await log.sink.close();
});

test('a failed rotation is reported once in each period, and the file grows', async () => {
  const log = new Log({ interval: 'daily', backups: 1 });
  mkdirSync(`${log.path}.1`);
  writeFileSync(join(`${log.path}.1`, 'x'), '');
  await log.write('one\n');
  await log.advance(12 * HOUR);
  await log.write('two\n');
  assert.equal(readFileSync(log.path, 'latin1'), 'one\ntwo\n');
  assert.equal(log.problems.length, 1);
  assert.match(log.problems[0] ?? '', /^cannot rotate .*; it keeps growing$/);
  rmSync(`${log.path}.1`, { recursive: true });
  await log.advance(DAY);
  assert.deepEqual(log.files, { '': '', '.1': 'one\ntwo\n' });
  await log.sink.close();
});

test('a fifo and a device are never rotated by time', async () => {
  const log = new Log({ interval: 'hourly', compress: true });
  rmSync(log.path, { force: true });
  execFileSync('ln', ['-s', '/dev/null', log.path]);
  await log.write('x\n');
  await log.advance(DAY);
  assert.equal(log.clock.pending, 0);
  assert.deepEqual(readdirSync(log.folder), ['x.log']);
  await log.sink.close();
});

/** Files before, the number of backups, and the files after the backups were renamed. */
const SHIFTS: ReadonlyArray<readonly [Record<string, string>, number, Record<string, string>]> = [
  [{ '': '0' }, 3, { '.1': '0' }],
  [{ '': '0', '.1': '1', '.2': '2', '.3': '3' }, 3, { '.1': '0', '.2': '1', '.3': '2' }],
  [{ '': '0', '.1.gz': '1', '.2.gz': '2', '.3.gz': '3' }, 3, { '.1': '0', '.2.gz': '1', '.3.gz': '2' }],
  [{ '': '0', '.1': '1', '.2.gz': '2', '.3': '3' }, 3, { '.1': '0', '.2': '1', '.3.gz': '2' }],
  [{ '': '0', '.1.gz': '1', '.2': '2', '.3.gz': '3' }, 3, { '.1': '0', '.2.gz': '1', '.3': '2' }],
  [{ '': '0', '.1': '1', '.3.gz': '3' }, 3, { '.1': '0', '.2': '1', '.3.gz': '3' }],
  [{ '': '0', '.1.gz': '1' }, 1, { '.1': '0' }],
  // A supervisor died after it had given the compressed file its name.
  [{ '': '0', '.1': '1', '.1.gz': '1', '.2': '2' }, 3, { '.1': '0', '.2': '1', '.2.gz': '1', '.3': '2' }],
  [{ '.1': '1' }, 3, { '.2': '1' }],
  [{ '': '0', '.4.gz': '4' }, 3, { '.1': '0', '.4.gz': '4' }],
];
test('a million backups configured and two existing: the directory is read once', async (t) => {
  const log = new Log({ maxBytes: 5, backups: 1_000_000, compress: true });
  log.put('x.log.7.gz', '7\n');
  for (const name of ['x.log.08', 'x.log.0', 'x.log.-1', 'x.log.1e3', 'x.log.9.tmp', 'y.log.1', 'x.log.1000000'])
    log.put(name, name);
  const beganMs = performance.now();
  await log.write('one 1\n');
  await log.until(() => log.exists('.1.gz') && !log.exists('.1'));
  t.diagnostic(`${Math.round(performance.now() - beganMs)} ms`);
  assert.deepEqual(readdirSync(log.folder), [
    'x.log',
    'x.log.-1',
    'x.log.0',
    'x.log.08',
    'x.log.1.gz',
    'x.log.1000000.gz',
    'x.log.1e3',
    'x.log.8.gz',
    'x.log.9.tmp',
    'y.log.1',
  ]);
  // Two look-ups for each of a million names take a minute.
  assert.ok(performance.now() - beganMs < 10_000);
  await log.sink.close();
});

for (const [before, backups, expected] of SHIFTS) {
  test(`shifting ${Object.keys(before).join(' ')} with ${backups} backups`, async () => {
    const log = new Log({});
    for (const [suffix, text] of Object.entries(before)) log.put(`x.log${suffix}`, text);
    await shiftBackups(log.path, backups);
    assert.deepEqual(log.files, expected);
  });
}

test('compressed backups keep mode and time, and several logs can be compressed', async () => {
  const log = new Log({ maxBytes: 10, backups: 20, compress: true });
  await log.write('first 1234\n');
  chmodSync(log.path, 0o640);
  for (let i = 2; i <= 15; i++) await log.write(`number ${String(i).padStart(4, '0')}\n`);
  await log.compressed();
  const { '': current, ...backups } = log.files;
  assert.equal(current, '');
  assert.deepEqual(
    Object.values(backups).sort(),
    ['first 1234\n', ...Array.from({ length: 14 }, (_, i) => `number ${String(i + 2).padStart(4, '0')}\n`)].sort(),
  );
  assert.equal(backups['.1.gz'], 'number 0015\n');
  assert.equal(backups['.15.gz'], 'first 1234\n');
  assert.deepEqual(log.problems, []);
  await log.sink.close();
});

test('a backup that is renamed while it is compressed is neither doubled nor lost', async () => {
  const log = new Log({ maxBytes: 84 * 36_001, backups: 3, compress: true });
  const big = `${'0123456789abcdefghijklmnopqrstuvwxyz'.repeat(1000)}\n`.repeat(84);
  await log.write(big);
  await log.until(() => log.exists('.gz.tmp'));
  // Two rotations while the first is at work.
  log.outlet.limit({ ...log.limits, maxBytes: 5 });
  await log.write('small 1\n');
  await log.write('small 2\n');
  await log.compressed();
  const { files } = log;
  assert.deepEqual(Object.keys(files), ['', '.1.gz', '.2.gz', '.3.gz']);
  assert.ok(files['.3.gz'] === big);
  assert.deepEqual([files['.1.gz'], files['.2.gz']], ['small 2\n', 'small 1\n']);
  await log.sink.close();
});

test('a backup that is removed while it is compressed leaves nothing', async () => {
  const log = new Log({ maxBytes: 17 * 200_000, backups: 1, compress: true });
  await log.write('0123456789abcdef\n'.repeat(200_000));
  await log.until(() => log.exists('.gz.tmp'));
  log.outlet.limit({ ...log.limits, maxBytes: 5 });
  await log.write('small 1\n');
  await log.compressed();
  assert.deepEqual(log.files, { '': '', '.1.gz': 'small 1\n' });
  await log.sink.close();
});

test('the work of a killed supervisor is finished: plain and half compressed backups', async () => {
  const log = new Log({ compress: true });
  log.put('x.log.1', 'one\n');
  log.put('x.log.2', 'two\n');
  log.put('x.log.2.gz', 'two\n');
  log.put('x.log.3.gz', 'three\n');
  writeFileSync(`${log.path}.gz.tmp`, gzipSync('one\n').subarray(0, 9));
  log.age(HOUR, 'x.log.1');
  chmodSync(`${log.path}.1`, 0o604);
  log.sink.open();
  await log.until(() => !log.exists('.1') && !log.exists('.2') && !log.exists('.gz.tmp'));
  assert.deepEqual(log.files, { '': '', '.1.gz': 'one\n', '.2.gz': 'two\n', '.3.gz': 'three\n' });
  const { mode, mtimeMs } = statSync(`${log.path}.1.gz`);
  assert.deepEqual([mode & 0o777, Math.round(mtimeMs / 1000)], [0o604, Math.round((log.clock.wall - HOUR) / 1000)]);
  await log.sink.close();
});

test('compress=true compresses old backups; compress=false leaves new ones plain', async () => {
  const log = new Log({ maxBytes: 5, backups: 5 });
  await log.write('one 1\n');
  await log.write('two 2\n');
  log.outlet.limit({ ...log.limits, compress: true });
  await log.until(() => log.exists('.1.gz') && log.exists('.2.gz') && !log.exists('.1') && !log.exists('.2'));
  log.outlet.limit({ ...log.limits, compress: false });
  await log.write('three\n');
  await log.write('four 4\n');
  assert.deepEqual(log.files, { '': '', '.1': 'four 4\n', '.2': 'three\n', '.3.gz': 'two 2\n', '.4.gz': 'one 1\n' });
  await log.sink.close();
});

test('closing stops a compression at once, and the next supervisor does it', async () => {
  const log = new Log({ maxBytes: 17 * 200_000, backups: 2, compress: true });
  const big = '0123456789abcdef\n'.repeat(200_000);
  await log.write(big);
  await log.until(() => log.exists('.gz.tmp'));
  await log.sink.close();
  assert.deepEqual(readdirSync(log.folder), ['x.log', 'x.log.1']);
  await log.restart();
  log.sink.open();
  await log.until(() => !log.exists('.1'));
  assert.ok(log.files['.1.gz'] === big);
  await log.sink.close();
});

test('a backup that cannot be compressed stays plain, with one report, and logging goes on', async () => {
  const log = new Log({ maxBytes: 5, backups: 5, compress: true });
  // Something in the way of the temporary name: root is refused too.
  mkdirSync(`${log.path}.gz.tmp`);
  await log.write('one 1\n');
  await log.until(() => log.problems.length > 0);
  await log.write('two 2\n');
  await log.write('three\n');
  await sleep(50);
  assert.equal(log.problems.length, 1);
  assert.match(log.problems[0] ?? '', /^cannot compress .*x\.log\.\d: .*; it stays uncompressed$/);
  rmSync(`${log.path}.gz.tmp`, { recursive: true });
  await log.write('four 4\n');
  await log.until(() => log.exists('.4.gz') && !log.exists('.4'));
  await log.until(() => ['.1', '.2', '.3'].every((suffix) => !log.exists(suffix)));
  assert.deepEqual(log.files, {
    '': '',
    '.1.gz': 'four 4\n',
    '.2.gz': 'three\n',
    '.3.gz': 'two 2\n',
    '.4.gz': 'one 1\n',
  });
  await log.sink.close();
});

test('a link or a fifo among the backups is neither followed nor waited for', async () => {
  const log = new Log({ maxBytes: 5, backups: 5, compress: true });
  execFileSync('mkfifo', [`${log.path}.1`]);
  execFileSync('ln', ['-s', '/etc/hostname', `${log.path}.2`]);
  await log.write('one 1\n');
  await log.until(() => log.exists('.1.gz') && !log.exists('.1'));
  assert.deepEqual(readdirSync(log.folder), ['x.log', 'x.log.1.gz', 'x.log.2', 'x.log.3']);
  assert.deepEqual(log.problems, []);
  await log.sink.close();
});

test('a client rotates a file at the end of its line, and only a file that has backups', async () => {
  const log = new Log({ backups: 2 });
  await log.sink.rotate();
  assert.deepEqual(log.files, { '': '' }, 'an empty file');
  await log.write('one\n');
  await log.sink.rotate();
  assert.deepEqual(log.files, { '': '', '.1': 'one\n' });
  await log.write('two');
  await log.sink.rotate();
  assert.deepEqual(log.files, { '': 'two', '.1': 'one\n' }, 'the line has not ended');
  await log.write(' is whole\nthree\n');
  assert.deepEqual(log.files, { '': 'three\n', '.1': 'two is whole\n', '.2': 'one\n' });
  await log.write('four');
  await log.sink.rotate();
  await log.sink.reopen();
  await log.write(' stays\n');
  assert.equal(log.files['']?.endsWith('four stays\n'), true, 'a reopened file is not rotated');
  log.outlet.limit({ ...log.limits, backups: 0 });
  await assert.rejects(log.sink.rotate(), /it has no backups/);
  assert.equal(log.files['']?.endsWith('four stays\n'), true);
  assert.deepEqual(log.problems, []);
});
