/** `status`, `describe`, `why` and `wait` on the executable: on a real terminal, through a pipe, and in scripts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needsTerminal, runInTerminal } from '../conformance/ctl-terminal.ts';
import { statusOf } from './connections.ts';
import { EXECUTABLE, launch, type Launched, pid1SkipReason } from './launch.ts';
import { until } from './observe.ts';

const skip = (await pid1SkipReason()) ?? needsTerminal.skip ?? false;

const CONFIG = `[supervisord]
nodaemon=true
[unix_http_server]
file=%FOLDER%/s.sock
[supervisorctl]
serverurl=unix://%FOLDER%/s.sock
[program:web]
command=sleep 1000
stdout_logfile=NONE
stderr_logfile=NONE
[program:bad]
command=sh -c 'echo "\x1b[31mNo module\x1b[0m named flask" >&2; exit 3'
startretries=0
[program:loop]
command=sh -c 'echo again; sleep 0.1; exit 1'
startsecs=0
autorestart=true
[program:needs]
command=sleep 1000
depends_on=bad
[program:later]
command=sh -c 'sleep 1; echo done'
startsecs=0
autorestart=false
`;

/** Runs a client on a terminal of 200 columns, and returns its screen. */
async function onTerminal(launched: Launched, line: string, env: Record<string, string> = {}): Promise<string> {
  const argv = [EXECUTABLE, 'ctl', '-c', `${launched.folder}/supervisord.conf`, ...line.split(' ')];
  const { lines } = await runInTerminal(argv, [], { cwd: launched.folder, env });
  return lines.join('\n').trimEnd();
}

async function open(t: Parameters<typeof launch>[0]): Promise<Launched> {
  const launched = await launch(t, { config: CONFIG });
  await launched.waitForLine(/gave up: bad/);
  await launched.waitForLine(/spawned: 'loop'/, { count: 4 });
  await until('three restarts', async () => (await statusOf(launched, 'loop')).flapping);
  return launched;
}

test('a terminal shows what is wrong, a pipe what Supervisor shows', { skip }, async (t) => {
  const launched = await open(t);
  const screen = await onTerminal(launched, 'status --problems --stats');
  assert.match(screen, /^ {2}NAME +STATE +RESTARTS +UPTIME +(?:CPU +)?MEM +PID +WHY\n/);
  assert.match(screen, /\n✗ bad +FATAL .* exit 3, .* ago: No module named flask\n/);
  assert.match(screen, /\n✗ needs +STOPPED .* cannot start: bad must be started and is FATAL\n/);
  assert.match(screen, /\n◐ loop +.* flapping: \d+ unexpected restarts; .*exit 1, .*: again\n/);
  assert.match(screen, /\n● web +RUNNING +0 +\d+s .* [kM]B +\d+\n/);
  assert.match(screen, /\n5 processes: .*; 1 flapping$/);
  const ascii = await onTerminal(launched, 'status', { LC_ALL: 'C' });
  assert.match(ascii, /\n! bad +FATAL /);
  const piped = await launched.ctl('status', 'web', 'bad');
  assert.match(piped.stdout, /^web {30}RUNNING {3}pid \d+, uptime 0:00:\d\d\nbad {30}FATAL {5}Exited too quickly /);
});

test('status --watch shows the processes again and again, until its reader goes', { skip }, async (t) => {
  const launched = await launch(t, { config: CONFIG });
  await launched.waitForLine(/spawned: 'web'/);
  const line = '"$0" status --watch=0.1 -c supervisord.conf web | head -n 3';
  const { stdout, stderr } = await launched.enter(['sh', '-c', line, EXECUTABLE]);
  assert.match(stdout, /^(?:web +(?:STARTING|RUNNING) .*\n){3}$/);
  assert.equal(stderr, '');
});

test('describe and why name the reason, the place and the last line', { skip }, async (t) => {
  const launched = await open(t);
  const described = await onTerminal(launched, 'describe bad');
  assert.match(described, /^✗ bad\n {7}State: FATAL since /);
  assert.match(described, /Configured: .*supervisord\.conf:12\n {5}Command: sh -c /);
  assert.match(described, /Needed by: needs\n/);
  assert.match(described, /Latest ends \(1 of 1 kept\):\n.*exit status 3; started: autostart\n/);
  assert.match(described, /Last lines of stderr \(pid \d+\):\n {2}No module named flask$/);
  const loop = await onTerminal(launched, 'status -v loop');
  assert.match(loop, /Last lines of stdout of the run before \(pid \d+\):\n {2}again/);
  const why = await onTerminal(launched, 'why needs');
  assert.match(
    why.replaceAll('\n', ' '),
    /^needs cannot start: .* bad is FATAL: .* with exit 3\. .*"No module named flask"/,
  );
});

test('wait ends with the condition, or as soon as it can no longer be met', { skip }, async (t) => {
  const launched = await launch(t, { config: CONFIG });
  await launched.waitForLine(/spawned: 'web'/);
  const [done, never] = await Promise.all([
    launched.ctl('wait', 'later:completed', 'web'),
    launched.ctl('wait', '--timeout', '50', 'needs'),
  ]);
  assert.deepEqual([done.stdout.split('\n').toSorted(), done.code], [['', 'later: completed', 'web: started'], 0]);
  assert.match(never.stdout, /^needs: ERROR \(cannot be started: bad must be started and is FATAL/);
  assert.equal(never.code, 3);
  const late = await launched.ctl('wait', '--timeout', '0.5', 'web:exited');
  assert.deepEqual([late.stdout, late.code], ['web: ERROR (not exited after 0.5 s: RUNNING)\n', 124]);
});

test('a supervisor that does not answer holds no command with a time limit', { skip }, async (t) => {
  const launched = await launch(t, { config: CONFIG });
  await launched.waitForLine(/spawned: 'web'/);
  launched.signal('SIGSTOP');
  try {
    for (const [command, expected] of [
      [['wait', '--timeout', '0.5', 'web'], 124],
      [['start', '--timeout', '0.5', 'web'], 124],
      [['restart', '--timeout=0.5', 'web'], 124],
      [['health', '--wait=0.5'], 1],
    ] as const) {
      const { stdout, code } = await launched.ctl(...command);
      assert.deepEqual([stdout, code], ['ERROR (no answer after 0.5 s)\n', expected], command.join(' '));
    }
  } finally {
    launched.signal('SIGCONT');
  }
});

test('health counts a crash loop only if asked, and waits', { skip }, async (t) => {
  const launched = await launch(t, {
    config: CONFIG.replace(/\[program:bad\][^]*?(?=\[program:loop\])/, '').replace('depends_on=bad', 'startsecs=2'),
  });
  const ready = await launched.enter([EXECUTABLE, 'health', '--wait=50', '-c', 'supervisord.conf', 'needs', 'web']);
  assert.deepEqual([ready.stdout, ready.code], ['', 0]);
  await launched.waitForLine(/spawned: 'loop'/, { count: 4 });
  await until('flapping', async () => (await statusOf(launched, 'loop')).flapping);
  const looping = await launched.ctl('health', '--flapping');
  assert.match(looping.stdout, /^loop: \w+ flapping, \d+ unexpected restarts$/m);
  assert.equal(looping.code, 1);
  const soon = await launched.ctl('health', '--wait=0.3', 'nosuch');
  assert.equal(soon.code, 1);
});
