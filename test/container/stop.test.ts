/**
 * `podman stop` with its default grace period of 10 seconds, with everything that can delay a shutdown inside: the
 * container ends by itself, with its own exit code.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { skipReason, startContainer } from './containers.ts';

const skip = (await skipReason()) ?? false;
const FLOOD = '[program:flood]\ncommand=yes\nstdout_logfile=/dev/null\n';

test(
  'a deaf program, a deaf orphan and a flood: the container ends before SIGKILL, with exit code 0',
  { skip },
  async (t) => {
    const orphan = "(trap '' TERM; exec setsid sleep 100060)";
    const deaf = `sh -c "trap '' TERM; ${orphan} & echo ready; while :; do sleep 1000; done"`;
    const container = await startContainer(t, {
      config: `[supervisord]\n[program:deaf]\ncommand=${deaf}\n${FLOOD}`,
    });
    await container.waitForLine(/ready$/);
    const beganMs = Date.now();
    await container.stop();
    const seconds = ((await container.endedMs()) - beganMs) / 1000;
    t.diagnostic(`${seconds.toFixed(2)} s`);
    // After SIGKILL of the engine the code would be 137.
    assert.equal(await container.exit, 0);
    assert.match((await container.logs()).stdout, /killing 'deaf' \(\d+\) with SIGKILL/);
  },
);

test(
  'a command that ignores TERM, with another program: the program saves its work before the engine kills',
  { skip },
  async (t) => {
    const container = await startContainer(t, {
      config:
        '[supervisord]\n[program:db]\n' +
        'command=sh -c "trap \'echo saved; exit 0\' TERM; echo up; while :; do sleep 0.05; done"\n',
      command: ['/usr/local/bin/onevisor', '--', 'bash', '-c', 'trap "" TERM; echo deaf; while :; do sleep 1; done'],
    });
    await container.waitForLine(/^deaf$/);
    await container.waitForLine(/up$/);
    await container.stop();
    assert.equal(await container.exit, 137);
    assert.match((await container.logs()).stdout, /^db \| saved$/m);
  },
);
