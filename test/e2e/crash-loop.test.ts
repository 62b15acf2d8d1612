/**
 * Programs that crash as fast as they are started, on an overloaded machine: PID 1 still answers, reaps, closes pipes,
 * logs and obeys SIGTERM.
 */
import assert from 'node:assert/strict';
import { readdir, readlink } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { launch, pid1SkipReason } from './launch.ts';
import { childrenOf, countZombies, until } from './observe.ts';

const skip = (await pid1SkipReason()) ?? false;

const PROGRAMS = 1000;
/** Busy loops next to the supervisor. They end by themselves. */
const BUSY_LOOPS = 3;
const BUSY_SECONDS = 60;
/** Time until the first request. */
const STORM_MS = 2000;

/** Returns the milliseconds of one XML-RPC call. */
async function answerMs(socketPath: string, method: string): Promise<number> {
  const beganMs = performance.now();
  const body = `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params/></methodCall>`;
  await new Promise<void>((resolve, reject) => {
    const call = request(
      { socketPath, path: '/RPC2', method: 'POST', headers: { 'content-type': 'text/xml' }, timeout: 60_000 },
      (answer) => {
        assert.equal(answer.statusCode, 200);
        answer.resume().on('end', resolve);
      },
    );
    call
      .on('timeout', () => call.destroy(new Error(`no answer to ${method} in 60 s`)))
      .on('error', reject)
      .end(body);
  });
  return performance.now() - beganMs;
}

test(
  `${PROGRAMS} programs crash at once, with startsecs=0, beside ${BUSY_LOOPS} busy loops`,
  { skip, timeout: 120_000 },
  async (t) => {
    const launched = await launch(t, {
      config: `
[supervisord]
[unix_http_server]
file=%FOLDER%/s.sock
[program:busy]
command=timeout ${BUSY_SECONDS} sh -c "while :; do :; done"
process_name=busy%(process_num)d
numprocs=${BUSY_LOOPS}
autorestart=false
stopasgroup=true
priority=1
[program:false]
command=false
process_name=false%(process_num)d
numprocs=${PROGRAMS}
startsecs=0
autorestart=true
`,
    });
    // The crash loop is running. A machine that is busy with other tests starts only a few programs a second.
    await launched.stdout.waitFor(/exited: false/, { count: 100, timeoutMs: 60_000 });
    await sleep(STORM_MS);
    const times: number[] = [];
    const openFiles: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      times.push(
        await answerMs(`${launched.folder}/s.sock`, i === 4 ? 'supervisor.getAllProcessInfo' : 'supervisor.getState'),
      );
      openFiles.push((await readdir(`/proc/${launched.pid}/fd`)).length - 4 * (await childrenOf(launched.pid)).length);
      await sleep(200);
    }
    t.diagnostic(
      `answers after ${times.map((time) => Math.round(time)).join(', ')} ms; open files beside 4 for each ` +
        `child: ${openFiles.join(', ')}`,
    );
    // A machine that is busy with other tests gives us a fraction of one processor. Without the budget, no answer came
    // within 60 s.
    assert.ok(Math.max(...times) < 15_000, `answers took ${times.join(', ')} ms`);
    // The number of pipes varies between two samples. Without prompt closing it grows by thousands.
    assert.ok(Math.min(...openFiles) < 200, `${openFiles.join(', ')} open files`);
    await until('the zombies to be reaped', async () => (await countZombies(launched.pid)) < 50);
    const askedMs = performance.now();
    launched.signal('SIGTERM');
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
    const endMs = performance.now() - askedMs;
    t.diagnostic(`ended ${Math.round(endMs)} ms after TERM`);
    assert.ok(endMs < 15_000, `the end took ${endMs} ms`);
  },
);

test('an orphan of an event listener that floods its protocol pipe costs nothing', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `
[supervisord]
[eventlistener:bad]
command=sh -c "yes & exit 1"
events=TICK_3600
startretries=0
`,
  });
  await launched.waitForLine(/gave up: bad entered FATAL state/);
  // The pipe has no reader: the kernel ends its writer.
  await until('the orphan to be ended', async () => (await childrenOf(launched.pid)).length === 0);
});

test(
  'a program that leaves a process with its output behind at each run takes few descriptors',
  { skip },
  async (t) => {
    const launched = await launch(t, {
      config: `
[supervisord]
[program:left]
command=sh -c "setsid sleep 100080 & exit 0"
startsecs=0
autorestart=true
`,
    });
    const pipes = async (): Promise<number> => {
      const folder = `/proc/${launched.pid}/fd`;
      const links = await Promise.all((await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => '')));
      return links.filter((link) => link.startsWith('pipe:')).length;
    };
    await launched.waitForLine(/spawned: 'left'/, { count: 12, timeoutMs: 60_000 });
    const all = await pipes();
    assert.equal(launched.stdout.text.match(/processes that earlier runs of left have left behind/g)?.length, 1);
    await launched.waitForLine(/spawned: 'left'/, { count: 15, timeoutMs: 60_000 });
    // Two outputs of eight ended runs, and the streams of a run.
    assert.ok(all >= 2 * 8 && (await pipes()) <= all + 3, `${all} pipes`);
    await launched.ctl('stop', 'left');
    assert.ok((await pipes()) <= all - 2 * 6);
  },
);
