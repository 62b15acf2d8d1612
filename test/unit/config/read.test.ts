import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definesPrograms, isOwnVariable, readSwitch } from '../../../src/config/environment.ts';
import { isUnconfigured, searchNames, searchPaths } from '../../../src/config/find-files.ts';
import { type Flags, formatSupervisordUsage, noFlags, parseFlags } from '../../../src/config/flags.ts';
import type { Config, ProcessConfig } from '../../../src/config/model.ts';
import { readConfig } from '../../../src/config/read.ts';
import { readCtlConfig, readServerConfig } from '../../../src/config/read-for-client.ts';
import { configOf, memorySource, printed, read, readText } from './memory-source.ts';

const HEAD = '[supervisord]\n';
const processesOf = ({ groups }: Config): ProcessConfig[] => groups.flatMap(({ processes }) => processes);
const withEnv = (env: Record<string, string>, text = HEAD): Config => configOf(readText(text, { env }));
const envErrors = (env: Record<string, string>, text = HEAD): string[] => printed(readText(text, { env }).errors);
const flagsOf = (...args: string[]): Flags => {
  const outcome = parseFlags(args);
  if (outcome.kind !== 'run') throw new Error(JSON.stringify(outcome));
  return outcome.flags;
};

test('the file is searched in the same places as Supervisor does', () => {
  assert.deepEqual(searchPaths('/opt/v/bin/onevisor', '/home/me'), [
    '/opt/v/etc/supervisord.conf',
    '/opt/v/supervisord.conf',
    '/home/me/supervisord.conf',
    '/home/me/etc/supervisord.conf',
    '/etc/supervisord.conf',
    '/etc/supervisor/supervisord.conf',
  ]);
  assert.equal(
    configOf(read({ files: { '/etc/supervisor/supervisord.conf': HEAD, '/home/me/etc/supervisord.conf': HEAD } })).file,
    '/home/me/etc/supervisord.conf',
  );
  assert.equal(
    configOf(read({ files: { '/a.conf': HEAD, '/etc/supervisord.conf': 'x' }, env: { ONEVISOR_CONF: '/a.conf' } }))
      .file,
    '/a.conf',
  );
  assert.equal(
    configOf(
      read(
        { files: { '/a.conf': 'x', '/home/me/b.conf': HEAD }, env: { ONEVISOR_CONF: '/a.conf' } },
        { flags: flagsOf('-c', 'b.conf') },
      ),
    ).file,
    '/home/me/b.conf',
  );
});

test('without a file, the environment or a command is enough', () => {
  assert.match(
    printed(read({}).errors)[0] ?? '',
    new RegExp(
      String.raw`^-c: no configuration file found at \/usr\/etc\/supervisord.conf, ` +
        String.raw`.*; give one with -c, or set ONEVISOR_PROGRAM_<NAME>=<command>`,
    ),
  );
  assert.equal(configOf(read({ env: { ONEVISOR_PROGRAM_WEB: 'cat' } })).file, null);
  assert.equal(configOf(read({}, { flags: flagsOf('--', 'cat') })).file, null);
});

test('an empty ONEVISOR_CONF means no file, even if one exists', () => {
  const files = { '/etc/supervisord.conf': HEAD };
  assert.equal(configOf(read({ files, env: { ONEVISOR_CONF: '', ONEVISOR_PROGRAM_WEB: 'cat' } })).file, null);
  assert.match(
    printed(read({ files, env: { ONEVISOR_CONF: '' } }).errors)[0] ?? '',
    /^-c: there is no configuration; give one with -c/,
  );
});

test('a file that is unreadable or has no [supervisord] is an error', () => {
  assert.deepEqual(printed(read({}, { flags: flagsOf('-c', '/nope') }).errors), [
    '/nope: cannot read /nope: there is no such file',
  ]);
  assert.deepEqual(printed(readText('[program:a]\ncommand=x\n').errors), [
    '/etc/supervisord.conf: [supervisord]: the section is missing; add a line [supervisord]',
  ]);
  assert.deepEqual(printed(readText('x\n[supervisord]\ny\n').errors), [
    '/etc/supervisord.conf:1: the first option stands before any [section]: x',
    '/etc/supervisord.conf:3: [supervisord]: cannot understand this line: it is neither "option=value" nor a ' +
      '[section]: y',
  ]);
});

test('includes: relative to the file, sorted, without hidden files; %(here)s is the directory of each file', () => {
  const files = {
    '/etc/supervisord.conf':
      '[include]\nfiles = conf.d/*.ini %(ENV_EXTRA)s\n  nope/*.conf conf.d/[!b].?ni conf.d/[ x [z-a]\n' +
      '[supervisord]\nidentifier=%(here)s\n',
    '/etc/conf.d/b.ini': '[program:b]\ncommand=%(here)s/b\n',
    '/etc/conf.d/a.ini': '[program:a]\ncommand=a\n[include]\nfiles=more.ini\n',
    '/etc/conf.d/.hidden.ini': '[program:h]\ncommand=x\n',
    '/etc/conf.d/more.ini': '',
    '/opt/x.conf': '[program:b]\nuser=app\n',
    '/etc/conf.d/d.ini/x': '',
  };
  const reading = read({ files, env: { EXTRA: '/opt/x.conf' } });
  const config = configOf(reading);
  assert.deepEqual(config.included, [
    '/etc/conf.d/a.ini',
    '/etc/conf.d/b.ini',
    '/etc/conf.d/more.ini',
    '/opt/x.conf',
    '/etc/conf.d/a.ini',
  ]);
  assert.deepEqual(
    processesOf(config).map(({ name, argv, options }) => [name, argv[0], options.user?.user]),
    [
      ['a', 'a', undefined],
      ['b', '/etc/conf.d/b', 'app'],
    ],
  );
  assert.equal(config.supervisord.identifier, '/etc');
  assert.deepEqual(printed(reading.warnings), [
    '/etc/supervisord.conf:2: [include] files: cannot read /etc/conf.d/d.ini: there is no such file',
    '/etc/supervisord.conf:2: [include] files: no file matches /etc/nope/*.conf',
    '/etc/supervisord.conf:2: [include] files: no file matches /etc/conf.d/[',
    '/etc/supervisord.conf:2: [include] files: no file matches /etc/x',
    '/etc/supervisord.conf:2: [include] files: no file matches /etc/[z-a]',
    '/opt/x.conf:1: [program:b]: this section is also in /etc/conf.d/b.ini:1; both are merged, and an option that ' +
      'both set has the value from this file',
  ]);
});

test('includes: problems name the included file; --static reads no include', () => {
  const files = {
    '/etc/supervisord.conf': `${HEAD}[include]\nfiles=a.ini\n`,
    '/etc/a.ini': '[program:a]\ncommand=x\nstartsecs=x\n',
  };
  assert.match(
    printed(read({ files }).errors).join(),
    /^\/etc\/a\.ini:3: \[program:a\] startsecs: "x" is not a duration: /,
  );
  assert.deepEqual(configOf(read({ files }, { isStatic: true })).groups, []);
  assert.match(printed(readText(`${HEAD}[include]\n`).errors)[0] ?? '', /:2: \[include\] files: is missing/);
  assert.match(
    printed(readText(`${HEAD}[include]\nfiles=%(x)s\n`).errors)[0] ?? '',
    /:3: \[include\] files: cannot expand the value/,
  );
});

test('compat: with an [include], %(here)s can be used everywhere', () => {
  const server = '[inet_http_server]\nport=127.0.0.1:1\nusername=%(here)s\npassword=x\n';
  assert.match(printed(readText(HEAD + server).errors)[0] ?? '', /%\(here\) is not a name/);
  assert.equal(configOf(readText(`${HEAD}${server}[include]\nfiles=x\n`)).inetServers[0]?.username, '/etc');
});

test('problems are sorted by line; text that looks like a comment is reported', () => {
  const { errors, warnings } = readText(
    `${HEAD}logfile_maxbytes=0;\n[program:a]\ncommand=x\nstopwaitsecs=5#s\nautostart=x\n[supervisord]\n` +
      'minfds=x\nloglevel=a\nloglevel=info\n',
  );
  assert.deepEqual(
    printed(errors).map((line) => line.slice('/etc/supervisord.conf:'.length)),
    [
      '2: [supervisord] logfile_maxbytes: "0;" is not a size: a whole number of bytes, or a number with KB, MB or ' +
        'GB, for example 50MB; a comment needs a space before its ";"',
      '5: [program:a] stopwaitsecs: "5#s" is not a duration: a number of seconds, or with units: 500ms, 30s, 1m30s, ' +
        '2h, 1d; a comment needs a space before its "#"',
      '6: [program:a] autostart: "x" is not true or false (also yes, no, on, off, 1, 0)',
      '8: [supervisord] minfds: "x" is not a whole number',
    ],
  );
  assert.deepEqual(printed(warnings), [
    '/etc/supervisord.conf:10: [supervisord] loglevel: is set in line 9 already; this value is used',
  ]);
});

test('--static looks up nothing; without a user database, user names are kept', () => {
  const text = `${HEAD}user=nobody\ndirectory=/nope\nlogfile=/nope/x\n`;
  assert.equal(readText(text).errors.length, 3);
  assert.equal(configOf(readText(text, {}, { isStatic: true })).supervisord.user?.user, 'nobody');
  assert.equal(configOf(readText(`${HEAD}user=nobody\n`, { users: null })).supervisord.user?.user, 'nobody');
  assert.equal(readText(text, { users: null }).errors.length, 2);
});

test('[supervisord] in a container and outside', () => {
  const { supervisord: outside } = withEnv({ TMPDIR: '/nope' });
  assert.deepEqual(
    [outside.logfile, outside.pidfile, outside.childlogdir, outside.umask],
    [[{ kind: 'file', path: '/home/me/supervisord.log' }], '/home/me/supervisord.pid', '/tmp', 18],
  );
  const { supervisord: inside } = configOf(
    readText(HEAD, { env: { TMPDIR: '/var/tmp' }, directories: ['/var/tmp'] }, { isContainer: true }),
  );
  assert.deepEqual([inside.logfile, inside.pidfile, inside.childlogdir], [[{ kind: 'none' }], null, '/var/tmp']);
});

test('environment: a program, its options, and options of a program in a file', () => {
  const config = withEnv(
    {
      ONEVISOR_PROGRAM_WEB: 'serve --port 1',
      ONEVISOR_PROGRAM_WEB__USER: 'app',
      ONEVISOR_PROGRAM_MY_APP_V1__STARTSECS: '9',
      ONEVISOR_PROGRAM_DEFAULT__STARTRETRIES: '7',
      ONEVISOR_PROGRAM_DEFAULT: 'd',
    },
    `${HEAD}[program:My-app.v1]\ncommand=x\n`,
  );
  assert.deepEqual(
    processesOf(config).map(({ name, argv, options }) => [
      name,
      argv.join(' '),
      options.user?.user,
      options.startsecs,
      options.startretries,
    ]),
    [
      ['My-app.v1', 'x', undefined, 9, 7],
      ['default', 'd', undefined, 1, 7],
      ['web', 'serve --port 1', 'app', 1, 7],
    ],
  );
});

test('environment: other sections', () => {
  const config = withEnv({
    ONEVISOR_SUPERVISORD__LOGLEVEL: 'debug',
    ONEVISOR_UNIX_HTTP_SERVER__FILE: '/run/%(ENV_N)s',
    ONEVISOR_INET_HTTP_SERVER__PORT: '127.0.0.1:1',
    ONEVISOR_EVENTLISTENER_L__COMMAND: 'l',
    ONEVISOR_EVENTLISTENER_L__EVENTS: 'EVENT',
    ONEVISOR_FCGI_PROGRAM_F__COMMAND: 'f',
    ONEVISOR_FCGI_PROGRAM_F__SOCKET: 'tcp://h:1',
    ONEVISOR_GROUP_G__PROGRAMS: 'f',
    ONEVISOR_LOG_FORMAT: 'json',
    N: 's',
    ONEVISOR_CONTAINER: '0',
  });
  assert.deepEqual(
    [
      config.supervisord.loglevel,
      config.supervisord.log_format,
      config.unixServers[0]?.file,
      config.inetServers[0]?.port.port,
    ],
    ['debug', 'json', '/run/s', 1],
  );
  assert.deepEqual(
    processesOf(config).map(({ group, name, type }) => `${group}:${name} ${type}`),
    ['l:l eventlistener', 'g:f fcgi-program'],
  );
});

test('environment: the error of an unknown variable names the nearest known one', () => {
  const reasons = (env: Record<string, string>): string => envErrors(env).join('\n');
  assert.equal(
    reasons({ ONEVISOR_CONFIG: 'x' }),
    'ONEVISOR_CONFIG: there is no such variable (did you mean ONEVISOR_CONF?)',
  );
  assert.equal(
    reasons({ ONEVISOR_PROGAM_WEB: 'x' }),
    'ONEVISOR_PROGAM_WEB: there is no such variable (did you mean ONEVISOR_PROGRAM_WEB?)',
  );
  assert.equal(
    reasons({ ONEVISOR_SUPERVISOR__USER: 'x' }),
    'ONEVISOR_SUPERVISOR__USER: there is no such variable (did you mean ONEVISOR_SUPERVISORD__USER?)',
  );
  assert.equal(
    reasons({ ONEVISOR_PROGRAM_WEB: 'x', ONEVISOR_PROGRAM_WEB__COMAND: 'x' }),
    'ONEVISOR_PROGRAM_WEB__COMAND: [program:web] has no option "comand" (did you mean ONEVISOR_PROGRAM_WEB__COMMAND?)',
  );
  assert.equal(
    reasons({ ONEVISOR_SUPERVISORD__QQQQQQQ: 'x' }),
    'ONEVISOR_SUPERVISORD__QQQQQQQ: [supervisord] has no option "qqqqqqq"',
  );
  assert.match(
    reasons({ ONEVISOR_GROUP_G: 'x' }),
    /^ONEVISOR_GROUP_G: an option must follow, for example ONEVISOR_GROUP_G__PROGRAMS/,
  );
  assert.match(reasons({ ONEVISOR_EVENTLISTENER_L: 'x' }), /for example ONEVISOR_EVENTLISTENER_L__COMMAND/);
  assert.match(
    reasons({ ONEVISOR_PROGRAM__USER: 'x' }),
    /a name must follow ONEVISOR_PROGRAM_, for example ONEVISOR_PROGRAM_WEB/,
  );
  assert.match(reasons({ ONEVISOR_PROGRAM___USER: 'x' }), /a name must follow/);
  assert.match(
    reasons({ ONEVISOR_SUPERVISORD: 'x' }),
    /an option must follow, for example ONEVISOR_SUPERVISORD__LOGFILE/,
  );
  assert.match(reasons({ ONEVISOR_PROGRAM: 'x' }), /a name must follow/);
  assert.equal(
    reasons({ ONEVISOR_PROGRAM_WEB: 'x', ONEVISOR_PROGRAM_WEB__STARTSECS: 'y' }),
    'ONEVISOR_PROGRAM_WEB__STARTSECS: [program:web] startsecs: "y" is not a duration: a number of seconds, or with ' +
      'units: 500ms, 30s, 1m30s, 2h, 1d',
  );
});

test('environment: the text of a configuration overrides the file, and variables override the text', () => {
  const env = { ONEVISOR_CONF_TEXT: '[program:a]\ncommand=text\nstartsecs=2\n', ONEVISOR_PROGRAM_A__STARTSECS: '3' };
  const [a] = processesOf(withEnv(env, `${HEAD}[program:a]\ncommand=file\nuser=app\n`));
  assert.deepEqual([a?.argv[0], a?.options.startsecs, a?.options.user?.user], ['text', 3, 'app']);
  assert.equal(processesOf(configOf(read({ env })))[0]?.argv[0], 'text');
  const config = configOf(
    read({
      env: { ONEVISOR_CONF_TEXT: '[include]\nfiles=conf.d/*\n[program:b]\ncommand=here\n[DEFAULT]\nstartsecs=4\n' },
      files: { '/home/me/conf.d/a': '[program:a]\ncommand=%(here)s\n' },
    }),
  );
  assert.deepEqual(
    [config.included, processesOf(config).map(({ name, argv, options }) => [name, argv[0], options.startsecs])],
    [
      ['/home/me/conf.d/a'],
      [
        ['a', '/home/me/conf.d', 4],
        ['b', 'here', 4],
      ],
    ],
  );
  assert.deepEqual(envErrors({ ONEVISOR_CONF_TEXT: 'x' }), [
    'ONEVISOR_CONF_TEXT:1: the first option stands before any [section]: x',
  ]);
});

test('environment: variables of Kubernetes services are ignored', () => {
  const env = {
    ONEVISOR_SERVICE_HOST: '10.0.0.1',
    ONEVISOR_PORT: 'tcp://10.0.0.1:80',
    ONEVISOR_PORT_80_TCP_ADDR: '10.0.0.1',
    ONEVISOR_PROGRAM_API_PORT: 'tcp://10.0.0.1:80',
    ONEVISOR_PROGRAM_API: 'serve',
  };
  const reading = readText(HEAD, { env });
  assert.deepEqual(
    processesOf(configOf(reading)).map(({ name }) => name),
    ['api'],
  );
  assert.deepEqual(printed(reading.warnings), [
    'ONEVISOR_PORT: describes a Kubernetes service and is ignored (and 3 more); set enableServiceLinks: false ' +
      'in the pod to remove it',
  ]);
  assert.deepEqual(printed(readText(HEAD, { env: { ONEVISOR_PORT: 'tcp://10.0.0.1:80' } }).warnings), [
    'ONEVISOR_PORT: describes a Kubernetes service and is ignored; set enableServiceLinks: false in the pod ' +
      'to remove it',
  ]);
  assert.deepEqual(envErrors({ ONEVISOR_PORT: '80' }).length, 1, 'not the value of a service');
  assert.ok(
    definesPrograms({ ONEVISOR_PROGRAM_API: 'serve' }) &&
      !definesPrograms({ ONEVISOR_PROGRAM_API_PORT: 'tcp://10.0.0.1:80', ONEVISOR_PROGRAM_X: undefined }),
  );
});

test('environment: a missing underscore', () => {
  const text =
    `${HEAD}[program:web]\ncommand=x\n[program:db_user]\ncommand=x\n[fcgi-program:php]\ncommand=x\n` +
    'socket=unix:///s\n[program:db]\ncommand=x\n';
  const meant = (variable: string, name: string): string =>
    `${variable}: defines another program; two underscores stand before an option: ${name}; ` +
    `if a program with this name is meant, write ${variable}__COMMAND`;
  assert.deepEqual(envErrors({ ONEVISOR_PROGRAM_WEB_AUTOSTART: 'false' }, text), [
    meant('ONEVISOR_PROGRAM_WEB_AUTOSTART', 'ONEVISOR_PROGRAM_WEB__AUTOSTART'),
  ]);
  assert.deepEqual(envErrors({ ONEVISOR_PROGRAM_WEB_STDOUT_LOGFILE_MAXBYTES: '0' }, text), [
    meant('ONEVISOR_PROGRAM_WEB_STDOUT_LOGFILE_MAXBYTES', 'ONEVISOR_PROGRAM_WEB__STDOUT_LOGFILE_MAXBYTES'),
  ]);
  assert.deepEqual(envErrors({ ONEVISOR_PROGRAM_PHP_SOCKET_MODE: '0700' }, text), [
    meant('ONEVISOR_PROGRAM_PHP_SOCKET_MODE', 'ONEVISOR_FCGI_PROGRAM_PHP__SOCKET_MODE'),
  ]);
  // Defined by the environment alone, whatever the order of the names.
  assert.deepEqual(envErrors({ ONEVISOR_PROGRAM_X_Y__COMMAND: 'serve', ONEVISOR_PROGRAM_X_Y_USER: 'root' }), [
    meant('ONEVISOR_PROGRAM_X_Y_USER', 'ONEVISOR_PROGRAM_X_Y__USER'),
  ]);
  // A program with such a name in the file or by __COMMAND, and one without a similar program.
  assert.deepEqual(
    envErrors(
      { ONEVISOR_PROGRAM_DB_USER: 'y', ONEVISOR_PROGRAM_WEB_USER__COMMAND: 'y', ONEVISOR_PROGRAM_JOB_USER: 'y' },
      text,
    ),
    [],
  );
  assert.deepEqual(envErrors({ ONEVISOR_GROUP_G_PRIORITY: '1' }), [
    'ONEVISOR_GROUP_G_PRIORITY: an option must follow, for example ONEVISOR_GROUP_G__PRIORITY',
  ]);
  assert.match(
    envErrors({ ONEVISOR_SUPERVISORD_LOGLEVEL: 'warn' })[0] ?? '',
    /did you mean ONEVISOR_SUPERVISORD__LOGLEVEL\?/,
  );
});

test('environment: a Procfile with PORT and .env', () => {
  const run = (dotEnv: string | null, env: Record<string, string>): ReturnType<typeof read> =>
    read({
      files: { '/app/Procfile': 'web: a\nworker: b\n', ...(dotEnv === null ? {} : { '/app/.env': dotEnv }) },
      env: { ONEVISOR_PROCFILE: '/app/Procfile', ...env },
    });
  const variablesOf = (...call: Parameters<typeof run>): Array<Record<string, string>> =>
    processesOf(configOf(run(...call))).map(({ options }) => Object.fromEntries(options.environment));
  assert.deepEqual(variablesOf(null, { PORT: '8000' }), [{ PORT: '8000' }, { PORT: '8100' }]);
  assert.deepEqual(variablesOf('# c\nexport A="1 2"\nB=3\n', { B: 'mine' }), [
    { A: '1 2', PORT: '5000' },
    { A: '1 2', PORT: '5100' },
  ]);
  assert.deepEqual(variablesOf('PORT=7000\n', {}), [{ PORT: '7000' }, { PORT: '7100' }]);
  assert.deepEqual(variablesOf('PORT=7000\n', { PORT: '8000', ONEVISOR_PROGRAM_WORKER__ENVIRONMENT: 'PORT=1' }), [
    { PORT: '8000' },
    { PORT: '1' },
  ]);
  for (const odd of ['x', '0', '70000'])
    assert.deepEqual(printed(run(null, { PORT: odd }).warnings), [
      `PORT: "${odd}" is not a port, so the first program of the Procfile gets PORT=5000`,
    ]);
  assert.deepEqual(printed(run('A=1\nnonsense\n', {}).errors), [
    '/app/.env:2: cannot understand this line of a .env file; expected NAME=value',
  ]);
  assert.deepEqual(printed(run('A=1\0\n', {}).errors), [
    '/app/.env: the value of A has a NUL byte, which a variable cannot contain; remove it',
  ]);
  const unreadable = {
    ...memorySource({ files: { '/app/Procfile': 'web: a\n' }, env: { ONEVISOR_PROCFILE: '/app/Procfile' } }),
  };
  const { read: readFile } = unreadable;
  const denied = readConfig(
    {
      ...unreadable,
      read: (path) =>
        path === '/app/.env' ? { ok: false, code: 'EACCES', reason: 'permission denied' } : readFile(path),
    },
    { isContainer: false, isStatic: false, flags: noFlags, executable: '/usr/bin/onevisor' },
  );
  assert.deepEqual(printed(denied.errors), ['/app/.env: cannot read it: permission denied']);
});

test('environment: a Procfile', () => {
  const files = { '/home/me/Procfile': '# c\n\nweb: serve -p $PORT "%d" it\'s\nworker:  work\n' };
  const config = configOf(
    read({
      files,
      env: {
        ONEVISOR_PROCFILE: 'Procfile',
        ONEVISOR_PROGRAM_WORKER__NUMPROCS: '2',
        ONEVISOR_PROGRAM_WEB__ENVIRONMENT: 'A=1',
      },
    }),
  );
  assert.deepEqual(
    processesOf(config).map(({ group, name, argv, options, place }) => [
      group,
      name,
      argv,
      Object.fromEntries(options.environment),
      options.stopasgroup,
      place.line,
    ]),
    [
      ['web', 'web', ['/bin/sh', '-c', 'serve -p $PORT "%d" it\'s'], { PORT: '5000', A: '1' }, true, 3],
      ['worker', 'worker.1', ['/bin/sh', '-c', 'exec work'], { PORT: '5100' }, true, 4],
      ['worker', 'worker.2', ['/bin/sh', '-c', 'exec work'], { PORT: '5101' }, true, 4],
    ],
  );
  assert.deepEqual(
    printed(
      read({ files: { '/home/me/Procfile': 'web: a\nweb: b\nfoo\n' }, env: { ONEVISOR_PROCFILE: 'Procfile' } }).errors,
    ),
    [
      '/home/me/Procfile:2: [program:web]: the Procfile has this name already; rename one of them',
      '/home/me/Procfile:3: cannot understand this line of a Procfile; expected "name: command"',
    ],
  );
  assert.deepEqual(envErrors({ ONEVISOR_PROCFILE: '/nope' }), [
    'ONEVISOR_PROCFILE: cannot read /nope: there is no such file',
  ]);
});

test('environment: one image with several roles', () => {
  const text =
    `${HEAD}[program:a]\ncommand=x\n[program:b]\ncommand=x\nautostart=false\n[group:g]\nprograms=c\n[program:c]\n` +
    'command=x\n[eventlistener:l]\ncommand=x\nevents=EVENT\n';
  const started = (env: Record<string, string>): string[] =>
    processesOf(withEnv(env, text))
      .filter(({ options }) => options.autostart)
      .map(({ name }) => name);
  assert.deepEqual(started({ ONEVISOR_ONLY: 'a' }), ['l', 'a']);
  assert.deepEqual(started({ ONEVISOR_ONLY: 'b, g' }), ['l', 'b', 'c']);
  assert.deepEqual(started({ ONEVISOR_EXCEPT: 'a' }), ['l', 'c']);
  assert.deepEqual(started({ ONEVISOR_ONLY: 'a,g', ONEVISOR_EXCEPT: 'g' }), ['l', 'a']);
  assert.deepEqual(
    processesOf(withEnv({ ONEVISOR_ONLY: 'd' }, `${HEAD}[program:d]\ncommand=x\ncron=@daily\n`)).map(
      ({ options }) => options.autostart,
    ),
    [false],
  );
  const withMain = configOf(readText(text, { env: { ONEVISOR_ONLY: 'a' } }, { flags: flagsOf('--', 'cat') }));
  assert.deepEqual(
    processesOf(withMain)
      .filter(({ options }) => options.autostart)
      .map(({ name }) => name),
    ['l', 'a', 'main'],
  );
  assert.deepEqual(envErrors({ ONEVISOR_ONLY: 'aa' }, text), [
    'ONEVISOR_ONLY: there is no program, group or process named "aa" (did you mean a?)',
  ]);
});

test('environment: switches', () => {
  assert.equal(readSwitch({ ONEVISOR_CONTAINER: '1' }, 'ONEVISOR_CONTAINER'), true);
  assert.equal(readSwitch({ ONEVISOR_CONTAINER: 'off' }, 'ONEVISOR_CONTAINER'), false);
  assert.equal(readSwitch({ ONEVISOR_CONTAINER: 'perhaps' }, 'ONEVISOR_CONTAINER'), null);
  assert.deepEqual(envErrors({ ONEVISOR_CONTAINER: 'perhaps' }), ['ONEVISOR_CONTAINER: "perhaps" is not 1 or 0']);
  assert.deepEqual(envErrors({ ONEVISOR_CONTAINER: '' }), []);
  assert.ok(isOwnVariable('ONEVISOR_X', '') && !isOwnVariable('X', ''));
});

test('flags override the environment, which overrides the file; flags are not expanded', () => {
  const env = { ONEVISOR_SUPERVISORD__LOGLEVEL: 'warn', ONEVISOR_SUPERVISORD__IDENTIFIER: 'env' };
  const config = configOf(
    readText(
      `${HEAD}loglevel=error\nidentifier=file\nlogfile_backups=3\n`,
      { env },
      { flags: flagsOf('-e', 'debug', '-n', '--logfile=/tmp/%(x)s', '-z5', '-i', 'a%') },
    ),
  );
  const { loglevel, identifier, logfile_backups: backups, nodaemon, logfile } = config.supervisord;
  assert.deepEqual(
    [loglevel, identifier, backups, nodaemon, logfile],
    ['debug', 'a%', 5, true, [{ kind: 'file', path: '/tmp/%(x)s' }]],
  );
  assert.deepEqual(printed(readText(HEAD, {}, { flags: flagsOf('--umask', '9') }).errors), [
    '--umask: [supervisord] umask: "9" is not an octal number, for example 022',
  ]);
});

test('flags: those of supervisord, with the rules of getopt', () => {
  const flags = flagsOf(
    '-nsc',
    '/a',
    '--minfds=5',
    '--minp',
    '6',
    '-t',
    '-k',
    '--container',
    '--color',
    '--',
    'a',
    '-n',
  );
  assert.deepEqual(
    [flags.file, flags.isContainer, flags.color, flags.command, [...flags.overrides.keys()]],
    ['/a', true, true, ['a', '-n'], ['nodaemon', 'silent', 'minfds', 'minprocs', 'strip_ansi', 'nocleanup']],
  );
  assert.deepEqual(parseFlags([]), { kind: 'run', flags: noFlags });
  assert.deepEqual(parseFlags(['--']), { kind: 'run', flags: noFlags }, 'no command after -- is no command');
  assert.deepEqual(parseFlags(['bash', '-c', 'x'], 'take'), {
    kind: 'run',
    flags: { ...noFlags, command: ['bash', '-c', 'x'], isCommandBare: true },
  });
  for (const args of [['-h'], ['--help'], ['-?'], ['-nh'], ['-n?'], ['--he']])
    assert.deepEqual(parseFlags(args), { kind: 'help' });
  for (const args of [['-v'], ['--version'], ['-nv'], ['--ver']])
    assert.deepEqual(parseFlags(args), { kind: 'version' });
});

const usages: ReadonlyArray<readonly [readonly string[], string]> = [
  [['-x'], 'option -x not recognized'],
  [['-h', '-v', '-x'], 'option -x not recognized'],
  [['--nope'], 'option --nope not recognized'],
  [['--lo', 'x'], 'option --lo not a unique prefix'],
  [['--cont'], 'option --cont not recognized'],
  [['-c'], 'option -c requires argument'],
  [['--logfile'], 'option --logfile requires argument'],
  [['--nodaemon=1'], 'option --nodaemon must not have an argument'],
  [['-n', '-n'], "conflicting command line option '-n'"],
  [['-l', 'a', '--logfile=b'], "conflicting command line option '--logfile'"],
  [['a', 'b'], "positional arguments are not supported: ['a', 'b']; the main program comes after --"],
  [['-'], "positional arguments are not supported: ['-']; the main program comes after --"],
];
for (const [args, message] of usages)
  test(`flags: ${args.join(' ')} is refused`, () => assert.deepEqual(parseFlags(args), { kind: 'usage', message }));

test('the main program: the command after --, with options from other sources', () => {
  const config = configOf(
    readText(
      HEAD,
      { env: { ONEVISOR_PROGRAM_MAIN__STOPSIGNAL: 'INT', ONEVISOR_PROGRAM_MAIN__STARTSECS: '5' } },
      { flags: flagsOf('--', 'sh', '-c', 'echo %d "it\'s"') },
    ),
  );
  const [main] = processesOf(config);
  assert.equal(config.main, 'main');
  assert.deepEqual(
    [
      main?.argv,
      main?.options.autorestart,
      main?.options.exit_on_end,
      main?.options.stopsignal,
      main?.options.startsecs,
      main?.options.stdout_logfile,
    ],
    [['sh', '-c', 'echo %d "it\'s"'], 'false', true, [2], 5, [{ kind: 'stdio', fd: 1, path: '/dev/stdout' }]],
  );
});

test('the main program keeps our streams, also with tty for all programs', () => {
  const text = `${HEAD}[program-default]\ntty=true\n[program:web]\ncommand=x\n`;
  const { groups } = configOf(readText(text, {}, { flags: flagsOf('--', 'sh') }));
  const options = groups.flatMap(({ processes }) => processes.map(({ name, options: of }) => [name, of.tty] as const));
  assert.deepEqual(
    new Map(options),
    new Map([
      ['main', false],
      ['web', true],
    ]),
  );
  const main = groups.find(({ name }) => name === 'main')?.processes[0];
  assert.equal(main?.options.redirect_stderr, false);
});

test('servers: an empty password is none, and an empty user with it no authentication, as in Supervisor', () => {
  const serverOf = (text: string): Array<string | null | undefined> => {
    const { inetServers, unixServers } = configOf(readText(HEAD + text));
    const [server] = [...inetServers, ...unixServers];
    const where = server !== undefined && 'port' in server ? server.port.host : 'unix';
    return [where, server?.username, server?.password];
  };
  const inet = '[inet_http_server]\nport=*:9001\n';
  assert.deepEqual(serverOf(`${inet}username=\npassword=\n`), ['127.0.0.1', null, null]);
  assert.deepEqual(serverOf(`${inet}username=u\npassword=\n`), ['127.0.0.1', 'u', '']);
  assert.deepEqual(serverOf(`${inet}username=u\npassword=\nallow_insecure=true\n`), ['', 'u', '']);
  assert.deepEqual(serverOf(`${inet}username=\npassword=p\n`), ['', '', 'p']);
  assert.deepEqual(serverOf('[unix_http_server]\nfile=/run/s\nusername=\npassword=\n'), ['unix', null, null]);
});

test('servers: addresses, passwords, and servers that are restricted to loopback', () => {
  const servers =
    '[inet_http_server]\nport=*:9001\n[inet_http_server:b]\nport=*:9002\nallow_insecure=true\n' +
    '[inet_http_server:c]\nport=0.0.0.0:9003\nusername=u\npassword=p\n[inet_http_server:d]\nport=[::1]:9004\n' +
    '[unix_http_server]\nfile=/run/s\nchmod=0770\nchown=app:staff\n';
  const reading = readText(HEAD + servers);
  assert.deepEqual(
    configOf(reading).inetServers.map(({ port }) => `${port.host}:${port.port}`),
    ['127.0.0.1:9001', ':9002', '0.0.0.0:9003', '::1:9004'],
  );
  assert.deepEqual(
    configOf(reading).unixServers.map(({ file, chmod }) => [file, chmod]),
    [['/run/s', 0o770]],
  );
  assert.match(
    printed(reading.warnings)[0] ?? '',
    new RegExp(
      String.raw`:3: \[inet_http_server\] port: anyone who can reach this address could run any command, ` +
        String.raw`so it is opened on 127\.0\.0\.1 only; set username and password, or allow_insecure=true`,
    ),
  );
  assert.match(
    printed(readText(`${HEAD}[inet_http_server]\nport=1\nusername=u\n`).errors)[0] ?? '',
    /:4: \[inet_http_server\] password: is missing, but username is set/,
  );
  assert.match(
    printed(readText(`${HEAD}[unix_http_server]\nfile=/s\npassword=u\n`).errors)[0] ?? '',
    /:4: \[unix_http_server\] username: is missing/,
  );
  assert.match(
    printed(readText(`${HEAD}[inet_http_server]\n`).errors)[0] ?? '',
    /:2: \[inet_http_server\] port: is missing; add it, for example port=127.0.0.1:9001/,
  );
});

test('servers: a server that moves to loopback does not replace another server', () => {
  const hostsOf = (...ports: string[]): string[] => {
    const text = ports
      .map((port, index) => `[inet_http_server:${index}]\nport=${port}\n`)
      .join('')
      .replace(/!\n/g, '\nallow_insecure=true\n');
    return configOf(readText(HEAD + text)).inetServers.map(({ port }) => `${port.host}:${port.port}`);
  };
  assert.deepEqual(hostsOf('10.0.0.1:9001', '127.0.0.1:9001'), ['127.0.0.1:9001']);
  assert.deepEqual(hostsOf('10.0.0.1:9001', '*:9001', '9002'), ['127.0.0.1:9001', '127.0.0.1:9002']);
  assert.deepEqual(hostsOf('*:9001', '*:9001!'), [':9001']);
  assert.deepEqual(hostsOf('[fe80::1]:9001', '127.0.0.1:9001'), ['::1:9001', '127.0.0.1:9001']);
});

test('plug-ins: only the main interface exists', () => {
  const plugins =
    '[rpcinterface:supervisor]\n' +
    'supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n[rpcinterface:x]\n' +
    'supervisor.rpcinterface_factory=a:b\nk=%(ENV_V)s\n[ctlplugin:y]\nsupervisor.ctl_factory=c:d\n';
  const reading = readText(HEAD + plugins, { env: { V: 'v' } });
  const { rpcInterfaces, ctlPlugins } = configOf(reading);
  assert.deepEqual(
    rpcInterfaces.map(({ name, factory, options }) => [name, factory, [...options]]),
    [
      ['supervisor', 'supervisor.rpcinterface:make_main_rpcinterface', []],
      ['x', 'a:b', [['k', 'v']]],
    ],
  );
  assert.deepEqual(
    ctlPlugins.map(({ name, factory }) => [name, factory]),
    [['y', 'c:d']],
  );
  assert.deepEqual(
    printed(reading.warnings).map((line) => line.split(': ')[1]),
    ['[rpcinterface:x] supervisor.rpcinterface_factory', '[ctlplugin:y] supervisor.ctl_factory'],
  );
  assert.match(printed(readText(`${HEAD}[rpcinterface:x]\n`).errors)[0] ?? '', /is missing/);
});

test('[supervisorctl]: a problem in this section is no error of the supervisor', () => {
  const reading = readText(`${HEAD}[supervisorctl]\nserverurl=%(x)s\nfoo=1\n`);
  assert.deepEqual(
    printed(reading.warnings).map((line) => line.slice(0, 52)),
    ['/etc/supervisord.conf:3: [supervisorctl] serverurl: ', '/etc/supervisord.conf:4: [supervisorctl] foo: there '],
  );
  assert.equal(configOf(reading).ctl?.serverurl, 'http://localhost:9001');
});

test('[supervisorctl] alone, for the client', () => {
  const text = '[supervisorctl]\nserverurl=unix://%(here)s/../s.sock\nhistory_file=~/h\nusername=u\n[program:a]\n';
  const settings = { isContainer: false, isStatic: false, flags: noFlags, executable: '/usr/bin/onevisor' };
  const { ctl, file, errors } = readCtlConfig(
    memorySource({ files: { '/etc/supervisord.conf': text }, env: { HOME: '/root' } }),
    settings,
  );
  assert.deepEqual(
    [ctl?.serverurl, ctl?.history_file, ctl?.username, ctl?.prompt, file, errors],
    ['unix:///s.sock', '/root/h', 'u', 'supervisor', '/etc/supervisord.conf', []],
  );
  const twice = '[supervisorctl]\nprompt=a\nprompt=b\n[program:x]\ncommand=a\ncommand=b\n';
  assert.deepEqual(
    printed(readCtlConfig(memorySource({ files: { '/etc/supervisord.conf': twice } }), settings).warnings),
    ['/etc/supervisord.conf:3: [supervisorctl] prompt: is set in line 2 already; this value is used'],
  );
  assert.deepEqual(readCtlConfig(memorySource({}), settings), {
    ctl: null,
    isUrlWritten: false,
    ctlPlugins: [],
    file: null,
    errors: [],
    warnings: [],
  });
  assert.match(
    printed(
      readCtlConfig(memorySource({ files: { '/etc/supervisord.conf': '[supervisorctl]\nserverurl=%' } }), settings)
        .errors,
    )[0] ?? '',
    /:2: \[supervisorctl\] serverurl: cannot expand/,
  );
});

test('the servers of a configuration can be read for a client, despite other errors', () => {
  const serversOf = (
    files: Readonly<Record<string, string>>,
    env: Readonly<Record<string, string>> = {},
    file: string | null = null,
  ): ReturnType<typeof readServerConfig> =>
    readServerConfig(memorySource({ files, env }), {
      isContainer: true,
      isStatic: false,
      flags: { ...noFlags, file },
      executable: '/usr/bin/onevisor',
    });
  const files = {
    '/etc/supervisord.conf':
      '[include]\nfiles=x.ini\n[program:a]\n[unix_http_server]\nfile=%(here)s/s.sock\npassword=p\nusername=u\n',
    '/etc/x.ini': '[inet_http_server]\nport=*:9001\nusername=u\npassword=p\n',
    '/own.conf': '[unix_http_server]\n[inet_http_server]\n',
  };
  const { unixServers, inetServers, file } = serversOf(files);
  assert.deepEqual(
    [unixServers.map((server) => server.file), inetServers.map((server) => server.port.port), file],
    [['/etc/s.sock'], [9001], '/etc/supervisord.conf'],
  );
  assert.deepEqual(serversOf(files, {}, '/own.conf'), { unixServers: [], inetServers: [], file: '/own.conf' });
  const byEnvironment = serversOf({}, { ONEVISOR_CONF: '', ONEVISOR_UNIX_HTTP_SERVER__FILE: '/e.sock' });
  assert.deepEqual([byEnvironment.unixServers.map((server) => server.file), byEnvironment.file], [['/e.sock'], null]);
});

test('no source of a configuration', () => {
  const isNothing = (
    env: Readonly<Record<string, string>>,
    flags: Partial<Flags> = {},
    files: Readonly<Record<string, string>> = {},
  ): boolean =>
    isUnconfigured(memorySource({ files, env }), { flags: { ...noFlags, ...flags }, executable: '/usr/bin/onevisor' });
  assert.ok(isNothing({}) && isNothing({ ONEVISOR_CONF: '' }, {}, { '/etc/supervisord.conf': '' }));
  assert.ok(
    !isNothing({}, {}, { '/etc/supervisord.conf': '' }) &&
      !isNothing({ ONEVISOR_CONF: '/nope' }) &&
      !isNothing({}, { file: '/nope' }) &&
      !isNothing({}, { command: ['x'] }),
  );
  assert.ok(!isNothing({ ONEVISOR_PROGRAM_A: 'x' }) && !isNothing({ ONEVISOR_CONF_TEXT: '' }));
  assert.deepEqual(searchNames('/usr/bin/onevisor').slice(0, 3), [
    '/usr/etc/supervisord.conf',
    '/usr/supervisord.conf',
    'supervisord.conf',
  ]);
});

test('compat: [supervisord] may be in an included file; if includes are not read, it must be in the main file', () => {
  const files = {
    '/etc/supervisord.conf': '[include]\nfiles=a.conf\n',
    '/etc/a.conf': '[supervisord]\nidentifier=included\n',
  };
  assert.equal(configOf(read({ files })).supervisord.identifier, 'included');
  assert.match(printed(read({ files }, { isStatic: true }).errors).join(), /\[supervisord\]: the section is missing/);
  assert.match(
    printed(read({ files: { ...files, '/etc/a.conf': '' } }).errors).join(),
    /\[supervisord\]: the section is missing/,
  );
});

test('variables: [supervisord] environment is expanded once, and a lost part is reported without its value', () => {
  const reading = readText(
    `${HEAD}environment=A="100%%",B="%%%%"\n[program:a]\ncommand=x\nenvironment=JAVA_OPTS=-Xsecret1 -Xsecret2\n`,
  );
  assert.deepEqual(
    [...configOf(reading).supervisord.environment],
    [
      ['A', '100%'],
      ['B', '%%'],
    ],
  );
  assert.deepEqual(
    processesOf(configOf(reading)).map(({ options }) => options.environment.get('JAVA_OPTS')),
    ['-Xsecret1'],
  );
  const [percent, lost, ...more] = printed(reading.warnings);
  assert.match(percent ?? '', /:2: \[supervisord\] environment: a percent sign is written %% here too/);
  assert.match(
    lost ?? '',
    new RegExp(
      String.raw`:5: \[program:a\] environment: the value of JAVA_OPTS ends at its ` +
        String.raw`first blank or quote, and the text after it is lost; write JAVA_OPTS="…"`,
    ),
  );
  assert.ok(!/secret/.test(lost ?? '') && more.length === 0);
});

test('compat: the help of supervisord is that of Supervisor with all its options, then our additions', () => {
  const lines = formatSupervisordUsage('/usr/bin/supervisord').split('\n');
  assert.deepEqual(lines.slice(0, 5), [
    'supervisord -- run a set of applications as daemons.',
    '',
    'Usage: /usr/bin/supervisord [options]',
    '',
    'Options:',
  ]);
  assert.ok(lines.includes("-n/--nodaemon -- run in the foreground (same as 'nodaemon=true' in config file)"));
  assert.deepEqual(
    lines.slice(-6).map((line) => line.split(' -- ')[0]),
    ['', 'In addition to those of Supervisor:', '--container', '--color', '-- CMD ARG...', ''],
  );
});

test('values on a file system that may hang are not looked at', () => {
  const text =
    '[program:web]\ncommand=run\ndirectory=/far/away\nstdout_logfile=/far/logs/a.log\nstderr_logfile=/near/b.log\n';
  const looked: string[] = [];
  const source = memorySource({ files: { '/etc/supervisord.conf': text } });
  const look = (path: string): boolean => (looked.push(path), source.isDirectory(path));
  const settings = { isContainer: false, isStatic: false, flags: noFlags, executable: '/usr/bin/onevisor' };
  const mayHang = (path: string): boolean => path.startsWith('/far');
  const { errors } = readConfig({ ...source, isDirectory: look, mayHang }, settings);
  assert.match(printed(errors).join('\n'), /the directory \/near of \/near\/b\.log does not exist/);
  assert.doesNotMatch(printed(errors).join('\n'), /far/);
  assert.ok(!looked.some(mayHang));
});
