/** Remarks on configurations that are valid but probably not intended. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adviseCommand } from '../../../src/config/command-advice.ts';
import { describeReading, formatConfig, formatProblems } from '../../../src/config/effective.ts';
import { formatProblem, isNote } from '../../../src/config/problems.ts';
import { configOf, printed, read, readText } from './memory-source.ts';

const HEAD = '[supervisord]\n';
const warningsOf = (text: string, env: Record<string, string> = {}): string[] =>
  printed(readText(HEAD + text, { env }).warnings).map((line) => line.replace('/etc/supervisord.conf:', ''));
const ofCommand = (command: string): string =>
  adviseCommand(command)
    .map(({ text, isNote: note }) => (note ? `note: ${text}` : text))
    .join('\n');

const remarks: ReadonlyArray<readonly [command: string, remark: RegExp]> = [
  [
    '/app --home $HOME',
    new RegExp(
      String.raw`^"\$HOME" is not replaced, because no shell runs this ` +
        String.raw`command; write %\(ENV_HOME\)s, with a default %\(ENV_HOME:-value\)s, ` +
        String.raw`or sh -c '…' around the command$`,
    ),
  ],
  ['${APP_HOME}/bin/x', /write %\(ENV_APP_HOME\)s/],
  ['/app "$PORT"', /%\(ENV_PORT\)s/],
  ['/app $(nproc)', /^"\$\(" is shell syntax/],
  ['/app `nproc`', /^"`" is shell syntax/],
  [
    'LANG=secret /app',
    new RegExp(
      String.raw`^"LANG=" is taken as the program, because no shell runs this command; ` +
        String.raw`write environment=LANG="…" as a separate option, or env before it$`,
    ),
  ],
  [
    'sh -c exec node x.js',
    new RegExp(
      String.raw`^the shell runs only "exec", and takes the next words as ` +
        String.raw`its arguments; put quotes around all of it: sh -c 'exec node x.js'$`,
    ),
  ],
  ['/bin/bash -lc source env', /: \/bin\/bash -lc 'source env'$/],
  ['/etc/init.d/x start', /^a program must stay in the foreground: the program that it starts runs/],
  ['service nginx start', /the program that it starts/],
  ['systemctl restart x', /the program that it starts/],
  ['redis-server /etc/redis.conf --daemonize yes', /--daemonize no$/],
  ['apachectl start', /apachectl -D FOREGROUND$/],
  ['/usr/sbin/apache2 -k start', /FOREGROUND/],
  ['gunicorn -w 4 --daemon app', /remove --daemon/],
  ['pm2 start app.js', /pm2-runtime/],
  ['postfix start', /start-fg/],
  ['celery multi start w1', /without --detach/],
  ['php-fpm7.4 -D', /php-fpm -F/],
  [
    'nginx',
    new RegExp(
      String.raw`^note: "nginx" puts itself into the background unless its configuration ` +
        String.raw`has "daemon off;"; to keep it in the foreground, add -g "daemon off;"$`,
    ),
  ],
  ['/usr/sbin/php-fpm8.2', /^note: .*add -F$/],
];
for (const [command, remark] of remarks) test(`command: ${command}`, () => assert.match(ofCommand(command), remark));

const fine = [
  'sh -c "echo $HOME"',
  "bash -lc 'x $(y)'",
  'gosu app sh -c "x $Y"',
  "awk '{print $1}' $$",
  "grep '$HOME' x",
  '/app $1 a$',
  'env LANG=C /app',
  '/app A=1',
  'sh -c "exec node x.js"',
  'sh -c run',
  'sh script.sh -c x y',
  'sh -c "a b" x',
  'nginx -g "daemon off;"',
  'nginx -t',
  'php-fpm -F',
  'php-fpm --nodaemonize',
  'redis-server --daemonize no',
  'apachectl -D FOREGROUND',
  'pidproxy /run/x.pid service x start',
  'pm2 start x --no-daemon',
  'a "b',
  '',
  `x ${'$HOME'.repeat(20_000)}`,
];
for (const command of fine)
  test(`command: ${command.slice(0, 60)} is fine`, () => assert.equal(ofCommand(command), ''));

test('commands: remarks have the place and the text as written, not as expanded; notes are no warnings', () => {
  const reading = readText(
    `${HEAD}[program:a]\ncommand=/app %(ENV_SECRET)s\npre_start_command=service x start\nstop_command=kill ` +
      '$PID\n[program:b]\ncommand=nginx\n',
    { env: { SECRET: '$HOME' } },
  );
  const [hook, note, ...more] = printed(reading.warnings);
  assert.match(hook ?? '', /:5: \[program:a\] stop_command: "\$PID" is not replaced/);
  assert.match(note ?? '', /:7: \[program:b\] command: note: "nginx" puts itself/);
  assert.deepEqual(more, []);
  assert.deepEqual(
    reading.warnings.map((warning) => isNote(formatProblem(warning))),
    [false, true],
  );
  assert.match(formatProblems(reading), /command: note: "nginx"/);
  assert.match(formatProblems(reading), /stop_command: warning: "\$PID"/);
});

test('environment: a dollar sign is never replaced', () => {
  const env = { PYTHONPATH: '/lib', SECRET: '$HOME', HOME: '/root' };
  const lines = warningsOf(
    'environment=A="${HOME}/x"\n[program:a]\ncommand=x\nenvironment=PYTHONPATH="$PYTHONPATH:/x",B="$NOTHING ' +
      '$5",C="%(ENV_SECRET)s"\n[program:b]\ncommand=x\nenvironment=OWN="/y:${OWN}",D=x\n',
    env,
  );
  assert.deepEqual(lines, [
    '2: [supervisord] environment: "$HOME" in the value of A is not replaced, because no shell reads it; ' +
      'write %(ENV_HOME)s',
    '5: [program:a] environment: "$PYTHONPATH" in the value of PYTHONPATH is not replaced, because no shell ' +
      'reads it; write %(ENV_PYTHONPATH)s',
    '8: [program:b] environment: "$OWN" in the value of OWN is not replaced, because no shell reads it; write ' +
      '%(ENV_OWN:-)s',
  ]);
});

test('the same program in two files is reported, but not the same file twice', () => {
  const files = {
    '/etc/supervisord.conf': `${HEAD}[program:a]\ncommand=x\n[include]\nfiles=a.ini b.ini b.ini\n`,
    '/etc/a.ini': '\n[program:a]\nuser=app\n[inet_http_server]\nport=127.0.0.1:1\n',
    '/etc/b.ini': '[inet_http_server]\nport=127.0.0.1:2\n[program:b]\ncommand=x\n',
  };
  assert.deepEqual(printed(read({ files }).warnings), [
    '/etc/a.ini:2: [program:a]: this section is also in /etc/supervisord.conf:2; both are merged, and an option that ' +
      'both set has the value from this file',
  ]);
});

const unknown: ReadonlyArray<readonly [section: string, option: string, words: string]> = [
  ['program:a', 'username', ' (did you mean user?)'],
  ['program:a', 'group', ' (did you mean user=NAME:GROUP?)'],
  ['program:a', 'logfile', ' (did you mean stdout_logfile?)'],
  ['supervisord', 'daemon', ' (did you mean nodaemon, the opposite?)'],
  ['program:a', 'daemon', '; remove it: a program must stay in the foreground'],
  ['program:a', 'healthcheck_command', ' (did you mean healthcheck?)'],
  ['program:a', 'stdout_errfile', ' (did you mean stderr_logfile?)'],
  ['program:a', 'stdout_maxbytes', ' (did you mean stdout_logfile_maxbytes?)'],
  ['program:a', 'env', ' (did you mean environment?)'],
  ['program:a', 'cwd', ' (did you mean directory?)'],
  ['program:a', 'workdir', ' (did you mean directory?)'],
  ['program:a', 'cmd', ' (did you mean command?)'],
  ['program:a', 'restart', ' (did you mean autorestart?)'],
  ['program:a', 'max_retries', ' (did you mean startretries?)'],
  ['program:a', 'log_stderr', ' (did you mean redirect_stderr?)'],
  ['supervisord', 'http_port', ' (did you mean port in [inet_http_server], or file in [unix_http_server]?)'],
  ['program:a', 'pre_start_hook', ' (did you mean pre_start_command?)'],
  ['program:a', 'killwaitsecs', ' (did you mean stopwaitsecs?)'],
  ['program:a', 'liveness_check_interval', ' (did you mean healthcheck_interval?)'],
  ['program-default', 'env', ' (did you mean environment?)'],
  ['eventlistener:l', 'event', ' (did you mean events?)'],
  ['program:a', 'constructor', ''],
  ['program:a', 'autostrat', ' (did you mean autostart?)'],
  ['program:a', 'childlogdir', '; [supervisord] has it'],
  ['group:g', 'members', ' (did you mean programs?)'],
];
for (const [section, option, words] of unknown) {
  test(`unknown: [${section}] ${option}`, () => {
    const start = section === 'supervisord' ? '' : `[${section}]\n`;
    assert.ok(
      warningsOf(`${start}${option}=x\n`).some((line) =>
        line.endsWith(`[${section}] ${option}: there is no such option here, it is ignored${words}`),
      ),
      warningsOf(`${start}${option}=x\n`).join('\n'),
    );
  });
}

test('a log server in the form of the Supervisor in Go is reported', () => {
  assert.match(
    warningsOf('[program:a]\ncommand=x\nstdout_logfile=syslog @10.0.0.1:514\n').join(),
    /stdout_logfile: "syslog @host" is the name of a file here; write syslog:\/\/host:514/,
  );
});

test('a template that was not rendered is reported in one line', () => {
  const errorsOf = (text: string): string[] =>
    printed(readText(text).errors).map((line) => line.replace('/etc/supervisord.conf:', ''));
  assert.deepEqual(
    errorsOf(
      '[supervisord]\n{% for p in programs %}\n[program:{{ p }}]\ncommand={{ p.command }}\nnumprocs={{ ' +
        'p.count }}\nuser={{ user }}\n{% endfor %}\n',
    ),
    [
      '2: this looks like a template that was not rendered: {% … %} in 6 lines; run the program that fills it ' +
        'in, and read its output',
    ],
  );
  assert.match(
    errorsOf('[supervisord]\n[program:a]\ncommand=x\nnumprocs=<%= n %>\nfoo=<%= z %>\n').join('\n'),
    /^4: this looks like a template that was not rendered: <% … %> in 2 lines; [^\n]*$/,
  );
  assert.match(
    errorsOf('[supervisord]\n[program:a]\ncommand=x\nnumprocs={{n}}\n').join('\n'),
    /^4: this looks like a template that was not rendered: \{\{ … \}\} in one line; [^\n]*$/,
  );
  assert.match(
    errorsOf('[supervisord]\nminfds=${N}\nminprocs=${M}\n[program:a]\ncommand=${C}\nnumprocs=${P}\nstartsecs=x\n').join(
      '\n',
    ),
    new RegExp(
      String.raw`^2: this looks like a template that was not rendered: ` +
        String.raw`\$\{…\} in 4 lines; [^\n]*\n7: \[program:a\] startsecs: [^\n]*$`,
    ),
  );
  // A single line of this kind, or a command for a shell, is no template.
  assert.match(
    errorsOf('[supervisord]\nminfds=${N}\n').join('\n'),
    /^2: \[supervisord\] minfds: "\$\{N\}" is not a whole number$/,
  );
  assert.deepEqual(errorsOf('[supervisord]\n[program:a]\ncommand=sh -c "echo ${A} {{x}}"\nenvironment=A="${B}"\n'), []);
});

test('a mistake is reported once', () => {
  const reading = readText(`${HEAD}[program:a]\ncommand=x\nnumprocs=2\n[program:b]\ncommand=date +%Y\n`);
  assert.equal(reading.errors.length, 2);
  assert.deepEqual(printed(reading.warnings), []);
});

test('control characters of a file do not reach the terminal', () => {
  assert.match(printed(readText(`${HEAD}\x1b[31mred\n`).errors).join(), /a \[section\]: \?\[31mred$/);
});

test('check and check --json show the same environment', () => {
  const reading = readText(
    `${HEAD}[program:a]\ncommand=x\nenvironment=A="plain value",B='say "x" now',C="%(ENV_C)s"\n`,
    { env: { C: '\\' } },
  );
  assert.match(formatConfig(configOf(reading), false), /environment=A="plain value",B="say \\"x\\" now",C="\\"\n/);
  const { programs } = JSON.parse(JSON.stringify(describeReading(reading))) as {
    programs: Array<{ environment: unknown }>;
  };
  assert.deepEqual(programs[0]?.environment, { A: 'plain value', B: 'say "x" now', C: '\\' });
});
