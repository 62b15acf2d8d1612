/** Variables from files and directories: valid forms, and errors, which never show a value. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EnvironmentFile } from '../../src/core/environment-text.ts';
import { parseEnvironmentFile, readEnvironmentFiles } from '../../src/process/environment-files.ts';
import { SpawnError } from '../../src/process/spawn-error.ts';

const readFiles = (files: readonly EnvironmentFile[], directories: readonly string[]): Map<string, string> =>
  readEnvironmentFiles(
    { environment_file: files, environment_dir: directories, environment_file_expand: false },
    { inherited: {}, common: new Map() },
  );

test('lines of an environment file', () => {
  const rows: Array<[text: string, variables: Record<string, string>]> = [
    ['A=1\nB=two words\n', { A: '1', B: 'two words' }],
    ['# comment\n\n  \nexport A=1', { A: '1' }],
    ['A=p#ss=w%rd,"x"', { A: 'p#ss=w%rd,"x"' }],
    ["A='it # is $HOME \\n'  # comment\nB=2", { A: 'it # is $HOME \\n', B: '2' }],
    ['A="a\\n\\"b\\"\\\\"\nB=', { A: 'a\n"b"\\', B: '' }],
    ['KEY="-----BEGIN\nline\n-----END"\nNEXT=1\r\n', { KEY: '-----BEGIN\nline\n-----END', NEXT: '1' }],
    ['A = 1 \r\n', { A: '1' }],
    ['\uFEFFA=1\n', { A: '1' }],
    ['', {}],
  ];
  for (const [text, variables] of rows)
    assert.deepEqual(Object.fromEntries(parseEnvironmentFile(text, 'x')), variables, JSON.stringify(text));
});

test('a file refers to one before it, to [supervisord] and to what we inherited, not to our own variables', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'onevisor-env-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'a'), 'A=first\n');
  writeFileSync(join(folder, 'b'), 'B=$A $COMMON $OUTER $ONEVISOR_CONF\nOUTER\nONEVISOR_CONF\n');
  const files = ['a', 'b'].map((name) => ({ path: join(folder, name), isOptional: false }));
  const variables = readEnvironmentFiles(
    { environment_file: files, environment_dir: [], environment_file_expand: true },
    {
      inherited: { OUTER: 'outer', COMMON: 'outer', ONEVISOR_CONF: 'secret' },
      common: new Map([['COMMON', 'common']]),
    },
  );
  assert.deepEqual(Object.fromEntries(variables), { A: 'first', B: 'first common outer ', OUTER: 'outer' });
});

test('an invalid line is an error with its number, without its text', () => {
  for (const [text, line] of [
    ['A=1\nsecret\n', 2],
    ['K="a\nb"\n9X=secret', 3],
    ['=secret', 1],
  ] as const) {
    assert.throws(
      () => parseEnvironmentFile(text, '/e'),
      (error: unknown) =>
        error instanceof SpawnError && error.message === `cannot read /e: line ${line} is not NAME=value`,
    );
  }
});

test('files and directories, later ones override earlier ones', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'onevisor-env-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'a.env'), 'A=file\nB=file\n');
  mkdirSync(join(folder, 'secrets', '..data'), { recursive: true });
  writeFileSync(join(folder, 'secrets', '..data', 'B'), 'from the directory\n');
  symlinkSync('..data/B', join(folder, 'secrets', 'B'));
  const files = [
    { path: join(folder, 'a.env'), isOptional: false },
    { path: join(folder, 'missing'), isOptional: true },
  ];
  assert.deepEqual(Object.fromEntries(readFiles(files, [join(folder, 'secrets')])), {
    A: 'file',
    B: 'from the directory',
  });
  assert.throws(
    () => readFiles([{ path: join(folder, 'missing'), isOptional: false }], []),
    /missing: there is no such file; write -PATH where it may be missing$/,
  );
  assert.throws(() => readFiles([{ path: folder, isOptional: true }], []), /it is a directory$/);
  assert.throws(() => readFiles([], [join(folder, 'none')]), /none: ENOENT$/);
});

test('a file that can be opened but not read fails the start', () => {
  const isFailedStart = (error: unknown): boolean =>
    error instanceof SpawnError && error.message === 'cannot read /proc/self/mem: it cannot be read (EIO)';
  assert.throws(() => readFiles([{ path: '/proc/self/mem', isOptional: false }], []), isFailedStart);
});

test('a value that no environment can contain is an error with its name, and is not shown', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'onevisor-env-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'KEY'), 'secret\0more');
  assert.throws(
    () => readFiles([], [folder]),
    (error: unknown) =>
      error instanceof SpawnError &&
      error.message.startsWith('cannot set the variable KEY: ') &&
      !error.message.includes('more'),
  );
});
