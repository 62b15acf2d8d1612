import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cron } from '../../../src/config/cron.ts';
import { parseProbe } from '../../../src/core/probe.ts';
import { RpcFault } from '../../../src/core/faults.ts';
import { callMethod } from '../../../src/rpc/call.ts';
import { formatDaytime } from '../../../src/rpc/durations.ts';
import { createMethodTable } from '../../../src/rpc/method-table.ts';
import { findProblems } from '../../../src/rpc/problems.ts';
import { statusMethods } from '../../../src/rpc/status-methods.ts';
import type { XmlRpcStruct, XmlRpcValue } from '../../../src/rpc/xmlrpc.ts';
import { Client, settle } from './calls.ts';
import type { FakeProgram } from './fake-api.ts';

const CONTEXT = { cwd: '/', home: null, host: null };
const table = createMethodTable(statusMethods);
const call = (client: Client, name: string, ...args: XmlRpcValue[]): Promise<XmlRpcValue> =>
  callMethod(table, client.context, `onevisor.${name}`, args);
const structs = async (client: Client, name: string, ...args: XmlRpcValue[]): Promise<XmlRpcStruct[]> =>
  (await call(client, name, ...args)) as unknown as XmlRpcStruct[];
const LOOP: FakeProgram = {
  name: 'loop',
  options: { autostart: true, startsecs: 0, autorestart: 'true' },
  exitAfterMs: 1000,
  exitCode: 1,
};

test('a crash loop is shown as flapping, with its causes and its last end', async () => {
  const client = new Client([LOOP, { name: 'web', options: { autostart: true } }]);
  const [before] = await structs(client, 'getStatus', ['loop']);
  assert.deepEqual(
    [before?.['flapping'], before?.['unexpected_restarts'], before?.['last_end'], before?.['problem']],
    [false, 0, undefined, undefined],
  );
  for (let second = 0; second < 10; second += 1) client.clock.advance(1000);
  const [loop, web] = await structs(client, 'getStatus');
  assert.equal(loop?.['flapping'], true);
  assert.ok(Number(loop['unexpected_restarts']) >= 3);
  assert.equal((loop['start_cause'] as XmlRpcStruct)['text'], 'autorestart');
  assert.equal((loop['last_end'] as XmlRpcStruct)['why'], 'exit');
  assert.deepEqual([web?.['flapping'], web?.['name']], [false, 'web']);
});

test('a start that executed nothing ends in 1970 for clients of Supervisor, and not in our own views', async () => {
  const client = new Client([{ name: 'bad', spawnError: 'no memory' }]);
  await client.call('startProcess', 'bad', false);
  assert.equal(await client.call('stopProcess', 'bad'), true);
  const { stop, description } = await client.info('bad');
  assert.deepEqual([stop, description], [0, formatDaytime(0)]);
  const [bad] = await structs(client, 'getStatus');
  const { description: described } = (await call(client, 'describeProcess', 'bad')) as XmlRpcStruct;
  assert.deepEqual([bad?.['stop'], bad?.['description'], described], [0, 'Not started', 'Not started']);
  const question = { processes: client.api.processes(), isNamed: true };
  assert.deepEqual(findProblems(client.context, 'ready', question), ['bad: STOPPED Not started']);
});

test('a stop says who asked, and names select processes', async () => {
  const client = new Client([
    { name: 'a', group: 'g', options: { autostart: true } },
    { name: 'b', group: 'g', options: { autostart: true } },
    { name: 'c', options: { autostart: true } },
  ]);
  await client.callFor(5000, 'stopProcess', 'g:a');
  const [a] = await structs(client, 'getStatus', ['g:a']);
  assert.equal((a?.['stop_cause'] as XmlRpcStruct | undefined)?.['method'], 'supervisor.stopProcess');
  const named = await structs(client, 'getStatus', ['g:*', 'c']);
  assert.deepEqual(
    named.map(({ name }) => name),
    ['a', 'b', 'c'],
  );
  assert.equal((await structs(client, 'getStatus', [])).length, 3);
  await assert.rejects(call(client, 'getStatus', ['nobody']), RpcFault.of('BAD_NAME', 'nobody'));
  await assert.rejects(call(client, 'getStatus', 'g'), RpcFault.of('INCORRECT_PARAMETERS'));
});

test('runs and events are read in pieces', async () => {
  const client = new Client([LOOP]);
  for (let second = 0; second < 10; second += 1) client.clock.advance(1000);
  const runs = await structs(client, 'getRuns', 'loop');
  assert.ok(runs.length >= 3);
  const all = (await call(client, 'readEvents')) as { events: Array<{ seq: number }>; complete: boolean };
  assert.equal(all.complete, true);
  const [, second] = all.events;
  const piece = (await call(client, 'readEvents', second?.seq ?? 0, 1)) as typeof all;
  assert.deepEqual(piece.events, all.events.slice(2, 3));
  const none = (await call(client, 'readEvents', all.events.at(-1)?.seq ?? 0)) as typeof all;
  assert.deepEqual(none, { events: [], complete: true, next: all.events.at(-1)?.seq });
});

test('a program that fails to start has a problem', async () => {
  const client = new Client([
    { name: 'bad', options: { autostart: true, startretries: 0 }, spawnError: "can't find command" },
  ]);
  const [bad] = await structs(client, 'getStatus');
  assert.equal(bad?.['problem'], "FATAL can't find command");
  assert.equal((bad['last_end'] as XmlRpcStruct)['outcome'], 'not_executed');
});

test('usage is measured only if it is asked for, and a failure costs only the usage', async () => {
  const client = new Client([{ name: 'web', options: { autostart: true } }]);
  client.api.usages.set('web:web', {
    residentBytes: 2048,
    cpuMs: 30,
    cpuPercent: 12.345,
    processes: [{ pid: 1000, parent: 1, name: 'web', residentBytes: 2048, cpuMs: 30 }],
  });
  const [plain] = await structs(client, 'getStatus');
  assert.equal(plain?.['usage'], undefined);
  const [measured] = await structs(client, 'getStatus', [], true);
  assert.deepEqual(measured?.['usage'], { memory: 2048, cpu_ms: 30, cpu_percent: 12.3, processes: 1 });
  client.api.usages.set('web:web', { residentBytes: 0, cpuMs: 0, cpuPercent: null, processes: [] });
  const [fresh] = await structs(client, 'getStatus', [], true);
  assert.deepEqual(fresh?.['usage'], { memory: 0, cpu_ms: 0, processes: 0 });
  client.api.usageError = new Error('no /proc');
  const [broken] = await structs(client, 'getStatus', [], true);
  assert.equal(broken?.['usage'], undefined);
  assert.deepEqual(client.api.reports.at(-1), ['warn', 'cannot measure the programs: no /proc']);
});

test('a description has the configuration, the tree, the dependencies and the runs', async () => {
  const client = new Client([
    { name: 'db', options: { autostart: true, user: { user: 'postgres', group: 'www' }, directory: '/srv' } },
    { name: 'web', dependsOn: 'db', options: { autostart: true, user: { user: 'app', group: null } } },
  ]);
  client.api.usages.set('db:db', {
    residentBytes: 2048,
    cpuMs: 30,
    cpuPercent: 1,
    processes: [{ pid: 1000, parent: 1, name: 'db', residentBytes: 2048, cpuMs: 30 }],
  });
  client.api.listeners.set(1000, 'tcp 0.0.0.0:5432');
  const db = (await call(client, 'describeProcess', 'db')) as XmlRpcStruct;
  assert.deepEqual(db['dependents'], ['web']);
  assert.deepEqual(db['listens'], ['tcp 0.0.0.0:5432']);
  assert.deepEqual(db['process_tree'], [{ pid: 1000, parent: 1, name: 'db', memory: 2048, cpu_ms: 30 }]);
  const configured = db['configured'] as XmlRpcStruct;
  assert.deepEqual([configured['directory'], configured['user']], ['/srv', 'postgres:www']);
  assert.deepEqual(db['inherited'], {});
  assert.equal((db['runs'] as unknown as unknown[]).length, 1);
  const web = (await call(client, 'describeProcess', 'web')) as XmlRpcStruct;
  assert.deepEqual(web['depends_on'], [{ name: 'db', conditions: ['started'], state: 'STARTING' }]);
  assert.deepEqual(web['process_tree'], []);
  assert.equal((web['configured'] as XmlRpcStruct)['user'], 'app');
  assert.deepEqual(web['inherited'], { directory: '/srv' });
});

test('the last line of the latest ended run is shown for a process that has failed, and cut', async () => {
  const client = new Client([
    { name: 'bad', options: { autostart: true, startsecs: 0, autorestart: 'false' }, exitAfterMs: 1000, exitCode: 3 },
    { name: 'lost', options: { autostart: true, startretries: 0 }, spawnError: "can't find command" },
    LOOP,
  ]);
  for (const name of ['bad:bad', 'lost:lost', 'loop:loop'])
    client.api.lastLines.set(name, { stream: 'stderr', text: 'x'.repeat(400) });
  const [up] = await structs(client, 'getStatus', ['bad']);
  assert.equal(up?.['last_line'], undefined);
  for (let second = 0; second < 10; second += 1) client.clock.advance(1000);
  const [bad, lost, loop] = await structs(client, 'getStatus');
  assert.deepEqual([bad?.['last_line'], bad?.['last_line_stream']], ['x'.repeat(300), 'stderr']);
  assert.equal((bad?.['last_end'] as XmlRpcStruct | undefined)?.['planned'], false);
  assert.equal(lost?.['last_line'], undefined);
  assert.equal(loop?.['flapping'], true);
  assert.notEqual(loop['last_line'], undefined);
  assert.ok(client.api.lastLineCalls.some(({ before }) => before !== null));
  client.api.lastLines.clear();
  const [without] = await structs(client, 'getStatus', ['bad']);
  assert.equal(without?.['last_line'], undefined);
});

test('a description has the check, the limits, the rules and the logs', async () => {
  const client = new Client([
    {
      name: 'web',
      options: {
        healthcheck: parseProbe('http://localhost:8080/health'),
        max_memory: 1024,
        rlimit_nofile: { soft: 1024, hard: 4096 },
        rlimit_core: { soft: Infinity, hard: Infinity },
        exit_on_failure: true,
        exit_on_end: true,
        cron: cron.parse('@daily', CONTEXT),
        tz: 'Europe/Berlin',
      },
    },
    { name: 'plain', options: { redirect_stderr: true } },
  ]);
  const web = (await call(client, 'describeProcess', 'web')) as XmlRpcStruct;
  assert.equal(web['has_healthcheck'], true);
  assert.deepEqual(web['healthcheck'], {
    check: 'http://localhost:8080/health',
    interval: 30,
    timeout: 30,
    retries: 3,
    action: 'none',
  });
  assert.deepEqual(web['limits'], { max_memory: 1024, rlimit_core: 'unlimited', rlimit_nofile: '1024:4096' });
  assert.deepEqual(web['policy'], {
    autorestart: 'unexpected',
    startsecs: 1,
    startretries: 3,
    exitcodes: [0],
    exit_on_failure: true,
    exit_on_end: true,
    cron: '@daily',
    tz: 'Europe/Berlin',
  });
  assert.deepEqual(web['log_targets'], { stdout: 'AUTO', stderr: 'AUTO' });
  const plain = (await call(client, 'describeProcess', 'plain')) as XmlRpcStruct;
  assert.deepEqual(
    [plain['healthcheck'], plain['limits'], plain['log_targets'], plain['redirect_stderr']],
    [undefined, undefined, { stdout: 'AUTO' }, true],
  );
});

test('a description has the conditions of health and the rules of the environment that are set', async () => {
  const client = new Client([
    {
      name: 'web',
      options: {
        healthcheck: parseProbe('http://localhost/'),
        healthcheck_expect: [
          { first: 200, last: 299 },
          { first: 401, last: 401 },
        ],
        healthcheck_body: 'ok',
        healthcheck_success_threshold: 2,
        environment_clear: true,
        environment_pass: ['PATH', 'LC_*'],
        environment_file_expand: true,
        expand_file_variables: ['DB', 'API_*'],
      },
    },
    { name: 'own', options: { expand_file_variables: true } },
    { name: 'plain' },
  ]);
  const web = (await call(client, 'describeProcess', 'web')) as XmlRpcStruct;
  assert.deepEqual(web['healthcheck'], {
    check: 'http://localhost/',
    interval: 30,
    timeout: 30,
    retries: 3,
    action: 'none',
    successes: 2,
    expect: '200-299,401',
    body: 'ok',
  });
  assert.deepEqual(web['environment'], {
    environment_clear: true,
    environment_pass: 'PATH, LC_*',
    environment_file_expand: true,
    expand_file_variables: 'DB, API_*',
  });
  const environmentOf = async (name: string) =>
    ((await call(client, 'describeProcess', name)) as XmlRpcStruct)['environment'];
  assert.deepEqual(
    [await environmentOf('own'), await environmentOf('plain')],
    [{ expand_file_variables: 'true' }, undefined],
  );
});

test('a reader of events waits for the next one', async () => {
  const client = new Client([{ name: 'web' }]);
  const { next } = (await call(client, 'readEvents', 1e9)) as { next: number };
  let answer: XmlRpcStruct | null = null;
  const waiting = call(client, 'readEvents', next, 10, 60_000).then((value) => (answer = value as XmlRpcStruct));
  await settle();
  assert.equal(answer, null);
  assert.equal(client.api.eventWaits.waiting, 1);
  client.api.start('web:web', client.context.request);
  client.clock.advance(49);
  await settle();
  assert.equal(answer, null);
  client.clock.advance(1);
  const { events } = (await waiting) as unknown as { events: Array<{ to?: string }> };
  assert.equal(events[0]?.to, 'STARTING');
  const idle = call(client, 'readEvents', 1e9, 10, 60_000);
  client.clock.advance(30_000);
  assert.deepEqual(((await idle) as XmlRpcStruct)['events'], []);
  client.api.canWait = false;
  await assert.rejects(call(client, 'readEvents', 0, 10, 1), /too many clients wait for events/);
});

test('a description has the latest health check, with the time of day', async () => {
  const client = new Client([{ name: 'web', options: { autostart: true } }]);
  const lastCheck = async (): Promise<unknown> =>
    ((await call(client, 'describeProcess', 'web')) as XmlRpcStruct)['last_check'];
  assert.equal(await lastCheck(), undefined);
  const atMs = client.api.nowMs() - 50;
  const at = Math.round(client.api.wallMs() - 50);
  client.api.checkAnswer = { atMs, failure: null, output: 'all good' };
  assert.deepEqual(await lastCheck(), { at, passed: true, output: 'all good' });
  client.api.checkAnswer = { atMs, failure: 'no', output: '' };
  assert.deepEqual(await lastCheck(), { at, passed: false, failure: 'no', output: '' });
});

test('many names are refused, and repeated ones count once', async () => {
  const client = new Client([{ name: 'web' }]);
  assert.equal(
    (
      await structs(
        client,
        'getStatus',
        Array.from({ length: 1000 }, () => 'web'),
      )
    ).length,
    1,
  );
  assert.equal((await structs(client, 'getStatus', ['web', 'web:*', 'web:web'])).length, 1);
  await assert.rejects(
    call(
      client,
      'getStatus',
      Array.from({ length: 201 }, (_none, index) => `web${index}`),
    ),
    RpcFault.of('INCORRECT_PARAMETERS', 'at most 200 names; without names: all processes'),
  );
});
