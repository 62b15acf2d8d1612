/** The lines of log files: backups, compressed ones, times, and the place where the lines in memory begin. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type FileQuery, readFileLines } from '../../../src/ctl/logs/file-lines.ts';
import { openSegments, remoteSegment } from '../../../src/ctl/logs/segments.ts';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-29T12:00:00Z');

/** Writes files, the oldest first, each an hour younger than the one before. Returns the path of the log. */
function write(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'logs-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const names = Object.keys(files);
  for (const [index, name] of names.entries()) {
    const path = join(folder, name);
    writeFileSync(path, name.endsWith('.gz') ? gzipSync(files[name] ?? '') : (files[name] ?? ''));
    const seconds = (NOW - (names.length - 1 - index) * HOUR) / 1000;
    utimesSync(path, seconds, seconds);
  }
  return join(folder, 'web.log');
}

async function read(
  path: string,
  more: Partial<FileQuery> = {},
): Promise<ReadonlyArray<readonly [string, number | null]>> {
  const query = {
    name: 'web:web',
    stream: 'stdout',
    segments: (await openSegments(path))?.segments ?? [],
    memory: Buffer.alloc(0),
    memoryMs: Infinity,
    sinceMs: null,
    untilMs: null,
    lines: Infinity,
    ...more,
  };
  const found: Array<readonly [string, number | null]> = [];
  let lastMs = 0;
  for await (const batch of readFileLines(query))
    for (const { line, keyMs } of batch) {
      assert.ok(keyMs >= lastMs && keyMs <= query.memoryMs, 'lines of one log stay in their order');
      lastMs = keyMs;
      found.push([line.text, line.at]);
    }
  return found;
}

const textsOf = async (...args: Parameters<typeof read>): Promise<string> =>
  (await read(...args)).map(([text]) => text).join(' ');

const THREE = { 'web.log.2.gz': 'a\nb\n', 'web.log.1': 'c\nd\n', 'web.log': 'e\nf\ng' };

test('backups come before the log, compressed or not', async (t) => {
  const path = write(t, THREE);
  assert.equal(await textsOf(path), 'a b c d e f g');
  for (const [lines, texts] of [
    [1, 'g'],
    [3, 'e f g'],
    [4, 'd e f g'],
    [6, 'b c d e f g'],
    [9, 'a b c d e f g'],
  ] as const)
    assert.equal(await textsOf(path, { lines }), texts);
  assert.equal(await textsOf(path, { sinceMs: NOW - 1.5 * HOUR }), 'c d e f g', 'files that ended before are left out');
  assert.equal(await textsOf(path, { untilMs: NOW - 1.5 * HOUR }), 'a b c d', 'so are those that began later');
  const both = write(t, { 'web.log.1.gz': 'x\n', 'web.log.1': 'x\n', 'web.log': 'y\n' });
  assert.equal(await textsOf(both), 'x y', 'a backup that is just being compressed');
});

test('lines that are in memory, too, are left to the memory', async (t) => {
  const path = write(t, THREE);
  const cut = (memory: string): Promise<string> => textsOf(path, { memory: Buffer.from(memory), memoryMs: NOW });
  assert.equal(await cut('f\ng'), 'a b c d e');
  assert.equal(await cut('d\ne\nf\ngh\ni\n'), 'a b c', 'the file is behind');
  assert.equal(await cut('b\nc\nd\ne\nf\n'), 'a', 'and the log has been rotated since');
  assert.equal(await cut('other\n'), 'a b c d e f g');
});

test('times at the beginning of lines count, and hold for the lines that follow', async (t) => {
  const at = (minutes: number): string => new Date(NOW + minutes * 60_000).toISOString();
  const path = write(t, { 'web.log': `head\n${at(-30)} one\n  more\n${at(-10)} two\n` });
  const [head, one, more, two] = await read(path);
  assert.deepEqual(
    [head?.[1], one?.[1], more?.[1], two?.[1]],
    [null, NOW - 30 * 60_000, NOW - 30 * 60_000, NOW - 600_000],
  );
  const since = await read(path, { sinceMs: NOW - 20 * 60_000 });
  assert.deepEqual(
    since.map(([text]) => text.slice(-3)),
    ['ead', 'two'],
  );
  assert.equal((await read(path, { untilMs: NOW - 20 * 60_000 })).length, 3);
  // A file in another form cannot be compared with the memory, but its times can.
  const formatted = await read(path, { memory: Buffer.from('other\n'), memoryMs: NOW - 15 * 60_000 });
  assert.equal(formatted.length, 3);
});

test('a long line is given in pieces, and the end of a large file is enough for its last lines', async (t) => {
  const path = write(t, { 'web.log': `${'x'.repeat(2_500_000)}\nlast\n` });
  const lines = await read(path);
  assert.equal(lines.map(([text]) => text).join('').length, 2_500_004);
  assert.ok(lines.length > 2);
  const many = write(t, { 'web.log': Array.from({ length: 200_000 }, (_, index) => `line ${index}\n`).join('') });
  assert.equal(await textsOf(many, { lines: 2 }), 'line 199998 line 199999');
});

test('without files here, the supervisor reads the log', async (t) => {
  const path = write(t, THREE);
  assert.equal(await openSegments(`${path}.nosuch`), null);
  assert.equal(await openSegments('/nosuch/web.log'), null);
  execFileSync('mkfifo', [`${path}.9`]);
  assert.equal(await textsOf(path), 'a b c d e f g', 'a FIFO is no backup');
  const log = 'one\ntwo\n';
  const segment = await remoteSegment(
    {
      getLogSize: () => Promise.resolve(log.length + 1),
      readProcessLog: (_name, _stream, offset, length) =>
        Promise.resolve(log.slice(offset, offset + length).slice(0, 5)),
    },
    'web:web',
    'stdout',
  );
  assert.equal(segment.length, log.length + 1);
  const chunks: string[] = [];
  for await (const chunk of segment.chunks(1, 5)) chunks.push(chunk.toString());
  for await (const chunk of segment.chunks(8, 9)) chunks.push(chunk.toString());
  assert.deepEqual(chunks, ['ne\nt']);
});

test('a damaged backup is an error', async (t) => {
  const path = write(t, { 'web.log.1.gz': 'a\n', 'web.log': 'b\n' });
  writeFileSync(`${path}.1.gz`, 'no gzip');
  await assert.rejects(read(path), { code: 'Z_DATA_ERROR' });
});
