/** The rows of a selection: history and live lines without gaps or repetitions, marks, and the pane. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventAnswer, LogsAnswer } from '../../../src/api/types.ts';
import { eventWords } from '../../../src/dashboard/logs/event-words.ts';
import { LinePane } from '../../../src/dashboard/logs/line-pane.ts';
import { boundsOf, moveRange, rowsIn, textOfRows } from '../../../src/dashboard/logs/line-range.ts';
import { LogFeed } from '../../../src/dashboard/logs/log-feed.ts';
import { Matcher } from '../../../src/dashboard/logs/matcher.ts';
import { type Row, rowOf } from '../../../src/dashboard/logs/row.ts';

interface TestLine {
  readonly seq: number;
  readonly at: number;
  readonly name: string;
  readonly stream: string;
  readonly text: string;
}

function line(seq: number, name = 'web', stream = 'stdout'): TestLine {
  return { seq, at: 1000 + seq, name, stream, text: `line ${seq}` };
}

/** A feed whose server and clock are the test. */
class Scene {
  readonly rows: string[] = [];
  readonly asked: Array<Readonly<Record<string, unknown>>> = [];
  failure: string | null = null;
  answers: Array<Partial<LogsAnswer> | Error> = [];
  readonly feed: LogFeed;
  #timers: Array<() => void> = [];

  constructor(names: readonly string[] = ['web'], streams: readonly string[] = []) {
    const describe = (row: Row): string =>
      row.kind === 'mark' ? `<${row.stream} ${row.count}${row.name}>` : `${row.kind === 'event' ? '*' : ''}${row.text}`;
    this.feed = new LogFeed(
      { names, streams, hasName: (name) => names.length === 0 || names.includes(name) },
      {
        read: (query) => {
          this.asked.push(query);
          const answer = this.answers.shift() ?? {};
          if (answer instanceof Error) return Promise.reject(answer);
          return Promise.resolve({ epoch: 'e1', next: 0, more: false, lines: [], missed: [], ...answer });
        },
        later: (_ms, run) => {
          this.#timers.push(run);
          return () => {
            this.#timers = this.#timers.filter((one) => one !== run);
          };
        },
        now: () => 5,
      },
      {
        add: (rows) => this.rows.push(...rows.map(describe)),
        prepend: (rows) => this.rows.unshift(...rows.map(describe)),
        fail: (message) => {
          this.failure = message;
        },
      },
    );
  }

  /** Lets requests and timers run. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      for (const run of this.#timers.splice(0)) run();
    }
  }
}

const lines = (...list: TestLine[]): never => ({ lines: list }) as never;

test('history and live lines have neither a gap nor a repetition', async () => {
  const scene = new Scene();
  scene.answers = [{ next: 20, lines: [line(10), line(20)] as never }];
  scene.feed.hello('e1');
  scene.feed.take(lines(line(20), line(30), line(31, 'db')));
  await scene.settle();
  assert.deepEqual(scene.rows, ['line 10', 'line 20', 'line 30']);
  assert.deepEqual(scene.asked, [{ names: ['web'], streams: [], events: true, limit: 1000 }]);
  scene.feed.take(lines(line(30), line(40), line(50, 'web', 'stderr')));
  await scene.settle();
  assert.deepEqual(scene.rows.slice(3), ['line 40', 'line 50']);
});

test('a second stream asks for what is between, page by page', async () => {
  const scene = new Scene();
  scene.answers = [{ next: 10, lines: [line(10)] as never }];
  scene.feed.hello('e1');
  await scene.settle();
  scene.answers = [
    { next: 20, more: true, lines: [line(20)] as never },
    { next: 30, lines: [line(30)] as never, missed: [{ name: 'web', stream: 'stdout', bytes: 7 }] },
  ];
  scene.feed.hello('e1');
  scene.feed.take(lines(line(30), line(40)));
  await scene.settle();
  assert.deepEqual(
    scene.asked.slice(1).map(({ after }) => after),
    [10, 20],
  );
  assert.deepEqual(scene.rows, ['line 10', 'line 20', '<missed 7web>', 'line 30', 'line 40']);
});

test('events stand in their place among lines', async () => {
  const scene = new Scene();
  scene.feed.hello('e1');
  await scene.settle();
  const event = (seq: number, more: object): EventAnswer => ({ seq, at: 1, kind: 'ready', name: 'web', ...more });
  scene.feed.take(lines(line(10), line(30)));
  scene.feed.takeEvents([
    event(20, {}),
    event(21, { name: 'db' }),
    event(22, { kind: 'request' }),
    event(23, { kind: 'group', group: 'web', change: 'added' }),
    event(40, { kind: 'supervisor', change: 'stopping', name: undefined, cause: 'signal' }),
  ]);
  await scene.settle();
  assert.deepEqual(scene.rows, ['line 10', '*ready', 'line 30', '*the supervisor is stopping: signal']);
  scene.feed.takeEvents([event(20, {})]);
  await scene.settle();
  assert.equal(scene.rows.length, 4);
});

test('everything that is missing becomes a mark', async () => {
  const scene = new Scene();
  scene.feed.hello('e1');
  await scene.settle();
  scene.feed.take(lines(line(10)));
  await scene.settle();
  scene.feed.dropped(9);
  scene.feed.lost(7);
  scene.feed.lost(8);
  scene.feed.hello('e1');
  scene.feed.take(lines(line(20)));
  await scene.settle();
  assert.deepEqual(scene.rows, ['line 10', '<dropped 9>', '<lost 0>', '<back 0>', 'line 20']);
  scene.answers = [{ next: 40, lines: [line(30)] as never }];
  scene.feed.reset('too old');
  await scene.settle();
  assert.deepEqual(scene.rows.slice(5), ['<reset 0>', 'line 30']);
  assert.equal(scene.asked.at(-1)?.['after'], 20);
  // The numbers of another supervisor begin anew.
  scene.answers = [{ epoch: 'e2', next: 5, lines: [line(5)] as never }];
  scene.feed.hello('e2');
  await scene.settle();
  scene.feed.reset('the supervisor was started again');
  await scene.settle();
  assert.deepEqual(scene.rows.slice(7), ['<restarted 0>', 'line 5']);
  scene.feed.reset('too old');
  await scene.settle();
  assert.deepEqual(scene.rows.slice(9), ['<reset 0>']);
});

test('a failed request is told, and the next success takes it back', async () => {
  const scene = new Scene();
  scene.answers = [new Error('no way')];
  scene.feed.hello('e1');
  await scene.settle();
  assert.equal(scene.failure, 'no way');
  scene.feed.take(lines(line(10)));
  await scene.settle();
  assert.deepEqual(scene.rows, ['line 10']);
  scene.answers = [{ lines: [line(5)] as never, more: false }];
  assert.equal(await scene.feed.loadEarlier(), false);
  assert.deepEqual([scene.failure, scene.rows[0], scene.asked.at(-1)?.['before']], [null, 'line 5', 10]);
});

test('a span is loaded to its end, and a line with those around it', async () => {
  const scene = new Scene();
  scene.answers = [
    { next: 10, more: true, lines: [line(10)] as never, missed: [{ name: 'web', stream: 'stdout', bytes: 3 }] },
    { next: 20, lines: [line(20)] as never },
  ];
  await scene.feed.loadSpan(1, 2);
  assert.deepEqual(scene.rows, ['line 10', '<missed 3web>', 'line 20']);
  const other = new Scene();
  other.answers = [{ lines: [line(9), line(10)] as never }, { lines: [line(20)] as never }];
  assert.equal(await other.feed.loadAround('e1', 10), true);
  assert.deepEqual(other.rows, ['line 9', 'line 10', 'line 20']);
  assert.equal(await other.feed.loadAround('e9', 10), false);
});

test('what waits for the history is bounded', async () => {
  const scene = new Scene();
  scene.feed.hello('e1');
  const many = Array.from({ length: 60_000 }, (_, at) => line(at + 1));
  scene.feed.take(lines(...many));
  scene.feed.take(lines(...many.map((one) => ({ ...one, seq: one.seq + 60_000 }))));
  await scene.settle();
  assert.equal(scene.rows.length, 100_001);
  assert.equal(scene.rows[0], '<dropped 20000>');
});

test('a closed feed adds nothing', async () => {
  const scene = new Scene();
  scene.answers = [{ lines: [line(1)] as never }];
  scene.feed.hello('e1');
  scene.feed.close();
  await scene.settle();
  assert.deepEqual(scene.rows, []);
});

/** A pane with a clock and timers of the test. */
function makePane(maxRows?: number): { pane: LinePane; run: () => void; pass: (ms: number) => void } {
  let now = 0;
  let timers: Array<() => void> = [];
  const pane = new LinePane({ later: (_ms, run) => timers.push(run), clock: () => now++ }, maxRows);
  const run = (): void => {
    for (let turn = 0; turn < 1000 && timers.length > 0; turn++) {
      const due = timers;
      timers = [];
      for (const one of due) one();
    }
  };
  return { pane, run, pass: (ms) => void (now += ms) };
}

const rows = (count: number, from = 0): Row[] =>
  Array.from({ length: count }, (_, at) => rowOf(line(from + at + 1), 'e1'));

test('a pane counts what comes while it does not follow', () => {
  const { pane, run } = makePane();
  pane.add(rows(10));
  assert.equal(pane.unseen, 0);
  pane.follow(false);
  pane.add(rows(5, 10));
  run();
  assert.deepEqual([pane.unseen, pane.end], [5, 15]);
  pane.pause();
  pane.add(rows(5, 15));
  assert.deepEqual([pane.unseen, pane.end, pane.isPaused.value], [10, 15, true]);
  pane.follow(true);
  assert.deepEqual([pane.unseen, pane.end, pane.isPaused.value], [0, 20, false]);
});

test('a pane filters and searches in slices, and tells when that is done', () => {
  const { pane, run } = makePane();
  pane.add(rows(5000));
  pane.setFilter({ text: Matcher.parse('/5$/') as Matcher, level: null }, 0);
  pane.setFind(Matcher.parse('/55$/') as Matcher);
  assert.ok(!pane.view.isComplete);
  let isDone = false;
  pane.whenDone(() => {
    isDone = true;
  });
  assert.equal(isDone, false);
  run();
  assert.deepEqual([isDone, pane.view.chosen, pane.find?.count], [true, 500, 50]);
  const { value } = pane.version;
  pane.redraw();
  pane.redraw();
  run();
  assert.equal(pane.version.value, value + 1);
});

test('a pane is quiet for screen readers while lines are fast', () => {
  const { pane, pass } = makePane();
  pane.add(rows(5));
  assert.equal(pane.isFast.value, false);
  pane.add(rows(50));
  assert.equal(pane.isFast.value, true);
  pass(1500);
  pane.add(rows(1));
  pass(1500);
  pane.add(rows(1));
  assert.equal(pane.isFast.value, false);
});

test('choices for rows are forgotten with the rows', () => {
  const { pane, run } = makePane(100);
  const [first] = rows(1) as [Row];
  pane.add([first]);
  pane.whole.add(first);
  pane.add(rows(500, 1));
  run();
  assert.equal(pane.whole.size, 0);
});

test('a range moves over the rows of the view, and is written as text', () => {
  const { pane } = makePane();
  pane.add(rows(10));
  const { ring, view } = pane;
  assert.deepEqual(moveRange(null, 1, false, view), { anchor: 0, head: 0 });
  assert.deepEqual(moveRange(null, -1, false, view), { anchor: 9, head: 9 });
  assert.deepEqual(moveRange({ anchor: 5, head: 5 }, -2, true, view), { anchor: 5, head: 3 });
  assert.deepEqual(moveRange({ anchor: 9, head: 9 }, 5, false, view), { anchor: 9, head: 9 });
  assert.deepEqual(boundsOf({ anchor: 5, head: 3 }), [3, 5]);
  const chosen = rowsIn({ anchor: 5, head: 4 }, ring, view);
  assert.equal(textOfRows(chosen, 'none', true), 'web | line 5\nweb | line 6\n');
  assert.equal(textOfRows(chosen.slice(0, 1), 'utc', false), '1970-01-01 00:00:01.005Z line 5\n');
  assert.equal(moveRange(null, 1, false, makePane().pane.view), null);
});

test('events have the words of the terminal', () => {
  const words = (event: object): string => eventWords({ seq: 1, at: 1, kind: 'state', ...event });
  const end = { outcome: 'exited', text: 'exit status 3' };
  assert.deepEqual(
    [
      { to: 'STARTING', cause: { text: 'autostart' } },
      { to: 'RUNNING', pid: 5 },
      { to: 'RUNNING' },
      { to: 'STOPPING' },
      { from: 'BACKOFF', to: 'FATAL' },
      { to: 'FATAL' },
      { to: 'STOPPED' },
      { to: 'EXITED', end },
      { to: 'BACKOFF', end: { ...end, outcome: 'not_executed', text: 'not started: x' } },
      { kind: 'health', health: 'unhealthy', reason: 'no answer' },
      { kind: 'held', text: 'waits for db' },
      { kind: 'held' },
      { kind: 'supervisor', change: 'started' },
      { kind: 'group', group: 'g', change: 'added' },
      { kind: 'request', method: 'm' },
      { kind: 'reload', cause: { text: 'by x' } },
    ].map(words),
    [
      'starting: autostart',
      'running: pid 5',
      'running',
      'stopping',
      'is FATAL: all tries have failed',
      'is FATAL',
      'is STOPPED',
      'ended: exit status 3',
      'not started: x (BACKOFF)',
      'unhealthy: no answer',
      'waits for db',
      'no longer waits',
      'the supervisor has started',
      'group g was added',
      'm',
      'reloaded: by x',
    ],
  );
});
