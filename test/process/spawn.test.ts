/** The environment of a program that the real addon has spawned, and the report and cleanup of a failed spawn. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { SpawnFailure, SpawnRequest, SpawnStage } from '../../src/native/addon.ts';
import { addon, ending, everything, field, openDescriptors, outcome, rootSkip, run, shell } from './programs.ts';

const NOBODY = 65534;
const O_CLOEXEC = 0o2000000;
const DEFAULT_MASK = '0000000000000000';

describe('the environment of a program', () => {
  test('a process group of its own, in our session', async () => {
    const started = addon.spawn(shell('read _ _ _ _ group session _ < /proc/self/stat; echo $group $session $$'));
    const [group, session, pid] = (await outcome(started)).stdout.trim().split(' ').map(Number);
    const ours = Number(readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ')[3]);
    // `read` opened the file in the shell itself.
    assert.deepEqual({ group, session, pid }, { group: started.pid, session: ours, pid: started.pid });
  });

  test('a session of its own on request', async () => {
    const started = addon.spawn(
      shell('read _ _ _ _ group session _ < /proc/self/stat; echo $group $session', { leadership: 'session' }),
    );
    assert.equal((await outcome(started)).stdout, `${started.pid} ${started.pid}\n`);
  });

  test('only its own descriptors, even if ours are inheritable', async () => {
    // Node makes inherited descriptors close-on-exec, up to the first number above 15 that is free.
    const inheritable = openSync('/dev/null', 'r');
    const stdio: Array<number | 'ignore' | 'pipe' | 'inherit'> = ['ignore', 'pipe', 'inherit'];
    while (stdio.length < 50) stdio.push('ignore');
    const inner =
      `import('${join(import.meta.dirname, 'programs.ts')}').then(async ({ run, shell }) => { const { ` +
      `stdout } = await run(shell('ls -m /proc/$$/fd; :')); process.stdout.write(stdout + ` +
      `require('fs').readFileSync('/proc/self/fdinfo/50', 'latin1')); })`;
    const printed = execFileSync(process.execPath, ['-e', inner], { encoding: 'utf8', stdio: [...stdio, inheritable] });
    closeSync(inheritable);
    const [shown = '', ...info] = printed.split('\n');
    assert.equal(shown, '0, 1, 2');
    assert.equal(Number.parseInt(/flags:\s*(\d+)/.exec(info.join('\n'))?.[1] ?? '', 8) & O_CLOEXEC, 0, 'ours differs');
  });

  test('default dispositions and an empty mask', async () => {
    // Node ignores SIGPIPE and catches others.
    process.on('SIGUSR1', ignore);
    const { stdout } = await run(shell('', { file: '/bin/cat', argv: ['cat', '/proc/self/status'] }));
    process.removeListener('SIGUSR1', ignore);
    assert.equal(field(stdout, 'SigIgn'), DEFAULT_MASK);
    assert.equal(field(stdout, 'SigBlk'), DEFAULT_MASK);
    assert.equal(field(stdout, 'SigCgt'), DEFAULT_MASK);
    assert.notEqual(
      field(readFileSync('/proc/self/status', 'latin1'), 'SigIgn'),
      DEFAULT_MASK,
      'ours differ, so the test can fail',
    );
  });

  test('environment and arguments unchanged, also empty ones', async () => {
    const env = ['A=1', 'EMPTY=', 'U=ü €', 'LINES=a\nb'];
    assert.equal(
      (await run(shell('', { file: '/usr/bin/env', argv: ['env', '-0'], env }))).stdout,
      env.map((line) => `${line}\0`).join(''),
    );
    assert.equal(
      (await run(shell('', { file: '/usr/bin/printf', argv: ['printf', '<%s>', 'a b', '', 'ü'] }))).stdout,
      '<a b><><ü>',
    );
  });

  test('its pid in a variable, which the process itself sets', async () => {
    const started = addon.spawn(shell('echo $LISTEN_PID $$ $A', { env: ['A=1'], pidVariable: 'LISTEN_PID' }));
    assert.equal((await outcome(started)).stdout, `${started.pid} ${started.pid} 1\n`);
  });

  test('its directory and umask', async () => {
    assert.equal((await run(shell('pwd; umask', { directory: '/usr', umask: 0o027 }))).stdout, '/usr\n0027\n');
    assert.equal(
      process.umask().toString(8),
      (await run(shell('umask'))).stdout.trim().replace(/^0+(?=.)/, ''),
      'ours, unless set',
    );
  });

  test('its limits, niceness and OOM score, without a change of ours', async () => {
    const ours = { files: addon.getLimit('nofile'), oom: readFileSync('/proc/self/oom_score_adj', 'latin1') };
    const limits = [
      { resource: 'nofile', soft: 77, hard: 88 },
      { resource: 'core', soft: 0, hard: 0 },
    ];
    const { stdout } = await run(
      shell('ulimit -Sn; ulimit -Hn; ulimit -Sc; nice; cat /proc/self/oom_score_adj', {
        limits,
        nice: 7,
        oomScoreAdj: 321,
      }),
    );
    assert.equal(stdout, '77\n88\n0\n7\n321\n');
    assert.deepEqual(
      { files: addon.getLimit('nofile'), oom: readFileSync('/proc/self/oom_score_adj', 'latin1') },
      ours,
    );
  });

  test(
    'a better niceness than ours together with a user, since it is set before the user',
    { skip: rootSkip },
    async () => {
      assert.equal(
        (await run(shell('nice; id -u', { nice: -3, uid: NOBODY, gid: NOBODY, groups: [NOBODY] }))).stdout,
        `-3\n${NOBODY}\n`,
      );
    },
  );

  test('stderr in stdout, in the order of writing', async () => {
    const { stdout, stderr } = await run(shell('echo one; echo two >&2; echo three', { stderr: 'stdout' }));
    assert.deepEqual({ stdout, stderr }, { stdout: 'one\ntwo\nthree\n', stderr: '' });
  });

  test('an input that stays open until we close it', async () => {
    const started = addon.spawn(shell('cat'));
    writeSync(started.stdin ?? -1, 'hello');
    closeSync(started.stdin ?? -1);
    assert.equal((await outcome(started)).stdout, 'hello');
  });

  test('our descriptors with the requested numbers', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'onevisor-'));
    writeFileSync(join(folder, 'file'), 'content');
    const from = openSync(join(folder, 'file'), 'r');
    assert.equal(
      (await run(shell('cat <&9; ls -m /proc/$$/fd; :', { descriptors: [{ from, to: 9 }] }))).stdout,
      'content0, 1, 2, 9\n',
    );
    closeSync(from);
    rmSync(folder, { recursive: true });
  });
});

describe('the user of a program', { skip: rootSkip }, () => {
  const credentials: Partial<SpawnRequest> = { uid: NOBODY, gid: NOBODY, groups: [NOBODY, 12, 34] };

  test('real, effective and saved ids, and the supplementary groups', async () => {
    const { stdout } = await run(shell('', { file: '/bin/cat', argv: ['cat', '/proc/self/status'], ...credentials }));
    assert.equal(field(stdout, 'Uid'), Array(4).fill(NOBODY).join('\t'));
    assert.equal(field(stdout, 'Gid'), Array(4).fill(NOBODY).join('\t'));
    assert.equal(field(stdout, 'Groups').trim(), '12 34 65534');
    assert.equal(process.geteuid?.(), 0);
  });

  test('the program may open its own streams by name', async () => {
    const started = addon.spawn(
      shell(
        'read line < /dev/stdin; echo $line > /dev/stdout; echo err > /dev/stderr; echo fd > /proc/self/fd/1',
        credentials,
      ),
    );
    writeSync(started.stdin ?? -1, 'in\n');
    closeSync(started.stdin ?? -1);
    const { stdout, stderr, status } = await outcome(started);
    assert.deepEqual(
      { stdout, stderr, status },
      { stdout: 'in\nfd\n', stderr: 'err\n', status: { kind: 'exited', code: 0 } },
    );
  });

  test('its directory is entered as that user', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'onevisor-'));
    assert.throws(() => addon.spawn(shell('pwd', { ...credentials, directory: folder })), {
      code: 'EACCES',
      stage: 'directory',
    });
    assert.equal((await run(shell('pwd', { directory: folder }))).stdout, `${folder}\n`);
    rmSync(folder, { recursive: true });
  });
});

describe('the exit of a program', () => {
  test('by a code', async () => {
    assert.deepEqual((await run(shell('exit 7'))).status, { kind: 'exited', code: 7 });
  });

  test('by a signal, sent to it or to its group', async () => {
    const one = addon.spawn(shell('echo ready; exec sleep 1000'));
    const group = addon.spawn(shell('sleep 1000 & echo ready; wait'));
    for (const { pid, stdout, stdin, stderr } of [one, group]) {
      const buffer = Buffer.alloc(6);
      readSync(stdout ?? -1, buffer);
      assert.equal(buffer.toString(), 'ready\n');
      assert.equal(addon.kill(pid === group.pid ? -pid : pid, 15), 0);
      const { kind } = await ending(pid);
      assert.equal(kind, 'signaled');
      // The end of the output shows that the sleep of the group has ended too.
      assert.equal(await everything(stdout), '');
      closeSync(stdin ?? -1);
      closeSync(stderr ?? -1);
    }
    assert.equal(addon.kill(one.pid, 0), 3, 'ESRCH: it has been reaped');
  });

  test('with the death of its parent, on request', async () => {
    // The outer process spawns a sleeper with PDEATHSIG as another user, then exits; the end of the sleeper closes the
    // pipe.
    const programs = join(import.meta.dirname, 'programs.ts');
    const user = rootSkip === false ? `uid: ${NOBODY}, gid: ${NOBODY}, groups: [],` : '';
    const script =
      `import('${programs}').then(({ addon, shell }) => { const { pid } = addon.spawn(shell('exec sleep ` +
      `1000', { stdout: 1, ${user} parentDeathSignal: 9 })); process.stdout.write(pid + '\\n', () => ` +
      `addon.exitNow(3)); })`;
    const { stdout, status } = await run(shell('', { file: process.execPath, argv: ['node', '-e', script] }));
    assert.deepEqual(status, { kind: 'exited', code: 3 });
    assert.match(stdout, /^\d+\n$/);
  });
});

describe('a spawn that fails', () => {
  const folder = mkdtempSync(join(tmpdir(), 'onevisor-'));
  writeFileSync(join(folder, 'plain'), 'text', { mode: 0o644 });
  writeFileSync(join(folder, 'headless'), 'echo no interpreter line', { mode: 0o755 });
  writeFileSync(join(folder, 'orphaned'), '#!/nowhere/sh\n', { mode: 0o755 });
  after(() => rmSync(folder, { recursive: true }));
  const cases: ReadonlyArray<readonly [string, Partial<SpawnRequest>, SpawnStage, string, string]> = [
    ['no such file', { file: '/nowhere' }, 'exec', 'ENOENT', 'execve'],
    ['not executable', { file: join(folder, 'plain') }, 'exec', 'EACCES', 'execve'],
    ['a directory', { file: folder }, 'exec', 'EACCES', 'execve'],
    ['no #! line', { file: join(folder, 'headless') }, 'exec', 'ENOEXEC', 'execve'],
    ['no interpreter', { file: join(folder, 'orphaned') }, 'exec', 'ENOENT', 'execve'],
    [
      'too many arguments',
      {
        argv: Array<string>(40).fill('x'.repeat(131_000)),
        env: Array<string>(40).fill(`A=${'x'.repeat(130_000)}`),
        limits: [{ resource: 'stack', soft: 8 << 20, hard: 8 << 20 }],
      },
      'exec',
      'E2BIG',
      'execve',
    ],
    ['no such directory', { directory: '/nowhere' }, 'directory', 'ENOENT', 'chdir'],
    ['no such stream', { stdout: 12_345 }, 'stdio', 'EBADF', 'dup2'],
    ['no such descriptor', { descriptors: [{ from: 12_345, to: 5 }] }, 'descriptors', 'EBADF', 'dup2'],
    [
      'limits the wrong way round',
      { limits: [{ resource: 'nofile', soft: 9, hard: 8 }] },
      'limits',
      'EINVAL',
      'prlimit',
    ],
    ['a zero byte in a variable', { env: ['A=\0'] }, 'exec', 'EINVAL', 'execve'],
  ];
  for (const [name, change, stage, code, syscall] of cases) {
    test(`${name}: ${stage}, ${code}`, () => {
      const before = openDescriptors();
      assert.throws(
        () => addon.spawn(shell('', change)),
        (error: unknown) => {
          const failure = error as SpawnFailure & { syscall: string };
          assert.deepEqual(
            { stage: failure.stage, code: failure.code, syscall: failure.syscall },
            { stage, code, syscall },
          );
          return failure.errno > 0;
        },
      );
      assert.deepEqual(openDescriptors(), before);
      assert.deepEqual(addon.reap(100), [], 'no zombie');
    });
  }
});

test('a thousand spawns leave no descriptor and no process', async () => {
  const before = openDescriptors();
  const endings: Array<Promise<unknown>> = [];
  for (let i = 0; i < 1000; i += 1) {
    const { pid, stdin, stdout, stderr } = addon.spawn(shell('', { file: '/bin/true', argv: ['true'] }));
    for (const fd of [stdin, stdout, stderr]) closeSync(fd ?? -1);
    endings.push(ending(pid));
    if (i % 50 === 49) await Promise.all(endings.splice(0));
  }
  assert.deepEqual(openDescriptors(), before);
  assert.deepEqual(addon.reap(1), []);
});

test('the cost of a spawn does not grow with our heap', () => {
  const cost = (): number => {
    const times: number[] = [];
    for (let i = 0; i < 60; i += 1) {
      const start = process.hrtime.bigint();
      const { stdin, stdout, stderr } = addon.spawn(shell('', { file: '/bin/true', argv: ['true'] }));
      times.push(Number(process.hrtime.bigint() - start) / 1000);
      for (const fd of [stdin, stdout, stderr]) closeSync(fd ?? -1);
    }
    // The fastest measurement is one that no other process disturbed.
    return Math.min(...times);
  };
  cost();
  const small = cost();
  const heap = Buffer.alloc(300 << 20, 1);
  const large = cost();
  assert.equal(heap[heap.length - 1], 1);
  // A fork would copy the page tables of 300 MB, which takes about 3 ms.
  assert.ok(large < small * 2 + 500, `${small.toFixed(0)} µs before, ${large.toFixed(0)} µs after`);
});

test('pipes that are enlarged have the size that the kernel grants', async () => {
  const { pid, stdin, stdout, stderr } = addon.spawn(shell('', { file: '/bin/true', argv: ['true'] }));
  assert.equal(addon.growPipe(stdout ?? -1, 1 << 20), addon.pipeSize(stdout ?? -1));
  assert.ok(addon.pipeSize(stdout ?? -1) >= 1 << 16);
  for (const fd of [stdin, stdout, stderr]) closeSync(fd ?? -1);
  await ending(pid);
});

function ignore(): void {
  // The error only needs to be caught.
}
