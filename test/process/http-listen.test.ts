/**
 * Addresses of servers: unix sockets with permissions, stale ones, used ones; TCP addresses, and the refusal to be open
 * to everyone.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ListenError, type ListenErrorCode } from '../../src/http/listen-error.ts';
import { closeServers, inetSpec, openServers, unixSpec } from '../../src/http/open-servers.ts';
import { callRequest, inWorld, type ServerWorld } from '../unit/http/server-world.ts';

const PID = /<int>4711<\/int>/;
const none = { username: null, password: null };
const isRoot = process.getuid?.() === 0;

async function assertServes(world: ServerWorld): Promise<void> {
  const peer = world.connect();
  await peer.send(callRequest('supervisor.getPID')).until(PID);
  peer.close();
}

async function refusal(opening: Promise<unknown>): Promise<ListenErrorCode> {
  try {
    await opening;
  } catch (error) {
    assert.ok(error instanceof ListenError, String(error));
    assert.match(error.message, /^cannot listen on \S+: /);
    return error.code;
  }
  assert.fail('the server listens');
}

/** Leaves a socket without a listener, as a killed supervisor does. */
async function leaveStaleSocket(path: string): Promise<void> {
  const server = createServer().listen(`${path}.old`);
  await once(server, 'listening');
  renameSync(`${path}.old`, path);
  await new Promise((resolve) => server.close(resolve));
}

describe('a unix socket', () => {
  test('has its mode, leaves no other file, and is removed at the end', () =>
    inWorld({}, async (world) => {
      const server = await world.open({ mode: 0o770 });
      assert.equal(server.address, world.socketPath);
      assert.equal(lstatSync(world.socketPath).mode & 0o777, 0o770);
      assert.deepEqual(readdirSync(world.directory), ['s.sock']);
      await assertServes(world);
      await server.close();
      assert.deepEqual(readdirSync(world.directory), []);
    }));

  test('never exists with other permissions than configured', () =>
    inWorld({}, async (world) => {
      // The path has its final mode whenever it is visible.
      const modes = new Set<number>();
      let isOpen = false;
      const watch = (): void => {
        if (existsSync(world.socketPath)) modes.add(lstatSync(world.socketPath).mode & 0o777);
        if (!isOpen) setImmediate(watch);
      };
      watch();
      await world.open({ mode: 0o700 });
      isOpen = true;
      modes.add(lstatSync(world.socketPath).mode & 0o777);
      assert.deepEqual([...modes], [0o700]);
    }));

  test('replaces a socket without a listener', () =>
    inWorld({}, async (world) => {
      await leaveStaleSocket(world.socketPath);
      assert.ok(lstatSync(world.socketPath).isSocket());
      await world.open();
      await assertServes(world);
    }));

  test('does not replace a socket with a listener', () =>
    inWorld({}, async (world) => {
      await world.open();
      assert.equal(await refusal(world.open()), 'inUse');
      assert.deepEqual(readdirSync(world.directory), ['s.sock']);
      await assertServes(world);
    }));

  test('does not remove a path that is not a socket', () =>
    inWorld({}, async (world) => {
      writeFileSync(world.socketPath, 'precious');
      assert.equal(await refusal(world.open()), 'notASocket');
      assert.ok(lstatSync(world.socketPath).isFile());
    }));

  test('replaces an empty file, which `touch` may have created in place of the socket', () =>
    inWorld({}, async (world) => {
      writeFileSync(world.socketPath, '');
      await world.open();
      assert.ok(
        world.api.reports.some(
          ([level, text]) => level === 'info' && text === `Unlinking stale socket ${world.socketPath}`,
        ),
      );
      await assertServes(world);
    }));

  test('is not removed at the end if another socket has replaced it', () =>
    inWorld({}, async (world) => {
      const server = await world.open();
      unlinkSync(world.socketPath);
      await leaveStaleSocket(world.socketPath);
      await server.close();
      assert.ok(existsSync(world.socketPath));
      assert.deepEqual(
        world.api.reports.filter(([level]) => level === 'warn'),
        [],
      );
    }));

  test('in a missing directory, and with a path that is too long', () =>
    inWorld({}, async (world) => {
      assert.equal(await refusal(world.open({ path: join(world.directory, 'no/s.sock') })), 'unavailable');
      const long = join(world.directory, 'x'.repeat(120));
      mkdirSync(long);
      assert.equal(await refusal(world.open({ path: join(long, 's.sock') })), 'unavailable');
      assert.deepEqual(readdirSync(long), []);
    }));

  test('in a directory without write permission', { skip: isRoot ? 'root may write everywhere' : false }, () =>
    inWorld({}, async (world) => {
      chmodSync(world.directory, 0o500);
      assert.equal(await refusal(world.open()), 'denied');
      chmodSync(world.directory, 0o700);
    }),
  );

  test('has the configured owner', { skip: isRoot ? false : 'only root may give a file away' }, () =>
    inWorld({}, async (world) => {
      await world.open({ owner: { uid: 65_534, gid: 65_534 } });
      assert.deepEqual([lstatSync(world.socketPath).uid, lstatSync(world.socketPath).gid], [65_534, 65_534]);
    }),
  );

  test('continues with a warning if the owner cannot be set', () =>
    inWorld({}, async (world) => {
      // An id that does not fit fails for every user, including root.
      await world.open({ owner: { uid: 2 ** 32, gid: 0 } });
      const warned = world.api.reports.filter(
        ([level, text]) => level === 'warn' && text.startsWith('cannot change the owner'),
      );
      assert.equal(warned.length, 1, JSON.stringify(world.api.reports));
      await assertServes(world);
    }));
});

describe('TCP', () => {
  test('a free port on loopback, and the line about authentication', () =>
    inWorld({}, async (world) => {
      const { port, address } = await world.openInet();
      assert.equal(address, `127.0.0.1:${port}`);
      const response = await fetch(`http://127.0.0.1:${port}/nope`);
      assert.equal(response.status, 404);
      assert.ok(
        world.api.reports.some(
          ([level, text]) =>
            level === 'critical' &&
            text === "Server 'inet_http_server' running without any HTTP authentication checking",
        ),
      );
    }));

  test('a used port, and an address of another machine', () =>
    inWorld({}, async (world) => {
      const { port } = await world.openInet();
      assert.equal(await refusal(world.openInet({ port: port ?? 0 })), 'inUse');
      assert.equal(await refusal(world.openInet({ host: '203.0.113.1', isInsecureAllowed: true })), 'unavailable');
    }));

  for (const host of ['', '0.0.0.0', '::', '203.0.113.1', 'example.invalid']) {
    test(`"${host}" without a password is refused before it is opened`, () =>
      inWorld({}, async (world) => {
        assert.equal(await refusal(world.openInet({ host })), 'insecure');
      }));
  }

  test('every address with a password, or with allow_insecure', () =>
    inWorld({}, async (world) => {
      for (const spec of [{ isInsecureAllowed: true }, { credentials: { username: 'u', password: 'p' } }]) {
        const { port, address } = await world.openInet({ host: '', ...spec });
        assert.equal(address, `*:${port}`);
        assert.equal((await fetch(`http://127.0.0.1:${port}/nope`)).status, spec.credentials === undefined ? 404 : 401);
      }
    }));
});

describe('several servers', () => {
  test('are opened all or none', () =>
    inWorld({}, async (world) => {
      const path = join(world.directory, 'a.sock');
      const good = { kind: 'unix', path, mode: 0o700, owner: null, credentials: none, peerOf: () => null } as const;
      assert.equal(
        await refusal(
          openServers([good, { ...good, path: join(world.directory, 'no/b.sock') }], world.routes, world.report),
        ),
        'unavailable',
      );
      assert.deepEqual(readdirSync(world.directory), []);
      const servers = await openServers(
        [good, { ...good, path: join(world.directory, 'b.sock') }],
        world.routes,
        world.report,
      );
      assert.deepEqual(readdirSync(world.directory).toSorted(), ['a.sock', 'b.sock']);
      await closeServers(servers);
      assert.deepEqual(readdirSync(world.directory), []);
    }));

  test('are described by their sections', () => {
    const authentication = { username: 'u', password: 'p', metrics_auth: true, probes_auth: false };
    const peerOf = (): null => null;
    assert.deepEqual(
      unixSpec(
        { file: '/run/s.sock', chmod: 0o770, chown: { user: 'app', group: null }, ...authentication },
        () => ({ uid: 5, gid: 6 }),
        peerOf,
      ),
      {
        kind: 'unix',
        users: [],
        peerOf,
        path: '/run/s.sock',
        mode: 0o770,
        owner: { uid: 5, gid: 6 },
        credentials: { username: 'u', password: 'p' },
        openAccess: ['probes_auth'],
      },
    );
    assert.deepEqual(
      inetSpec({ port: { host: '', port: 9001 }, allow_insecure: true, allowed_hosts: ['a'], ...authentication }),
      {
        kind: 'inet',
        users: [],
        host: '',
        port: 9001,
        isInsecureAllowed: true,
        allowedHosts: ['a'],
        credentials: { username: 'u', password: 'p' },
        openAccess: ['probes_auth'],
      },
    );
  });
});
