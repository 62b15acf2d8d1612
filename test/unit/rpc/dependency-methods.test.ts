/** `onevisor.getDependents` and `onevisor.getMissingDependencies`: names in the order of starts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cron } from '../../../src/config/cron.ts';
import { RpcFault } from '../../../src/core/faults.ts';
import { callMethod } from '../../../src/rpc/call.ts';
import { dependencyMethods } from '../../../src/rpc/dependency-methods.ts';
import { createMethodTable } from '../../../src/rpc/method-table.ts';
import type { XmlRpcValue } from '../../../src/rpc/xmlrpc.ts';
import { Client } from './calls.ts';
import type { FakeProgram } from './fake-api.ts';

const table = createMethodTable(dependencyMethods);
const call = (client: Client, name: string, ...names: string[]): Promise<XmlRpcValue> =>
  callMethod(table, client.context, `onevisor.${name}`, [names]);

/** A chain: log needs web, which needs app, which needs db. */
const CHAIN: readonly FakeProgram[] = [
  { name: 'log', dependsOn: 'web' },
  { name: 'web', dependsOn: 'app' },
  { name: 'db' },
  { name: 'app', dependsOn: 'db' },
  { name: 'other' },
].map((program) => ({ ...program, options: { autostart: false, startsecs: 0 } }));

test('dependents come in the order of starts, without the given ones, each once', async () => {
  const client = new Client(CHAIN);
  assert.deepEqual(await call(client, 'getDependents', 'db'), ['app', 'web', 'log']);
  assert.deepEqual(await call(client, 'getDependents', 'app', 'db', 'app:*'), ['web', 'log']);
  assert.deepEqual(await call(client, 'getDependents', 'log', 'other'), []);
  await assert.rejects(call(client, 'getDependents', 'nope'), RpcFault.of('BAD_NAME', 'nope'));
});

test('missing dependencies are those that do not run and do not meet their condition', async () => {
  const client = new Client(CHAIN);
  assert.deepEqual(await call(client, 'getMissingDependencies', 'log'), ['db', 'app', 'web']);
  await client.callFor(5000, 'startProcess', 'db');
  assert.deepEqual(await call(client, 'getMissingDependencies', 'log'), ['app', 'web']);
  // A program that waits already starts when its own dependencies do.
  await client.call('startProcess', 'web', false);
  assert.deepEqual(await call(client, 'getMissingDependencies', 'log'), ['app']);
  await client.callFor(5000, 'startProcess', 'app');
  assert.deepEqual(await call(client, 'getMissingDependencies', 'log', 'other'), []);
});

test('a scheduled program is left to its schedule, and a removed one is no help', async () => {
  const schedule = cron.parse('@daily', { cwd: '/', home: null, host: null });
  const client = new Client([
    { name: 'backup', options: { autostart: false, cron: schedule } },
    { name: 'web', dependsOn: 'backup', options: { autostart: false } },
    { name: 'api', dependsOn: 'gone', options: { autostart: false } },
  ]);
  assert.deepEqual(await call(client, 'getMissingDependencies', 'web', 'api'), []);
});
