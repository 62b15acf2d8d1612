import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  applyLiveSettings,
  diffConfigs,
  diffSettings,
  type GroupUpdate,
  isExecutionChanged,
  planGroupUpdate,
} from '../../../src/config/diff.ts';
import { describeReading, formatConfig, formatProblems } from '../../../src/config/effective.ts';
import type { Config, GroupConfig, ProcessConfig } from '../../../src/config/model.ts';
import { sectionKinds } from '../../../src/config/options.ts';
import { formatOptionReference, formatSample } from '../../../src/config/reference.ts';
import { openSource } from '../../../src/config/source.ts';
import { runCheck } from '../../../src/programs/check.ts';
import { runEchoConf } from '../../../src/programs/echo-conf.ts';
import { configOf, printed, readText } from './memory-source.ts';

const HEAD = '[supervisord]\n';
const root = { name: 'root', uid: 0, gid: 0, home: '/root', shell: '/bin/sh' };
const app = { name: 'app', uid: 1000, gid: 1000, home: '/home/app', shell: '/bin/sh' };
const accounts = {
  userByName: (name: string) => (name === 'app' ? app : null),
  userById: (uid: number) => (uid === 0 ? root : null),
  groupByName: () => null,
  groupById: () => null,
};
const config = (text: string): Config => configOf(readText(HEAD + text));
const first = (text: string): ProcessConfig => {
  const proc = config(text).groups[0]?.processes[0];
  if (proc === undefined) throw new Error('no process');
  return proc;
};

test('diff: added, removed and changed groups; moved lines change nothing', () => {
  const before = config(
    '[program:a]\ncommand=x\n[program:b]\ncommand=x\n[program:c]\ncommand=x\n[group:g]\nprograms=m\n' +
      '[program:m]\ncommand=x\n',
  );
  const after = config(
    '\n\n[program:c]\ncommand=x\n[program:b]\ncommand=y\n[program:d]\ncommand=x\n[group:g]\nprograms=m\n' +
      'priority=3\n[program:m]\ncommand=x\n',
  );
  assert.deepEqual(diffConfigs(before, after), { added: ['d'], removed: ['a'], changed: ['g', 'b'] });
  assert.deepEqual(diffConfigs(before, before), { added: [], removed: [], changed: [] });
});

test('diff: settings of the supervisor itself', () => {
  const read = (settings: string): Config => configOf(readText(`[supervisord]\n${settings}`));
  const before = read('loglevel=info\numask=022\n');
  const after = read(
    'loglevel=debug\numask=027\nenvironment=A=1\nflapping_window=5\nexpand_file_variables=A\nstop_budget=20\n' +
      '[inet_http_server]\nport=127.0.0.1:9001\n',
  );
  assert.deepEqual(diffSettings(before, before), { live: [], pending: [] });
  assert.deepEqual(diffSettings(before, after), {
    live: ['loglevel', 'flapping_window', 'stop_budget'],
    pending: ['umask', '[inet_http_server]'],
  });
  const applied = applyLiveSettings(before, after);
  assert.deepEqual(diffSettings(applied, after), { live: [], pending: ['umask', '[inet_http_server]'] });
  assert.deepEqual([applied.supervisord.umask, applied.stopBudget, applied.groups], [0o022, 20, before.groups]);
  assert.deepEqual(applied.supervisord.environment, new Map([['A', '1']]));
});

test('diff: only options that a start depends on need a restart', () => {
  const base = first('[program:a]\ncommand=x\n');
  for (const line of [
    'autorestart=false',
    'stopwaitsecs=3',
    'log_prefix=x',
    'priority=3',
    'healthcheck=true',
    'numprocs_start=0',
  ])
    assert.ok(!isExecutionChanged(base, first(`[program:a]\ncommand=x\n${line}\n`)), line);
  for (const line of [
    'command=x y',
    'environment=A=1',
    'directory=/',
    'user=app',
    'umask=077',
    'stdout_logfile=/var/log/a',
    'rlimit_nofile=5',
    'redirect_stderr=true',
  ])
    assert.ok(isExecutionChanged(base, first(`[program:a]\ncommand=x\n${line}\n`)), line);
});

test('the effective configuration as JSON: values by name, secrets hidden', () => {
  const text =
    `${HEAD}environment=A="1"\n[inet_http_server]\nport=127.0.0.1:9001\nusername=u\npassword=geheim\n` +
    '[program:a]\ncommand=x "y z"\nstopsignal=QUIT\numask=022\nstdout_logfile=NONE\nrlimit_nofile=1:2\n' +
    '[eventlistener:l]\ncommand=x\nevents=EVENT\n';
  const shown = JSON.parse(JSON.stringify(describeReading(readText(text))));
  assert.deepEqual(
    [
      shown.ok,
      shown.errors,
      shown.supervisord.environment,
      shown.inet_http_servers[0].password,
      shown.inet_http_servers[0].port,
    ],
    [true, [], { A: '1' }, '***', '127.0.0.1:9001'],
  );
  assert.ok(!JSON.stringify(shown).includes('geheim'));
  const [l, a] = shown.programs;
  assert.deepEqual(
    [
      a.group,
      a.name,
      a.type,
      a.argv,
      a.command,
      a.stopsignal,
      a.umask,
      a.stdout_logfile,
      a.stderr_logfile,
      a.environment,
      a.rlimit_nofile,
      a.user,
    ],
    ['a', 'a', 'program', ['x', 'y z'], 'x "y z"', 'QUIT', 18, null, 'AUTO', { A: '1' }, '1:2', null],
  );
  assert.deepEqual([l.events, l.buffer_size], [['EVENT'], 10]);
  const failed = JSON.parse(JSON.stringify(describeReading(readText(`${HEAD}umask=9\nfoo=1\n`))));
  assert.deepEqual(
    [failed.ok, failed.errors[0].line, failed.errors[0].option, failed.warnings[0].option],
    [false, 2, 'umask', 'foo'],
  );
});

test('the effective configuration as text: only values that differ from the defaults', () => {
  const text =
    `${HEAD}umask=027\n[unix_http_server]\nfile=/run/s\n[inet_http_server]\nport=127.0.0.1:1\n[group:g]\n` +
    'programs=a\n[program:a]\ncommand=x\nstopwaitsecs=9\nstdout_logfile=NONE\nenvironment=A=1\nautostart=false\n' +
    'exitcodes=0,2\n[fcgi-program:f]\ncommand=x\nsocket=tcp://h:1\n[eventlistener:l]\ncommand=x\n' +
    'events=EVENT,TICK_5\n';
  assert.equal(
    formatConfig(configOf(readText(text)), false),
    [
      '; /etc/supervisord.conf: values in effect, without options at their default',
      '',
      '[supervisord]',
      'logfile=/home/me/supervisord.log',
      'pidfile=/home/me/supervisord.pid',
      'umask=027',
      '',
      '[unix_http_server]',
      'file=/run/s',
      '',
      '[inet_http_server]',
      'port=127.0.0.1:1',
      '',
      '[eventlistener:l]',
      'command=x',
      'events=EVENT,TICK_5',
      '',
      '[fcgi-program:f]',
      'command=x',
      'socket=tcp://h:1',
      '',
      '[program:g:a]',
      'command=x',
      'autostart=false',
      'exitcodes=0,2',
      'stopwaitsecs=9',
      'stdout_logfile=NONE',
      'environment=A="1"',
      '',
    ].join('\n'),
  );
  assert.match(
    formatConfig(configOf(readText(`${HEAD}[program:a]\ncommand=x\n`, {}, { isContainer: true })), true),
    /\[supervisord\]\n\n\[program:a\]\ncommand=x\n$/,
  );
  assert.match(formatConfig({ ...config(''), file: null }, false), /^; no file:/);
  assert.equal(
    formatProblems(readText(`${HEAD}umask=9\nfoo=1\n`)),
    '/etc/supervisord.conf:2: [supervisord] umask: "9" is not an octal number, for example 022\n' +
      '/etc/supervisord.conf:3: [supervisord] foo: warning: there is no such option here, it is ignored\n',
  );
});

const OF_SUPERVISOR: Readonly<Record<string, string>> = {
  unix_http_server: 'file chmod chown username password',
  inet_http_server: 'port username password',
  supervisord:
    'logfile logfile_maxbytes logfile_backups loglevel pidfile umask nodaemon silent minfds minprocs ' +
    'nocleanup childlogdir user directory strip_ansi environment identifier',
  supervisorctl: 'serverurl username password prompt history_file',
  'program:x':
    'command process_name numprocs numprocs_start priority autostart startsecs startretries autorestart ' +
    'exitcodes stopsignal stopwaitsecs stopasgroup killasgroup user redirect_stderr stdout_logfile ' +
    'stdout_logfile_maxbytes stdout_logfile_backups stdout_capture_maxbytes stdout_events_enabled ' +
    'stdout_syslog stderr_logfile stderr_logfile_maxbytes stderr_logfile_backups stderr_capture_maxbytes ' +
    'stderr_events_enabled stderr_syslog environment directory umask serverurl',
  'group:x': 'programs priority',
  'fcgi-program:x': 'socket socket_backlog socket_owner socket_mode',
  'eventlistener:x': 'buffer_size events result_handler',
  include: 'files',
  'rpcinterface:x': 'supervisor.rpcinterface_factory',
  'ctlplugin:x': 'supervisor.ctl_factory',
};

test('the table has every option of Supervisor 4.3, and marks the additions', () => {
  for (const [title, names] of Object.entries(OF_SUPERVISOR)) {
    const table = sectionKinds.find((kind) => kind.title === title)?.tables.at(-1) ?? {};
    assert.deepEqual(
      Object.keys(table)
        .filter((name) => table[name]?.isAddition === false)
        .sort(),
      names.split(' ').sort(),
      title,
    );
  }
});

test('every option has an explanation of one sentence', () => {
  for (const { tables } of sectionKinds)
    for (const table of tables)
      for (const [name, { doc }] of Object.entries(table)) assert.match(doc, /^[^.]*(\d\.\d[^.]*)?\.$/, name);
});

test('the reference has every option once, with its default', () => {
  const reference = formatOptionReference();
  const [, inet] = sectionKinds;
  for (const { tables } of sectionKinds)
    for (const name of Object.keys(tables.at(-1) ?? {})) assert.ok(reference.includes(`| \`${name}\``), name);
  assert.ok(inet !== undefined && reference.includes(`### [${inet.title}]`));
  assert.match(reference, /\| `stopwaitsecs` \| seconds \| 10; in a container 8 \|/);
  assert.match(reference, /\| `stdout_logfile` .* AUTO; in a container \/dev\/stdout, with a prefix \|/);
  assert.match(reference, /; in a container the console only/);
  assert.match(reference, /; in a container the same with a configuration file, otherwise none \|/);
  assert.match(reference, /`ONEVISOR_CONF_TEXT`/);
});

test('the sample is valid as it is, and with every option enabled', () => {
  const settings = { isStatic: true };
  const sample = readText(formatSample(), {}, settings);
  assert.deepEqual([printed(sample.errors), printed(sample.warnings)], [[], []]);
  const everything = formatSample()
    .replace(/^;(?=[[a-z])/gm, '')
    .replaceAll('db:healthy', 'thegroupname')
    .replaceAll('web,worker', 'theprogramname')
    .replaceAll('USR1:web', 'USR1:theprogramname')
    .replace(/^(depends_on|dependent_startup_wait_for|notification_fd|reload_signal|ready_log)=.*$/gm, '')
    // A [notify:x] has one way of delivery, and an [api_user:x] one password. Their own tests have the other options.
    .replace(/^(url|url_file|template|headers|header_file|ca_file|password_file)=.*$/gm, '')
    // A password goes over http only with peers_insecure. dashboard-section.test.ts has these options.
    .replace(/^peers_(username|password|password_file)=.*$/gm, '')
    .replace('killasgroup=false', 'killasgroup=true')
    .replace('loglevel=info', 'loglevel=debug');
  const full = readText(everything, { files: { '/etc/conf.d/x.conf': '' } }, settings);
  assert.deepEqual(printed(full.errors), []);
  assert.deepEqual(
    printed(full.warnings).filter((line) => !/is Python|syslog/.test(line)),
    [],
  );
});

test('check and echo-conf on real files', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'onevisor-check-'));
  try {
    const file = join(directory, 'a.conf');
    writeFileSync(file, `${HEAD}[program:a]\ncommand=x\nuser=app\n[include]\nfiles=*.ini nodir/*\n`);
    mkdirSync(join(directory, 'c.ini'));
    const run = async (args: string[], env = {}): Promise<{ code: number; out: string; err: string }> => {
      const written = { out: '', err: '' };
      const code = await runCheck(args, env, {
        users: { ...accounts, groupsOf: () => [] },
        executable: '/nonexistent/bin/onevisor',
        self: { pid: 7, parent: process.pid },
        out: (text) => (written.out += text),
        err: (text) => (written.err += text),
      });
      return { code, ...written };
    };
    const text = await run(['-c', file]);
    assert.equal(text.code, 0);
    assert.match(text.out, /\[program:a\]\ncommand=x\nuser=app\n/);
    assert.match(text.err, /c\.ini: it is a directory/);
    assert.match(text.err, /no file matches .*nodir\/\*/);
    const json = await run(['--json', '--static', '-c', file, '--', 'cat', '--json']);
    assert.deepEqual(
      [
        json.code,
        JSON.parse(json.out).programs.map(({ name, argv }: { name: string; argv: string[] }) => [name, argv]),
      ],
      [
        0,
        [
          ['a', ['x']],
          ['main', ['cat', '--json']],
        ],
      ],
    );
    const failed = await run(['--json', '-c', file], { ONEVISOR_NOPE: '1' });
    assert.deepEqual([failed.code, JSON.parse(failed.out).errors[0].file], [2, 'ONEVISOR_NOPE']);
    writeFileSync(join(directory, 'b.ini'), Buffer.from('[program:b]\ncommand=\xff\n', 'latin1'));
    assert.match((await run(['-c', file])).err, /a\.conf:6: \[include\] files: cannot read .*b\.ini: it is not UTF-8/);
    assert.deepEqual(
      [(await run(['-c', join(directory, 'nope')])).code, (await run(['-c', join(directory, 'nope')])).out],
      [2, ''],
    );
    assert.match((await run(['-c', `${file}/x`])).err, /a part of its path is not a directory/);
    assert.deepEqual(
      [(await run(['-x'])).code, (await run(['-x'])).err],
      [2, 'Error: option -x not recognized\nFor help, use onevisor check -h\n'],
    );
    assert.match(
      (await run(['-h'])).out,
      /^Usage: onevisor check \[--strict\] \[--static\] \[--format FORMAT\] \[OPTIONS\]/,
    );
    for (const args of [['--format', 'xml'], ['--format=xml'], ['--format']])
      assert.deepEqual(await run(args), {
        code: 2,
        out: '',
        err: 'Error: --format is one of text, json, github\nFor help, use onevisor check -h\n',
      });
    const memory = openSource({}, null).read('/proc/self/mem');
    assert.ok(!memory.ok && /it cannot be read \(E/.test(memory.reason));
    assert.ok(
      openSource({}, null).isDirectory(directory) &&
        openSource({}, null).isFile(file) &&
        !openSource({}, null).isFile(`${file}/x`),
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
  const echo = (args: string[]): [number, string, string] => {
    const written = { out: '', err: '' };
    const code = runEchoConf(args, {}, { out: (text) => (written.out += text), err: (text) => (written.err += text) });
    return [code, written.out, written.err];
  };
  assert.deepEqual(echo([]), [0, formatSample(), '']);
  assert.equal(echo(['-h'])[0], 0);
  assert.deepEqual(echo(['x'])[0], 2);
});

test('an update of a group changes only the processes that differ', () => {
  const groupOf = (text: string): GroupConfig => {
    const group = readText(`${HEAD}${text}`).config?.groups[0];
    assert.ok(group !== undefined);
    return group;
  };
  const program = (numprocs: number, more = ''): string =>
    `[program:w]\ncommand=x %(process_num)s\nprocess_name=%(process_num)s\nnumprocs=${numprocs}\n${more}`;
  const names = (update: GroupUpdate): Record<string, string[]> =>
    Object.fromEntries(
      Object.entries(update).map(([kind, list]) => [kind, (list as ProcessConfig[]).map(({ name }) => name)]),
    );
  const before = groupOf(program(2));
  assert.deepEqual(names(planGroupUpdate(before, groupOf(program(3)))), {
    removed: [],
    added: ['2'],
    renewed: [],
    live: [],
  });
  assert.deepEqual(names(planGroupUpdate(before, groupOf(program(2, 'numprocs_start=1\n')))), {
    removed: ['0'],
    added: ['2'],
    renewed: [],
    live: [],
  });
  assert.deepEqual(names(planGroupUpdate(before, groupOf(program(1, 'stopwaitsecs=3\n')))), {
    removed: ['1'],
    added: [],
    renewed: [],
    live: ['0'],
  });
  assert.deepEqual(names(planGroupUpdate(before, groupOf(program(2, 'directory=/\n')))), {
    removed: [],
    added: [],
    renewed: ['0', '1'],
    live: [],
  });
  assert.deepEqual(names(planGroupUpdate(before, groupOf(`\n\n${program(2)}`))), {
    removed: [],
    added: [],
    renewed: [],
    live: [],
  });
});
