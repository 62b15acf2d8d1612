/** The mode, the owner and the directories of log files, of the executable. */
import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { statusOf } from './connections.ts';
import { launch, pid1SkipReason } from './launch.ts';
import { until, untilFile } from './observe.ts';

const skip = process.getuid?.() === 0 ? ((await pid1SkipReason()) ?? false) : 'only root can give files to other users';

const says = '[program:web]\ncommand=sh -c "while echo said; do sleep 0.1; done"\n';

async function accessOf(path: string): Promise<string> {
  const { mode, uid, gid } = await stat(path);
  return `${(mode & 0o7777).toString(8)} ${uid}:${gid}`;
}

test('new, rotated and compressed files have the mode and the owner, and update changes both', { skip }, async (t) => {
  const config = (access: string): string =>
    '[supervisord]\nlogfile=%FOLDER%/own/own.log\nlogfile_mode=0600\nlogfile_mkdir=true\n' +
    `${says}stdout_logfile=%FOLDER%/logs/web/out.log, /dev/stdout\nstdout_logfile_maxbytes=0\n` +
    `compress=true\n${access}[program:auto]\ncommand=sh -c "echo said; exec sleep 1000"\n` +
    'stdout_logfile=AUTO\nstdout_logfile_owner=7:8\n';
  const launched = await launch(t, { config: config('stdout_logfile_mode=0640\nstdout_logfile_owner=1234:5678\n') });
  const log = join(launched.folder, 'logs/web/out.log');
  await untilFile(log, /said/);
  assert.equal(await accessOf(log), '640 1234:5678');
  assert.equal(await accessOf(join(launched.folder, 'logs/web')), '755 0:0');
  assert.equal(await accessOf(join(launched.folder, 'own/own.log')), '600 0:0');
  const described = (await launched.ctl('describe', 'web')).stdout;
  assert.match(described, /Stdout *: .*\/logs\/web\/out\.log.*; mode 0640, owner 1234:5678$/m);
  assert.match(described, /Log directories *: made when missing \(logfile_mkdir\)$/m);
  const auto = /Stdout *: (\S+auto-stdout---\S+\.log)/.exec((await launched.ctl('describe', 'auto')).stdout)?.[1];
  assert.equal(await accessOf(auto ?? ''), '600 7:8');
  await launched.ctl('rotate', 'web');
  await until('the backup to be compressed', async () => (await stat(`${log}.1.gz`).catch(() => null)) !== null);
  await until('the new file', async () => (await stat(log).catch(() => null)) !== null);
  for (const path of [log, `${log}.1.gz`]) assert.equal(await accessOf(path), '640 1234:5678', path);

  const { pid } = await statusOf(launched, 'web');
  await writeFile(
    join(launched.folder, 'supervisord.conf'),
    config('stdout_logfile_mode=0604\nstdout_logfile_owner=1234\n').replaceAll('%FOLDER%', launched.folder),
  );
  await launched.ctl('update');
  await until('the change', async () => (await accessOf(log)) === '604 1234:0');
  const after = await statusOf(launched, 'web');
  assert.equal(after.pid, pid, 'the program was not restarted');
  assert.doesNotMatch(launched.stdout.text, /cannot (give|write)/);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});

test('a mode or a directory that cannot be had is reported once, and the program runs', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      `[supervisord]\nlogfile_mkdir=true\n${says}stdout_logfile=%FOLDER%/tmp/web.log, /dev/stdout\n` +
      'stdout_logfile_mode=0644\nstderr_logfile=%FOLDER%/none/err.log\n',
    prepare: 'mkdir tmp none; chmod 1777 tmp; echo secret >secret; chmod 600 secret; ln secret tmp/web.log; rmdir none',
  });
  await launched.waitForLine(/cannot give .*\/tmp\/web\.log its mode and owner: it has 2 names \(hard links\); give/);
  await launched.waitForLine(/^said$/, { count: 3 });
  assert.equal(await accessOf(join(launched.folder, 'secret')), '600 0:0');
  assert.match(await readFile(join(launched.folder, 'secret'), 'utf8'), /^secret\nsaid\n/);
  assert.equal(launched.stdout.text.match(/cannot give/g)?.length, 1);
  assert.equal(await accessOf(join(launched.folder, 'none')), '755 0:0');
});

test('a directory that cannot be made is reported, with its name', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `[supervisord]\n${says}stdout_logfile=/proc/none/web.log, /dev/stdout\nlogfile_mkdir=true\n`,
  });
  await launched.waitForLine(
    /cannot write \/proc\/none\/web\.log: its directory \/proc\/none cannot be made: no such file or directory/,
  );
  await launched.waitForLine(/^said$/, { count: 3 });
});

test('wrong values are errors with file, line and option', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `[supervisord]\n${says}stdout_logfile=/dev/stdout\nstdout_logfile_mode=0640\nstderr_logfile_mode=rw\n`,
  });
  assert.deepEqual(await launched.exit, { code: 2, signal: null });
  assert.match(
    launched.stderr.text,
    /supervisord\.conf:5: \[program:web\] stdout_logfile_mode: is for a file only, and stdout_logfile has none/,
  );
  assert.match(
    launched.stderr.text,
    /supervisord\.conf:6: \[program:web\] stderr_logfile_mode: "rw" is not an octal mode up to 0777/,
  );
});
