/** Following, searching and downloading logs, over a real server with a fake supervisor. */
import assert from 'node:assert/strict';
import { lchownSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type ClientRequest, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ApiState, createApiRoutes } from '../../../src/api/routes.ts';
import { LineFilter, type LinesToFilter } from '../../../src/logs/line-filter.ts';
import { LiveViews } from '../../../src/live/routes.ts';
import { createMethodTable } from '../../../src/rpc/method-table.ts';
import { ownMethods } from '../../../src/rpc/own-methods.ts';
import { ProcessTimes } from '../../../src/rpc/process-times.ts';
import type { LogLine } from '../../../src/rpc/lines.ts';
import { ServerWorld } from '../http/server-world.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

class Scene {
  readonly world = new ServerWorld({ programs: [{ name: 'web' }] });
  readonly folder = mkdtempSync(join(tmpdir(), 'onevisor-live-'));
  readonly log = join(this.folder, 'web.log');

  constructor() {
    const { api } = this.world;
    const live = new LiveViews({ api, times: new ProcessTimes(api), version: '1' });
    const sources = { api, methods: createMethodTable(ownMethods), times: new ProcessTimes(api), version: '1', live };
    this.world.routes.push(...createApiRoutes({ ...sources, hostname: () => 'box' }, new ApiState()));
    api.logPath = (_config, stream) => (stream === 'stdout' ? this.log : null);
  }

  static async open(t: TestContext): Promise<Scene> {
    const scene = new Scene();
    await scene.world.open();
    t.after(async () => {
      await scene.world.end();
      rmSync(scene.folder, { recursive: true });
    });
    return scene;
  }

  get(path: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      request({ socketPath: this.world.socketPath, path: `/api/v1${path}`, agent: false }, (response) => {
        let text = '';
        response
          .setEncoding('utf8')
          .on('data', (part: string) => (text += part))
          .on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
          .on('error', reject);
      })
        .on('error', reject)
        .end();
    });
  }

  async objects(path: string): Promise<Array<Record<string, unknown>>> {
    const { status, text } = await this.get(path);
    assert.equal(status, 200, text);
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

const line = (seq: number, text: string, more: Partial<LogLine> = {}): LogLine => ({
  seq,
  at: Date.UTC(2026, 0, 1) + seq,
  name: 'web:web',
  stream: 'stdout',
  pid: 1,
  text,
  ...more,
});

test('searches a log and its backups, the newest first', async (t) => {
  const scene = await Scene.open(t);
  writeFileSync(scene.log, 'one\nERROR two\nthree ERROR');
  writeFileSync(`${scene.log}.1`, 'ERROR old\n');
  writeFileSync(`${scene.log}.2.gz`, gzipSync('ERROR older\nfine\n'));
  const objects = await scene.objects('/logs/files?name=web&grep=ERROR');
  assert.deepEqual(
    objects.flatMap(({ hit }) => hit ?? []),
    [
      { file: 'web.log', offset: 4, text: 'ERROR two' },
      { file: 'web.log', offset: 14, text: 'three ERROR' },
      { file: 'web.log.1', offset: 0, text: 'ERROR old' },
      { file: 'web.log.2.gz', offset: 0, text: 'ERROR older' },
    ],
  );
  assert.deepEqual(objects.at(-1), { done: { hits: 4, capped: false } });
  assert.deepEqual(objects[0], { progress: { file: 'web.log', bytes: 0, size: 25 } });
  const capped = await scene.objects('/logs/files?name=web&grep=ERROR&limit=3');
  assert.deepEqual(capped.at(-1), { done: { hits: 3, capped: true } });
});

test('cuts long lines, and follows no link of another user', async (t) => {
  const scene = await Scene.open(t);
  writeFileSync(scene.log, `${'x'.repeat(300_000)}END\nEND\n`);
  const objects = await scene.objects('/logs/files?name=web&regex=true&grep=END$');
  const hits = objects.flatMap(({ hit }) => (hit === undefined ? [] : (hit as { text: string }).text.length));
  assert.deepEqual(hits.slice(-1), [3]);
  // The user of the program may own the directory, and choose a file that only root can read.
  writeFileSync(`${scene.folder}/secret`, 'END\n');
  symlinkSync(`${scene.folder}/secret`, `${scene.log}.1`);
  if (process.getuid?.() !== 0) return;
  lchownSync(`${scene.log}.1`, 65_534, 65_534);
  const again = await scene.objects('/logs/files?name=web&regex=true&grep=END$');
  assert.deepEqual(again.at(-1), { done: { hits: hits.length, capped: false } });
});

test('refuses a search that cannot be', async (t) => {
  const scene = await Scene.open(t);
  for (const [query, status, code] of [
    ['name=none&grep=x', 404, 'bad_name'],
    ['name=web&stream=stderr&grep=x', 404, 'no_file'],
    ['name=web&stream=other&grep=x', 400, 'bad_value'],
    ['name=web&regex=true&grep=(', 400, 'bad_value'],
    ['name=web&limit=0', 400, 'bad_value'],
  ] as const) {
    const { status: answered, text } = await scene.get(`/logs/files?${query}`);
    assert.equal(answered, status, query);
    assert.equal((JSON.parse(text) as { error: { code: string } }).error.code, code);
  }
});

test('downloads lines with their times, and joins pieces', async (t) => {
  const scene = await Scene.open(t);
  scene.world.api.linesAnswer = {
    lines: [line(1, 'INFO a'), line(2, 'ERROR beg', { partial: true }), line(3, 'in', { rest: true }), line(4, 'b')],
    next: 4,
    hasMore: false,
    missed: [],
  };
  const { text, headers } = await scene.get('/logs/download?names=web&timestamps=1');
  assert.equal(
    text,
    '2026-01-01T00:00:00.001Z INFO a\n2026-01-01T00:00:00.002Z ERROR begin\n2026-01-01T00:00:00.004Z b\n',
  );
  assert.match(String(headers['content-disposition']), /^attachment; filename="web-[\d-]+\.log"$/);
  assert.equal((await scene.get('/logs/download?grep=INFO')).text, 'web | INFO a\n');
  assert.deepEqual(JSON.parse((await scene.get('/logs/download?since=x')).text), {
    error: {
      code: 'bad_value',
      message: 'since must be a time: Milliseconds since 1970, 2026-11-30T08:00:00Z, or a time ago: 30s, 10m, 2h, 1d',
    },
  });
  const { api } = scene.world;
  for (const path of ['/logs/download', '/usage/history'])
    assert.match((await scene.get(`${path}?names=wbe`)).text, /"bad_name","message":"there is no process or group/);
  const asked: Array<readonly [number | null, number | null]> = [];
  const readLines = api.readLines.bind(api);
  api.readLines = (selection, query) => {
    asked.push([query.sinceMs, query.untilMs]);
    return readLines(selection, query);
  };
  api.wallMs = () => 1_000_000;
  await scene.get('/logs/download?since=10m&until=1970-01-01T00:16:00Z');
  assert.deepEqual(asked, [[400_000, 960_000]]);
});

test('a download tells losses during the download, and each line once', async (t) => {
  const scene = await Scene.open(t);
  const { api } = scene.world;
  const missed = [{ name: 'web:web', stream: 'stdout', bytes: 9 }] as const;
  let asked: Array<{ readonly after: number | null; readonly told: unknown }> = [];
  api.readLines = (_selection, { after, told }) => {
    asked.push({ after, told });
    const seq = (after ?? 0) + 1;
    return {
      lines: [line(seq, `INFO ${seq}`, seq === 1 ? { partial: true } : {})],
      next: seq,
      hasMore: seq < 3,
      missed,
    };
  };
  const told = '==> up to 9 bytes of web (stdout) were lost before they could be read <==\n';
  // The first reading begins with what is in memory.
  assert.equal((await scene.get('/logs/download?names=web')).text, `INFO 1\n${told}INFO 2\n${told}INFO 3\n`);
  assert.ok(asked.length === 3 && asked.every((query) => query.told !== undefined && query.told === asked[0]?.told));
  assert.equal((await scene.get('/logs/download?names=web&grep=no')).text, told.repeat(2));
  asked = [];
  // A client that continues after a number is told all.
  assert.equal((await scene.get('/logs/download?names=web&after=1')).text, `${told}INFO 2\n${told}INFO 3\n`);
});

test('follows lines until the client leaves', async (t) => {
  const scene = await Scene.open(t);
  const { api } = scene.world;
  api.linesAnswer = { lines: [line(1, 'ERROR old')], next: 1, hasMore: false, missed: [] };
  const read: number[] = [];
  api.readFollowed = (after) => {
    read.push(after);
    return after === 1
      ? {
          lines: [line(5, 'ERROR new'), line(6, 'INFO no')],
          next: 6,
          hasMore: false,
          missed: [{ name: 'web:web', stream: 'stdout', bytes: 9 }],
        }
      : { lines: [], next: after, hasMore: false, missed: [] };
  };
  const sent = await new Promise<ClientRequest>((resolve, reject) => {
    const sent = request(
      { socketPath: scene.world.socketPath, path: '/api/v1/logs?follow=true&names=web&level=error', agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
          if (text.split('\n').length < 4) return;
          const [old, missed, fresh] = text.split('\n').map((one) => (one === '' ? {} : (JSON.parse(one) as object)));
          assert.deepEqual(old, { ...line(1, 'ERROR old'), name: 'web' });
          assert.deepEqual(missed, { missed: { name: 'web', stream: 'stdout', bytes: 9 } });
          assert.deepEqual(fresh, { ...line(5, 'ERROR new'), name: 'web' });
          resolve(sent);
        });
        response.on('error', () => undefined);
      },
    );
    sent.on('error', reject).end();
  });
  assert.equal(read[0], 1);
  const reads = read.length;
  api.tellRestarted('web:web');
  while (read.length === reads) await new Promise((resolve) => void setImmediate(resolve));
  assert.equal(api.refreshes, 1, 'a restart of the supervisor has other outputs');
  sent.destroy();
  while (api.follows.size > 0) await new Promise((resolve) => void setImmediate(resolve));
});

test('a filter that wants nothing leaves turns of the loop to others', async (t) => {
  const scene = await Scene.open(t);
  const { api } = scene.world;
  const most = 200;
  let turns = 0;
  let reads = 0;
  const beat = (): void => {
    turns += 1;
    if (reads < most) setImmediate(beat);
  };
  const next = (): typeof api.linesAnswer => {
    if (reads === 0) setImmediate(beat);
    reads += 1;
    return { lines: [line(reads, 'INFO a')], next: reads, hasMore: reads < most, missed: [] };
  };
  Object.defineProperty(api, 'linesAnswer', { get: next });
  assert.equal((await scene.get('/logs/download?grep=none')).text, '');
  assert.ok(turns >= most / 2, `${turns} turns for ${reads} readings`);

  [turns, reads] = [0, 0];
  api.readFollowed = next;
  const sent = request({
    socketPath: scene.world.socketPath,
    path: '/api/v1/logs?follow=true&after=0&grep=none',
    agent: false,
  });
  sent.on('error', () => undefined).end();
  const isRead = (): boolean => reads >= most;
  while (!isRead()) await new Promise((resolve) => void setImmediate(resolve));
  sent.destroy();
  assert.ok(turns >= most / 2, `${turns} turns for ${reads} readings`);
});

test('a file of empty lines is searched in several turns', async (t) => {
  const scene = await Scene.open(t);
  const count = 60_000;
  writeFileSync(scene.log, '\n'.repeat(count));
  let turns = 0;
  let isOver = false;
  const beat = (): void => {
    turns += 1;
    if (!isOver) setImmediate(beat);
  };
  const { choose } = LineFilter.prototype;
  let searched = 0;
  t.mock.method(LineFilter.prototype, 'choose', async function <Line>(this: LineFilter, given: LinesToFilter<Line>) {
    if (searched === 0) beat();
    const chosen = await (choose<Line>).call(this, given);
    searched += given.lines.length;
    if (searched === count) isOver = true;
    return chosen;
  });
  const objects = await scene.objects('/logs/files?name=web&grep=none');
  assert.deepEqual(objects.at(-1), { done: { hits: 0, capped: false } });
  assert.equal(searched, count);
  assert.ok(turns >= 10, `${turns} turns`);
});
