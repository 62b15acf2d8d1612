import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadAddon } from '../../../src/native/load.ts';
import { Sequence } from '../../../src/core/sequence.ts';
import { LogHub } from '../../../src/logs/hub.ts';
import { levels as LEVELS } from '../../../src/core/log-level.ts';
import type { Level } from '../../../src/core/log-level.ts';
import { formatOwnText } from '../../../src/logs/own-line-format.ts';
import type { LogTarget, MainLogSpec } from '../../../src/logs/ports.ts';
import { FakeClock } from './fakes.ts';

const natives = loadAddon();
const folder = mkdtempSync(join(tmpdir(), 'logs-'));
after(() => rmSync(folder, { recursive: true }));
let number = 0;

interface Scene {
  readonly hub: LogHub;
  readonly clock: FakeClock;
  readonly path: string;
  out(): string;
  err(): string;
  end(): Promise<void>;
}

/** A hub whose streams are files. */
function scene(spec: Partial<MainLogSpec>): Scene {
  const base = join(folder, String(++number));
  const [outPath, errPath, path] = [`${base}.out`, `${base}.err`, `${base}.log`];
  const streams = { 1: openSync(outPath, 'w'), 2: openSync(errPath, 'w') };
  const clock = new FakeClock();
  const hub = new LogHub(
    { natives, clock, sequence: new Sequence(), color: 'auto', noColor: false, streams },
    { level: 'info', targets: [], console: null, name: 'onevisor', tailBytes: 65536, ...spec },
  );
  return {
    hub,
    clock,
    path,
    out: () => readFileSync(outPath, 'utf8'),
    err: () => readFileSync(errPath, 'utf8'),
    end: async () => {
      await hub.close();
      closeSync(streams[1]);
      closeSync(streams[2]);
    },
  };
}

function file(path: string, maxBytes = 0, backups = 0): LogTarget {
  return { kind: 'file', path, maxBytes, backups, interval: null, compress: false, format: 'raw' };
}

function stream(format: LogTarget['format'], which: 1 | 2 = 1): LogTarget {
  return { kind: 'container', stream: which, format };
}

/** Formats a line as Supervisor does. */
function formatMainLine(level: Level, text: string, wallMs: number): string {
  return formatOwnText({ level, text, wallMs });
}

test('at every level, a line is byte for byte a line of Supervisor', () => {
  const program = [
    // A fraction that a float holds exactly: Python cuts what is below it.
    'import sys, time',
    'from supervisor import loggers',
    'loggers.time.time = lambda: 1767268800.125',
    'log = loggers.getLogger(loggers.LevelsByName.BLAT)',
    'loggers.handle_stdout(log, "%(asctime)s %(levelname)s %(message)s\\n")',
    'for handler in log.handlers: handler.level = loggers.LevelsByName.BLAT',
    'for name in sys.argv[1:]: getattr(log, name)("spawned: \'web\' with pid 7\\u00e9")',
  ].join('\n');
  const theirs = execFileSync('/usr/bin/python3', ['-c', program, ...LEVELS], {
    encoding: 'utf8',
    env: { ...process.env, PYTHONIOENCODING: 'utf8' },
  });
  assert.equal(
    LEVELS.map((level) => formatMainLine(level, "spawned: 'web' with pid 7\u00e9", 1767268800125)).join(''),
    theirs,
  );
});

test('lines below the level are not written, and the level can be changed', async () => {
  const { hub, out, end } = scene({ console: stream('raw'), level: 'warn' });
  for (const level of LEVELS) hub.mainLog.write(level, level);
  hub.mainLog.setLevel('blather');
  assert.equal(hub.mainLog.isEnabled('trace'), true);
  hub.mainLog.write('trace', 'late');
  await end();
  assert.deepEqual(
    out()
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split(' ').slice(2).join(' ')),
    ['CRIT critical', 'ERRO error', 'WARN warn', 'TRAC late'],
  );
});

test('file, console and tail get each line', async () => {
  const log = join(folder, 'main.log');
  const { hub, out, end } = scene({ console: stream('prefix'), targets: [file(log)] });
  const heard: string[] = [];
  const stop = hub.mainLog.onBytes((bytes) => heard.push(bytes.toString()));
  hub.mainLog.write('info', 'one');
  stop();
  hub.mainLog.write('info', 'two');
  await end();
  const expected = formatMainLine('info', 'one', 1767268800123) + formatMainLine('info', 'two', 1767268800123);
  assert.deepEqual(
    [out(), readFileSync(log, 'utf8'), hub.mainLog.readLog(0, 0)?.toString()],
    [expected, expected, expected],
  );
  assert.deepEqual(heard, [formatMainLine('info', 'one', 1767268800123)]);
});

test('logfile=/dev/stdout with a console on stdout writes each line once', async () => {
  const { hub, out, end } = scene({ console: stream('raw'), targets: [file('/dev/stdout', 50_000, 10)] });
  hub.mainLog.write('info', 'once');
  await end();
  assert.equal(out(), formatMainLine('info', 'once', 1767268800123));
});

test('json and logfmt on the console have the level; the file stays as Supervisor writes it', async () => {
  const log = join(folder, 'format.log');
  const { hub, out, end } = scene({ console: stream('json'), targets: [file(log)] });
  hub.mainLog.write('critical', 'x "y"');
  hub.mainLog.configure({
    level: 'info',
    targets: [file(log)],
    console: stream('logfmt'),
    name: 'onevisor',
    tailBytes: 100,
  });
  hub.mainLog.write('warn', 'z');
  await end();
  const [first = '', second] = out().split('\n');
  assert.deepEqual(JSON.parse(first), {
    time: '2026-01-01T12:00:00.123Z',
    level: 'critical',
    program: 'onevisor',
    event: 'message',
    pid: process.pid,
    message: 'x "y"',
  });
  assert.equal(
    second,
    `time=2026-01-01T12:00:00.123Z level=warn program=onevisor event=message pid=${process.pid} message="z"`,
  );
  assert.equal(
    readFileSync(log, 'utf8'),
    formatMainLine('critical', 'x "y"', 1767268800123) + formatMainLine('warn', 'z', 1767268800123),
  );
});

test('silent writes nothing to the streams', async () => {
  const { hub, out, err, end } = scene({ targets: [file(join(folder, 'silent.log'))] });
  hub.mainLog.write('critical', 'x');
  await end();
  assert.deepEqual([out(), err()], ['', '']);
});

test('the file is rotated, cleared and reopened', async () => {
  const log = join(folder, 'rotated.log');
  const { hub, end } = scene({ targets: [file(log, 60, 2)] });
  for (const text of ['a', 'b', 'c', 'd', 'e']) {
    hub.mainLog.write('info', text.repeat(40));
    await hub.flush(10_000);
  }
  assert.deepEqual([existsSync(`${log}.2`), existsSync(`${log}.3`)], [true, false]);
  assert.match(readFileSync(`${log}.1`, 'utf8'), /INFO e+\n$/);
  await hub.mainLog.clear();
  assert.equal(hub.mainLog.tail(0, 100).bytes.length, 0);
  assert.equal(readFileSync(log, 'utf8'), '');
  rmSync(log);
  await hub.reopen();
  assert.equal(existsSync(log), true);
  await end();
});

test('a file that cannot be written is reported once, on the console or else on stderr', async () => {
  const path = join(folder, 'none', 'x.log');
  for (const console of [stream('raw'), null]) {
    const { hub, out, err, end } = scene({ targets: [file(path)], console });
    for (let i = 0; i < 3; i++) {
      hub.mainLog.write('info', 'x');
      await hub.flush(10_000);
    }
    await end();
    const said = console === null ? err() : out();
    assert.equal(said.match(/ERRO cannot write .*\/none\/x\.log: no such file or directory \(ENOENT\)/g)?.length, 1);
    assert.equal(console === null ? out() : err(), '');
  }
});

test('lines for /dev/full as our stdout are dropped, and stderr reports it', async () => {
  const clock = new FakeClock();
  const errPath = join(folder, 'full.err');
  const streams = { 1: openSync('/dev/full', 'w'), 2: openSync(errPath, 'w') };
  const hub = new LogHub(
    { natives, clock, sequence: new Sequence(), color: 'never', noColor: true, streams },
    { level: 'info', targets: [], console: stream('raw'), name: 'onevisor', tailBytes: 0 },
  );
  for (let i = 0; i < 5; i++) {
    hub.mainLog.write('info', 'x');
    await hub.flush(10_000);
  }
  await hub.close();
  closeSync(streams[1]);
  closeSync(streams[2]);
  assert.equal(
    readFileSync(errPath, 'utf8').match(/ERRO cannot write standard output: no space left on device \(ENOSPC\)/g)
      ?.length,
    1,
  );
});

test('a missing syslog is reported once, and other targets lose nothing', async () => {
  const { hub, err, end } = scene({ targets: [{ kind: 'syslog', format: 'raw' }], console: stream('raw', 2) });
  hub.mainLog.write('info', 'x');
  await Promise.resolve();
  hub.openChannel({
    group: 'g',
    program: 'p',
    process: 'p',
    stream: 'stdout',
    targets: [{ kind: 'syslog', format: 'raw' }],
    style: {
      prefix: null,
      prefixWidth: 24,
      timestamp: 'none',
      jsonLines: 'nest',
      partialAfterMs: 5000,
      multiline: null,
    },
    stripAnsi: false,
    captureMaxBytes: 0,
    tailBytes: 0,
  });
  await Promise.resolve();
  await end();
  assert.equal(err().match(/cannot write syslog/g)?.length, 1);
  assert.match(err(), /INFO x\n/);
});

test('each line goes to all targets, and clear empties files but not the queue of a stream', async () => {
  const paths = ['first', 'second'].map((name) => join(folder, `several-${name}.log`));
  const { hub, out, err, end } = scene({
    targets: [stream('json', 2), ...paths.map((path) => file(path)), stream('raw')],
    console: stream('raw'),
  });
  hub.mainLog.write('info', 'one');
  await hub.flush(10_000);
  assert.deepEqual(
    paths.map((path) => readFileSync(path, 'utf8')),
    [1, 2].map(() => formatMainLine('info', 'one', 1767268800123)),
  );
  hub.mainLog.write('info', 'two');
  await hub.mainLog.clear();
  assert.deepEqual(
    [...paths.map((path) => readFileSync(path, 'utf8')), hub.mainLog.readLog(0, 0)?.toString()],
    ['', '', ''],
  );
  for (const path of paths) rmSync(path);
  await hub.mainLog.reopen();
  hub.mainLog.write('info', 'three');
  await end();
  assert.deepEqual(
    paths.map((path) => readFileSync(path, 'utf8')),
    [1, 2].map(() => formatMainLine('info', 'three', 1767268800123)),
  );
  assert.equal(out(), ['one', 'two', 'three'].map((text) => formatMainLine('info', text, 1767268800123)).join(''));
  assert.deepEqual(
    err()
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { message: string }).message),
    ['one', 'two', 'three'],
  );
});

test('control characters are escaped, and a long line is shortened', async () => {
  const { hub, out, end } = scene({ targets: [stream('raw')], console: null });
  hub.mainLog.write('info', 'a\x1b[2Jb\x07\u009b\r\ntwo\tlines');
  hub.mainLog.write('info', '\x1b'.repeat(1_000_000));
  await end();
  assert.ok(out().includes('INFO a\\u001b[2Jb\\u0007\\u009b\\r\ntwo\tlines\n'), out().slice(0, 200));
  assert.ok(out().length < 200_000, `${out().length} characters`);
});
