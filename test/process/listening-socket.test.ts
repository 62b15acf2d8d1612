/** Listening sockets for programs, with the real kernel: a failure leaves nothing behind, and foreign files stay. */
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
    listenUnix: (path: string, backlog: number) => addon.listenUnix(path.padEnd(200, 'z'), backlog),
  };
  assert.throws(() => openListeningSocket(strained, request(join(folder, 's')), noWarning), failure('ENAMETOOLONG'));
  assert.equal(countDescriptors(), before);
  assert.deepEqual(readdirSync(folder), ['file']);
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
