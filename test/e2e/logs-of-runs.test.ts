/** `onevisor logs` and runs of programs: `--previous` from memory and files, the exit code of `--until-exit`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launch, pid1SkipReason } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;
const SOCKET =
  '[unix_http_server]\nfile=%FOLDER%/s.sock\n[supervisorctl]\nserverurl=unix://%FOLDER%/s.sock\n[supervisord]\n';

/** Two runs of 400 lines each. The first run ends with an error, the second goes on. */
const RUNS = `
import datetime, os, sys
folder, is_timed = sys.argv[1], sys.argv[2] == "timed"
path = folder + "/" + sys.argv[2]
run = 2 if os.path.exists(path) else 1
open(path, "w").close()
for n in range(400):
    time = datetime.datetime.now(datetime.timezone.utc).isoformat() + " " if is_timed else ""
    os.write(1, f"{time}run {run} line {n}\\n".encode())
if run == 1: sys.exit(3)
os.read(0, 1)
`;

test('--previous finds lines in files, and says what cannot be told apart', { skip, timeout: 60_000 }, async (t) => {
  const program = (name: string): string =>
    `[program:${name}]\ncommand=python3 %FOLDER%/runs.py %FOLDER% ${name}\nstartsecs=0\ntail_bytes=4KB\n` +
    `stdout_logfile=%FOLDER%/${name}.log\nstderr_logfile=NONE\n`;
  const short = '[program:short]\ncommand=echo once\nautorestart=false\nstartsecs=0\n';
  const config = SOCKET + program('timed') + program('plain') + short;
  const launched = await launch(t, { config, files: { 'runs.py': RUNS } });
  for (const name of ['timed', 'plain']) {
    await launched.waitForLine(new RegExp(`exited: ${name}`));
    await launched.waitForLine(new RegExp(`success: ${name} entered RUNNING`), { count: 2 });
  }
  // The lines of the second run have pushed those of the first one out of memory.
  for (const name of ['timed', 'plain'])
    for (;;)
      if (/run 2 line 399/.test((await launched.ctl('logs', '-n', '1', '--stdout', '--no-events', name)).stdout)) break;
  const previous = async (name: string): Promise<string[]> =>
    (await launched.ctl('logs', '--previous', '--no-prefix', '--no-events', name)).stdout.trimEnd().split('\n');
  const timed = await previous('timed');
  assert.deepEqual(
    timed.map((line) => line.replace(/^\S+ (?=run)/, '')),
    Array.from({ length: 400 }, (_, n) => `run 1 line ${n}`),
  );
  const [notice, ...rest] = await previous('plain');
  assert.match(
    notice ?? '',
    /^\* … up to \d+ bytes of plain \(stdout\) of this run are missing: they are no longer in memory/,
  );
  assert.deepEqual(rest, []);
  assert.deepEqual(await previous('short'), ['once']);
  // A line without a time says when its file was written last.
  const dated = await launched.ctl('logs', '-t', '-n', 'all', '--no-events', 'plain');
  assert.match(dated.stdout, /^before \d{4}-\d\d-\d\d \d\d:\d\d plain \| run 1 line 0$/m);
  const json = await launched.ctl('logs', '--json', '-n', 'all', '--no-events', 'plain');
  const first = JSON.parse(json.stdout.split('\n')[0] ?? '') as Record<string, unknown>;
  assert.match(String(first['before']), /^\d{4}-.*Z$/);
  assert.equal(first['time'], undefined);
});

test('--until-exit exits as the first program that failed', { skip, timeout: 60_000 }, async (t) => {
  const job = (name: string, script: string): string =>
    `[program:${name}]\ncommand=sh -c "${script}"\nautostart=false\nautorestart=false\nstartsecs=0\nstartretries=0\n`;
  const config =
    SOCKET +
    job('fine', 'exit 0') +
    job('three', 'exit 3') +
    job('slow', 'read line; exit 4') +
    job('killed', 'kill -KILL $$') +
    '[program:none]\ncommand=/nosuch/command\nstartsecs=0\nstartretries=0\n' +
    '[program:never]\ncommand=true\nautostart=false\n';
  const launched = await launch(t, { config });
  await launched.waitForLine(/supervisord started/);
  const codeOf = async (...names: string[]): Promise<number> =>
    (await launched.ctl('logs', '--until-exit', ...names)).code;
  for (const name of ['fine', 'three', 'killed']) await launched.ctl('start', name);
  for (const name of ['fine', 'three', 'killed']) await launched.waitForLine(new RegExp(`exited: ${name}`));
  assert.deepEqual(
    [await codeOf('fine'), await codeOf('three'), await codeOf('killed'), await codeOf('none'), await codeOf('never')],
    [0, 3, 137, 127, 0],
  );
  assert.equal(await codeOf('killed', 'three', 'fine'), 3, 'the first in time, not in the list');
  await launched.ctl('start', 'slow');
  const waiting = launched.ctl('logs', '--until-exit', 'slow');
  await launched.ctl('signal', 'TERM', 'slow');
  assert.equal((await waiting).code, 143);
  assert.equal(await codeOf('nosuch', 'fine'), 1, 'an unknown name is an error of its own');
});
