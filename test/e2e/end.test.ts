/**
 * The shutdown of the supervisor: one budget for programs, remaining processes and output. No line is lost if the
 * reader reads in time, and lost lines are counted.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { StreamServer } from '../process/log-servers.ts';
import { isInstalled } from '../../build/rootfs.ts';
import { EXECUTABLE, launch, type Launched, pid1SkipReason } from './launch.ts';
import { isAlive, pidOf, until, untilFile } from './observe.ts';

const skip = (await pid1SkipReason()) ?? false;
const LEAVES_ORPHAN = 'setsid sleep 100050 >/dev/null 2>&1 &';

/** Longer than an earlier limit for the wait for output. */
const STALL_MS = 2000;
const LINES = 100_000;

const HEAD = '[supervisord]\nsilent=true\nlogfile=%FOLDER%/supervisord.log\n';

/** Extracts the message from a line of each format. */
const MESSAGES: Readonly<Record<string, RegExp>> = {
  prefix: /^\w+ +\| (.*)$/,
  raw: /^(.*)$/,
  json: /"message":"([^"]*)"/,
  logfmt: /message="?([^"]*)"?$/,
};

/** Creates a script that waits at a gate, a FIFO, and then does something. */
const gated = (script: string): string => `#!/bin/sh\nmkfifo gate.tmp && mv gate.tmp gate\nread go <gate\n${script}\n`;
const OPEN_GATE = ['sh', '-c', 'until [ -p gate ]; do sleep 0.02; done; echo go >gate'];

/** Writes a lot of output when it is stopped. */
const LATE = '#!/bin/sh\ntrap "seq 1 20000; echo last words; exit 0" TERM\necho ready\nwhile :; do sleep 0.02; done\n';
const DEAF = '#!/bin/sh\ntrap "" TERM\necho ready\nwhile :; do sleep 1000; done\n';

const ownLog = (launched: Launched): string => join(launched.folder, 'supervisord.log');

async function secondsOf(work: Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await work;
  return (performance.now() - beganMs) / 1000;
}

/** Resolves when the process has ended, although its output was not read. */
async function gone({ pid }: Launched): Promise<void> {
  await until('the end', async () => !(await isAlive(pid)));
}

/** Returns the number of lost lines that the supervisor reports, wherever it reports them. */
function lostLines(text: string): number {
  return [...text.matchAll(/cannot write the last (\d+) lines \(\d+ bytes\) to standard output/g)].reduce(
    (sum, match) => sum + Number(match[1]),
    0,
  );
}

// No more lines than a pipe and our queue hold. Otherwise the program would not end while its output is not read.
for (const [format, count] of [
  ['prefix', LINES],
  ['raw', LINES],
  ['json', 5000],
  ['logfmt', 5000],
] as const) {
  test(`exit_on_end and a late reader: all lines arrive, including the last ones (${format})`, { skip }, async (t) => {
    const launched = await launch(t, {
      config:
        `${HEAD}log_format=${format}\n[program:p]\ncommand=%FOLDER%/run.sh\nstartsecs=0\nautorestart=false\n` +
        `exit_on_end=true\n`,
      files: { 'run.sh': gated(`seq 1 ${count}; echo LAST WORDS; exit 3`) },
    });
    launched.stdout.pause();
    await launched.enter(OPEN_GATE);
    await untilFile(ownLog(launched), /exited: p/);
    await sleep(STALL_MS);
    launched.stdout.resume();
    assert.deepEqual(await launched.exit, { code: 3, signal: null });
    const pattern = MESSAGES[format] ?? /$/;
    const wanted = [...Array.from({ length: count }, (_value, index) => String(index + 1)), 'LAST WORDS'];
    assert.deepEqual(
      launched.stdout.all.map((line) => pattern.exec(line)?.[1]),
      wanted,
    );
    assert.equal(launched.stderr.text, '');
  });
}

test('a stop signal and a late reader: the last output of several programs and a hook arrives', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      `${HEAD}[program:a]\ncommand=%FOLDER%/late.sh\npost_stop_command=sh -c "seq 1 1000; echo hook"\n` +
      `[program:b]\ncommand=%FOLDER%/late.sh\n`,
    files: { 'late.sh': LATE },
  });
  await launched.waitForLine(/ready$/, { count: 2 });
  launched.stdout.pause();
  launched.signal('SIGTERM');
  await untilFile(ownLog(launched), /waiting for/);
  await sleep(STALL_MS);
  launched.stdout.resume();
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  for (const line of ['a | last words', 'a | hook', 'b | last words'])
    assert.ok(launched.stdout.all.includes(line), line);
  assert.equal(launched.stdout.all.filter((line) => /\| \d+$/.test(line)).length, 41_000);
});

test(
  'a stop signal and no reader: the shutdown takes at most the budget, and reports the number of lost lines',
  { skip },
  async (t) => {
    const launched = await launch(t, {
      config: `${HEAD}stop_budget=3s\n[program:p]\ncommand=%FOLDER%/late.sh\n`,
      files: { 'late.sh': LATE.replace('20000', '100000') },
    });
    await launched.waitForLine(/ready$/);
    launched.stdout.pause();
    launched.signal('SIGTERM');
    const seconds = await secondsOf(gone(launched));
    assert.ok(seconds >= 2.5 && seconds < 20, `${seconds} s`);
    launched.stdout.resume();
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
    const lost = lostLines(launched.stderr.text);
    assert.match(
      launched.stderr.text,
      /to standard output: its reader did not take them before stop_budget ran out; they are lost$/m,
    );
    assert.equal(lostLines(await readFile(ownLog(launched), 'utf8')), lost);
    // Bytes that the kernel has accepted are delivered. A torn line is therefore counted on both sides.
    assert.ok(lost > 1000);
    assert.ok(
      Math.abs(launched.stdout.all.length + lost - (LINES + 2)) <= 1,
      `${launched.stdout.all.length} lines and ${lost} lost ones of ${LINES + 2}`,
    );
  },
);

/** Returns the number of bytes that a process has written (`wchar` of proc(5)). */
async function bytesWritten(pid: number): Promise<number> {
  return Number(/^wchar: (\d+)$/m.exec(await readFile(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

test(
  'a deaf program, a deaf orphan and a stalled reader together: the shutdown ends before Docker would kill',
  { skip },
  async (t) => {
    const launched = await launch(t, {
      config:
        '[supervisord]\n[program:deaf]\ncommand=%FOLDER%/deaf.sh\n' +
        '[program:flood]\ncommand=sh -c "echo flooding; exec yes 100041"\n',
      files: {
        'deaf.sh': DEAF.replace('echo ready\n', '(setsid sh -c "trap \\"\\" TERM; exec sleep 100040") &\necho ready\n'),
      },
    });
    await launched.waitForLine(/ready$/);
    // At once: the flood fills the memory of this process in seconds.
    launched.stdout.pause();
    const orphan = await until('the orphan', () => pidOf('sleep 100040'));
    const flood = await until('the flood', () => pidOf('yes 100041'));
    await until('the flood to stand still', async () => {
      const before = await bytesWritten(flood);
      await sleep(500);
      return before > 0 && (await bytesWritten(flood)) === before;
    });
    launched.signal('SIGTERM');
    const seconds = await secondsOf(gone(launched));
    t.diagnostic(`${seconds.toFixed(2)} s`);
    // 9.4 s on an idle machine. A machine that is busy with other tests takes longer for everything.
    assert.ok(seconds >= 8 && seconds < 13, `${seconds} s`);
    assert.equal(await isAlive(orphan), false);
    launched.stdout.resume();
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
    assert.ok(lostLines(launched.stderr.text) > 0);
  },
);

test(
  'a longer configured stopwaitsecs extends the budget, a shorter stop_budget shortens the default one',
  { skip },
  async (t) => {
    const long = await launch(t, {
      config: `${HEAD}[program:p]\ncommand=%FOLDER%/slow.sh\nstopwaitsecs=30\n`,
      files: { 'slow.sh': LATE.replace('seq 1 20000', 'sleep 11') },
    });
    const short = await launch(t, {
      config: `${HEAD}[program:p]\ncommand=%FOLDER%/deaf.sh\n`,
      env: { ONEVISOR_STOP_BUDGET: '4s' },
      files: { 'deaf.sh': DEAF },
    });
    for (const launched of [long, short]) {
      await launched.waitForLine(/ready$/);
      launched.signal('SIGTERM');
    }
    await untilFile(ownLog(short), /killing 'p' \(\d+\) with SIGKILL/);
    assert.deepEqual(await short.exit, { code: 0, signal: null });
    assert.doesNotMatch(
      await readFile(ownLog(short), 'utf8'),
      /has passed: killing/,
      'killed after 2 seconds, not at the end of the budget',
    );
    assert.deepEqual(await long.exit, { code: 0, signal: null });
    assert.ok(long.stdout.all.includes('p | last words'));
  },
);

test('a first signal during the last flush sets a limit, a second one ends the flush', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `${HEAD}[program:p]\ncommand=%FOLDER%/run.sh\nstartsecs=0\nautorestart=false\nexit_on_end=true\n`,
    files: { 'run.sh': gated(`seq 1 ${LINES}; exit 4`) },
  });
  launched.stdout.pause();
  await launched.enter(OPEN_GATE);
  await untilFile(ownLog(launched), /exited: p/);
  launched.signal('SIGTERM');
  await untilFile(ownLog(launched), /received SIGTERM/);
  // A second signal counts if it comes a second later.
  await sleep(1200);
  launched.signal('SIGTERM');
  assert.ok((await secondsOf(gone(launched))) < 6);
  launched.stdout.resume();
  assert.deepEqual(await launched.exit, { code: 4, signal: null });
  assert.match(launched.stderr.text, /cannot write the last \d+ lines .* a second signal left no time/);
});

test(
  'a reader that has gone, or a log server that accepts nothing, delays the shutdown only briefly',
  { skip },
  async (t) => {
    const server = await StreamServer.listen(t, 0, true);
    const config = (target: string): string =>
      `${HEAD}stop_budget=3s\n[program:p]\ncommand=%FOLDER%/run.sh\nstdout_logfile=${target}\nstartsecs=0\n` +
      `autorestart=false\nexit_on_end=true\n`;
    const files = { 'run.sh': gated(`seq 1 ${LINES}; exit 4`) };
    const unread = await launch(t, { config: config('/dev/stdout'), files });
    unread.stdout.close();
    await unread.enter(OPEN_GATE);
    await untilFile(ownLog(unread), /exited: p/);
    assert.ok((await secondsOf(unread.exit)) < 10);
    assert.deepEqual(await unread.exit, { code: 4, signal: null });
    for (const text of [unread.stderr.text, await readFile(ownLog(unread), 'utf8')]) {
      assert.match(text, new RegExp(`${LINES} lines \\(588895 bytes\\) for standard output were dropped`));
      // The log file has taken every line, although the failure of the stream was reported to it at the end.
      assert.doesNotMatch(text, /they are lost/);
    }
    const stalled = await launch(t, { config: config(`syslog+tcp://127.0.0.1:${server.port}`), files });
    await stalled.enter(OPEN_GATE);
    await untilFile(ownLog(stalled), /exited: p/);
    stalled.signal('SIGTERM');
    assert.ok((await secondsOf(stalled.exit)) < 20);
    assert.deepEqual(await stalled.exit, { code: 4, signal: null });
    assert.match(stalled.stderr.text, /cannot write the last \d+ lines \(\d+ bytes\) to syslog\+tcp:/);
  },
);

test('output that was lost on a full disk is reported at the end, also on stderr', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      `${HEAD}[program:p]\ncommand=%FOLDER%/run.sh\nstdout_logfile=/dev/full\nstartsecs=0\nautorestart=false\n` +
      `exit_on_end=true\n`,
    files: { 'run.sh': gated(`seq 1 ${LINES}; exit 4`) },
  });
  await launched.enter(OPEN_GATE);
  assert.deepEqual(await launched.exit, { code: 4, signal: null });
  for (const text of [launched.stderr.text, await readFile(ownLog(launched), 'utf8')])
    assert.match(text, new RegExp(`${LINES} lines \\(588895 bytes\\) for /dev/full were dropped`));
});

test('remaining processes get the remaining budget: a daemonized worker can save its work', { skip }, async (t) => {
  const worker =
    '#!/bin/sh\ntrap "sleep 3; echo saved >saved; exit 0" TERM\necho working\nwhile :; do sleep 0.02; done\n';
  for (const as of ['pid1', 'plain'] as const) {
    const launched = await launch(t, {
      as,
      config:
        `${HEAD}nodaemon=true\n[program:parent]\ncommand=sh -c "setsid %FOLDER%/worker.sh & sleep 1000"\n` +
        `stdout_logfile=/dev/stdout\n`,
      args: as === 'plain' ? ['--container'] : [],
      files: { 'worker.sh': worker },
    });
    await launched.waitForLine(/working$/);
    launched.signal('SIGTERM');
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
    assert.equal(await readFile(join(launched.folder, 'saved'), 'utf8'), 'saved\n', as);
  }
});

test('outside containers orphans are not touched', { skip }, async (t) => {
  const launched = await launch(t, {
    as: 'plain',
    config: `${HEAD}nodaemon=true\n[program:parent]\ncommand=sh -c "${LEAVES_ORPHAN} sleep 1000"\n`,
  });
  const orphan = await until('the orphan', () => pidOf('sleep 100050'));
  await untilFile(ownLog(launched), /success: parent/);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.equal(await isAlive(orphan), true);
});

for (const [name, under, why] of [
  ['PID 1', [], skip],
  ['a supervisor under tini', ['tini', '--'], (await isInstalled('tini')) ? skip : 'tini is not installed'],
] as const) {
  test(`${name}: a client that asks for the end, and what runs it, end by themselves`, { skip: why }, async (t) => {
    const launched = await launch(t, {
      under,
      prepare: 'touch /run/.containerenv',
      env: { ONEVISOR_PROGRAM_A: 'sh -c "echo up; exec sleep 1000"' },
    });
    await launched.waitForLine(/^a \| up$/);
    const script = `${EXECUTABLE} ctl shutdown && sleep 0.2 && echo done`;
    assert.deepEqual(await launched.enter(['sh', '-c', script]), { code: 0, stdout: 'Shut down\ndone\n', stderr: '' });
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
  });
}
