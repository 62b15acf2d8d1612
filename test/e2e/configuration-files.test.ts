/** Configuration files that are not plain files: no file can block PID 1 or fill its memory. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXECUTABLE, launch, pid1SkipReason } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;
const CONFIG = '[supervisord]\n[program:a]\ncommand=sleep 1000\n[include]\nfiles=conf.d/*.conf\n';

/** Returns the peak memory of a process in MB (VmHWM). */
async function peakOf(pid: number): Promise<number> {
  return Number(/VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

test('a file that is not regular is refused at reread, and PID 1 continues', { skip }, async (t) => {
  const launched = await launch(t, {
    config: CONFIG,
    files: { 'conf.d/b.conf': '[program:b]\ncommand=sleep 1000\n', 'huge.conf': 'x'.repeat(5 * 1024 * 1024) },
  });
  const { folder } = launched;
  await launched.waitForLine(/success: b entered RUNNING state/);
  const before = await peakOf(launched.pid);
  const rows: ReadonlyArray<readonly [target: string, reason: RegExp]> = [
    ['/dev/zero', /cannot read .*b\.conf: it is a device, and only a regular file is read/],
    [join(folder, 'fifo'), /cannot read .*b\.conf: it is a pipe, and only a regular file is read/],
    [join(folder, 'huge.conf'), /cannot read .*b\.conf: it is larger than 4 MB/],
  ];
  await launched.enter(['mkfifo', 'fifo']);
  for (const name of ['conf.d/b.conf', 'supervisord.conf']) {
    const path = join(folder, name);
    const text = await readFile(path, 'utf8');
    for (const [target, reason] of rows) {
      await rm(path);
      await symlink(target, path);
      const { code, stdout } = await launched.enter(['env', 'ONEVISOR_CONF=', EXECUTABLE, 'ctl', 'reread']);
      assert.equal(code, 1, stdout);
      assert.match(stdout, new RegExp(reason.source.replace('b\\.conf', name.split('/').at(-1) ?? '')));
    }
    await launched.enter(['sh', '-c', `rm ${name} && printf %s "$1" > ${name}`, 'sh', text]);
  }
  assert.match((await launched.ctl('status')).stdout, /a +RUNNING[^]*b +RUNNING/);
  assert.ok((await peakOf(launched.pid)) < before + 60, `${before} MB became ${await peakOf(launched.pid)} MB`);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});

test('an include that is /dev/null is empty', { skip }, async (t) => {
  const launched = await launch(t, {
    config: '[supervisord]\n[program:a]\ncommand=sleep 1000\n[include]\nfiles=/dev/null\n',
  });
  await launched.waitForLine(/success: a entered RUNNING state/);
});

/** Runs a line of bash, which has `<(…)`. */
function bash(line: string): Promise<{ code: number | null; output: string }> {
  const child = spawn('bash', ['-c', line, EXECUTABLE], {
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  return new Promise((resolve, reject) =>
    child.once('error', reject).once('close', (code) => resolve({ code, output })),
  );
}

const TEXT =
  `'[supervisord]\\n[program:a]\\ncommand=echo said ` +
  `%%(host_node_name)s\\nautorestart=false\\nstartsecs=0\\nexit_on_end=true\\nstdout_logfile=/dev/stdout\\n'`;

for (const [name, line] of [
  ['<(…)', `"$0" --container -c <(printf ${TEXT})`],
  ['/dev/stdin', `printf ${TEXT} | "$0" --container -c /dev/stdin`],
  ['ONEVISOR_CONF', `printf ${TEXT} | ONEVISOR_CONF=/dev/stdin "$0" --container`],
  ['check', `printf ${TEXT} | "$0" check -c /dev/stdin`],
] as const) {
  test(`a configuration from a pipe: ${name}`, async () => {
    const { code, output } = await bash(line);
    assert.equal(code, 0, output);
    assert.match(output, name === 'check' ? /command=echo said/ : /^said \S+$/m);
  });
}

test('a pipe that is never closed times out, and an endless one exceeds the limit', async () => {
  const endless = await bash(`"$0" check -c <(cat /dev/zero)`);
  assert.equal(endless.code, 2);
  assert.match(endless.output, /cannot read \/dev\/fd\/\d+: it is larger than 4 MB/);
  const silent = await bash(`"$0" check -c <(exec sleep 100 2>/dev/null); code=$?; kill $!; exit $code`);
  assert.equal(silent.code, 2);
  assert.match(silent.output, /cannot read \/dev\/fd\/\d+: the other end of this pipe was not closed within 5 s/);
});

test('a configuration from a pipe can be read again, also by a daemon', { skip }, async (t) => {
  const config =
    '[supervisord]\nlogfile=%FOLDER%/main.log\npidfile=%FOLDER%/pid\n[unix_http_server]\nfile=%FOLDER%/sock\n' +
    '[program:a]\ncommand=sleep 1000\nstdout_logfile=NONE\nstderr_logfile=NONE\n';
  const launched = await launch(t, {
    args: ['-c', 'keep.conf'],
    files: { 'keep.conf': '[supervisord]\n', 'piped.conf': config },
  });
  const { code, stderr } = await launched.enter([
    'bash',
    '-c',
    'ONEVISOR_CONTAINER=0 "$0" -c <(cat piped.conf)',
    EXECUTABLE,
  ]);
  assert.equal(code, 0, stderr);
  const daemon = (...words: string[]): ReturnType<typeof launched.enter> =>
    launched.enter([EXECUTABLE, 'ctl', '-s', `unix://${launched.folder}/sock`, ...words]);
  assert.match((await daemon('reread')).stdout, /No config updates to processes/);
  assert.match((await daemon('status')).stdout, /^a +(STARTING|RUNNING)/);
  assert.match((await daemon('shutdown')).stdout, /Shut down/);
});

test('check next to the supervisor of a container uses the same mode', { skip }, async (t) => {
  const launched = await launch(t, { config: '[supervisord]\n[program:a]\ncommand=sleep 1000\n' });
  await launched.waitForLine(/success: a entered RUNNING state/);
  const shown = async (...variables: string[]): Promise<unknown[]> => {
    const { stdout } = await launched.enter([
      'env',
      ...variables,
      EXECUTABLE,
      'check',
      '--json',
      '-c',
      'supervisord.conf',
    ]);
    const { supervisord, programs } = JSON.parse(stdout) as {
      supervisord: { nodaemon: boolean };
      programs: Array<{ stdout_logfile: string; stopwaitsecs: number }>;
    };
    return [supervisord.nodaemon, programs[0]?.stdout_logfile, programs[0]?.stopwaitsecs];
  };
  assert.deepEqual(await shown(), [true, '/dev/stdout', 8]);
  assert.deepEqual(await shown('ONEVISOR_CONTAINER=0'), [false, 'AUTO', 10]);
});
