/**
 * Listening sockets for programs, with the real kernel: nothing is left behind when one cannot be made, and what is not
 * ours stays.
 */
import assert from 'node:assert/strict';
import { lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadAddon } from '../../src/native/load.ts';
import { type ListenRequest, ListeningSocketError, openListeningSocket } from '../../src/process/listening-socket.ts';

const addon = loadAddon();
const folder = mkdtempSync(join(tmpdir(), 'onevisor-listening-'));
after(() => rmSync(folder, { recursive: true }));

const request = (path: string, more: Partial<ListenRequest> = {}): ListenRequest => ({
  address: { kind: 'unix', path },
  backlog: 5,
  mode: 0o700,
  owner: null,
  ...more,
});
const countDescriptors = (): number => readdirSync('/proc/self/fd').length;
const noWarning = (text: string): void => assert.fail(text);

test('what cannot be made leaves nothing behind', () => {
  writeFileSync(join(folder, 'file'), 'precious');
  const before = countDescriptors();
  const failure =
    (code: string) =>
    (error: unknown): boolean =>
      error instanceof ListeningSocketError && error.code === code;
  assert.throws(() => openListeningSocket(addon, request(join(folder, 'file')), noWarning), failure('ENOTSOCK'));
  assert.throws(() => openListeningSocket(addon, request(join(folder, 'none', 's')), noWarning), failure('ENOENT'));
  assert.throws(
    () => openListeningSocket(addon, request(join(folder, 'x'.repeat(100), 's')), noWarning),
    failure('ENOENT'),
  );
  const strained = {
    ...addon,
    listenUnix: (path: string, backlog: number) => addon.listenUnix(path.padEnd(200, 'z'), backlog),
  };
  assert.throws(() => openListeningSocket(strained, request(join(folder, 's')), noWarning), failure('ENAMETOOLONG'));
  assert.equal(countDescriptors(), before);
  assert.deepEqual(readdirSync(folder), ['file']);
});

test('a path that somebody else has taken meanwhile is not removed', async () => {
  const path = join(folder, 'taken');
  const socket = openListeningSocket(addon, request(path), noWarning);
  rmSync(path);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ path }, resolve));
  socket.close();
  assert.ok(lstatSync(path).isSocket());
  await new Promise((resolve) => server.close(resolve));
});

test('an owner that cannot be set is a warning, and the socket is there', () => {
  const path = join(folder, 'owned');
  const warnings: string[] = [];
  const socket = openListeningSocket(addon, request(path, { owner: { uid: 2 ** 32 - 1, gid: 5 } }), (text) =>
    warnings.push(text),
  );
  // Root may do it: the kernel takes -1 for "leave it". Anybody else is told.
  assert.equal(warnings.length, process.getuid?.() === 0 ? 0 : 1);
  assert.equal(lstatSync(path).mode & 0o777, 0o700);
  socket.close();
  assert.throws(() => lstatSync(path), { code: 'ENOENT' });
});
