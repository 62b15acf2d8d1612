/** The paragraph of `onevisor why`, for the situations that people ask about. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ProcessStateName } from '../../../src/core/states.ts';
import { explainProcess } from '../../../src/ctl/why.ts';
import type { XmlRpcStruct } from '../../../src/rpc/xmlrpc.ts';
import { endStruct, EXIT_3, NOW, statusOf, STOPPED_BY_CLIENT } from './status-structs.ts';

const POLICY = { autorestart: 'unexpected', startsecs: 1, startretries: 3, exitcodes: [0, 2] } as const;
const KILLED = { outcome: 'signaled', exit_signal: 'SIGKILL', core: false } as const;
const AUTOSTART = { kind: 'boot', text: 'autostart' } as const;
const SHUTDOWN = {
  kind: 'shutdown',
  text: 'shutdown of the supervisor: program db:db ended (exit status 3): exit_on_failure',
} as const;
/** 2026-11-29 12:00 in the time zone of the test, as the texts have it. */
const CLOCK = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g;

type Situation = readonly [title: string, state: ProcessStateName, more: XmlRpcStruct, paragraph: string];

const situations: readonly Situation[] = [
  [
    'all is well',
    'RUNNING',
    { start_cause: AUTOSTART, policy: POLICY },
    'web is RUNNING with pid 4711 since TIME (3 min), started: autostart.',
  ],
  [
    'crash loop',
    'RUNNING',
    {
      flapping: true,
      unexpected_restarts: 4,
      flapping_window: 600,
      start_cause: { kind: 'policy', text: 'autorestart' },
      last_end: endStruct(12, EXIT_3),
      last_line: 'no module named flask',
    },
    'web is RUNNING with pid 4711 since TIME (3 min), started: autorestart. It is flapping: 4 unexpected ' +
      'restarts within 10 min. Its last run ended 12 s ago, after 1.5 s, with exit 3. The last line of ' +
      'that run: "no module named flask".',
  ],
  [
    'missing command',
    'FATAL',
    { last_end: endStruct(30, { outcome: 'not_executed', reason: "can't find command '/app/run'" }) },
    "web is FATAL: can't find command '/app/run'. It stays so until `onevisor start web`.",
  ],
  [
    'start fails',
    'FATAL',
    { policy: POLICY, description: 'Exited too quickly', last_end: endStruct(30, EXIT_3), last_line: 'port in use' },
    'web is FATAL: Exited too quickly; startretries=3 allows no more tries. Its last run ended 30 s ago, ' +
      'after 1.5 s, with exit 3. The last line of that run: "port in use". It stays so until `onevisor ' +
      'start web`.',
  ],
  [
    'too many restarts',
    'FATAL',
    {
      failure: 'restarted_too_often',
      description: 'more than 5 restarts within 60 seconds (max_restarts)',
      last_end: endStruct(3, EXIT_3),
    },
    'web is FATAL: more than 5 restarts within 60 seconds (max_restarts). Its last run ended 3 s ago, ' +
      'after 1.5 s, with exit 3. It stays so until `onevisor start web`.',
  ],
  [
    'FATAL of a supervisord',
    'FATAL',
    { description: 'Exited too quickly (process log may have details)' },
    'web is FATAL: Exited too quickly (process log may have details). It stays so until `onevisor start web`.',
  ],
  [
    'out of memory',
    'EXITED',
    { last_end: endStruct(30, { outcome: 'out_of_memory' }), policy: POLICY },
    'web has EXITED: out of memory; nobody asked for that; autorestart=unexpected. Its last run ended 30 ' +
      's ago, after 1.5 s, with out of memory.',
  ],
  [
    'stopped by a person',
    'STOPPED',
    {
      start: NOW - 500,
      stop_cause: STOPPED_BY_CLIENT,
      last_end: endStruct(300, { ...KILLED, planned: true, cause: STOPPED_BY_CLIENT }),
    },
    'web was STOPPED 5 min ago; cause: supervisor.stopProcess of a client (user admin, uid 0, pid 77). ' +
      'Its last run ended 5 min ago, after 1.5 s, with SIGKILL; cause: supervisor.stopProcess of a client ' +
      '(user admin, uid 0, pid 77).',
  ],
  [
    'restarted for memory',
    'RUNNING',
    {
      start_cause: { kind: 'memory', text: 'uses 120 MB, more than max_memory (100 MB)' },
      last_end: endStruct(200, {
        ...KILLED,
        cause: { kind: 'memory', text: 'uses 120 MB, more than max_memory (100 MB)' },
      }),
    },
    'web is RUNNING with pid 4711 since TIME (3 min), started: uses 120 MB, more than max_memory (100 ' +
      'MB). Its last run ended 3 min ago, after 1.5 s, with SIGKILL; cause: uses 120 MB, more than ' +
      'max_memory (100 MB).',
  ],
  [
    'unhealthy',
    'RUNNING',
    {
      health: 'unhealthy',
      health_reason: 'status 503',
      healthcheck: { check: 'http://localhost/health', interval: 10, timeout: 5, retries: 3, action: 'none' },
    },
    'web is RUNNING with pid 4711 since TIME (3 min). It is unhealthy (http://localhost/health, every 10 ' +
      's): status 503.',
  ],
  [
    'not ready yet',
    'RUNNING',
    {
      ready: false,
      health: 'starting',
      status_text: 'loading 12 of 40',
      healthcheck: { check: 'tcp://localhost:80', interval: 10 },
    },
    'web is RUNNING with pid 4711 since TIME (3 min). Its health is not known yet (tcp://localhost:80, ' +
      'every 10 s). It has not reported that it is ready. It says: "loading 12 of 40".',
  ],
  [
    'healthy',
    'RUNNING',
    { health: 'healthy', ready: true },
    'web is RUNNING with pid 4711 since TIME (3 min). It is healthy.',
  ],
  [
    'autostart=false',
    'STOPPED',
    { autostart: false, policy: POLICY },
    'web is STOPPED: it was never started, because autostart=false, and nobody has asked for a start.',
  ],
  ['never started', 'STOPPED', {}, 'web is STOPPED: it was never started.'],
  [
    'waits for its schedule',
    'STOPPED',
    { purpose: 'scheduled', next_run: NOW + 7200, policy: { ...POLICY, cron: '0 4 * * *' } },
    'web waits for its schedule (0 4 * * *), and was never started. Its next run is at TIME, in 2 h.',
  ],
  [
    'expected exit code',
    'EXITED',
    { policy: POLICY, last_end: endStruct(30, { outcome: 'exited', exit_code: 2, planned: true }) },
    'web has EXITED: exit 2; that is expected (exitcodes=0, 2); autorestart=unexpected. Its last run ' +
      'ended 30 s ago, after 1.5 s, with exit 2.',
  ],
  [
    'killed from outside',
    'EXITED',
    { policy: POLICY, last_end: endStruct(30, KILLED), restarting: true, last_line: 'serving' },
    'web has EXITED: SIGKILL; nobody asked for that; autorestart=unexpected. Its last run ended 30 s ' +
      'ago, after 1.5 s, with SIGKILL; the signal came from outside of the supervisor. The last line of ' +
      'that run: "serving". It is started again.',
  ],
  [
    'after a signal of a client',
    'EXITED',
    { last_end: endStruct(30, { ...KILLED, sent_signal: { signal: 'SIGKILL', cause: STOPPED_BY_CLIENT } }) },
    'web has EXITED: SIGKILL. Its last run ended 30 s ago, after 1.5 s, with SIGKILL; a signal was sent ' +
      'before: supervisor.stopProcess of a client (user admin, uid 0, pid 77).',
  ],
  ['EXITED of a supervisord', 'EXITED', { description: 'Nov 29 12:00 PM' }, 'web has EXITED: Nov 29 12:00 PM.'],
  [
    'backoff',
    'BACKOFF',
    { failed_starts: 2, last_end: endStruct(1, EXIT_3), last_line: 'port in use' },
    'web is in BACKOFF: 2 starts in a row failed, and the next try follows. Its last run ended 1 s ago, ' +
      'after 1.5 s, with exit 3. The last line of that run: "port in use".',
  ],
  ['first failure', 'BACKOFF', { failed_starts: 1 }, 'web is in BACKOFF: a start failed, and the next try follows.'],
  [
    'starting',
    'STARTING',
    { policy: POLICY, start_cause: AUTOSTART },
    'web is STARTING with pid 4711 since TIME, started: autostart; it is RUNNING after 1 s without an ' +
      'exit (startsecs).',
  ],
  ...(
    [
      ['post_stop_command', 'waits for post_stop_command of its last run'],
      ['stop_command', 'waits for stop_command of its last run'],
      ['kill_orphans', 'waits for the remaining processes of its last run (kill_orphans)'],
      ['pre_start_command', 'waits for pre_start_command'],
    ] as const
  ).map(([step, text]): Situation => [
    `starting, before the execution: ${step}`,
    'STARTING',
    { policy: POLICY, pid: 0, start_cause: AUTOSTART, start_waits_for: step },
    `web is STARTING since TIME, started: autostart; it ${text}.`,
  ]),
  ['a step of a later version', 'STARTING', { start_waits_for: 'x' }, 'web is STARTING with pid 4711 since TIME.'],
  ['starting, of a supervisord', 'STARTING', {}, 'web is STARTING with pid 4711 since TIME.'],
  [
    'exit_on_failure ends the container',
    'STOPPING',
    { stop_cause: SHUTDOWN },
    'web is STOPPING with pid 4711: shutdown of the supervisor: program db:db ended (exit status 3): exit_on_failure.',
  ],
  [
    'stop before a start',
    'STOPPING',
    { restarting: true },
    'web is STOPPING with pid 4711. It is started again after that.',
  ],
  ['lost', 'UNKNOWN', {}, 'web is in the state UNKNOWN: the kernel refused to send it a signal.'],
  [
    'its place',
    'RUNNING',
    { configured: { file: '/etc/supervisord.conf', line: 12, command: '/app/run --port 80', user: 'app:www' } },
    'web is RUNNING with pid 4711 since TIME (3 min). Configured at /etc/supervisord.conf:12: /app/run ' +
      '--port 80 (user app:www)',
  ],
  [
    'another number of processes',
    'RUNNING',
    { scaled_from: 12, configured: { file: '/etc/supervisord.conf', line: 12, command: 'run' } },
    'web is RUNNING with pid 4711 since TIME (3 min). Configured at /etc/supervisord.conf:12 (numprocs=12, and ' +
      'another number by `onevisor scale`): run',
  ],
  [
    'more restarts than are remembered',
    'RUNNING',
    { flapping: true, unexpected_restarts: 100, flapping_window: 600 },
    'web is RUNNING with pid 4711 since TIME (3 min). It is flapping: 100 or more unexpected restarts within 10 min.',
  ],
  [
    'place of a variable',
    'RUNNING',
    { configured: { file: 'ONEVISOR_PROGRAM_WEB__COMMAND', line: 0, command: 'run' } },
    'web is RUNNING with pid 4711 since TIME (3 min). Configured at ONEVISOR_PROGRAM_WEB__COMMAND: run',
  ],
];

describe('why', () => {
  for (const [title, state, more, paragraph] of situations)
    test(title, async () =>
      assert.equal(explainProcess(await statusOf('web', state, more)).replaceAll(CLOCK, 'TIME'), paragraph),
    );

  test('waits for a process that has failed itself', async () => {
    const web = await statusOf('web', 'STOPPED', {
      hold: 'stuck',
      description: 'cannot start: db must be started and is FATAL',
    });
    const db = await statusOf('db', 'FATAL', {
      description: 'Exited too quickly',
      last_end: endStruct(5, EXIT_3),
      last_line: 'disk full',
    });
    assert.equal(
      explainProcess(web, [db]),
      'web cannot start: db must be started and is FATAL. db is FATAL: Exited too quickly. Its last run ' +
        'ended 5 s ago, after 1.5 s, with exit 3. The last line of that run: "disk full".',
    );
    const chain = await statusOf('cache', 'STOPPED', { hold: 'waiting', description: 'waits for db to be started' });
    assert.equal(
      explainProcess(web, [chain]),
      `web cannot start: db must be started and is FATAL. cache waits for db to be started.`,
    );
  });
});
