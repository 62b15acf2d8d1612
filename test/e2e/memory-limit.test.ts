/** `max_memory`: a program is restarted because of the memory of its whole tree, and other programs are not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launch, pid1SkipReason } from './launch.ts';
import { compile } from './observe.ts';
import { freePort } from './ports.ts';

const skip = (await pid1SkipReason()) ?? false;

test('a program whose grandchild uses too much is restarted, others are not', { skip }, async (t) => {
  const path = await compile(t, 'uses-memory');
  const config = `[supervisord]
[program:hog]
command=${path} 80 child
max_memory=60MB
stopasgroup=true
[program:modest]
command=${path} 40 child
max_memory=60MB
[program:free]
command=${path} 80 self
`;
  const launched = await launch(t, { config });
  await launched.waitForLine(/using$/, { count: 3 });
  const [, megabytes] = await launched.waitForLine(
    /restarting 'hog': uses ([\d.]+) MB, more than max_memory \(60 MB\)/,
  );
  assert.ok(Number(megabytes) >= 80 && Number(megabytes) < 100, `${megabytes} MB`);
  await launched.waitForLine(/spawned: 'hog' with pid/, { count: 2 });
  const text = `${launched.stdout.text}\n${launched.stderr.text}`;
  assert.deepEqual([...text.matchAll(/spawned: '(modest|free)'/g)].length, 2);
  assert.doesNotMatch(text, /cannot check max_memory/);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});

test(
  'the log, the status and the metrics show a kill for lack of memory, but not another SIGKILL',
  { skip, timeout: 60_000 },
  async (t) => {
    const port = await freePort();
    const launched = await launch(t, {
      config:
        `[inet_http_server]\nport=127.0.0.1:${port}\n[supervisord]\n` +
        `[program:web]\ncommand=sleep 1000\nstartsecs=0\n`,
    });
    await launched.waitForLine(/success: web entered RUNNING/);
    // A file in the format of the cgroup counter, since a real limit would need privileges.
    await launched.enter(['mount', '-t', 'tmpfs', 'tmpfs', '/sys/fs/cgroup']);
    const count = (kills: number): Promise<unknown> =>
      launched.enter(['sh', '-c', `echo "oom_kill ${kills}" > /sys/fs/cgroup/memory.events`]);
    const kill = async (runs: number): Promise<void> => {
      await launched.ctl('signal', 'KILL', 'web');
      await launched.waitForLine(/exited: web \(terminated by SIGKILL; not expected\)/, { count: runs });
      await launched.waitForLine(/success: web entered RUNNING/, { count: runs + 1 });
    };
    await count(0);
    await kill(1);
    assert.doesNotMatch(launched.stdout.text, /out of memory/);
    await count(1);
    await kill(2);
    await launched.waitForLine(/WARN web: out of memory: the kernel killed it or a process it had started; /);
    assert.match(
      (await launched.ctl('status', 'web')).stdout,
      /^web +RUNNING +pid \d+, uptime \S+, out of memory \w+ \d+ \d\d:\d\d [AP]M$/m,
    );
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    for (const line of [
      /^onevisor_process_oom_kills_total\{group="web",name="web"\} 1$/m,
      /^onevisor_process_last_exit_signal\{group="web",name="web"\} 9$/m,
      /^onevisor_process_restarts_total\{group="web",name="web"\} 2$/m,
    ])
      assert.match(metrics, line);
    const json = JSON.parse((await launched.ctl('status', '--json')).stdout) as ReadonlyArray<
      Readonly<Record<string, unknown>>
    >;
    assert.deepEqual([json[0]?.['exit_signal'], json[0]?.['oom_kills']], [9, 1]);
  },
);
