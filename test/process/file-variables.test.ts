/** Variables that name a file, with real files. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { expandFileVariables, type FileVariables } from '../../src/process/file-variables.ts';
import { SpawnError } from '../../src/process/spawn-error.ts';

const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function expand(variables: Readonly<Record<string, string>>, rule: FileVariables): Record<string, string> {
  return Object.fromEntries(expandFileVariables(new Map(Object.entries(variables)), rule));
}

const db = file('db', 'secret\n');

describe('names and patterns', () => {
  const rows: ReadonlyArray<readonly [rule: FileVariables, expected: Record<string, string>]> = [
    [false, { DB_PASSWORD_FILE: db, API_KEY_FILE: db, FILE__TOKEN: db }],
    [['DB_PASSWORD'], { DB_PASSWORD: 'secret', API_KEY_FILE: db, FILE__TOKEN: db }],
    [['API_*', 'TOKEN'], { DB_PASSWORD_FILE: db, API_KEY: 'secret', TOKEN: 'secret' }],
    [['*'], { DB_PASSWORD: 'secret', API_KEY: 'secret', TOKEN: 'secret' }],
    [['DB.PASSWORD', 'B_PASSWORD'], { DB_PASSWORD_FILE: db, API_KEY_FILE: db, FILE__TOKEN: db }],
    // `true` is for the directories of secrets only.
    [true, { DB_PASSWORD_FILE: db, API_KEY_FILE: db, FILE__TOKEN: db }],
  ];
  for (const [rule, expected] of rows)
    test(String(rule), () =>
      assert.deepEqual(expand({ DB_PASSWORD_FILE: db, API_KEY_FILE: db, FILE__TOKEN: db }, rule), expected),
    );

  test('true reads files in the directories of secrets, and no other', () => {
    for (const path of ['/run/secrets/no-such-secret', '/var/run/secrets/a/no-such', '/run//secrets/./no-such'])
      assert.throws(() => expand({ X_FILE: path }, true), SpawnError, path);
    for (const path of ['/run/secrets/../../etc/hostname', '/etc/ssl/cert.pem', 'run/secrets/x', '/run/secretsx/y'])
      assert.deepEqual(expand({ SSL_CERT_FILE: path }, true), { SSL_CERT_FILE: path });
  });
});

describe('the content', () => {
  test('loses one newline at its end, and nothing else', () => {
    assert.equal(expand({ A_FILE: file('a', ' x\n\n') }, ['A'])['A'], ' x\n');
    assert.equal(expand({ A_FILE: file('a', 'x\r\n') }, ['A'])['A'], 'x');
    assert.equal(expand({ A_FILE: file('a', '') }, ['A'])['A'], '');
    assert.equal(expand({ A_FILE: file('a', Buffer.from([0x61, 0xff])) }, ['A'])['A'], 'a\udcff');
  });

  test('is read again each time', () => {
    const path = file('changing', 'one');
    assert.equal(expand({ A_FILE: path }, ['A'])['A'], 'one');
    file('changing', 'two');
    assert.equal(expand({ A_FILE: path }, ['A'])['A'], 'two');
  });

  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const refusals: ReadonlyArray<readonly [title: string, variables: Record<string, string>, message: RegExp]> = [
    ['a missing file', { A_FILE: join(folder, 'no') }, /^cannot read the file of A_FILE, \/.*\/no: .*no such file/],
    ['a fifo', { A_FILE: fifo }, /only a regular file is read/],
    ['a device', { A_FILE: '/dev/zero' }, /only a regular file is read/],
    ['a directory', { A_FILE: folder }, /^cannot read the file of A_FILE/],
    ['a large file', { A_FILE: file('large', 'x'.repeat(64 * 1024 + 1)) }, /larger than|too large|more than/],
    ['a NUL', { A_FILE: file('nul', 'sec\0ret') }, /it has a NUL/],
    ['a relative path', { A_FILE: 'secrets/a' }, /the path must be absolute/],
    ['both variables', { A_FILE: db, A: 'set' }, /cannot set A from A_FILE: A is set too; remove one of them/],
    ['both files', { A_FILE: db, FILE__A: db }, /cannot set A from FILE__A: A is set too/],
  ];
  for (const [title, variables, message] of refusals)
    test(`${title} is refused, and the message has no value`, () =>
      assert.throws(
        () => expand(variables, ['A']),
        (error: unknown) => {
          assert.ok(error instanceof SpawnError);
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /sec.?ret$|xxx/);
          return true;
        },
      ));

  test('64 KB are taken, and an empty variable is none', () => {
    assert.equal(expand({ A_FILE: file('full', 'x'.repeat(64 * 1024)) }, ['A'])['A']?.length, 64 * 1024);
    assert.deepEqual(expand({ A_FILE: '', A: 'set' }, ['A']), { A_FILE: '', A: 'set' });
    assert.equal(expand({ A_FILE: db, A: '' }, ['A'])['A'], 'secret');
    assert.deepEqual(expand({ _FILE: db, FILE__: db }, ['*']), { _FILE: db, FILE__: db });
  });
});
