/** Programs that take all processes or all memory of their container: PID 1 lives, answers, and ends on request. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pid1SkipReason } from '../e2e/launch.ts';
import { childrenOf, compile, countZombies, statusField, until } from '../e2e/observe.ts';
import { bySize } from '../slow.ts';
import { call, programsOf, sampleOf } from '../soak/supervisor.ts';
import { PROTECTED_SCORE } from '../../src/process/oom-score.ts';
import { groupSkipReason, makeGroup, removeAfter } from './cgroup.ts';
import {
  assertAnswered,
  assertEnded,
  endByTerm,
  formatSample,
  launchLoad,
  MEGABYTE,
  socketOf,
  StatusClient,
  tell,
  untilAnswer,
} from './rig.ts';

const skip = (await pid1SkipReason()) ?? false;

const BOMB_MS = bySize({ brief: 2000, long: 60_000 });
/** Each process makes two more, for ever, and does nothing when that fails. */
const BOMB = 'sh -c "bomb() { bomb & bomb & wait; sleep 0.05; bomb; }; bomb 2>&-"';
/** Processes and threads in the group, with about 11 of PID 1. */
const MOST_PROCESSES = bySize({ brief: 100, long: 200 });

test(
  `a fork bomb in a cgroup of ${MOST_PROCESSES} processes`,
  { skip: skip || groupSkipReason('pids', { 'pids.max': '10' }) },
  async (t) => {
    const path = makeGroup('pids', { 'pids.max': `${MOST_PROCESSES}` });
    assert.ok(path !== null);
    const launched = await launchLoad(
      t,
      `[program:bomb]\ncommand=${BOMB}\nautostart=false\nstopasgroup=true\nkillasgroup=true\nstopsignal=KILL\n` +
        'kill_orphans=always\n[program:web]\ncommand=sleep 100000\nstartsecs=0\n',
      { prepare: `echo $$ >${path}/cgroup.procs` },
    );
    removeAfter(t, path);
    await untilAnswer(launched);
    await call(socketOf(launched), 'supervisor.startProcess', 'bomb', false);
    const current = (): number => Number(readFileSync(join(path, 'pids.current'), 'latin1'));
    await until('the group to be full', () => current() >= MOST_PROCESSES - 2);
    const status = new StatusClient(launched);
    // A program that is restarted now may find no room. Its start is tried again.
    await call(socketOf(launched), 'supervisor.signalProcess', 'web', 'KILL');
    await sleep(BOMB_MS);
    const sample = await sampleOf(launched.pid);
    const times = await status.stop();
    await call(socketOf(launched), 'supervisor.stopProcess', 'bomb', true);
    await until('the bomb to be gone', () => current() < 30);
    await until('the zombies to be reaped', async () => (await countZombies(launched.pid)) === 0);
    await call(socketOf(launched), 'supervisor.startProcess', 'web', false);
    await until('the other program', async () => (await programsOf(launched.pid)).length === 1);
    const endMs = await endByTerm(launched);
    tell(t, { status: times, 'TERM to end': `${endMs} ms`, 'PID 1': formatSample(sample) });
    assertAnswered(times);
    assertEnded(endMs);
  },
);

test(
  'TERM ends a container that is full of a fork bomb',
  { skip: skip || groupSkipReason('pids', { 'pids.max': '10' }) },
  async (t) => {
    const path = makeGroup('pids', { 'pids.max': `${MOST_PROCESSES}` });
    assert.ok(path !== null);
    const launched = await launchLoad(t, `[program:bomb]\ncommand=${BOMB}\nstopwaitsecs=1\n`, {
      prepare: `echo $$ >${path}/cgroup.procs`,
    });
    removeAfter(t, path);
    await until(
      'the group to be full',
      () => Number(readFileSync(join(path, 'pids.current'), 'latin1')) >= MOST_PROCESSES - 2,
    );
    const endMs = await endByTerm(launched);
    tell(t, { 'TERM to end': `${endMs} ms` });
    assertEnded(endMs);
  },
);

/** Memory of the container. PID 1 alone takes about 65 MB of it. */
const MEMORY = 240 * MEGABYTE;
/** Each is smaller than PID 1, and all together are too large. So the kernel would choose PID 1. */
const HOGS = 10;
const HOG_MEGABYTES = 32;
const KILLS = bySize({ brief: 5, long: 50 });
/** Value that the container is started with. A process without privileges may lower it to 0 again. */
const INHERITED = 500;

const memorySkip = skip || groupSkipReason('memory', { 'memory.limit_in_bytes': `${MEMORY}` });

test(`the kernel kills programs ${KILLS} times, and never PID 1`, { skip: memorySkip }, async (t) => {
  const uses = await compile(t, 'uses-memory');
  const path = makeGroup('memory', { 'memory.limit_in_bytes': `${MEMORY}` });
  assert.ok(path !== null);
  const launched = await launchLoad(
    t,
    `[program:hog]\ncommand=${uses} ${HOG_MEGABYTES} self\nprocess_name=hog%(process_num)d\nnumprocs=${HOGS}\n` +
      `startsecs=0\nautorestart=true\n[program:small]\ncommand=sleep 100000\noom_score_adj=${INHERITED + 1}\n`,
    {
      prepare:
        `echo $$ >${path}/cgroup.procs; echo ${INHERITED} >/proc/self/oom_score_adj; ` +
        "sed -i '1a oom_score_adj=0' supervisord.conf",
    },
  );
  removeAfter(t, path);
  await launched.waitForLine(/small entered RUNNING/);
  assert.equal(scoreOf(launched.pid), 0, 'PID 1 is protected');
  const scores = (await childrenOf(launched.pid)).map(scoreOf).filter((score) => score !== null);
  assert.deepEqual(
    [...new Set(scores)].toSorted((a, b) => a - b),
    [INHERITED, INHERITED + 1],
    'programs are not',
  );
  const status = new StatusClient(launched);
  await launched.stdout.waitFor(/exited: hog\d+ \(.*SIGKILL/, {
    count: KILLS,
    timeoutMs: bySize({ brief: 100_000, long: 1_200_000 }),
  });
  const sample = await sampleOf(launched.pid);
  const times = await status.stop();
  const endMs = await endByTerm(launched);
  tell(t, { status: times, 'TERM to end': `${endMs} ms`, 'PID 1': formatSample(sample) });
  assertEnded(endMs);
});

/** Returns the value of a process; null if it has ended. */
function scoreOf(pid: number): number | null {
  try {
    return Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'latin1'));
  } catch {
    return null;
  }
}

/** True if this process may lower its value (CAP_SYS_RESOURCE, bit 24). */
async function mayProtect(): Promise<boolean> {
  return ((BigInt(`0x${await statusField(process.pid, 'CapEff')}`) >> 24n) & 1n) === 1n;
}

test('PID 1 is protected where that is permitted, and with user nothing changes', { skip }, async (t) => {
  const inherited = scoreOf(process.pid) ?? 0;
  const isPermitted = await mayProtect();
  t.diagnostic(`CAP_SYS_RESOURCE: ${isPermitted}`);
  for (const [option, ours] of [
    [`oom_score_adj=${inherited + 5}`, inherited + 5],
    ['loglevel=debug', isPermitted ? PROTECTED_SCORE : inherited],
    ['user=65534', inherited],
  ] as const) {
    const launched = await launchLoad(t, '[program:web]\ncommand=sleep 100000\nstartsecs=0\n', {
      prepare: `sed -i '1a ${option}' supervisord.conf; chmod 777 .`,
    });
    await launched.waitForLine(/web entered RUNNING/);
    const [child = 0] = await programsOf(launched.pid);
    assert.equal(scoreOf(launched.pid), ours, option);
    assert.equal(scoreOf(child), inherited, option);
    if (option.startsWith('loglevel') && !isPermitted)
      assert.match(launched.stdout.text, /DEBG cannot set the oom_score_adj of the supervisor to -999: /);
    await endByTerm(launched);
  }
});
