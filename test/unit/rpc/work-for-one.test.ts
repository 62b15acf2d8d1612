/** Requests about one process or group do not look at the others. Counted, not timed. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { metricsRoute } from '../../../src/http/metrics-route.ts';
import type { Exchange } from '../../../src/http/route.ts';
import { callMethod } from '../../../src/rpc/call.ts';
import { createMethodTable } from '../../../src/rpc/method-table.ts';
import { ownMethods } from '../../../src/rpc/own-methods.ts';
import type { XmlRpcValue } from '../../../src/rpc/xmlrpc.ts';
import { Client } from './calls.ts';
import type { FakeProgram } from './fake-api.ts';

/** A group, a program that depends on it, and many others. */
function clientWith(count: number): Client {
  const others = Array.from({ length: count }, (_, index): FakeProgram => ({ name: `p${index}` }));
  return new Client([{ name: 'a', group: 'g' }, { name: 'b', group: 'g' }, ...others]);
}

/** Returns the number of processes that the calls look at, and the number of lists of all processes. */
async function workOf(client: Client, work: () => Promise<unknown>): Promise<{ looks: number; lists: number }> {
  const { api } = client;
  const looks = (['process', 'processesIn', 'dependentsOf'] as const).map((name) => mock.method(api.engine, name));
  const listing = mock.method(api.engine, 'processes');
  await work();
  const counts = looks.map((look) => {
    const sizes = look.mock.calls.map(({ result }) => (Array.isArray(result) ? result.length : 1));
    return sizes.reduce((sum, size) => sum + size, 0);
  });
  for (const look of [...looks, listing]) look.mock.restore();
  return { looks: counts.reduce((sum, count) => sum + count, 0), lists: listing.mock.callCount() };
}

async function expectConstant(work: (client: Client) => Promise<unknown>): Promise<void> {
  const [few, many] = [clientWith(100), clientWith(1000)];
  const expected = await workOf(few, () => work(few));
  assert.equal(expected.lists, 0);
  assert.ok(expected.looks > 0);
  assert.deepEqual(await workOf(many, () => work(many)), expected);
}

const methods = createMethodTable(ownMethods);

const calls: ReadonlyArray<readonly [string, ...XmlRpcValue[]]> = [
  ['supervisor.getProcessInfo', 'g:a'],
  ['onevisor.getStatus', ['g:a', 'g:*']],
  ['onevisor.describeProcess', 'g:a'],
  ['onevisor.getDependents', ['g:a']],
  ['onevisor.getMissingDependencies', ['g:*']],
  ['supervisor.startProcess', 'g:a', false],
  ['supervisor.stopProcessGroup', 'g', false],
];

for (const [name, ...parameters] of calls)
  test(`${name} looks at no other processes`, () =>
    expectConstant(async (client) => {
      await callMethod(methods, client.context, name, parameters);
    }));

test('the metrics of one group look at no other processes', () =>
  expectConstant(async ({ api, context: { times } }) => {
    const whole = mock.method(api.measures, 'readTrees');
    let length = 0;
    const response = { writeHead: () => undefined, end: (body: Buffer) => void (length = body.length) };
    const exchange = { request: { url: '/metrics?program=g', headers: {} }, response, reserve: () => undefined };
    const route = metricsRoute({ api, times, version: '1', residentBytes: () => null });
    await route.answer(exchange as unknown as Exchange);
    assert.ok(length > 0);
    assert.equal(whole.mock.callCount(), 0);
    whole.mock.restore();
  }));
