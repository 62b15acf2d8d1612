/** `onevisor.readLines`: its parameters, its answer and its faults. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RpcFault } from '../../../src/core/faults.ts';
import { callMethod } from '../../../src/rpc/call.ts';
import { encodeJsonAnswer } from './json-text.ts';
import { stringifyExactly } from '../../../src/rpc/json-answer.ts';
import { createMethodTable } from '../../../src/rpc/method-table.ts';
import { ownMethods } from '../../../src/rpc/own-methods.ts';
import type { LogLine } from '../../../src/rpc/lines.ts';
import { decodeResponse, encodeResponse, type XmlRpcStruct, type XmlRpcValue } from '../../../src/rpc/xmlrpc.ts';
import { Client } from './calls.ts';

const LINE: LogLine = { seq: 7, at: 1_795_223_700_000, name: 'web:web', stream: 'stdout', pid: 12, text: 'hello' };

function clientWithLines(...lines: LogLine[]): Client {
  const client = new Client([{ name: 'web', options: { autostart: true, startsecs: 0 } }]);
  client.api.linesAnswer = {
    lines,
    next: 3_000_000_000,
    hasMore: true,
    missed: [{ name: 'web:web', stream: 'stderr', bytes: 5 }],
  };
  return client;
}

const table = createMethodTable(ownMethods);

async function ask({ context }: Client, ...query: readonly XmlRpcValue[]): Promise<XmlRpcStruct> {
  return (await callMethod(table, context, 'onevisor.readLines', query)) as XmlRpcStruct;
}

test('without a parameter: the latest lines of all', async () => {
  const client = clientWithLines(LINE);
  assert.deepEqual(await ask(client), {
    epoch: 'fake-1',
    next: 3_000_000_000,
    more: true,
    lines: JSON.stringify([LINE]),
    missed: [{ name: 'web:web', stream: 'stderr', bytes: 5 }],
  });
  assert.deepEqual(client.api.lineCalls, [
    {
      selection: { names: [], streams: [] },
      query: {
        after: null,
        before: null,
        sinceMs: null,
        untilMs: null,
        limits: { lines: 1000, bytes: 1_048_576 },
      },
    },
  ]);
  assert.deepEqual(client.api.lineWaits, []);
});

test('written: the lines are read first, and the answer comes after the wait for files', async () => {
  const client = clientWithLines(LINE);
  assert.equal((await ask(client, { written: true }))['next'], 3_000_000_000);
  assert.equal(client.api.fileWaits, 1);
  assert.deepEqual(client.api.linesBeforeFiles, [1]);
  await ask(client, { written: false });
  assert.equal(client.api.fileWaits, 1);
});

test('all members of the parameter', async () => {
  const client = clientWithLines();
  const query = {
    names: ['web:web'],
    streams: ['stderr', 'supervisor'],
    after: 5,
    before: '9',
    since: 100,
    until: null,
    limit: 1e6,
    wait: 60_000,
    epoch: 'fake-1',
  };
  await ask(client, query);
  assert.deepEqual(client.api.lineCalls, [
    {
      selection: { names: ['web:web'], streams: ['stderr', 'supervisor'] },
      query: { after: 5, before: 9, sinceMs: 100, untilMs: null, limits: { lines: 10_000, bytes: 1_048_576 } },
    },
  ]);
  const [wait] = client.api.lineWaits;
  assert.deepEqual([wait?.after, wait?.waitMs], [5, 30_000]);
});

test('a number of another supervisor means all lines of this one', async () => {
  const client = clientWithLines();
  await ask(client, { after: 5, epoch: 'earlier', wait: 10 });
  await ask(client, { epoch: 'earlier', wait: 10 });
  assert.deepEqual(
    client.api.lineCalls.map(({ query }) => query.after),
    [0, null],
  );
  assert.equal(client.api.lineWaits.length, 1);
});

const EVENTS = { events: true, limit: 100 };

/** Returns the objects of an answer, lines by their text and events as `name event text`. */
async function entriesOf(client: Client, query: XmlRpcStruct): Promise<readonly string[]> {
  const { lines } = await ask(client, query);
  return (JSON.parse(lines as string) as Array<{ name?: string; event?: string; text: string }>).map(
    ({ name, event, text }) => (event === undefined ? text : `${name} ${event} ${text}`),
  );
}

test('events stand among the lines, in the order of their numbers', async () => {
  const client = clientWithLines();
  const all = client.api.history.eventsAfter(0, 100).events;
  const numbers = all.map(({ seq }) => seq);
  assert.deepEqual(numbers, [1, 2, 3]);
  client.api.linesAnswer = {
    lines: [
      { ...LINE, seq: 1.5 },
      { ...LINE, seq: 9, text: 'last' },
    ],
    next: 9,
    hasMore: false,
    missed: [],
  };
  const texts = ['supervisor supervisor the supervisor has started', 'hello', 'web:web state starting: autostart'];
  const running = 'web:web state running: pid 1000';
  assert.deepEqual(await entriesOf(client, EVENTS), [...texts, running, 'last']);
  assert.deepEqual(await entriesOf(client, { ...EVENTS, limit: 2 }), [running, 'last']);
  assert.equal((await ask(client, { ...EVENTS, limit: 2 }))['more'], true);
  assert.deepEqual(await entriesOf(client, { ...EVENTS, after: 2 }), ['hello', running, 'last']);
  assert.deepEqual(await entriesOf(client, { ...EVENTS, before: 2 }), [texts[0], 'hello', 'last']);
  assert.deepEqual(await entriesOf(client, { ...EVENTS, until: 5 }), ['hello', 'last']);
  assert.deepEqual(await entriesOf(client, { ...EVENTS, since: 9e15 }), ['hello', 'last']);
  const only = [texts[0], 'hello', 'last'];
  assert.deepEqual(await entriesOf(client, { ...EVENTS, names: ['other'], ignore_unknown: true }), only);
  assert.deepEqual(await entriesOf(client, { ...EVENTS, names: ['w*'], ignore_unknown: true }), [
    ...texts,
    running,
    'last',
  ]);
  client.api.linesAnswer = { ...client.api.linesAnswer, hasMore: true };
  assert.deepEqual((await entriesOf(client, EVENTS))[0], 'hello');
  client.api.linesAnswer = { lines: [], next: 2, hasMore: true, missed: [] };
  assert.deepEqual((await entriesOf(client, EVENTS)).length, 2);
  assert.deepEqual(await entriesOf(client, { ...EVENTS, after: 2, wait: 5 }), []);
  assert.equal(client.api.lineWaits[0]?.isOtherwiseReady?.(), true);
  await ask(client, { after: 2, wait: 5 });
  assert.equal(client.api.lineWaits[1]?.isOtherwiseReady?.(), false);
});

test('events of groups come without names only, and requests never', async () => {
  const client = clientWithLines();
  const cause = { kind: 'request', method: 'x', client: { door: 'unix', user: null, peer: 'uid 0' } } as const;
  client.api.history.noteRequest(cause, 'web');
  client.api.engine.request('web:web', 'kill', cause);
  client.clock.advance(10);
  client.api.engine.removeGroup('web');
  client.api.linesAnswer = { lines: [], next: 100, hasMore: false, missed: [] };
  const kinds = async (query: XmlRpcStruct): Promise<readonly string[]> =>
    (JSON.parse((await ask(client, query))['lines'] as string) as Array<{ event: string }>).map(({ event }) => event);
  assert.deepEqual(new Set(await kinds(EVENTS)), new Set(['supervisor', 'state', 'group']));
  assert.deepEqual(
    new Set(await kinds({ ...EVENTS, names: ['web'], ignore_unknown: true })),
    new Set(['supervisor', 'state']),
  );
});

test('mistakes are faults', async () => {
  const client = clientWithLines();
  const wrong: readonly XmlRpcValue[] = [
    5,
    { unknown: 1 },
    { names: 'web' },
    { names: [1] },
    { streams: ['both'] },
    { after: 'x' },
    { limit: 0 },
    { wait: -1 },
    { epoch: 1 },
  ];
  for (const query of wrong)
    await assert.rejects(ask(client, query), RpcFault.of('INCORRECT_PARAMETERS'), JSON.stringify(query));
  await assert.rejects(ask(client, { names: ['nope:*'] }), RpcFault.of('BAD_NAME', 'nope:*'));
  client.api.canWait = false;
  const tooMany = RpcFault.of('FAILED', 'too many clients wait for lines; repeat the call later');
  await assert.rejects(ask(client, { after: 1, wait: 1 }), tooMany);
});

test('a client that has gone gets no answer', async () => {
  const client = clientWithLines();
  client.hangUp.abort();
  await assert.rejects(ask(client, { after: 1, wait: 1 }), { name: 'AbortError' });
  const other = clientWithLines(LINE);
  other.hangUp.abort(new Error('the server closes'));
  assert.equal((await ask(other, { after: 1, wait: 1 }))['lines'], JSON.stringify([LINE]), 'the last lines');
});

test('every text survives an answer in XML and in JSON', () => {
  const texts = ['\u001b[31mred\u001b[0m', '\r\0\u007f', 'é 😀 <&>"\\', '\udcff\udc80', '\uffff\ufffe', '\ud800'];
  const lines = texts.map((text) => ({ ...LINE, text, partial: true as const, rest: true as const }));
  const value = { lines: stringifyExactly(lines) };
  const [json, xml] = [encodeJsonAnswer(value), decodeResponse(encodeResponse(value))];
  assert.notEqual(json, null);
  assert.deepEqual(xml, { kind: 'value', value });
  assert.deepEqual(JSON.parse(value.lines), lines);
});
