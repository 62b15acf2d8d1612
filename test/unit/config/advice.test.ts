/**
 * Configurations that are valid but do something else than a new user means: shell syntax without a shell, options
 * without effect, values that a comment cuts, misspelt options and conditions. Each message has the place and the
 * correction.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine, splitCommandLine } from '../../../src/core/command-line.ts';
import type { Problem } from '../../../src/config/model.ts';
import { type Machine, printed, readText } from './memory-source.ts';

const shown = (problems: readonly Problem[]): string[] =>
  printed(problems).map((line) => line.replace('/etc/supervisord.conf:', ''));
const problemsOf = (text: string, machine: Machine = {}): { errors: string[]; warnings: string[] } => {
  const { errors, warnings } = readText(`[supervisord]\n${text}`, machine);
  return { errors: shown(errors), warnings: shown(warnings) };
};
const SILENT = { errors: [], warnings: [] };

const shell: ReadonlyArray<readonly [command: string, word: string, quoted: string]> = [
  ['echo ok | grep x', '|', `'echo ok | grep x'`],
  ['a || b', '||', `'a || b'`],
  ['a && b', '&&', `'a && b'`],
  ['a | b &', '|', `'a | b &'`],
  ['a |& b', '|&', `'a |& b'`],
  ['a > /f', '>', `'a > /f'`],
  ['a >>/f', '>>/f', `'a >>/f'`],
  ['a >./f', '>./f', `'a >./f'`],
  ['a < /f', '<', `'a < /f'`],
  ['a </f', '</f', `'a </f'`],
  ['a 2>&1', '2>&1', `'a 2>&1'`],
  ['a >&2', '>&2', `'a >&2'`],
  ['a 2>/dev/null', '2>/dev/null', `'a 2>/dev/null'`],
  ['a &>all.log', '&>all.log', `'a &>all.log'`],
  ['a; b', 'a;', `'a; b'`],
  [`echo 'a b' | x`, '|', `"echo 'a b' | x"`],
  [`echo 'a' "b" | x`, '|', `'echo '"'"'a'"'"' "b" | x'`],
  ['date +%%s | x', '|', `'date +%%s | x'`],
];
for (const [command, word, quoted] of shell) {
  test(`${command} needs a shell: an error in checks and hooks, a warning in command=`, () => {
    const reason =
      `"${command}" is not run by a shell; write sh -c ${quoted}, or put quotes around ${word} if it is an ` +
      `argument${word.endsWith(';') ? ', or a space before ";" where a comment begins' : ''}`;
    for (const option of ['healthcheck', 'pre_start_command', 'stop_command', 'reload_command', 'post_stop_command']) {
      assert.deepEqual(problemsOf(`[program:p]\ncommand=x\n${option}=${command}\n`), {
        errors: [`4: [program:p] ${option}: ${reason}`],
        warnings: [],
      });
      assert.deepEqual(problemsOf(`[program:p]\ncommand=x\n${option}=sh -c ${quoted}\n`), SILENT);
    }
    assert.deepEqual(problemsOf(`[program:p]\ncommand=${command}\n`), {
      errors: [],
      warnings: [`3: [program:p] command: ${reason}`],
    });
    assert.deepEqual(problemsOf(`[eventlistener:p]\nevents=TICK_5\ncommand=${command}\n`), {
      errors: [],
      warnings: [`4: [eventlistener:p] command: ${reason}`],
    });
    assert.deepEqual(problemsOf(`[program:p]\ncommand=sh -c ${quoted}\n`), SILENT);
  });
}

for (const command of ['sleep 100 &', 'sleep 100&']) {
  test(`${command}: the advice is to drop the &`, () => {
    const why = 'is not run by a shell, and a supervised program must stay in the foreground; remove the &';
    const reason = `"${command}" ${why}`;
    assert.deepEqual(problemsOf(`[program:p]\ncommand=${command}\n`), {
      errors: [],
      warnings: [`3: [program:p] command: ${reason}`],
    });
    assert.deepEqual(problemsOf(`[program:p]\ncommand=x\nstop_command=${command}\n`), {
      errors: [`4: [program:p] stop_command: ${reason}`],
      warnings: [],
    });
  });
}

test('quoted text, escaped text and parts of a longer word are arguments', () => {
  const lines = [
    `grep '|' f`,
    'grep "&&" f',
    'grep \\| f',
    `nginx -g 'daemon off;'`,
    'find / -exec ls {} \\;',
    `find / -exec ls {} ';'`,
    'grep -E a|b',
    'pip install x>=1',
    'test 1 >= 2',
    'say <name>',
    'x a;b',
    'x a\\;',
    'x http://h/?a&b',
    'x a\\&',
    'x "a&"',
    'x& y',
    'x ->y',
    '',
  ];
  for (const line of lines) {
    const isEmpty = line === '';
    assert.deepEqual(
      problemsOf(`[program:p]\ncommand=${line}\n`).warnings,
      isEmpty ? ['3: [program:p] command: is empty, so the program cannot be started'] : [],
      line,
    );
    if (!isEmpty) assert.deepEqual(problemsOf(`[program:p]\ncommand=x\nstop_command=${line}\n`), SILENT, line);
  }
  // The ini file cuts " ;", a variable of the environment does not.
  assert.deepEqual(problemsOf('', { env: { ONEVISOR_PROGRAM_P: 'find / -exec ls {} ;' } }), SILENT);
});

test('a command with several lines or processes gets one warning, with the text of the file', () => {
  const text =
    '[program:p]\nprocess_name=p%(process_num)d\nnumprocs=3\ncommand=echo %(process_num)d\n  | x\n' +
    '[program-default]\nstop_command=a | b\n';
  const said = (command: string): string =>
    `"${command}" is not run by a shell; write sh -c '${command}', or put quotes around | if it is an argument`;
  assert.deepEqual(problemsOf(text), {
    errors: [`8: [program:p] stop_command: ${said('a | b')}`],
    warnings: [`5: [program:p] command: ${said('echo %(process_num)d | x')}`],
  });
});

test('a shell that has a script without quotes gets the quotes, and no second shell around it', () => {
  const adviceFor = (command: string): string | undefined =>
    problemsOf(`[program:p]\ncommand=${command}\n`).warnings[0]?.replace(/^.*; write /, '');
  assert.equal(
    adviceFor('bash -c cd /x && node y.js'),
    "bash -c 'cd /x && node y.js', or put quotes around && if it is an argument",
  );
  assert.equal(
    adviceFor('/bin/sh -lc a | "b c"'),
    `/bin/sh -lc 'a | "b c"', or put quotes around | if it is an argument`,
  );
});

test('words of a command line keep their source text', () => {
  const line = ` a 'b c'd "e"\\ f '' \\' `;
  assert.deepEqual(parseCommandLine(line), [
    { text: 'a', source: 'a' },
    { text: 'b cd', source: `'b c'd` },
    { text: 'e f', source: '"e"\\ f' },
    { text: '', source: `''` },
    { text: `'`, source: `\\'` },
  ]);
  assert.deepEqual(splitCommandLine(line), ['a', 'b cd', 'e f', '', `'`]);
});

const idle: ReadonlyArray<readonly [line: string, needed: string, needs: string]> = [
  ['healthcheck_interval=3', 'healthcheck', 'healthcheck=true'],
  ['healthcheck_timeout=3', 'healthcheck', 'healthcheck=true'],
  ['healthcheck_retries=3', 'healthcheck', 'healthcheck=true'],
  ['healthcheck_start_period=3', 'healthcheck', 'healthcheck=true'],
  ['healthcheck_start_interval=3', 'healthcheck', 'healthcheck=true'],
  ['healthcheck_action=exit', 'healthcheck', 'healthcheck=true'],
  ['environment_file_expand=true', 'environment_file', 'environment_file=-/etc/web.env'],
  ['tz=UTC', 'cron', 'cron=@daily'],
  ['pre_start_timeout=3', 'pre_start_command', 'pre_start_command=true'],
  ['stop_timeout=3', 'stop_command', 'stop_command=true'],
  ['post_stop_timeout=3', 'post_stop_command', 'post_stop_command=true'],
  ['max_restarts_window=3', 'max_restarts', 'max_restarts=0'],
  ['dependent_startup_wait_for=q', 'dependent_startup=true', 'dependent_startup=true'],
];
for (const [line, needed, needs] of idle) {
  test(`${line} has no effect without ${needed}`, () => {
    const name = line.slice(0, line.indexOf('='));
    const end = '\n[program:q]\ncommand=x\n';
    assert.deepEqual(problemsOf(`[program:p]\ncommand=x\n${line}${end}`), {
      errors: [],
      warnings: [`4: [program:p] ${name}: has no effect without ${needed}`],
    });
    assert.deepEqual(problemsOf(`[program:p]\ncommand=x\n${line}\n${needs}${end}`), SILENT);
    assert.deepEqual(
      problemsOf(`[program-default]\n${needs}\n[program:p]\ncommand=x\n${line}${end}`).warnings.filter((warning) =>
        warning.includes('[program:p]'),
      ),
      [],
    );
    assert.deepEqual(problemsOf(`[program-default]\n${line}\n[program:p]\ncommand=x${end}`), SILENT);
  });
}

test('an invalid option is not reported as missing', () => {
  assert.deepEqual(problemsOf('[program:p]\ncommand=x\nhealthcheck=tcp://x\nhealthcheck_retries=3\n').warnings, []);
  assert.deepEqual(
    problemsOf('[program:p]\ncommand=x\ndependent_startup=false\ndependent_startup_wait_for=p\n').warnings,
    ['5: [program:p] dependent_startup_wait_for: has no effect without dependent_startup=true'],
  );
});

test('a quote without a partner is named with its position, and no value of a variable is shown', () => {
  const start = '3: [program:p] command: cannot be split into words, so the program cannot be started: ';
  const cases: ReadonlyArray<readonly [command: string, end: string]> = [
    ['a "b" "c d', 'No closing quotation; the " before "c d" (character 7) has no partner: close it, or write \\"'],
    ["it's", `No closing quotation; the ' before "s" (character 3) has no partner: close it, or write \\'`],
    ['a "', 'No closing quotation; the " at its end (character 3) has no partner: close it, or write \\"'],
    ['a \\', 'No escaped character; remove the backslash at its end'],
    ['a %(ENV_X)s', 'No closing quotation; the quote comes from the value of a variable'],
    ['a "%(ENV_X)s', 'No closing quotation; the " before "%(ENV_X)s" (character 3) has no partner'],
  ];
  for (const [command, end] of cases) {
    const [warning = '', ...others] = problemsOf(`[program:p]\ncommand=${command}\n`, {
      env: { X: `s'ecret` },
    }).warnings;
    assert.ok(warning.startsWith(start + end), warning);
    assert.deepEqual(others, []);
  }
});

test('an open quote before a comment is explained', () => {
  const cut = (mark: string): string =>
    `; the text after " ${mark}" is a comment: write it without a space before "${mark}"`;
  const script = ', or put the commands into a script';
  const open = 'cannot be split into words: No closing quotation; close the quote, or write it as \\"';
  const started = 'cannot be split into words, so the program cannot be started: No closing quotation';
  assert.deepEqual(problemsOf(`[program:p]\ncommand=sh -c 'a ; b'\n`).warnings, [
    `3: [program:p] command: ${started}${cut(';')}${script}`,
  ]);
  assert.deepEqual(problemsOf(`[program-default]\ncommand=sh -c 'a ; b'\n[program:p]\n`).warnings, [
    `3: [program:p] command: ${started}${cut(';')}${script}`,
  ]);
  assert.deepEqual(problemsOf(`[program:p]\ncommand=sh -c 'a\n  b # c\n  d ; e'\n`).warnings, [
    `3: [program:p] command: ${started}${cut('#')}${script}`,
  ]);
  assert.deepEqual(problemsOf(`[program:p]\ncommand=sh -c 'a;b\n`).warnings, [
    `3: [program:p] command: ${started}; the ' before "a;b" (character 7) has no partner: close it, or write \\'`,
  ]);
  assert.deepEqual(problemsOf(`[program:p]\ncommand=x\nhealthcheck=sh -c 'a ; b'\n`).errors, [
    `4: [program:p] healthcheck: ${open}${cut(';')}${script}`,
  ]);
  assert.deepEqual(problemsOf(`[program:p]\ncommand=x\nstop_command=sh -c 'a; b\n`).errors, [
    `4: [program:p] stop_command: ${open}`,
  ]);
  assert.deepEqual(problemsOf(`[program:p]\ncommand=x\nenvironment=A="b ; c",D=e\n`).errors, [
    `4: [program:p] environment: the quote " is not closed${cut(';')}`,
  ]);
  assert.deepEqual(problemsOf(`[program:p]\ncommand=x\nautostart=perhaps ; c\n`).errors, [
    '4: [program:p] autostart: "perhaps" is not true or false (also yes, no, on, off, 1, 0)',
  ]);
});

test('misspelt options cause warnings in every section with a table of options', () => {
  const there = (name: string): string => `there is no such option here, it is ignored (did you mean ${name}?)`;
  const text =
    '[program-default]\nautostrat=false\nsocket_backlog=3\n[include]\nfiles=/x/*\nfilles=x\n[group:g]\n' +
    'programs=p\nprioritty=1\n[program:p]\ncommand=x\nusr=app\n' +
    '[unix_http_server]\nfile=/tmp/s\nchmdo=700\n[inet_http_server]\nport=127.0.0.1:1\nusername=a\npassword=b\n' +
    'passwrod=c\n[supervisorctl]\nserverul=x\n';
  assert.deepEqual(
    problemsOf(text).warnings.filter((line) => line.includes('no such option')),
    [
      `3: [program-default] autostrat: ${there('autostart')}`,
      `7: [include] filles: ${there('files')}`,
      `10: [group:g] prioritty: ${there('priority')}`,
      `13: [program:p] usr: ${there('user')}`,
      `16: [unix_http_server] chmdo: ${there('chmod')}`,
      `21: [inet_http_server] passwrod: ${there('password')}`,
      `23: [supervisorctl] serverul: ${there('serverurl')}`,
    ],
  );
});

test('a dependency on a oneshot without a condition causes a warning, since it does not wait for its end', () => {
  const text = (wish: string, more = ''): string =>
    `[program:web]\ncommand=x\ndepends_on=${wish}\n[program:migrate]\ncommand=x\noneshot=true\n${more}`;
  const warning =
    '4: [program:web] depends_on: "migrate" is a oneshot, and without a condition this program waits for ' +
    'its start, not for its end; write migrate:completed, or migrate:started if the start is enough';
  assert.deepEqual(problemsOf(text('migrate')), { errors: [], warnings: [warning] });
  for (const condition of ['completed', 'started', 'ready'])
    assert.deepEqual(problemsOf(text(`migrate:${condition}`)), SILENT);
  assert.deepEqual(problemsOf(text('migrate', 'healthcheck=true\n')), SILENT);
  assert.deepEqual(
    problemsOf(text('migrate').replace('depends_on', 'dependent_startup=true\ndependent_startup_wait_for')),
    SILENT,
  );
});

test('a misspelt condition is distinguished from a name', () => {
  const reasonOf = (wish: string): string =>
    problemsOf(
      `[program:a]\ncommand=x\ndepends_on=${wish}\n[program:b]\ncommand=x\n[group:g]\nprograms=w\n[program:w]\n` +
        'command=x\nnumprocs=2\nprocess_name=w%(process_num)d\n',
    ).errors[0] ?? '';
  const start = '4: [program:a] depends_on: ';
  const conditions = 'started, ready, healthy, completed, exited';
  assert.equal(
    reasonOf('b:helthy'),
    `${start}"helthy" is not a condition; the conditions are ${conditions} (did you mean healthy?)`,
  );
  assert.equal(reasonOf('b:up'), `${start}"up" is not a condition; the conditions are ${conditions}`);
  assert.equal(
    reasonOf('b:b:helthy'),
    `${start}"helthy" is not a condition; the conditions are ${conditions} (did you mean healthy?)`,
  );
  assert.equal(
    reasonOf('g:w3'),
    `${start}"w3" is neither a process of "g" nor a condition (${conditions}) (did you mean w0?)`,
  );
  assert.equal(
    reasonOf('g:redy'),
    `${start}"redy" is neither a process of "g" nor a condition (${conditions}) (did you mean ready?)`,
  );
  assert.equal(
    reasonOf('g:w1:redy'),
    `${start}"redy" is not a condition; the conditions are ${conditions} (did you mean ready?)`,
  );
  assert.equal(reasonOf('c:ready'), `${start}there is no program, group or process named "c" (did you mean a?)`);
  assert.equal(reasonOf('c:redy'), `${start}there is no program, group or process named "c:redy"`);
  assert.equal(reasonOf(':ready'), `${start}there is no program, group or process named ":ready"`);
  const plugin = problemsOf(
    '[program:a]\ncommand=x\ndependent_startup=true\ndependent_startup_wait_for=b:runing\n[program:b]\ncommand=x\n',
  );
  assert.deepEqual(plugin, {
    errors: [],
    warnings: [
      `5: [program:a] dependent_startup_wait_for: "runing" is not a condition; the conditions are ${conditions}, ` +
        'fatal, backoff, stopped (did you mean running?); this dependency is ignored',
    ],
  });
});

test('the error of an invalid limit mentions unlimited', () => {
  for (const value of ['unlimted', '-2', '1:many', '1.5']) {
    const word = value.split(':').at(-1) ?? '';
    assert.deepEqual(problemsOf(`[program:p]\ncommand=x\nrlimit_core=${value}\n`).errors, [
      `4: [program:p] rlimit_core: "${word}" is not a limit: unlimited, or a whole number of 0 or more, ` +
        'for example 1024 or 50MB',
    ]);
  }
});

test('exit_on_failure with endless restarts causes a warning', () => {
  const text = (options: string): string => `[program:p]\ncommand=x\nexit_on_failure=true\n${options}`;
  const warning = (autorestart: string): string =>
    '4: [program:p] exit_on_failure: has no effect on a program that ends: with startsecs=0 and ' +
    `autorestart=${autorestart} it is restarted for ever; set max_restarts=5, or startsecs=1, or ` +
    'autorestart=false';
  assert.deepEqual(problemsOf(text('startsecs=0\n')), { errors: [], warnings: [warning('unexpected')] });
  assert.deepEqual(problemsOf(text('startsecs=0\nautorestart=true\n')), { errors: [], warnings: [warning('true')] });
  const start = '4: [program:p] exit_on_failure: has no effect on a program that ends: with startretries=-1 and';
  for (const [options, rest] of [
    [
      '',
      'autorestart=unexpected it is restarted for ever; set max_restarts=5, or startretries=3, or autorestart=false',
    ],
    ['startsecs=0\n', 'autorestart=unexpected it is restarted for ever; set max_restarts=5, or autorestart=false'],
    ['oneshot=true\n', 'oneshot=true it is restarted for ever; set max_restarts=5, or startretries=3'],
  ] as const)
    assert.deepEqual(problemsOf(text(`startretries=-1\n${options}`)), { errors: [], warnings: [`${start} ${rest}`] });
  for (const options of [
    '',
    'startsecs=0\nautorestart=false\n',
    'startsecs=0\nmax_restarts=5\n',
    'startretries=-1\nmax_restarts=5\n',
    'startretries=-1\nautorestart=false\n',
    'startretries=-1\ncron=* * * * *\n',
    'startsecs=0\noneshot=true\n',
  ])
    assert.deepEqual(problemsOf(text(options)), SILENT);
  assert.deepEqual(problemsOf(text('startsecs=0\n').replace('exit_on_failure=true', 'exit_on_failure=false')), SILENT);
});
