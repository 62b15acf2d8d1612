/** Many programs, many crashing programs, many orphans: answers come, TERM leads to the end, nothing is left. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pid1SkipReason } from '../e2e/launch.ts';
import { childrenOf, countZombies, until } from '../e2e/observe.ts';
import { bySize } from '../slow.ts';
import { call, compileInto, sampleOf } from '../soak/supervisor.ts';
import {
  assertAnswered,
  assertEnded,
  endByTerm,
  formatSample,
  launchLoad,
  MEGABYTE,
  socketOf,
  StatusClient,
  summarize,
  tell,
  untilAnswer,
} from './rig.ts';

const skip = (await pid1SkipReason()) ?? false;

const PROGRAMS = bySize({ brief: 200, long: 2000 });
/** Memory for each program: its records, its outputs with their last lines, its pipes. */
const BYTES_PER_PROGRAM = 64 * 1024;
/** Memory of a supervisor without programs. */
const OWN_BYTES = 128 * MEGABYTE;

test(`${PROGRAMS} programs`, { skip }, async (t) => {
  const launched = await launchLoad(
    t,
    `[program:many]\ncommand=sleep 100000\nprocess_name=many%(process_num)d\nnumprocs=${PROGRAMS}\nstartsecs=0\n`,
  );
  const beganMs = performance.now();
  await untilAnswer(launched);
  const status = new StatusClient(launched);
  await until('all programs', async () => (await childrenOf(launched.pid)).length === PROGRAMS, 120_000);
  const startMs = Math.round(performance.now() - beganMs);
  const whole: number[] = [];
  for (let turn = 0; turn < 5; turn += 1) {
    const askedMs = performance.now();
    const { text } = await call(socketOf(launched), 'supervisor.getAllProcessInfo');
    whole.push(performance.now() - askedMs);
    assert.equal(text.split('<name>statename</name>').length - 1, PROGRAMS);
  }
  const sample = await sampleOf(launched.pid);
  const times = await status.stop();
  const endMs = await endByTerm(launched);
  tell(t, {
    start: `${startMs} ms`,
    status: times,
    'all processes': summarize(whole),
    'TERM to end': `${endMs} ms`,
    'PID 1': formatSample(sample),
  });
  assertAnswered(times);
  assertEnded(endMs);
  assert.ok(sample.bytes < OWN_BYTES + PROGRAMS * BYTES_PER_PROGRAM, formatSample(sample));
});

const LOGGED = bySize({ brief: 300, long: 5000 });
/** Descriptors of a silent program: its three pipes. */
const DESCRIPTORS_PER_PROGRAM = 3;

test(
  `${LOGGED} silent programs with two log files each: the files exist and take no descriptor`,
  { skip },
  async (t) => {
    const logs = await mkdtemp(join(tmpdir(), 'onevisor-logs-'));
    t.after(() => rm(logs, { recursive: true, force: true }));
    const launched = await launchLoad(
      t,
      `[program:quiet]\ncommand=sleep 100000\nprocess_name=quiet%(process_num)d\nnumprocs=${LOGGED}\nstartsecs=0\n` +
        `stdout_logfile=${logs}/%(process_num)d.out\nstderr_logfile=${logs}/%(process_num)d.err\n` +
        `[program:speaker]\ncommand=sh -c 'read line; echo spoken; exec sleep 100000'\nstartsecs=0\n` +
        `stdout_logfile=${logs}/speaker.out\nstderr_logfile=NONE\n`,
    );
    const beganMs = performance.now();
    await untilAnswer(launched);
    const status = new StatusClient(launched);
    const patienceMs = bySize({ brief: 120_000, long: 600_000 });
    await until('all programs', async () => (await childrenOf(launched.pid)).length === LOGGED + 1, patienceMs);
    const startMs = Math.round(performance.now() - beganMs);
    await until('all files', async () => (await readdir(logs)).length === 2 * LOGGED + 1, patienceMs);
    let sample = await sampleOf(launched.pid);
    await until('the files to be closed', async () => {
      sample = await sampleOf(launched.pid);
      return sample.descriptors < DESCRIPTORS_PER_PROGRAM * LOGGED + 100;
    });
    const times = await status.stop();
    assert.equal(await readFile(join(logs, 'speaker.out'), 'utf8'), '');
    await call(socketOf(launched), 'supervisor.sendProcessStdin', 'speaker', 'go\n');
    await until(
      'a line of a program that was silent',
      async () => (await readFile(join(logs, 'speaker.out'), 'utf8')) === 'spoken\n',
    );
    const endMs = await endByTerm(launched);
    tell(t, { start: `${startMs} ms`, status: times, 'TERM to end': `${endMs} ms`, 'PID 1': formatSample(sample) });
    assertAnswered(times);
    assertEnded(endMs);
    assert.ok(sample.bytes < OWN_BYTES + LOGGED * BYTES_PER_PROGRAM, formatSample(sample));
  },
);

const LOOPS = bySize({ brief: 100, long: 1000 });
const LOOP_MS = bySize({ brief: 3000, long: 60_000 });

test(`${LOOPS} programs crash at once for ${LOOP_MS / 1000} s`, { skip }, async (t) => {
  const launched = await launchLoad(
    t,
    `[program:false]\ncommand=false\nprocess_name=false%(process_num)d\nnumprocs=${LOOPS}\n` +
      'startsecs=0\nautorestart=true\n',
  );
  await untilAnswer(launched);
  const status = new StatusClient(launched);
  // A busy machine starts only some programs a second.
  await launched.stdout.waitFor(/exited: false/, { count: LOOPS, timeoutMs: 100_000 });
  await sleep(LOOP_MS / 3);
  const first = await sampleOf(launched.pid);
  await sleep((2 * LOOP_MS) / 3);
  const sample = await sampleOf(launched.pid);
  const times = await status.stop();
  const runs = launched.stdout.all.concat(launched.stderr.all).filter((line) => line.includes('exited: false')).length;
  await until('the zombies to be reaped', async () => (await countZombies(launched.pid)) < 50);
  const endMs = await endByTerm(launched);
  tell(t, { runs, status: times, 'TERM to end': `${endMs} ms`, 'PID 1': formatSample(sample) });
  assert.ok(runs >= LOOPS, `${runs} runs`);
  assertAnswered(times);
  assertEnded(endMs);
  assert.ok(sample.bytes < first.bytes + 64 * MEGABYTE, `${formatSample(first)} became ${formatSample(sample)}`);
});

const ORPHANS = bySize({ brief: 3000, long: 100_000 });
const PARENTS = 2;

test(`${ORPHANS} orphans are reaped while clients get answers`, { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-load-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const source = join(import.meta.dirname, 'programs', 'many-orphans.c');
  const program = await compileInto(folder, source, 'many-orphans');
  const launched = await launchLoad(
    t,
    `[program:parent]\ncommand=${program} ${ORPHANS / PARENTS}\nprocess_name=parent%(process_num)d\n` +
      `numprocs=${PARENTS}\n`,
  );
  await untilAnswer(launched);
  const status = new StatusClient(launched);
  const beganMs = performance.now();
  await launched.stdout.waitFor(/left \d+$/, {
    count: PARENTS,
    timeoutMs: bySize({ brief: 100_000, long: 1_800_000 }),
  });
  await until('the last orphan to be reaped', async () => (await countZombies(launched.pid)) === 0);
  const seconds = (performance.now() - beganMs) / 1000;
  const times = await status.stop();
  const sample = await sampleOf(launched.pid);
  const endMs = await endByTerm(launched);
  tell(t, {
    time: `${seconds.toFixed(1)} s, ${Math.round(ORPHANS / seconds)} orphans a second`,
    status: times,
    'TERM to end': `${endMs} ms`,
    'PID 1': formatSample(sample),
  });
  assertAnswered(times);
  assertEnded(endMs);
  assert.ok(sample.bytes < OWN_BYTES, formatSample(sample));
});
