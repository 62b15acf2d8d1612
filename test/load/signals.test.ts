/** Storms of SIGHUP, and a PID 1 that is stopped while its programs end: nothing is lost, and the end comes. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pid1SkipReason } from '../e2e/launch.ts';
import { childrenOf, countZombies, until } from '../e2e/observe.ts';
import { bySize } from '../slow.ts';
import { call, killChild, programsOf, sampleOf } from '../soak/supervisor.ts';
import { assertEnded, endByTerm, formatSample, launchLoad, MEGABYTE, socketOf, tell, untilAnswer } from './rig.ts';

const skip = (await pid1SkipReason()) ?? false;

const HANGUPS = bySize({ brief: 60, long: 500 });

test(`${HANGUPS} SIGHUPs with changed configurations end with the last one`, { skip }, async (t) => {
  const launched = await launchLoad(t, '');
  await untilAnswer(launched);
  const before = await sampleOf(launched.pid);
  const path = join(launched.folder, 'supervisord.conf');
  const beganMs = performance.now();
  for (let turn = 1; turn <= HANGUPS; turn += 1) {
    const count = turn === HANGUPS ? 7 : 1 + (turn % 5);
    await writeFile(
      path,
      `[supervisord]\nlogfile=${launched.folder}/supervisord.log\n[unix_http_server]\nfile=${socketOf(launched)}\n` +
        `[program:web]\ncommand=sleep 100000\nprocess_name=web%(process_num)d\nnumprocs=${count}\nstartsecs=0\n` +
        `environment=TURN="${turn}"\n`,
    );
    launched.signal('SIGHUP');
    await sleep(turn % 3 === 0 ? 0 : 5);
  }
  const running = /<name>statename<\/name>\s*<value><string>RUNNING/g;
  await until(
    'the programs of the last configuration',
    async () => {
      const { status, text } = await call(socketOf(launched), 'supervisor.getAllProcessInfo');
      return status === 200 && (text.match(running)?.length ?? 0) === 7;
    },
    60_000,
  );
  const tookMs = Math.round(performance.now() - beganMs);
  const after = await sampleOf(launched.pid);
  await until('the zombies to be reaped', async () => (await countZombies(launched.pid)) === 0);
  assert.equal((await childrenOf(launched.pid)).length, 7);
  const endMs = await endByTerm(launched);
  tell(t, {
    storm: `${tookMs} ms`,
    'TERM to end': `${endMs} ms`,
    before: formatSample(before),
    after: formatSample(after),
  });
  assertEnded(endMs);
  assert.ok(after.bytes < before.bytes + 64 * MEGABYTE, formatSample(after));
  // Four for each program: three pipes and what belongs to them.
  assert.ok(after.descriptors <= before.descriptors + 7 * 5, formatSample(after));
});

const PROGRAMS = bySize({ brief: 50, long: 500 });
const PAUSES = bySize({ brief: 2, long: 20 });
/** Time for all starts, each of which waits for the machine. */
const START_MS = bySize({ brief: 60_000, long: 600_000 });

test(`a stopped PID 1 finds the ends of ${PROGRAMS} programs when it continues`, { skip }, async (t) => {
  const launched = await launchLoad(
    t,
    `[program:many]\ncommand=sh -c "(sleep 0.01 &); exec sleep 100000"\nprocess_name=many%(process_num)d\n` +
      `numprocs=${PROGRAMS}\nstartsecs=0\nautorestart=true\n`,
  );
  t.after(() => {
    try {
      process.kill(launched.pid, 'SIGCONT');
    } catch {
      // It has ended.
    }
  });
  await until('all programs', async () => (await programsOf(launched.pid)).length >= PROGRAMS, START_MS);
  const times: number[] = [];
  for (let turn = 0; turn < PAUSES; turn += 1) {
    launched.signal('SIGSTOP');
    const children = await programsOf(launched.pid);
    for (const child of children) await killChild(launched.pid, child);
    await until('the zombies', async () => (await countZombies(launched.pid)) >= children.length);
    const beganMs = performance.now();
    launched.signal('SIGCONT');
    assert.equal((await call(socketOf(launched), 'supervisor.getState')).status, 200);
    times.push(Math.round(performance.now() - beganMs));
    await until(
      'all programs again',
      async () =>
        (await countZombies(launched.pid)) === 0 &&
        (await programsOf(launched.pid)).filter((child) => !children.includes(child)).length >= PROGRAMS,
      START_MS,
    );
  }
  // A TERM that comes while it is stopped is obeyed afterwards.
  launched.signal('SIGSTOP');
  launched.signal('SIGTERM');
  await sleep(200);
  const beganMs = performance.now();
  launched.signal('SIGCONT');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  const endMs = performance.now() - beganMs;
  const exits = launched.stdout.all.filter((line) => /exited: many\d+ \(terminated by SIGKILL/.test(line)).length;
  tell(t, { 'first answers after': `${times.join(', ')} ms`, exits, 'CONT to end': `${Math.round(endMs)} ms` });
  assertEnded(endMs);
  assert.ok(Math.max(...times) < 10_000, `answers came after ${times.join(', ')} ms`);
  assert.ok(exits >= PROGRAMS * PAUSES, `${exits} ends were told`);
});
