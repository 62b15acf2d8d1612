/** The methods that Supervisor does not have: their answers and faults. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RpcFault } from '../../../src/core/faults.ts';
import { callMethod } from '../../../src/rpc/call.ts';
import { createMethodTable } from '../../../src/rpc/method-table.ts';
import { ownMethods } from '../../../src/rpc/own-methods.ts';
import type { CallContext } from '../../../src/rpc/method.ts';
import type { XmlRpcStruct, XmlRpcValue } from '../../../src/rpc/xmlrpc.ts';
import { Client } from './calls.ts';

const table = createMethodTable(ownMethods);

test('planUpdate answers with four lists of names', async () => {
  const client = new Client([{ name: 'web' }]);
  const plan = { stopped: ['a'], restarted: ['b', 'c'], started: [], changed: ['d'] };
  client.api.planAnswer = plan;
  assert.deepEqual(await callMethod(table, client.context, 'onevisor.planUpdate', ['web']), plan);
});

for (const name of ['onevisor.planUpdate', 'onevisor.updateGroup']) {
  test(`${name} is a fault for a group that can only be replaced as a whole`, async () => {
    const { context } = new Client([{ name: 'web' }]);
    await assert.rejects(callMethod(table, context, name, ['web']), RpcFault.of('BAD_NAME', 'web'));
    await assert.rejects(callMethod(table, context, name, [5]), RpcFault.of('INCORRECT_PARAMETERS'));
  });
}

test('shutdownAgain is answered during a shutdown, unlike the methods of Supervisor', async () => {
  const { context, api } = new Client([{ name: 'web' }]);
  assert.equal(await callMethod(table, context, 'onevisor.shutdownAgain', []), false);
  api.shutdown(context.request);
  assert.equal(await callMethod(table, context, 'onevisor.shutdownAgain', []), true);
});

test('log files of one process are reopened and rotated', async () => {
  const { context, api } = new Client([{ name: 'web' }]);
  assert.equal(await callMethod(table, context, 'onevisor.reopenProcessLogs', ['web']), true);
  assert.equal(await callMethod(table, context, 'onevisor.rotateProcessLogs', ['web:web']), true);
  assert.deepEqual(api.tended, ['reopen web:web', 'rotate web:web']);
  api.tendError = 'disk full';
  await assert.rejects(
    callMethod(table, context, 'onevisor.rotateProcessLogs', ['web']),
    RpcFault.of('FAILED', 'cannot rotate the logs of web: disk full'),
  );
  await assert.rejects(callMethod(table, context, 'onevisor.rotateProcessLogs', ['no']), RpcFault.of('BAD_NAME', 'no'));
});

test('a program is scaled, or the reason is told', async () => {
  const { context, api } = new Client([{ name: 'web' }]);
  const scaleWeb = (count: XmlRpcValue): Promise<XmlRpcValue> =>
    callMethod(table, context, 'onevisor.scaleProgram', ['web', count]);
  api.scaleAnswer = { kind: 'scaled', from: 1, started: ['web_1', 'web_2'], stopped: [] };
  assert.deepEqual(await scaleWeb(3), { from: 1, started: ['web_1', 'web_2'], stopped: [] });
  assert.deepEqual(api.scaled, ['web=3']);
  await assert.rejects(scaleWeb(0), RpcFault.of('INCORRECT_PARAMETERS', 'the number of processes must be 1 or more'));
  api.scaleAnswer = { kind: 'refused', reason: 'it is a listener' };
  await assert.rejects(scaleWeb(3), RpcFault.of('FAILED', 'cannot scale web: it is a listener'));
  api.scaleAnswer = { kind: 'unknown' };
  await assert.rejects(scaleWeb(3), RpcFault.of('BAD_NAME', 'web'));
});

test('the settings of a program are told over a unix socket only, exactly', async () => {
  const { context, api } = new Client([{ name: 'web' }]);
  const ask = (client: CallContext['client']): Promise<XmlRpcValue> =>
    callMethod(table, { ...context, client }, 'onevisor.getLaunchSettings', ['web']);
  api.settingsAnswer = {
    env: ['A=\udcff', 'B=x'],
    directory: '/srv',
    umask: 18,
    uid: 5,
    gid: 6,
    groups: [6, 7],
    limits: [{ resource: 'nofile', soft: 77, hard: Infinity }],
    nice: 5,
    oomScoreAdj: null,
    mountNamespace: 'mnt:[1]',
  };
  assert.deepEqual(await ask(context.client), {
    env: '["A=\\udcff","B=x"]',
    directory: '"/srv"',
    umask: 18,
    uid: 5,
    gid: 6,
    groups: [6, 7],
    limits: [{ resource: 'nofile', soft: 77, hard: -1 }],
    nice: 5,
    mount_namespace: 'mnt:[1]',
  });
  for (const door of ['tcp', 'page', 'plugin'] as const)
    await assert.rejects(ask({ ...context.client, door }), /over a unix socket only/);
  api.settingsAnswer = { ...api.settingsAnswer, nice: null, oomScoreAdj: 9 };
  assert.equal(((await ask(context.client)) as XmlRpcStruct)['oom_score_adj'], 9);
  api.settingsAnswer = "can't find username 'x'";
  await assert.rejects(ask(context.client), /cannot run a command as web: can't find username 'x'/);
});
