import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { channelSpec, stdoutAs } from './logs-fixtures.ts';
import { LogScene, startInto } from './logs-scene.ts';
import { addon, ending } from './programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'logs-'));
after(() => rmSync(folder, { recursive: true }));

/** Returns O_NONBLOCK of an open file description, from /proc. */
function isNonBlocking(fd: number): boolean {
  const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'));
  return (parseInt(flags?.[1] ?? '', 8) & 0o4000) !== 0;
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

test('several programs on one stream: whole lines with names, in order, without loss', async () => {
  const scene = new LogScene();
  const names = ['web', 'worker', 'db'];
  const channels = names.map((name) => scene.hub.openChannel(channelSpec(name)));
  const runs = channels.map((channel) => startInto(channel, 'for i in $(seq 1 2000); do echo "line $i"; done'));
  await Promise.all(runs.map(({ intake }) => intake.ended));
  await scene.end();
  const lines = scene.out.text.split('\n');
  assert.equal(lines.pop(), '');
  for (const name of names) {
    const own = lines.filter((line) => line.startsWith(`${name.padEnd(6)} | `));
    assert.deepEqual(
      own,
      Array.from({ length: 2000 }, (_, i) => `${name.padEnd(6)} | line ${i + 1}`),
    );
  }
  assert.equal(lines.length, 6000);
});

test('a shared file description keeps its flags, and our own is closed at the end', async () => {
  const before = openDescriptors();
  const scene = new LogScene();
  const run = startInto(scene.hub.openChannel(channelSpec('web')), 'echo hello');
  await run.intake.ended;
  await scene.hub.flush(10_000);
  assert.deepEqual([isNonBlocking(scene.out.fd), isNonBlocking(scene.err.fd)], [false, false]);
  await scene.end();
  assert.equal(scene.out.text, 'web | hello\n');
  assert.equal(openDescriptors(), before);
});

test('a prompt without newline is written after a pause, and its line goes on later', async () => {
  const scene = new LogScene();
  const run = startInto(scene.hub.openChannel(channelSpec('ask')), 'printf "name? "; read name; echo "$name!"', {
    stdin: 'pipe',
  });
  await scene.out.until(/name\? $/);
  writeSync(run.stdin as number, 'bob\n');
  await run.intake.ended;
  closeSync(run.stdin as number);
  await scene.end();
  assert.equal(scene.out.text, 'ask | name? bob!\n');
});

test('a program that closes its stdout and lives on costs no descriptor and no wakeup', async () => {
  const scene = new LogScene();
  const channel = scene.hub.openChannel(channelSpec('daemon'));
  const before = openDescriptors();
  const run = startInto(channel, 'echo started; exec >/dev/null 2>&1; exec sleep 1000');
  await run.intake.ended;
  await scene.hub.flush(10_000);
  assert.equal(openDescriptors() - before, 0);
  assert.equal(addon.kill(run.pid, 0), 0, 'the program still runs');
  assert.equal(scene.clock.alarms, 0);
  addon.kill(run.pid, 9);
  await ending(run.pid);
  await scene.end();
});

test('a quiet program sets no alarm', async () => {
  const scene = new LogScene();
  const run = startInto(
    scene.hub.openChannel(channelSpec('quiet')),
    'echo ready; read line; printf partial; read line',
    { stdin: 'pipe' },
  );
  await scene.out.until(/ready\n/);
  assert.equal(scene.clock.alarms, 0);
  writeSync(run.stdin as number, '\n');
  await scene.out.until(/partial$/);
  assert.equal(scene.clock.alarms, 0);
  closeSync(run.stdin as number);
  await run.intake.ended;
  await scene.end();
});

test('drained: all output of an ended program is read, although a grandchild holds the pipe', async () => {
  const scene = new LogScene();
  const channel = scene.hub.openChannel(channelSpec('parent', { targets: [] }));
  let taken = 0;
  channel.onBytes((bytes) => {
    taken += bytes.length;
  });
  const run = startInto(channel, '(trap "" HUP; exec sleep 1000) & echo $!; head -c 50000 /dev/zero');
  await ending(run.pid);
  await run.intake.drained();
  const grandchild = Number(channel.readLog(0, 20)?.toString().split('\n')[0]);
  assert.equal(taken, 50_000 + `${grandchild}\n`.length);
  let hasEnded = false;
  void run.intake.ended.then(() => {
    hasEnded = true;
  });
  await channel.drained();
  assert.equal(hasEnded, false);
  process.kill(grandchild, 'SIGKILL');
  await run.intake.ended;
  await scene.end();
});

test('drained resolves although a grandchild writes without end', async () => {
  const scene = new LogScene();
  const channel = scene.hub.openChannel(channelSpec('parent', { targets: [] }));
  const run = startInto(channel, 'yes & echo $! >&2; exit 0', { stderr: 'null', leadership: 'group' });
  await ending(run.pid);
  await run.intake.drained();
  addon.kill(-run.pid, 9);
  await run.intake.ended;
  await scene.end();
});

test('two pipes of one channel have a partial line each', async () => {
  const scene = new LogScene();
  const channel = scene.hub.openChannel(channelSpec('app'));
  const first = startInto(channel, 'printf "first "; read line; echo done', { stdin: 'pipe' });
  await scene.out.until(/first $/);
  const second = startInto(channel, 'echo second');
  await second.intake.ended;
  writeSync(first.stdin as number, '\n');
  await first.intake.ended;
  closeSync(first.stdin as number);
  await scene.end();
  assert.equal(scene.out.text, 'app | first \napp | second\napp | done\n');
});

test('each of several targets gets all output in its own format', async () => {
  const path = join(folder, 'list.log');
  const scene = new LogScene();
  const channel = scene.hub.openChannel(
    channelSpec('web', {
      targets: [
        stdoutAs('json'),
        { kind: 'file', path, maxBytes: 0, backups: 0, interval: null, compress: false, format: 'raw' },
        {
          kind: 'file',
          path: '/dev/stderr',
          maxBytes: 50,
          backups: 3,
          interval: null,
          compress: false,
          format: 'prefix',
        },
      ],
    }),
  );
  const run = startInto(channel, 'echo one; echo two; printf three');
  await run.intake.ended;
  await scene.end();
  assert.equal(readFileSync(path, 'latin1'), 'one\ntwo\nthree');
  assert.deepEqual(
    scene.out.text
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { message: string; pid: number }).message),
    ['one', 'two', 'three'],
  );
  assert.equal(scene.err.text, 'web | one\nweb | two\nweb | three\n');
});

test('stdout and stderr of a process in one file are whole lines', async () => {
  const path = join(folder, 'both.log');
  const target = {
    kind: 'file',
    path,
    maxBytes: 0,
    backups: 0,
    interval: null,
    compress: false,
    format: 'raw',
  } as const;
  const scene = new LogScene();
  const out = scene.hub.openChannel(channelSpec('web', { targets: [target] }));
  const err = scene.hub.openChannel(channelSpec('web', { targets: [target], stream: 'stderr' }));
  const line = (letter: string): string => letter.repeat(30);
  const runs = [startInto(out, `yes ${line('o')} | head -n 20000`), startInto(err, `yes ${line('e')} | head -n 20000`)];
  await Promise.all(runs.map(({ intake }) => intake.ended));
  await scene.end();
  const lines = readFileSync(path, 'latin1').split('\n').slice(0, -1);
  assert.equal(lines.length, 40_000);
  assert.deepEqual([...new Set(lines)].sort(), [line('e'), line('o')]);
});

test('a program without a log has a tail, which goes on across runs and can be cleared', async () => {
  const scene = new LogScene();
  const channel = scene.hub.openChannel(channelSpec('web', { targets: [] }));
  await startInto(channel, 'echo run one').intake.ended;
  await startInto(channel, 'echo run two').intake.ended;
  assert.equal(channel.tail(0, 100).bytes.toString(), 'run one\nrun two\n');
  await channel.clear();
  assert.equal(channel.tail(0, 100).bytes.length, 0);
  await scene.end();
});

test('tail, listeners and targets get output without escape sequences and captured sections', async () => {
  const scene = new LogScene();
  const channel = scene.hub.openChannel(channelSpec('web', { stripAnsi: true, captureMaxBytes: 100 }));
  const heard: string[] = [];
  const captured: string[] = [];
  channel.onBytes((bytes) => heard.push(bytes.toString()));
  channel.onCapture((bytes) => captured.push(bytes.toString()));
  const run = startInto(
    channel,
    'printf "\\033[3"; read a; printf "1mred\\033[0m<!--XSUPERVISOR:BE"; read a; ' +
      'echo "GIN-->secret<!--XSUPERVISOR:END-->!"',
    { stdin: 'pipe' },
  );
  writeSync(run.stdin as number, '\n\n');
  await run.intake.ended;
  closeSync(run.stdin as number);
  await scene.end();
  assert.deepEqual(
    [heard.join(''), captured, channel.tail(0, 100).bytes.toString(), scene.out.text],
    ['red!\n', ['secret'], 'red!\n', 'web | red!\n'],
  );
});

test('configure changes target and format from the next line on, while the program runs', async () => {
  const path = join(folder, 'configured.log');
  const scene = new LogScene();
  const channel = scene.hub.openChannel(channelSpec('web'));
  const run = startInto(channel, 'echo one; read line; echo two', { stdin: 'pipe' });
  await scene.out.until(/one\n/);
  channel.configure(
    channelSpec('web', {
      targets: [{ kind: 'file', path, maxBytes: 0, backups: 0, interval: null, compress: false, format: 'raw' }],
    }),
  );
  writeSync(run.stdin as number, '\n');
  await run.intake.ended;
  closeSync(run.stdin as number);
  await scene.end();
  assert.deepEqual([scene.out.text, readFileSync(path, 'latin1')], ['web | one\n', 'two\n']);
});

test('reopen and clear of a channel and of all', async () => {
  const path = join(folder, 'reopened.log');
  const scene = new LogScene();
  const channel = scene.hub.openChannel(
    channelSpec('web', {
      targets: [{ kind: 'file', path, maxBytes: 0, backups: 0, interval: null, compress: false, format: 'raw' }],
    }),
  );
  await startInto(channel, 'echo one').intake.ended;
  await scene.hub.flush(10_000);
  assert.equal(readFileSync(path, 'latin1'), 'one\n');
  await channel.clear();
  assert.equal(readFileSync(path, 'latin1'), '');
  rmSync(path);
  await scene.hub.reopen();
  assert.equal(existsSync(path), true);
  rmSync(path);
  await channel.reopen();
  assert.equal(existsSync(path), true);
  await scene.end();
});

test('a log that cannot be opened is reported, and the program is still read', async () => {
  const scene = new LogScene();
  const channel = scene.hub.openChannel(
    channelSpec('web', {
      targets: [
        {
          kind: 'file',
          path: '/nowhere/x.log',
          maxBytes: 0,
          backups: 0,
          interval: null,
          compress: false,
          format: 'raw',
        },
      ],
    }),
  );
  const run = startInto(channel, 'head -c 1000000 /dev/zero');
  await run.intake.ended;
  await scene.end();
  assert.equal(
    scene.err.text.match(/ERRO cannot write \/nowhere\/x\.log: no such file or directory \(ENOENT\)/g)?.length,
    1,
  );
});

test('the pipes of a flood grow, other pipes do not', async () => {
  const scene = new LogScene();
  const channel = scene.hub.openChannel(channelSpec('web'));
  const usual = addon.pipeSize(scene.out.fd);
  await startInto(channel, 'echo trickle').intake.ended;
  await scene.hub.flush(10_000);
  assert.equal(addon.pipeSize(scene.out.fd), usual);
  await startInto(channel, `yes ${'x'.repeat(90)} | head -c 30000000`).intake.ended;
  await scene.hub.flush(10_000);
  assert.ok(addon.pipeSize(scene.out.fd) > usual);
  await scene.end();
});
