/** The effects of options on a started program, and Supervisor's texts for failures. */
import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { ProcessConfig } from '../../src/config/model.ts';
import type { Addon, SpawnStage } from '../../src/native/addon.ts';
import { inheritedStdio, Launcher, PIPED } from '../../src/process/launcher.ts';
import type { LaunchContext, LaunchOptions, LaunchTarget } from '../../src/process/launcher.ts';
import { explainExec, explainMissing, isPlainScript } from '../../src/process/exec-cause.ts';
import { addon, ending, openDescriptors, outcome, rootSkip } from './programs.ts';

const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const warnings: string[] = [];
const launcher = new Launcher({ addon, self, warn: (text) => warnings.push(text) });

const options: LaunchOptions = {
  directory: null,
  umask: null,
  user: null,
  environment: new Map(),
  serverurl: null,
  redirect_stderr: false,
  user_env: false,
  expand_file_variables: false,
  environment_clear: false,
  environment_pass: [],
  strict_user: false,
  nice: null,
  oom_score_adj: null,
  pdeathsig: null,
  no_new_privs: false,
  capabilities: null,
  rlimit_as: null,
  rlimit_core: null,
  rlimit_cpu: null,
  rlimit_data: null,
  rlimit_fsize: null,
  rlimit_locks: null,
  rlimit_memlock: null,
  rlimit_msgqueue: null,
  rlimit_nice: null,
  rlimit_nofile: null,
  rlimit_nproc: null,
  rlimit_rss: null,
  rlimit_rtprio: null,
  rlimit_rttime: null,
  rlimit_sigpending: null,
  rlimit_stack: null,
};
const context: LaunchContext = {
  inherited: { PATH: process.env['PATH'] },
  common: new Map(),
  files: new Map(),
  added: new Map(),
  serverUrl: null,
  limits: [],
  stdio: { ...PIPED, stdin: 'null' },
  cgroup: null,
  descriptors: [],
  pidVariable: null,
};

function program(
  argv: readonly string[],
  changes: Partial<LaunchOptions> = {},
  type: LaunchTarget['type'] = 'program',
): LaunchTarget {
  return { name: 'web', group: 'site', type, argv, options: { ...options, ...changes } };
}
async function printed(
  script: string,
  changes: Partial<LaunchOptions> = {},
  more: Partial<LaunchContext> = {},
): Promise<string> {
  const { stdout } = await outcome(launcher.launch(program(['sh', '-c', script], changes), { ...context, ...more }));
  return stdout;
}

// The types of the option table are compatible.
((config: ProcessConfig): LaunchTarget => config) satisfies unknown;

describe('options', () => {
  test('directory, umask, nice, oom_score_adj', async () => {
    assert.equal(
      await printed('pwd; umask; nice; cat /proc/self/oom_score_adj', {
        directory: '/usr',
        umask: 0o77,
        nice: 3,
        oom_score_adj: 12,
      }),
      '/usr\n0077\n3\n12\n',
    );
  });

  test('the pid of the process replaces a LISTEN_PID of any source', async () => {
    const environment = new Map([['LISTEN_PID', '77']]);
    const more = { pidVariable: 'LISTEN_PID', inherited: { PATH: process.env['PATH'], LISTEN_PID: '1' } };
    assert.match(await printed('echo $LISTEN_PID $$', { environment }, more), /^(\d+) \1\n$/);
  });

  test('rlimit_* overrides the limits for all programs', async () => {
    const limits = [
      { resource: 'nofile', soft: 100, hard: 200 },
      { resource: 'fsize', soft: 512, hard: 1024 },
    ];
    assert.equal(
      await printed('ulimit -Sn; ulimit -Hn; ulimit -Sf', { rlimit_nofile: { soft: 50, hard: 60 } }, { limits }),
      '50\n60\n1\n',
    );
  });

  test('environment, and serverurl with AUTO', async () => {
    const environment = new Map([['A', 'own']]);
    const script = 'echo $A $N $SUPERVISOR_PROCESS_NAME $SUPERVISOR_GROUP_NAME $SUPERVISOR_SERVER_URL';
    const more = { added: new Map([['N', 'added']]), serverUrl: 'http://known' };
    assert.equal(await printed(script, { environment }, more), 'own added web site http://known\n');
    assert.equal(await printed(script, { environment, serverurl: 'auto' }, more), 'own added web site http://known\n');
    assert.equal(
      await printed(script, { environment, serverurl: 'http://set' }, more),
      'own added web site http://set\n',
    );
  });

  test('PATH of the program finds the command', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'onevisor-'));
    writeFileSync(join(folder, 'tool'), '#!/bin/sh\necho found "$1"\n', { mode: 0o755 });
    const target = program(['tool', 'it'], { environment: new Map([['PATH', folder]]) });
    assert.equal((await outcome(launcher.launch(target, context))).stdout, 'found it\n');
    assert.throws(() => launcher.launch(program(['tool']), context), {
      message: "can't find command 'tool'",
      exitCode: 127,
    });
    rmSync(folder, { recursive: true });
  });

  test('redirect_stderr, but not for a listener', async () => {
    const argv = ['sh', '-c', 'echo out; echo err >&2'];
    const joined = launcher.launch(program(argv, { redirect_stderr: true }), context);
    assert.equal(joined.stderr, null);
    assert.equal((await outcome(joined)).stdout, 'out\nerr\n');
    const listener = await outcome(launcher.launch(program(argv, { redirect_stderr: true }, 'eventlistener'), context));
    assert.deepEqual([listener.stdout, listener.stderr], ['out\n', 'err\n']);
  });

  test('a terminal, with a TERM unless the environment has one', async () => {
    const stdio = { ...PIPED, stdin: 'null', stdout: { columns: 80, rows: 24 } } as const;
    const target = program(['sh', '-c', 'echo ${TERM-none}; stty size <&2'], { redirect_stderr: true });
    const shown = async (more: Partial<LaunchContext>): Promise<string> => {
      const { pid, stdout, stderr } = launcher.launch(target, { ...context, stdio, ...more });
      await ending(pid);
      const buffer = Buffer.alloc(1000);
      const text = buffer.toString('latin1', 0, addon.readNow(stdout as number, buffer));
      closeSync(stdout as number);
      assert.equal(stderr, null);
      return text;
    };
    assert.equal(await shown({}), 'xterm-256color\n24 80\n');
    assert.equal(await shown({ inherited: { ...context.inherited, TERM: 'dumb' } }), 'dumb\n24 80\n');
    assert.equal(await printed('echo ${TERM-none}'), 'none\n');
  });

  for (const [code, advice] of [
    ['ENODEV', '; mount devpts on /dev/pts'],
    ['ENOSPC', ''],
  ] as const) {
    test(`no terminal (${code}): a pipe, with one warning`, async () => {
      const said: string[] = [];
      const failing: Addon = {
        ...addon,
        spawn: (request) => {
          if (typeof request.stdout === 'object')
            throw Object.assign(new Error(code), { code, errno: 1, stage: 'pty', syscall: 'ioctl' });
          return addon.spawn(request);
        },
      };
      const own = new Launcher({ addon: failing, self, warn: (text) => said.push(text) });
      const stdio = { ...PIPED, stdin: 'null', stdout: { columns: 80, rows: 24 } } as const;
      const target = program(['sh', '-c', 'test -t 1 || echo pipe; echo err >&2'], { redirect_stderr: true });
      for (let i = 0; i < 2; i++)
        assert.equal((await outcome(own.launch(target, { ...context, stdio }))).stdout, 'pipe\nerr\n');
      assert.deepEqual(said, [
        `cannot give 'web' a terminal (tty=true): ${code} from /dev/ptmx${advice}; its output goes through a pipe, ` +
          'and may be late',
      ]);
    });
  }

  test('user, its groups, and user_env', { skip: rootSkip }, async () => {
    const nobody = addon.userByName('nobody');
    const script = 'id -u; id -g; echo $HOME $USER $LOGNAME; echo direct > /dev/stdout';
    assert.equal(
      await printed(script, { user: { user: 'nobody', group: null }, user_env: true }),
      `${nobody?.uid}\n${nobody?.gid}\n${nobody?.home} nobody nobody\ndirect\n`,
    );
    assert.equal(await printed('id -u; id -g; id -G', { user: { user: '4711', group: '4712' } }), '4711\n4712\n4712\n');
  });

  const python = existsSync('/usr/bin/python3') ? false : 'no python3, and prctl(2) tells only the process itself';
  test('pdeathsig', { skip: python }, async () => {
    const { stdout } = await outcome(
      launcher.launch(
        program(
          [
            '/usr/bin/python3',
            '-c',
            'import ctypes; n = ctypes.c_int(); ctypes.CDLL(None).prctl(2, ctypes.byref(n)); print(n.value)',
          ],
          { pdeathsig: 10 },
        ),
        context,
      ),
    );
    assert.equal(stdout, '10\n');
  });
});

describe('a user that we cannot change to', () => {
  const requests: number[] = [];
  const asNobody = (warn: (text: string) => void): Launcher => {
    const parts: Addon = {
      ...addon,
      spawn: (request) => {
        requests.push(request.uid ?? -1);
        return { pid: 1, stdin: null, stdout: null, stderr: null };
      },
    };
    return new Launcher({ addon: parts, self: { uid: 65_534, gid: 65_534 }, warn });
  };

  test('is a warning, once, and the program runs as our user', () => {
    const said: string[] = [];
    const other = asNobody((text) => said.push(text));
    for (let i = 0; i < 3; i += 1) other.launch(program(['sh'], { user: { user: 'root', group: null } }), context);
    assert.deepEqual(said, [
      "cannot run 'web' as its user: couldn't setuid to 0: Can't drop privilege as nonroot user; it runs as uid 65534",
    ]);
    assert.deepEqual(requests, [-1, -1, -1]);
  });

  test('is an error with strict_user', () => {
    assert.throws(
      () =>
        asNobody(assert.fail).launch(
          program(['sh'], { user: { user: 'root', group: null }, strict_user: true }),
          context,
        ),
      { stage: 'uid', exitCode: 1 },
    );
  });
});

describe('texts of failures', () => {
  const folder = mkdtempSync(join(tmpdir(), 'onevisor-'));
  after(() => rmSync(folder, { recursive: true }));
  const files: Readonly<Record<string, string | Buffer>> = {
    headless: 'echo "no interpreter line: $1"; exit 3',
    orphaned: '#!/nowhere/sh\n',
    windows: '#!/bin/sh\r\necho\r\n',
    binary: 'text\0and more',
    blank: '#!\n',
    locked: `#!${folder}/plain\n`,
    plain: '',
  };
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), content, { mode: name === 'plain' ? 0o644 : 0o755 });

  test('text without #! is run by /bin/sh, as a shell does, with one warning', async () => {
    const said: string[] = [];
    const own = new Launcher({ addon, self, warn: (text) => said.push(text) });
    for (let round = 0; round < 2; round++) {
      const { stdout, status } = await outcome(
        own.launch(program(['./headless', 'an argument'], { directory: folder }), context),
      );
      assert.deepEqual([stdout, status], ['no interpreter line: an argument\n', { kind: 'exited', code: 3 }]);
    }
    assert.deepEqual(said, [
      "'web' is run by /bin/sh: ./headless does not begin with #! and the path of its interpreter, as #!/bin/sh",
    ]);
  });

  const real: ReadonlyArray<readonly [string[], Partial<LaunchOptions>, string, number]> = [
    [
      [`${folder}/orphaned`],
      {},
      `couldn't exec ${folder}/orphaned: ENOENT; its interpreter /nowhere/sh (in its first line) does not exist`,
      127,
    ],
    [
      [`${folder}/windows`],
      {},
      `couldn't exec ${folder}/windows: ENOENT; its first line ends with a carriage return (Windows line ends), so ` +
        `"/bin/sh\\r" is looked for: save it with Unix line ends`,
      127,
    ],
    [[`${folder}/binary`], {}, `couldn't exec ${folder}/binary: ENOEXEC; it is neither a program nor a script`, 126],
    [
      [`${folder}/blank`],
      {},
      `couldn't exec ${folder}/blank: ENOEXEC; its first line names no interpreter, as #!/bin/sh does`,
      126,
    ],
    [
      [`${folder}/locked`],
      {},
      `couldn't exec ${folder}/locked: EACCES; its interpreter ${folder}/plain (in its first line) is not executable`,
      126,
    ],
    [['/bin/sh'], { directory: '/nowhere' }, "couldn't chdir to /nowhere: ENOENT", 1],
    [['/bin/sh'], { rlimit_core: { soft: 2, hard: 1 } }, "cannot set the resource limits of 'web': EINVAL", 1],
  ];
  for (const [argv, changes, message, exitCode] of real) {
    test(message.replace(folder, ''), () => {
      const before = openDescriptors();
      assert.throws(() => launcher.launch(program(argv, changes), context), { name: 'SpawnError', message, exitCode });
      assert.deepEqual(openDescriptors(), before);
    });
  }

  const reported: ReadonlyArray<readonly [SpawnStage, string, string, number]> = [
    ['pipe', 'EMFILE', "too many open files to spawn 'web'", 1],
    ['pipe', 'ENFILE', "unknown error making dispatchers for 'web': ENFILE", 1],
    ['fork', 'EAGAIN', "Too many processes in process table to spawn 'web'", 1],
    ['fork', 'ENOMEM', "unknown error during fork for 'web': ENOMEM", 1],
    ['groups', 'EPERM', "couldn't setuid to 65534: Could not set groups of effective user", 1],
    ['gid', 'EPERM', "couldn't setuid to 65534: Could not set group id of effective user", 1],
    ['uid', 'EAGAIN', "couldn't setuid to 65534: EAGAIN", 1],
    [
      'exec',
      'EACCES',
      "couldn't exec sh: EACCES; the user that it runs as has no permission, or the file system is mounted with noexec",
      126,
    ],
  ];
  for (const [stage, code, message, exitCode] of reported) {
    test(message, () => {
      const failing: Addon = {
        ...addon,
        spawn: () => {
          throw Object.assign(new Error('x'), { stage, code, errno: 1 });
        },
      };
      const asRoot = new Launcher({ addon: failing, self: { uid: 0, gid: 0 }, warn: assert.fail });
      assert.throws(() => asRoot.launch(program(['sh'], { user: { user: '65534', group: null } }), context), {
        name: 'SpawnError',
        message,
        exitCode,
        stage,
        code,
      });
    });
  }

  test('without a descriptor, descriptors are freed and the start is tried once more', async () => {
    const codes = ['EMFILE', 'ENFILE', 'EMFILE', 'EMFILE'];
    let freed = 0;
    const scarce: Addon = {
      ...addon,
      spawn: (request) => {
        const code = codes.shift();
        if (code === undefined) return addon.spawn(request);
        throw Object.assign(new Error(code), { stage: code === 'ENFILE' ? 'pty' : 'pipe', code, errno: 1 });
      },
    };
    const own = new Launcher({ addon: scarce, self, warn: assert.fail, freeDescriptors: () => ++freed < 3 });
    const message = "cannot give 'web' a terminal: ENFILE";
    assert.throws(() => own.launch(program(['sh']), context), { message });
    assert.throws(() => own.launch(program(['sh']), context), { message: "too many open files to spawn 'web'" });
    assert.equal((await outcome(own.launch(program(['sh', '-c', 'echo started']), context))).stdout, 'started\n');
    assert.equal(freed, 2);
  });

  test('a bug of ours is not taken for a failure of the program', () => {
    assert.throws(() => launcher.launch(program(['sh'], { nice: 99 }), context), { code: 'ERR_INVALID_ARG_VALUE' });
  });
});

/** Returns the header of a 64-bit program for a machine (e_machine), with a loader if given. */
function elf(machine: number, loader = ''): Buffer {
  const head = Buffer.alloc(256);
  head.write('\x7fELF\x02\x01\x01', 'latin1');
  head.writeUInt16LE(machine, 18);
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt32LE(3, 64);
  head.writeBigUInt64LE(128n, 72);
  head.writeBigUInt64LE(BigInt(loader.length + 1), 96);
  head.write(loader, 128, 'latin1');
  return head;
}

describe('causes of a failed exec', () => {
  const ours = process.arch === 'x64' ? 62 : 183;
  const theirs = process.arch === 'x64' ? 183 : 62;
  const causes: ReadonlyArray<readonly [code: string, head: Buffer | null, cause: RegExp | null]> = [
    ['ENOEXEC', elf(theirs), /^it is a program for (aarch64|x86_64), and this machine is (x86_64|aarch64)$/],
    ['ENOEXEC', elf(9999), /^it is a program for machine 9999, /],
    ['ENOEXEC', elf(ours), /^the program is damaged$/],
    ['ENOEXEC', Buffer.from('\x7fELF'), /^it is a program for machine 0/],
    ['ENOEXEC', Buffer.from('echo'), /there is no \/bin\/sh to run it$/],
    [
      'ENOENT',
      elf(ours, '/lib/ld-musl-nowhere.so.1'),
      /^its loader \/lib\/ld-musl-nowhere\.so\.1 does not exist: it was built for another C library, musl \(Alpine\)$/,
    ],
    ['ENOENT', elf(ours, '/bin/sh'), null],
    ['ENOENT', Buffer.from('text'), null],
    ['ENOENT', null, null],
    ['EACCES', Buffer.from('#! /bin/sh -e\n'), /noexec$/],
    ['E2BIG', null, /too long$/],
    ['ETXTBSY', null, /still open for writing$/],
    ['EIO', null, null],
  ];
  for (const [code, head, cause] of causes) {
    test(`${code} ${String(cause)}`, () => {
      const said = explainExec(code, head);
      if (cause === null) assert.equal(said, null);
      else assert.match(said ?? '', cause);
    });
  }

  const missing: ReadonlyArray<readonly [command: string, cause: RegExp | null]> = [
    [
      'FOO=bar',
      /^only a shell takes FOO=… for a variable: write environment=FOO="…" and begin the command with the program$/,
    ],
    ['$HOME/bin/x', /^only a shell expands \$HOME: write %\(ENV_HOME\)s\/bin\/x$/],
    ['${APP}/x', /^only a shell expands \$\{APP\}: write %\(ENV_APP\)s\/x$/],
    ['~/bin/x', /^only a shell expands ~: write %\(ENV_HOME\)s\/bin\/x$/],
    ['~deploy/bin/x', /^only a shell expands ~: write the whole path of that user's home$/],
    ['source', /^source is a command of shells: run the whole line with sh -c$/],
    [
      'ulimit',
      new RegExp(
        String.raw`^ulimit is a command of shells: write rlimit_nofile=65536, ` +
          String.raw`or another rlimit_ option, or run the whole line with sh -c$`,
      ),
    ],
    ['/usr/bin/x', null],
    ['x', null],
  ];
  for (const [command, cause] of missing) {
    test(command, () => {
      if (cause === null) assert.equal(explainMissing(command), null);
      else assert.match(explainMissing(command) ?? '', cause);
    });
  }

  test('a script is recognized by the bytes that a shell examines', () => {
    assert.deepEqual(
      [
        isPlainScript(Buffer.from(`${'x'.repeat(256)}\0`)),
        isPlainScript(Buffer.from('x\0')),
        isPlainScript(Buffer.from('#!x')),
        isPlainScript(Buffer.alloc(0)),
      ],
      [true, false, false, true],
    );
  });
});

test('a main program has our streams, and the foreground only at a terminal', () => {
  assert.deepEqual(inheritedStdio({ foregroundGroup: () => -1 }), {
    stdin: 0,
    stdout: 1,
    stderr: 2,
    leadership: 'group',
  });
  // tcgetpgrp returns 0 if the foreground group is outside our namespace.
  assert.equal(inheritedStdio({ foregroundGroup: () => 0 }).leadership, 'foreground');
});

test('no other warning was given', () => assert.deepEqual(warnings, []));
