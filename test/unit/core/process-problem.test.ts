/** The problem of a process in each state, for both questions. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findProblem, type ProcessFacts } from '../../../src/core/process-problem.ts';
import { processStateNames } from '../../../src/core/states.ts';

const running: ProcessFacts = {
  state: 'RUNNING',
  description: '',
  autostart: true,
  wasStarted: true,
  exitText: 'exit status 0',
  isExitExpected: true,
  isStartDue: false,
  health: null,
  healthReason: null,
  isReady: null,
  hold: null,
  purpose: 'service',
};

describe('findProblem', () => {
  const cases: ReadonlyArray<readonly [facts: Partial<ProcessFacts>, alive: string | null, ready: string | null]> = [
    [{}, null, null],
    [{ description: 'pid 5, uptime 0:00:01' }, null, null],
    [{ health: 'healthy' }, null, null],
    [{ health: 'starting' }, null, 'RUNNING starting'],
    [{ health: 'unhealthy' }, 'RUNNING unhealthy', 'RUNNING unhealthy'],
    [
      { health: 'unhealthy', healthReason: 'HTTP 503, overloaded' },
      'RUNNING unhealthy, HTTP 503, overloaded',
      'RUNNING unhealthy, HTTP 503, overloaded',
    ],
    [{ isReady: true }, null, null],
    [{ state: 'STOPPED', wasStarted: false, hold: 'connection' }, null, null],
    [{ state: 'EXITED', isExitExpected: false, exitText: 'exit status 1', hold: 'connection' }, null, null],
    [{ isReady: false }, null, 'RUNNING not ready'],
    [{ isReady: false, health: 'starting' }, null, 'RUNNING starting'],
    [{ purpose: 'oneshot' }, null, 'RUNNING not done'],
    [{ state: 'STARTING' }, null, 'STARTING'],
    [{ state: 'BACKOFF', description: 'd' }, null, 'BACKOFF d'],
    [{ state: 'FATAL', description: 'd' }, 'FATAL d', 'FATAL d'],
    [{ state: 'FATAL', autostart: false }, 'FATAL', 'FATAL'],
    [{ state: 'UNKNOWN' }, 'UNKNOWN', 'UNKNOWN'],
    [{ state: 'STOPPING' }, null, null],
    [{ state: 'STOPPING', isStartDue: true }, null, 'STOPPING to be started again'],
    [{ state: 'STOPPED', description: 'Nov 21 04:00 AM' }, null, null],
    [{ state: 'STOPPED', isStartDue: true }, null, 'STOPPED to be started again'],
    [{ state: 'STOPPED', wasStarted: false, description: 'Not started' }, null, 'STOPPED Not started'],
    [{ state: 'STOPPED', wasStarted: false, autostart: false }, null, null],
    [
      { state: 'STOPPED', wasStarted: false, hold: 'waiting', description: 'waiting for db' },
      null,
      'STOPPED waiting for db',
    ],
    [
      { state: 'STOPPED', wasStarted: false, hold: 'stuck', description: 'db is FATAL' },
      'STOPPED db is FATAL',
      'STOPPED db is FATAL',
    ],
    [
      {
        state: 'EXITED',
        hold: 'waiting',
        description: 'waiting for db',
        exitText: 'exit status 1',
        isExitExpected: false,
      },
      null,
      'EXITED waiting for db',
    ],
    [{ state: 'EXITED' }, null, null],
    [{ state: 'EXITED', purpose: 'oneshot' }, null, null],
    [{ state: 'EXITED', isStartDue: true }, null, 'EXITED to be started again'],
    [
      { state: 'EXITED', exitText: 'exit status 3', isExitExpected: false },
      'EXITED exit status 3',
      'EXITED exit status 3',
    ],
    [
      { state: 'EXITED', exitText: 'terminated by SIGSEGV', isExitExpected: false, isStartDue: true },
      null,
      'EXITED terminated by SIGSEGV',
    ],
  ];
  for (const [facts, alive, ready] of cases) {
    test(JSON.stringify(facts), () => {
      assert.equal(findProblem({ ...running, ...facts }, 'alive'), alive);
      assert.equal(findProblem({ ...running, ...facts }, 'ready'), ready);
    });
  }

  test('a scheduled program is no problem, unless it is UNKNOWN or was asked for by name', () => {
    for (const state of processStateNames) {
      const facts: ProcessFacts = {
        ...running,
        state,
        purpose: 'scheduled',
        wasStarted: false,
        isExitExpected: false,
        exitText: 'exit status 1',
      };
      for (const question of ['alive', 'ready'] as const) {
        const isLost = state === 'UNKNOWN' || (state === 'FATAL' && question === 'ready');
        assert.equal(findProblem(facts, question)?.split(' ')[0] ?? null, isLost ? state : null, state);
      }
      assert.equal(findProblem(facts, 'ready', true) === null, state === 'RUNNING', state);
    }
  });

  test('a process that is not alive is not ready', () => {
    for (const state of processStateNames) {
      for (const health of [null, 'starting', 'unhealthy'] as const) {
        for (const hold of [null, 'waiting', 'stuck'] as const) {
          for (const isStartDue of [false, true]) {
            const facts: ProcessFacts = { ...running, state, health, hold, isStartDue, isExitExpected: false };
            if (findProblem(facts, 'alive') !== null)
              assert.notEqual(findProblem(facts, 'ready'), null, JSON.stringify(facts));
          }
        }
      }
    }
  });

  test('a stopped process is a problem if it was asked for by name', () => {
    assert.equal(findProblem({ ...running, state: 'STOPPED', description: 'd' }, 'ready', true), 'STOPPED d');
    assert.equal(findProblem({ ...running, state: 'STOPPING' }, 'alive', true), 'STOPPING');
  });
});
