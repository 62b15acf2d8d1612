/** Directories, modes and owners of log files: `logfile_mkdir`, `stdout_logfile_mode`, `stdout_logfile_owner`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configOf, printed, readText } from './memory-source.ts';

const PROGRAM = '[supervisord]\n[program:w]\ncommand=/bin/w\n';

function errorsOf(options: string, head = PROGRAM): string[] {
  const machine = { files: { '/srv/file': '' }, directories: ['/dev', '/var/log'] };
  return printed(readText(`${head}${options}\n`, machine).errors);
}

test('a directory of a log must exist, unless logfile_mkdir makes it', () => {
  assert.deepEqual(errorsOf('stdout_logfile=/var/log/a, /nope/b/c.log'), [
    '/etc/supervisord.conf:4: [program:w] stdout_logfile: the directory /nope/b of /nope/b/c.log does not exist; ' +
      'create it, use another path, or set logfile_mkdir=true',
  ]);
  assert.deepEqual(errorsOf('stderr_logfile=/nope/b.log\nlogfile_mkdir=true'), []);
  assert.deepEqual(errorsOf('logfile=/nope/own.log', '[supervisord]\n'), [
    '/etc/supervisord.conf:2: [supervisord] logfile: the directory /nope of /nope/own.log does not exist; create it, ' +
      'use another path, or set logfile_mkdir=true',
  ]);
  const withDirectories = '[supervisord]\nlogfile_mkdir=true\nlogfile=/nope/own.log\n[program:w]\ncommand=/bin/w\n';
  assert.deepEqual(errorsOf('stdout_logfile=/nope/a.log', withDirectories), []);
  const [missing = ''] = errorsOf('stdout_logfile=/nope/a.log\nlogfile_mkdir=false', withDirectories);
  assert.match(missing, /the directory \/nope of \/nope\/a\.log does not exist/);
});

test('a directory cannot be made in the place of a file', () => {
  assert.deepEqual(errorsOf('stdout_logfile=/srv/file/b/c.log\nlogfile_mkdir=true'), [
    '/etc/supervisord.conf:4: [program:w] stdout_logfile: the directory /srv/file/b cannot be made, because ' +
      '/srv/file is a file; use another path',
  ]);
  assert.deepEqual(errorsOf('stdout_logfile=/srv/other/c.log\nlogfile_mkdir=true'), []);
});

test('a mode and an owner are for files only', () => {
  for (const targets of ['/dev/stdout', 'NONE', 'syslog://loghost', '/dev/null', '/dev/stdout, syslog']) {
    const errors = errorsOf(`stdout_logfile=${targets}\nstdout_logfile_mode=0640\nstdout_logfile_owner=app`);
    assert.equal(errors.length, 2, targets);
    assert.equal(
      errors[0],
      '/etc/supervisord.conf:5: [program:w] stdout_logfile_mode: is for a file only, and stdout_logfile has none: ' +
        'name a path there, or remove it; /dev/stdout, syslog and log servers have no mode and no owner',
    );
    assert.match(errors[1] ?? '', /:6: \[program:w\] stdout_logfile_owner: is for a file only/);
  }
  assert.match(errorsOf('logfile=NONE\nlogfile_mode=0600', '[supervisord]\n').join(''), /logfile_mode: is for a file/);
  for (const targets of ['AUTO', '/var/log/w.log', '/dev/stdout, /var/log/w.log'])
    assert.deepEqual(errorsOf(`stdout_logfile=${targets}\nstdout_logfile_mode=0640\nstdout_logfile_owner=app`), []);
});

test('values of [program-default] are for the programs with a file', () => {
  const text =
    '[supervisord]\n[program-default]\nstdout_logfile_mode=640\nstdout_logfile_owner=app:staff\n' +
    '[program:a]\ncommand=/bin/a\nstdout_logfile=/dev/stdout\n[program:b]\ncommand=/bin/b\n';
  const [a, b] = configOf(readText(text)).groups.flatMap(({ processes }) => processes);
  for (const proc of [a, b]) {
    assert.equal(proc?.options.stdout_logfile_mode, 0o640);
    assert.deepEqual(proc.options.stdout_logfile_owner, { user: 'app', group: 'staff' });
    assert.equal(proc.options.stderr_logfile_mode, null);
  }
});
