/**
 * The libraries inside the executable: our process maps no others, variables of an application change nothing of ours,
 * and ONEVISOR_LIBC=system is the way back.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ElfImage, SegmentType } from '../../build/libc/elf-image.ts';
import { EXECUTABLE, launch, pid1SkipReason } from './launch.ts';
import { compile, untilFile } from './observe.ts';

const run = promisify(execFile);
const skip = (await pid1SkipReason()) ?? false;

/** Libraries in the memory of a process, by their file names. */
async function librariesOf(pid: number): Promise<string[]> {
  const maps = await readFile(`/proc/${pid}/maps`, 'latin1');
  return [...new Set([...maps.matchAll(/\/([^/\n]+\.so[^/\n]*)$/gm)].map(([, name = '']) => name))].sort();
}

test('the executable names no loader, and its segments are in order', async () => {
  const image = new ElfImage(await readFile(EXECUTABLE));
  const types = image.segments.map(({ type }) => type);
  assert.ok(!types.includes(SegmentType.interpreter) && !types.includes(SegmentType.dynamic));
  image.loads.reduce((end, load) => {
    assert.ok(load.address >= end, `0x${load.address.toString(16)}`);
    // The kernel maps whole pages of the file.
    assert.equal(load.address % 4096, load.offset % 4096);
    return load.address + load.memorySize;
  }, 0);
  assert.ok(image.loads.some((load) => load.address <= image.entry && image.entry < load.address + load.fileSize));
});

/** Variables that applications set for themselves, each of which once changed our process or printed something. */
const VARIABLES: Readonly<Record<string, string>> = {
  NODE_EXTRA_CA_CERTS: '/proc/nowhere/ca.pem',
  NODE_OPTIONS: '--require /proc/nowhere.js --inspect',
  NODE_DEBUG: 'http,net,module',
  NODE_DEBUG_NATIVE: 'mksnapshot',
  NODE_V8_COVERAGE: '/proc/nowhere/coverage',
  NODE_COMPILE_CACHE: '/proc/nowhere/cache',
  NODE_TLS_REJECT_UNAUTHORIZED: '0',
  NODE_USE_ENV_PROXY: '1',
  NODE_UNIQUE_ID: '1',
  NODE_CHANNEL_FD: '3',
  NODE_ENV: 'production',
  SSL_CERT_FILE: '/proc/nowhere/cert.pem',
  SSL_CERT_DIR: '/proc/nowhere/certs',
  OPENSSL_CONF: '/proc/nowhere/openssl.cnf',
  OPENSSL_MODULES: '/proc/nowhere/modules',
  ICU_DATA: '/proc/nowhere/icu',
  UV_THREADPOOL_SIZE: '1',
  UV_USE_IO_URING: '1',
  GLIBC_TUNABLES: 'glibc.malloc.perturb=165',
  MALLOC_PERTURB_: '165',
  MALLOC_ARENA_MAX: '1',
  LOCPATH: '/proc/nowhere/locale',
  GCONV_PATH: '/proc/nowhere/gconv',
  RES_OPTIONS: 'debug attempts:9',
  HOSTALIASES: '/proc/nowhere/aliases',
  LD_LIBRARY_PATH: '/proc/nowhere/lib',
  LD_AUDIT: '',
  LD_BIND_NOW: '1',
};

test('variables of an application change nothing of ours, and programs get them unchanged', { skip }, async (t) => {
  const preload = await compile(t, 'reaps-nothing', '-shared', '-fPIC', '-ldl');
  const variables = { ...VARIABLES, LD_PRELOAD: preload };
  const launched = await launch(t, {
    env: { ...variables, ONEVISOR_LIBC: '' },
    config:
      '[supervisord]\n[program:a]\ncommand=sh -c "cat /proc/self/environ >new; mv new environ; exec sleep 1000"\n',
  });
  const path = join(launched.folder, 'environ');
  await untilFile(path, /PATH=/);
  const given = (await readFile(path, 'utf8')).split('\0');
  for (const [name, value] of Object.entries(variables)) assert.ok(given.includes(`${name}=${value}`), name);
  assert.deepEqual(
    given.filter((line) => line.startsWith('ONEVISOR_SET_ASIDE')),
    [],
  );
  await launched.waitForLine(/success: a entered RUNNING state/);
  assert.deepEqual(await librariesOf(launched.pid), []);
  assert.equal((await launched.ctl('status', 'a')).stderr, '');
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.equal(launched.stderr.text, '');
});

test("ONEVISOR_LIBC=system runs with the system's libraries, and programs do not get it", { skip }, async (t) => {
  const launched = await launch(t, {
    env: { ONEVISOR_LIBC: 'system', ONEVISOR_PROGRAM_A: 'sh -c "echo libc=$ONEVISOR_LIBC; exec sleep 1000"' },
  });
  await launched.waitForLine(/^a \| libc=$/);
  const libraries = await librariesOf(launched.pid);
  for (const name of ['libc.so.6', 'libstdc++.so.6'])
    assert.ok(
      libraries.some((one) => one.startsWith(name)),
      libraries.join(),
    );
  // The client that a program or a person calls runs with its own libraries, without the choice.
  assert.equal((await launched.ctl('status', 'a')).code, 0);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});

test('a daemon keeps the choice of its libraries', { skip }, async (t) => {
  const launched = await launch(t, {
    args: [],
    files: {
      'x.conf':
        '[supervisord]\nlogfile=%(here)s/main.log\npidfile=%(here)s/pid\n[unix_http_server]\nfile=%(here)s/sock\n',
    },
    env: { ONEVISOR_PROGRAM_IDLE: 'sleep 1000' },
  });
  const start =
    'export ONEVISOR_CONTAINER=0 ONEVISOR_LIBC=system; unset ONEVISOR_PROGRAM_IDLE; exec "$0" -c "$PWD/x.conf"';
  const { code, stderr } = await launched.enter(['sh', '-c', start, EXECUTABLE]);
  assert.equal(code, 0, stderr);
  const { stdout } = await launched.enter(['sh', '-c', 'cat /proc/$(cat pid)/maps']);
  assert.match(stdout, /libstdc\+\+\.so\.6/);
  await launched.enter([EXECUTABLE, 'ctl', '-s', `unix://${launched.folder}/sock`, 'shutdown']);
});

test('a wrong value of ONEVISOR_LIBC is an error in one line', async (t) => {
  const launched = await launch(t, { as: 'plain', args: ['--version'], env: { ONEVISOR_LIBC: 'musl' } });
  assert.deepEqual(await launched.exit, { code: 2, signal: null });
  assert.equal(
    launched.stderr.text,
    'onevisor: cannot use the value of ONEVISOR_LIBC: write system, or leave the variable out',
  );
});

test('a crash report of Node names the functions and parts on its stack', async (t) => {
  const launched = await launch(t, {
    as: 'plain',
    env: { ONEVISOR_LIBC: '' },
    files: { 'abort.mjs': 'export default () => process.abort();\n' },
    config:
      '[supervisord]\nnodaemon=true\n[unix_http_server]\nfile=%FOLDER%/s\n[rpcinterface:x]\n' +
      'supervisor.rpcinterface_factory=./abort.mjs\n',
  });
  assert.equal((await launched.exit).signal, 'SIGABRT');
  assert.match(launched.stderr.text, /Native stack trace[^]* 1: 0x[0-9a-f]+ .*\[node\][^]*abort\.mjs:1/);
});

test('addresses need not be random', async () => {
  assert.match((await run('setarch', ['-R', EXECUTABLE, '--version'])).stdout, /^onevisor /);
});

test('a truncated executable is refused by the kernel, wherever it was cut', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-cut-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const copy = join(folder, 'onevisor');
  await copyFile(EXECUTABLE, copy);
  const { size } = await stat(copy);
  const { loads } = new ElfImage(await readFile(copy));
  // The table of segments is the end of the file.
  const missing = [1, 55, 56, 57, 1 << 12, 1 << 24].map((bytes) => size - bytes);
  const borders = loads.flatMap(({ offset, fileSize }) => [offset, offset + 4096, offset + fileSize - 1]);
  const lengths = [...new Set([...missing, ...borders, 1000, 64, 63])].filter((length) => length > 0);
  for (const length of lengths.sort((one, other) => other - one)) {
    await truncate(copy, length);
    // A shell tells what execve(2) says; Node would run the file as a script.
    await assert.rejects(
      run('bash', ['-c', '"$0" --version', copy], { timeout: 20_000 }),
      /Exec format error|Input\/output error/,
      `cut at ${length} of ${size}`,
    );
  }
});

test('it runs where all that it might write to is read-only and noexec', { skip }, async (t) => {
  const launched = await launch(t, {
    prepare: 'for folder in /run /dev/shm "$TMPDIR"; do mount -t tmpfs -o noexec,ro tmpfs "$folder"; done',
    env: { ONEVISOR_PROGRAM_A: 'sh -c "echo ran; exec sleep 1000"' },
  });
  await launched.waitForLine(/^a \| ran$/);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});

test('it runs without /dev, whichever of its standard streams are closed', { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-closed-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const config = join(folder, 'supervisord.conf');
  await writeFile(config, '[supervisord]\nlogfile=none\npidfile=none\n');
  for (const libc of ['', 'system'])
    for (const closed of ['<&-', '>&-', '<&- 2>&-', '<&- >&- 2>&-']) {
      // Another supervisor of this machine may have its socket in /run.
      const own = 'for folder in /run /dev; do mount -t tmpfs tmpfs "$folder" || exit; done';
      const command = `${own}; exec "$0" -c "$1" -- sh -c "exit 6" ${closed}`;
      await assert.rejects(
        run('unshare', ['--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', command, EXECUTABLE, config], {
          env: { PATH: process.env['PATH'] ?? '', ONEVISOR_LIBC: libc },
          timeout: 20_000,
        }),
        { code: 6, stderr: '' },
        `${closed} ${libc}`,
      );
    }
});
