/** Log files that the executable rotates by time and compresses: no line is lost or repeated. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { order, statusOf } from './connections.ts';
import { EXECUTABLE, launch, type Launched, pid1SkipReason } from './launch.ts';
import { compile, sizeOf, until } from './observe.ts';

const run = promisify(execFile);
const skip = (await pid1SkipReason()) ?? false;

/** Lists the backups of a log, the oldest first. */
async function backupsOf(launched: Launched, log: string): Promise<string[]> {
  const number = (name: string): number => Number(/\.(\d+)(\.gz)?$/.exec(name)?.[1]);
  return (await readdir(launched.folder))
    .filter((name) => name.startsWith(`${log}.`))
    .sort((a, b) => number(b) - number(a));
}

/** Reads a log and its backups in the order in which they were written. */
async function wholeLog(launched: Launched, log: string): Promise<string> {
  const texts: string[] = [];
  for (const name of [...(await backupsOf(launched, log)), log]) {
    const path = join(launched.folder, name);
    texts.push(
      name.endsWith('.gz')
        ? (await run('zcat', [path], { maxBuffer: 1 << 28 })).stdout
        : await readFile(path, 'latin1'),
    );
  }
  return texts.join('');
}

test(
  'rotate_interval and compress: zcat shows every line once while a program floods',
  { skip, timeout: 240_000 },
  async (t) => {
    const floods = await compile(t, 'floods');
    const launched = await launch(t, {
      config: `
[supervisord]
logfile=%FOLDER%/supervisord.log
rotate_interval=1s
compress=true
[program:flood]
command=%FOLDER%/flood.sh
stdout_logfile=%FOLDER%/flood.log
stdout_logfile_backups=1000
stdout_logfile_maxbytes=1MB
`,
      files: { 'records/.keep': '', 'flood.sh': `#!/bin/sh\nmkfifo gate 2>&-\nexec ${floods} gate records\n` },
    });
    await launched.waitForLine(/success: flood entered RUNNING/);
    await writeFile(join(launched.folder, 'gate'), '');
    // The flood is many times faster than the compression. Wait for backups, not for compressed ones, so that the work
    // after the flood is limited on a busy machine too.
    await until(
      '20 backups, some of them compressed',
      async () => {
        const names = await backupsOf(launched, 'flood.log');
        return names.length >= 20 && names.some((name) => name.endsWith('.gz'));
      },
      60_000,
    );
    assert.deepEqual(await launched.ctl('stop', 'flood'), { code: 0, stdout: 'flood: stopped\n', stderr: '' });
    await until(
      'the last backup',
      async () => {
        const names = await backupsOf(launched, 'flood.log');
        return names.every((name) => name.endsWith('.gz')) && (await sizeOf(join(launched.folder, 'flood.log'))) === 0;
      },
      150_000,
    );
    const [record = ''] = (await readdir(join(launched.folder, 'records'))).filter((name) => name !== '.keep');
    const written = Number((await readFile(join(launched.folder, 'records', record))).readBigInt64LE());
    let expected = 1;
    for (const line of (await wholeLog(launched, 'flood.log')).split('\n')) {
      if (line === '') continue;
      if (line !== `${record} ${expected}`) assert.fail(`"${line}" where ${expected} should be`);
      expected++;
    }
    assert.ok(expected - 1 >= written && written > 100_000, `${expected - 1} of ${written} lines`);
    // The supervisor's own log is rotated too.
    await until('the own log to be rotated', async () => (await backupsOf(launched, 'supervisord.log')).length > 0);
    assert.match(await wholeLog(launched, 'supervisord.log'), /spawned: 'flood'[^]*stopped: flood/);
    launched.signal('SIGTERM');
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
    assert.ok((await readdir(launched.folder)).every((name) => !name.endsWith('.tmp')));
  },
);

test('update applies another interval without a restart of the program', { skip }, async (t) => {
  const config = (more: string): string =>
    '[supervisord]\n[program:says]\ncommand=sh -c "echo one; echo two; exec sleep 1000"\n' +
    `stdout_logfile=%FOLDER%/says.log\n${more}\n`;
  const launched = await launch(t, { config: config('rotate_interval=weekly') });
  const pid = async (): Promise<number> => (await statusOf(launched, 'says')).pid;
  await until(
    'the lines',
    async () => (await readFile(join(launched.folder, 'says.log'), 'latin1').catch(() => '')) === 'one\ntwo\n',
  );
  const before = await pid();
  assert.deepEqual(await backupsOf(launched, 'says.log'), []);
  await writeFile(
    join(launched.folder, 'supervisord.conf'),
    config('rotate_interval=1s\ncompress=true').replaceAll('%FOLDER%', launched.folder),
  );
  assert.equal((await launched.ctl('update')).stdout, 'says: updated process group\n');
  await until('the backup', async () => (await backupsOf(launched, 'says.log')).join() === 'says.log.1.gz');
  assert.equal(await wholeLog(launched, 'says.log'), 'one\ntwo\n');
  assert.equal(await pid(), before);
});

test(
  'a supervisor that is killed during a compression loses nothing, and the next one finishes the work',
  { skip, timeout: 120_000 },
  async (t) => {
    const config = (command: string): string =>
      `[supervisord]\n[program:says]\ncommand=${command}\nstdout_logfile=%FOLDER%/says.log\n` +
      'stdout_logfile_maxbytes=10MB\ncompress=true\n';
    const launched = await launch(t, { config: config('sh -c "seq 1 3000000; exec sleep 1000"') });
    await until('a compression', async () => (await readdir(launched.folder)).includes('says.log.gz.tmp'));
    launched.signal('SIGKILL');
    await launched.exit;
    const plain = async (): Promise<string[]> =>
      (await readdir(launched.folder)).filter((name) => /^says\.log\.(\d+|gz\.tmp)$/.test(name));
    assert.ok((await plain()).length > 0, 'something is left to do');
    const path = join(launched.folder, 'supervisord.conf');
    await writeFile(path, config('sleep 1000').replaceAll('%FOLDER%', launched.folder));
    const next = await launch(t, { as: 'plain', args: ['--container', '-c', path] });
    await next.waitForLine(/spawned: 'says'/);
    await until('all to be compressed', async () => (await plain()).length === 0, 60_000);
    const numbers = (await wholeLog(launched, 'says.log')).split('\n');
    // The last line may be incomplete, since the program was killed too.
    assert.ok(
      numbers.length > 1_000_000 && numbers.slice(0, -1).every((number, i) => Number(number) === i + 1),
      'each number once',
    );
  },
);

test('no room for the compressed file: one report, the plain file stays, and logging goes on', { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-small-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const executable = join(folder, 'with-small-disk');
  await writeFile(executable, `#!/bin/sh\nmount -t tmpfs -o size=3m tmpfs ${folder} && exec ${EXECUTABLE} "$@"\n`, {
    mode: 0o755,
  });
  const launched = await launch(t, {
    executable,
    config:
      '[supervisord]\n[program:says]\ncommand=sh -c "head -c 1500000 /dev/urandom | base64; echo one; head ' +
      `-c 20000 /dev/zero | base64; echo end; exec sleep 1000"\nstdout_logfile=${folder}/says.log\n` +
      'stdout_logfile_maxbytes=2000000\ncompress=true\n',
  });
  await launched.waitForLine(
    /ERRO cannot compress .*\/says\.log\.1: no space left on device \(ENOSPC\); it stays uncompressed/,
  );
  await until('the last line', async () =>
    (await launched.enter(['cat', join(folder, 'says.log')])).stdout.endsWith('end\n'),
  );
  assert.match((await launched.enter(['ls', folder])).stdout, /^says\.log\nsays\.log\.1\n$/);
  assert.equal((await launched.enter([EXECUTABLE, 'ctl', 'stop', 'says'])).stdout, 'says: stopped\n');
  launched.signal('SIGTERM');
  assert.equal((await launched.exit).code, 0);
  // On a busy machine the program may write while the compression fills the disk, which is another report.
  assert.equal(launched.stdout.text.match(/cannot compress /g)?.length, 1);
});

test('at the end, a compression is stopped at once and leaves no file', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\n[program:says]\ncommand=sh -c "seq 1 20000000; exec sleep 1000"\n' +
      'stdout_logfile=%FOLDER%/says.log\nstdout_logfile_maxbytes=150MB\ncompress=true\n',
  });
  await until('a compression', async () => (await readdir(launched.folder)).includes('says.log.gz.tmp'), 60_000);
  const began = performance.now();
  launched.signal('SIGTERM');
  assert.equal((await launched.exit).code, 0);
  t.diagnostic(`ended in ${Math.round(performance.now() - began)} ms`);
  assert.deepEqual(
    (await readdir(launched.folder)).filter((name) => name.startsWith('says.log')),
    ['says.log', 'says.log.1'],
  );
});

test(
  "the supervisor's own log has several targets; maintail reads the first file, USR2 reopens all",
  { skip },
  async (t) => {
    const launched = await launch(t, {
      config: '[supervisord]\nlogfile=/dev/stderr, %FOLDER%/a.log, %FOLDER%/b.log\n[program:x]\ncommand=sleep 1000\n',
    });
    await launched.stderr.waitFor(/success: x entered RUNNING/);
    const read = (name: string): Promise<string> => readFile(join(launched.folder, name), 'latin1');
    await until(
      'both files',
      async () => /success: x/.test(await read('a.log')) && /success: x/.test(await read('b.log')),
    );
    assert.match((await launched.ctl('maintail')).stdout, /success: x entered RUNNING/);
    launched.signal('SIGUSR2');
    await until(
      'the files to be reopened',
      async () => /logreopen/.test(await read('a.log')) && /logreopen/.test(await read('b.log')),
    );
    launched.signal('SIGTERM');
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
    assert.equal(await read('a.log'), await read('b.log'));
    assert.equal(launched.stdout.text, '', 'a stream among them is the console');
  },
);

for (const [option, value, reason] of [
  ['rotate_interval', 'monthly', 'a rotation interval: hourly, daily, weekly, or a duration of 1s or more'],
  ['compress', 'gzip', 'true or false'],
  ['stdout_logfile', 'syslog://h:70000', 'a log server: syslog://host'],
] as const) {
  test(`${option}=${value} is an error with its place`, async (t) => {
    const launched = await launch(t, {
      as: 'plain',
      config: `[supervisord]\n[program:x]\ncommand=true\n${option}=${value}\n`,
      args: ['-n'],
    });
    await launched.waitForLine(
      new RegExp(`supervisord\\.conf:4: \\[program:x\\] ${option}: "${value}" is not ${reason}`),
    );
    assert.equal((await launched.exit).code, 2);
  });
}

test('with a million backups configured, each rotation is quick, and no line is lost', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `
[supervisord]
[program:count]
command=sh -c "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i of the log; done"
stdout_logfile=%FOLDER%/count.log
stdout_logfile_maxbytes=1KB
stdout_logfile_backups=1000000
exit_on_end=true
autorestart=false
startsecs=0
`,
  });
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  const lines = (await wholeLog(launched, 'count.log')).trimEnd().split('\n');
  assert.deepEqual(
    lines,
    Array.from({ length: 3000 }, (_, index) => `line ${index + 1} of the log`),
  );
});

test('a full disk: dropped output is counted, and reported when there is room again', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `
[supervisord]
[program:fill]
command=sh %FOLDER%/fill.sh
stdout_logfile=%FOLDER%/small/fill.log
stdout_logfile_maxbytes=0
autostart=false
`,
    files: {
      'small/.keep': '',
      'fill.sh': [
        'yes 0123456789012345678901234567890123456789 | head -n 5000',
        'echo filled >%FOLDER%/filled',
        'until [ -e %FOLDER%/room ]; do sleep 0.05; done',
        'echo again',
        'exec sleep 1000',
      ].join('\n'),
    },
  });
  const log = join(launched.folder, 'small', 'fill.log');
  await launched.waitForLine(/started/);
  await launched.enter(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', join(launched.folder, 'small')]);
  await order(launched, 'supervisor.startProcess', 'fill');
  await launched.waitForLine(/cannot write .*fill\.log: no space left on device \(ENOSPC\)/);
  await until(
    'the end of the flood',
    async () => (await readFile(join(launched.folder, 'filled'), 'latin1').catch(() => '')) !== '',
  );
  const kept = Number((await launched.enter(['stat', '-c', '%s', log])).stdout);
  await launched.enter(['truncate', '-s', '0', log]);
  await writeFile(join(launched.folder, 'room'), '');
  const [, lines, bytes] = await launched.waitForLine(
    /fill\.log is written again; (\d+) lines \((\d+) bytes\) for it were dropped/,
  );
  assert.equal(kept + Number(bytes), 5000 * 41);
  assert.equal(Number(lines), Math.ceil(Number(bytes) / 41));
  assert.equal((await launched.enter(['cat', log])).stdout.trim(), 'again');
});
