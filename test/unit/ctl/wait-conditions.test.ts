/** Judgements of the conditions of `onevisor wait`. */
import type { WaitCondition } from '../../../src/cli/wait-conditions.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ProcessStateName } from '../../../src/core/states.ts';
import {
  defaultCondition,
  judge,
  noteEvent,
  nothingHappened,
  parseWaitWord,
} from '../../../src/ctl/wait-conditions.ts';
import type { XmlRpcStruct } from '../../../src/rpc/xmlrpc.ts';
import { endStruct, EXIT_3, NOW, statusOf } from './status-structs.ts';

const EXPECTED = { outcome: 'exited', exit_code: 0, expected: true, planned: true } as const;
const ONESHOT = { purpose: 'oneshot' } as const;

type Case = readonly [WaitCondition, ProcessStateName, XmlRpcStruct, 'met' | 'pending' | 'never', text?: string];

const cases: readonly Case[] = [
  ['started', 'RUNNING', {}, 'met'],
  ['started', 'STARTING', {}, 'pending', 'STARTING'],
  ['started', 'BACKOFF', { failed_starts: 1, last_end: endStruct(1, EXIT_3) }, 'pending'],
  ['started', 'FATAL', { last_end: endStruct(12, EXIT_3), last_line: 'x' }, 'never', 'FATAL, exit 3, 12 s ago: x'],
  ['started', 'EXITED', { last_end: endStruct(12, EXPECTED) }, 'never'],
  ['started', 'EXITED', { last_end: endStruct(12, EXPECTED), restarting: true }, 'pending'],
  ['started', 'EXITED', { ...ONESHOT, last_end: endStruct(12, EXPECTED) }, 'met'],
  ['started', 'STOPPED', {}, 'pending'],
  ['started', 'STOPPED', { autostart: false }, 'never', 'STOPPED, not started: autostart=false'],
  ['started', 'STOPPED', { autostart: false, next_run: NOW + 9 }, 'pending'],
  ['started', 'STOPPED', { start: 5 }, 'never'],
  ['started', 'STOPPED', { hold: 'waiting', description: 'waits for db' }, 'pending', 'waits for db'],
  ['started', 'STOPPED', { hold: 'stuck', description: 'cannot start: db' }, 'never', 'cannot start: db'],
  ['started', 'STOPPING', {}, 'never'],
  ['started', 'STOPPING', { restarting: true }, 'pending'],
  ['started', 'UNKNOWN', {}, 'never'],
  ['ready', 'RUNNING', {}, 'met'],
  ['ready', 'RUNNING', { ready: true }, 'met'],
  ['ready', 'RUNNING', { ready: false }, 'pending', 'RUNNING, not ready'],
  ['ready', 'EXITED', { ...ONESHOT, last_end: endStruct(12, EXPECTED) }, 'met'],
  ['healthy', 'RUNNING', { health: 'healthy' }, 'met'],
  [
    'healthy',
    'RUNNING',
    { health: 'unhealthy', health_reason: 'status 503' },
    'pending',
    'RUNNING, unhealthy, status 503',
  ],
  ['healthy', 'RUNNING', {}, 'never', 'it has no health check'],
  ['healthy', 'STARTING', {}, 'never', 'it has no health check'],
  ['healthy', 'STARTING', { has_healthcheck: true }, 'pending'],
  ['completed', 'EXITED', { last_end: endStruct(1, EXPECTED) }, 'met'],
  ['completed', 'EXITED', { last_end: endStruct(1, EXPECTED), restarting: true }, 'pending'],
  ['completed', 'EXITED', { last_end: endStruct(1, EXIT_3) }, 'never'],
  ['completed', 'EXITED', { last_end: endStruct(1, EXIT_3), autostart: null }, 'pending'],
  ['completed', 'RUNNING', {}, 'pending'],
  ['exited', 'RUNNING', {}, 'pending'],
  ['exited', 'EXITED', { last_end: endStruct(1, EXIT_3) }, 'met'],
  ['exited', 'FATAL', { last_end: endStruct(1, EXIT_3) }, 'met'],
  ['exited', 'FATAL', { last_end: endStruct(1, { outcome: 'not_executed', reason: 'no file' }) }, 'never'],
  ['exited', 'STOPPED', {}, 'pending'],
];

describe('a condition', () => {
  for (const [condition, state, more, kind, text] of cases)
    test(`${condition} in ${state} ${JSON.stringify(more)}`, async () => {
      const verdict = judge(condition, await statusOf('web', state, more), nothingHappened());
      assert.equal(verdict.kind, kind);
      if (text !== undefined) assert.equal(verdict.kind === 'met' ? '' : verdict.text, text);
    });

  test('what has happened during the wait counts', async () => {
    const after = (...events: readonly XmlRpcStruct[]): ReturnType<typeof nothingHappened> => {
      const happened = nothingHappened();
      for (const event of events) noteEvent(happened, event);
      return happened;
    };
    const fatal = await statusOf('web', 'FATAL', { last_end: endStruct(1, { outcome: 'not_executed', reason: 'x' }) });
    const met = (condition: WaitCondition, ...events: readonly XmlRpcStruct[]): boolean =>
      judge(condition, fatal, after(...events)).kind === 'met';
    const running = { kind: 'state', to: 'RUNNING' };
    assert.deepEqual([met('started', running), met('ready', running), met('healthy', running)], [true, true, false]);
    assert.ok(met('ready', { kind: 'ready' }) && met('healthy', { kind: 'health', health: 'healthy' }));
    assert.ok(!met('healthy', { kind: 'health', health: 'unhealthy' }));
    const ended = (end: XmlRpcStruct): XmlRpcStruct => ({ kind: 'state', to: 'EXITED', end });
    assert.ok(met('completed', ended(EXPECTED)) && met('exited', ended(EXIT_3)));
    assert.ok(!met('completed', ended(EXIT_3)) && !met('exited', ended({ outcome: 'not_executed' })));
    assert.ok(!met('completed', ended({ ...EXPECTED, cause: { kind: 'request', text: 'stopped' } })));
    assert.ok(!met('exited', { kind: 'state', to: 'STARTING' }));
  });

  test('the one without a word is the strongest that makes sense', async () => {
    const of = async (more: XmlRpcStruct): Promise<WaitCondition> =>
      defaultCondition(await statusOf('web', 'RUNNING', more));
    assert.equal(await of({}), 'started');
    assert.equal(await of({ ready: false }), 'ready');
    assert.equal(await of({ health: 'starting', ready: false }), 'healthy');
    assert.equal(await of({ has_healthcheck: true }), 'healthy');
    assert.equal(await of({ purpose: 'oneshot' }), 'completed');
    assert.equal(await of({ purpose: 'scheduled' }), 'completed');
  });

  test('a name of a process wins over a condition', () => {
    const parse = (word: string, names: readonly string[] = []): object =>
      parseWaitWord(word, (n) => names.includes(n));
    assert.deepEqual(parse('web'), { name: 'web', condition: null });
    assert.deepEqual(parse('web:ready'), { name: 'web', condition: 'ready' });
    assert.deepEqual(parse('web:ready', ['web:ready']), { name: 'web:ready', condition: null });
    assert.deepEqual(parse('jobs:*:exited'), { name: 'jobs:*', condition: 'exited' });
    assert.deepEqual(parse('jobs:a'), { name: 'jobs:a', condition: null });
    assert.deepEqual(parse('started'), { name: 'started', condition: null });
  });
});
