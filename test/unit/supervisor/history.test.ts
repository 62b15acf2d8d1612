/** The history, on an engine with a fake clock: events in order, runs with their causes, and unexpected restarts. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatCauseOf } from '../../../src/core/cause.ts';
import { formatEnd } from '../../../src/core/run-end.ts';
import type { Listener } from '../../../src/engine/events.ts';
import { Sequence } from '../../../src/core/sequence.ts';
import { MAX_RESTART_TIMES } from '../../../src/core/history.ts';
import { History } from '../../../src/supervisor/history.ts';
import { REQUEST, SIGTERM, UNHEALTHY } from '../../causes.ts';
import { exitWith, World } from '../../engine/world.ts';

const WALL_MS = 1_795_223_700_000;

/** Makes a history of a world. */
function follow(
  world: World,
  isOutOfMemory: (id: string) => boolean = () => false,
  subscribe: (listener: Listener) => unknown = (listener) => world.engine.subscribe(listener),
): History {
  return new History({
    sequence: new Sequence(),
    subscribe,
    report: (level, text) => void world.log.push(`${level} ${text}`),
    nowMs: () => world.clock.nowMs(),
    wallMs: () => WALL_MS + world.clock.nowMs(),
    isOutOfMemory,
    healthReason: () => 'no answer',
  });
}

/** Formats the runs of a process: cause, pid, and end. */
function runsOf(history: History, id: string): string[] {
  return history
    .runsOf(id)
    .map(
      ({ run, pid, startCause, ended }) =>
        `${run} pid ${pid}: ${formatCauseOf(startCause)}; ${ended === null ? 'runs' : formatEnd(ended.end)}`,
    );
}

test('runs keep their causes and ends, across stops, crashes and retries', () => {
  const world = new World([{ name: 'web' }]);
  const history = follow(world);
  world.engine.start();
  world.clock.advance(1000);
  world.end(exitWith(3), 'web');
  world.clock.advance(1000);
  world.engine.restartProcess('web:web', UNHEALTHY);
  world.end(15, 'web');
  world.clock.advance(1000);
  world.engine.request('web:web', 'stop', REQUEST);
  world.end(15, 'web');
  assert.deepEqual(runsOf(history, 'web:web'), [
    '1 pid 100: autostart; exit status 3',
    '2 pid 101: autorestart; terminated by SIGTERM, stopped: unhealthy: no answer',
    '3 pid 102: unhealthy: no answer; terminated by SIGTERM, stopped: test.method of a client (uid 0, pid 77)',
  ]);
  // The restart after the failed check is automatic, too.
  assert.deepEqual(history.startsOf('web:web'), { planned: 1, unplanned: 2 });
  assert.deepEqual(
    [...history.endsOf('web:web')],
    [
      ['exit', 1],
      ['health', 1],
      ['stopped', 1],
    ],
  );
  const [first] = history.runsOf('web:web');
  assert.equal(first?.ended?.lastedMs, 1000);
  assert.equal(first.ended.atMs - first.startedMs, 1000);
});

test('a restart is unexpected if the run before was not planned to end', () => {
  const world = new World([{ name: 'web', autorestart: 'true' }]);
  const history = follow(world);
  world.engine.start();
  for (const status of [exitWith(0), exitWith(1), exitWith(0), 11]) {
    world.clock.advance(60_000);
    world.end(status, 'web');
  }
  assert.equal(history.restartsWithin('web:web', 600_000), 2);
  assert.equal(history.restartsWithin('web:web', 1000), 1);
  world.clock.advance(60_000);
  world.engine.request('web:web', 'stop', REQUEST);
  world.end(15, 'web');
  world.engine.request('web:web', 'start', REQUEST);
  assert.equal(history.restartsWithin('web:web', 600_000), 2);
});

test('what is kept of a crash loop is bounded', () => {
  const world = new World([{ name: 'web', autorestart: 'true', startsecs: 0 }]);
  const history = follow(world);
  world.engine.start();
  for (let i = 0; i < 1500; i += 1) {
    world.clock.advance(1000);
    world.end(exitWith(1), 'web');
  }
  assert.equal(history.runsOf('web:web').length, 10);
  assert.equal(history.restartsWithin('web:web', Infinity), MAX_RESTART_TIMES);
  const all = history.eventsAfter(0, 10_000);
  assert.deepEqual([all.events.length, all.isComplete], [2000, false]);
  const seqs = all.events.map(({ seq }) => seq);
  assert.deepEqual(
    seqs,
    seqs.toSorted((a, b) => a - b),
  );
  const next = history.eventsAfter(seqs[1000] ?? 0, 5);
  assert.deepEqual([next.events.map(({ seq }) => seq), next.isComplete], [seqs.slice(1001, 1006), true]);
  assert.deepEqual(history.eventsAfter(seqs.at(-1) ?? 0, 5), { events: [], isComplete: true });
});

describe('events', () => {
  test('tell requests, states, facts, groups and the shutdown, in order', () => {
    const world = new World([{ name: 'web' }]);
    const history = follow(world);
    let calls = 0;
    const end = history.subscribe(() => (calls += 1));
    world.engine.start();
    world.engine.reportReady('web:web', 1);
    world.engine.reportHealth('web:web', 1, 'unhealthy');
    history.noteRequest(REQUEST, 'web');
    history.noteRequest(REQUEST, null);
    end();
    world.engine.shutDown('exit', SIGTERM);
    world.end(15, 'web');
    const { events } = history.eventsAfter(0, 100);
    assert.deepEqual(
      events.map((event) => (event.kind === 'state' ? `${event.from} > ${event.to}` : event.kind)),
      [
        'supervisor',
        'STOPPED > STARTING',
        'ready',
        'health',
        'request',
        'request',
        'supervisor',
        'STARTING > STOPPING',
        'STOPPING > STOPPED',
      ],
    );
    assert.equal(calls, 5);
    assert.deepEqual(
      world.log.filter((line) => line.includes('requested')),
      [
        'info test.method web: requested by a client (uid 0, pid 77)',
        'info test.method: requested by a client (uid 0, pid 77)',
      ],
    );
  });

  test('tell starts that wait and why they went on', () => {
    const world = new World([
      { name: 'db', autostart: false },
      { name: 'web', needs: { db: 'started' } },
    ]);
    const history = follow(world);
    world.engine.start();
    world.engine.request('db:db', 'start', REQUEST);
    world.clock.advance(1000);
    assert.deepEqual(runsOf(history, 'web:web'), ['1 pid 101: autostart, after it waited for db; runs']);
    assert.ok(history.eventsAfter(0, 100).events.some((event) => event.kind === 'held'));
  });

  test('a removed group is forgotten, a changed configuration is no event, a kill for memory is one', () => {
    const world = new World([{ name: 'web', startsecs: 0 }]);
    const history = follow(world, () => true);
    world.engine.start();
    world.end(9, 'web');
    assert.match(runsOf(history, 'web:web')[0] ?? '', /out of memory/);
    world.engine.request('web:web', 'stop', REQUEST);
    assert.equal(world.engine.removeGroup('web'), 'removed');
    assert.deepEqual(history.runsOf('web:web'), []);
    assert.equal(history.restartsWithin('web:web', Infinity), 0);
    assert.deepEqual([...history.endsOf('web:web')], []);
    assert.deepEqual(history.startsOf('web:web'), { planned: 0, unplanned: 0 });
    assert.deepEqual(history.eventsAfter(0, 100).events.at(-1)?.kind, 'group');
  });

  test('a restart of the supervisor forgets the processes that are gone, and keeps the others', () => {
    const world = new World([{ name: 'web' }, { name: 'db' }]);
    let tell: Listener = () => undefined;
    const history = follow(world, undefined, (listener) => {
      tell = listener;
      return world.engine.subscribe(listener);
    });
    world.engine.start();
    const { structureSeq } = history;
    tell({ type: 'restarted', ids: new Set(['db:db']) });
    assert.deepEqual([history.runsOf('web:web').length, history.runsOf('db:db').length], [0, 1]);
    assert.ok(history.structureSeq > structureSeq);
  });
});
