/** Small pure functions of core/: wait statuses, signal names, exit codes, order, restart delays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  containerExitCode,
  type ExitCause,
  type ProgramCause,
  exitRule,
  formatCause,
  levelOfCause,
  describeExit,
  programExitCode,
} from '../../../src/core/exit-policy.ts';
import {
  formatExit,
  isExpectedExit,
  parseWaitStatus,
  shellExitCode,
  supervisorExitStatus,
} from '../../../src/core/exit-status.ts';
import { isLogged, levels } from '../../../src/core/log-level.ts';
import { initialRecord, type ProcessRecord } from '../../../src/core/process-record.ts';
import { backoffDelayMs, restartDelayMs } from '../../../src/core/restart-policy.ts';
import { formatSignal, parseSignal } from '../../../src/core/signals.ts';
import { startOrder, stopRanks } from '../../../src/core/stop-order.ts';
import { ProcessState, RUNNING_STATES, STOPPED_STATES, SupervisorState } from '../../../src/core/states.ts';
import { REQUEST } from '../../causes.ts';

test('wait statuses, their texts and codes', () => {
  const rows: Array<[status: number, text: string, supervisor: number, shell: number]> = [
    [0, 'exit status 0', 0, 0],
    [7 << 8, 'exit status 7', 7, 7],
    [255 << 8, 'exit status 255', 255, 255],
    [9, 'terminated by SIGKILL', -1, 137],
    [15, 'terminated by SIGTERM', -1, 143],
    [11 | 0x80, 'terminated by SIGSEGV (core dumped)', -1, 139],
    [36, 'terminated by SIGRTMIN+2', -1, 164],
  ];
  for (const [status, text, supervisor, shell] of rows) {
    const parsed = parseWaitStatus(status);
    assert.equal(formatExit(parsed), text);
    assert.equal(supervisorExitStatus(parsed), supervisor);
    assert.equal(shellExitCode(parsed), shell);
  }
  assert.equal(isExpectedExit(parseWaitStatus(2 << 8), [0, 2]), true);
  assert.equal(isExpectedExit(parseWaitStatus(15), [0, 15]), false);
});

test('signals by name and number', () => {
  const rows: Array<[text: string, number: number | null]> = [
    ['TERM', 15],
    ['SIGTERM', 15],
    ['term', 15],
    [' sigusr1 ', 10],
    ['9', 9],
    ['RTMIN', 34],
    ['SIGRTMIN+3', 37],
    ['RTMAX-1', 63],
    ['RTMAX', 64],
    ['64', 64],
    ['65', null],
    ['0', null],
    ['RTMIN-1', null],
    ['RTMAX+1', null],
    ['NOPE', null],
    ['', null],
    ['toString', null],
  ];
  for (const [text, number] of rows) assert.equal(parseSignal(text), number, text);
  assert.equal(formatSignal(15), 'SIGTERM');
  assert.equal(formatSignal(34), 'SIGRTMIN');
  assert.equal(formatSignal(200), 'signal 200');
});

const ended = (change: Partial<ProcessRecord>): ProcessRecord => ({ ...initialRecord, ...change });
const FAILED = ended({ state: 'EXITED', exit: parseWaitStatus(3 << 8) });

test('the rule by which the exit of a program ends the container', () => {
  const none = { exitOnFailure: false, exitOnEnd: false, isMain: false, isScheduled: false };
  const restarts = ended({ state: 'EXITED', exit: parseWaitStatus(3 << 8), deadlineMs: 5 });
  assert.equal(exitRule(FAILED, false, none, false), null);
  assert.equal(exitRule(FAILED, false, { ...none, exitOnFailure: true }, false), 'exit_on_failure');
  assert.equal(exitRule(FAILED, true, { ...none, exitOnFailure: true }, false), null);
  assert.equal(exitRule(restarts, false, { ...none, exitOnFailure: true }, false), null);
  assert.equal(exitRule(ended({ state: 'FATAL' }), true, { ...none, exitOnFailure: true }, false), 'exit_on_failure');
  assert.equal(exitRule(FAILED, true, { ...none, exitOnEnd: true }, false), 'exit_on_end');
  assert.equal(exitRule(FAILED, true, none, true), 'exit_when_idle');
  assert.equal(exitRule(FAILED, true, none, false), null);
  assert.equal(exitRule(FAILED, true, { ...none, isMain: true }, false), 'main program');
});

test('the exit code of a program', () => {
  assert.equal(programExitCode(FAILED, []), 3);
  assert.equal(programExitCode(ended({ state: 'EXITED', exit: parseWaitStatus(9) }), []), 137);
  assert.equal(programExitCode(ended({ state: 'FATAL', exit: parseWaitStatus(0) }), []), 1);
  assert.equal(programExitCode(ended({ state: 'EXITED', exit: parseWaitStatus(0) }), []), 0);
  assert.equal(programExitCode(ended({ state: 'EXITED', exit: parseWaitStatus(15) }), [143]), 0);
  assert.equal(programExitCode(ended({ state: 'FATAL', spawnExitCode: 127 }), []), 127);
  assert.equal(programExitCode(ended({ state: 'FATAL' }), []), 1);
  assert.equal(describeExit(FAILED), 'exit status 3');
  const failure = { kind: 'notExecuted', reason: "can't find command 'x'" } as const;
  assert.equal(describeExit(ended({ state: 'FATAL', failure })), "can't find command 'x'");
  assert.equal(describeExit(ended({ state: 'FATAL' })), 'it could not be started');
});

test('the exit code of the container, and the line with its reason', () => {
  const program: ExitCause = {
    kind: 'program',
    id: 'web',
    rule: 'exit_on_end',
    code: 143,
    how: 'terminated by SIGTERM',
    wasExecuted: true,
  };
  const rows: Array<[cause: ExitCause, code: number, text: string]> = [
    [{ kind: 'signal', signal: 15, sender: 0 }, 0, 'received SIGTERM'],
    [REQUEST, 0, 'shutdown was requested'],
    [program, 143, 'program web ended (terminated by SIGTERM): exit_on_end'],
    [
      { ...program, isRoot: true },
      143,
      'program web ended (terminated by SIGTERM): a program with exit_on_end depends on it',
    ],
    [
      { ...program, rule: 'main program', isRoot: true },
      143,
      'program web ended (terminated by SIGTERM): the main program depends on it',
    ],
    [
      { ...program, rule: 'healthcheck_action', code: 1, how: 'unhealthy: no answer within 30 s' },
      1,
      'program web is unhealthy: no answer within 30 s: healthcheck_action',
    ],
  ];
  for (const [cause, code, text] of rows) {
    assert.equal(containerExitCode(cause, []), code);
    assert.equal(formatCause(cause), text);
  }
  assert.equal(containerExitCode(program, [143]), 0);
});

test('an end that is no success is said at the level of warnings, but that of the main program', () => {
  const program: ProgramCause = {
    kind: 'program',
    id: 'web',
    rule: 'exit_on_failure',
    code: 3,
    how: 'exit status 3',
    wasExecuted: true,
  };
  const rows: Array<[change: Partial<ProgramCause>, level: string]> = [
    [{}, 'warn'],
    [{ rule: 'exit_on_end' }, 'warn'],
    [{ rule: 'healthcheck_action' }, 'warn'],
    [{ rule: 'exit_on_end', code: 0 }, 'info'],
    [{ rule: 'exit_when_idle', code: 0 }, 'info'],
    [{ rule: 'exit_on_end', code: 143 }, 'info'],
    [{ rule: 'main program' }, 'info'],
    [{ rule: 'main program', isRoot: true }, 'warn'],
    [{ wasExecuted: false }, 'error'],
    [{ rule: 'main program', wasExecuted: false }, 'error'],
  ];
  for (const [change, level] of rows)
    assert.equal(levelOfCause({ ...program, ...change }, [143]), level, JSON.stringify(change));
});

const everything = (): boolean => true;

test('starts are in ascending order, stops in descending ranks', () => {
  const ranked = (id: string, groupPriority: number, priority: number) => ({
    id,
    groupPriority,
    priority,
    dependsOn: [],
  });
  const all = [
    ranked('web', 999, 999),
    ranked('db', 1, 1),
    ranked('job', 999, 999),
    ranked('g:late', 5, 20),
    ranked('g:early', 5, 10),
  ];
  assert.deepEqual(startOrder(all), ['db', 'g:early', 'g:late', 'web', 'job']);
  assert.deepEqual(stopRanks(all, everything), [['web', 'job'], ['g:late'], ['g:early'], ['db']]);
  assert.deepEqual(stopRanks([], everything), []);
});

test('dependencies start before a process and stop after it, whatever the priorities', () => {
  const ranked = (id: string, priority: number, ...dependsOn: string[]) => ({
    id,
    groupPriority: 999,
    priority,
    dependsOn,
  });
  const all = [
    ranked('web', 1, 'db', 'gone'),
    ranked('log', 5),
    ranked('db', 9, 'disk'),
    ranked('disk', 9),
    ranked('cache', 9),
  ];
  assert.deepEqual(startOrder(all), ['log', 'disk', 'cache', 'db', 'web']);
  assert.deepEqual(stopRanks(all, everything), [['cache'], ['log'], ['web'], ['db'], ['disk']]);
  // A process that is not up stops nothing, but its dependencies still determine the order.
  const stack = [ranked('web', 9, 'migrate'), ranked('migrate', 9, 'db'), ranked('db', 9), ranked('log', 9)];
  assert.deepEqual(
    stopRanks(stack, (id) => id !== 'migrate'),
    [['web', 'log'], ['db']],
  );
  assert.deepEqual(
    stopRanks(stack, (id) => id === 'db' || id === 'log'),
    [['db', 'log']],
  );
  // An update can create a cycle for a moment. All processes must still be stopped.
  assert.deepEqual(
    stopRanks([ranked('a', 1, 'b'), ranked('b', 1, 'a')], everything)
      .flat()
      .toSorted(),
    ['a', 'b'],
  );
  const chain = Array.from({ length: 20_000 }, (_, index) => ranked(`p${index}`, 1, `p${index + 1}`));
  assert.equal(stopRanks(chain, everything).length, 20_000);
});

test('delays of restarts', () => {
  const plain = { pauseMs: 0, maxBackoffMs: Infinity, backoffFactor: 1, maxRestarts: Infinity, windowMs: 60_000 };
  assert.deepEqual(
    [1, 2, 3].map((failed) => backoffDelayMs(failed, plain, 0.9)),
    [1000, 2000, 3000],
  );
  assert.deepEqual(
    [1, 2, 3, 4].map((failed) => backoffDelayMs(failed, { ...plain, backoffFactor: 2, maxBackoffMs: 5000 }, 0)),
    [1000, 2000, 4000, 5000],
  );
  assert.equal(backoffDelayMs(1, { ...plain, backoffFactor: 2 }, 0.5), 1050);
  assert.equal(backoffDelayMs(1, { ...plain, pauseMs: 7000, maxBackoffMs: 2000 }, 0), 7000);
  assert.deepEqual(
    [0, 400, 1000, 60_000].map((up) => restartDelayMs(up, plain)),
    [1000, 600, 0, 0],
  );
  assert.deepEqual(
    [0, 60_000].map((up) => restartDelayMs(up, { ...plain, pauseMs: 300 })),
    [1000, 300],
  );
});

test('states have the numbers of the XML-RPC interface', () => {
  assert.deepEqual(Object.values(ProcessState), [0, 10, 20, 30, 40, 100, 200, 1000]);
  assert.deepEqual(SupervisorState, { FATAL: 2, RUNNING: 1, RESTARTING: 0, SHUTDOWN: -1 });
  assert.ok(RUNNING_STATES.has('BACKOFF') && STOPPED_STATES.has('FATAL'));
});

test('a threshold accepts lines that are at least as severe', () => {
  assert.deepEqual(
    levels.filter((level) => isLogged(level, 'warn')),
    ['critical', 'error', 'warn'],
  );
});
