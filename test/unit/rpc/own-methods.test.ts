/** The methods that Supervisor does not have: their answers and faults. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RpcFault } from '../../../src/core/faults.ts';
import { callMethod } from '../../../src/rpc/call.ts';
import { createMethodTable } from '../../../src/rpc/method-table.ts';
import { ownMethods } from '../../../src/rpc/own-methods.ts';
import { stateMethods } from '../../../src/rpc/state-methods.ts';
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

test('a group whose socket cannot be opened is a fault with the reason', async () => {
  const { api, context } = new Client([{ name: 'web' }]);
  const refused = { refused: 'FILE:7: [program:web] listen: cannot' };
  Object.assign(api, { updateGroup: () => Promise.resolve(refused), addGroup: () => refused });
  const isFault = (error: unknown): boolean =>
    error instanceof RpcFault &&
    error.faultString === `FAILED: web: ${refused.refused}` &&
    error.reason === refused.refused;
  await assert.rejects(callMethod(table, context, 'onevisor.updateGroup', ['web']), isFault);
  const state = createMethodTable(stateMethods);
  await assert.rejects(async () => callMethod(state, context, 'supervisor.addProcessGroup', ['web']), isFault);
});

test('shutdownAgain is answered during a shutdown, unlike the methods of Supervisor', async () => {
  const { context, api } = new Client([{ name: 'web' }]);
  assert.equal(await callMethod(table, context, 'onevisor.shutdownAgain', []), false);
  api.shutdown(context.request);
  assert.equal(await callMethod(table, context, 'onevisor.shutdownAgain', []), true);
});

test('during shutdown_delay, methods that change nothing work, and endShutdownDelay stops the processes', async () => {
  const { context, api } = new Client([{ name: 'web' }]);
  assert.equal(await callMethod(table, context, 'onevisor.endShutdownDelay', []), false);
  api.start('web:web', context.request);
  api.shutdownDelayMs = 600_000;
  api.shutdown(context.request);
  assert.equal(api.isDelayed(), true);
  assert.deepEqual(await callMethod(table, context, 'supervisor.getState', []), {
    statecode: -1,
    statename: 'SHUTDOWN',
  });
  await assert.rejects(callMethod(table, context, 'supervisor.stopProcess', ['web']), RpcFault.of('SHUTDOWN_STATE'));
  assert.deepEqual(api.signals, []);
  assert.equal(await callMethod(table, context, 'onevisor.endShutdownDelay', []), true);
  assert.deepEqual(api.signals, ['15 web']);
  await assert.rejects(callMethod(table, context, 'supervisor.getState', []), RpcFault.of('SHUTDOWN_STATE'));
});

test('a program is asked to read its configuration again, or the reason is told', async () => {
  const { context, api } = new Client([{ name: 'web' }]);
  const reload = (name: string): Promise<XmlRpcValue> => callMethod(table, context, 'onevisor.reloadProcess', [name]);
  api.reloadAnswer = { kind: 'tried', result: { way: { kind: 'signal', signal: 1 }, failure: null } };
  assert.equal(await reload('web'), 'SIGHUP');
  api.reloadAnswer = { kind: 'tried', result: { way: { kind: 'command' }, failure: 'it failed' } };
  await assert.rejects(reload('web:web'), RpcFault.of('FAILED', 'cannot reload web:web: it failed'));
  api.reloadAnswer = { kind: 'refused', reason: 'it is not running (STOPPED)' };
  await assert.rejects(reload('web'), RpcFault.of('FAILED', 'cannot reload web: it is not running (STOPPED)'));
  await assert.rejects(reload('no'), RpcFault.of('BAD_NAME', 'no'));
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

test('settings are applied, or only compared', async () => {
  const { context, api } = new Client([{ name: 'web' }]);
  const answer = { live: ['loglevel'], pending: ['umask'] };
  assert.deepEqual(await callMethod(table, context, 'onevisor.updateSettings', []), answer);
  assert.deepEqual(await callMethod(table, context, 'onevisor.updateSettings', [false]), answer);
  assert.deepEqual(api.settingsUpdates, [true, false]);
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

test('sections [notify:x] are compared, updated and tested', async () => {
  const { context, api } = new Client([{ name: 'web' }]);
  const changes = { added: ['new'], removed: ['old'], changed: ['other'] };
  api.notificationChanges = changes;
  for (const name of ['plan', 'update'])
    assert.deepEqual(await callMethod(table, context, `onevisor.${name}Notifications`, []), changes);
  api.testAnswers.set('ops', null).set('mail', 'exit status 1');
  const testBy = (name: string): Promise<XmlRpcValue> =>
    callMethod(table, context, 'onevisor.testNotification', [name]);
  assert.equal(await testBy('ops'), '');
  assert.equal(await testBy('mail'), 'exit status 1');
  await assert.rejects(testBy('x'), RpcFault.of('BAD_NAME', 'x'));
  // Only calls that change something are kept in the history.
  assert.deepEqual(
    api.requests.map((request) => request.split(' ')[0]),
    ['onevisor.updateNotifications', ...Array<string>(3).fill('onevisor.testNotification')],
  );
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
    capabilities: { dropped: [12], kept: [10], ambient: [10] },
    noNewPrivileges: true,
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
    capabilities: { dropped: [12], kept: [10], ambient: [10] },
    no_new_privs: true,
    mount_namespace: 'mnt:[1]',
  });
  for (const door of ['tcp', 'page', 'plugin'] as const)
    await assert.rejects(ask({ ...context.client, door }), /over a unix socket only/);
  api.settingsAnswer = { ...api.settingsAnswer, nice: null, oomScoreAdj: 9 };
  assert.equal(((await ask(context.client)) as XmlRpcStruct)['oom_score_adj'], 9);
  api.settingsAnswer = "can't find username 'x'";
  await assert.rejects(ask(context.client), /cannot run a command as web: can't find username 'x'/);
});
