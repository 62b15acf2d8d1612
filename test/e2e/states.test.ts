/**
 * The states of a program in its log lines: crash and restart, BACKOFF and FATAL, startsecs, autorestart with
 * exitcodes, kill -9.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { launch, pid1SkipReason } from './launch.ts';
import { compile } from './observe.ts';

const skip = (await pid1SkipReason()) ?? false;

/** A program that exits when a file appears, with the code in it, and removes the file. */
const ENDS_WHEN_TOLD =
  '#!/bin/sh\necho up $$\nuntil [ -s "$1" ]; do sleep 0.02; done\nread code <"$1"\nrm "$1"\nexit "$code"\n';

test('a crash is logged, and the program is restarted at once', { skip }, async (t) => {
  const launched = await launch(t, {
    config: '[supervisord]\n[program:web]\ncommand=%FOLDER%/run.sh tell\n',
    files: { 'run.sh': ENDS_WHEN_TOLD },
  });
  const [, first] = await launched.waitForLine(/^web \| up (\d+)$/);
  await launched.waitForLine(
    /INFO success: web entered RUNNING state, process has stayed up for > than 1 seconds \(startsecs\)$/,
  );
  await launched.enter(['sh', '-c', 'echo 3 >told; mv told tell']);
  await launched.waitForLine(/WARN exited: web \(exit status 3; not expected\)$/);
  const [, second] = await launched.stdout.waitFor(/^web \| up (\d+)$/, { count: 2 });
  assert.notEqual(first, second);
  await launched.stdout.waitFor(new RegExp(`INFO spawned: 'web' with pid ${second}$`));
});

/**
 * Kills a child of its own and executes a successor, then kills the given pid. Prints the duration of the first and the
 * time of the second in ns.
 */
const KILLER = `import os, sys, time
program, victim = sys.argv[1], int(sys.argv[2])
silence = [(os.POSIX_SPAWN_OPEN, 1, '/dev/null', os.O_WRONLY, 0)]
child = os.posix_spawn(program, [program], os.environ, file_actions=silence)
reading, writing = os.pipe()
began = time.monotonic_ns()
os.kill(child, 9)
os.waitpid(child, 0)
child = os.posix_spawn(program, [program], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, writing, 1)])
started = int(os.read(reading, 100).split()[1])
os.kill(child, 9)
os.waitpid(child, 0)
print(started - began, time.monotonic_ns(), flush=True)
os.kill(victim, 9)
`;

/** Returns the median. */
function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}

test(
  'kill -9: the successor is executed at once, at most a few milliseconds later than by any parent',
  { skip },
  async (t) => {
    const program = await compile(t, 'tells-its-start');
    const launched = await launch(t, {
      config:
        `[supervisord]\n[program:victim]\ncommand=${program}\nprocess_name=victim%(process_num)d\nnumprocs=9\n` +
        `stdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\n`,
    });
    // A pause follows a run shorter than a second.
    await launched.waitForLine(/entered RUNNING/, { count: 9 });
    const victims = launched.stdout.all.flatMap((line) => /^started \d+ (\d+)$/.exec(line)?.[1] ?? []);
    assert.equal(victims.length, 9);
    const delays: number[] = [];
    const references: number[] = [];
    for (const [index, victim] of victims.entries()) {
      // The pids of the namespace are killed inside it, on the same clock. The killer reads the clock.
      const { stdout, stderr } = await launched.enter(['python3', '-c', KILLER, program, victim]);
      const [reference, killed] = stdout.split(' ').map(Number);
      assert.ok(reference !== undefined && killed !== undefined, stderr);
      const [, started] = await launched.stdout.waitFor(/^started (\d+) \d+$/, { count: 10 + index });
      references.push(reference / 1e6);
      delays.push((Number(started) - killed) / 1e6);
    }
    const text = (numbers: readonly number[]): string =>
      `${median(numbers).toFixed(1)} ms (${numbers.map((number) => number.toFixed(1)).join(' ')})`;
    t.diagnostic(
      `from kill -9 to the exec of the successor: ${text(delays)}; of a parent that does nothing else: ` +
        text(references),
    );
    // Other work of the machine slows down both.
    assert.ok(
      median(delays) < 15 + 5 * median(references),
      `${text(delays)}; a parent that does nothing else: ${text(references)}`,
    );
  },
);

test(
  "a program that never stays up: BACKOFF with growing pauses, then FATAL, in Supervisor's words",
  { skip },
  async (t) => {
    const launched = await launch(t, {
      config:
        '[supervisord]\n[program:bad]\ncommand=sh -c "exit 2"\nstartretries=2\n' +
        '[program:gone]\ncommand=/does/not/exist\nstartretries=0\n',
    });
    await launched.waitForLine(/INFO spawnerr: can't find command '\/does\/not\/exist'$/);
    await launched.waitForLine(/INFO gave up: gone entered FATAL state, too many start retries too quickly$/);
    await launched.waitForLine(/INFO gave up: bad entered FATAL state, too many start retries too quickly$/);
    const about = launched.stdout.all
      .filter((line) => /'bad'|\bbad\b/.test(line))
      .map((line) => line.replace(/^\S+ \S+ /, '').replace(/pid \d+/, 'pid N'));
    const round = ["INFO spawned: 'bad' with pid N", 'WARN exited: bad (exit status 2; not expected)'];
    assert.deepEqual(about, [
      ...round,
      ...round,
      ...round,
      'INFO gave up: bad entered FATAL state, too many start retries too quickly',
      'WARN bad is FATAL: Exited too quickly (process log may have details)',
    ]);
    const times = launched.stdout.all
      .filter((line) => line.includes("spawned: 'bad'"))
      .map((line) => Date.parse(`${line.slice(0, 23).replace(' ', 'T').replace(',', '.')}Z`));
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    assert.ok((pauses[0] ?? 0) >= 999 && (pauses[1] ?? 0) >= 1999, `pauses of ${pauses.join(' and ')} ms`);
  },
);

test('startsecs=0: up as soon as it is executed, and an immediate exit is no failure', { skip }, async (t) => {
  const launched = await launch(t, {
    config: '[supervisord]\n[program:job]\ncommand=true\nstartsecs=0\nautorestart=false\n',
  });
  await launched.waitForLine(/INFO exited: job \(exit status 0; expected\)$/);
  const about = launched.stdout.all.flatMap((line) => /(spawned|success|exited)/.exec(line)?.[1] ?? []);
  assert.deepEqual(about, ['spawned', 'success', 'exited']);
});

test('autorestart: only unexpected depends on exitcodes', { skip }, async (t) => {
  const files = { 'run.sh': '#!/bin/sh\necho run >>"$1"\nexit "$2"\n' };
  const program = (name: string, code: number, options: string): string =>
    `[program:${name}]\ncommand=%FOLDER%/run.sh ${name} ${code}\nstartsecs=0\n${options}\n`;
  const launched = await launch(t, {
    files,
    config: [
      '[supervisord]\n',
      program('ok', 0, ''),
      program('two', 2, 'exitcodes=0,2'),
      program('three', 3, 'exitcodes=0,2'),
      program('always', 0, 'autorestart=true'),
      program('never', 1, 'autorestart=false'),
    ].join(''),
  });
  await launched.waitForLine(/INFO exited: two \(exit status 2; expected\)$/);
  await launched.waitForLine(/WARN exited: never \(exit status 1; not expected\)$/);
  await launched.waitForLine(/WARN exited: three \(exit status 3; not expected\)$/, { count: 3 });
  await launched.waitForLine(/INFO exited: always \(exit status 0; expected\)$/, { count: 3 });
  const runs = async (name: string): Promise<number> =>
    (await readFile(join(launched.folder, name), 'utf8')).split('\n').length - 1;
  assert.deepEqual([await runs('ok'), await runs('two'), await runs('never')], [1, 1, 1]);
  assert.ok((await runs('three')) >= 3 && (await runs('always')) >= 3);
});

test('an end by a signal is unexpected, whatever exitcodes has', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\n[program:victim]\ncommand=sh -c "kill -SEGV $$"\nstartsecs=0\nautorestart=unexpected\n' +
      'exitcodes=0,139,11\n',
  });
  await launched.waitForLine(/WARN exited: victim \(terminated by SIGSEGV( \(core dumped\))?; not expected\)$/, {
    count: 2,
  });
});

test('programs start in the order of their priorities', { skip }, async (t) => {
  const program = (name: string, priority: number): string =>
    `[program:${name}]\ncommand=sleep 1000\npriority=${priority}\n`;
  const launched = await launch(t, {
    config: `[supervisord]\n${program('third', 30)}${program('first', 1)}${program('second', 20)}`,
  });
  await launched.waitForLine(/spawned/, { count: 3 });
  assert.deepEqual(
    launched.stdout.all.flatMap((line) => /spawned: '(\w+)'/.exec(line)?.[1] ?? []),
    ['first', 'second', 'third'],
  );
});

test('without a program the supervisor runs until it is stopped', { skip }, async (t) => {
  const launched = await launch(t, { config: '[supervisord]\n' });
  await launched.waitForLine(/supervisord started with pid 1$/);
  launched.signal('SIGUSR2');
  await launched.waitForLine(/received SIGUSR2/);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});

test('SIGUSR1 opens no debugger', { skip }, async (t) => {
  const launched = await launch(t, { config: '[supervisord]\n[program:a]\ncommand=sleep 1000\n' });
  await launched.waitForLine(/spawned/);
  launched.signal('SIGUSR1');
  launched.signal('SIGUSR2');
  await launched.waitForLine(/received SIGUSR2/);
  // Node's debugger would have a thread with a listening socket.
  const { stdout } = await launched.enter([
    'sh',
    '-c',
    'cat /proc/1/task/*/comm; ls -l /proc/1/fd; cat /proc/1/net/tcp',
  ]);
  assert.doesNotMatch(stdout, /inspector/i);
  const listening = [...stdout.matchAll(/^ *\d+: \S+:240D \S+ 0A (?:\S+ +){5}(\d+)/gm)].map(([, inode]) => inode);
  for (const inode of listening) assert.ok(!stdout.includes(`socket:[${inode}]`), 'we listen on port 9229');
  assert.equal(launched.stderr.text, '');
});
