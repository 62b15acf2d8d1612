/** The addresses on which a process accepts connections: found for this one, none for others. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readListeningSockets } from '../../src/process/listening-sockets.ts';

test('TCP and unix sockets of a process', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-listens-'));
  const path = join(folder, 's');
  const tcp = createServer().listen(0, '127.0.0.1');
  const servers = [tcp, createServer().listen(path)];
  t.after(async () => {
    for (const server of servers) server.close();
    await rm(folder, { recursive: true, force: true });
  });
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const found = await readListeningSockets([2 ** 22, process.pid]);
  assert.deepEqual(
    found.filter((address) => address.includes(folder) || address.includes('127.0.0.1:')),
    [`tcp 127.0.0.1:${(tcp.address() as AddressInfo).port}`, `unix ${path}`],
  );
});
