/** The control socket of a supervisor that ends while the socket is being opened. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Config } from '../../src/config/model.ts';
import { ControlServers } from '../../src/supervisor/control-servers.ts';

test('closing waits for the opening, and leaves nothing in the folder', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-control-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const servers = new ControlServers({
    report: (_, text) => assert.fail(text),
    lookUpOwner: () => null,
    privateAddresses: [join(folder, 'socket')],
    peerOf: () => null,
  });
  // Only the parts that the servers read.
  const config = { unixServers: [], inetServers: [], apiUsers: [], main: null, groups: [] } as unknown as Config;
  const opened = servers.open(config, []);
  await servers.close();
  await opened;
  assert.deepEqual(await readdir(folder), []);
  assert.equal(servers.serverUrl, null);
});
