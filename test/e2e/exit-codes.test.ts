/**
 * The exit code of the executable: every row of the table in the manual (stopping-and-exit-codes), and the codes of
 * init mode.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launch, pid1SkipReason } from './launch.ts';
import type { LaunchOptions } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;

interface Case {
  readonly what: string;
  readonly options: LaunchOptions;
  readonly code: number;
}

/** Creates a configuration with a program that stays up, next to the program of the case. */
const beside = (program: string, section = ''): LaunchOptions => ({
  config:
    `[supervisord]\nloglevel=error\n${section}\n[program:stays]\ncommand=sleep 1000\n` +
    `[program:x]\nstartretries=0\n${program}\n`,
});

const CASES: readonly Case[] = [
  {
    what: 'exit_on_failure: unexpected and not restarted',
    options: beside('command=sh -c "sleep 1.1; exit 5"\nautorestart=false\nexit_on_failure=true'),
    code: 5,
  },
  {
    what: 'exit_on_failure: unexpected at once (startsecs=0)',
    options: beside('command=sh -c "exit 5"\nstartsecs=0\nautorestart=false\nexit_on_failure=true'),
    code: 5,
  },
  {
    what: 'exit_on_failure: FATAL after an exit',
    options: beside('command=sh -c "exit 6"\nexit_on_failure=true'),
    code: 6,
  },
  {
    what: 'exit_on_failure: FATAL although it ended with 0, too soon',
    options: beside('command=true\nexit_on_failure=true'),
    code: 1,
  },
  {
    what: 'exit_on_failure: killed by a signal',
    options: beside('command=sh -c "kill -9 $$"\nstartsecs=0\nautorestart=false\nexit_on_failure=true'),
    code: 137,
  },
  {
    what: 'exit_on_failure: command not found',
    options: beside('command=/does/not/exist\nexit_on_failure=true'),
    code: 127,
  },
  { what: 'exit_on_failure: not executable', options: beside('command=/etc/passwd\nexit_on_failure=true'), code: 126 },
  { what: 'exit_on_end: as expected', options: beside('command=true\nstartsecs=0\nexit_on_end=true'), code: 0 },
  {
    what: 'exit_on_end: with an expected code that is not 0',
    options: beside('command=sh -c "exit 3"\nstartsecs=0\nexitcodes=3\nexit_on_end=true'),
    code: 3,
  },
  { what: 'exit_on_end: FATAL', options: beside('command=sh -c "exit 9"\nexit_on_end=true'), code: 9 },
  {
    what: 'success_exit_codes of the program',
    options: beside(
      'command=sh -c "kill -TERM $$"\nstartsecs=0\nautorestart=false\nexit_on_end=true\nsuccess_exit_codes=143',
    ),
    code: 0,
  },
  {
    what: 'success_exit_codes of [supervisord]',
    options: beside(
      'command=sh -c "exit 4"\nstartsecs=0\nautorestart=false\nexit_on_end=true',
      'success_exit_codes=3,4',
    ),
    code: 0,
  },
  {
    what: 'exit_when_idle: the first failure, not the last end',
    options: {
      config:
        '[supervisord]\nexit_when_idle=true\nloglevel=error\n' +
        '[program:a]\ncommand=sh -c "exit 7"\nstartsecs=0\nautorestart=false\n' +
        '[program:b]\ncommand=sleep 0.5\nstartsecs=0\nautorestart=false\n',
    },
    code: 7,
  },
  {
    what: 'a start that can never happen: the code of what it depends on',
    options: {
      config:
        '[supervisord]\nloglevel=error\n[program:migrate]\ncommand=sh -c "exit 5"\noneshot=true\n' +
        'startretries=0\n[program:web]\ncommand=sleep 1000\ndepends_on=migrate:completed\n' +
        'exit_on_failure=true\n',
    },
    code: 5,
  },
  {
    what: 'a command that can never be started: the code of what it depends on',
    options: {
      config:
        '[supervisord]\nloglevel=error\n[program:migrate]\ncommand=/nonexistent\nstartretries=0\n' +
        '[program:main]\ndepends_on=migrate:completed\n',
      args: ['--', 'sleep', '1000'],
    },
    code: 127,
  },
  {
    what: 'exit_when_idle: that of the last one',
    options: {
      config:
        '[supervisord]\nexit_when_idle=true\nloglevel=error\n[program:a]\ncommand=true\nstartsecs=0\n' +
        '[program:b]\ncommand=sh -c "sleep 0.3; exit 8"\nstartsecs=0\nautorestart=false\n',
    },
    code: 8,
  },
  { what: 'a wrong configuration', options: { config: '[supervisord]\n[program:x]\n' }, code: 2 },
  { what: 'a file that is not there', options: { args: ['-c', '/does/not/exist.conf'] }, code: 2 },
  { what: 'an unknown flag', options: { args: ['--nonsense'] }, code: 2 },
  { what: 'a command of ours after options', options: { args: ['-n', 'check'] }, code: 2 },
  // In the main process of a container, a bare word is the command to run.
  { what: 'a word that is no command of the container', options: { args: ['start'] }, code: 127 },
  { what: 'a variable that is not understood', options: { env: { ONEVISOR_PROGRAMM_WEB: 'true' } }, code: 2 },
];

for (const { what, options, code } of CASES) {
  test(`exit code ${code}: ${what}`, { skip, timeout: 60_000 }, async (t) => {
    const launched = await launch(t, options);
    assert.deepEqual(await launched.exit, { code, signal: null }, launched.stderr.text);
    assert.doesNotMatch(launched.stdout.text + launched.stderr.text, /^\s+at .*:\d+:\d+/m, 'no stack trace');
  });
}

const COMMANDS: ReadonlyArray<{ readonly command: readonly string[]; readonly code: number; readonly stderr: RegExp }> =
  [
    { command: ['sh', '-c', 'exit 7'], code: 7, stderr: /^$/ },
    { command: ['sh', '-c', 'sleep 1.2; exit 7'], code: 7, stderr: /^$/ },
    { command: ['true'], code: 0, stderr: /^$/ },
    {
      command: ['sh', '-c', 'kill -9 $$'],
      code: 137,
      stderr: /^\S+ \S+ WARN exited: main \(terminated by SIGKILL; not expected\)$/,
    },
    {
      command: ['sh', '-c', 'kill -TERM $$'],
      code: 143,
      stderr: /^\S+ \S+ WARN exited: main \(terminated by SIGTERM; not expected\)$/,
    },
    { command: ['/does/not/exist'], code: 127, stderr: /can't find command '\/does\/not\/exist'/ },
    { command: ['no-such-command'], code: 127, stderr: /can't find command 'no-such-command'/ },
    { command: ['/etc/passwd'], code: 126, stderr: /'\/etc\/passwd' is not executable/ },
    { command: ['/etc'], code: 126, stderr: /'\/etc' is a directory/ },
  ];

for (const as of ['pid1', 'plain'] as const) {
  for (const { command, code, stderr } of COMMANDS) {
    test(
      `exit code ${code}: onevisor -- ${command.join(' ')} (${as})`,
      { skip: as === 'pid1' && skip, timeout: 60_000 },
      async (t) => {
        const launched = await launch(t, {
          as,
          config: '[supervisord]\nlogfile=NONE\npidfile=%FOLDER%/pid\n',
          args: ['--', ...command],
        });
        assert.deepEqual(await launched.exit, { code, signal: null }, launched.stderr.text);
        assert.match(launched.stderr.text, stderr);
        assert.equal(launched.stdout.text, '', 'stdout belongs to the command');
      },
    );
  }
}
