/** The reader of files that users name: the files that it reads, those that it refuses, and that it never waits. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openSource, readGivenFile } from '../../../src/config/source.ts';
import {
  FileError,
  isPipe,
  readPidFile,
  readPipe,
  readRegularFile,
  requireRegularFile,
} from '../../../src/files/read-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'onevisor-files-'));
after(() => rmSync(folder, { recursive: true }));
const place = (name: string): string => join(folder, name);
const isRefused =
  (code: string, reason: RegExp) =>
  (error: unknown): boolean =>
    error instanceof FileError && error.code === code && reason.test(error.message);
const makePipe = (name: string): string => {
  execFileSync('mkfifo', [place(name)]);
  return place(name);
};
writeFileSync(place('plain'), 'x'.repeat(100));
const fifo = makePipe('fifo');

test('reads regular files, /dev/null, and files of /proc, whose size is 0', () => {
  assert.equal(readRegularFile(place('plain'), 100).length, 100);
  assert.equal(readRegularFile('/dev/null', 100).length, 0);
  assert.match(readRegularFile('/proc/self/status', 100_000).toString(), /^Name:/);
});

test('every other type of file is refused at once, with its name', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(place('socket'), resolve));
  const rows: ReadonlyArray<readonly [path: string, code: string, reason: RegExp]> = [
    [fifo, 'NOT_REGULAR', /^it is a pipe, and only a regular file is read$/],
    [place('socket'), 'NOT_REGULAR', /^it is a socket/],
    ['/dev/zero', 'NOT_REGULAR', /^it is a device/],
    ['/dev/tty', 'NOT_REGULAR', /^it is a device/],
    [folder, 'EISDIR', /^it is a directory$/],
    [place('none'), 'ENOENT', /^there is no such file$/],
    [`${place('plain')}/x`, 'ENOTDIR', /not a directory$/],
    ['/proc/self/mem', 'EIO', /^it cannot be read \(EIO\)$/],
    [place('plain'), 'TOO_LARGE', /^it is larger than 99 bytes$/],
    ['/proc/self/status', 'TOO_LARGE', /99 bytes/],
  ];
  for (const [path, code, reason] of rows)
    assert.throws(() => readRegularFile(path, 99), isRefused(code, reason), path);
  await new Promise((resolve) => server.close(resolve));
});

test('a file with a hole of 1 TB is refused by its size', () => {
  writeFileSync(place('sparse'), '');
  truncateSync(place('sparse'), 2 ** 40);
  assert.throws(
    () => readRegularFile(place('sparse'), 1024 * 1024),
    isRefused('TOO_LARGE', /^it is larger than 1 MB$/),
  );
});

test('files for other programs are checked in the same way', () => {
  requireRegularFile(place('plain'), 100);
  assert.throws(() => requireRegularFile(place('plain'), 99), isRefused('TOO_LARGE', /99 bytes/));
  assert.throws(() => requireRegularFile(fifo, 99), isRefused('NOT_REGULAR', /pipe/));
  assert.throws(() => requireRegularFile('/dev/null', 99), isRefused('NOT_REGULAR', /device/));
});

test('pid files', () => {
  for (const [text, pid] of [
    ['42\n', 42],
    [' 7 ', 7],
    ['x', null],
    ['-1', null],
    ['1'.repeat(100), null],
  ] as const) {
    writeFileSync(place('pid'), text);
    assert.equal(readPidFile(place('pid')), pid, text);
  }
  assert.equal(readPidFile(fifo), null);
  assert.equal(readPidFile(place('none')), null);
});

test('a pipe: data of a writer that has gone, later data, and the limit', async () => {
  assert.ok(isPipe(fifo) && !isPipe(place('plain')) && !isPipe(place('none')));
  const keep = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(fifo, constants.O_WRONLY);
  writeSync(writer, 'first ');
  const reading = readPipe(fifo, 100, 60_000);
  writeSync(writer, 'second');
  closeSync(writer);
  assert.equal((await reading).toString(), 'first second');

  const over = openSync(fifo, constants.O_WRONLY);
  writeSync(over, 'x'.repeat(50));
  const tooMuch = readPipe(fifo, 60, 60_000);
  writeSync(over, 'x'.repeat(50));
  await assert.rejects(tooMuch, isRefused('TOO_LARGE', /60 bytes/));
  writeSync(over, 'x'.repeat(99));
  closeSync(over);
  await assert.rejects(readPipe(fifo, 60, 60_000), isRefused('TOO_LARGE', /60 bytes/));
  closeSync(keep);
});

test('a named pipe waits for its writer, up to the timeout', async () => {
  const late = makePipe('late');
  const reading = readPipe(late, 100, 60_000);
  const writer = openSync(late, constants.O_WRONLY);
  writeSync(writer, 'late');
  closeSync(writer);
  assert.equal((await reading).toString(), 'late');
  await assert.rejects(
    readPipe(late, 100, 20),
    isRefused('TOO_SLOW', /^the other end of this pipe was not closed within 0.02 s$/),
  );
  await assert.rejects(readPipe(place('none'), 100, 20), isRefused('ENOENT', /no such file/));
});

test('the file of -c: a pipe is read once and used for every reading', async () => {
  const keep = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(fifo, constants.O_WRONLY);
  writeSync(writer, '[supervisord]\n');
  closeSync(writer);
  const given = await readGivenFile(fifo);
  closeSync(keep);
  for (let reading = 0; reading < 2; reading++)
    assert.deepEqual(openSource({}, null, given).read(fifo), { ok: true, text: '[supervisord]\n' });
  assert.deepEqual(openSource({}, null, given).read(place('none')), {
    ok: false,
    code: 'ENOENT',
    reason: 'there is no such file',
  });
  for (const named of [null, undefined, '', place('plain'), place('none')])
    assert.equal(await readGivenFile(named), null, String(named));
  const byDescriptor = openSync(place('plain'), 'r');
  const name = `/dev/fd/${byDescriptor}`;
  assert.equal((await readGivenFile(name))?.bytes instanceof Uint8Array, true);
  closeSync(byDescriptor);
  const gone = await readGivenFile(name);
  assert.ok(!openSource({}, null, gone).read(name).ok);
});

test('all files of one reading share a limit', () => {
  writeFileSync(place('big'), ' '.repeat(4 * 1024 * 1024));
  const source = openSource({}, null);
  for (let file = 0; file < 4; file++) assert.ok(source.read(place('big')).ok);
  assert.deepEqual(source.read(place('big')), {
    ok: false,
    code: 'TOO_LARGE',
    reason: 'all files together are larger than 16 MB',
  });
});

test('file names need not be UTF-8', () => {
  const strange = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xe9]), Buffer.from('.strange')]);
  writeFileSync(strange, 'x');
  symlinkSync('fifo', place('link.strange'));
  const source = openSource({}, null);
  assert.deepEqual(
    source
      .list(folder)
      .filter((name) => name.endsWith('.strange'))
      .toSorted(),
    ['link.strange', '\udce9.strange'],
  );
  assert.ok(source.read(`${folder}/\udce9.strange`).ok && source.isFile(`${folder}/\udce9.strange`));
});
