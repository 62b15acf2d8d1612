/** The text of `onevisor describe`, as screens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { XmlRpcStruct } from '../../../src/rpc/xmlrpc.ts';
import { fitLines, formatDescription } from '../../../src/ctl/description.ts';
import type { Screen } from '../../../src/ctl/screen.ts';
import { endStruct, EXIT_3, NOW, statusOf, STOPPED_BY_CLIENT, screen } from './status-structs.ts';

const SCREEN: Screen = { columns: 80, hasColour: false, hasUnicode: true };
const CLOCK = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g;
const shown = (lines: readonly string[]): string => lines.join('\n').replaceAll(CLOCK, 'TIME');

test('everything about a process', async () => {
  const runs = [9, 60, 120, 200, 300, 400].toReversed().map((age, index) => ({
    run: index + 1,
    ...(index === 0 ? {} : { pid: 40 + index }),
    start_seq: index * 10,
    started: (NOW - age - 2) * 1000,
    start_cause: { kind: 'policy', text: 'autorestart' },
    end: endStruct(age, EXIT_3),
  }));
  const status = await statusOf('shop:web', 'RUNNING', {
    health: 'unhealthy',
    health_reason: 'status 503',
    ready: true,
    restarts: 6,
    flapping: true,
    unexpected_restarts: 6,
    last_end: endStruct(9, EXIT_3),
    last_line: 'no module named flask',
    start_cause: { kind: 'policy', text: 'autorestart' },
    configured: {
      file: '/etc/supervisord.conf',
      line: 12,
      command: 'gunicorn app:app',
      user: 'app',
      directory: '/srv/app',
    },
    policy: {
      autorestart: 'true',
      startsecs: 1,
      startretries: 3,
      exitcodes: [0, 2],
      exit_on_failure: true,
      cron: '@daily',
      tz: 'Europe/Berlin',
    },
    healthcheck: { check: 'http://localhost/health', interval: 10, timeout: 5, retries: 3, action: 'restart' },
    last_check: { at: (NOW - 4) * 1000, passed: false, failure: 'status 503', output: '' },
    limits: { max_memory: 104_857_600, rlimit_nofile: '1024:4096' },
    depends_on: [
      { name: 'db', conditions: ['healthy'], state: 'RUNNING', health: 'healthy' },
      { name: 'gone', conditions: ['started', 'completed'] },
    ],
    listens: ['tcp 0.0.0.0:80', 'unix /run/web.sock'],
    dependents: ['proxy', 'cron'],
    next_run: NOW + 3600,
    stdout_logfile: '/var/log/web.log',
    stderr_logfile: '',
    log_targets: { stdout: '/var/log/web.log, syslog', stderr: 'syslog' },
    process_tree: [
      { pid: 4711, parent: 1, name: 'gunicorn', memory: 50_000_000, cpu_ms: 1200 },
      { pid: 4712, parent: 4711, name: 'worker\u001b[2J', memory: 20_000_000, cpu_ms: 90_000 },
      { pid: 4714, parent: 4712, name: 'sh', memory: 500, cpu_ms: 0 },
      { pid: 4713, parent: 4711, name: 'worker', memory: 20_000_000, cpu_ms: 0 },
    ],
    usage: { memory: 90_000_000, cpu_percent: 12.5, processes: 4 },
    runs,
  });
  const output = [
    { title: 'Last lines of stdout (pid 4711):', lines: ['one', 'two'] },
    { title: 'Last lines of stderr of the run before (pid 45):', lines: ['failed'] },
  ];
  assert.equal(shown(formatDescription(status, output, SCREEN)), screen('describe-everything'));
});

test('a process that is stopped, and the logs of the container', async () => {
  const status = await statusOf('web', 'STOPPED', {
    start: NOW - 500,
    stop_cause: STOPPED_BY_CLIENT,
    last_end: endStruct(300, { ...EXIT_3, planned: true }),
    configured: { file: '/etc/supervisord.conf', line: 12, command: 'run' },
    policy: { autorestart: 'false' },
    depends_on: [],
    dependents: [],
    healthcheck: { check: 'tcp://localhost:80', interval: 10, timeout: 5, retries: 3, action: 'none' },
    last_check: { at: (NOW - 4) * 1000, passed: true, output: '3 replicas' },
    stdout_logfile: '/dev/stdout',
    stderr_logfile: '',
    log_targets: { stdout: '/dev/stdout' },
    redirect_stderr: true,
    process_tree: [],
    runs: [],
  });
  assert.equal(shown(formatDescription(status, [], { ...SCREEN, hasUnicode: false })), screen('describe-stopped'));
});

test('a user and a directory that are not set are those of the supervisor', async () => {
  const linesOf = async (struct: XmlRpcStruct): Promise<string[]> => {
    const status = await statusOf('web', 'RUNNING', { configured: { file: 'f', line: 1, command: 'run' }, ...struct });
    return formatDescription(status, [], SCREEN).filter((line) => /User|Directory|Why/.test(line));
  };
  assert.deepEqual(await linesOf({ inherited: { uid: 0, directory: '/srv' } }), [
    '        User: root (as the supervisor)',
    '   Directory: /srv (as the supervisor)',
  ]);
  assert.deepEqual(await linesOf({ inherited: { uid: 1000 }, scaled_from: 2 }), [
    '         Why: scaled from numprocs=2',
    '        User: uid 1000 (as the supervisor)',
  ]);
});

test('conditions of health and rules of the environment are shown if they are set', async () => {
  const status = await statusOf('web', 'RUNNING', {
    healthcheck: { check: 'http://x/', interval: 1, timeout: 2, retries: 3, action: 'none' },
    configured: { file: 'f', line: 1, command: 'run' },
  });
  const linesOf = (struct: XmlRpcStruct): string[] =>
    formatDescription({ ...status, info: { ...status.info, struct } }, [], SCREEN).filter((line) =>
      /Check:|Environment:/.test(line),
    );
  const healthcheck = { check: 'http://x/', interval: 1, timeout: 2, retries: 3, action: 'none' };
  const rule = 'every 1 s, at most 2 s, unhealthy after 3 failures';
  assert.deepEqual(linesOf({ healthcheck }), [`       Check: http://x/ (${rule})`]);
  assert.deepEqual(
    linesOf({
      healthcheck: { ...healthcheck, expect: '200-299,401', body: 'ok', successes: 2 },
      environment: { environment_clear: true, environment_pass: 'PATH, LC_*', expand_file_variables: 'DB' },
    }),
    [
      `       Check: http://x/ (${rule}; status 200-299,401; body with "ok"; healthy after 2 passed checks)`,
      ' Environment: environment_clear; environment_pass=PATH, LC_*; expand_file_variables=DB',
    ],
  );
});

test('less is known with a supervisord', async () => {
  const status = await statusOf('web', 'RUNNING', { restarts: null as never, description: 'pid 4711, uptime 0:03:20' });
  assert.equal(
    shown(formatDescription(status, [], SCREEN)),
    `● web
       State: RUNNING since TIME (3 min ago), pid 4711`,
  );
  const silent = await statusOf('web', 'STOPPED', { log_targets: {}, restarts: null as never });
  assert.equal(
    shown(formatDescription(silent, [], SCREEN)),
    `○ web
       State: STOPPED
         Why: not started
      Stdout: in memory only
      Stderr: in memory only`,
  );
});

test('lines of output are cut on a terminal only', () => {
  const long = 'x'.repeat(100);
  assert.deepEqual(fitLines([long], SCREEN), [`${'x'.repeat(77)}…`]);
  assert.deepEqual(fitLines([long], { ...SCREEN, columns: null }), [long]);
});
