/** Commands for a program, with real processes: their outcomes, their kills, and that they leave nothing behind. */
import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import type { ProcessConfig } from '../../src/config/model.ts';
import type { Job, JobOutcome } from '../../src/engine/ports.ts';
import type { Addon } from '../../src/native/addon.ts';
import { systemClock } from '../../src/process/clock.ts';
import { CommandJobs, type JobParts } from '../../src/process/jobs.ts';
import { Launcher } from '../../src/process/launcher.ts';
import { addon, openDescriptors, reaper, rootSkip } from './programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'onevisor-jobs-'));
after(() => rmSync(folder, { recursive: true }));
const said: string[] = [];

/** Ended children that were no jobs. */
const others: number[] = [];
const open = new Set<CommandJobs>();

function make(changes: Partial<JobParts> = {}): CommandJobs {
  const jobs = new CommandJobs({
    addon,
    launcher: new Launcher({
      addon,
      self: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
      warn: (text) => said.push(text),
    }),
    clock: systemClock,
    report: (level, text) => said.push(`${level} ${text}`),
    budget: { run: (task) => task() },

    context: () => ({
      inherited: { PATH: process.env['PATH'], A: 'inherited' },
      common: new Map([['B', 'common']]),
      serverUrl: null,
      limits: [],
    }),
    channel: () => null,
    ...changes,
  });
  open.add(jobs);
  return jobs;
}

reaper.subscribe((batch) => {
  let rest = [...batch];
  for (const jobs of open) rest = jobs.take(rest);
  others.push(...rest.map(({ pid }) => pid));
});

// A signal handler alone does not keep the loop alive.
const hold = setInterval(() => undefined, 2 ** 30);
addon.setSubreaper();
after(() => clearInterval(hold));
afterEach(() => {
  open.clear();
  assert.deepEqual(said.splice(0), []);
});

const NULLS = [
  'directory',
  'umask',
  'user',
  'serverurl',
  'nice',
  'oom_score_adj',
  'pdeathsig',
  'capabilities',
  ...[
    'as',
    'core',
    'cpu',
    'data',
    'fsize',
    'locks',
    'memlock',
    'msgqueue',
    'nice',
    'nofile',
    'nproc',
    'rss',
    'rtprio',
    'rttime',
    'sigpending',
    'stack',
  ].map((name) => `rlimit_${name}`),
];

function program(
  options: Partial<ProcessConfig['options']> = {},
  type: ProcessConfig['type'] = 'program',
): ProcessConfig {
  const defaults = {
    ...Object.fromEntries(NULLS.map((name) => [name, null])),
    environment: new Map(),
    environment_file: [],
    environment_dir: [],
    redirect_stderr: false,
    expand_file_variables: false,
    environment_file_expand: false,
    environment_clear: false,
    environment_pass: [],
    user_env: false,
    strict_user: false,
    no_new_privs: false,
  };
  return { name: 'web', group: 'site', type, options: { ...defaults, ...options } } as unknown as ProcessConfig;
}

const sh = (script: string): string => `/bin/sh -c '${script}'`;

function perform(
  command: string,
  {
    jobs = make(),
    process: proc = program(),
    ...job
  }: Partial<Job> & { jobs?: CommandJobs; process?: ProcessConfig } = {},
): { outcome: Promise<JobOutcome>; cancel: () => void } {
  const { promise, resolve, reject } = Promise.withResolvers<JobOutcome>();
  let isWithin = true;
  let calls = 0;
  const cancel = jobs.run(
    proc,
    { name: 'healthcheck', command, timeoutMs: 20_000, environment: new Map(), output: 'keep', ...job },
    (outcome) => {
      calls += 1;
      if (isWithin || calls > 1) reject(new Error(`told ${calls} times, within run: ${isWithin}`));
      else resolve(outcome);
    },
  );
  isWithin = false;
  return { outcome: promise, cancel };
}

async function outputOf(command: string, more: Parameters<typeof perform>[1] = {}): Promise<string> {
  const outcome = await perform(command, more).outcome;
  assert.ok(outcome.kind === 'ended', JSON.stringify(outcome));
  return outcome.output;
}

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** Waits until a process has been reaped. */
async function isGone(pid: number): Promise<boolean> {
  while (addon.kill(pid, 0) === 0) await turn();
  return true;
}

/** Waits until a file of a script has text. */
async function written(path: string): Promise<string> {
  for (;;) {
    try {
      const text = readFileSync(path, 'utf8');
      if (text.endsWith('\n')) return text.trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    await turn();
  }
}

describe('a job', () => {
  test('ends with its status and the output of both streams', async () => {
    assert.deepEqual(await perform(sh('echo out; echo err >&2; exit 3')).outcome, {
      kind: 'ended',
      status: { kind: 'exited', code: 3 },
      output: 'out\nerr\n',
    });
    assert.deepEqual(await perform(sh('kill -9 $$')).outcome, {
      kind: 'ended',
      status: { kind: 'signaled', signal: 9, core: false },
      output: '',
    });
  });

  test('has the environment of its program, its own variables last, and no input', async () => {
    const file = join(folder, 'variables');
    writeFileSync(file, 'C=file\nD=file\n');
    const proc = program({
      environment: new Map([
        ['D', 'own'],
        ['E', 'own'],
      ]),
      environment_file: [{ path: file, isOptional: false }],
    });
    assert.equal(
      await outputOf(sh('cat; echo $A $B $C $D $E $SUPERVISOR_PROCESS_NAME $SUPERVISOR_GROUP_NAME'), {
        process: proc,
        environment: new Map([['E', 'job']]),
      }),
      'inherited common file own job web site\n',
    );
  });

  test('has only the variables that environment_pass names, if environment_clear is set', async () => {
    const proc = program({ environment_clear: true, environment_pass: ['P*'], user_env: false });
    assert.equal(
      await outputOf(sh('echo ${A-none} ${PATH:+path} $SUPERVISOR_PROCESS_NAME'), { process: proc }),
      'none path web\n',
    );
  });

  test('has the directory, umask and limits of its program, and a process group of its own', async () => {
    const proc = program({ directory: '/usr', umask: 0o77, rlimit_nofile: { soft: 50, hard: 60 } });
    assert.match(
      await outputOf(sh('pwd; umask; ulimit -Sn; echo $$; ps -o pgid= -p $$'), { process: proc }),
      /^\/usr\n0077\n50\n(\d+)\n\s*\1\n$/,
    );
  });

  test('runs as the user of its program', { skip: rootSkip }, async () => {
    assert.equal(
      await outputOf(sh('id -un; echo direct >/dev/stdout'), {
        process: program({ user: { user: 'nobody', group: null } }),
      }),
      'nobody\ndirect\n',
    );
  });

  test('gets its input, and need not read it', async () => {
    const before = openDescriptors();
    assert.equal(await outputOf(sh('cat; echo over'), { input: 'caf\u00e9\n' }), 'caf\u00e9\nover\n');
    const long = 'x'.repeat(1024 * 1024);
    assert.equal(await outputOf('wc -c', { input: long }), `${long.length}\n`);
    assert.equal(await outputOf(sh('exec <&-; echo deaf'), { input: long }), 'deaf\n');
    assert.equal(await outputOf('true', { input: long }), '');
    const { outcome, cancel } = perform('sleep 1000', { input: long });
    await turn();
    cancel();
    assert.deepEqual(await outcome, { kind: 'cancelled' });
    while (openDescriptors().length > before.length) await turn();
  });

  test('has only its three descriptors', async () => {
    assert.equal(await outputOf(sh('ls /proc/self/fd')), '0\n1\n2\n3\n');
  });

  test('that cannot be executed fails with a reason', async () => {
    const failures: ReadonlyArray<readonly [string, Partial<ProcessConfig['options']>, string]> = [
      ['/nowhere/check', {}, "can't find command '/nowhere/check'"],
      ['', {}, 'command is empty'],
      ['"', {}, 'No closing quotation'],
      ['/bin/true', { directory: '/nowhere' }, "couldn't chdir to /nowhere: ENOENT"],
      [
        '/bin/true',
        { environment_file: [{ path: '/nowhere/env', isOptional: false }] },
        'cannot read /nowhere/env: there is no such file; write -PATH where it may be missing',
      ],
      [
        '/bin/true',
        { user: { user: 'nobody-here', group: null } },
        "couldn't setuid to nobody-here: Can't find username 'nobody-here'",
      ],
    ];
    for (const [command, options, reason] of failures) {
      assert.deepEqual(await perform(command, { process: program(options) }).outcome, { kind: 'failed', reason });
    }
  });

  test('an exception of the callback is reported and ends nothing', async () => {
    make().run(
      program(),
      { name: 'x', command: '/bin/true', timeoutMs: 20_000, environment: new Map(), output: 'keep' },
      () => {
        throw new Error('mistake');
      },
    );
    while (said.length === 0) await turn();
    assert.match(said.splice(0)[0] ?? '', /^critical cannot act on the end of a command: Error: mistake\n/);
  });
});

describe('the output', () => {
  test('is the last 4096 bytes', async () => {
    const output = await outputOf(sh('seq 1 100000; echo last'));
    assert.equal(output.length, 4096);
    assert.ok(output.endsWith('99999\n100000\nlast\n'));
  });

  test('that is not UTF-8 is replaced', async () =>
    assert.equal(await outputOf(sh(String.raw`printf "a\\377b"`)), 'a\uFFFDb'));

  test('in a flood is dropped until the timeout', async () => {
    const before = process.memoryUsage().rss;
    const outcome = await perform('/usr/bin/yes flood', { timeoutMs: 700 }).outcome;
    assert.deepEqual([outcome.kind, outcome.kind === 'timeout' && outcome.output.length], ['timeout', 4096]);
    assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024, 'nothing was collected');
  });

  test('is closed when the command ends, even if a process outside its group has it open', async () => {
    const output = await outputOf(sh('setsid sleep 1000 & echo $!'));
    const escaped = Number(output);
    // That process has its own session, so no signal to the group reaches it. We hold no descriptor of
    // it.
    assert.equal(addon.kill(escaped, 9), 0);
    assert.ok(await isGone(escaped));
  });

  test('goes to the logs of the program if requested', async () => {
    const read: string[] = [];
    const closed: number[] = [];
    const jobs = make({
      channel: (_process, stream) => ({
        read: (fd, pid) => {
          read.push(`${stream} ${pid > 0}`);
          return {
            pid,
            ended: Promise.resolve(),
            drained: () => Promise.resolve(),
            readRemaining: () => undefined,
            close: () => {
              read.push(`${stream}: ${readFileSync(fd, 'latin1')}`);
              closed.push(fd);
              addon.replaceDescriptor(2, fd);
            },
          };
        },
      }),
    });
    const outcome = await perform(sh('echo out; echo err >&2'), { jobs, output: 'log' }).outcome;
    assert.deepEqual(outcome, { kind: 'ended', status: { kind: 'exited', code: 0 }, output: '' });
    while (closed.length < 2) await turn();
    assert.deepEqual(read, ['stdout true', 'stderr true', 'stdout: out\n', 'stderr: err\n']);
    read.length = 0;
    // The standard output of a listener is a protocol.
    await perform(sh('echo out; echo err >&2'), { jobs, output: 'log', process: program({}, 'eventlistener') }).outcome;
    while (closed.length < 3) await turn();
    assert.deepEqual(read, ['stderr true', 'stderr: out\nerr\n']);
    for (const fd of closed) closeSync(fd);
  });
});

describe('a job that waits for its turn', () => {
  const waiting: Array<() => void> = [];
  const budget = { run: (task: () => void): void => void waiting.push(task) };

  test('is executed after waiting', async () => {
    const { outcome } = perform(sh('exit 3'), { jobs: make({ budget }) });
    assert.equal(waiting.length, 1);
    waiting.pop()?.();
    assert.deepEqual(await outcome, { kind: 'ended', status: { kind: 'exited', code: 3 }, output: '' });
  });

  test('is never executed if it was cancelled before', async () => {
    const mark = join(folder, 'never');
    const { outcome, cancel } = perform(sh(`>${mark}`), { jobs: make({ budget }) });
    cancel();
    waiting.pop()?.();
    assert.deepEqual(await outcome, { kind: 'cancelled' });
    assert.ok(!existsSync(mark));
  });
});

describe('nothing outlives a job', () => {
  test('that has timed out: it and its descendants are killed', async () => {
    const pids = join(folder, 'pids');
    const { outcome } = perform(
      sh(`trap "" TERM; sleep 1000 & first=$!; sleep 1000 & echo $first $! $$ >${pids}; wait`),
      {
        timeoutMs: 400,
      },
    );
    const list = (await written(pids)).split(' ').map(Number);
    assert.equal((await outcome).kind, 'timeout');
    for (const pid of list) assert.ok(await isGone(pid));
  });

  test('that has ended: the rest of its group is killed, and does not delay the outcome', async () => {
    const output = await outputOf(sh('sleep 1000 & echo $!'));
    assert.ok(await isGone(Number(output)));
  });

  test('that is cancelled', async () => {
    const pids = join(folder, 'cancelled');
    const { outcome, cancel } = perform(sh(`sleep 1000 & echo $! $$ >${pids}; wait`));
    const list = (await written(pids)).split(' ').map(Number);
    cancel();
    cancel();
    assert.deepEqual(await outcome, { kind: 'cancelled' });
    for (const pid of list) assert.ok(await isGone(pid));
    cancel();
  });

  test('that was not executed yet, and one whose outcome is about to be reported', async () => {
    const failing = perform('/nowhere/check');
    failing.cancel();
    assert.deepEqual(await failing.outcome, { kind: 'cancelled' });
    const jobs = make();
    const ended = perform('/bin/true', { jobs });
    const { take } = jobs;
    jobs.take = (batch) => {
      const rest = take.call(jobs, batch);
      ended.cancel();
      return rest;
    };
    assert.deepEqual(await ended.outcome, { kind: 'cancelled' });
  });

  test('that moved to another group', async () => {
    const file = join(folder, 'wandered');
    const script =
      `import os, time\nchild = os.fork()\nif child == 0:\n os.setpgid(0, 0); time.sleep(1000)\nos.setpgid(0, ` +
      `os.getpgid(os.getppid()))\nopen('${file}', 'w').write(f'{os.getpid()} {child}\\n')\ntime.sleep(1000)`;
    const path = join(folder, 'wander.py');
    writeFileSync(path, script);
    const { outcome, cancel } = perform(`python3 ${path}`);
    const [pid = 0, child = 0] = (await written(file)).split(' ').map(Number);
    cancel();
    assert.deepEqual(await outcome, { kind: 'cancelled' });
    assert.ok(await isGone(pid));
    // The child has a group of its own, which is not the job's.
    addon.kill(child, 9);
    assert.ok(await isGone(child));
  });
});

test('a process that hangs in the kernel does not block the caller, and there is no second one', async () => {
  // The fake kernel does not kill. The test fires the alarms.
  const alarms: Array<{ wake: () => void; isOff: boolean }> = [];
  const kills: number[] = [];
  const clock = {
    nowMs: () => 0,
    alarm: (_atMs: number, wake: () => void) => {
      const entry = { wake, isOff: false };
      alarms.push(entry);
      return () => {
        entry.isOff = true;
      };
    },
  };
  const jobs = make({
    addon: {
      kill: (pid) => {
        kills.push(pid);
        return 0;
      },
    } satisfies Pick<Addon, 'kill'>,
    clock,
  });
  const pids = join(folder, 'stuck');
  const first = perform(sh(`echo $$ >${pids}; exec sleep 1000`), { jobs });
  const pid = Number(await written(pids));
  alarms[0]?.wake();
  assert.deepEqual(kills, [-pid, pid]);
  alarms[1]?.wake();
  assert.equal((await first.outcome).kind, 'timeout');
  assert.deepEqual(await perform('/bin/true', { jobs }).outcome, {
    kind: 'failed',
    reason: 'the previous command was killed and has not ended',
  });
  addon.kill(pid, 9);
  assert.ok(await isGone(pid));
  assert.equal((await perform('/bin/true', { jobs }).outcome).kind, 'ended');
  assert.ok(
    alarms.every(({ isOff }, index) => isOff || index === 0 || index === 1),
    'no alarm is left',
  );
});

test('a hundred jobs, half of them killed, leave no descriptor, no process and no pid in a batch', async () => {
  for (let i = 0; i < 3; i += 1) await turn();
  const before = openDescriptors();
  others.length = 0;
  const jobs = make();
  const started = Array.from({ length: 100 }, (_, index) =>
    perform(index % 2 === 0 ? sh('echo done') : 'sleep 1000', { jobs, name: `job ${index}` }),
  );
  for (const [index, { cancel }] of started.entries()) if (index % 2 === 1) cancel();
  const kinds = await Promise.all(started.map(async ({ outcome }) => (await outcome).kind));
  assert.deepEqual(
    kinds,
    started.map((_, index) => (index % 2 === 0 ? 'ended' : 'cancelled')),
  );
  for (let i = 0; i < 3; i += 1) await turn();
  assert.deepEqual(openDescriptors(), before);
  assert.deepEqual(others, []);
  assert.deepEqual(addon.reap(1), []);
});
