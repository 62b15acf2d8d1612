/** The parts of the live views: positions, queries, filters, downloads, the history of the usage. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { fileNameOf } from '../../../src/live/download-route.ts';
import type { LineFilter } from '../../../src/logs/line-filter.ts';
import { readFilter } from '../../../src/live/log-query.ts';
import { displayName, formatMessage } from '../../../src/live/messages.ts';
import { formatPosition, parsePosition } from '../../../src/live/position.ts';
import { QueryError, queryOf, readStreamQuery } from '../../../src/live/stream-query.ts';
import { UsageHistory } from '../../../src/live/usage-history.ts';
import { LiveWorld } from './live-world.ts';

const queryError =
  (message: RegExp): ((error: unknown) => boolean) =>
  (error) =>
    error instanceof QueryError && message.test(error.message);

test('a position is an epoch with one number or two', () => {
  for (const position of [
    { lines: 7, events: 7 },
    { lines: 7, events: 12 },
  ])
    assert.deepEqual(parsePosition(formatPosition('mx2-1', position)), { epoch: 'mx2-1', ...position });
  assert.equal(formatPosition('mx2-1', { lines: 7, events: 7 }), 'mx2-1-7');
  for (const text of ['', '7', 'mx2-1-', 'mx2-1-x', 'mx2-1-7.', 'mx2-1-9007199254740993', `${'e'.repeat(200)}-1`])
    assert.equal(parsePosition(text), null, text);
});

test('a message has no newline in its data, and names are display names', () => {
  assert.equal(formatMessage('ping', { text: 'a\nb' }), 'event: ping\ndata: {"text":"a\\nb"}\n\n');
  assert.deepEqual(['web:web', 'pool:pool_00', 'supervisor'].map(displayName), ['web', 'pool:pool_00', 'supervisor']);
});

suite('the query of a stream', () => {
  const read = (text: string, header: string | null = null): ReturnType<typeof readStreamQuery> =>
    readStreamQuery(queryOf(`/api/v1/stream?${text}`), header);
  test('has defaults', () =>
    assert.deepEqual(read(''), { hasStatus: false, usageMs: null, selection: null, tail: 0, after: null }));
  test('has everything', () =>
    assert.deepEqual(read('status=1&usage=2&logs=web&logs=pool%3A*&streams=stdout&tail=5&after=e-1', 'e-2'), {
      hasStatus: true,
      usageMs: 2000,
      selection: { names: ['web', 'pool:*'], streams: ['stdout'] },
      tail: 5,
      after: 'e-2',
    }));
  test('takes * for all', () => assert.deepEqual(read('logs=*&logs=web').selection, { names: [], streams: [] }));
  test('refuses wrong values', () => {
    assert.throws(() => read('status=x'), queryError(/status must be true or false/));
    assert.throws(() => read('usage=4000'), queryError(/usage must be a whole number from 0 to 3600/));
    assert.throws(() => read('logs=*&streams=x'), queryError(/streams must be/));
    assert.throws(() => read(Array.from({ length: 201 }, (_, n) => `logs=${n}`).join('&')), queryError(/at most 200/));
  });
});

suite('the filter of lines', () => {
  const choose = (query: string, ...lines: string[]): Promise<string[]> =>
    readFilter(new URLSearchParams(query)).choose({
      lines,
      read: (text) => ({ text, output: 'web stdout' }),
      isOver: () => false,
    });
  test('has no rule', async () => assert.deepEqual(await choose('', 'a', ''), ['a', '']));
  test('has a pattern', async () =>
    assert.deepEqual(await choose('grep=^a.c$&regex=true', 'abc', 'xabc', 'ac'), ['abc']));
  test('has a plain text', async () => assert.deepEqual(await choose('grep=a.c', 'abc', 'xa.c'), ['xa.c']));
  test('has a level, which continued lines share', async () =>
    assert.deepEqual(await choose('level=warn', 'INFO a', '  more', 'ERROR b', '  at c', 'd'), ['ERROR b', '  at c']));
  test('refuses what takes long or is wrong', () => {
    const make = (query: string): LineFilter => readFilter(new URLSearchParams(query));
    assert.throws(() => make('regex=true&grep=(a)%5C1'), queryError(/^grep is not /));
    assert.throws(() => make('level=loud'), queryError(/^level must be /));
    assert.throws(() => make(`grep=${'a'.repeat(1001)}`), queryError(/at most 1000/));
  });
});

test('the name of a download has safe characters only', () => {
  const at = Date.UTC(2026, 10, 30, 2, 33, 19);
  assert.equal(fileNameOf(['pool:pool_00', 'a"b\r\nc/../d'], at), 'pool-pool_00+a-b-c-..-d-2026-11-30-023319.log');
  assert.equal(fileNameOf([], at), 'all-2026-11-30-023319.log');
  assert.equal(fileNameOf(['..'], at), 'all-2026-11-30-023319.log');
  assert.ok(fileNameOf(['x'.repeat(500)], at).length < 90);
});

suite('the history of the usage', () => {
  const used = (memory: number): Awaited<ReturnType<LiveWorld['api']['usage']>> =>
    new Map([['db:db', { residentBytes: memory, cpuMs: 1, cpuPercent: null, processes: [] }]]);

  test('keeps a sample of ten seconds in a ring', async () => {
    const world = new LiveWorld([{ name: 'db' }]);
    const history = new UsageHistory({ api: world.api, timers: world.timers });
    history.configure(0);
    for (let second = 0; second < 4000; second += 2) {
      history.take(used(second));
      world.clock.advance(2000);
    }
    const series = history.read(() => true).get('db:db');
    assert.equal(series?.at.length, 360);
    assert.deepEqual(series.memory.slice(-2), [3980, 3990]);
    assert.ok(series.at.every((at, index) => index === 0 || at - (series.at[index - 1] ?? 0) === 10_000));
    assert.deepEqual(world.clock.pending, [], 'it measures nothing by itself');
    assert.equal(history.read((id) => id !== 'db:db').size, 0);
  });

  test('measures by itself if it is configured, and forgets removed programs', async () => {
    const world = new LiveWorld([{ name: 'db' }]);
    world.api.usages.set('db:db', { residentBytes: 5, cpuMs: 1, cpuPercent: 2.345, processes: [] });
    const history = new UsageHistory({ api: world.api, timers: world.timers });
    history.configure(30_000);
    await world.pass(65_000);
    const series = history.read(() => true).get('db:db');
    assert.deepEqual([series?.cpu, world.api.usageCalls], [[2.3, 2.3, 2.3], 7]);
    history.configure(30_000);
    await world.turns();
    assert.deepEqual(history.read(() => true).get('db:db'), series, 'a reload keeps the samples');
    world.api.usageError = new Error('no /proc');
    await world.pass(10_000);
    assert.match(world.api.reports.at(-1)?.[1] ?? '', /cannot measure the programs/);
    world.api.usageError = null;
    world.api.usages.clear();
    world.api.removeGroup('db');
    await world.pass(20_000);
    assert.equal(history.read(() => true).size, 0);
    history.take(used(1));
    history.configure(0);
    assert.equal(history.read(() => true).size, 0, 'another setting forgets them');
    await world.turns();
    assert.deepEqual(world.clock.pending, []);
  });
});
