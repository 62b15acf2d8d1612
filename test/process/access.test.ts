/** The modes on the way to a file: who may read, search and execute, by path_resolution(7). */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AccessJudge, EXECUTE, hasRight, READ } from '../../src/process/access.ts';

const folder = mkdtempSync(join(tmpdir(), 'onevisor-access-'));
after(() => rmSync(folder, { recursive: true }));
const { uid, gid } = statSync(folder);
/** A user who owns nothing here and is in no group. */
const stranger = { uid: uid + 7, gid: gid + 7, groups: [] };

test('the closest class of a mode decides', () => {
  const file = (mode: number, isDirectory = false): Parameters<typeof hasRight>[0] => ({
    mode,
    uid: 10,
    gid: 20,
    isDirectory: () => isDirectory,
  });
  const cases: ReadonlyArray<
    readonly [mode: number, uid: number, gid: number, groups: number[], right: number, boolean]
  > = [
    [0o700, 10, 0, [], EXECUTE, true],
    [0o077, 10, 20, [], EXECUTE, false],
    [0o070, 11, 20, [], READ, true],
    [0o070, 11, 21, [20], READ, true],
    [0o707, 11, 21, [20], READ, false],
    [0o704, 11, 21, [22], READ, true],
    [0o704, 11, 21, [22], EXECUTE, false],
    [0o000, 0, 0, [], READ, true],
    [0o644, 0, 0, [], EXECUTE, false],
    [0o001, 0, 0, [], EXECUTE, true],
  ];
  for (const [mode, userId, groupId, groups, right, expected] of cases)
    assert.equal(hasRight(file(mode), { uid: userId, gid: groupId, groups }, right), expected, mode.toString(8));
  assert.ok(hasRight(file(0, true), { uid: 0, gid: 0, groups: [] }, EXECUTE));
});

test('folders on the way, also behind links', () => {
  chmodSync(folder, 0o755);
  for (const [name, mode] of [
    ['open', 0o755],
    ['closed', 0o700],
    ['closed/inner', 0o755],
    ['listed', 0o711],
  ] as const) {
    mkdirSync(join(folder, name));
    chmodSync(join(folder, name), mode);
  }
  writeFileSync(join(folder, 'closed/inner/run'), '');
  chmodSync(join(folder, 'closed/inner/run'), 0o755);
  symlinkSync('../closed/inner', join(folder, 'open/link'));
  symlinkSync('loop', join(folder, 'loop'));
  const judge = new AccessJudge();
  const find = (name: string, right = EXECUTE): string | null =>
    judge.find(join(folder, name), stranger, right)?.path.replace(`${folder}/`, '') ?? null;
  assert.equal(find('open'), null);
  assert.equal(find('open', READ), null);
  assert.equal(find('closed'), 'closed');
  assert.equal(find('closed/inner'), 'closed');
  assert.equal(find('closed/inner/run'), 'closed');
  assert.equal(find('open/link'), 'closed');
  assert.equal(find('open/link/run'), 'closed');
  assert.equal(find('listed'), null);
  assert.equal(find('listed', READ), 'listed');
  assert.equal(find('missing'), null);
  assert.equal(find('loop'), null);
  assert.deepEqual(judge.find(join(folder, 'closed'), stranger, READ), {
    path: join(folder, 'closed'),
    mode: 0o700,
    uid,
    gid,
  });
  assert.equal(judge.find(join(folder, 'closed/inner/run'), { ...stranger, uid }, EXECUTE), null);
});
