/** Log servers over real sockets, with real programs: servers that work, are missing, disconnect or hang. */
import assert from 'node:assert/strict';
import { closeSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { test } from 'node:test';
import type { LogTarget } from '../../src/logs/ports.ts';
import { DatagramServer, StreamServer } from './log-servers.ts';
import { channelSpec } from './logs-fixtures.ts';
import { LogScene, startInto } from './logs-scene.ts';

function at(protocol: 'udp' | 'tcp', port: number, host = '127.0.0.1'): LogTarget {
  return { kind: 'remote', protocol, host, port, format: 'raw' };
}

for (const protocol of ['udp', 'tcp'] as const) {
  test(`${protocol}: both streams of a program and own lines arrive with name and severity`, async (t) => {
    const server = protocol === 'udp' ? await DatagramServer.listen(t) : await StreamServer.listen(t);
    const scene = new LogScene({ targets: [at(protocol, server.port)] });
    const web = scene.hub.openChannel(channelSpec('web', { targets: [at(protocol, server.port)] }));
    const { pid, intake } = startInto(web, "printf 'one\\n\\n\\303\\251 two\\nlast without end'");
    await intake.ended;
    const err = scene.hub.openChannel(channelSpec('web', { stream: 'stderr', targets: [at(protocol, server.port)] }));
    const complaint = startInto(err, 'echo problem');
    await complaint.intake.ended;
    for (const level of ['critical', 'error', 'warn', 'info'] as const) scene.say(level, `${level} a\nand b`);
    // A partial line is sent when another writer follows.
    await server.until(({ text }) => text === 'and b' && server.texts('onevisor').length === 8);
    assert.deepEqual(server.texts('web'), ['one', '', '\u00e9 two', 'last without end', 'problem']);
    const [first] = server.messages.filter(({ name }) => name === 'web');
    assert.deepEqual([first?.priority, first?.host, first?.pid], [14, hostname(), pid]);
    assert.ok(Math.abs(Date.parse(first?.time ?? '') - Date.now()) < 60_000);
    assert.equal(server.messages.find(({ text }) => text === 'problem')?.priority, 11);
    assert.deepEqual(
      server.messages.filter(({ name }) => name === 'onevisor').map(({ priority, text }) => [priority, text]),
      [10, 11, 12, 14].flatMap((priority, i) => [
        [priority, `${['critical', 'error', 'warn', 'info'][i]} a`],
        [priority, 'and b'],
      ]),
    );
    await scene.end();
  });
}

test('tcp: the connection to a server that sends without end is closed and reported', async (t) => {
  const server = await StreamServer.listen(t);
  const scene = new LogScene({ targets: [] });
  const web = scene.hub.openChannel(channelSpec('web', { targets: [at('tcp', server.port)] }));
  startInto(web, 'echo one');
  await server.until(() => true);
  const [socket] = server.connections;
  assert.ok(socket !== undefined);
  await new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
    const flood = Buffer.alloc(65_536);
    const send = (): void =>
      void socket.write(flood, (error) => {
        if (!error) send();
      });
    send();
  });
  await scene.err.until(/it sends data, which a log server never does/);
  await scene.end();
});

test('udp: over IPv6, and by name', async (t) => {
  for (const [address, host] of [
    ['::1', '::1'],
    ['127.0.0.1', 'localhost'],
  ] as const) {
    const server = await DatagramServer.listen(t, 0, address);
    const scene = new LogScene();
    const channel = scene.hub.openChannel(channelSpec('web', { targets: [at('udp', server.port, host)] }));
    startInto(channel, 'echo hello');
    assert.equal((await server.until(() => true)).text, 'hello');
    await scene.end();
  }
});

test('a long line becomes datagrams of 8 KiB, or messages of 64 KiB over TCP', async (t) => {
  const udp = await DatagramServer.listen(t);
  const tcp = await StreamServer.listen(t);
  const scene = new LogScene();
  const channel = scene.hub.openChannel(channelSpec('web', { targets: [at('udp', udp.port), at('tcp', tcp.port)] }));
  startInto(channel, "i=0; while [ $i -lt 20000 ]; do printf '\\342\\202\\254 5678'; i=$((i+1)); done; echo; echo end");
  const whole = '\u20ac 5678'.repeat(20_000);
  for (const server of [udp, tcp]) {
    await server.until(({ text }) => text === 'end');
    assert.equal(server.texts('web').slice(0, -1).join(''), whole);
  }
  assert.ok(Math.max(...udp.sizes) <= 8192 && Math.max(...udp.sizes) > 8180);
  assert.equal(tcp.messages.length, 4);
  await scene.end();
});

test('tcp: a flood arrives complete and in order', async (t) => {
  const server = await StreamServer.listen(t);
  const scene = new LogScene();
  const channel = scene.hub.openChannel(channelSpec('web', { targets: [at('tcp', server.port)] }));
  // Limit the rate, because output that is too fast is dropped by design.
  const { intake } = startInto(
    channel,
    'for i in 1 2 3 4 5 6 7 8 9 10; do seq -f "%.0f line" ${i}000 ${i}999; sleep 0.05; done; echo end',
  );
  await intake.ended;
  await server.until(({ text }) => text === 'end');
  assert.deepEqual(
    server.texts('web').slice(0, -1),
    Array.from({ length: 10 }, (_, i) =>
      Array.from({ length: 1000 }, (_unused, j) => `${(i + 1) * 1000 + j} line`),
    ).flat(),
  );
  assert.equal(scene.err.text, '');
  await scene.end();
});

for (const protocol of ['udp', 'tcp'] as const) {
  test(`${protocol}: a missing server is reported once, and gets the queue when it is there`, async (t) => {
    const first = protocol === 'udp' ? await DatagramServer.listen(t) : await StreamServer.listen(t);
    const { port } = first;
    first.close();
    const scene = new LogScene();
    const channel = scene.hub.openChannel(channelSpec('web', { targets: [at(protocol, port)] }));
    startInto(channel, 'echo first; sleep 0.2; echo second; sleep 0.2; echo third');
    await scene.err.until(
      /ERRO cannot write syslog(\+tcp)?:\/\/127\.0\.0\.1:\d+: connection refused \(ECONNREFUSED\); up to 1 MiB/,
    );
    const second = protocol === 'udp' ? await DatagramServer.listen(t, port) : await StreamServer.listen(t, port);
    await second.until(({ text }) => text === 'third');
    // Over UDP the first message is lost, since its failure is noticed too late.
    assert.deepEqual(second.texts('web').slice(-2), ['second', 'third']);
    if (protocol === 'tcp') assert.equal(second.texts('web')[0], 'first');
    assert.equal(scene.err.text.match(/ERRO/g)?.length, 1);
    await scene.end();
  });
}

test('tcp: a restarted server gets the rest in order, and USR2 connects at once', async (t) => {
  const first = await StreamServer.listen(t);
  const scene = new LogScene();
  const channel = scene.hub.openChannel(channelSpec('web', { targets: [at('tcp', first.port)] }));
  const { stdin } = startInto(channel, 'while read -r line; do echo "$line"; done', { stdin: 'pipe' });
  const say = (text: string): void => void writeSync(stdin as number, `${text}\n`);
  say('one');
  await first.until(({ text }) => text === 'one');
  first.close();
  await first.ended;
  say('two');
  await scene.err.until(/ERRO cannot write syslog\+tcp:[^ ]+: connection re(set by peer|fused)/);
  say('three');
  const second = await StreamServer.listen(t, first.port);
  await scene.hub.reopen();
  await second.until(({ text }) => text === 'three');
  assert.deepEqual(second.texts('web'), ['two', 'three']);
  closeSync(stdin as number);
  await scene.end();
});

test('an unknown host name is reported, and delays nothing', async () => {
  const scene = new LogScene();
  const channel = scene.hub.openChannel(
    channelSpec('web', { targets: [at('tcp', 514, 'no-such-host.invalid'), at('udp', 514, 'no-such-host.invalid')] }),
  );
  const { intake } = startInto(channel, 'echo hello');
  await intake.ended;
  await scene.err.until(/cannot write syslog\+tcp:\/\/no-such-host\.invalid:514: [a-z ]+ \((ENOTFOUND|EAI_AGAIN)\)/);
  await scene.err.until(/cannot write syslog:\/\/no-such-host\.invalid:514: [a-z ]+ \((ENOTFOUND|EAI_AGAIN)\)/);
  assert.equal(channel.readLog(0, 0)?.toString(), 'hello\n');
  await scene.end();
});

test('tcp: a server that hangs delays neither program nor flush, and gets the queue later', async (t) => {
  const server = await StreamServer.listen(t, 0, true);
  const scene = new LogScene();
  const channel = scene.hub.openChannel(channelSpec('web', { targets: [at('tcp', server.port)] }));
  const { intake } = startInto(channel, 'seq 1 1000000');
  await intake.ended;
  await scene.err.until(/cannot write syslog\+tcp:.*: it accepts no messages; up to 1 MiB is kept/);
  const before = performance.now();
  const { unwrittenBytes } = await scene.hub.flush(300);
  assert.ok(performance.now() - before < 3000);
  assert.ok(unwrittenBytes > 0 && unwrittenBytes <= 2 << 20, String(unwrittenBytes));
  server.goOn();
  assert.equal((await scene.hub.flush(10_000)).unwrittenBytes, 0);
  const numbers = server.texts('web').map(Number);
  assert.deepEqual(
    numbers,
    Array.from({ length: numbers.length }, (_, i) => i + 1),
  );
  assert.equal(scene.err.text.match(/ERRO/g)?.length, 1);
  await scene.end();
});
