/** The file for the exit reason: its content, and that it is never created, followed as a link or waited for. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeTerminationLog } from '../../../src/supervisor/termination-log.ts';

/** Writes to a path that `prepare` has set up. Returns the reports. */
function write(text: string, prepare: (path: string) => void, check: (path: string) => void): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'onevisor-termination-'));
  const path = join(directory, 'log');
  const reports: string[] = [];
  try {
    prepare(path);
    writeTerminationLog(text, (level, line) => reports.push(`${level} ${line.replace(path, 'PATH')}`), path);
    check(path);
  } finally {
    rmSync(directory, { recursive: true });
  }
  return reports;
}

const contentIs =
  (expected: string) =>
  (path: string): void =>
    assert.equal(readFileSync(path, 'utf8'), expected);

test('the text replaces the old content', () => {
  assert.deepEqual(
    write(
      'program web ended',
      (path) => writeFileSync(path, 'something longer, of a run before'),
      contentIs('program web ended'),
    ),
    [],
  );
});

test('at most 4096 bytes, cut between characters', () => {
  for (const [text, length] of [
    ['x'.repeat(5000), 4096],
    [`${'x'.repeat(4095)}ü`, 4095],
    [`${'x'.repeat(4094)}ü`, 4096],
    [`${'x'.repeat(4093)}😀y`, 4093],
    ['ü'.repeat(3000), 4096],
  ] as const) {
    assert.deepEqual(
      write(
        text,
        (path) => writeFileSync(path, ''),
        (path) => {
          const content = readFileSync(path);
          assert.equal(content.length, length);
          assert.ok(text.startsWith(new TextDecoder('utf-8', { fatal: true }).decode(content)));
        },
      ),
      [],
    );
  }
});

test('no file is created', () => {
  assert.deepEqual(
    write(
      'x',
      () => undefined,
      (path) => assert.ok(!existsSync(path)),
    ),
    [],
  );
});

test('a link is not followed', () => {
  const reports = write(
    'x',
    (path) => {
      writeFileSync(`${path}.target`, 'kept');
      symlinkSync(`${path}.target`, path);
    },
    (path) => contentIs('kept')(`${path}.target`),
  );
  assert.deepEqual(reports, ['debug cannot write the exit reason to PATH: ELOOP']);
});

test('a named pipe is refused without waiting for a reader', () => {
  assert.deepEqual(
    write(
      'x',
      (path) => void execFileSync('mkfifo', [path]),
      () => undefined,
    ),
    ['debug cannot write the exit reason to PATH: ENXIO'],
  );
  let reader = -1;
  const reports = write(
    'x',
    (path) => {
      execFileSync('mkfifo', [path]);
      reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    },
    () => assert.equal(readSync(reader, Buffer.alloc(8)), 0),
  );
  closeSync(reader);
  assert.deepEqual(reports, ['debug cannot write the exit reason to PATH: it is not a regular file']);
});

test('a directory is a line at level debug', () => {
  assert.deepEqual(
    write(
      'x',
      (path) => mkdirSync(path),
      () => undefined,
    ),
    ['debug cannot write the exit reason to PATH: EISDIR'],
  );
});
