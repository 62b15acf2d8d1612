/**
 * The monitor, with commands as checks whose results the test gives: the health that is reported, and the begin and end
 * of checks.
 */
import { type Decision, formatDecision } from '../../../src/core/cause.ts';
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { sampleProgram } from '../../../build/sample-program.ts';
import type { ProcessConfig } from '../../../src/config/model.ts';
import { initialRecord, type ProcessRecord } from '../../../src/core/process-record.ts';
import type { ProcessStateName } from '../../../src/core/states.ts';
import type { Jobs, JobOutcome } from '../../../src/engine/ports.ts';
import type { ProcessView } from '../../../src/engine/process-table.ts';
import { HealthChecks } from '../../../src/health/health-checks.ts';
import { FakeClock } from '../../engine/world.ts';

class WallClock extends FakeClock {
  wallMs(): number {
    return 1_000_000 + this.nowMs();
  }
}

/** A program with a command as its check. */
const program = sampleProgram('healthcheck=check', 'healthcheck_timeout=7');
type Options = Partial<ProcessConfig['options']>;

const ok: JobOutcome = { kind: 'ended', status: { kind: 'exited', code: 0 }, output: 'fine\n' };
const bad: JobOutcome = { kind: 'ended', status: { kind: 'exited', code: 1 }, output: 'first\ndisk is full\n\n' };

let clock: WallClock;
let log: string[];
let asked: string[];
/** Running checks. */
let running: Array<{ command: string; timeoutMs: number; done: (outcome: JobOutcome) => void }>;
let begun: string[];
let checks: HealthChecks;
let view: ProcessView;

beforeEach(() => {
  clock = new WallClock();
  [log, asked, running, begun] = [[], [], [], []];
  const jobs: Jobs = {
    run: (proc, { name, command, timeoutMs, output }, done) => {
      const job = { command, timeoutMs, done };
      begun.push(`${proc.name} ${name} ${command} ${timeoutMs} ${output} at ${clock.nowMs() - 1000}`);
      running.push(job);
      return () => {
        if (!running.includes(job)) return;
        running = running.filter((other) => other !== job);
        done({ kind: 'cancelled' });
      };
    },
  };
  const engine = {
    reportHealth: (id: string, run: number, health: string | null): void => void asked.push(`${id} ${run} ${health}`),
    restartProcess: (id: string, cause: Decision): boolean => asked.push(`restart ${id}: ${formatDecision(cause)}`) > 0,
    shutDown: (goal: string, cause: object): void => void asked.push(`${goal} ${JSON.stringify(cause)}`),
  };
  checks = new HealthChecks({ engine, clock, jobs, report: (level, text) => void log.push(`${level} ${text}`) });
});

function configure(options: Options = {}): void {
  view = {
    id: 'g:web',
    config: { ...program, options: { ...program.options, ...options } },
    record: view?.record ?? initialRecord,
  };
}

function become(state: ProcessStateName, change: Partial<ProcessRecord> = {}): void {
  const from = view.record.state;
  view = { ...view, record: { ...view.record, state, ...change } };
  checks.observe({ type: 'process', process: view, from, expected: true, pid: view.record.pid });
}

/** Reports that a run was executed. */
function spawn(options: Options = {}): void {
  configure(options);
  become('STARTING', { run: view.record.run + 1, pid: null });
  view = { ...view, record: { ...view.record, pid: 100 } };
  checks.observe({ type: 'spawned', process: view, run: view.record.run, pid: 100 });
}

/** Answers the running check. */
function answer(outcome: JobOutcome): void {
  const [job, ...more] = running;
  assert.ok(job !== undefined && more.length === 0, `checks under way: ${running.length}`);
  running = [];
  job.done(outcome);
}

/** Returns the reason in the status. */
function failure(): string | null {
  const remark = checks.remark('g:web');
  return remark?.kind === 'healthFailure' ? remark.reason : null;
}

function assertQuiet(): void {
  assert.deepEqual([clock.pending, running], [[], []]);
}

describe('a run', () => {
  beforeEach(() => {
    view = { id: 'g:web', config: program, record: initialRecord };
  });

  test('is checked once it is executed, and healthy after the first passed check', () => {
    spawn();
    assert.deepEqual([asked, begun], [['g:web 1 starting'], []]);
    clock.advance(0);
    assert.deepEqual(begun, ['web healthcheck check 7000 keep at 0']);
    answer(ok);
    assert.deepEqual([asked, log], [['g:web 1 starting', 'g:web 1 healthy'], ['info health: web is healthy']]);
    assert.deepEqual(clock.pending, [30_000]);
    become('STOPPING');
    assertQuiet();
  });

  test('is checked again when it is up', () => {
    spawn();
    clock.advance(0);
    answer(bad);
    clock.advance(1000);
    become('RUNNING');
    clock.advance(0);
    assert.equal(begun.length, 2);
    answer(ok);
    assert.deepEqual(asked, ['g:web 1 starting', 'g:web 1 healthy']);
  });

  test('becomes unhealthy after the configured failures, and log and status have the reason', () => {
    spawn({ healthcheck_retries: 2 });
    become('RUNNING');
    for (let seconds = 0; seconds <= 60; seconds += 5) {
      assert.equal(failure(), seconds === 0 ? null : 'disk is full');
      clock.advance(seconds === 0 ? 0 : 5000);
      answer(bad);
    }
    assert.deepEqual(log, ['warn health: web is unhealthy: disk is full (2 failures)']);
    assert.deepEqual(asked, ['g:web 1 starting', 'g:web 1 unhealthy']);
    assert.equal(failure(), 'disk is full');
    clock.advance(30_000);
    answer(ok);
    assert.deepEqual([log.at(-1), asked.at(-1), failure()], ['info health: web is healthy', 'g:web 1 healthy', null]);
  });

  for (const state of ['STOPPING', 'EXITED', 'BACKOFF', 'UNKNOWN'] as const) {
    test(`that becomes ${state} ends its checks, also a running one`, () => {
      spawn();
      clock.advance(0);
      assert.equal(running.length, 1);
      become(state);
      assertQuiet();
      assert.deepEqual([log, asked], [[], ['g:web 1 starting']]);
    });
  }

  test('has its own health, also after an earlier run', () => {
    spawn();
    clock.advance(0);
    answer(ok);
    become('EXITED', { pid: null });
    spawn();
    assert.deepEqual(asked, ['g:web 1 starting', 'g:web 1 healthy', 'g:web 2 starting']);
    clock.advance(0);
    answer(ok);
    assert.equal(asked.at(-1), 'g:web 2 healthy');
  });

  test('without a check costs nothing', () => {
    spawn({ healthcheck: null });
    become('RUNNING');
    assertQuiet();
    assert.deepEqual([asked, failure()], [[], null]);
  });

  test('that is up already when monitoring begins is checked too', () => {
    configure();
    checks.begin([{ ...view, record: { ...initialRecord, run: 4, state: 'RUNNING', pid: 9 } }]);
    assert.deepEqual(asked, ['g:web 4 starting']);
    checks.close();
    assertQuiet();
  });
});

describe('healthcheck_action', () => {
  beforeEach(() => {
    view = { id: 'g:web', config: program, record: initialRecord };
  });

  const fail = (options: Options): void => {
    spawn({ healthcheck_retries: 1, healthcheck_start_period: 0.001, healthcheck_start_interval: 1, ...options });
    for (let seconds = 0; seconds < 2; seconds += 1) {
      clock.advance(seconds * 1000);
      answer({ kind: 'timeout', output: 'x' });
    }
  };

  test('restart', () => {
    fail({ healthcheck_action: 'restart' });
    assert.deepEqual(asked.slice(1), ['g:web 1 unhealthy', 'restart g:web: unhealthy: no answer within 7 s']);
    assert.deepEqual(log, ['warn health: web is unhealthy: no answer within 7 s (1 failure)']);
  });

  test('exit', () => {
    fail({ healthcheck_action: 'exit' });
    assert.deepEqual(asked.slice(1), [
      'g:web 1 unhealthy',
      'exit {"kind":"program","id":"web","rule":"healthcheck_action","code":1,"how":"unhealthy: no answer ' +
        'within 7 s","wasExecuted":true}',
    ]);
  });

  test('none', () => {
    fail({});
    assert.deepEqual(asked.slice(1), ['g:web 1 unhealthy']);
  });
});

describe('a live change', () => {
  beforeEach(() => {
    view = { id: 'g:web', config: program, record: initialRecord };
    spawn();
    become('RUNNING');
    clock.advance(0);
    answer(ok);
    asked = [];
    begun = [];
  });

  const change = (options: Options): void => {
    configure(options);
    checks.observe({ type: 'configured', process: view });
  };

  test('of the interval moves the next check', () => {
    change({ healthcheck_interval: 4 });
    assert.deepEqual(clock.pending, [4000]);
    assert.deepEqual(asked, []);
  });

  test('of unrelated options changes nothing', () => {
    clock.advance(1000);
    change({});
    assert.deepEqual([clock.pending, begun], [[29_000], []]);
  });

  test('of the check begins the new one at once and abandons a running one; the health stays', () => {
    clock.advance(30_000);
    assert.equal(running.length, 1);
    change({ healthcheck: { kind: 'command', command: 'other' }, healthcheck_timeout: 1 });
    clock.advance(0);
    assert.deepEqual([begun.at(-1), asked], ['web healthcheck other 1000 keep at 30000', []]);
    answer(bad);
    assert.deepEqual([asked, log.length], [[], 1]);
  });

  test('that removes the check ends it, and the health is unknown', () => {
    view = { ...view, record: { ...view.record, health: 'healthy' } };
    change({ healthcheck: null });
    assertQuiet();
    assert.deepEqual(asked, ['g:web 1 null']);
  });

  test('that adds a check to a running process begins it', () => {
    change({ healthcheck: null });
    change({});
    clock.advance(0);
    assert.deepEqual([asked, begun.length], [['g:web 1 starting'], 1]);
  });

  test('of a process that is not up begins nothing', () => {
    become('STOPPED', { pid: null });
    change({});
    assertQuiet();
  });
});

test('the latest check is kept with what its command has written, also if it has passed', () => {
  view = { id: 'g:web', config: program, record: initialRecord };
  spawn({ healthcheck: { kind: 'command', command: 'check me' } });
  assert.equal(checks.lastCheck('g:web'), null);
  clock.advance(0);
  answer({ kind: 'ended', status: { kind: 'exited', code: 0 }, output: 'first\n3 replicas\n' });
  const { failure: none, output } = checks.lastCheck('g:web') ?? {};
  assert.deepEqual([none, output], [null, '3 replicas']);
  assert.equal(checks.lastCheck('g:other'), null);
  checks.close();
});
