/**
 * The executable in every kind of root: Debian of three releases, glibc without libstdc++, musl, and nothing at all. If
 * ALPINE_MINIROOTFS and UBUNTU_BASE name archives of these systems, in them, too. The program that runs there is
 * static, so that every root can have the same tests.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { EXECUTABLE } from '../e2e/launch.ts';
import { runContainer, skipReason, startContainer, type ContainerOptions } from './containers.ts';
import { compileProbe, rootImage, ROOTS } from './roots.ts';

const run = promisify(execFile);
const noContainers = await skipReason();
const ONEVISOR = '/usr/local/bin/onevisor';
const SUPERVISORCTL = '/usr/local/bin/supervisorctl';

const CONFIG = `[supervisord]
[inet_http_server]
port=127.0.0.1:9001
allowed_hosts=*
[program:file]
command=/probe wait 0
healthcheck=tcp://box.test:9001
[program:name]
command=/probe say by-name
user=worker
[program:number]
command=/probe say by-number
user=4242
[program:orphan]
command=/probe orphan
`;

/** Users of a root that has none. */
const USERS = { passwd: 'root:x:0:0::/:/x\nworker:x:777:778::/:/x\n', group: 'root:x:0:\nworker:x:778:\n' };

describe('every root', { skip: noContainers ?? false }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-roots-'));
  after(() => rm(folder, { recursive: true, force: true }));
  const programs = noContainers === null ? await compileProbe(folder) : '';
  for (const [name, text] of Object.entries(USERS)) await writeFile(join(folder, name), text);
  const mounts = {
    '/probe': programs,
    // As a link by that name: argv[0] decides.
    [SUPERVISORCTL]: EXECUTABLE,
    '/etc/passwd': join(folder, 'passwd'),
    '/etc/group': join(folder, 'group'),
  };
  const inRoot = async (name: string, options: ContainerOptions): Promise<ContainerOptions> => ({
    ...options,
    image: { tag: await rootImage(name) },
    mounts,
  });

  for (const [name, root] of Object.entries(ROOTS)) {
    describe(name, { skip: root.skip ?? false, timeout: 300_000 }, () => {
      test('programs of a file and of the environment, users, a client, the end', async (t) => {
        const container = await startContainer(
          t,
          await inRoot(name, {
            config: CONFIG,
            command: [ONEVISOR],
            env: { ONEVISOR_PROGRAM_SAID: '/probe say by-variable', ONEVISOR_LIBC: '' },
            network: 'none',
            flags: ['--add-host=box.test:127.0.0.1'],
          }),
        );
        await container.waitForLine(/^name +\| by-name: uid 777 gid 778$/);
        await container.waitForLine(/^number +\| by-number: uid 4242 gid 0$/);
        await container.waitForLine(/^said +\| by-variable: uid 0 gid 0$/);
        const [, orphan = ''] = await container.waitForLine(/^orphan +\| left an orphan with pid (\d+)$/);
        assert.equal((await container.exec('/probe', 'collected', orphan)).stdout, 'collected\n');
        // The engine's own filter.
        assert.equal((await container.exec('/probe', 'filter')).stdout, 'seccomp mode 2\n');
        await container.waitForLine(/health: file is healthy/);
        await container.waitForLine(/success: file entered RUNNING state/);
        const status = await container.exec(SUPERVISORCTL, 'status', 'file');
        assert.match(status.stdout, /^file +RUNNING +pid \d+/, status.stderr);
        const health = await container.exec(ONEVISOR, 'health', 'file');
        assert.equal(health.code, 0, `${health.stdout}${health.stderr}`);
        await container.stop();
        assert.equal(await container.exit, 0);
      });

      test('a terminal for the one program', async (t) => {
        const ended = await runContainer(
          t,
          await inRoot(name, { command: [ONEVISOR, '--', '/probe', 'terminal', '9'], flags: ['--tty'] }),
        );
        assert.deepEqual([ended.code, ended.stdout.trim()], [9, 'terminal: yes, foreground: yes']);
      });

      test('exit codes, as another user, where nothing can be written', async (t) => {
        const ended = await runContainer(
          t,
          await inRoot(name, {
            command: [ONEVISOR, '--', '/probe', 'exit', '7'],
            flags: ['--read-only', '--read-only-tmpfs=false', '--user=1000', '--cap-drop=ALL'],
          }),
        );
        assert.deepEqual([ended.code, ended.stdout, ended.stderr], [7, '', '']);
      });

      test('a user that is not in the files is an error that names the way out', async (t) => {
        const ended = await runContainer(
          t,
          await inRoot(name, {
            command: [ONEVISOR],
            env: { ONEVISOR_PROGRAM_A: '/probe', ONEVISOR_PROGRAM_A__USER: 'x' },
          }),
        );
        assert.equal(ended.code, 2);
        assert.match(ended.stderr, /user: "x" is not a user of this system.*set ONEVISOR_LIBC=system/);
      });

      test("with the system's libraries it runs, or says in one line why not", async (t) => {
        const { code, stdout, stderr } = await runContainer(
          t,
          await inRoot(name, {
            command: [ONEVISOR, '--', '/probe', 'variable', 'ONEVISOR_LIBC'],
            env: { ONEVISOR_LIBC: 'system' },
          }),
        );
        if (root.complaint === null)
          return assert.deepEqual([code, stdout, stderr], [0, 'ONEVISOR_LIBC is not set', '']);
        assert.equal(code, 127);
        const start = "onevisor: cannot use the system's libraries (ONEVISOR_LIBC=system): ";
        assert.ok(stderr.startsWith(start) && !stderr.includes('\n'), stderr);
        assert.match(stderr.slice(start.length), root.complaint);
      });

      test('without /proc', async () => {
        const mountAndEnter =
          'mount --bind "$1" "$1" && mount -t tmpfs tmpfs "$1/proc" && cp "$2" "$1/proc/probe" && ' +
          'cp "$3" "$1/proc/onevisor" && exec chroot "$1" /proc/onevisor -- /proc/probe say alone';
        const line = ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', mountAndEnter, 'sh'];
        const { stdout } = await run('unshare', [...line, await root.make(), programs, EXECUTABLE], {
          timeout: 60_000,
        });
        assert.equal(stdout, 'alone: uid 0 gid 0\n');
      });
    });
  }
});

/** System calls of newer kernels, each of which libc or Node use where they are there. */
const NEWER_CALLS = ['clone3', 'close_range', 'rseq', 'openat2', 'faccessat2', 'epoll_pwait2', 'statx', 'membarrier'];

/** Answers to a call that a kernel does not have, and to one that Docker before 20.10.10 does not know. */
const REFUSALS = { ENOSYS: 38, EPERM: 1 };

for (const [name, errnoRet] of Object.entries(REFUSALS)) {
  test(`newer system calls that answer ${name}`, { skip: noContainers ?? false }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'onevisor-seccomp-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const refused = { names: NEWER_CALLS, action: 'SCMP_ACT_ERRNO', errnoRet };
    await writeFile(
      join(folder, 'profile.json'),
      JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [refused] }),
    );
    const ended = await runContainer(t, {
      command: [ONEVISOR, '--', 'sh', '-c', 'echo ran; exit 5'],
      flags: ['--security-opt', `seccomp=${join(folder, 'profile.json')}`],
    });
    assert.deepEqual(ended, { code: 5, stdout: 'ran', stderr: '' });
  });
}
