/** The exit reason in /dev/termination-log, where Kubernetes reads it: a file that is mounted into a real container. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type ContainerOptions, runContainer, skipReason, startContainer } from './containers.ts';

const skip = (await skipReason()) ?? false;

/** Creates a file like the kubelet, and the option that mounts it. */
async function terminationLog(t: TestContext): Promise<{ readonly path: string; readonly flag: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-termination-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'log');
  await writeFile(path, 'of the run before');
  await chmod(path, 0o666);
  return { path, flag: `--volume=${path}:/dev/termination-log` };
}

const CASES: ReadonlyArray<{
  readonly what: string;
  readonly options: ContainerOptions;
  readonly code: number;
  readonly says: RegExp;
}> = [
  {
    what: 'a program that failed',
    options: { config: '[supervisord]\n[program:web]\ncommand=sh -c "exit 3"\nstartretries=0\nexit_on_failure=true\n' },
    code: 3,
    says: /^program web ended \(exit status 3\): exit_on_failure$/,
  },
  {
    what: 'a health check that failed',
    options: {
      config:
        '[supervisord]\n[program:web]\ncommand=sleep 1000\nhealthcheck=false\nhealthcheck_interval=0.2s\n' +
        'healthcheck_retries=1\nhealthcheck_action=exit\n',
    },
    code: 1,
    says: /^program web is unhealthy: exit status 1: healthcheck_action$/,
  },
  {
    what: 'a main program that is not there, as another user and without a writable root',
    options: { command: ['/usr/local/bin/onevisor', '--', '/nope'], flags: ['--user=1234', '--read-only'] },
    code: 127,
    says: /nope/,
  },
  {
    what: 'a configuration with errors, each of them',
    options: { config: '[supervisord]\n[program:a]\n[program:b]\ncommand=x\nnumprocs=many\n' },
    code: 2,
    says: new RegExp(
      '^/etc/supervisord\\.conf:2: \\[program:a\\] command: [^\\n]+\\n' +
        '/etc/supervisord\\.conf:5: \\[program:b\\] numprocs: [^\\n]+\\n$',
    ),
  },
  {
    what: 'an unknown flag',
    options: { command: ['/usr/local/bin/onevisor', '--nonsense'] },
    code: 2,
    says: /^Error: .*nonsense/,
  },
];

for (const { what, options, code, says } of CASES) {
  test(`termination log: ${what}`, { skip }, async (t) => {
    const { path, flag } = await terminationLog(t);
    const outcome = await runContainer(t, { ...options, flags: [...(options.flags ?? []), flag] });
    assert.equal(outcome.code, code, outcome.stderr);
    assert.match(await readFile(path, 'utf8'), says);
  });
}

test('termination log: a container that was stopped has no reason', { skip }, async (t) => {
  const { path, flag } = await terminationLog(t);
  const container = await startContainer(t, {
    config: '[supervisord]\n[program:web]\ncommand=sleep 1000\n',
    flags: [flag],
  });
  await container.waitForLine(/success: web entered RUNNING/);
  await container.stop();
  assert.equal(await container.exit, 0);
  assert.equal(await readFile(path, 'utf8'), 'of the run before');
});
