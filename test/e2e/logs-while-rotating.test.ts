/**
 * `onevisor logs` while the files are rotated: 20 programs (50 in the long form) write 100 lines a second each, and
 * each file is rotated about once a second. Every reading has the lines of each program from the first one on, in
 * order, each once.
 */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test, type TestContext } from 'node:test';
import { bySize } from '../slow.ts';
import { launch, type Launched, pid1SkipReason } from './launch.ts';
import { until } from './observe.ts';

const skip = (await pid1SkipReason()) ?? false;
const PROGRAMS = bySize({ brief: 20, long: 50 });
const [PER_SECOND, SECONDS] = [100, 8];
const LINES = PER_SECOND * SECONDS;

/** Writes numbered lines of 50 bytes, 10 at a time. */
const FLOOD = `
import os, time
begin = time.monotonic()
for i in range(0, ${LINES}, 10):
    wait = begin + i / ${PER_SECOND} - time.monotonic()
    if wait > 0: time.sleep(wait)
    os.write(1, b"".join(b"%d %s\\n" % (n, b"x" * (48 - len(str(n)))) for n in range(i, i + 10)))
time.sleep(100000)
`;

/** Reads all lines of all programs, and checks the numbers. Returns the number of lines of each program. */
async function readAll(launched: Launched, args: readonly string[]): Promise<readonly number[]> {
  const { code, stdout, stderr } = await launched.ctl('logs', '--json', '--no-events', ...args, 'p:*');
  assert.deepEqual([code, stderr], [0, '']);
  const next = new Map<string, number>();
  for (const line of stdout.split('\n')) {
    if (line === '') continue;
    const { name, text, partial } = JSON.parse(line) as { name: string; text: string; partial?: boolean };
    assert.notEqual(partial, true, line);
    const number = next.get(name) ?? 0;
    assert.equal(text, `${number} ${'x'.repeat(48 - String(number).length)}`, `${name} after ${number} lines`);
    next.set(name, number + 1);
  }
  return [...next.values()];
}

async function flood(t: TestContext, more: string): Promise<void> {
  const config =
    '[unix_http_server]\nfile=%FOLDER%/s.sock\n[supervisorctl]\nserverurl=unix://%FOLDER%/s.sock\n[supervisord]\n' +
    `[program:p]\ncommand=python3 %FOLDER%/flood.py\nnumprocs=${PROGRAMS}\nprocess_name=%(process_num)02d\n` +
    'startsecs=0\nstderr_logfile=NONE\nstdout_logfile=%FOLDER%/%(process_num)02d.log\n' +
    `stdout_logfile_maxbytes=5KB\nstdout_logfile_backups=100\n${more}`;
  const launched = await launch(t, { config, files: { 'flood.py': FLOOD } });
  await launched.waitForLine(/success: 00 entered RUNNING/, { timeoutMs: 60_000 });
  let readings = 0;
  const hasAll = (counts: readonly number[]): boolean =>
    counts.length === PROGRAMS && counts.every((count) => count === LINES);
  await until(
    'all lines are there',
    async () => {
      const counts = await readAll(launched, ['--since', '1h']);
      readings++;
      return hasAll(counts);
    },
    240_000,
  );
  t.diagnostic(`${readings} readings`);
  assert.ok(hasAll(await readAll(launched, ['-n', 'all'])), 'also without a time');
  const rotated = (await readdir(launched.folder)).filter((name) => /^\d\d\.log\.\d+/.test(name));
  assert.ok(rotated.length >= PROGRAMS * (SECONDS - 2), `${rotated.length} backups`);
}

test('nothing is lost, doubled or out of order while plain files rotate', { skip, timeout: 300_000 }, (t) =>
  flood(t, ''),
);

test('nor while the backups are compressed', { skip, timeout: 300_000 }, async (t) => {
  await flood(t, 'compress=true\n');
});

test('nor with so little memory that lines are mostly in files', { skip, timeout: 300_000 }, (t) =>
  flood(t, 'tail_bytes=4KB\n'),
);
