import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadAddon } from '../../../src/native/load.ts';
import { createAutoFile, findAutoFiles } from '../../../src/logs/auto-files.ts';
import { CompressionTurns } from '../../../src/logs/compression.ts';
import { FileOutlet } from '../../../src/logs/file-outlet.ts';
import { openPatiently } from '../../../src/logs/opened-file.ts';
import { PipeGrowth } from '../../../src/logs/outlets.ts';
import type { FileLimits, LogProblem } from '../../../src/logs/ports.ts';
import type { Sink } from '../../../src/logs/sink.ts';
import { FakeClock, put, makeSink } from './fakes.ts';

const natives = loadAddon();
const folder = mkdtempSync(join(tmpdir(), 'logs-'));
after(() => rmSync(folder, { recursive: true }));
let number = 0;

interface Log {
  readonly path: string;
  readonly sink: Sink;
  readonly outlet: FileOutlet;
  readonly clock: FakeClock;
  readonly problems: LogProblem[];
  write(text: string): Promise<void>;
  read(suffix?: string): string;
}

function logAt(path: string, maxBytes: number, backups: number, more: Partial<FileLimits> = {}): Log {
  const clock = new FakeClock();
  const problems: LogProblem[] = [];
  const report = (problem: LogProblem): void => {
    problems.push(problem);
  };
  const shared = { growth: new PipeGrowth(natives, clock), clock, turns: new CompressionTurns() };
  const limits = { maxBytes, backups, interval: null, compress: false, ...more };
  const sink = makeSink({
    name: path,
    outlet: (host) => new FileOutlet({ path, shared, host }, limits),
    natives,
    clock,
    report,
  });
  const outlet = sink.outlet as FileOutlet;
  return {
    path,
    sink,
    outlet,
    clock,
    problems,
    write: (text) => {
      put(sink, text);
      return sink.idle();
    },
    read: (suffix = '') => readFileSync(path + suffix, 'latin1'),
  };
}

function freshLog(maxBytes = 0, backups = 0, more: Partial<FileLimits> = {}): Log {
  return logAt(join(folder, `${++number}.log`), maxBytes, backups, more);
}

/**
 * Returns the files that the real Supervisor makes of ten-byte lines `line 0000\n` …, by the end of their names.
 */
function supervisorFiles(lines: number, maxBytes: number, backups: number): Record<string, string> {
  const directory = mkdtempSync(join(folder, 'real-'));
  const program = [
    'import sys',
    'from supervisor.loggers import getLogger, handle_file',
    'log = getLogger()',
    'handle_file(log, sys.argv[1], "%(message)s", rotating=True, maxbytes=int(sys.argv[3]), backups=int(sys.argv[4]))',
    'for i in range(int(sys.argv[2])): log.info(b"line %04d\\n" % i)',
  ].join('\n');
  execFileSync('/usr/bin/python3', [
    '-c',
    program,
    join(directory, 'x.log'),
    String(lines),
    String(maxBytes),
    String(backups),
  ]);
  return filesIn(directory, 'x.log', backups);
}

function filesIn(directory: string, name: string, backups: number): Record<string, string> {
  const files: Record<string, string> = {};
  for (let i = 0; i <= backups + 2; i++) {
    const path = join(directory, i === 0 ? name : `${name}.${i}`);
    if (existsSync(path)) files[i] = readFileSync(path, 'latin1');
  }
  return files;
}

for (const [lines, maxBytes, backups] of [
  [25, 50, 3],
  [7, 50, 3],
  [100, 35, 2],
  [12, 20, 0],
  [5, 50, 1],
  [10, 5, 4],
] as const) {
  test(`rotation makes the files of Supervisor: ${lines} lines, maxbytes ${maxBytes}, backups ${backups}`, async () => {
    const expected = supervisorFiles(lines, maxBytes, backups);
    const text = Array.from({ length: lines }, (_, i) => `line ${String(i).padStart(4, '0')}\n`);
    // The last run writes all lines in a single piece: a file still ends at the line that reaches the limit.
    for (const pieces of [text, [text.join('')]]) {
      const directory = mkdtempSync(join(folder, 'ours-'));
      const log = logAt(join(directory, 'x.log'), maxBytes, backups);
      for (const piece of pieces) await log.write(piece);
      assert.deepEqual(filesIn(directory, 'x.log', backups), expected);
      await log.sink.close();
    }
  });
}

test('an existing file is appended to, and its size counts against maxbytes', async () => {
  const log = freshLog(10, 1);
  writeFileSync(log.path, 'old 1234\n');
  await log.write('a\n');
  await log.write('b\n');
  assert.deepEqual([log.read('.1'), log.read()], ['old 1234\na\n', 'b\n']);
});

test('without a limit nothing is ever rotated', async () => {
  const log = freshLog(0, 5);
  await log.write('x'.repeat(100_000));
  assert.equal(log.read().length, 100_000);
  assert.equal(existsSync(`${log.path}.1`), false);
});

test('the umask decides on the permissions of a log file', async () => {
  const log = freshLog();
  const before = process.umask(0o027);
  await log.write('x');
  process.umask(before);
  assert.equal(statSync(log.path).mode & 0o777, 0o640);
});

test('a renamed file is written to until the log is reopened', async () => {
  const log = freshLog();
  await log.write('one\n');
  renameSync(log.path, `${log.path}.moved`);
  await log.write('two\n');
  await log.sink.reopen();
  await log.write('three\n');
  assert.deepEqual([log.read('.moved'), log.read()], ['one\ntwo\n', 'three\n']);
});

test('rotation does not touch another file that got the name of a renamed log', async () => {
  const log = freshLog(10, 3);
  await log.write('one\n');
  renameSync(log.path, `${log.path}.moved`);
  writeFileSync(log.path, 'of others\n');
  await log.write('two two two\n');
  await log.write('new\n');
  assert.deepEqual([log.read('.moved'), existsSync(`${log.path}.2`)], ['one\ntwo two two\n', false]);
  assert.deepEqual([log.read('.1'), log.read()], ['of others\nnew\n', '']);
});

test('a deleted file is created again at the next rotation', async () => {
  const log = freshLog(10, 3);
  await log.write('one\n');
  rmSync(log.path);
  await log.write('two two two\n');
  await log.write('new\n');
  assert.equal(log.read(), 'new\n');
  assert.equal(existsSync(`${log.path}.1`), false);
});

test('a file that another process truncated is not rotated for its old size', async () => {
  const log = freshLog(10, 3);
  await log.write('12345678\n');
  truncateSync(log.path);
  await log.write('ab\n');
  assert.equal(log.read(), 'ab\n');
  assert.equal(existsSync(`${log.path}.1`), false);
});

test('a file without output is closed, and the first bytes open it again, also after each operation', async () => {
  const log = logAt(join(folder, `silent-${number++}.log`), 0, 1);
  const openingOf = async (operation: () => void | Promise<void>): Promise<unknown> => {
    await operation();
    await log.sink.idle();
    return log.outlet.openFile;
  };
  assert.equal(await openingOf(() => log.sink.open()), null);
  assert.equal(log.read(), '');
  rmSync(log.path);
  // The next run of the program costs no system call, and the file is as if it were open.
  assert.equal(await openingOf(() => log.sink.open()), null);
  assert.equal(existsSync(log.path), false);
  assert.equal(await openingOf(() => log.sink.reopen()), null);
  assert.equal(existsSync(log.path), true, 'reopen makes the file, as after logrotate');
  rmSync(log.path);
  assert.equal(await openingOf(() => log.sink.clear()), null);
  assert.equal(existsSync(log.path), true);
  assert.equal(await openingOf(() => log.sink.rotate()), null);
  await log.write('one\n');
  assert.equal(log.read(), 'one\n');
  assert.ok(log.outlet.openFile instanceof Object);
  assert.equal(await openingOf(() => log.sink.reopen()), null, 'nothing was written since');
  await log.write('two\n');
  assert.equal(log.read(), 'one\ntwo\n');
  await log.sink.close();
  assert.deepEqual(log.problems, []);
});

test('output for a silent file waits for a free descriptor, and is not dropped', async () => {
  const clock = new FakeClock();
  const told: string[] = [];
  let tries = 0;
  const opening = openPatiently(
    async () => {
      if (tries++ < 3) throw Object.assign(new Error('too many open files'), { code: 'EMFILE', syscall: 'open' });
    },
    clock,
    (reason) => told.push(reason),
  );
  for (let turn = 0; turn < 4; turn++) {
    await new Promise(setImmediate);
    clock.advance(100);
  }
  await opening;
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /too many open files/);
  const refused = openPatiently(
    async () => {
      throw Object.assign(new Error('no'), { code: 'EACCES', syscall: 'open' });
    },
    clock,
    (reason) => told.push(reason),
  );
  await assert.rejects(refused, { code: 'EACCES' });
  assert.equal(told.length, 1);
});

test('clear creates the file anew under its name', async () => {
  const log = freshLog();
  await log.write('one\n');
  await log.sink.clear();
  assert.equal(log.read(), '');
  await log.write('two\n');
  assert.equal(log.read(), 'two\n');
});

test('a failed rotation is reported once, and the file grows', async () => {
  const log = freshLog(10, 1);
  // A directory in the place of the backup, with something in it: nothing can be renamed over it, by root neither.
  mkdirSync(`${log.path}.1`);
  writeFileSync(join(`${log.path}.1`, 'x'), '');
  await log.write('0123456789\n');
  await log.write('a\n');
  assert.equal(log.read(), '0123456789\na\n');
  assert.equal(log.problems.length, 1);
  assert.match(
    (log.problems[0] as LogProblem).text,
    /^cannot rotate .*: .*\((EISDIR|ENOTEMPTY|EEXIST)\); it keeps growing$/,
  );
});

test('a path that cannot be opened is reported once, and output is dropped until the path can be opened', async () => {
  const log = logAt(join(folder, 'missing', 'x.log'), 0, 0);
  log.sink.open();
  await log.write('lost\n');
  await log.write('lost\n');
  assert.deepEqual(
    log.problems.map((problem) => problem.text),
    [
      `cannot write ${log.path}: no such file or directory (ENOENT); ` +
        'output for it is dropped until it can be written again',
    ],
  );
  mkdirSync(join(folder, 'missing'));
  log.clock.advance(60_000);
  await log.write('kept\n');
  assert.equal(log.read(), 'kept\n');
  assert.equal(log.problems[1]?.text, `${log.path} is written again; 2 lines (10 bytes) for it were dropped`);
});

test('a device is written, never rotated, cleared or removed', async () => {
  const log = logAt('/dev/full', 10, 3);
  await log.write('0123456789\n');
  assert.match(log.problems[0]?.text ?? '', /no space left on device/);
  const link = join(folder, 'null.log');
  symlinkSync('/dev/null', link);
  const sunk = logAt(link, 10, 3);
  await sunk.write('0123456789\n0123456789\n');
  await sunk.sink.clear();
  await sunk.sink.reopen();
  assert.deepEqual(
    [
      sunk.problems.length,
      existsSync(`${link}.1`),
      statSync('/dev/null').isCharacterDevice(),
      statSync(link).isCharacterDevice(),
    ],
    [0, false, true, true],
  );
});

test('a fifo without a reader drops output, a reader gets whole lines, and a fifo is never rotated', async () => {
  const path = join(folder, 'fifo');
  execFileSync('mkfifo', [path]);
  const log = logAt(path, 10, 3);
  await log.write('nobody reads\n');
  assert.match(log.problems[0]?.text ?? '', /ENXIO/);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  await log.write('0123456789\nabc\n');
  const buffer = Buffer.alloc(100);
  assert.equal(buffer.toString('latin1', 0, readSync(reader, buffer)), '0123456789\nabc\n');
  closeSync(reader);
  await log.write('nobody again\n');
  assert.equal(existsSync(`${path}.1`), false);
  await log.sink.close();
});

test("AUTO files have Supervisor's names, and a search finds them and their backups only", () => {
  const directory = mkdtempSync(join(folder, 'auto-'));
  const path = createAutoFile(directory, 'web_00', 'stdout', 'super+visor');
  assert.match(path, /\/web_00-stdout---super\+visor-[a-z0-9_]{8}\.log$/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  writeFileSync(`${path}.1`, '');
  for (const other of ['web_00-stdout---other-abcdefgh.log', 'web.log', 'web_00-stdout---superrvisor-abcdefgh.log'])
    writeFileSync(join(directory, other), '');
  assert.deepEqual(findAutoFiles(directory, 'super+visor').sort(), [path, `${path}.1`]);
});
