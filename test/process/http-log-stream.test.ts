/** Logs streamed over HTTP: the last bytes, new output, slow and stalled readers, the end. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inWorld, type Peer, type ServerWorld } from '../unit/http/server-world.ts';

const programs = [
  { name: 'run', group: 'g', options: { autostart: true }, stdout: `${'x'.repeat(2000)}LAST\n`, stderr: 'err\n' },
  { name: 'nolog', hasNoLog: true },
];

const get = (path: string, version = '1.1'): string => `GET ${path} HTTP/${version}\r\n\r\n`;

async function turnUntil(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

/** Starts a stream of the stdout of `run`. */
async function followed(world: ServerWorld): Promise<Peer> {
  const peer = world.connect().send(get('/logtail/g:run'));
  await peer.until(/LAST\n/);
  return peer;
}

describe('a log that is followed', () => {
  test('sends its last 1024 bytes and then new output, in chunks', () =>
    inWorld({ programs }, async (world) => {
      await world.open();
      const peer = await followed(world);
      assert.match(peer.received, /^HTTP\/1.1 200 OK\r\n/);
      for (const header of [
        'Content-Type: text/plain;charset=utf-8',
        'X-Accel-Buffering: no',
        'Transfer-Encoding: chunked',
      ])
        assert.ok(peer.received.includes(`${header}\r\n`), header);
      assert.ok(peer.received.includes(`\r\n\r\n400\r\n${'x'.repeat(1019)}LAST\n\r\n`), peer.received.slice(-200));
      world.api.logOf('g:run', 'stdout').push('héllo\n');
      await peer.until(/\r\n7\r\nhÃ©llo\n\r\n$/);
      peer.close();
      await turnUntil(() => world.api.logOf('g:run', 'stdout').followers === 0);
    }));

  test('leaves connections for others', () =>
    inWorld({ programs, streamLimits: { streams: 2, backlogBytes: 100_000, stallMs: 60_000 } }, async (world) => {
      await world.open();
      const first = await followed(world);
      const second = await followed(world);
      const late = world.connect().send(get('/mainlogtail'));
      await late.until(/^HTTP\/1.1 503 [^]*Retry-After: 10[^]*at most 2 clients follow logs at a time/);
      first.close();
      await turnUntil(() => world.api.logOf('g:run', 'stdout').followers === 1);
      (await followed(world)).close();
      second.close();
    }));

  for (const [path, start] of [
    ['/logtail/g:run/stdout', 'x'],
    ['/logtail/g%3Arun/stderr', 'err'],
    ['/mainlogtail', '[^]*main'],
  ] as const) {
    test(path, () =>
      inWorld({ programs }, async (world) => {
        await world.open();
        world.api.log.push('main');
        const peer = world.connect().send(get(path));
        await peer.until(new RegExp(`\r\n\r\n[0-9a-f]+\r\n${start}`));
        peer.close();
      }),
    );
  }

  for (const path of [
    '/logtail/',
    '/logtail/nope',
    '/logtail/g',
    '/logtail/g:*',
    '/logtail/g:run/xxx',
    '/logtail/g:run/stdout/x',
    '/logtail/nolog',
  ]) {
    test(`${path} is 404`, () =>
      inWorld({ programs }, async (world) => {
        await world.open();
        assert.match(
          await world
            .connect()
            .send(get(path))
            .until(/<\/h1>/),
          /^HTTP\/1.1 404 /,
        );
      }));
  }

  test('without chunks for HTTP/1.0', () =>
    inWorld({ programs }, async (world) => {
      await world.open();
      const peer = world.connect().send(get('/logtail/g:run/stderr', '1.0'));
      await peer.until(/\r\n\r\nerr\n$/);
      world.api.logOf('g:run', 'stderr').push('more');
      await peer.until(/\r\n\r\nerr\nmore$/);
      peer.close();
    }));

  test('an empty log is followed too', () =>
    inWorld({ programs }, async (world) => {
      await world.open();
      await world.api.log.clear();
      const peer = world.connect().send(get('/mainlogtail'));
      await peer.until(/\r\n\r\n$/);
      world.api.log.push('');
      world.api.log.push('first');
      await peer.until(/\r\n5\r\nfirst\r\n$/);
      peer.close();
    }));

  test('the server ends the stream', () =>
    inWorld({ programs }, async (world) => {
      const server = await world.open();
      const peer = await followed(world);
      await server.close();
      assert.match(await peer.end(), /\r\n0\r\n\r\n$/);
      assert.equal(world.api.logOf('g:run', 'stdout').followers, 0);
    }));
});

describe('a reader that does not keep up', () => {
  test('misses bytes, and is told their number', () =>
    inWorld({ programs, streamLimits: { streams: 9, backlogBytes: 100_000, stallMs: 60_000 } }, async (world) => {
      await world.open();
      const peer = await followed(world);
      peer.socket.pause();
      const log = world.api.logOf('g:run', 'stdout');
      const piece = 'y'.repeat(10_000);
      for (let sent = 0; sent < 500; sent += 1) {
        log.push(piece);
        if (sent % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      peer.socket.resume();
      const text = await peer.until(/==> (\d+) bytes skipped <==/);
      const skipped = Number(/==> (\d+) bytes skipped/.exec(text)?.[1]);
      const arrived = text.replace(/^[^]*LAST\n/, '').replace(/[^y]/g, '').length - 1;
      assert.ok(skipped > 0 && skipped + arrived === 5_000_000, `${skipped} + ${arrived}`);
      log.push('goes on');
      await peer.until(/goes on/);
      peer.close();
    }));

  test('is disconnected if it takes nothing', () =>
    inWorld({ programs, streamLimits: { streams: 9, backlogBytes: 100_000, stallMs: 50 } }, async (world) => {
      await world.open();
      const peer = await followed(world);
      peer.socket.pause();
      const log = world.api.logOf('g:run', 'stdout');
      while (log.followers > 0) {
        log.push('y'.repeat(50_000));
        await new Promise((resolve) => setImmediate(resolve));
      }
      peer.close();
    }));
});
