/**
 * `onevisor logs` of the built executable: one order for several programs, restarts, updates, a new supervisor, log
 * files with compressed backups, a flood, and a client whose reader stalls.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { callMethod } from './connections.ts';
import { EXECUTABLE, launch, type Launched, pid1SkipReason } from './launch.ts';
import { Lines } from './lines.ts';
import { statusField } from './observe.ts';

const skip = (await pid1SkipReason()) ?? false;
const SOCKET =
  '[unix_http_server]\nfile=%FOLDER%/s.sock\n[supervisorctl]\nserverurl=unix://%FOLDER%/s.sock\n[supervisord]\n';
const ECHO = 'command=cat\nstartsecs=0\n';

/** Pause between the lines that a test writes until its clients show one. */
const BEGIN_AGAIN_MS = 50;

/** A client that follows. */
interface Follower {
  readonly child: ChildProcess;
  readonly lines: Lines;
  readonly ended: Promise<number | null>;
}

/** Starts `logs` with its output in a pipe. The socket is in the folder, so no namespace has to be entered. */
function follow(t: TestContext, { folder }: Launched, ...args: string[]): Follower {
  const config = join(folder, 'supervisord.conf');
  const child = spawn(EXECUTABLE, ['ctl', '-c', config, 'logs', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  return { child, lines: new Lines(child.stdout), ended };
}

async function say(launched: Launched, name: string, text: string): Promise<void> {
  await callMethod(join(launched.folder, 's.sock'), 'supervisor.sendProcessStdin', name, `${text}\n`);
}

/** Writes lines to a program that repeats them, until the followers show one: they are there then. */
async function untilFollowing(launched: Launched, name: string, followers: readonly Follower[]): Promise<void> {
  for (let number = 0; !followers.every(({ lines }) => lines.text.includes('begin')); number++) {
    await say(launched, name, `begin ${number}`);
    await sleep(BEGIN_AGAIN_MS);
  }
}

const isNoBegin = (line: string): boolean => !line.includes('begin');

test(
  'follows three programs in one order, over a restart, an update and a reload',
  { skip, timeout: 120_000 },
  async (t) => {
    const bye = `command=sh -c "trap 'echo bye; exit' TERM; while :; do sleep 0.1; done"\n`;
    const polite = `[program:polite]\nstartsecs=0\n${bye}`;
    const programs = (...names: string[]): string =>
      SOCKET + polite + names.map((name) => `[program:${name}]\n${ECHO}`).join('');
    const launched = await launch(t, { config: programs('a', 'b', 'c') });
    await launched.waitForLine(/success: c entered RUNNING/);
    const plain = follow(t, launched, '-f', '-n', '0', '--no-events');
    const { lines, child, ended } = plain;
    const withEvents = follow(t, launched, '-f', '-n', '0', 'a');
    const said: string[] = [];
    const order = 'abcacbbacc';
    await untilFollowing(launched, 'a', [plain, withEvents]);
    for (const [index, name] of order.split('').entries()) {
      said.push(`${name}      | line ${index}`);
      await say(launched, name, `line ${index}`);
    }
    await lines.waitFor(/line 9$/);
    assert.deepEqual(lines.text.split('\n').filter(isNoBegin), said);

    assert.equal((await launched.ctl('restart', 'a')).code, 0);
    await withEvents.lines.waitFor(/^a \* running: pid \d+$/);
    assert.match(
      withEvents.lines.text,
      /^a \* stopping: supervisor\.stopProcess .*\na \* ended: terminated by SIGTERM, stopped: .*\na \* starting: /m,
    );
    await say(launched, 'a', 'after the restart');
    await lines.waitFor(/^a\s+\| after the restart$/);

    await writeFile(
      join(launched.folder, 'supervisord.conf'),
      programs('a', 'b', 'c', 'new').replaceAll('%FOLDER%', launched.folder),
    );
    assert.equal((await launched.ctl('update')).code, 0);
    await launched.waitForLine(/success: new entered RUNNING/);
    await say(launched, 'new', 'hello of the new one');
    await lines.waitFor(/^new\s+\| hello of the new one$/);

    assert.equal((await launched.ctl('reload')).code, 0);
    await launched.waitForLine(/success: new entered RUNNING/, { count: 2 });
    await say(launched, 'b', 'after the reload');
    await lines.waitFor(/^b\s+\| after the reload$/);
    assert.match(lines.text, /^polite \| bye$/m, 'the last lines before the reload');
    child.kill('SIGINT');
    assert.equal(await ended, 130);
    const texts = lines.text.split('\n');
    assert.equal(new Set(texts).size, texts.length, 'no line comes twice');
  },
);

test(
  'says that the supervisor has restarted, and shows the lines of the new one',
  { skip, timeout: 60_000 },
  async (t) => {
    const config = `${SOCKET}[program:a]\ncommand=sh -c "echo up $$; exec sleep 1000"\n`;
    // A shell is PID 1 and starts two supervisors, one after the other.
    const under = ['sh', '-c', '"$@" & wait $!; "$@" & wait $!', 'sh'];
    const launched = await launch(t, { config, under, args: ['-n'] });
    await launched.waitForLine(/success: a entered RUNNING/);
    const { lines, child, ended } = follow(t, launched, '-f');
    await lines.waitFor(/^a\s+\| up \d+$/);
    assert.equal((await launched.ctl('shutdown')).code, 0);
    await lines.waitFor(/^supervisor \* the supervisor has restarted$/);
    await lines.waitFor(/^a\s+\| up \d+$/, { count: 2 });
    assert.match(lines.text, /supervisor \* no supervisor answers; trying again until Ctrl-C/);
    assert.equal(lines.text.match(/\| up \d+/g)?.length, 2, lines.text);
    child.kill('SIGINT');
    assert.equal(await ended, 130);
  },
);

test('--since reads compressed backups, and joins them with the memory', { skip, timeout: 120_000 }, async (t) => {
  const LINES = 20_000;
  const config =
    `${SOCKET}[program:a]\ncommand=sh -c "seq 1 ${LINES}; exec sleep 1000"\nstdout_logfile=%FOLDER%/a.log\n` +
    'stdout_logfile_maxbytes=20KB\nstdout_logfile_backups=50\ncompress=true\nstderr_logfile=NONE\n' +
    '[program:b]\ncommand=sh -c "echo only line; exec sleep 1000"\nstartsecs=0\n';
  const launched = await launch(t, { config });
  await launched.waitForLine(/success: a entered RUNNING/);
  const backups = async (): Promise<readonly string[]> =>
    (await readdir(launched.folder)).filter((name) => /^a\.log\.\d+\.gz$/.test(name));
  while ((await backups()).length < 4) await new Promise((resolve) => setTimeout(resolve, 20));
  const all = Array.from({ length: LINES }, (_, index) => `${index + 1}\n`).join('');
  const inMemory = await launched.ctl('logs', '--output', 'raw', '-n', 'all', '--since', '2999-01-01', 'a');
  assert.equal(inMemory.stdout, '');
  for (const args of [
    ['--since', '1h'],
    ['-n', 'all'],
    ['-n', String(LINES)],
  ]) {
    const { code, stdout, stderr } = await launched.ctl('logs', '--output', 'raw', ...args, 'a');
    assert.deepEqual([code, stderr], [0, ''], args.join(' '));
    assert.ok(stdout === all, `${args.join(' ')}: ${stdout.length} of ${all.length} bytes`);
  }
  const last = await launched.ctl('logs', '-n', '15000', '--no-prefix', '--no-events', 'a');
  assert.ok(last.stdout === all.slice(all.indexOf(`\n${LINES - 15_000 + 1}\n`) + 1));
  const found = await launched.ctl('logs', '--grep', '^1?777$', '--since', '1h');
  assert.equal(found.stdout, 'a | 777\na | 1777\n');
  const json = await launched.ctl('logs', '--json', '--no-events', 'b');
  const [line] = json.stdout
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as Record<string, unknown>);
  assert.deepEqual([line?.['name'], line?.['text'], line?.['stream']], ['b', 'only line', 'stdout']);
  assert.match(String(line?.['time']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test(
  'options: quoted patterns, levels, streams, the run before, and unknown names',
  { skip, timeout: 60_000 },
  async (t) => {
    const config =
      `${SOCKET}[program:once]\ncommand=sh -c "echo INFO one two; echo ERROR three >&2; printf 'no end'; exit 3"\n` +
      'startsecs=0\nautorestart=false\n[program:worker]\ncommand=sleep 1000\nnumprocs=2\nstartsecs=0\n' +
      'process_name=%(process_num)d\n';
    const launched = await launch(t, { config });
    await launched.waitForLine(/exited: once/);
    await launched.waitForLine(/success: 1 entered RUNNING/);
    const logs = async (...args: string[]): Promise<string> => (await launched.ctl('logs', ...args)).stdout;
    assert.equal(await logs('--grep', 'one two', 'once'), 'once | INFO one two\n');
    assert.equal((await launched.ctl("logs --grep 'one two' once")).stdout, 'once | INFO one two\n');
    assert.equal(await logs('--level', 'error'), 'once     ! ERROR three\n');
    assert.equal(await logs('--stderr', '--no-events', '--no-prefix', 'o*'), 'ERROR three\n');
    const previous = await logs('--previous', '--no-events', 'once');
    assert.deepEqual(previous.trimEnd().split('\n').sort(), [
      'once ! ERROR three',
      'once | INFO one two',
      'once | no end',
    ]);
    const events = (await logs('worker:*')).trimEnd().split('\n');
    assert.match(events.shift() ?? '', /^supervisor \* the supervisor has started$/);
    assert.equal(events.length, 4);
    assert.ok(events.every((line) => /^worker:[01]\s+\* (?:starting: autostart|running: pid \d+)$/.test(line)));
    assert.match(await logs('supervisor'), /^supervisor \| .* success: 1 entered RUNNING/m);
    const unknown = await launched.ctl('logs', 'nosuch', 'once', '-n', '1');
    assert.deepEqual(
      [unknown.code, unknown.stdout],
      [1, 'nosuch: ERROR (no such process)\nonce * ended: exit status 3\n'],
    );
    assert.equal((await launched.ctl('logs', '--nope')).code, 2);
    const slow = await launched.ctl('logs', '--grep', '(.*)*(.*)*x$', 'once');
    assert.match(`${slow.code} ${slow.stdout}`, /^[01] (?:error: .*takes too long|$)/);
    const exit = await launched.ctl('logs', '--until-exit', '--no-events', '--stdout', '-n', '1', 'once');
    assert.deepEqual([exit.code, exit.stdout], [3, 'once | no end\n']);
    const started = follow(t, launched, '-f', '-n', '0', '--until-exit', 'worker:0', '--no-events');
    // It ends with the process, whenever it has begun to follow.
    await launched.ctl('stop', 'worker:0');
    assert.equal(await started.ended, 143);
  },
);

test('start --logs and tail -f of several names', { skip, timeout: 60_000 }, async (t) => {
  const quiet = 'command=sh -c "echo up; exec cat"\nautostart=false\nstartsecs=0\n';
  const config = `${SOCKET}[program:a]\n${quiet}[program:b]\n${ECHO}`;
  const launched = await launch(t, { config });
  await launched.waitForLine(/success: b entered RUNNING/);
  const ctl = (...args: string[]): Promise<{ readonly code: number; readonly stdout: string }> =>
    launched.enter(['timeout', '--signal=INT', '6', EXECUTABLE, 'ctl', ...args]);
  const started = await ctl('start', 'a', '--logs');
  assert.match(
    started.stdout,
    /^a: started\na \* starting: supervisor\.startProcess .*\na \* running: pid \d+\na \| up\n$/,
  );
  const [named, matched, wrong] = await Promise.all([
    ctl('tail', '-f', 'a', 'b'),
    ctl('tail', '-f', '?'),
    ctl('tail', '-f', 'a', 'foo'),
  ]);
  assert.equal(named.stdout, '==> Press Ctrl-C to exit <==\na | up\n');
  assert.equal(matched.stdout, '==> Press Ctrl-C to exit <==\na | up\n');
  assert.equal(wrong.stdout, "Error: bad channel 'foo'\n");
});

test('on a terminal names have colours, and programs cannot control it', { skip, timeout: 60_000 }, async (t) => {
  const config =
    `${SOCKET}[program:web]\ncommand=printf "\\033[31mred\\033[0m \\033[2Jclear\\033]0;title\\007 \\001\\r\\n"\n` +
    'startsecs=0\nautorestart=false\n';
  const launched = await launch(t, { config });
  await launched.waitForLine(/exited: web/);
  const command = `exec '${EXECUTABLE}' ctl -c supervisord.conf logs --no-events`;
  const screen = async (env: string): Promise<string> =>
    (await launched.enter(['script', '--quiet', '--return', '--command', `${env} ${command}`, '/dev/null'])).stdout;
  const red = '\x1b[31mred\x1b[0m clear \\u0001\x1b[0m';
  assert.equal(await screen(''), `\x1b[36mweb\x1b[0m \x1b[36m|\x1b[0m ${red}\r\n`);
  assert.equal(await screen('NO_COLOR=1; export NO_COLOR;'), 'web | red clear \\u0001\r\n');
  const piped = await launched.ctl('logs', '--no-events', '--no-prefix');
  assert.equal(piped.stdout, '\x1b[31mred\x1b[0m \x1b[2Jclear\x1b]0;title\x07 \x01\r\n');
});

test(
  'a flood of 50 programs is followed without a gap, and a stalled reader costs no memory',
  { skip, timeout: 120_000 },
  async (t) => {
    const [PROGRAMS, PER_SECOND, SECONDS] = [50, 400, 10];
    const script =
      'import os, sys, time\nsys.stdin.readline()\nbegin = time.monotonic()\n' +
      `for i in range(0, ${PER_SECOND * SECONDS}, 20):\n` +
      `    wait = begin + i / ${PER_SECOND} - time.monotonic()\n    if wait > 0: time.sleep(wait)\n` +
      '    lines = [b"%d 0123456789012345678901234567890123456789\\n" % n for n in range(i, i + 20)]\n' +
      '    os.write(1, b"".join(lines))\n' +
      'os.write(1, b"end\\n")\ntime.sleep(1000)\n';
    const config =
      `${SOCKET}[program:p]\ncommand=python3 %FOLDER%/flood.py\nnumprocs=${PROGRAMS}\n` +
      // Memory holds all lines: a busy machine may let the client wait for seconds.
      'process_name=%(process_num)02d\nstartsecs=0\nstdout_logfile=/dev/null\ntail_bytes=256KB\n' +
      `[program:first]\n${ECHO}`;
    const launched = await launch(t, { config, files: { 'flood.py': script } });
    await launched.waitForLine(/success: 49 entered RUNNING/, { timeoutMs: 60_000 });
    const follower = follow(t, launched, '-f', '-n', '0', '--no-events', '--json');
    const stalled = follow(t, launched, '-f', '-n', '0', '--no-events');
    await untilFollowing(launched, 'first', [follower, stalled]);
    stalled.child.stdout?.pause();
    await say(launched, 'p:00', 'go');
    await follower.lines.waitFor(/"name":"p:00"/);
    const memory = async (pid: number | undefined): Promise<number> =>
      parseInt(await statusField(pid ?? 0, 'VmRSS'), 10);
    const before = await Promise.all([launched.pid, follower.child.pid, stalled.child.pid].map(memory));
    const names = Array.from({ length: PROGRAMS - 1 }, (_, index) => `p:${String(index + 1).padStart(2, '0')}`);
    const ticks = async (pid: number | undefined): Promise<number> => {
      const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
      return Number(fields[11]) + Number(fields[12]);
    };
    const cpuBefore = await Promise.all([launched.pid, follower.child.pid].map(ticks));
    await Promise.all(names.map((name) => say(launched, name, 'go')));
    await follower.lines.waitFor(/"text":"end"/, { count: PROGRAMS, timeoutMs: 90_000 });
    const after = await Promise.all([launched.pid, follower.child.pid, stalled.child.pid].map(memory));
    const cpuAfter = await Promise.all([launched.pid, follower.child.pid].map(ticks));
    t.diagnostic(
      `kB of supervisor, follower, stalled: ${before.join(' ')} -> ${after.join(' ')}; ` +
        `ticks of supervisor, follower: ${cpuAfter.map((value, index) => value - (cpuBefore[index] ?? 0)).join(' ')}`,
    );
    const next = new Map<string, number>();
    for (const text of follower.lines.text.split('\n').filter(isNoBegin)) {
      const { name, text: line } = JSON.parse(text) as { name: string; text: string };
      const number = next.get(name) ?? 0;
      assert.equal(
        line,
        number === PER_SECOND * SECONDS ? 'end' : `${number} 0123456789012345678901234567890123456789`,
      );
      next.set(name, number + 1);
    }
    assert.equal(next.size, PROGRAMS);
    const [supervisor = 0, reader = 0, stalledReader = 0] = after.map((kB, index) => kB - (before[index] ?? 0));
    // The stalled one asks for no more. It would have grown by all the lines, which are more than 20 MB as objects.
    assert.ok(stalledReader < 20_000, `the stalled reader grew by ${stalledReader} kB`);
    // The heaps of the others grow with the lines of one answer, and more on a busy machine, which collects later.
    for (const grown of [supervisor, reader]) assert.ok(grown < 120_000, `grew by ${grown} kB`);
  },
);
