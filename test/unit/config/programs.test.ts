import type { Scale } from '../../../src/config/find-files.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeReading } from '../../../src/config/effective.ts';
import { noFlags } from '../../../src/config/flags.ts';
import type { ProcessConfig } from '../../../src/config/model.ts';
import { sectionKinds } from '../../../src/config/options.ts';
import { configOf, printed, read as readAll, readText } from './memory-source.ts';

const HEAD = '[supervisord]\n';
const processesOf = (text: string, settings = {}): ProcessConfig[] =>
  configOf(readText(HEAD + text, {}, settings)).groups.flatMap(({ processes }) => processes);
const only = (text: string, settings = {}): ProcessConfig => {
  const [first, ...rest] = processesOf(text, settings);
  if (first === undefined || rest.length > 0) throw new Error('expected one process');
  return first;
};
const errorsOf = (text: string): string[] =>
  printed(readText(HEAD + text).errors).map((line) => line.replace('/etc/supervisord.conf:', ''));
const warningsOf = (text: string): string[] =>
  printed(readText(HEAD + text).warnings).map((line) => line.replace('/etc/supervisord.conf:', ''));

test('a program with only a command has the defaults of Supervisor', () => {
  const { options, argv, name, group, number, type, place } = only('[program:web]\ncommand=/bin/cat "a b"\n');
  assert.deepEqual([name, group, number, type, argv, place.line], ['web', 'web', 0, 'program', ['/bin/cat', 'a b'], 3]);
  assert.deepEqual(
    [
      options.autostart,
      options.autorestart,
      options.startsecs,
      options.startretries,
      options.stopsignal,
      options.stopwaitsecs,
      options.exitcodes,
      options.priority,
      options.umask,
      options.stdout_logfile,
      options.stdout_logfile_maxbytes,
      options.kill_orphans,
    ],
    [true, 'unexpected', 1, 3, [15], 10, [0], 999, null, [{ kind: 'auto' }], 52_428_800, 'never'],
  );
});

test('container mode changes only the defaults', () => {
  const unset = only('[program:web]\ncommand=x\n', { isContainer: true }).options;
  assert.deepEqual(
    [unset.stopwaitsecs, unset.stdout_logfile, unset.stderr_logfile],
    [8, [{ kind: 'container', fd: 1 }], [{ kind: 'container', fd: 2 }]],
  );
  const set = only('[program:web]\ncommand=x\nstopwaitsecs=10\nstdout_logfile=AUTO\nredirect_stderr=true\n', {
    isContainer: true,
  }).options;
  assert.deepEqual(
    [set.stopwaitsecs, set.stdout_logfile, set.stderr_logfile],
    [10, [{ kind: 'auto' }], [{ kind: 'none' }]],
  );
  const listener = only('[eventlistener:l]\ncommand=x\nevents=EVENT\n', { isContainer: true }).options;
  assert.deepEqual(listener.stdout_logfile, [{ kind: 'none' }]);
});

test('numprocs creates processes in the order of their names', () => {
  const text =
    '[program:w]\ncommand=x --port=80%(process_num)02d of %(numprocs)d\n' +
    'process_name=%(program_name)s_%(process_num)d\nnumprocs=3\nnumprocs_start=9\n';
  assert.deepEqual(
    processesOf(text).map(({ name, number, argv }) => [name, number, argv.slice(1).join(' ')]),
    [
      ['w_10', 10, '--port=8010 of 3'],
      ['w_11', 11, '--port=8011 of 3'],
      ['w_9', 9, '--port=8009 of 3'],
    ],
  );
});

test('the processes of a group are in the order of `programs`, in which Supervisor starts them', () => {
  const text =
    '[program:b]\ncommand=x\n[program:a]\ncommand=x\n[program:first]\ncommand=x\npriority=1\n[group:g]\n' +
    'programs=b,a,first\n';
  assert.deepEqual(
    processesOf(text).map(({ name }) => name),
    ['first', 'b', 'a'],
  );
});

test('numprocs below 1 creates no process, and the options are still validated', () => {
  assert.deepEqual(processesOf('[program:w]\ncommand=x\nnumprocs=0\n'), []);
  assert.match(warningsOf('[program:w]\ncommand=x\nnumprocs=0\n')[0] ?? '', /^4: \[program:w\] numprocs: is below 1/);
  assert.match(
    errorsOf('[program:w]\ncommand=x\nnumprocs=0\nautostart=x\n')[0] ?? '',
    /^5: \[program:w\] autostart: "x" is not true or false/,
  );
});

test("the program's own environment is available in its other options, that of [supervisord] everywhere", () => {
  const text =
    'environment=G="g"\n[program:w]\nenvironment=D="/srv/%(ENV_G)s",N="%(process_num)d"\n' +
    'command=%(ENV_D)s/run\ndirectory=%(ENV_D)s\n';
  const { argv, options } = only(text);
  assert.deepEqual(
    [argv, options.directory, Object.fromEntries(options.environment)],
    [['/srv/g/run'], '/srv/g', { G: 'g', D: '/srv/g', N: '0' }],
  );
});

test('compat: names can be expanded only where Supervisor can expand them', () => {
  for (const [option, value] of [
    ['priority', '%(program_name)s'],
    ['autostart', '%(process_num)d'],
    ['user', '%(numprocs)d'],
  ]) {
    assert.match(
      errorsOf(`[program:w]\ncommand=x\n${option}=${value}\n`)[0] ?? '',
      /is not a name that can be expanded here/,
    );
  }
  assert.deepEqual(errorsOf('[program:w]\ncommand=%(host_node_name)s %(group_name)s %(here)s\n'), []);
  assert.match(errorsOf('identifier=%(host_node_name)s\n')[0] ?? '', /host_node_name/);
});

const refused: ReadonlyArray<readonly [string, RegExp]> = [
  ['[program:w]\n', /^2: \[program:w\] command: is missing; add it, for example command=\/bin\/cat$/],
  ['[program:a b]\ncommand=x\n', /^2: \[program:a b\]: the name must not contain " "$/],
  ['[program:a:b]\ncommand=x\n', /must not contain ":"/],
  ['[group:a/b]\n', /must not contain "\/"/],
  ['[program:]\ncommand=x\n', /the name is missing after the colon/],
  ['[program:w]\ncommand=x\nprocess_name=a b\n', /^4: \[program:w\] process_name: the name must not contain " "/],
  ['[program:w]\ncommand=x\nnumprocs=2\n', /process_name: must contain %\(process_num\) when numprocs is above 1/],
  [
    '[program:w]\ncommand=x\nnumprocs=999999999\nprocess_name=%(process_num)d\n',
    /^4: \[program:w\] numprocs: is above the limit of 32768/,
  ],
  [
    `[program:w]\ncommand=x\nnumprocs=3000\nprocess_name=%(process_num)d\nenvironment=A="${'x'.repeat(6000)}"\n`,
    /^4: \[program:w\] numprocs: the values of all processes together are longer than 16 million characters; /,
  ],
  [
    `[program:w]\ncommand=x\nnumprocs=99\nprocess_name=%(process_num)d\ndirectory=%(here)s${'/x'.repeat(99_999)}\n`,
    /^4: \[program:w\] numprocs: the values of all processes together are longer than 16 million characters; /,
  ],
  [
    Array.from({ length: 20 }, (_, i) => `[program:w${i}]\ncommand=x %(here)s${'/x'.repeat(480_000)}\n`).join(''),
    /\[program:w18\] command: the values of all processes together are longer than 16 million characters; lower/,
  ],
  [
    '[program:w]\ncommand=x\nstopasgroup=true\nkillasgroup=false\n',
    /^5: \[program:w\] killasgroup: cannot be false while stopasgroup is true/,
  ],
  ['[program:w]\ncommand=x\nuser=nobody\n', /user: "nobody" is not a user of this system/],
  [
    '[program:w]\ncommand=x\nstdout_logfile=/nope/x.log\n',
    /stdout_logfile: the directory \/nope of \/nope\/x.log does not exist/,
  ],
  [
    '[program:w]\ncommand=x\nenvironment=A=%(ENV_NOPE)s\n',
    /^4: \[program:w\] environment: cannot expand the value: the environment variable NOPE is not set/,
  ],
  [
    '[program:w]\ncommand=x\nstartsecs=-1.5\n',
    /startsecs: "-1\.5" is not a duration: a number of seconds, or with units: 500ms, /,
  ],
  ['[eventlistener:l]\ncommand=x\n', /events: is missing; add it, for example events=PROCESS_STATE/],
  ['[eventlistener:l]\ncommand=x\nevents=\n', /events: is empty/],
  [
    '[eventlistener:l]\ncommand=x\nevents=PROCES_STATE\n',
    /there is no event named "PROCES_STATE" \(did you mean PROCESS_STATE\?\)/,
  ],
  [
    '[eventlistener:l]\ncommand=x\nevents=EVENT\nredirect_stderr=true\n',
    /redirect_stderr: cannot be true for an event listener/,
  ],
  ['[eventlistener:l]\ncommand=x\nevents=EVENT\ntty=true\n', /tty: cannot be true for an event listener/],
  ['[program:w]\ncommand=x\ntty_size=80\n', /tty_size: "80" is not a size as COLUMNSxROWS, for example 80x24/],
  [
    '[eventlistener:l]\ncommand=x\nevents=EVENT\nbuffer_size=0\n',
    /buffer_size: "0" is not a whole number of 1 or more/,
  ],
  ['[fcgi-program:f]\ncommand=x\n', /socket: is missing/],
  [
    '[fcgi-program:f]\ncommand=x\nsocket=tcp://h:1\nsocket_mode=0700\n',
    /^5: \[fcgi-program:f\] socket_mode: is for unix sockets only/,
  ],
  ['[fcgi-program:f]\ncommand=x\nsocket=tcp://h:1\nsocket_owner=app\n', /socket_owner: is for unix sockets only/],
  [
    '[group:g]\nprograms=nope\n[program:none]\ncommand=x\n',
    /^3: \[group:g\] programs: there is no program named "nope" \(did you mean none\?\)/,
  ],
  ['[group:g]\nprograms=a,\n[program:a]\ncommand=x\n', /a name is empty; remove the extra comma/],
  [
    '[group:g]\nprograms=a\n[program:a]\ncommand=x\n[fcgi-program:a]\ncommand=x\nsocket=tcp://h:1\n',
    /"a" is both a program and a fcgi-program/,
  ],
];
for (const [text, expected] of refused)
  test(`refused: ${JSON.stringify(text.slice(0, 200))}`, () => assert.match(errorsOf(text)[0] ?? '', expected));

test('a process name with bytes that are not UTF-8 is an error that names the option', () => {
  const text = `${HEAD}[program:web]\ncommand=x\nprocess_name=web_%(ENV_X)s\n`;
  const [error = ''] = printed(readText(text, { env: { X: 'caf\udce9' } }).errors);
  assert.match(error, /supervisord\.conf:4: .*process_name.*has bytes that are not UTF-8; a name must be text/);
});

test('every problem is reported once, whatever numprocs is', () => {
  const text =
    '[program:w]\ncommand=%(x)s\nprocess_name=%(process_num)d\nnumprocs=3\nautostart=maybe\nstopsignal=FOO\n' +
    '[program:v]\n';
  assert.deepEqual(
    errorsOf(text).map((line) => line.split(':')[0]),
    ['3', '6', '7', '8'],
  );
});

const warned: ReadonlyArray<readonly [string, RegExp]> = [
  [
    '[program:w]\ncommand=x\nautosart=true\n',
    /^4: \[program:w\] autosart: there is no such option here, it is ignored \(did you mean autostart\?\)/,
  ],
  [
    '[group:g]\nstopwaitsecs=5\n',
    /^3: \[group:g\] stopwaitsecs: there is no such option here, it is ignored; \[program:x\] has it/,
  ],
  [
    '[program:w]\ncommand=x "\n',
    /^3: \[program:w\] command: cannot be split into words, so the program cannot be started: No closing quotation/,
  ],
  ['[program:w]\ncommand=\n', /command: is empty, so the program cannot be started/],
  [
    '[program:w]\ncommand=x %s\n',
    /command: a "%" and a letter without a name in parentheses expands to all names at once/,
  ],
  ['[program:w]\ncommand=x\nstdout_logfile=syslog\n', /syslog as a file name is deprecated; use stdout_syslog=true/],
  ['[program:w]\ncommand=x\nstdout_logfile_maxbytes=0\n', /an automatic log that is never rotated can fill the disk/],
  [
    '[program:w]\ncommand=x\nredirect_stderr=true\nstderr_logfile=/e.log\n',
    /^5: \[program:w\] stderr_logfile: is ignored, because redirect_stderr is true/,
  ],
  [
    '[program:w]\ncommand=x\ntty=true\nstderr_logfile=/e.log\n',
    /^5: \[program:w\] stderr_logfile: is ignored, because tty is true/,
  ],
  [
    '[program:w]\ncommand=x\nmemory_high=20MB\nmemory_max=10MB\n',
    /^4: \[program:w\] memory_high: has no effect above memory_max/,
  ],
  [
    '[program:w]\ncommand=x\ntty=true\nredirect_stderr=false\n',
    /^5: \[program:w\] redirect_stderr: is ignored, because tty is true: a terminal has one output/,
  ],
  [
    '[eventlistener:l]\ncommand=x\nevents=EVENT\nresult_handler=a:b\n',
    /result_handler: "a:b" is Python and cannot be loaded; every result but FAIL is accepted/,
  ],
  [
    '[Program:w]\ncommand=x\n',
    /^2: \[Program:w\]: there is no such section, it is ignored \(did you mean program:w\?\)/,
  ],
  ['[suprvisorctl]\n', /did you mean supervisorctl\?/],
  [
    '[group:g]\nprograms=a,a\n[program:a]\ncommand=x\n',
    /two processes of \[group:g\] have the name "a"; the last one is kept/,
  ],
  ['[group:a]\n[program:a]\ncommand=x\npriority=1000\n', /a group "a" exists already, so this group is not run/],
];
for (const [text, expected] of warned) {
  test(`warned of: ${JSON.stringify(text)}`, () => {
    assert.deepEqual(errorsOf(text), []);
    assert.match(warningsOf(text)[0] ?? '', expected);
  });
}

test('compat: an invalid command line fails at the start of the program', () => {
  const { argv, commandError } = only('[program:w]\ncommand=x "\n');
  assert.deepEqual([argv, commandError], [[], `can't parse command 'x "': No closing quotation`]);
  const shown = JSON.parse(
    JSON.stringify(describeReading(readText(`${HEAD}[program:w]\ncommand=x "\n[program:v]\ncommand=\n`))),
  ) as { programs: Array<{ name: string; argv: unknown }> };
  assert.deepEqual(
    shown.programs.map((program) => [program.name, program.argv]),
    [
      ['v', []],
      ['w', null],
    ],
  );
});

test('compat: the log file name syslog', () => {
  const { options } = only('[program:w]\ncommand=x\nstderr_logfile=syslog\n');
  assert.deepEqual(
    [options.stderr_logfile, options.stderr_syslog, options.stdout_syslog],
    [[{ kind: 'none' }], true, false],
  );
});

test('values that are derived from other options', () => {
  const asGroup = only(
    'log_format=json\nsuccess_exit_codes=143\ncompress=true\n[program:w]\ncommand=x\nstopasgroup=true\n' +
      'serverurl= auto\ncron=@daily\nsuccess_exit_codes=3\n',
  ).options;
  assert.deepEqual(
    [
      asGroup.killasgroup,
      asGroup.kill_orphans,
      asGroup.serverurl,
      asGroup.autostart,
      asGroup.log_format,
      asGroup.success_exit_codes,
      asGroup.compress,
    ],
    [true, 'stop', null, false, 'json', [3, 143], true],
  );
  const own = only(
    'log_format=json\n[program:w]\ncommand=x\nstopasgroup=true\nkill_orphans=never\ncron=@daily\n' +
      'autostart=true\nlog_format=raw\n',
  ).options;
  assert.deepEqual([own.kill_orphans, own.autostart, own.log_format], ['never', true, 'raw']);
});

test('tail_bytes: a program takes it from [supervisord], and sizes are limited', () => {
  assert.equal(only('[program:w]\ncommand=x\n').options.tail_bytes, 65_536);
  assert.equal(only('tail_bytes=1MB\n[program:w]\ncommand=x\n').options.tail_bytes, 1_048_576);
  assert.equal(only('tail_bytes=1MB\n[program:w]\ncommand=x\ntail_bytes=0\n').options.tail_bytes, 0);
  for (const size of ['-1', '17MB', '1GB', 'x'])
    assert.match(
      errorsOf(`[program:w]\ncommand=x\ntail_bytes=${size}\n`)[0] ?? '',
      /tail_bytes: "[^"]+" is not a size from 0 to 16MB: a whole number of bytes, or a number with KB or MB/,
    );
});

test('a name belongs to one row of a table, also as an alias', () => {
  for (const { title, tables } of sectionKinds) {
    const names = tables.flatMap((table) => Object.entries(table).flatMap(([name, { aliases }]) => [name, ...aliases]));
    assert.deepEqual(names.toSorted(), [...new Set(names)].toSorted(), title);
  }
});

test('aliases of an option have the same effect', () => {
  for (const name of ['environment_file', 'env_file', 'envfile', 'envFiles'])
    assert.deepEqual(only(`[program:w]\ncommand=x\n${name}=/a\n`).options.environment_file, [
      { path: '/a', isOptional: false },
    ]);
});

test('sections override [program-default] and [DEFAULT]; listeners have only [DEFAULT]', () => {
  const text =
    '[program-default]\nstartsecs=5\nredirect_stderr=true\n[DEFAULT]\nstartsecs=7\nstartretries=8\n' +
    '[program:w]\ncommand=x\n[eventlistener:l]\ncommand=x\nevents=EVENT\n';
  const [listener, program] = processesOf(text);
  assert.deepEqual(
    [program?.options.startsecs, program?.options.startretries, program?.options.redirect_stderr],
    [5, 8, true],
  );
  assert.deepEqual(
    [listener?.options.startsecs, listener?.options.startretries, listener?.options.redirect_stderr],
    [7, 8, false],
  );
});

test('groups: sorted by priority, then name; a program in a group has no group of its own', () => {
  const text =
    '[group:g]\nprograms=b, a\npriority=5\n[program:a]\ncommand=x\n[program:b]\ncommand=x\npriority=1\n' +
    '[program:z]\ncommand=x\npriority=5\n[eventlistener:l]\ncommand=x\nevents=tick_5,EVENT\n[eventlistener:k]\n' +
    'command=x\nevents=EVENT\npriority=9\n[fcgi-program:f]\ncommand=x\nsocket=unix:///run/%(program_name)s\n' +
    'priority=7\n';
  const { groups } = configOf(readText(HEAD + text));
  assert.deepEqual(
    groups.map(({ name, priority, type }) => [name, priority, type]),
    [
      ['l', -1, 'eventlistener'],
      ['g', 5, 'program'],
      ['z', 5, 'program'],
      ['f', 7, 'fcgi-program'],
      ['k', 9, 'eventlistener'],
    ],
  );
  assert.deepEqual(
    groups[1]?.processes.map(({ name, group }) => `${group}:${name}`),
    ['g:b', 'g:a'],
  );
  assert.deepEqual(
    [groups[0]?.processes[0]?.options.events, groups[3]?.processes[0]?.options.socket],
    [['TICK_5', 'EVENT'], { kind: 'unix', path: '/run/f' }],
  );
});

test('compat: a FastCGI program in a group may have a socket or not', () => {
  const [a, b] = processesOf(
    '[group:g]\nprograms=a,b\n[fcgi-program:a]\ncommand=x\n[fcgi-program:b]\ncommand=x\nsocket=tcp://h:1\n',
  );
  assert.deepEqual(
    [a?.type, a?.options.socket, b?.options.socket],
    ['fcgi-program', undefined, { kind: 'tcp', host: 'h', port: 1 }],
  );
});

test('compat: of processes with one name in a group, the last one has the place of the first', () => {
  const numbered = (name: string, count: number): string =>
    `[program:${name}]\ncommand=${name}\nnumprocs=${count}\nprocess_name=%(process_num)d\n`;
  const processes = processesOf(`[group:g]\nprograms=b,a\n${numbered('a', 1)}${numbered('b', 2)}`);
  assert.deepEqual(
    processes.map(({ name, program }) => [name, program]),
    [
      ['0', 'a'],
      ['1', 'b'],
    ],
  );
  const [again] = processesOf(`[group:g]\nprograms=b,a,b\n${numbered('a', 1)}${numbered('b', 1)}`);
  assert.equal(again?.program, 'b');
});

test('supervisor-stdout is built in: its listener is removed, and the output is echoed', () => {
  const text =
    '[eventlistener:stdout]\ncommand=supervisor_stdout\nevents=PROCESS_LOG\n' +
    'result_handler=supervisor_stdout:event_handler\n[program:w]\ncommand=x\nstdout_events_enabled=true\n';
  const config = configOf(readText(HEAD + text));
  assert.deepEqual(
    [config.groups.map(({ name }) => name), config.setAside.map(({ name }) => name)],
    [['w'], ['stdout']],
  );
  assert.deepEqual(config.groups[0]?.processes[0]?.echoed, ['stdout']);
  const off = configOf(readText(`${HEAD}${text.replace('events=PROCESS_LOG', 'events=PROCESS_LOG\nautostart=false')}`));
  assert.deepEqual(off.groups[0]?.processes[0]?.echoed, []);
});

test('a renamed copy of supervisor-stdout is recognized by its events, and echoes the subscribed streams', () => {
  const text = (events: string): string =>
    `[eventlistener:out]\ncommand=python3 /opt/mine.py\nevents=${events}\nresult_handler=mine:handle\n` +
    '[program:w]\ncommand=x\nstdout_events_enabled=true\nstderr_events_enabled=true\n';
  const both = readText(HEAD + text('PROCESS_LOG'));
  assert.deepEqual(
    configOf(both).setAside.map(({ name }) => name),
    ['out'],
  );
  assert.deepEqual(configOf(both).groups[0]?.processes[0]?.echoed, ['stdout', 'stderr']);
  assert.match(
    printed(both.warnings)[0] ?? '',
    new RegExp(
      String.raw`"mine:handle" is Python .* built in: the output is written with ` +
        String.raw`the name of the program .* to start it, remove result_handler`,
    ),
  );
  assert.deepEqual(configOf(readText(HEAD + text('PROCESS_LOG_STDERR'))).groups[0]?.processes[0]?.echoed, ['stderr']);
  assert.deepEqual(configOf(readText(HEAD + text('PROCESS_LOG,TICK_5'))).setAside, []);
});

test('dependencies: names of programs, groups and processes; default conditions', () => {
  const text =
    '[program:db]\ncommand=x\nhealthcheck=tcp://localhost:1\nnumprocs=2\nprocess_name=db%(process_num)d\n' +
    '[group:g]\nprograms=m\n[program:m]\ncommand=x\n[program:web]\ncommand=x\ndepends_on=db, g:completed, ' +
    'g:m:ready, db:db1:started, g:*\n';
  const web = configOf(readText(HEAD + text))
    .groups.flatMap(({ processes }) => processes)
    .find(({ name }) => name === 'web');
  assert.deepEqual(
    web?.dependsOn.map(({ group, process: proc, conditions }) => `${group}:${proc} ${conditions.join(' or ')}`),
    ['db:db0 healthy', 'db:db1 healthy', 'g:m completed', 'g:m ready', 'db:db1 started', 'g:m started'],
  );
});

test('dependencies: unknown names, self-reference and cycles are errors', () => {
  assert.match(
    errorsOf('[program:a]\ncommand=x\ndepends_on=bb\n[program:b]\ncommand=x\n')[0] ?? '',
    /^4: \[program:a\] depends_on: there is no program, group or process named "bb" \(did you mean b\?\)/,
  );
  assert.match(errorsOf('[program:a]\ncommand=x\ndepends_on=a\n')[0] ?? '', /"a" is this program itself/);
  const cycle =
    '[program:a]\ncommand=x\ndepends_on=b\n[program:b]\ncommand=x\ndepends_on=c\n[group:g]\nprograms=c\n' +
    '[program:c]\ncommand=x\ndepends_on=a\n[program:d]\ncommand=x\ndepends_on=a\n';
  assert.deepEqual(
    errorsOf(cycle).map((line) => line.split('reason')[0]),
    ['4: [program:a] depends_on: the programs wait for each other: a → b → g:c → a'],
  );
  assert.deepEqual(
    errorsOf('[program:a]\ncommand=x\n[program:b]\ncommand=x\ndepends_on=a\n[program:c]\ncommand=x\ndepends_on=a,b\n'),
    [],
  );
});

test(
  'dependencies: what can never become healthy is an error, what never completes a warning; nothing is waited ' +
    'for twice',
  () => {
    assert.match(
      errorsOf('[program:a]\ncommand=x\ndepends_on=b:healthy\n[program:b]\ncommand=x\n')[0] ?? '',
      new RegExp(
        String.raw`^4: \[program:a\] depends_on: "b" cannot become healthy: program:b ` +
          String.raw`has no healthcheck; add one, or use started, ready or completed`,
      ),
    );
    assert.match(
      warningsOf('[program:a]\ncommand=x\ndepends_on=b:completed\n[program:b]\ncommand=x\nautorestart=true\n')[0] ?? '',
      /"b" is started again whenever it ends \(autorestart=true\), so it is never completed; set oneshot=true for it/,
    );
    assert.match(
      warningsOf('[program:a]\ncommand=x\ndepends_on=b:exited\n[program:b]\ncommand=x\nautorestart=true\n')[0] ?? '',
      /so it is never completed/,
    );
    assert.match(
      errorsOf('[program:a]\ncommand=x\ndepends_on=b:fatal\n[program:b]\ncommand=x\n')[0] ?? '',
      /"fatal" is not a condition; the conditions are started, ready, healthy, completed, exited/,
    );
    assert.match(
      errorsOf(
        '[program:a]\ncommand=x\ndepends_on=g:exitd\n[group:g]\nprograms=b,c\n[program:b]\ncommand=x\n' +
          '[program:c]\ncommand=x\n',
      )[0] ?? '',
      /"exitd" is neither a process of "g" nor a condition .*did you mean exited\?/,
    );
    assert.match(
      warningsOf(
        '[program:a]\ncommand=x\ndependent_startup=true\ndependent_startup_wait_for=b:fatl\n[program:b]\ncommand=x\n',
      )[0] ?? '',
      /backoff, stopped \(did you mean fatal\?\); this dependency is ignored/,
    );
    assert.deepEqual(
      warningsOf(
        '[program:a]\ncommand=x\ndepends_on=b:completed\n[program:b]\ncommand=x\nautorestart=true\noneshot=true\n',
      ),
      [],
    );
    assert.equal(
      processesOf('[program:a]\ncommand=x\ndepends_on=b, b:started\n[program:b]\ncommand=x\n')[0]?.dependsOn.length,
      1,
    );
  },
);

test('supervisord_dependent_startup is built in: its listener is removed, whatever its name', () => {
  for (const command of [
    'supervisord-dependent-startup',
    'python3 -m supervisord_dependent_startup --log-level warn',
    '/usr/local/bin/supervisord-dependent-startup',
  ]) {
    const reading = readText(
      `${HEAD}[eventlistener:order]\ncommand=${command}\nevents=PROCESS_STATE\n[program:w]\ncommand=x\n` +
        'dependent_startup=true\n',
    );
    assert.deepEqual(
      [configOf(reading).groups.map(({ name }) => name), configOf(reading).setAside.map(({ name }) => name)],
      [['w'], ['order']],
    );
    assert.match(printed(reading.warnings)[0] ?? '', /the work of supervisord_dependent_startup is built in/);
  }
});

test('dependencies of the plug-in count if the plug-in is enabled, and an unknown name is a warning', () => {
  const text = (on: string): string =>
    `[program:a]\ncommand=x\ndependent_startup=${on}\ndependent_startup_wait_for=b:exited nope:running\n` +
    '[program:b]\ncommand=x\n';
  assert.deepEqual(processesOf(text('true'))[0]?.dependsOn, [
    { group: 'b', process: 'b', conditions: ['exited'], isFollowed: false },
  ]);
  assert.match(warningsOf(text('true'))[0] ?? '', /"nope"; this dependency is ignored/);
  assert.deepEqual(processesOf(text('false'))[0]?.dependsOn, []);
});

test('forwarded signals must name programs', () => {
  assert.match(
    errorsOf('forward_signals=USR1:wbe\n[program:web]\ncommand=x\n')[0] ?? '',
    /^2: \[supervisord\] forward_signals: there is no program, group or process named "wbe" \(did you mean web\?\)/,
  );
  assert.deepEqual(errorsOf('forward_signals=USR1:web=KILL\n[program:web]\ncommand=x\n'), []);
});

test('a signal that the supervisor cannot get is not forwarded', () => {
  for (const name of ['KILL', 'CHLD'])
    assert.match(
      errorsOf(`forward_signals=${name}:web=USR1\n[program:web]\ncommand=x\n`)[0] ?? '',
      new RegExp(`^2: \\[supervisord\\] forward_signals: "${name}" is not a signal that the supervisor can handle`),
    );
});

test('an unknown capability is answered with the one that was meant, or with an example', () => {
  for (const [word, hint] of [
    ['net_bind', /"net_bind" is not the name of a capability \(did you mean net_bind_service\?\)/],
    ['cap_net_rw', /\(did you mean net_raw\?\)/],
    ['net', /"net" is not the name of a capability, for example net_bind_service; see capabilities\(7\)/],
  ] as const)
    assert.match(errorsOf(`[program:web]\ncommand=x\ncapabilities=drop-all,+${word}\n`)[0] ?? '', hint);
});

test('a scaled program has another number of processes while numprocs stays', () => {
  const text = (numprocs: number): string => `${HEAD}[program:w]
command=/bin/w %(process_num)s %(numprocs)s
process_name=w%(process_num)s
numprocs=${numprocs}
`;
  const namesOf = (numprocs: number, scales: ReadonlyMap<string, Scale>): Array<readonly [string, number | null]> =>
    (configOf(readText(text(numprocs), {}, { scales })).groups[0]?.processes ?? []).map(
      ({ argv, scaledFrom }) => [argv.slice(1).join(' '), scaledFrom] as const,
    );
  const scales = new Map([['w', { count: 3, configured: 2 }]]);
  assert.deepEqual(namesOf(2, scales), [
    ['0 3', 2],
    ['1 3', 2],
    ['2 3', 2],
  ]);
  assert.deepEqual(namesOf(1, scales), [['0 1', null]], 'numprocs has changed');
  assert.deepEqual(namesOf(1, new Map([['other', { count: 3, configured: 1 }]])), [['0 1', null]]);
});

test('expand_file_variables is true, false or names, and [supervisord] has the default', () => {
  const ruleOf = (own: string, common = ''): unknown =>
    configOf(readText(`[supervisord]\n${common}\n[program:w]\ncommand=/bin/w\n${own}\n`)).groups[0]?.processes[0]
      ?.options.expand_file_variables;
  assert.equal(ruleOf(''), false);
  assert.equal(ruleOf('', 'expand_file_variables=yes'), true);
  assert.equal(ruleOf('expand_file_variables=off', 'expand_file_variables=true'), false);
  assert.deepEqual(ruleOf('expand_file_variables=DB_PASSWORD, API_* *'), ['DB_PASSWORD', 'API_*', '*']);
  const { errors } = readText('[supervisord]\n[program:w]\ncommand=/bin/w\nexpand_file_variables=A=b\n');
  assert.match(errors[0]?.reason ?? '', /"A=b" is no name of a variable; write names without _FILE/);
});

test('environment_pass has names and patterns, and needs environment_clear', () => {
  const read = (options: string): ReturnType<typeof readText> =>
    readText(`${HEAD}[program:w]\ncommand=/bin/w\n${options}\n`);
  const config = configOf(read('environment_clear=true\nenvironment_pass=PATH, LC_*'));
  assert.deepEqual(config.groups[0]?.processes[0]?.options.environment_pass, ['PATH', 'LC_*']);
  assert.match(
    read('environment_pass=PATH').errors[0]?.reason ?? '',
    /needs environment_clear=true; without it, the program inherits all variables/,
  );
});

test('watched files are absolute patterns, and a signal needs them', () => {
  const read = (options: string): ReturnType<typeof readText> =>
    readText(`${HEAD}[program:w]\ncommand=/bin/w\n${options}\n`);
  const { restart_on_change: patterns, signal_on_change: signal } =
    configOf(read('restart_on_change=/app/**/*.py, /etc//web.conf\nsignal_on_change=HUP')).groups[0]?.processes[0]
      ?.options ?? {};
  assert.deepEqual([patterns, signal], [['/app/**/*.py', '/etc/web.conf'], 1]);
  assert.match(read('signal_on_change=HUP').errors[0]?.reason ?? '', /needs restart_on_change, which names the files/);
  assert.match(read('restart_on_change=/a/*.{js}').errors[0]?.reason ?? '', /"\/a\/\*\.{js}" has braces/);
});

test('watch_config names its files, and says that it has none', () => {
  const files = {
    '/etc/s[1].conf': '[supervisord]\nwatch_config=true\n[include]\nfiles=conf.d/*.conf\n',
    '/app/Procfile': 'web: /bin/w\n',
  };
  const env = { ONEVISOR_PROCFILE: '/app/Procfile' };
  assert.deepEqual(configOf(readAll({ files, env }, { flags: { ...noFlags, file: '/etc/s[1].conf' } })).sources, [
    '/etc/s[[]1].conf',
    '/etc/conf.d/*.conf',
    '/app/Procfile',
    '/app/.env',
  ]);
  const { warnings } = readAll({ env: { ONEVISOR_SUPERVISORD__WATCH_CONFIG: 'true', ONEVISOR_PROGRAM_W: '/bin/w' } });
  assert.match(printed(warnings).join(), /watch_config: has no effect, because no file is read/);
});

test('a health check has statuses, and a port of each process', () => {
  const read = (options: string): ReturnType<typeof readText> =>
    readText(`${HEAD}[program:w]\ncommand=/bin/w\nnumprocs=2\nprocess_name=%(process_num)d\n${options}\n`);
  const [, second] =
    configOf(read('healthcheck=http://localhost:80%(process_num)02d/%(process_num)d\nhealthcheck_expect=200-299, 401'))
      .groups[0]?.processes ?? [];
  assert.equal(second?.options.healthcheck?.kind === 'http' && second.options.healthcheck.port, 8001);
  assert.deepEqual(second?.options.healthcheck_expect, [
    { first: 200, last: 299 },
    { first: 401, last: 401 },
  ]);
  const { warnings } = read('healthcheck=tcp://localhost:80\nhealthcheck_expect=200\nhealthcheck_body=ok');
  assert.deepEqual(
    warnings.map(({ option, reason }) => `${option} ${reason}`),
    ['healthcheck_expect', 'healthcheck_body'].map(
      (name) => `${name} has an effect on checks with http:// or https:// only`,
    ),
  );
  for (const wrong of ['99', '600', '299-200', '2xx', '', '200-'])
    assert.match(
      read(`healthcheck=http://localhost/\nhealthcheck_expect=${wrong}`).errors[0]?.reason ?? '',
      /statuses, for example 200-299,401/,
      wrong,
    );
});
