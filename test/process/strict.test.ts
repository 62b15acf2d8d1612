/** The findings of `check --strict` on a real machine: commands, interpreters, directories; and limits. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { FINDINGS, formatFindings } from '../../src/programs/strict.ts';
import { runCheck } from '../../src/programs/check.ts';

const folder = mkdtempSync(join(tmpdir(), 'onevisor-strict-'));
after(() => rmSync(folder, { recursive: true }));
chmodSync(folder, 0o755);
const { uid, gid } = statSync(folder);

/** The user app is a stranger in the folder, and owner is its owner. */
const accounts = [
  { name: 'app', uid: uid + 7, gid: gid + 7, home: '/', shell: '/bin/sh' },
  { name: 'owner', uid, gid, home: '/', shell: '/bin/sh' },
];
const lookup = {
  userByName: (name: string) => accounts.find((user) => user.name === name) ?? null,
  userById: (id: number) => accounts.find((user) => user.uid === id) ?? null,
  groupByName: () => null,
  groupById: () => null,
  groupsOf: (_name: string, own: number) => [own],
};

function addFile(name: string, content: string | Buffer, mode = 0o755): void {
  writeFileSync(join(folder, name), content);
  chmodSync(join(folder, name), mode);
}

interface Outcome {
  readonly code: number;
  readonly warnings: readonly string[];
}

/** Runs `check --strict --json` on programs; `%FOLDER%` is the folder. */
async function check(
  text: string,
  args: readonly string[] = [],
  users: typeof lookup | null = lookup,
): Promise<Outcome> {
  const file = join(folder, 'a.conf');
  writeFileSync(file, `[supervisord]\n${text.replaceAll('%FOLDER%', folder)}`);
  let out = '';
  const code = await runCheck(
    ['--strict', '--json', ...args, '-c', file],
    { PATH: `${folder}/bin:/usr/bin:/bin`, SECRET: 'hidden/word' },
    {
      users,
      executable: '/nonexistent/bin/onevisor',
      self: { pid: 7, parent: process.pid },
      out: (more) => (out += more),
      err: () => {},
    },
  );
  const { warnings } = JSON.parse(out) as { warnings: Array<{ line: number; option: string; reason: string }> };
  return {
    code,
    warnings: warnings.map(
      ({ line, option, reason }) => `${line}: ${option}: ${reason.replaceAll(folder, '%FOLDER%')}`,
    ),
  };
}

describe('commands', () => {
  mkdirSync(join(folder, 'bin'));
  mkdirSync(join(folder, 'work'));
  addFile('bin/tool', '#!/bin/sh\n');
  addFile('work/run.sh', '#!/bin/sh\n');
  addFile('bin/plain', '#!/bin/sh\n', 0o644);
  addFile('bin/own', '#!/bin/sh\n', 0o744);
  addFile('bin/no-interpreter', '#!/nowhere/python3 -u\n');
  addFile('bin/windows', '#!/bin/sh\r\necho\r\n');
  addFile('bin/by-env', '#!/usr/bin/env no-such-python\n');
  addFile('bin/by-known-env', '#!/usr/bin/env sh\n');
  addFile('bin/by-env-with-options', '#!/usr/bin/env -S no-such-python -u\n');
  addFile('bin/script', 'echo a text without an interpreter\n');
  addFile('bin/empty', '');
  addFile('bin/picture', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3]));
  const foreign = Buffer.from(readFileSync(process.execPath).subarray(0, 4096));
  foreign.writeUInt16LE(foreign.readUInt16LE(18) === 22 ? 62 : 22, 18);
  // The loader of this machine is judged first, so the table of segments is left out.
  foreign.writeUInt16LE(0, 56);
  addFile('bin/foreign', foreign);
  addFile('variables', `PATH=${folder}/work\n`);
  execFileSync('mkfifo', ['-m', '755', join(folder, 'bin/pipe')]);

  const cases: ReadonlyArray<readonly [name: string, text: string, found: RegExp | null]> = [
    ['in PATH', 'command=tool', null],
    [
      'not in PATH',
      'command=no-such',
      /^3: command: cannot be executed here: can't find command 'no-such'; install it/,
    ],
    ['a path', 'command=/no/such', /can't find command '\/no\/such'; install it/],
    ['a directory', 'command=%FOLDER%/work', /command at '%FOLDER%\/work' is a directory; name a file in it$/],
    ['no x bit', 'command=plain', /'%FOLDER%\/bin\/plain' is not executable; make it executable with chmod \+x$/],
    ['shell syntax', 'command=cd /x', /can't find command 'cd'; cd is a command of shells: write directory=/],
    ['the directory of the program', 'command=./run.sh\ndirectory=%FOLDER%/work', null],
    ['another directory', 'command=./run.sh', /can't find command '\.\/run\.sh'/],
    ['PATH of the program', 'command=run.sh\nenvironment=PATH="%FOLDER%/work"', null],
    ['PATH of the program alone', 'command=tool\nenvironment=PATH="/nowhere"', /can't find command 'tool'/],
    ['PATH of a file with variables', 'command=run.sh\nenvironment_file=%FOLDER%/variables', null],
    ['an unknown PATH', 'command=no-such\nenvironment_file=/no/such/file', null],
    ['a path with an unknown PATH', 'command=/no/such\nenvironment_file=/no/such/file', /can't find/],
    [
      'x for the owner only',
      'command=own\nuser=app',
      /: user app may not execute %FOLDER%\/bin\/own \(mode 0744, owner \d+:\d+\); .* \(chmod o\+x\), or the user$/,
    ],
    ['the owner', 'command=own\nuser=owner', null],
    [
      'a missing interpreter',
      'command=no-interpreter',
      /%FOLDER%\/bin\/no-interpreter: its interpreter \/nowhere\/python3 .* does not exist; install/,
    ],
    ['Windows line ends', 'command=windows', /carriage return/],
    [
      'a missing interpreter of env',
      'command=by-env',
      /the first line of %FOLDER%\/bin\/by-env asks env for no-such-python, which is not in PATH/,
    ],
    ['an interpreter of env', 'command=by-known-env', null],
    ['options of env', 'command=by-env-with-options', null],
    ['a script without #!', 'command=script', null],
    ['an empty file', 'command=empty', null],
    ['no program', 'command=picture', /neither a program nor a script/],
    ['another machine', 'command=foreign', /it is a program for \w+, and this machine is/],
    ['a pipe is not opened', 'command=pipe', null],
    ['words after env', 'command=env no-such', null],
    ['a script of a shell', 'command=sh -c "no-such"', null],
    ['no words', 'command=', null],
    ['a value of a variable', 'command=%(ENV_SECRET)s x', /can't find command '%\(ENV_SECRET\)s'/],
    ['hooks', 'command=tool\nstop_command=no-such x', /^4: stop_command: .*'no-such'/],
    ['a health check', 'command=tool\nhealthcheck=no-such x', /^4: healthcheck: .*'no-such'/],
    ['a URL', 'command=tool\nhealthcheck=http://localhost/', null],
    ['a notification', 'command=tool\n[notify:n]\nevents=fatal\ncommand=no-such x', /^6: command: .*'no-such'/],
  ];
  for (const [name, text, found] of cases) {
    test(name, async () => {
      const warnings = (await check(`[program:p]\n${text}\n`)).warnings.filter((line) => !line.includes('is empty'));
      assert.equal(warnings.length, found === null ? 0 : 1, warnings.join('\n'));
      if (found !== null) assert.match(warnings[0] ?? '', found);
      assert.ok(!warnings.join('').includes('hidden/word'));
    });
  }

  test('processes of one program, each named once; --static looks up nothing', async () => {
    const text = '[program:p]\ncommand=no-such\nnumprocs=3\nprocess_name=%(process_num)d\n';
    assert.equal((await check(text)).warnings.length, 1);
    assert.deepEqual(await check(text, ['--static'], null), { code: 0, warnings: [] });
  });

  test('a command line with quotes of a variable is judged by its words', async () => {
    const [warning = ''] = (await check(`[program:p]\ncommand=%(ENV_SECRET)s' '\n`)).warnings;
    assert.match(warning, /can't find command '%\(ENV_SECRET\)s '/);
  });
});

describe('directories', () => {
  mkdirSync(join(folder, 'closed'));
  mkdirSync(join(folder, 'closed/inner'));
  mkdirSync(join(folder, 'listed'));
  chmodSync(join(folder, 'closed'), 0o700);
  chmodSync(join(folder, 'listed'), 0o711);
  const cases: ReadonlyArray<readonly [name: string, text: string, found: RegExp | null]> = [
    [
      'closed to its user',
      'directory=%FOLDER%/closed\nuser=app',
      /^4: directory: the program cannot start here: user app may not search %FOLDER%\/closed \(mode 0700/,
    ],
    ['behind a closed folder', 'directory=%FOLDER%/closed/inner\nuser=app', /may not search %FOLDER%\/closed \(/],
    [
      'that its user may enter only',
      'directory=%FOLDER%/listed\nuser=app',
      /cannot list its files here: user app may not read %FOLDER%\/listed \(mode 0711, .*chmod o\+r/,
    ],
    ['of its user', 'directory=%FOLDER%/closed\nuser=owner', null],
    ['of a program without a user', 'directory=%FOLDER%/closed', null],
    ['of a program without a directory', 'user=app', null],
  ];
  for (const [name, text, found] of cases) {
    test(`a directory ${name}`, async () => {
      const { warnings } = await check(`[program:p]\ncommand=/bin/sh\n${text}\n`);
      assert.equal(warnings.length, found === null ? 0 : 1, warnings.join('\n'));
      if (found !== null) assert.match(warnings[0] ?? '', found);
    });
  }

  test('the user of [supervisord] counts for a program without one', async () => {
    const { warnings } = await check(`user=app\n[program:p]\ncommand=/bin/sh\ndirectory=${folder}/closed\n`);
    assert.match(warnings.join('\n'), /^5: directory: .*user app may not search/);
  });

  test('a name service that fails says nothing about a configuration', async () => {
    const broken = {
      ...lookup,
      groupsOf: () => {
        throw Object.assign(new Error('no answer'), { code: 'EIO' });
      },
    };
    const text = '[program:p]\ncommand=/bin/sh\ndirectory=%FOLDER%/closed\nuser=app\n';
    assert.deepEqual((await check(text, [], broken)).warnings, []);
  });
});

test('exit codes: warnings fail the check, notes do not', async () => {
  const both = `stdout_logfile=${folder}/x.log\nstderr_logfile=${folder}/x.log\n`;
  const noted = await check(`[program:p]\ncommand=/bin/sh\n${both}`);
  assert.equal(noted.code, 0);
  assert.match(noted.warnings.join('\n'), /^5: stderr_logfile: note: /);
  assert.equal((await check('[program:p]\ncommand=/bin/sh\nnope=1\n')).code, 2);
  assert.equal((await check('[program:p]\ncommand=/bin/sh\npriority=x\n')).code, 2);
});

/** A mistake for each row of the table. */
const MISTAKES: Readonly<Record<string, readonly [text: string, found: RegExp]>> = {
  command: ['command=no-such', /cannot be executed here/],
  directory: ['command=/bin/sh\ndirectory=%FOLDER%/closed\nuser=app', /may not search/],
  quotes: ['command=/bin/sh "', /no partner/],
  'idle-exit': ['command=/bin/sh\nexit_on_end=true\ncron=@daily', /never acts/],
  'one-off-job': ['command=/bin/mkdir -p /x', /oneshot=true/],
  'same-port': ['command=%FOLDER%/bin/uvicorn --port 80\nnumprocs=2\nprocess_name=%(process_num)d', /all 2 processes/],
  'same-log': [`command=/bin/sh\nstdout_logfile=/tmp/x\nnumprocs=2\nprocess_name=%(process_num)d`, /is one file/],
};
for (const { id } of FINDINGS) {
  test(`the table: ${id}`, async () => {
    addFile('bin/uvicorn', '#!/bin/sh\n');
    const [text, found] = MISTAKES[id] ?? ['', /^$/];
    const { code, warnings } = await check(`[program:p]\n${text}\n`);
    assert.equal(code, 2);
    assert.equal(warnings.length, 1, warnings.join('\n'));
    assert.match(warnings[0] ?? '', found);
  });
}

test('the manual has all rows', () => {
  assert.equal(formatFindings().split('\n- ').length, FINDINGS.length);
  for (const line of formatFindings().split('\n')) assert.ok(line.length <= 120, line);
});

test('the work grows with the number of programs, and not with its square', async () => {
  const cpuMs = async (count: number): Promise<number> => {
    const programs = Array.from(
      { length: count },
      (_none, index) =>
        `[program:p${index}]\ncommand=uvicorn${index % 2 === 0 ? '' : index} --port ${index % 7}\nuser=app\n` +
        `directory=/usr/lib\nstdout_logfile=/tmp/${index % 9}.log\ndepends_on=p${Math.max(0, index - 1)}\n`.replace(
          'depends_on=p0\n',
          '',
        ),
    );
    const before = process.cpuUsage();
    await check(programs.join(''));
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  await cpuMs(500);
  const [few, many] = [await cpuMs(500), await cpuMs(2000)];
  assert.ok(many < 8 * few, `${many} ms for 2,000 programs, ${few} ms for 500`);
});
