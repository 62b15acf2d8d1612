/** Programs whose output goes through a pseudo terminal: what they see, and how the logs read it. */
import assert from 'node:assert/strict';
import { closeSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { SpawnRequest } from '../../src/native/addon.ts';
import { channelSpec } from './logs-fixtures.ts';
import { LogScene, startInto } from './logs-scene.ts';
import { addon, ending, openDescriptors, rootSkip, shell, untilBlocked } from './programs.ts';

const SIZE = { columns: 100, rows: 30 };
const TERMINAL: Partial<SpawnRequest> = { stdin: 'null', stdout: SIZE, stderr: 'stdout' };

/** Runs a script on a terminal to its end, and returns its output. */
async function printed(script: string, changes: Partial<SpawnRequest> = {}): Promise<string> {
  const scene = new LogScene();
  const run = startInto(scene.hub.openChannel(channelSpec('a')), script, { ...TERMINAL, ...changes });
  await run.intake.ended;
  await scene.end();
  return scene.out.text;
}

test('the program has a terminal of the size, for both outputs, that changes no byte', async () => {
  assert.equal(
    await printed(
      `stty size <&1; stty size <&2; printf 'tab\\there\\r\\n'; echo error >&2; stty -a <&2 | grep -c -- -opost`,
    ),
    ['30 100', '30 100', 'tab\there\r', 'error', '1', ''].map((line) => line && `a | ${line}\n`).join(''),
  );
});

test('the terminal is not the controlling terminal of the program, and not ours', async () => {
  const before = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ')[4];
  assert.equal(await printed('(: < /dev/tty) 2>/dev/null || echo none', { leadership: 'session' }), 'a | none\n');
  assert.equal(readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ')[4], before);
});

test('another user can open /dev/stdout', { skip: rootSkip }, async () => {
  const identity = { uid: 65_534, gid: 65_534, groups: [65_534] };
  assert.equal(await printed('id -u; echo opened > /dev/stdout', identity), 'a | 65534\na | opened\n');
});

test('a master that is close-on-exec and does not block; a spawn that fails leaves nothing', () => {
  const before = openDescriptors();
  const failing = shell('', { ...TERMINAL, directory: '/nowhere' });
  assert.throws(() => addon.spawn(failing), { code: 'ENOENT', stage: 'directory' });
  assert.deepEqual(openDescriptors(), before);
  for (const stdout of [{ columns: 0, rows: 24 }, { columns: 80, rows: 65_536 }, {} as typeof SIZE])
    assert.throws(() => addon.spawn(shell('', { ...TERMINAL, stdout })), { code: 'ERR_INVALID_ARG_VALUE' });
  const { stdout: master } = addon.spawn(shell('exec sleep 0', TERMINAL));
  const flags = Number.parseInt(
    /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${master}`, 'latin1'))?.[1] ?? '',
    8,
  );
  assert.equal(flags & 0o2004000, 0o2004000);
  closeSync(master as number);
  assert.deepEqual(openDescriptors(), before);
});

test('the last 10 kB before an exit are read, also if the program has ended before', async () => {
  const scene = new LogScene();
  for (let i = 0; i < 30; i++) {
    const spawned = addon.spawn(shell('exec head -c 10000 /dev/zero', TERMINAL));
    await ending(spawned.pid);
    let heard = 0;
    const channel = scene.hub.openChannel(channelSpec('a', { targets: [] }));
    channel.onBytes((bytes) => (heard += bytes.length));
    const intake = channel.read(spawned.stdout as number, spawned.pid);
    if (i % 3 === 0) intake.readRemaining();
    else if (i % 3 === 1) await intake.drained();
    await intake.ended;
    assert.equal(heard, 10_000);
    channel.close();
  }
  await scene.end();
});

test('a stalled reader stops the program, without loss', async () => {
  const scene = new LogScene({}, undefined, 0.01);
  const run = startInto(scene.hub.openChannel(channelSpec('a')), 'exec seq 1 400000', TERMINAL);
  scene.out.stall();
  await untilBlocked(run.pid);
  scene.out.goOn();
  await run.intake.ended;
  await scene.end();
  assert.ok(scene.out.text === Array.from({ length: 400_000 }, (_, i) => `a | ${i + 1}\n`).join(''));
});

test('a killed program, an orphan with its terminal, and a close that ends the reading', async () => {
  const before = openDescriptors();
  const scene = new LogScene();
  const channel = scene.hub.openChannel(channelSpec('a'));
  const run = startInto(channel, 'yes orphan & exec sleep 1000', TERMINAL);
  await scene.out.until(/orphan\n/);
  addon.kill(run.pid, 9);
  await ending(run.pid);
  // Both return although the orphan writes on.
  run.intake.readRemaining();
  await run.intake.drained();
  const { length } = scene.out.text;
  await scene.out.untilSize(length + 100_000);
  channel.close();
  await run.intake.ended;
  run.intake.readRemaining();
  // The master is closed, so the orphan gets EIO.
  await scene.end();
  assert.deepEqual(openDescriptors(), before);
});

test('output that no target takes before the exit of the supervisor is counted', async () => {
  const scene = new LogScene();
  const run = startInto(scene.hub.openChannel(channelSpec('a')), 'exec yes', TERMINAL);
  scene.out.stall();
  await untilBlocked(run.pid);
  await scene.hub.finish({
    giveUpAtMs: (movedMs) => movedMs + 50,
    reason: () => 'it took nothing',
    onChange: () => () => undefined,
  });
  await scene.err.until(/cannot write the last (\d+) lines \((\d+) bytes\) to standard output: it took nothing/);
  addon.kill(run.pid, 9);
  scene.out.goOn();
  await scene.end();
});

test('events and captured sections of a program on a terminal', async () => {
  const scene = new LogScene();
  const channel = scene.hub.openChannel(channelSpec('web', { captureMaxBytes: 100, stripAnsi: true }));
  const captured: string[] = [];
  channel.onCapture((bytes) => captured.push(bytes.toString()));
  const run = startInto(
    channel,
    `printf '\\033[31mred\\033[0m<!--XSUPERVISOR:BEGIN-->secret<!--XSUPERVISOR:END-->!\\n'`,
    TERMINAL,
  );
  await run.intake.ended;
  await scene.end();
  assert.deepEqual([captured, scene.out.text], [['secret'], 'web | red!\n']);
});
