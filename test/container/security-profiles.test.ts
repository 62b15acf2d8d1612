/**
 * The seccomp profile and the AppArmor rules of the manual's security page: everything that onevisor does works under
 * the profile, and what it never does is refused, also to its programs.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { isInstalled } from '../../build/rootfs.ts';
import { skipReason, startContainer } from './containers.ts';

const run = promisify(execFile);
const FILES = join(import.meta.dirname, '..', '..', 'src', 'manual', 'files');
const skip = (await skipReason()) ?? false;

/** Uses every feature that needs a call of its own. */
const CONFIG = `[supervisord]
loglevel=debug
watch_config=true
[unix_http_server]
file=/tmp/s.sock
chmod=0770
chown=root:daemon
[inet_http_server]
port=127.0.0.1:9001
username=u
password=p
[program:user]
user=daemon
umask=077
nice=5
rlimit_nofile=512
capabilities=drop-all
no_new_privs=true
stdout_logfile=/tmp/user.log
stdout_logfile_maxbytes=1KB
stdout_logfile_backups=2
compress=true
stdout_logfile_owner=daemon
command=sh -c "while echo a long line of a log that is rotated soon; do sleep 0.01; done"
[program:terminal]
tty=true
command=sh -c "test -t 1 && echo has a terminal; exec sleep 1000"
[program:listens]
listen=unix:///tmp/listens.sock;mode=0660
command=sh -c "echo got $LISTEN_FDS; exec sleep 1000"
[program:checked]
command=sleep 1000
healthcheck=true
healthcheck_interval=0.2s
[program:orphans]
command=sh -c "(sleep 0.2; exit 3) & exit 0"
startsecs=0
autorestart=false
[program:thrice]
command=sh -c "exit 1"
startretries=2
startsecs=0.1
`;

test('everything works under the seccomp profile, and other calls are refused', { skip }, async (t) => {
  const container = await startContainer(t, {
    config: CONFIG,
    flags: [`--security-opt=seccomp=${join(FILES, 'seccomp.json')}`],
  });
  await container.waitForLine(/has a terminal/);
  await container.waitForLine(/got 1/);
  await container.waitForLine(/gave up: thrice entered FATAL/);
  await container.waitForLine(/checked is healthy|health.*checked|checked.*healthy/i);
  const ctl = (...args: string[]): ReturnType<typeof container.exec> =>
    container.exec('/usr/local/bin/onevisor', 'ctl', ...args);
  assert.match((await ctl('status')).stdout, /^user +RUNNING/m);
  assert.equal((await ctl('restart', 'user')).code, 0);
  assert.match((await ctl('run', 'user', '--', 'id', '-un')).stdout, /^daemon/);
  assert.match((await ctl('reread')).stdout, /No config updates/);
  const rotated = await container.exec('sh', '-c', 'until test -e /tmp/user.log.1.gz; do sleep 0.1; done; ls /tmp');
  assert.match(rotated.stdout, /^user\.log\.1\.gz$/m);
  for (const command of [
    ['unshare', '--user', 'true'],
    ['unshare', '--mount', 'true'],
    ['mount', '-t', 'tmpfs', 'none', '/mnt'],
    ['chroot', '/', 'true'],
  ])
    assert.notEqual((await container.exec(...command)).code, 0, command.join(' '));
  assert.match((await container.exec('grep', 'Seccomp:', '/proc/1/status')).stdout, /Seccomp:\s*2/);
  container.kill('TERM').catch(() => undefined);
  assert.equal(await container.exit, 0);
  const said = container.stdout.text + container.stderr.text;
  assert.doesNotMatch(said, /EPERM|ENOSYS|Operation not permitted|Function not implemented|unexpected error/);
});

test(
  'the parser of AppArmor takes the rules',
  { skip: (await isInstalled('apparmor_parser')) ? false : 'apparmor_parser is not installed' },
  async () => {
    // Only the parser: the kernels of test machines seldom have AppArmor.
    const { stderr } = await run('apparmor_parser', ['--skip-kernel-load', '--skip-cache', join(FILES, 'apparmor')]);
    assert.doesNotMatch(stderr, /error|warning/i);
  },
);
