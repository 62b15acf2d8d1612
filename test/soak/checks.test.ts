/** The checks of the soak notice each kind of violation. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EventCheck } from './event-check.ts';
import { LineCheck } from './line-check.ts';
import { isPieceOfWorker, ToldLosses } from './own-lines.ts';
import { Random } from './random.ts';

let seq = 0;

/** An event of a state; `text` is `FROM TO RUN [PID [OUTCOME]]`. */
function state(name: string, text: string): object {
  const [from, to, run, pid, outcome] = text.split(' ');
  seq += 1;
  return {
    kind: 'state',
    seq,
    name,
    from,
    to,
    run: Number(run),
    ...(pid === undefined || pid === '-' ? {} : { pid: Number(pid) }),
    ...(outcome === undefined ? {} : { end: { outcome } }),
  };
}

/** Returns the violations of events that are told in one message. */
function violationsOf(...events: readonly object[]): readonly string[] {
  const check = new EventCheck();
  check.take({ event: 'delta', id: null, data: { events } });
  return check.violations;
}

describe('events', () => {
  const whole = ['STOPPED STARTING 1', 'STARTING RUNNING 1 7', 'RUNNING EXITED 1 7 exited', 'EXITED STARTING 2'];

  test('a life without a violation', () => {
    assert.deepEqual(violationsOf(...whole.map((text) => state('web', text))), []);
  });

  test('a transition that the machine does not have', () => {
    assert.match(violationsOf(state('web', 'STOPPED RUNNING 1'))[0] ?? '', /no such transition/);
  });

  test('a lost event, and a run without an end', () => {
    const events = [whole[0], whole[1], whole[3]].map((text) => state('web', text ?? ''));
    assert.match(violationsOf(...events).join('\n'), /it was in RUNNING[^]*before the end of the one before/);
  });

  test('a run with two ends', () => {
    const events = [...whole.slice(0, 3), 'EXITED FATAL 1 - exited'].map((text) => state('web', text));
    assert.match(violationsOf(...events).join('\n'), /a run ended twice/);
  });

  test('two living programs with one pid', () => {
    const events = ['web', 'db'].flatMap((name) => whole.slice(0, 2).map((text) => state(name, text)));
    assert.match(violationsOf(...events).join('\n'), /db: web has the same pid/);
  });

  test('an event that comes twice, and a group that is removed while it runs', () => {
    const [first, second] = whole.slice(0, 2).map((text) => state('web', text));
    assert.match(violationsOf(first ?? {}, second ?? {}, second ?? {})[0] ?? '', /came after event/);
    seq += 1;
    const removed = { kind: 'group', seq, group: 'web', change: 'removed' };
    assert.match(violationsOf(first ?? {}, second ?? {}, removed)[0] ?? '', /removed while it ran/);
  });
});

describe('lines', () => {
  const runs = [{ slot: 1, name: 'web', written: 2, attempted: 3 }];
  const violations = (lines: readonly string[], mayMiss = false): readonly string[] => {
    const check = new LineCheck('sink', mayMiss);
    for (const line of lines) check.take('web', line);
    check.compare({ runs, overlaps: 0 });
    return [...check.violations, ...check.missing];
  };

  test('all lines, and one that may have been written', () => {
    assert.deepEqual(violations(['L 1 1 ', 'L 1 2 x']), []);
    assert.deepEqual(violations(['L 1 1 ', 'L 1 2 x', 'L 1 3 xx']), []);
  });

  test('a line is missing in the middle or at the end, comes twice, or was never written', () => {
    assert.match(violations(['L 1 2 '])[0] ?? '', /lines are missing/);
    assert.match(violations(['L 1 1 '])[0] ?? '', /wrote 2 lines, and only 1 came/);
    assert.match(violations(['L 1 1 ', 'L 1 1 ', 'L 1 2 '])[0] ?? '', /line 1 of run 1 \(web\) follows line 1/);
    assert.match(violations(['L 1 1 ', 'L 1 2 ', 'L 1 3 ', 'L 1 4 '])[0] ?? '', /wrote 3 lines, and 4 came/);
  });

  test('the lines of one program do not come under the name of another one', () => {
    const check = new LineCheck('sink');
    check.take('db', 'L 1 1 ');
    check.take('web', 'L 1 2 ');
    assert.match(check.violations[0] ?? '', /run 1 of db has a line under the name web/);
  });

  test('a destination that may lose lines names the places', () => {
    assert.deepEqual(violations(['L 1 2 '], true), ['1 lines before line 2 of run 1 (web)']);
    assert.deepEqual(violations(['L 1 1 '], true), ['1 lines after line 1 of run 1 (web)']);
  });
});

test('a seed gives the same actions again', () => {
  const numbers = (seed: number): number[] => {
    const random = new Random(seed);
    return Array.from({ length: 50 }, () => random.below(1000));
  };
  assert.deepEqual(numbers(7), numbers(7));
  assert.notDeepEqual(numbers(7), numbers(8));
});

describe('our own log', () => {
  const own = (text: string): string => `2026-11-30 20:45:11,686 WARN ${text}`;

  test('has texts of clients, and no piece of a line of a worker', () => {
    assert.ok(!isPieceOfWorker(own(`supervisor.sendProcessStdin ${'x'.repeat(40)}`)));
    assert.ok(isPieceOfWorker(own('L 3 4 xx')));
    assert.ok(isPieceOfWorker('x'.repeat(10)));
  });

  test('tells of lines that a file could not take', () => {
    const losses = new ToldLosses();
    losses.take(own('/a/logs/loop3.log is written again; 1 line (36 bytes) for it were dropped'));
    losses.take(own('5 lines (287 bytes) for /a/logs/loop3.log were dropped'));
    losses.take(own('stopped: loop3'));
    assert.deepEqual([losses.of('loop3'), losses.of('loop4')], [6, 0]);
  });

  test('must tell of each line that is missing in a file', () => {
    const check = new LineCheck('files', true);
    check.take('web', 'L 1 3 x');
    assert.deepEqual([...check.missingOf], [['web', 2]]);
  });
});
