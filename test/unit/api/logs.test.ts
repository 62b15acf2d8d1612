/** Lines over the API: filters on the server, long polling, and names. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LineAnswer, LogsAnswer } from '../../../src/api/types.ts';
import { LineFilter } from '../../../src/logs/line-filter.ts';
import type { LineQuery, LogLine, LogLines } from '../../../src/rpc/lines.ts';
import { type ApiWorld, check, inApi } from './api-world.ts';
import { randomLine } from '../core/random-line.ts';

const WEB = { programs: [{ name: 'web' }] };

/** Makes lines with numbers 10 apart, the first with the number 10. */
function linesOf(texts: readonly string[]): LogLine[] {
  return texts.map((text, index) => ({
    seq: (index + 1) * 10,
    at: 1000 + index,
    name: 'web:web',
    stream: 'stdout',
    pid: 7,
    text,
  }));
}

/** Reads lines as the supervisor does: the oldest after a number, otherwise the latest. */
function readFrom(all: readonly LogLine[], { after, before, limits }: LineQuery): LogLines {
  const fitting = all.filter(({ seq }) => (after === null || seq > after) && (before === null || seq < before));
  const lines = after === null ? fitting.slice(-limits.lines) : fitting.slice(0, limits.lines);
  const hasMore = lines.length < fitting.length;
  const latest = (all.at(-1)?.seq ?? 0) + 9;
  const next = hasMore && after !== null ? (lines.at(-1)?.seq ?? 0) + 9 : latest;
  return { lines, next, hasMore, missed: [] };
}

function serve(api: ApiWorld, texts: readonly string[]): LineQuery[] {
  const all = linesOf(texts);
  const queries: LineQuery[] = [];
  api.api.readLines = (_selection, query) => {
    queries.push(query);
    return readFrom(all, query);
  };
  return queries;
}

async function read(api: ApiWorld, query: string): Promise<LogsAnswer> {
  const { status, json, text } = await api.get(`/logs?${query}`);
  assert.equal(status, 200, text);
  check('Logs', json);
  return json as LogsAnswer;
}

const textsOf = ({ lines }: LogsAnswer): string[] => lines.map((line) => String(line.text));

test('lines have display names and the number to continue after', async () => {
  await inApi(WEB, async (api) => {
    serve(api, ['a', 'b', 'c']);
    const latest = await read(api, 'limit=2');
    assert.deepEqual([textsOf(latest), latest.more, latest.next, latest.epoch], [['b', 'c'], true, 39, 'fake-1']);
    assert.equal((latest.lines[0] as LineAnswer).name, 'web');
    const oldest = await read(api, 'after=0&limit=2');
    assert.deepEqual([textsOf(oldest), oldest.more, oldest.next], [['a', 'b'], true, 29]);
    assert.deepEqual(textsOf(await read(api, `after=${oldest.next}`)), ['c']);
    assert.deepEqual(textsOf(await read(api, 'after=39&epoch=old-1')), ['a', 'b', 'c']);
  });
});

test('events stand among the lines', async () => {
  await inApi({ programs: [{ name: 'web', options: { autostart: true } }] }, async (api) => {
    api.api.linesAnswer = { lines: [], next: 1000, hasMore: false, missed: [] };
    const { lines } = await read(api, 'events=true');
    assert.ok(lines.some((line) => 'event' in line && line.event === 'state' && line.name === 'web'));
  });
});

test('a text, a pattern and a level choose lines', async () => {
  await inApi(WEB, async (api) => {
    serve(api, ['GET /a', 'ERROR no (x)', '  at f (x)', 'INFO GET', 'panic: y', 'get /b', 'WARN z']);
    assert.deepEqual(textsOf(await read(api, 'grep=GET')), ['GET /a', 'INFO GET']);
    assert.deepEqual(textsOf(await read(api, 'grep=%28x%29')), ['ERROR no (x)', '  at f (x)']);
    assert.deepEqual(textsOf(await read(api, 'regex=true&grep=%28%3Fi%29%5Eget')), ['GET /a', 'get /b']);
    assert.deepEqual(textsOf(await read(api, 'level=error')), ['ERROR no (x)', '  at f (x)', 'panic: y']);
    assert.deepEqual(textsOf(await read(api, 'level=warn&grep=z')), ['WARN z']);
    const { lines } = await read(api, 'level=fatal&events=true');
    assert.deepEqual(
      lines.map((line) => [line.name, line.text]),
      [['web', 'panic: y']],
    );
  });
});

test('a search goes in turns, forward and backward, and each line is found once', async () => {
  const texts = Array.from({ length: 10_000 }, (_, index) => (index % 1000 === 999 ? `hit ${index}` : 'x'));
  await inApi(WEB, async (api) => {
    const queries = serve(api, texts);
    const backward = await read(api, 'grep=hit&limit=3');
    assert.deepEqual(textsOf(backward), ['hit 7999', 'hit 8999', 'hit 9999']);
    assert.deepEqual([backward.more, backward.earlier], [true, 80_000]);
    assert.ok(queries.length >= 2 && queries.every(({ limits }) => limits.lines <= 2000));
    const before = await read(api, `grep=hit&limit=3&before=${backward.earlier}`);
    assert.deepEqual(textsOf(before), ['hit 4999', 'hit 5999', 'hit 6999']);
    const found: string[] = [];
    let after = 0;
    for (let isMore = true; isMore;) {
      const part = await read(api, `grep=hit&limit=3&after=${after}`);
      found.push(...textsOf(part));
      after = part.next;
      isMore = part.more;
    }
    assert.deepEqual(
      found,
      texts.filter((text) => text !== 'x'),
    );
    assert.equal(after, 100_009);
  });
});

test('a search ends after a number of turns and says where to continue', async () => {
  const texts = Array.from({ length: 140_000 }, (_, index) => (index === 0 ? 'hit' : 'x'));
  await inApi(WEB, async (api) => {
    const queries = serve(api, texts);
    const backward = await read(api, 'grep=hit');
    assert.deepEqual([backward.lines.length, backward.more, queries.length], [0, true, 64]);
    const rest = await read(api, `grep=hit&before=${backward.earlier}`);
    assert.deepEqual([textsOf(rest), rest.more], [['hit'], false]);
    const forward = await read(api, 'grep=nothing&after=0');
    assert.deepEqual([forward.lines.length, forward.more, forward.next], [0, true, 1_280_009]);
    const end = await read(api, `grep=nothing&after=${forward.next}`);
    assert.deepEqual([end.more, end.next], [false, 1_400_009]);
  });
});

test('a search adds up what was lost between its readings', async () => {
  const texts = Array.from({ length: 10_000 }, () => 'x');
  await inApi(WEB, async (api) => {
    const all = linesOf(texts);
    const queries: LineQuery[] = [];
    api.api.readLines = (_selection, query) => {
      queries.push(query);
      return {
        ...readFrom(all, query),
        missed: [
          { name: 'web:web', stream: 'stdout', bytes: 100 },
          { name: 'web:web', stream: 'stderr', bytes: 1 },
        ],
      };
    };
    const { missed } = await read(api, 'grep=hit&after=0');
    assert.equal(queries.length, 5);
    assert.deepEqual(missed, [
      { name: 'web', stream: 'stdout', bytes: 500 },
      { name: 'web', stream: 'stderr', bytes: 5 },
    ]);
    const [{ told } = {}] = queries;
    assert.ok(told !== undefined && queries.every((query) => query.told === told), 'each loss is told once');
  });
});

/** Makes lines of a and b. A pattern as `a[ab]{199}c` meets a new state at each character. */
function randomTexts(count: number, length: number): string[] {
  const text = randomLine(count * length);
  return Array.from({ length: count }, (_, index) => text.slice(index * length, (index + 1) * length));
}

test('searches with a slow pattern leave turns of the loop to others, also within a line', async () => {
  await inApi(WEB, async (api) => {
    serve(api, randomTexts(3, 60_000));
    let turns = 0;
    let isOver = false;
    const beat = (): void => {
      turns += 1;
      if (!isOver) setImmediate(beat);
    };
    beat();
    const answers = await Promise.all([1, 2, 3, 4].map(() => read(api, 'regex=true&grep=a%5Bab%5D%7B199%7Dc')));
    isOver = true;
    assert.ok(answers.every(({ lines, more }) => lines.length === 0 && !more));
    assert.ok(turns >= 40, `${turns} turns`);
  });
});

test('a search with a slow pattern ends early and says where to continue', async (t) => {
  // The steps of a search of about a second, in each reading.
  let readings = 0;
  t.mock.getter(LineFilter.prototype, 'steps', () => readings * 150_000_000);
  await inApi(WEB, async (api) => {
    const all = linesOf(Array.from({ length: 10_000 }, () => 'x'));
    api.api.readLines = (_selection, query) => {
      readings += 1;
      return readFrom(all, query);
    };
    const forward = await read(api, 'grep=hit&after=0');
    assert.deepEqual([forward.more, forward.next, readings], [true, 40_009, 2]);
    readings = 0;
    const backward = await read(api, 'grep=hit');
    assert.deepEqual([backward.more, backward.earlier, readings], [true, 60_010, 2]);
  });
});

test('times may be milliseconds, RFC 3339, or ago', async () => {
  await inApi(WEB, async (api) => {
    const queries = serve(api, []);
    await read(api, 'since=1795000000000&until=2026-11-30T08:00:00%2B01:00');
    assert.deepEqual(
      [queries[0]?.sinceMs, queries[0]?.untilMs],
      [1_795_000_000_000, Date.parse('2026-11-30T07:00:00Z')],
    );
    const nowMs = api.api.wallMs();
    await read(api, 'since=10m');
    assert.ok(Math.abs((queries[1]?.sinceMs ?? 0) - (nowMs - 600_000)) < 60_000);
  });
});

test('a request waits for lines, and too many that wait are refused', async () => {
  await inApi(WEB, async (api) => {
    await read(api, 'after=5&wait=30&names=*');
    assert.deepEqual([api.api.lineWaits[0]?.after, api.api.lineWaits[0]?.waitMs], [5, 30_000]);
    api.api.canWait = false;
    const refused = await api.get('/logs?after=5&wait=30&grep=x');
    assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '1']);
    check('Error', refused.json);
  });
});
