/**
 * The other programs of the executable, chosen by argument and by the name of a link: version, help, check, echo-conf,
 * install, unpack.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXECUTABLE, launch, pid1SkipReason } from './launch.ts';
import { statusField, untilFile } from './observe.ts';
import type { TestContext } from 'node:test';

const skip = (await pid1SkipReason()) ?? false;

/** Creates a link to the executable. */
async function link(t: TestContext, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-link-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await symlink(EXECUTABLE, join(folder, name));
  return join(folder, name);
}

async function outcomeOf(
  t: TestContext,
  executable: string,
  args: readonly string[],
  files: Record<string, string> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const launched = await launch(t, { as: 'plain', executable, args, files });
  const { code } = await launched.exit;
  return { code, stdout: launched.stdout.text, stderr: launched.stderr.text };
}

test('versions: ours, and as supervisord the compatible version of Supervisor', async (t) => {
  assert.match(
    (await outcomeOf(t, EXECUTABLE, ['--version'])).stdout,
    /^onevisor \d+\.\d+\.\d+ \(compatible with Supervisor 4\.3\.0\)$/,
  );
  const supervisord = await link(t, 'supervisord');
  assert.deepEqual(await outcomeOf(t, supervisord, ['--version']), { code: 0, stdout: '4.3.0', stderr: '' });
  assert.deepEqual(await outcomeOf(t, supervisord, ['-v']), { code: 0, stdout: '4.3.0', stderr: '' });
});

test('--version --json says what is in the executable', async (t) => {
  const factsOf = async (env: Record<string, string>): Promise<Record<string, unknown>> => {
    const launched = await launch(t, { as: 'plain', args: ['--version', '--json'], env });
    assert.equal((await launched.exit).code, 0, launched.stderr.text);
    return JSON.parse(launched.stdout.text) as Record<string, unknown>;
  };
  const { version, commit, libc, ...others } = await factsOf({ ONEVISOR_LIBC: '' });
  const root = join(import.meta.dirname, '..', '..');
  const own = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  assert.equal(version, own.version);
  // An executable that was built outside a checkout has none.
  if (commit !== undefined) assert.match(JSON.stringify(commit), /^"[\da-f]{40}(?:-dirty)?"$/);
  assert.deepEqual(others, {
    supervisor: '4.3.0',
    node: process.versions.node,
    architecture: process.arch,
    // Rejected: V8 has other flags than in the build, and each start is slower.
    code_cache: 'accepted',
    client_code_cache: 'accepted',
  });
  const { from, glibc } = libc as { from: string; glibc: string };
  assert.deepEqual([from, /^2\.\d+$/.test(glibc)], ['inside', true], glibc);
  const system = (await factsOf({ ONEVISOR_LIBC: 'system' }))['libc'] as { from: string; glibc: string };
  assert.deepEqual([system.from, /^2\.\d+$/.test(system.glibc)], ['system', true], system.glibc);
});

test('help uses the name that the program was called by', async (t) => {
  const { code, stdout } = await outcomeOf(t, await link(t, 'supervisord'), ['--help']);
  assert.equal(code, 0);
  assert.match(stdout, /supervisord/);
  assert.match(stdout, /--nodaemon/);
});

test('a link named supervisord runs a supervisor, and ps shows that name', { skip }, async (t) => {
  const launched = await launch(t, {
    executable: await link(t, 'supervisord'),
    config: '[supervisord]\n[program:a]\ncommand=sh -c "echo up; exec sleep 1000"\n',
  });
  await launched.stdout.waitFor(/^a \| up$/);
  assert.equal(await statusField(launched.pid, 'Name'), 'supervisord', 'the name in ps, top and pgrep');
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});

test("echo-conf, and the link named as Supervisor's, print a sample that is a valid configuration", async (t) => {
  const sample = await outcomeOf(t, EXECUTABLE, ['echo-conf']);
  assert.equal(sample.code, 0);
  assert.deepEqual(await outcomeOf(t, await link(t, 'echo_supervisord_conf'), []), sample);
  const checked = await outcomeOf(t, EXECUTABLE, ['check', '--static', '-c', 'sample.conf'], {
    'sample.conf': `${sample.stdout}\n`,
  });
  assert.equal(checked.code, 0, checked.stderr);
});

test('links named supervisorctl and pidproxy are those programs', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      `[supervisord]\n[unix_http_server]\nfile=%FOLDER%/s.sock\n` +
      `[supervisorctl]\nserverurl=unix://%FOLDER%/s.sock\n` +
      `[program:a]\ncommand=${await link(t, 'pidproxy')} %FOLDER%/real.pid %FOLDER%/daemon.sh\n`,
    files: {
      'daemon.sh':
        '#!/bin/sh\n(trap "echo told >>told; exit" TERM; sh -c \'echo $PPID\' >real.pid; while :; do sleep ' +
        '0.02; done) &\nwait\n',
    },
  });
  await launched.waitForLine(/entered RUNNING/);
  const ctl = await launched.enter([await link(t, 'supervisorctl'), '-c', 'supervisord.conf', 'status']);
  assert.match(ctl.stdout, /^a +RUNNING +pid \d+, uptime 0:00:\d\d\n$/, ctl.stderr);
  await launched.enter([await link(t, 'supervisorctl'), '-c', 'supervisord.conf', 'stop', 'a']);
  await untilFile(join(launched.folder, 'told'), /told/);
});

test('check: all problems, and the effective configuration', async (t) => {
  const files = {
    'good.conf': '[supervisord]\n[program:a]\ncommand=sleep 1\npriority=5\n',
    'bad.conf': '[supervisord]\n[program:a]\ncommand=sleep 1\npriority=five\nautostrat=true\n',
  };
  const good = await outcomeOf(t, EXECUTABLE, ['check', '-c', 'good.conf'], files);
  assert.equal(good.code, 0);
  assert.match(good.stdout, /^\[program:a\]\ncommand=sleep 1\npriority=5$/m);
  const bad = await outcomeOf(t, EXECUTABLE, ['check', '-c', 'bad.conf'], files);
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /bad\.conf:4: \[program:a\] priority: /);
  assert.match(bad.stderr, /bad\.conf:5: \[program:a\] autostrat: .*autostart/);
  const json = await outcomeOf(t, EXECUTABLE, ['check', '--json', '-c', 'good.conf'], files);
  assert.equal((JSON.parse(json.stdout) as { programs: Array<{ priority: number }> }).programs[0]?.priority, 5);
});

test('check --strict: likely mistakes fail the check, also as annotations of awkward files', async (t) => {
  const text =
    '[supervisord]\n[program:a]\ncommand=no-such-command\n[program:b]\ncommand=sh -c "x\n' +
    '[program:c]\ncommand=sleep 1\n';
  const name = '50%, a:b.conf';
  const files = { [name]: text, 'good.conf': '[supervisord]\n[program:a]\ncommand=sleep 1\n' };
  const check = (...args: string[]): ReturnType<typeof outcomeOf> =>
    outcomeOf(t, EXECUTABLE, ['check', ...args], files);
  assert.equal((await check('-c', name)).code, 0);
  const strict = await check('--strict', '-c', name);
  assert.equal(strict.code, 2);
  assert.match(strict.stderr, /:3: \[program:a\] command: warning: cannot be executed here: can't find command /);
  assert.match(strict.stderr, /:5: \[program:b\] command: warning: .* the " before "x" \(character 7\) has no partner/);
  assert.match(strict.stdout, /^\[program:c\]\ncommand=sleep 1$/m);
  const { code, stdout, stderr } = await check('--strict', '--format=github', '-c', name);
  assert.deepEqual([code, stderr], [2, '']);
  const lines = stdout.split('\n');
  assert.equal(lines.length, 2, stdout);
  const place = '::warning file=50%25%2C a%3Ab.conf';
  assert.ok(lines[0]?.startsWith(`${place},line=3,title=[program%3Aa] command::cannot be executed here: `), lines[0]);
  assert.ok(
    lines[1]?.startsWith(`${place},line=5,title=[program%3Ab] command::cannot be split into words, `),
    lines[1],
  );
  assert.deepEqual(await check('--strict', '--format', 'github', '-c', 'good.conf'), {
    code: 0,
    stdout: '',
    stderr: '',
  });
});

test('install makes links beside a copy of the executable, and they are those programs', { skip }, async (t) => {
  const script =
    'mkdir -p bin && cp "$0" bin/ && bin/onevisor install bin && bin/onevisor install bin && readlink bin/*; ' +
    'bin/supervisord --version; PATH="$PWD/bin" pidproxy; echo "code $?"; rm bin/supervisorctl; ' +
    'echo mine >bin/supervisorctl; bin/onevisor install bin; echo "code $?"; cat bin/supervisorctl; ' +
    'mount -t tmpfs -o ro tmpfs /mnt; bin/onevisor install /mnt; echo "code $?"';
  const launched = await launch(t, { executable: '/bin/sh', args: ['-c', script, EXECUTABLE] });
  await launched.exit;
  const names = ['supervisord', 'supervisorctl', 'echo_supervisord_conf', 'pidproxy'];
  assert.deepEqual(launched.stdout.text.split('\n').slice(0, 12), [
    ...names.map((name) => `bin/${name} -> onevisor`),
    ...names.map((name) => `bin/${name} is there`),
    ...names.map(() => 'onevisor'),
  ]);
  assert.deepEqual(launched.stdout.text.trim().split('\n').slice(12), ['4.3.0', 'code 2', 'code 1', 'mine', 'code 1']);
  assert.match(launched.stderr.text, /^Usage: pidproxy /m);
  assert.match(
    launched.stderr.text,
    /^Error: cannot make the link bin\/supervisorctl: it is another file; --force replaces it$/m,
  );
  assert.match(launched.stderr.text, /^Error: cannot install into \/mnt: read-only file system \(EROFS\)$/m);
});

test('the addon needs no file: it runs where nothing can be written, and unpack says so', { skip }, async (t) => {
  const sealed = (env: Record<string, string>): ReturnType<typeof launch> =>
    launch(t, {
      executable: '/bin/sh',
      env,
      // No folder that the loader could write to: each is empty and read-only.
      args: [
        '-c',
        'for folder in /run /var/tmp /dev/shm; do mount -t tmpfs -o ro tmpfs "$folder"; done; mount -o ' +
          'bind,ro /tmp /tmp && mount -o remount,bind,ro /tmp; cd /var/tmp; exec "$0" "$@"',
        EXECUTABLE,
        '--',
        'echo',
        'loaded',
      ],
    });
  const inside = await sealed({ ONEVISOR_LIBC: '' });
  await inside.stdout.waitFor(/^loaded$/);
  assert.equal((await inside.exit).code, 0, inside.stderr.text);
  const system = await sealed({ ONEVISOR_LIBC: 'system' });
  assert.equal((await system.exit).code, 1);
  assert.match(system.stderr.text, /cannot load the native addon:[^]*\/run\/[^]*\/tmp\/[^]*Leave ONEVISOR_LIBC out/);
  assert.deepEqual(await outcomeOf(t, EXECUTABLE, ['unpack', '/does/not/exist']), {
    code: 0,
    stdout: '',
    stderr: 'onevisor unpack: not needed any more, the native addon is inside the executable; remove the line',
  });
});

test('loading the addon leaves nothing in /run and /tmp', { skip }, async (t) => {
  const launched = await launch(t, { config: '[supervisord]\n' });
  await launched.waitForLine(/supervisord started/);
  const { stdout } = await launched.enter(['sh', '-c', 'ls -A /run; ls -A /tmp | grep -E "^\\.onevisor" || true']);
  assert.deepEqual(
    stdout.split('\n').filter((name) => name.endsWith('.node')),
    [],
  );
});
