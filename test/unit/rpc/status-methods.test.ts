import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RpcFault } from '../../../src/core/faults.ts';
import { callMethod } from '../../../src/rpc/call.ts';
import { createMethodTable } from '../../../src/rpc/method-table.ts';
import { statusMethods } from '../../../src/rpc/status-methods.ts';
import type { XmlRpcStruct, XmlRpcValue } from '../../../src/rpc/xmlrpc.ts';
import { Client } from './calls.ts';
import type { FakeProgram } from './fake-api.ts';

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
  assert.deepEqual(none, { events: [], complete: true });
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
  const db = (await call(client, 'describeProcess', 'db')) as XmlRpcStruct;
  assert.deepEqual(db['dependents'], ['web']);
  assert.deepEqual(db['process_tree'], [{ pid: 1000, parent: 1, name: 'db', memory: 2048, cpu_ms: 30 }]);
  const configured = db['configured'] as XmlRpcStruct;
  assert.deepEqual([configured['directory'], configured['user']], ['/srv', 'postgres:www']);
  assert.equal((db['runs'] as unknown as unknown[]).length, 1);
  const web = (await call(client, 'describeProcess', 'web')) as XmlRpcStruct;
  assert.deepEqual(web['depends_on'], [{ name: 'db', conditions: ['started'] }]);
  assert.deepEqual(web['process_tree'], []);
  assert.equal((web['configured'] as XmlRpcStruct)['user'], 'app');
});
