/** Pipes of ended runs that processes keep open: read, limited in number, and closed without a silent loss. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { MAX_OLD_PIPES } from '../../src/logs/old-pipes.ts';
import type { LogChannel } from '../../src/logs/ports.ts';
import { channelSpec } from './logs-fixtures.ts';
import { LogScene, startInto } from './logs-scene.ts';
import { addon, ending, openDescriptors, untilBlocked } from './programs.ts';

/** Runs a program that leaves a process behind. Returns the pid of that process. */
async function leaveBehind(t: TestContext, channel: LogChannel): Promise<number> {
  const run = startInto(channel, 'sleep 1000 & echo run', { leadership: 'group' });
  t.after(() => addon.kill(-run.pid, 9));
  await ending(run.pid);
  run.intake.readRemaining();
  return Number(execFileSync('pgrep', ['-g', String(run.pid)], { encoding: 'latin1' }));
}

/** Writes to the stdout of a process. */
function writeAs(pid: number, text: string): void {
  execFileSync('sh', ['-c', `echo ${text} >/proc/${pid}/fd/1`]);
}

const REPORT = /processes that earlier runs of web have left behind keep its stdout open; .*\n/g;

test('a program that leaves a process behind at each run takes few descriptors, and is told once', async (t) => {
  const scene = new LogScene();
  const channel = scene.hub.openChannel(channelSpec('web'));
  const before = openDescriptors().length;
  const left: number[] = [];
  for (let run = 0; run < 3 * MAX_OLD_PIPES; run++) {
    left.push(await leaveBehind(t, channel));
    assert.ok(openDescriptors().length - before <= MAX_OLD_PIPES + 1, 'the pipes, and perhaps our copy of stdout');
  }
  await scene.err.until(REPORT);
  assert.deepEqual(scene.err.text.match(REPORT)?.length, 1);
  // Both the oldest and the latest of the last processes are read.
  for (const pid of [left.at(-MAX_OLD_PIPES), left.at(-1)]) writeAs(pid ?? 0, `late ${pid}`);
  await scene.out.until(new RegExp(`late ${left.at(-1)}\n`));
  assert.match(scene.out.text, new RegExp(`late ${left.at(-MAX_OLD_PIPES)}\n`));

  channel.closeOldPipes();
  writeAs(left.at(-1) ?? 0, 'last words');
  await scene.out.until(/last words\n/);
  assert.equal(scene.hub.closeOldPipes(), true);
  assert.equal(scene.hub.closeOldPipes(), false);
  await scene.end();
  assert.equal(scene.out.text.match(/run\n/g)?.length, 3 * MAX_OLD_PIPES);
  assert.equal(scene.err.text.match(REPORT)?.length, 1);
});

test('what a pipe holds when it is closed is logged', async (t) => {
  const scene = new LogScene();
  const channel = scene.hub.openChannel(channelSpec('web'));
  const pid = await leaveBehind(t, channel);
  writeAs(pid, 'in the pipe');
  scene.hub.closeOldPipes();
  await scene.end();
  assert.match(scene.out.text, /in the pipe\n/);
});

test('a pipe is not closed by a receiver of its bytes', async (t) => {
  const scene = new LogScene();
  const channel = scene.hub.openChannel(channelSpec('web'));
  const pid = await leaveBehind(t, channel);
  let isClosed = null;
  channel.onBytes(() => {
    isClosed = scene.hub.closeOldPipes();
  });
  writeAs(pid, 'bytes');
  await scene.out.until(/bytes\n/);
  assert.equal(isClosed, false);
  assert.equal(scene.hub.closeOldPipes(), true);
  await scene.end();
});

test('all programs together have a part of the descriptors', async (t) => {
  const { soft, hard } = addon.getLimit('nofile');
  t.after(() => addon.setLimit({ resource: 'nofile', soft, hard }));
  const scene = new LogScene();
  const channels = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => scene.hub.openChannel(channelSpec(name)));
  addon.setLimit({ resource: 'nofile', soft: 4 * 40, hard });
  const before = openDescriptors().length;
  for (let run = 0; run < MAX_OLD_PIPES; run++) for (const channel of channels) await leaveBehind(t, channel);
  addon.setLimit({ resource: 'nofile', soft, hard });
  assert.ok(openDescriptors().length - before <= 40 + 1);
  await scene.err.until(/the last 40 of all programs are read/);
  await scene.end();
});

test('a crash loop without a reader: the pipes are limited, and lines that find no room are counted', async () => {
  const scene = new LogScene({}, undefined, 1000);
  const flood = scene.hub.openChannel(channelSpec('flood'));
  const channel = scene.hub.openChannel(channelSpec('web'));
  scene.out.stall();
  const flooding = startInto(flood, 'exec yes flood');
  await untilBlocked(flooding.pid);
  const before = openDescriptors().length;
  const [runs, linesOfRun] = [60, 5000];
  for (let run = 0; run < runs; run++) {
    // The first line is read at once, and then the pipe waits for the full sink. No line is torn.
    const { lines } = channel.counts;
    const script = `echo first; read line; yes 0123456789 | head -n ${linesOfRun}`;
    const { pid, stdin, intake } = startInto(channel, script, { stdin: 'pipe' });
    while (channel.counts.lines === lines) await new Promise(setImmediate);
    writeSync(stdin as number, '\n');
    closeSync(stdin as number);
    await ending(pid);
    intake.readRemaining();
    assert.ok(openDescriptors().length - before <= MAX_OLD_PIPES);
  }
  addon.kill(flooding.pid, 9);
  await ending(flooding.pid);
  scene.out.goOn();
  await scene.hub.flush(100_000_000);
  const { droppedLines } = channel.counts;
  await scene.end();
  const told = [...scene.err.text.matchAll(/(\d+) lines \(\d+ bytes\) for (it|standard output) were/g)];
  assert.ok(droppedLines > 0);
  assert.equal(
    told.reduce((sum, [, lines]) => sum + Number(lines), 0),
    droppedLines,
  );
  const logged = scene.out.text.match(/^web {3}\| 0123456789$/gm)?.length ?? 0;
  assert.equal(logged + droppedLines, runs * linesOfRun);
  assert.match(scene.err.text, /cannot write standard output: it does not take its output; output for it is dropped/);
  assert.doesNotMatch(scene.err.text, /have left behind/);
});
