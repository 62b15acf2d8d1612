/**
 * A stalled reader of our output while ten programs flood: everything else continues, memory is limited, and nothing is
 * lost. STALL_SECONDS is the duration of the stall; the default is 8.
 */
import assert from 'node:assert/strict';
import { readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { launch, pid1SkipReason } from './launch.ts';
import { compile, countZombies, residentBytes, until, untilFile } from './observe.ts';

const skip = (await pid1SkipReason()) ?? false;

const STALL_MS = Number(process.env['STALL_SECONDS'] ?? 8) * 1000;
const PROGRAMS = 10;
const MEMORY_LIMIT = 64 * 1024 * 1024;

/** The lines of one process, which are numbered from 1. */
interface Count {
  /** The last number that was received. */
  last: number;
  /** Numbers that were out of order. */
  wrong: string[];
}

test(
  `ten programs flood without a reader for ${STALL_MS / 1000} s`,
  { skip, timeout: STALL_MS + 120_000 },
  async (t) => {
    const [floods, orphans] = [await compile(t, 'floods'), await compile(t, 'leaves-orphans')];
    const launched = await launch(t, {
      config: `
[supervisord]
logfile=%FOLDER%/supervisord.log
loglevel=debug
[program:flood]
command=%FOLDER%/flood.sh
process_name=flood%(process_num)d
numprocs=${PROGRAMS}
[program:lively]
command=%FOLDER%/lively.sh
stdout_logfile=%FOLDER%/lively.log
[program:parent]
command=${orphans} 50
`,
      files: {
        'records/.keep': '',
        // The first program creates the gate.
        'flood.sh': `#!/bin/sh\nmkfifo gate 2>&-\nexec ${floods} gate records\n`,
        'lively.sh': '#!/bin/sh\necho run >>runs\nexec sleep 1000\n',
      },
    });
    const path = (name: string): string => join(launched.folder, name);
    const log = path('supervisord.log');
    const recorded = async (): Promise<Map<number, number>> => {
      const pids = (await readdir(path('records'))).filter((name) => name !== '.keep');
      return new Map(
        await Promise.all(
          pids.map(async (pid) => {
            const bytes = await readFile(join(path('records'), pid));
            return [Number(pid), bytes.length < 8 ? 0 : Number(bytes.readBigInt64LE())] as const;
          }),
        ),
      );
    };
    await launched.waitForLine(/success: flood\d entered RUNNING/, { count: PROGRAMS, timeoutMs: 60_000 });
    assert.equal((await recorded()).size, PROGRAMS);
    const before = await residentBytes(launched.pid);
    launched.stdout.pause();
    // The gate opens, and stays open for later programs.
    await launched.enter(['sh', '-c', 'sleep 100000 >gate 2>&- &']);
    const beganMs = performance.now();

    // All buffers are full, and no program can write.
    await until('the flood to stand still', async () => {
      const one = await recorded();
      if ([...one.values()].some((number) => number === 0)) return false;
      await sleep(500);
      const other = await recorded();
      return [...one].every(([pid, number]) => other.get(pid) === number);
    });

    // A program that is killed is replaced.
    const [victim = 0] = (await recorded()).keys();
    await launched.enter(['kill', '-9', String(victim)]);
    await until('a successor', async () => (await recorded()).size === PROGRAMS + 1);
    await untilFile(log, /exited: flood\d \(terminated by SIGKILL; not expected\)/);
    // Orphans are reaped.
    await launched.enter(['sh', '-c', '(true &)']);
    await until('the orphans to be reaped', async () => (await countZombies(launched.pid)) === 0);
    // Signals are obeyed.
    await rename(path('lively.log'), path('lively.log.old'));
    launched.signal('SIGUSR2');
    await untilFile(log, /received SIGUSR2 indicating log reopen request/);
    await until('a new log', async () => (await stat(path('lively.log')).catch(() => null)) !== null);
    // A program can be stopped and started by a user.
    for (const order of ['stop', 'start'] as const) {
      const answer = await launched.ctl(order, 'lively');
      assert.equal(answer.code, 0, answer.stdout + answer.stderr);
    }
    await until('the second run', async () => (await readFile(path('runs'), 'utf8')).split('\n').length === 3);

    await sleep(Math.max(0, STALL_MS - (performance.now() - beganMs)));
    const grownBytes = (await residentBytes(launched.pid)) - before;
    t.diagnostic(
      `resident memory: ${(before / 1048576).toFixed(1)} MB before, ${(grownBytes / 1048576).toFixed(1)} MB ` +
        `more after ${((performance.now() - beganMs) / 1000).toFixed(1)} s without a reader`,
    );
    assert.ok(grownBytes < MEMORY_LIMIT, `${grownBytes} bytes more`);

    // The reader continues; so does the flood, until it is stopped.
    const stalledAt = await recorded();
    launched.stdout.resume();
    await until(
      'the flood to go on',
      async () =>
        [...(await recorded())].filter(([pid, number]) => number > (stalledAt.get(pid) ?? 0)).length >= PROGRAMS,
    );
    launched.signal('SIGTERM');
    assert.deepEqual(await launched.exit, { code: 0, signal: null });

    const counts = new Map<number, Count>();
    for (const line of launched.stdout.all) {
      const match = /^flood\d +\| (\d+) (\d+)$/.exec(line);
      if (match === null) continue;
      const count = counts.get(Number(match[1])) ?? { last: 0, wrong: [] };
      if (Number(match[2]) !== count.last + 1) count.wrong.push(`${count.last} is followed by ${match[2]}`);
      count.last = Number(match[2]);
      counts.set(Number(match[1]), count);
    }
    const foreign = launched.stdout.all.filter(
      (line) => !/^flood\d +\| \d+ \d+$|^\d{4}-\d\d-\d\d \S+ [A-Z]{4,5} |^parent +\| left 50$/.test(line),
    );
    assert.deepEqual(foreign, [], 'no line is torn');
    assert.equal(counts.size, PROGRAMS + 1);
    for (const [pid, written] of await recorded()) {
      const { last = 0, wrong = ['nothing came'] } = counts.get(pid) ?? {};
      assert.deepEqual(wrong, [], `lines of ${pid}`);
      // The last write before the kill may not have been recorded.
      assert.ok(last >= written, `${pid} wrote ${written} lines, and ${last} came`);
    }
  },
);

test('a shutdown does not wait for a reader that never reads again', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\nlogfile=%FOLDER%/supervisord.log\n[program:flood]\ncommand=yes\n' +
      '[program:quiet]\ncommand=sleep 1000\n',
  });
  await launched.stdout.waitFor(/^flood \| y$/);
  launched.stdout.pause();
  launched.signal('SIGTERM');
  await untilFile(join(launched.folder, 'supervisord.log'), /stopped: flood/);
  // Our end of the pipe is closed only now, after the process has ended. Nothing is read before.
  await until('the end', () =>
    stat(`/proc/${launched.pid}`).then(
      () => false,
      () => true,
    ),
  );
  launched.stdout.resume();
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});

test('the end of a reader ends neither us nor the programs', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\nlogfile=%FOLDER%/supervisord.log\n' +
      '[program:talk]\ncommand=sh -c "while echo talk; do echo alive >%FOLDER%/alive; sleep 0.05; done"\n',
  });
  await launched.stdout.waitFor(/^talk \| talk$/);
  launched.stdout.close();
  const log = join(launched.folder, 'supervisord.log');
  for (let turn = 0; turn < 5; turn += 1) {
    await launched.enter(['rm', '-f', 'alive']);
    await untilFile(join(launched.folder, 'alive'), /alive/);
  }
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.doesNotMatch(await readFile(log, 'utf8'), /exited: talk/);
});
