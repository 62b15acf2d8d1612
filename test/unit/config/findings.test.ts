/** The findings of `check --strict` that a configuration alone shows: each mistake, and what only looks like one. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Judged } from '../../../src/config/findings.ts';
import { noFlags } from '../../../src/config/flags.ts';
import { findIdleExits } from '../../../src/config/idle-exits.ts';
import { findPorts } from '../../../src/config/known-servers.ts';
import type { Problem } from '../../../src/config/model.ts';
import { findOneOffJobs } from '../../../src/config/one-off-jobs.ts';
import { formatProblem } from '../../../src/config/problems.ts';
import { readTraced } from '../../../src/config/read.ts';
import { findSameLogs } from '../../../src/config/same-logs.ts';
import { findSamePorts } from '../../../src/config/same-ports.ts';
import { isSameAddress } from '../../../src/core/same-address.ts';
import { memorySource, readText } from './memory-source.ts';

/** Returns what a function finds in a configuration: `LINE: [section] option: reason`, each text once. */
function findIn(find: (judged: Judged) => readonly Problem[], text: string): string[] {
  const files = { '/etc/supervisord.conf': `[supervisord]\n${text}` };
  const reading = readTraced(memorySource({ files, directories: ['/var/log', '/var/log/app', '/dev'] }), {
    isContainer: false,
    isStatic: false,
    flags: noFlags,
    executable: '/usr/bin/onevisor',
  });
  if (reading.config === null) throw new Error(reading.errors.map(formatProblem).join('\n'));
  const { config, findOption } = reading;
  return [
    ...new Set(find({ config, findOption }).map((found) => formatProblem(found).replace('/etc/supervisord.conf:', ''))),
  ];
}

type Case = readonly [name: string, text: string, found: readonly RegExp[]];

function check(find: (judged: Judged) => readonly Problem[], cases: readonly Case[]): void {
  for (const [name, text, patterns] of cases) {
    test(name, () => {
      const found = findIn(find, text);
      assert.equal(found.length, patterns.length, found.join('\n'));
      for (const [index, pattern] of patterns.entries()) assert.match(found[index] ?? '', pattern);
    });
  }
}

describe('an exit that never acts', () => {
  const endless = '[program:p]\ncommand=x\nexit_on_failure=true\nautorestart=true\n';
  check(findIdleExits, [
    [
      'a limit that the pauses do not reach',
      `${endless}startretries=-1\nmax_restarts=5\nrestartpause=30\n`,
      [/^7: .* max_restarts: .*5 restarts, 30 s or more apart, take 120 s, .*; set max_restarts_window=180 or/],
    ],
    [
      'one restart a second',
      `${endless}startsecs=0\nmax_restarts=100\n`,
      [/^7: .* max_restarts: .*take 99 s, .* set max_restarts_window=101 /],
    ],
    ['a limit within its window', `${endless}startsecs=0\nmax_restarts=5\n`, []],
    ['the first restart is refused', `${endless}startretries=-1\nmax_restarts=1\nrestartpause=300\n`, []],
    ['failed starts are limited', `${endless}max_restarts=5\nrestartpause=30\n`, []],
    ['nothing is limited: every check warns', `${endless}startretries=-1\n`, []],
    [
      'no restart',
      '[program:p]\ncommand=x\nexit_on_failure=true\nautorestart=false\nstartsecs=0\nmax_restarts=99\n',
      [],
    ],
    ['no exit_on_failure', '[program:p]\ncommand=x\nstartsecs=0\nmax_restarts=100\n', []],
    [
      'a schedule',
      '[program:p]\ncommand=x\ncron=@daily\nexit_on_end=true\n',
      [/^5: .* exit_on_end: never acts on a program/],
    ],
    [
      'a schedule with exit_on_failure',
      '[program:p]\ncommand=x\ncron=@daily\nexit_on_failure=true\nmax_restarts=99\n',
      [],
    ],
  ]);
});

describe('a job without oneshot', () => {
  const once = /^3: \[program:p\] command: "[^"]+" ends when .*, and an end within startsecs \(1 s\) .*oneshot=true$/;
  const jobs = [
    'python manage.py migrate',
    '/venv/bin/python3.12 /app/manage.py collectstatic --noinput',
    './manage.py loaddata x',
    'django-admin migrate',
    'rake db:migrate',
    'bundle exec rails db:prepare',
    'bin/rails assets:precompile',
    'alembic upgrade head',
    'python -m alembic -c a.ini upgrade head',
    'flask --app x db upgrade',
    'php artisan migrate --force',
    'php /app/artisan config:cache',
    'php bin/console doctrine:migrations:migrate -n',
    '/app/bin/console cache:warmup',
    'npx prisma migrate deploy',
    'npx sequelize db:migrate',
    'knex migrate:latest',
    'flyway -url=x migrate',
    'dbmate --wait up',
    'npm ci',
    'composer install --no-dev',
    'chown -R app /data',
    '/bin/mkdir -p /run/x',
  ];
  const others = [
    'python manage.py runserver',
    'php artisan queue:work',
    'php artisan schedule:work',
    'npm start',
    'rake jobs:work',
    'bin/rails server',
    'flask run',
    'migrate-watcher',
    'cpulimit x',
    '/app/cp-server',
    'sh -c "alembic upgrade head; exec web"',
    'env A=1 rake db:migrate',
  ];
  check(findOneOffJobs, [
    ...jobs.map((job): Case => [job, `[program:p]\ncommand=${job}\n`, [once]]),
    ...others.map((job): Case => [job, `[program:p]\ncommand=${job}\n`, []]),
    [
      'a job that is run again and again',
      '[program:p]\ncommand=rake db:migrate\nautorestart=true\nstartsecs=0\n',
      [/"rake db:" .*autorestart=true runs it again each time; set oneshot=true$/],
    ],
    ['the way of Supervisor', '[program:p]\ncommand=rake db:migrate\nautorestart=false\nstartsecs=0\n', []],
    ['a oneshot', '[program:p]\ncommand=rake db:migrate\noneshot=true\n', []],
    ['a schedule', '[program:p]\ncommand=rake db:migrate\ncron=@daily\n', []],
    [
      'another program waits for the end',
      '[program:p]\ncommand=x\n' +
        ['w', 'v'].map((name) => `[program:${name}]\ncommand=x\ndepends_on=p:completed\n`).join(''),
      [/^3: \[program:p\] command: \[program:w\] \(\/etc\/supervisord\.conf:6\) waits for its end, .* oneshot=true$/],
    ],
    ['its end counts', '[program:p]\ncommand=x\nstartsecs=0\n[program:w]\ncommand=w\ndepends_on=p:completed\n', []],
    [
      'another program waits for the start of what looks like a job',
      '[program:p]\ncommand=x\nstartsecs=0\nautorestart=false\n[program:w]\ncommand=w\ndepends_on=p\n',
      [/^3: .*looks like a job, and \[program:w\] \(\S+:8\) does not wait .* depends_on=p:completed there$/],
    ],
    ['another program waits for a server', '[program:p]\ncommand=x\n[program:w]\ncommand=w\ndepends_on=p\n', []],
  ]);
});

describe('a log file with two owners', () => {
  const log = (name: string, more: string): string => `[program:${name}]\ncommand=x\n${more}\n`;
  check(findSameLogs, [
    [
      'two programs',
      log('a', 'stdout_logfile=/var/log/x.log') + log('b', 'stderr_logfile=/var/log/app/../x.log'),
      [/^7: \[program:b\] stderr_logfile: is also the stdout_logfile of \[program:a\] \(\S+:4\): /],
    ],
    [
      'a program and the supervisor',
      `logfile=/var/log/x.log\n${log('a', 'stdout_logfile=/var/log/x.log')}`,
      [/^5: \[program:a\] stdout_logfile: is the log of the supervisor too/],
    ],
    [
      'all processes of a program, once',
      log('a', 'numprocs=4\nprocess_name=%(process_num)d\nstdout_logfile=/var/log/x.log'),
      [/^6: \[program:a\] stdout_logfile: is one file for all processes .*%\(process_num\)d/],
    ],
    [
      'both streams, as a note',
      log('a', 'stdout_logfile=/var/log/x.log\nstderr_logfile=/var/log/x.log'),
      [/^5: \[program:a\] stderr_logfile: note: is the same file as stdout_logfile; redirect_stderr=true/],
    ],
    [
      'both streams without rotation',
      log('a', 'stdout_logfile=/var/log/x.log\nstderr_logfile=/var/log/x.log\nstderr_logfile_maxbytes=0'),
      [],
    ],
    ['the same target twice', log('a', 'stdout_logfile=/var/log/x.log, /var/log/x.log'), []],
    [
      'a stream that is redirected',
      log('a', 'stdout_logfile=/var/log/x.log\nstderr_logfile=/var/log/x.log\nredirect_stderr=true'),
      [],
    ],
    ['devices', log('a', 'stdout_logfile=/dev/null') + log('b', 'stdout_logfile=/dev/null'), []],
    [
      'the streams of the container',
      log('a', 'stdout_logfile=/dev/stdout') + log('b', 'stdout_logfile=/dev/stdout'),
      [],
    ],
    [
      'a file for each process',
      log('a', 'numprocs=2\nprocess_name=%(process_num)d\nstdout_logfile=/var/log/%(process_num)d'),
      [],
    ],
  ]);
});

describe('a port with two owners', () => {
  const program = (name: string, command: string, more = ''): string =>
    `[program:${name}]\ncommand=${command}\n${more}`;
  const numbered = 'numprocs=3\nprocess_name=%(process_num)d\n';
  check(findSamePorts, [
    [
      'two programs',
      program('a', 'uvicorn app --port 8000') + program('b', 'gunicorn -b 0.0.0.0:8000 app'),
      [/^5: \[program:b\] command: listens at port 8000 \(-b\), as \[program:a\] \(\S+:3\) does; give/],
    ],
    [
      'all processes of a program',
      program('a', 'uvicorn app --port=8000', numbered),
      [/^3: .* all 3 processes listen at port 8000 \(--port\); give each .* --port 80%\(process_num\)02d$/],
    ],
    ['a port for each process', program('a', 'uvicorn app --port=80%(process_num)02d', numbered), []],
    ['one command with two addresses', program('a', 'gunicorn -b 127.0.0.1:80 -b localhost:80 app'), []],
    ['sharing', program('a', 'gunicorn --reuse-port -b :80 app', numbered), []],
    ['two addresses', program('a', 'gunicorn -b 10.0.0.1:80 a') + program('b', 'gunicorn -b 10.0.0.2:80 a'), []],
    ['two ports', program('a', 'redis-server --port 6379') + program('b', 'redis-server --port 6380'), []],
    ['a client', program('a', 'redis-server --port 6379') + program('b', 'redis-cli --port 6379'), []],
    [
      'a program started by hand',
      program('a', 'uvicorn --port 80') + program('b', 'uvicorn --port 80', 'autostart=false\n'),
      [],
    ],
    [
      'one after the other',
      program('a', 'uvicorn --port 80', 'autorestart=false\n') +
        program('b', 'uvicorn --port 80', 'depends_on=a:completed\n'),
      [],
    ],
    [
      'one beside the other',
      program('a', 'uvicorn --port 80') + program('b', 'uvicorn --port 80', 'depends_on=a\n'),
      [/^5: /],
    ],
    [
      'the supervisor',
      '[inet_http_server]\nport=127.0.0.1:9001\n' + program('a', 'uvicorn --port 9001'),
      [/^5: .* listens at port 9001 \(--port\), which is that of the supervisor \(\[inet_http_server\] port\)/],
    ],
    [
      'sockets of FastCGI programs',
      '[fcgi-program:a]\ncommand=x\nsocket=tcp://localhost:9000\n' +
        '[fcgi-program:b]\ncommand=x\nsocket=tcp://localhost:9000\n' +
        '[fcgi-program:c]\ncommand=x\nsocket=unix:///run/x\n[fcgi-program:d]\ncommand=x\nsocket=unix:///run/x\n',
      [
        /^7: \[fcgi-program:b\] socket: listens at port 9000, as \[fcgi-program:a\] \(\S+:4\) does/,
        /^13: \[fcgi-program:d\] socket: is also the socket of \[fcgi-program:c\] \(\S+:10\)/,
      ],
    ],
    [
      'the processes of a FastCGI program share its socket',
      `[fcgi-program:a]\ncommand=x\nsocket=tcp://localhost:9000\n${numbered}`,
      [],
    ],
    [
      'sockets of listen are shared',
      program('a', 'x', `listen=tcp://0.0.0.0:80\n${numbered}`) + program('b', 'x', 'listen=tcp://:80\n'),
      [],
    ],
    ['a server that gets its own address', program('a', 'gunicorn -b localhost:80 app', 'listen=tcp://:80\n'), []],
    [
      'a server at a socket of listen of another program',
      program('a', 'x', 'listen=tcp://:80\nautostart=false\n') + program('b', 'uvicorn --port 80'),
      [/^7: \[program:b\] command: listens at port 80 \(--port\), as \[program:a\] \(\S+:4\) does/],
    ],
    [
      'sockets of listen that include each other',
      program('a', 'x', 'listen=tcp://127.0.0.1:80, tcp://:80\n') + program('b', 'x', 'listen=tcp://[::]:80\n'),
      [
        /^4: .* listen: tcp:\/\/0\.0\.0\.0:80 cannot be opened beside tcp:\/\/127\.0\.0\.1:80; remove one/,
        /^7: \[program:b\] listen: listens at port 80, as \[program:a\] \(\S+:4\) does/,
      ],
    ],
    [
      'a health check with one port for all',
      program('a', 'app --port=80%(process_num)02d', `${numbered}healthcheck=http://localhost:8000/\n`),
      [/^6: \[program:a\] healthcheck: checks all 3 processes at port 8000, but each listens at a port of its own/],
    ],
    [
      'a health check for each',
      program('a', 'app --port=80%(process_num)02d', `${numbered}healthcheck=tcp://localhost:80%(process_num)02d\n`),
      [],
    ],
    [
      'a health check of one server',
      program('a', 'app --id=%(process_num)d', `${numbered}healthcheck=tcp://localhost:80\n`),
      [],
    ],
    ['a command as a health check', program('a', 'app --port=%(process_num)d', `${numbered}healthcheck=ok\n`), []],
  ]);

  test('two servers of the supervisor: every check warns', () => {
    const server = (name: string, port: string): string =>
      `[inet_http_server${name}]\nport=${port}\nusername=a\npassword=b\n`;
    const warningsOf = (...ports: readonly string[]): string[] =>
      readText(
        `[supervisord]\n${ports.map((port, index) => server(index === 0 ? '' : `:${index}`, port)).join('')}`,
      ).warnings.map(formatProblem);
    const [warning, ...others] = warningsOf('9001', '127.0.0.1:9001', '9002');
    assert.match(
      warning ?? '',
      /:7: \[inet_http_server:1\] port: is the port of \[inet_http_server\] too, .* use another port$/,
    );
    assert.deepEqual(others, []);
    assert.deepEqual(warningsOf('127.0.0.1:9001', '10.0.0.1:9001'), []);
  });
});

test('the ports of well-known servers', () => {
  const cases: ReadonlyArray<readonly [command: string, ...ports: string[]]> = [
    ['redis-server /etc/redis.conf --port 6380 --bind 127.0.0.1', '127.0.0.1:6380'],
    ['/usr/bin/memcached -p11212', ':11212'],
    ['python3 -m uvicorn app:app --host 0.0.0.0 --port=8000', '0.0.0.0:8000'],
    ['python /venv/bin/gunicorn -b unix:/run/x -b [::1]:81 app', '::1:81'],
    ['bundle exec puma -b tcp://0.0.0.0:9292', '0.0.0.0:9292'],
    ['poetry run flask run -p 5001', ':5001'],
    ['/usr/bin/env A=1 python3 -m flask run -p 5001', ':5001'],
    ['env python3 -m http.server', ':8000'],
    ['python3 -m http.server --bind ::1 8080', '::1:8080'],
    ['env -i flask'],
    ['env'],
    ['flask db upgrade -p 5001'],
    ['php -S localhost:8000 -t public', 'localhost:8000'],
    ['php artisan serve --port 8080', ':8080'],
    ['php artisan queue:work --port 8080'],
    ['java -jar app.jar --server.port=8081', ':8081'],
    ['node_exporter --web.listen-address=:9100', ':9100'],
    ['uvicorn app --port'],
    ['uvicorn app --port 0'],
    ['uvicorn app --port 70000'],
    ['uvicorn app --port $PORT'],
    ['sleep 8000'],
    [''],
  ];
  for (const [command, ...ports] of cases)
    assert.deepEqual(
      findPorts(command.split(' ')).map(({ host, port }) => `${host}:${port}`),
      ports,
      command,
    );
});

test('addresses that two servers cannot both have', () => {
  const cases: ReadonlyArray<readonly [string, string, boolean]> = [
    ['', 'example', true],
    ['localhost', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.2', false],
    ['127.0.0.1', '::1', false],
    ['0.0.0.0', '::1', false],
    ['0.0.0.0', '::', true],
    ['10.0.0.1', '10.0.0.2', false],
  ];
  for (const [a, b, expected] of cases) {
    assert.equal(isSameAddress({ host: a, port: 1 }, { host: b, port: 1 }), expected, `${a} ${b}`);
    assert.equal(isSameAddress({ host: b, port: 1 }, { host: a, port: 1 }), expected, `${b} ${a}`);
    assert.equal(isSameAddress({ host: a, port: 1 }, { host: a, port: 2 }), false);
  }
});
