/** Listening sockets for programs, with the real kernel: a failure leaves nothing behind, and foreign files stay. */
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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
  replaces: 'any',
  ...more,
});
const countDescriptors = (): number => readdirSync('/proc/self/fd').length;
const noWarning = (text: string): void => assert.fail(text);

test('a failure leaves nothing behind', () => {
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
    listenUnix: (path: string, backlog: number, mode: number) => addon.listenUnix(path.padEnd(200, 'z'), backlog, mode),
  };
  assert.throws(() => openListeningSocket(strained, request(join(folder, 's')), noWarning), failure('ENAMETOOLONG'));
  assert.equal(countDescriptors(), before);
  assert.deepEqual(readdirSync(folder), ['file']);
});

test('a stale socket is replaced, and one in use is not', () => {
  const path = join(folder, 'used');
  const first = openListeningSocket(addon, request(path, { replaces: 'stale', mode: 0o666 }), noWarning);
  assert.equal(lstatSync(path).mode & 0o777, 0o666);
  const before = countDescriptors();
  assert.throws(() => openListeningSocket(addon, request(path, { replaces: 'stale' }), noWarning), {
    code: 'EADDRINUSE',
    message: 'another program listens there already (EADDRINUSE)',
  });
  assert.equal(countDescriptors(), before);
  first.release();
  first.release();
  assert.ok(lstatSync(path).isSocket());
  const second = openListeningSocket(addon, request(path, { replaces: 'stale' }), noWarning);
  first.close();
  assert.ok(lstatSync(path).isSocket(), 'the path belongs to the second');
  second.close();
  assert.throws(() => lstatSync(path), { code: 'ENOENT' });
});

test('permissions change in place, and not through a link that has replaced the socket', () => {
  const path = join(folder, 'permitted');
  const target = join(folder, 'target');
  writeFileSync(target, '', { mode: 0o600 });
  const socket = openListeningSocket(addon, request(path, { replaces: 'stale' }), noWarning);
  assert.equal(socket.isUnlinked(), false);
  socket.permit({ mode: 0o620, owner: null });
  assert.equal(lstatSync(path).mode & 0o777, 0o620);
  rmSync(path);
  assert.equal(socket.isUnlinked(), true);
  symlinkSync(target, path);
  assert.throws(() => socket.permit({ mode: 0o666, owner: null }), ListeningSocketError);
  assert.equal(lstatSync(target).mode & 0o777, 0o600);
  socket.close();
  assert.ok(lstatSync(path).isSymbolicLink());
  rmSync(path);
});

test('a path that cannot be looked at is not taken for gone', () => {
  const inner = join(folder, 'inner');
  mkdirSync(inner);
  const socket = openListeningSocket(addon, request(join(inner, 's')), noWarning);
  rmSync(inner, { recursive: true });
  assert.equal(socket.isUnlinked(), true);
  symlinkSync(inner, inner);
  assert.equal(socket.isUnlinked(), false, 'ELOOP');
  socket.release();
  rmSync(inner);
});

test('a path that was replaced meanwhile is not removed', async () => {
  const path = join(folder, 'taken');
  const socket = openListeningSocket(addon, request(path), noWarning);
  rmSync(path);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ path }, resolve));
  socket.close();
  assert.ok(lstatSync(path).isSocket());
  await new Promise((resolve) => server.close(resolve));
});

test('an owner that cannot be set is a warning, and the socket works', () => {
  const path = join(folder, 'owned');
  const warnings: string[] = [];
  const socket = openListeningSocket(addon, request(path, { owner: { uid: 2 ** 32 - 1, gid: 5 } }), (text) =>
    warnings.push(text),
  );
  // As root the call succeeds: the kernel reads -1 as "no change". Other users get the error.
  assert.equal(warnings.length, process.getuid?.() === 0 ? 0 : 1);
  assert.equal(lstatSync(path).mode & 0o777, 0o700);
  socket.close();
  assert.throws(() => lstatSync(path), { code: 'ENOENT' });
});
