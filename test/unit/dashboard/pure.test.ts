import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EventAnswer, StatusAnswer } from '../../../src/api/types.ts';
import { edgesAround, edgesOf, layOut } from '../../../src/dashboard/graph.ts';
import { commandOf, moveRow, searchItems } from '../../../src/dashboard/keys.ts';
import { groupsOf, isChosen, isFound, sparkPath } from '../../../src/dashboard/overview-rows.ts';
import { logsHref, parseRoute, programHref } from '../../../src/dashboard/routes.ts';
import { ProcessStore } from '../../../src/dashboard/store.ts';
import { chooseLanguage, language, t } from '../../../src/dashboard/texts.ts';
import { chartPath, eventsOf, fitStretch, nearest, spansOf } from '../../../src/dashboard/timeline.ts';

function answer(name: string, more: Partial<StatusAnswer> = {}): StatusAnswer {
  const plain = { name, group: name, statename: 'RUNNING', state: 20, pid: 7, start: 1, now: 2, description: '' };
  return { ...plain, ...more } as StatusAnswer;
}

describe('addresses', () => {
  test('lead to a view and back', () => {
    assert.deepEqual(parseRoute(programHref('pool:a/b ü')), { view: 'program', name: 'pool:a/b ü' });
    const logs = parseRoute(logsHref(['a', 'b:*'], { since: 1, until: 2 }));
    assert.deepEqual(logs.view === 'logs' && [...logs.query], [
      ['names', 'a'],
      ['names', 'b:*'],
      ['since', '1'],
      ['until', '2'],
    ]);
    for (const hash of ['', '#', '#/', '#/other']) assert.deepEqual(parseRoute(hash), { view: 'overview' });
    assert.deepEqual(parseRoute('#/graph'), { view: 'graph' });
    assert.deepEqual(parseRoute('#/p/%zz'), { view: 'program', name: '%zz' });
  });
});

describe('texts', () => {
  test('are in the first language that there is', () => {
    assert.equal(chooseLanguage(['fr', 'zh-TW', 'en']), 'zh');
    assert.equal(chooseLanguage(['de', 'en-GB', 'zh']), 'en');
    assert.equal(chooseLanguage(['fr']), 'en');
  });

  test('have the values put in', () => {
    assert.equal(t('ask.stop', { name: 'web' }), 'Stop web?');
    language.value = 'zh';
    assert.equal(t('ask.stop', { name: 'web' }), '停止 web？');
    language.value = 'en';
  });
});

describe('the store', () => {
  test('changes a process in place', () => {
    const store = new ProcessStore();
    store.snapshot({ seq: 1, state: 'RUNNING', processes: [answer('a'), answer('b')] });
    const [a] = store.entries.value;
    const entries = store.entries.value;
    store.delta({ processes: [answer('a', { statename: 'EXITED', pid: 0 })] });
    assert.equal(store.entries.value, entries, 'no row is added or removed');
    assert.equal(a?.status.value.info.statename, 'EXITED');
    store.delta({ removed: ['b'], processes: [answer('c')] });
    assert.deepEqual(
      store.entries.value.map(({ name }) => name),
      ['a', 'c'],
    );
    assert.equal(store.find('b'), undefined);
    store.usage({ at: 5, processes: { c: { cpu: 3, memory: 10, processes: 1 } } });
    assert.deepEqual(store.find('c')?.samples.value, [{ at: 5, cpu: 3, memory: 10 }]);
    store.snapshot({ seq: 9, state: 'RUNNING', processes: [answer('a')] });
    assert.equal(store.entries.value[0], a, 'the entry outlives a snapshot');
  });
});

describe('the overview', () => {
  test('groups, chooses and finds', () => {
    const store = new ProcessStore();
    store.snapshot({
      seq: 1,
      state: 'RUNNING',
      processes: [answer('web'), answer('one', { group: 'pool' }), answer('bad', { statename: 'FATAL', pid: 0 })],
    });
    const groups = groupsOf(store.entries.value);
    assert.deepEqual(
      groups.map(({ name, hasHead }) => [name, hasHead]),
      [
        ['web', false],
        ['pool', true],
        ['bad', false],
      ],
    );
    const chosen = (choice: 'problems' | 'running' | 'down') =>
      store.entries.value.filter(({ status }) => isChosen(status.value, choice)).map(({ name }) => name);
    assert.deepEqual([chosen('problems'), chosen('running'), chosen('down')], [['bad'], ['web', 'pool:one'], ['bad']]);
    const found = store.entries.value.filter(({ status }) => isFound(status.value, 'POOL run'));
    assert.deepEqual(
      found.map(({ name }) => name),
      ['pool:one'],
    );
  });

  test('draws the newest value at the right end', () => {
    assert.equal(sparkPath([0, 10], 3, { width: 20, height: 12 }), 'M10 11L20 1');
    assert.equal(sparkPath([], 3), '');
  });
});

describe('keys', () => {
  test('are commands outside of fields only', () => {
    const stroke = { key: 's', ctrlKey: false, metaKey: false, altKey: false };
    assert.equal(commandOf(stroke, false), 'stop');
    assert.equal(commandOf(stroke, true), null);
    assert.equal(commandOf({ ...stroke, ctrlKey: true }, false), null);
    assert.equal(commandOf({ ...stroke, key: 'k', ctrlKey: true }, true), 'palette');
    assert.equal(commandOf({ ...stroke, key: 'Escape' }, true), 'back');
    assert.equal(commandOf({ ...stroke, key: 'toString' }, false), null);
  });

  test('move within the rows', () => {
    assert.deepEqual(
      [moveRow('next', -1, 3), moveRow('next', 2, 3), moveRow('previous', 0, 3), moveRow('last', 0, 3)],
      [0, 2, 0, 2],
    );
  });

  test('find items by all words, beginnings first', () => {
    assert.deepEqual(
      searchItems(['Stop web', 'web', 'Logs of web'], (item) => item, 'web'),
      ['web', 'Stop web', 'Logs of web'],
    );
    assert.deepEqual(
      searchItems(['Stop web', 'web'], (item) => item, 'web st'),
      ['Stop web'],
    );
  });
});

describe('the timeline', () => {
  const change = (seq: number, at: number, to: string, more: object = {}): EventAnswer =>
    ({ seq, at, kind: 'state', name: 'g:web', from: 'STOPPED', to, text: `text ${seq}`, ...more }) as EventAnswer;

  test('has a span from each change to the next, cut to what is shown', () => {
    const events = eventsOf(
      'g:web',
      [change(1, 100, 'STARTING'), change(2, 200, 'RUNNING')],
      [
        change(2, 200, 'RUNNING'),
        change(3, 900, 'EXITED', { end: { planned: false } }),
        change(4, 950, 'X', { name: 'b' }),
      ],
    );
    assert.deepEqual(
      spansOf(events, { since: 150, until: 1000 }).map(({ since, until, state, tone, text }) => [
        since,
        until,
        state,
        tone,
        text,
      ]),
      [
        [150, 200, 'STARTING', 'busy', 'text 1'],
        [200, 900, 'RUNNING', 'good', 'text 2'],
        [900, 1000, 'EXITED', 'bad', 'text 3'],
      ],
    );
  });

  test('is as long as the measurements, within its bounds', () => {
    const until = 10_000_000;
    const lengthOf = (...first: Parameters<typeof fitStretch>[1]): number => until - fitStretch(until, first).since;
    assert.equal(lengthOf(until - 300_000, 0), 300_000);
    assert.equal(lengthOf(undefined, until - 200_000), 200_000, 'without measurements, since the first event');
    assert.equal(lengthOf(undefined, undefined), 30_000);
    assert.equal(lengthOf(0, 0), 3_600_000);
  });

  test('leaves a gap where nothing was measured', () => {
    const series = { at: [0, 10, 20, 90, 100], values: [0, 5, 10, 10, 0] };
    assert.equal(
      chartPath(series, { since: 0, until: 100 }, 10),
      'M0.0 100.0L100.0 50.0L200.0 0.0M900.0 0.0L1000.0 100.0',
    );
    assert.deepEqual([nearest(series.at, 40), nearest([], 1)], [2, -1]);
  });
});

describe('the graph', () => {
  const statuses = (() => {
    const store = new ProcessStore();
    const needs = (...names: string[]) => names.map((name) => ({ name, conditions: ['started'] }));
    store.snapshot({
      seq: 1,
      state: 'RUNNING',
      processes: [
        answer('web', { depends_on: needs('api', 'db'), waits_for: needs('api') }),
        answer('api', { depends_on: needs('db') }),
        answer('db'),
        answer('x', { depends_on: needs('y') }),
      ],
    });
    return store.entries.value.map(({ status }) => status.value);
  })();

  test('has a column for each step of waiting', () => {
    const { nodes } = layOut(edgesOf(statuses));
    const column = Object.fromEntries(nodes.map(({ name, x }) => [name, x]));
    assert.ok((column['db'] ?? 0) < (column['api'] ?? 0) && (column['api'] ?? 0) < (column['web'] ?? 0));
  });

  test('knows what is waited for now, and what belongs to a program', () => {
    const edges = edgesOf(statuses);
    assert.deepEqual(
      edges.filter(({ isUnmet }) => isUnmet).map(({ from, to }) => [from, to]),
      [['web', 'api']],
    );
    assert.equal(edgesAround('db', edges).length, 3);
    assert.equal(edgesAround('y', edges).length, 1);
  });

  test('ends with a cycle, too', () => {
    const edge = (from: string, to: string) => ({ from, to, conditions: [], isUnmet: false });
    assert.equal(layOut([edge('a', 'b'), edge('b', 'a')]).nodes.length, 2);
  });
});
