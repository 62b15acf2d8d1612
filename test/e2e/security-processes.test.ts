/**
 * Things that PID 1 hands to its programs, or keeps from them and from other users: core dumps, descriptors, groups,
 * capabilities, keyrings, umask, /proc/1/environ, memory, and secrets after the start.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { type Launched, launch, pid1SkipReason } from './launch.ts';

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;
const skip = (await pid1SkipReason()) ?? (isRoot ? false : 'only root can start programs as another user');
const SOCKET = '[supervisord]\n[unix_http_server]\nfile=%FOLDER%/s.sock\n';
const NOBODY = 65_534;

/** Soft and hard limit of core dumps of a process, as words of the kernel. */
function coreLimit(text: string): readonly string[] {
  return (/^Max core file size +(\S+) +(\S+)/m.exec(text) ?? []).slice(1);
}

test('PID 1 leaves no core dump, and programs, hooks, checks and commands have the limit back', { skip }, async (t) => {
  const show = (name: string): string => `sh -c "grep -h core /proc/self/limits > %FOLDER%/${name}.limits"`;
  const launched = await launch(t, {
    under: ['prlimit', '--core=8192:16384', '--'],
    config:
      `${SOCKET}[program:web]\ncommand=sh -c "cat /proc/self/limits; exec sleep 1000"\n` +
      `pre_start_command=${show('hook')}\nhealthcheck=${show('check')}\nhealthcheck_interval=0.1\n` +
      '[program:own]\ncommand=sh -c "cat /proc/self/limits; exec sleep 1000"\nrlimit_core=4096\n',
  });
  await launched.waitForLine(/^web +\| Max core file size +8192 +16384/);
  await launched.waitForLine(/^own +\| Max core file size +4096 +(4096|16384)/);
  assert.deepEqual(coreLimit(await readFile(`/proc/${launched.pid}/limits`, 'latin1')), ['0', '16384']);
  await launched.waitForLine(/web is healthy|healthy/i);
  for (const name of ['hook', 'check'])
    assert.deepEqual(coreLimit(await readFile(join(launched.folder, `${name}.limits`), 'latin1')), ['8192', '16384']);
  const ran = await launched.ctl('run', 'web', '--', 'cat', '/proc/self/limits');
  assert.deepEqual(coreLimit(ran.stdout), ['8192', '16384']);
});

/** Shows what a process has, in lines of the log. */
const SELF =
  "sh -c \"ls -1 /proc/self/fd | tr '\\\\n' ' ' | sed 's/^/fds /'; echo; umask | sed 's/^/umask /'; " +
  "grep -E '^(Groups|Uid|Gid|NoNewPrivs|SigBlk|SigIgn|Seccomp):' /proc/self/status; exec sleep 1000\"";

test('a program has its own descriptors, groups and umask, and no privilege beyond ours', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      `${SOCKET}[program-default]\ncommand=${SELF}\ndirectory=/\n` +
      '[program:root]\numask=077\n[program:user]\nuser=nobody\n',
    // Node makes only low descriptors close-on-exec, and PID 1 inherits a high one.
    under: ['bash', '-c', 'exec setpriv --groups=4,20 -- "$@" 50</dev/null', 'bash'],
  });
  await launched.waitForLine(/user +\| SigIgn/);
  await launched.waitForLine(/root +\| SigIgn/);
  const lineOf = (name: string, start: string): string =>
    new RegExp(`^${name} +\\| ${start}:?\\s*(.*?) *$`, 'm').exec(launched.stdout.text)?.[1] ?? 'missing';
  for (const name of ['root', 'user']) {
    // The descriptor 3 is the directory that ls itself reads.
    assert.equal(lineOf(name, 'fds'), '0 1 2 3', name);
    assert.equal(lineOf(name, 'SigBlk'), '0000000000000000', name);
    assert.equal(lineOf(name, 'SigIgn'), '0000000000000000', name);
    assert.equal(lineOf(name, 'NoNewPrivs'), '0', name);
  }
  assert.deepEqual([lineOf('root', 'umask'), lineOf('user', 'umask')], ['0077', '0022']);
  assert.equal(lineOf('root', 'Groups'), '4 20');
  assert.match(lineOf('user', 'Uid'), /^65534\t65534\t65534\t65534$/);
  // None of our groups stays.
  assert.doesNotMatch(lineOf('user', 'Groups'), /\b(?:0|4|20)\b/);
});

test('PID 1 puts nothing into a keyring, and programs share its session keyring', { skip }, async (t) => {
  if (
    await run('keyctl', ['--version']).then(
      () => false,
      (error: { code?: string }) => error.code === 'ENOENT',
    )
  )
    return t.skip('keyctl is not installed');
  const launched = await launch(t, {
    config:
      `${SOCKET}[program:a]\ncommand=sh -c "keyctl show @s | tail -n +2; echo id $(keyctl id @s); exec sleep 1000"\n` +
      '[program:b]\ncommand=sh -c "echo id $(keyctl id @s); exec sleep 1000"\n',
    under: ['keyctl', 'session', '-'],
  });
  const [, a] = await launched.waitForLine(/^a +\| id (\S+)/);
  const [, b] = await launched.waitForLine(/^b +\| id (\S+)/);
  assert.equal(a, b);
  // One keyring without a key in it.
  assert.equal(launched.stdout.all.filter((line) => /^a +\| .*(?:keyring|user|logon|asymmetric)/.test(line)).length, 1);
});

/** Runs a command there as another user without groups and capabilities. Returns its exit code and output. */
function asNobody(launched: Launched, ...command: string[]): ReturnType<Launched['enter']> {
  return launched.enter(['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--', ...command]);
}

test('another user reads neither the variables nor the memory of PID 1', { skip }, async (t) => {
  const launched = await launch(t, {
    env: { API_TOKEN: 'kept-from-others' },
    config:
      `${SOCKET}[program:web]\nuser=nobody\n` +
      'command=sh -c "cat /proc/1/environ; cat /proc/1/maps; exec sleep 1000"\n',
  });
  await launched.waitForLine(/success: web entered RUNNING/);
  for (const name of ['environ', 'maps', 'mem', 'auxv', 'fd/1', 'cwd/supervisord.conf', 'root/etc/shadow', 'fd']) {
    const { code, stdout, stderr } = await asNobody(launched, name === 'fd' ? 'ls' : 'cat', `/proc/1/${name}`);
    assert.notEqual(code, 0, name);
    assert.match(stderr, /Permission denied/, name);
    assert.equal(stdout, '', name);
  }
  assert.doesNotMatch(launched.stdout.text, /kept-from-others/);
  const ptrace = await asNobody(launched, 'strace', '-o', '/dev/null', '-p', '1');
  assert.notEqual(ptrace.code, 0);
  // The socket is private, too.
  const ctl = await asNobody(launched, 'cat', `${launched.folder}/s.sock`);
  assert.notEqual(ctl.code, 0);
});

test('PID 1 stays dumpable after it has started programs as other users', { skip }, async (t) => {
  const launched = await launch(t, {
    // As in Docker: root with this capability may open the files of any process.
    under: ['setpriv', '--bounding-set=-sys_ptrace', '--inh-caps=-sys_ptrace', '--'],
    config:
      `${SOCKET}[program:user]\nuser=nobody\ndirectory=/\ncommand=true\nstartsecs=0\nautorestart=false\n` +
      '[program:writer]\ncommand=sh -c "echo by way of PID 1 > /proc/1/fd/1; exec sleep 1000"\nstartsecs=0\n' +
      'depends_on=user\n',
  });
  // A process that is not dumpable can be reached through /proc only with that capability.
  await launched.waitForLine(/^by way of PID 1$/);
});

const SECRET = 'S3cr3t-of-a-file-7f3a9c';

test('secrets of files are in no log, no answer and no metric', { skip }, async (t) => {
  const launched = await launch(t, {
    files: { 'secrets/db': `${SECRET}\n`, 'secrets/api': `${SECRET}-user\n` },
    config:
      `[supervisord]\nloglevel=debug\nlogfile=%FOLDER%/main.log\n[unix_http_server]\nfile=%FOLDER%/s.sock\n` +
      '[api_user:ops]\npassword_file=%FOLDER%/secrets/api\nrole=admin\n' +
      '[program:web]\ncommand=sh -c "test -n \\"$DB_PASSWORD\\" && echo has it; exec sleep 1000"\n' +
      'environment=DB_PASSWORD_FILE="%FOLDER%/secrets/db"\nexpand_file_variables=DB_PASSWORD\n' +
      '[program:gone]\ncommand=/does/not/exist\nenvironment=DB_PASSWORD_FILE="%FOLDER%/secrets/db"\n' +
      'expand_file_variables=DB_PASSWORD\nstartretries=0\n',
  });
  await launched.waitForLine(/^web +\| has it|^has it$/);
  await launched.waitForLine(/gave up: gone entered FATAL/);
  const config = join(launched.folder, 'supervisord.conf');
  const texts: Record<string, string> = { log: launched.stdout.text + launched.stderr.text };
  for (const words of [
    ['status', '--json'],
    ['describe', 'web'],
    ['describe', 'gone'],
    ['avail'],
    ['maintail', '-100000'],
    ['reread'],
  ])
    texts[words.join(' ')] = await launched.ctl(...words).then(({ stdout, stderr }) => stdout + stderr);
  for (const path of ['/metrics', '/api/v1/config', '/api/v1/processes', '/api/v1/events', '/api/v1/logs', '/'])
    texts[path] = (
      await launched.enter(['curl', '-sS', '--unix-socket', `${launched.folder}/s.sock`, `http://localhost${path}`])
    ).stdout;
  for (const more of [[], ['--json']]) {
    const { stdout, stderr } = await launched.enter([
      join(import.meta.dirname, '../../dist/onevisor'),
      'check',
      '-c',
      config,
      ...more,
    ]);
    texts[`check ${more.join('')}`] = stdout + stderr;
  }
  texts['main.log'] = await readFile(join(launched.folder, 'main.log'), 'utf8').catch(() => '');
  for (const [name, text] of Object.entries(texts)) {
    assert.ok(text.length > 2, `${name} is empty: ${text}`);
    assert.ok(!text.includes(SECRET), `${name} has the secret: ${text}`);
  }
  const size = JSON.stringify(texts).length;
  t.diagnostic(`${Object.keys(texts).length} places, ${size} characters`);
});

/** Counts the places of a text in the writable memory of a process. */
function countInMemory(pid: number, text: string): number {
  const wanted = [Buffer.from(text, 'latin1'), Buffer.from(text, 'utf16le')];
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  let count = 0;
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n')) {
      const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
      const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)];
      if (!(end - start > 0 && end - start <= 1 << 28)) continue;
      const bytes = Buffer.alloc(end - start);
      try {
        readSync(memory, bytes, 0, bytes.length, start);
      } catch {
        continue; // A guard page, or a part that is gone by now.
      }
      for (const one of wanted)
        for (let at = bytes.indexOf(one); at !== -1; at = bytes.indexOf(one, at + 1)) count += 1;
    }
  } finally {
    closeSync(memory);
  }
  return count;
}

test('the variables of files do not stay in the memory of PID 1', { skip }, async (t) => {
  const launched = await launch(t, {
    files: { 'secrets/db': `${SECRET}\n` },
    config:
      '[supervisord]\nloglevel=debug\n[unix_http_server]\nfile=%FOLDER%/s.sock\n' +
      '[program:web]\ncommand=sleep 1000\nenvironment=DB_PASSWORD_FILE="%FOLDER%/secrets/db"\n' +
      'expand_file_variables=DB_PASSWORD\nstartsecs=0\n',
  });
  await chmod(join(launched.folder, 'secrets/db'), 0o400);
  await launched.waitForLine(/success: web entered RUNNING/);
  const program = await launched.enter(['sh', '-c', 'tr "\\0" "\\n" < /proc/$(pgrep -x sleep)/environ']);
  assert.match(program.stdout, new RegExp(`^DB_PASSWORD=${SECRET}$`, 'm'));
  const atStart = countInMemory(launched.pid, SECRET);
  // The supervisor collects its garbage once it has been quiet for some seconds.
  await launched.waitForLine(/collected garbage in a quiet time/);
  const left = countInMemory(launched.pid, SECRET);
  t.diagnostic(`${atStart} copies after the start, ${left} later`);
  assert.equal(left, 0);
});
