/** Requests about one process or group do not look at the others. Counted, not timed. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { chooseProcesses, oneProcess } from '../../../src/api/names.ts';
import { healthRoutes } from '../../../src/http/health-routes.ts';
import { metricsRoute } from '../../../src/http/metrics-route.ts';
import type { Exchange } from '../../../src/http/route.ts';
import { callMethod } from '../../../src/rpc/call.ts';
import { createMethodTable } from '../../../src/rpc/method-table.ts';
import { ownMethods } from '../../../src/rpc/own-methods.ts';
import type { SupervisorApi } from '../../../src/rpc/supervisor-api.ts';
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
  const looks = (['process', 'processesIn', 'processesNamed', 'dependentsOf'] as const).map((name) =>
    mock.method(api.engine, name),
  );
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
  ['onevisor.getStatus', ['g:a'], true],
  ['onevisor.describeProcess', 'g:a'],
  ['onevisor.getDependents', ['g:a']],
  ['onevisor.getMissingDependencies', ['g:*']],
  ['supervisor.startProcess', 'g:a', false],
  ['supervisor.stopProcessGroup', 'g', false],
];

for (const [name, ...parameters] of calls)
  test(`${name} looks at no other processes`, () =>
    expectConstant(async (client) => {
      const whole = mock.method(client.api, 'usage');
      await callMethod(methods, client.context, name, parameters);
      assert.equal(whole.mock.callCount(), 0, 'all programs were measured');
      whole.mock.restore();
    }));

/** Returns an exchange without headers, and what it answers. */
function exchangeFor(url: string): { exchange: Exchange; sent: { status: number; length: number } } {
  const sent = { status: 0, length: 0 };
  const response = {
    writeHead: (status: number) => void (sent.status = status),
    end: (body: Buffer) => void (sent.length = body.length),
  };
  const exchange = { request: { url, headers: {} }, response, reserve: () => undefined } as unknown as Exchange;
  return { exchange, sent };
}

for (const [path, name, status] of [
  ['/readyz', 'g', 503],
  ['/readyz', 'g:b', 503],
  ['/readyz', 'a', 503],
  ['/healthz', 'g:*', 200],
  ['/readyz', 'none', 404],
] as const)
  test(`${path}?program=${name} looks at no other processes`, () =>
    expectConstant(async ({ api, context: { times } }) => {
      const { exchange, sent } = exchangeFor(`${path}?program=${name}`);
      await healthRoutes({ api, times })
        .find((route) => route.path === path)
        ?.answer(exchange);
      assert.equal(sent.status, status);
      // An unknown name finds nothing to look at.
      if (status === 404) api.engine.process('g:a');
    }));

for (const [title, work] of [
  ['one process', (api: SupervisorApi) => void oneProcess(api, 'g:a')],
  ['one name', (api: SupervisorApi) => void chooseProcesses(api, ['g:a'])],
  ['one group', (api: SupervisorApi) => void chooseProcesses(api, ['g:*'])],
] as const)
  test(`the JSON API finds ${title} without a look at the others`, () =>
    expectConstant(async ({ api }) => {
      work(api);
    }));

test('the metrics of one group look at no other processes', () =>
  expectConstant(async ({ api, context: { times } }) => {
    const whole = mock.method(api.measures, 'readTrees');
    const { exchange, sent } = exchangeFor('/metrics?program=g');
    const route = metricsRoute({ api, times, version: '1', residentBytes: () => null });
    await route.answer(exchange);
    assert.ok(sent.length > 0);
    assert.equal(whole.mock.callCount(), 0);
    whole.mock.restore();
  }));
