/**
 * Containers whose PID 1 is another program: `podman run --init`, tini, dumb-init, an entrypoint without exec, and pods
 * that share a PID namespace. Also containers that share directories or the network.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isInstalled } from '../../build/rootfs.ts';
import { EXECUTABLE } from '../e2e/launch.ts';
import { until } from '../e2e/observe.ts';
import { type ContainerOptions, IMAGES, image, playPod, podman, skipReason, startContainer } from './containers.ts';

const skip = (await skipReason()) ?? false;
const ONEVISOR = '/usr/local/bin/onevisor';
const env = { ONEVISOR_PROGRAM_A: 'sh -c "echo out; exec sleep 1000"' };

async function needs(program: string): Promise<string | false> {
  return (await isInstalled(program)) ? skip : `${program} is not installed`;
}

const FRONTS: ReadonlyArray<readonly [name: string, skip: string | false, options: ContainerOptions]> = [
  ['podman run --init', await needs('catatonit'), { flags: ['--init', '--init-path=/usr/bin/catatonit'] }],
  [
    'tini',
    await needs('tini-static'),
    { mounts: { '/tini': '/usr/bin/tini-static' }, command: ['/tini', '--', ONEVISOR] },
  ],
  [
    'dumb-init',
    await needs('dumb-init'),
    { mounts: { '/dumb-init': '/usr/bin/dumb-init' }, command: ['/dumb-init', ONEVISOR] },
  ],
  ['an entrypoint without exec', skip, { command: ['/bin/bash', '-c', `${ONEVISOR}; exit $?`] }],
];

for (const [name, why, options] of FRONTS) {
  test(
    `container, ${name}: the programs run in the foreground, can be controlled by default, and stop on request`,
    { skip: why },
    async (t) => {
      const container = await startContainer(t, { ...options, env });
      await container.waitForLine(/^a \| out$/);
      const status = await container.exec(ONEVISOR, 'ctl', 'status');
      assert.match(status.stdout, /^a +(RUNNING|STARTING)/, status.stderr);
      assert.equal((await container.exec(ONEVISOR)).code, 2, 'a second supervisor');
      // A shell as PID 1 ignores SIGTERM, which is a reason to use an init.
      if (name.startsWith('an entrypoint')) await container.exec(ONEVISOR, 'ctl', 'shutdown');
      else await container.stop();
      assert.equal(await container.exit, 0);
    },
  );
}

test(
  'container: with a read-only root, no tmpfs and another user there is still a control socket',
  { skip },
  async (t) => {
    const container = await startContainer(t, {
      env,
      flags: ['--user=12345:12345', '--read-only', '--read-only-tmpfs=false', '--cap-drop=ALL', '--ipc=none'],
    });
    // A program that is still starting is not healthy yet.
    await container.waitForLine(/success: a entered RUNNING state/);
    for (const user of ['12345', '0']) {
      const health = await podman('exec', `--user=${user}`, container.name, ONEVISOR, 'health');
      assert.equal(health.code, 0, `as ${user}: ${health.stdout}${health.stderr}`);
    }
  },
);

/** Creates two containers with a program each, and shared volumes. */
function pod(isShared: boolean, volumes: readonly string[]): string {
  const mounts = [
    '{name: onevisor, mountPath: /usr/local/bin/onevisor, readOnly: true}',
    ...volumes.map((path, index) => `{name: shared${index}, mountPath: ${path}}`),
  ];
  const container = (name: string): string =>
    [
      `- name: ${name}`,
      `  image: ${IMAGES.slim.tag}`,
      `  command: [${ONEVISOR}]`,
      `  env: [{name: ONEVISOR_PROGRAM_${name.toUpperCase()}, value: 'sh -c "echo out; exec sleep 1000"'}, ` +
        `{name: ONEVISOR_PORT, value: 'tcp://10.0.0.1:80'}]`,
      `  volumeMounts: [${mounts.join(', ')}]`,
    ].join('\n');
  return [
    `shareProcessNamespace: ${String(isShared)}`,
    'hostNetwork: true',
    'restartPolicy: Never',
    `volumes: [{name: onevisor, hostPath: {path: ${EXECUTABLE}, type: ` +
      `File}}${volumes.map((_path, index) => `, {name: shared${index}, emptyDir: {}}`).join('')}]`,
    'containers:',
    container('one'),
    container('two'),
  ].join('\n');
}

for (const [name, isShared, volumes] of [
  ['a shared PID namespace', true, []],
  ['a shared /run', false, ['/run']],
  ['both', true, ['/run']],
] as const) {
  test(
    `pod with ${name}: each container is in container mode, and a client controls only its own programs`,
    { skip: await needs('catatonit') },
    async (t) => {
      await image('slim');
      const played = await playPod(t, pod(isShared, volumes));
      for (const container of ['one', 'two']) {
        // A program that is still starting is not healthy yet.
        await until(`the output of ${container}`, async () => {
          const { stdout } = await played.logs(container);
          return stdout.includes(`${container} | out\n`) && stdout.includes(`success: ${container} entered RUNNING`);
        });
        const status = await played.exec(container, ONEVISOR, 'ctl', 'status');
        assert.match(status.stdout, new RegExp(`^${container} +(RUNNING|STARTING).*\\n$`), status.stderr);
        assert.equal((await played.exec(container, ONEVISOR, 'health')).code, 0);
        assert.equal((await played.exec(container, ONEVISOR)).code, 2, 'a second supervisor');
      }
      assert.equal((await played.exec('two', ONEVISOR, 'ctl', 'stop', 'all')).stdout, 'two: stopped\n');
      assert.match((await played.exec('one', ONEVISOR, 'ctl', 'status')).stdout, /^one +(RUNNING|STARTING)/);
    },
  );
}

/** Words of two containers of a pod: a program with the name of a client command, and a name without a program. */
function podOfWords(program: string): string {
  const container = (name: string, words: readonly string[]): string =>
    [
      `- name: ${name}`,
      `  image: ${IMAGES.slim.tag}`,
      `  command: [${[ONEVISOR, ...words].join(', ')}]`,
      `  volumeMounts: [{name: onevisor, mountPath: ${ONEVISOR}, readOnly: true}, ` +
        `{name: program, mountPath: /usr/local/bin/status, readOnly: true}]`,
    ].join('\n');
  const volume = (name: string, path: string): string => `{name: ${name}, hostPath: {path: ${path}, type: File}}`;
  return [
    'shareProcessNamespace: true',
    'hostNetwork: true',
    'restartPolicy: Never',
    `volumes: [${volume('onevisor', EXECUTABLE)}, ${volume('program', program)}]`,
    'containers:',
    container('one', ['status', '--problems', 'web']),
    container('two', ['restart', 'web']),
  ].join('\n');
}

test(
  'pod with a shared PID namespace: the words of the main process are the command to run, those of others are not',
  { skip: await needs('catatonit') },
  async (t) => {
    await image('slim');
    const folder = await mkdtemp(join(tmpdir(), 'onevisor-test-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const program = join(folder, 'status');
    await writeFile(program, '#!/bin/sh\necho "own $* is not $$" | sed "s/ 1$/ one/"\nexec sleep 1000\n', {
      mode: 0o755,
    });
    const played = await playPod(t, podOfWords(program));
    await until('the output of one', async () =>
      /^own --problems web is not [0-9]+$/m.test((await played.logs('one')).stdout),
    );
    await until('the end of two', async () => {
      const { stderr, stdout } = await played.logs('two');
      return `${stdout}${stderr}`.includes('if the command of onevisor is meant: onevisor ctl restart');
    });
    const status = await played.exec('one', ONEVISOR, 'status');
    assert.match(status.stdout, /^main +RUNNING /, status.stderr);
    for (const words of [['statsu'], ['sh', '-c', 'echo ran']]) {
      const { code, stdout, stderr } = await played.exec('one', ONEVISOR, ...words);
      assert.deepEqual([code, stdout], [2, ''], words.join(' '));
      assert.match(stderr, /^Error: there is no command/);
    }
  },
);
