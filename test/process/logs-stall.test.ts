import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer, connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { LogTarget } from '../../src/logs/ports.ts';
import { channelSpec, stdoutAs } from './logs-fixtures.ts';
import { LogScene, startInto } from './logs-scene.ts';
import { addon, ending, rootSkip, run, shell, untilBlocked } from './programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'logs-'));
after(() => rmSync(folder, { recursive: true }));

/** Writes numbered lines as fast as a pipe takes them. */
function counting(name: string, lines: number): string {
  return `exec seq -f '${name} %.0f ${'x'.repeat(80)}' 1 ${lines}`;
}

test('a stalled reader stops ten flooding programs but no other, without loss or growing memory', async () => {
  const scene = new LogScene({}, undefined, 0.01);
  const lines = 100_000;
  const names = Array.from({ length: 10 }, (_, i) => `p${i}`);
  const channels = names.map((name) => scene.hub.openChannel(channelSpec(name)));
  // Open this one first, since its name makes the prefix of all lines wider.
  const otherChannel = scene.hub.openChannel(channelSpec('other', { targets: [stdoutAs('prefix', 2)] }));
  scene.out.stall();
  const before = process.memoryUsage().rss;
  const runs = channels.map((channel, i) => startInto(channel, counting(names[i] as string, lines)));
  await Promise.all(runs.map(({ pid }) => untilBlocked(pid)));

  const other = startInto(otherChannel, 'echo "stderr flows"');
  await other.intake.ended;
  await scene.err.until(/other \| stderr flows\n/);
  for (let i = 0; i < 50_000; i++) scene.say('info', `own line ${i} ${'y'.repeat(80)}`);
  const grown = process.memoryUsage().rss - before;
  assert.ok(grown < 64e6, `${grown} bytes more`);

  scene.out.goOn();
  await Promise.all(runs.map(({ intake }) => intake.ended));
  await scene.end();
  const counters = new Map(names.map((name) => [name, 0]));
  for (const line of scene.out.text.split('\n').slice(0, -1)) {
    const [, prefix, name, number] = /^(p\d) {4}\| (p\d) (\d+) x{80}$/.exec(line) ?? [];
    assert.ok(prefix !== undefined && prefix === name, line);
    const next = (counters.get(prefix) as number) + 1;
    assert.equal(Number(number), next);
    counters.set(prefix, next);
  }
  assert.deepEqual(
    [...counters.values()],
    names.map(() => lines),
  );
});

test('a slow reader gets output of every program, not only of the fastest', async () => {
  const scene = new LogScene();
  const channels = ['a', 'b', 'c'].map((name) => scene.hub.openChannel(channelSpec(name)));
  scene.out.stall();
  const runs = channels.map((channel, i) => startInto(channel, `exec yes ${'abc'[i]}`));
  const wanted = 12e6;
  const round = 1e6;
  for (let size = round; size <= wanted; size += round) {
    // All programs wait before the reader continues, so the shares do not depend on the scheduler.
    await Promise.all(runs.map(({ pid }) => untilBlocked(pid)));
    scene.out.goOn();
    await scene.out.untilSize(size);
    scene.out.stall();
  }
  scene.out.goOn();
  for (const { pid } of runs) addon.kill(pid, 9);
  await Promise.all(runs.map(({ intake }) => intake.ended));
  await scene.end();
  const text = scene.out.text.slice(0, wanted);
  const shares = ['a', 'b', 'c'].map((name) => text.split(`\n${name} | `).length - 1);
  assert.ok(Math.min(...shares) * 4 > Math.max(...shares), String(shares));
});

test('a stalled stream does not stop the supervisor, which reports how many own lines were dropped', async () => {
  const scene = new LogScene({ console: stdoutAs('raw') });
  scene.out.stall();
  const count = 100_000;
  for (let i = 0; i < count; i++) scene.say('info', `own line ${i}`);
  const { unwrittenBytes } = await scene.hub.flush(1);
  assert.ok(unwrittenBytes > 0 && unwrittenBytes < 2e6, String(unwrittenBytes));
  scene.out.goOn();
  await scene.end();
  const lines = scene.out.text.split('\n').slice(0, -1);
  const said = /WARN (\d+) lines of this log were dropped: standard output did not take them$/.exec(lines.at(-1) ?? '');
  assert.equal(lines.length - 1 + Number(said?.[1]), count);
  assert.deepEqual(
    lines.slice(0, -1).map((line) => Number(line.split(' ').at(-1))),
    Array.from({ length: lines.length - 1 }, (_, i) => i),
  );
});

test('a stalled reader: the last output of a program comes before the line about its end', async () => {
  const scene = new LogScene({ console: stdoutAs('raw') });
  const run = startInto(scene.hub.openChannel(channelSpec('a')), 'sleep 1000 & exec yes line', { leadership: 'group' });
  scene.out.stall();
  await untilBlocked(run.pid);
  addon.kill(run.pid, 9);
  await ending(run.pid);
  run.intake.readRemaining();
  scene.say('info', 'exited: a');
  scene.out.goOn();
  await scene.out.until(/exited: a\n/);
  addon.kill(-run.pid, 9);
  await run.intake.ended;
  await scene.end();
  // The program may have been killed within a line.
  assert.match(scene.out.text.slice(-80), /\na \| line\n\S+ \S+ INFO exited: a\n(a \| l?i?n?e?\n)?$/);
});

test('a stalled reader of the container delays no reopening, rotation or clearing of logs', async () => {
  const path = join(folder, 'beside.log');
  const scene = new LogScene({ console: stdoutAs('raw') });
  const file: LogTarget = {
    kind: 'file',
    path,
    format: 'raw',
    maxBytes: 0,
    backups: 1,
    interval: null,
    compress: false,
  };
  const flood = scene.hub.openChannel(channelSpec('flood'));
  const both = scene.hub.openChannel(channelSpec('both', { targets: [stdoutAs('prefix'), file] }));
  scene.out.stall();
  const run = startInto(flood, counting('flood', 100_000));
  await untilBlocked(run.pid);
  writeFileSync(path, 'old\n');
  await both.rotate();
  assert.equal(readFileSync(`${path}.1`, 'latin1'), 'old\n');
  await Promise.all([flood.reopen(), flood.rotate(), flood.clear(), scene.hub.mainLog.reopen()]);
  await Promise.all([both.reopen(), both.clear(), scene.hub.mainLog.clear(), scene.hub.reopen()]);
  scene.out.goOn();
  await run.intake.ended;
  await scene.end();
});

test('a stalled reader of a fifo delays no rotation or clearing, and a reopening for a limited time', async () => {
  const path = join(folder, 'stalled');
  execFileSync('mkfifo', [path]);
  // A reader that reads nothing.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const scene = new LogScene({}, undefined, 1000);
  const target: LogTarget = {
    kind: 'file',
    path,
    format: 'raw',
    maxBytes: 0,
    backups: 0,
    interval: null,
    compress: false,
  };
  const channel = scene.hub.openChannel(channelSpec('web', { targets: [target] }));
  const run = startInto(channel, counting('web', 100_000));
  await untilBlocked(run.pid);
  await channel.rotate();
  const named = { message: `${path} has taken nothing for 10 s; it is reopened as soon as it does` };
  await assert.rejects(channel.reopen(), named);
  await scene.hub.reopen();
  await scene.err.until(new RegExp(`cannot reopen ${path}: ${path} has taken nothing`));
  await channel.clear();
  addon.kill(run.pid, 9);
  await ending(run.pid);
  closeSync(fd);
  await scene.end();
});

test('a dead reader is reported once on the other stream, and programs are read to their end', async () => {
  const scene = new LogScene();
  const channels = ['a', 'b'].map((name) => scene.hub.openChannel(channelSpec(name)));
  scene.out.stall();
  const runs = channels.map((channel, i) => startInto(channel, counting('ab'[i] as string, 200_000)));
  await Promise.all(runs.map(({ pid }) => untilBlocked(pid)));
  await scene.out.die();
  await Promise.all(runs.map(({ intake }) => intake.ended));
  for (const { pid } of runs) assert.deepEqual(await ending(pid), { kind: 'exited', code: 0 });
  await scene.end();
  assert.match(
    scene.err.text,
    new RegExp(
      String.raw`^\S+ \S+ ERRO cannot write standard output any more: broken pipe \(EPIPE\); output [\w ]* dropped ` +
        String.raw`from now on\n\S+ \S+ WARN (\d+) lines \(\d+ bytes\) for standard output were dropped\n$`,
    ),
  );
});

test('a reader that comes back to a fifo gets new output, and dropped output is counted', async () => {
  const path = join(folder, 'fifo');
  execFileSync('mkfifo', [path]);
  const openReader = (): number => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const first = openReader();
  const fd = openSync(path, constants.O_WRONLY);
  const scene = new LogScene({}, { 1: fd });
  const channel = scene.hub.openChannel(channelSpec('a'));
  const say = async (text: string): Promise<void> => {
    await startInto(channel, `echo ${text}`).intake.ended;
    await scene.hub.flush(10_000);
  };
  const read = (from: number): string => {
    const bytes = Buffer.alloc(1000);
    return bytes.toString('latin1', 0, readSync(from, bytes));
  };
  await say('one');
  assert.equal(read(first), 'a | one\n');
  closeSync(first);
  await say('lost');
  await say('lost too');
  const second = openReader();
  await new Promise((resolve) => setTimeout(resolve, 150));
  await say('again');
  assert.equal(read(second), 'a | again\n');
  await scene.end();
  closeSync(fd);
  closeSync(second);
  assert.match(
    scene.err.text,
    /ERRO cannot write standard output: broken pipe \(EPIPE\); output for it is dropped until [\w ]+ again\n/,
  );
  const dropped = [...scene.err.text.matchAll(/WARN (\d+) lines? \((\d+) bytes\) for standard output were dropped\n/g)];
  const sum = (group: 1 | 2): number => dropped.reduce((total, match) => total + Number(match[group]), 0);
  assert.deepEqual([sum(1), sum(2)], [2, 'a | lost\na | lost too\n'.length]);
});

test('a missing reader counts as a dead reader', async () => {
  const scene = new LogScene();
  await scene.out.die();
  await startInto(scene.hub.openChannel(channelSpec('a')), 'echo x').intake.ended;
  await scene.end();
  assert.equal(scene.err.text.match(/cannot write standard output any more/g)?.length, 1);
});

test('a file as stdout: output of others to the same description is not overwritten', async () => {
  const path = join(folder, 'stdout.txt');
  const fd = openSync(path, 'w');
  const scene = new LogScene();
  const file = new LogScene({ console: stdoutAs('raw', 2) }, { 1: fd, 2: scene.err.fd });
  writeSync(fd, 'before\n');
  await startInto(file.hub.openChannel(channelSpec('web')), 'echo hello').intake.ended;
  await file.hub.flush(10_000);
  writeSync(fd, 'after\n');
  await startInto(file.hub.openChannel(channelSpec('web')), 'echo again').intake.ended;
  await file.end();
  await scene.end();
  closeSync(fd);
  assert.equal(readFileSync(path, 'latin1'), 'before\nweb | hello\nafter\nweb | again\n');
});

test('stdout and stderr that lead to one file are one stream', async () => {
  const path = join(folder, 'both.txt');
  const one = openSync(path, 'a');
  const two = openSync(path, 'a');
  const scene = new LogScene({ console: stdoutAs('raw', 2) }, { 1: one, 2: two });
  const out = scene.hub.openChannel(channelSpec('a'));
  const err = scene.hub.openChannel(channelSpec('b', { targets: [stdoutAs('prefix', 2)] }));
  const runs = [startInto(out, 'yes 0123456789 | head -n 50000'), startInto(err, 'yes 0123456789 | head -n 50000')];
  await Promise.all(runs.map(({ intake }) => intake.ended));
  await scene.end();
  closeSync(one);
  closeSync(two);
  assert.deepEqual([...new Set(readFileSync(path, 'latin1').split('\n'))].sort(), [
    '',
    'a | 0123456789',
    'b | 0123456789',
  ]);
});

test('a non-blocking socket as stdout with a stalled reader', async () => {
  const path = join(folder, 'socket');
  const server = createServer();
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const client = connect(path);
  const peer = await accepted;
  peer.pause();
  const fd = (client as unknown as { _handle: { fd: number } })._handle.fd;
  const scene = new LogScene();
  const socketed = new LogScene({}, { 1: fd, 2: scene.err.fd });
  const run = startInto(socketed.hub.openChannel(channelSpec('web')), 'exec seq 1 300000');
  const chunks: Buffer[] = [];
  await untilBlocked(run.pid);
  peer.on('data', (chunk: Buffer) => chunks.push(chunk));
  peer.resume();
  await run.intake.ended;
  await socketed.end();
  client.end();
  await new Promise((resolve) => peer.once('end', resolve));
  server.close();
  await scene.end();
  const expected = Array.from({ length: 300_000 }, (_, i) => `web | ${i + 1}\n`).join('');
  assert.ok(Buffer.concat(chunks).toString('latin1') === expected);
});

/** Relays a program to our stdout with a prefix, in a process of its own. */
const RELAY = join(import.meta.dirname, 'logs-relay.ts');

test(
  'a pipe of another user as stdout: it cannot be opened again, and threads write to it',
  { skip: rootSkip },
  async () => {
    const { stdout, stderr, status } = await run(
      shell(
        `setpriv --reuid=65534 --regid=65534 --clear-groups '${process.execPath}' ` +
          `--disable-warning=ExperimentalWarning '${RELAY}' 'seq 1 50000' auto | cat`,
      ),
    );
    assert.deepEqual([status, stderr], [{ kind: 'exited', code: 0 }, '']);
    assert.ok(stdout === Array.from({ length: 50_000 }, (_, i) => `relayed | ${i + 1}\n`).join(''));
  },
);

test('colours only on a terminal, and not with NO_COLOR', async () => {
  const relay = `'${process.execPath}' --disable-warning=ExperimentalWarning '${RELAY}' 'echo hello'`;
  const onTerminal = await run(shell(`script -qec "${relay} auto" /dev/null`));
  assert.equal(onTerminal.stdout, '\x1b[36mrelayed | \x1b[0mhello\r\n');
  const without = await run(shell(`NO_COLOR=1 script -qec "${relay} auto" /dev/null`));
  assert.equal(without.stdout, 'relayed | hello\r\n');
  assert.equal((await run(shell(`${relay} auto`))).stdout, 'relayed | hello\n');
  assert.equal((await run(shell(`${relay} always`))).stdout, '\x1b[36mrelayed | \x1b[0mhello\n');
});
