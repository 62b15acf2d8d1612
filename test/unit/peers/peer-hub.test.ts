/** The hub against servers on loopback: facts, sharing, slow, hostile and dead peers, credentials, and names. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PeerError } from '../../../src/peers/ask.ts';
import { lookUpIn, makeHub, oursWith, running, sendJson, startPeer } from './fake-peers.ts';

test('facts of a supervisor of ours', async (t) => {
  const peer = await startPeer(t, oursWith([running('web'), { ...running('x'), group: 'pool' }]));
  const { hub } = makeHub(t, [`shop=${peer.url}`], { epoch: 'e-1' });
  const [answer] = await hub.list();
  assert.ok(answer !== undefined);
  const { id, latency_ms: latency, processes, ...rest } = answer;
  assert.match(id, /^[0-9a-f]{12}$/);
  assert.ok(latency !== null && latency >= 0);
  assert.deepEqual(
    processes.map(({ group, name, statename }) => [group, name, statename]),
    [
      ['web', 'web', 'RUNNING'],
      ['pool', 'x', 'RUNNING'],
    ],
  );
  assert.deepEqual(rest, {
    name: 'shop',
    address: peer.url,
    kind: 'onevisor',
    reachable: true,
    since: 1_000_000,
    asked: 1_000_000,
    version: '0.1.0',
    identifier: 'supervisor',
    host: 'box',
    state: 'RUNNING',
    role: 'admin',
    self: true,
  });
  assert.ok(peer.seen.every(({ headers }) => headers['x-onevisor-peer'] === '1'));
  assert.equal(peer.seen[0]?.headers.authorization, undefined);
});

test('clients share the requests, and nothing is asked without a client', async (t) => {
  const peer = await startPeer(t, oursWith([running('web')]));
  let now = 0;
  const { hub } = makeHub(t, [peer.url], { limits: { freshMs: 1000 }, nowMs: () => now });
  assert.equal(peer.seen.length, 0);
  await Promise.all(Array.from({ length: 20 }, () => hub.list()));
  await hub.list();
  assert.equal(peer.seen.length, 2);
  now = 999;
  await hub.list();
  assert.equal(peer.seen.length, 2);
  now = 1000;
  await hub.list();
  assert.equal(peer.seen.length, 4);
});

test('a peer that never answers keeps no client waiting, and is an error after its time', async (t) => {
  const good = await startPeer(t, oursWith([running('web')]));
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => silent.close());
  const { port } = silent.address() as { port: number };
  const { hub } = makeHub(t, [`http://127.0.0.1:${port}`, good.url], { limits: { graceMs: 50, requestMs: 300 } });
  const [first] = await hub.list();
  assert.deepEqual([first?.reachable, first?.pending], [false, true]);
  for (;;) {
    // With fresh facts of all peers, an answer needs no turn of the loop, and no timer would end.
    await new Promise(setImmediate);
    const [late, other] = await hub.list();
    if (late?.error === undefined || other?.reachable !== true) continue;
    assert.equal(late.error, 'no answer within 0.3 s');
    break;
  }
  // While it is slow, only the first client waits for it.
  let now = 0;
  const { hub: shared } = makeHub(t, [`http://127.0.0.1:${port}`], {
    limits: { graceMs: 200, requestMs: 3_600_000 },
    nowMs: () => now,
  });
  await shared.list();
  now = 1000;
  let isOver = false;
  // The second answer needs no turn of the loop, so that no timer can end before it.
  const timer = setTimeout(() => (isOver = true), 0);
  const [slow] = await shared.list();
  clearTimeout(timer);
  assert.deepEqual([slow?.pending, isOver], [true, false]);
  // It is asked again, and its next request keeps no client waiting at all: the grace is never over here.
  const { hub: patient } = makeHub(t, [`http://127.0.0.1:${port}`], { limits: { requestMs: 100 } });
  assert.match((await patient.list())[0]?.error ?? '', /no answer/);
  const again = await patient.list();
  assert.match(again[0]?.error ?? '', /no answer/);
});

test('peers that fail do not take the places of others', { timeout: 60_000 }, async (t) => {
  let isSilent = false;
  const failing = await startPeer(t, (_request, response) => {
    if (!isSilent) response.writeHead(500).end();
  });
  const good = await startPeer(t, oursWith([running('web')]));
  const urls = Array.from({ length: 5 }, (_, index) => `${failing.url}/${index}`);
  const limits = { atOnce: 1, doubtfulAtOnce: 1, requestMs: 3_600_000 };
  const { hub } = makeHub(t, [...urls, good.url], { limits });
  await hub.list();
  isSilent = true;
  const [before, asked] = [good.seen.length, failing.seen.length];
  // Only one of them hangs now, the others wait in its line. The good one is asked at once.
  const answers = await hub.list();
  assert.equal(good.seen.length, before + 2);
  assert.ok(failing.seen.length <= asked + 1);
  assert.deepEqual(
    answers.map(({ reachable }) => reachable),
    [false, false, false, false, false, true],
  );
});

test('hostile answers are errors, and nothing of them is followed', async (t) => {
  const elsewhere = await startPeer(t, oursWith([]));
  const cases: Array<[string, Parameters<typeof startPeer>[1], RegExp]> = [
    [
      'redirection',
      (_request, response) => response.writeHead(302, { Location: `${elsewhere.url}/api/v1/version` }).end(),
      /^HTTP 302 Found: redirections are not followed$/,
    ],
    [
      'endless',
      (_request, response) => {
        const write = (): void => {
          while (!response.destroyed && response.write('x'.repeat(65_536)));
          if (!response.destroyed) response.once('drain', write);
        };
        write();
      },
      /^the answer is longer than 200000 bytes$/,
    ],
    [
      'pieces',
      (_request, response) => {
        response.flushHeaders();
        response.socket?.end('1\r\n \r\n'.repeat(100_000));
      },
      /^the answer comes in too many pieces$/,
    ],
    ['length', (_request, response) => response.writeHead(200, { 'Content-Length': 1e9 }).write('x'), /longer than/],
    [
      'compressed',
      (_request, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end('x'),
      /is compressed, which was not asked for/,
    ],
    ['html', (_request, response) => response.end('<html>'), /neither our JSON API nor the XML-RPC/],
    ['nothing', (_request, response) => response.destroy(), /connection closed/],
    [
      'half',
      (_request, response) => response.writeHead(200, { 'Content-Length': 9 }).write('x', () => response.destroy()),
      /closed/,
    ],
    [
      'upgrade',
      (_request, response) => response.writeHead(101, { Upgrade: 'x', Connection: 'Upgrade' }).end(),
      /protocol/,
    ],
    [
      'interim',
      (_request, response) => {
        const write = (): void => {
          while (!response.destroyed && response.socket?.write('HTTP/1.1 103 Early Hints\r\n\r\n') === true);
          response.socket?.once('drain', write);
        };
        write();
      },
      /^more than 8 interim answers/,
    ],
    [
      'many values',
      (_request, response) => response.end(`[${'[],'.repeat(60_000)}[]]`),
      /^its answer has too many values$/,
    ],
    ['password', (_request, response) => response.writeHead(401).end(), /does not accept the user and the password/],
    ['role', (_request, response) => response.writeHead(403).end(), /does not allow this/],
    ['api 2', (_request, response) => sendJson(response, { onevisor: '9', api: 2 }), /not known; upgrade/],
    [
      'no list',
      (request, response) =>
        request.url === '/api/v1/version' ? sendJson(response, { onevisor: '1', api: 1 }) : sendJson(response, [], 500),
      /does not tell its processes \(HTTP 500\)/,
    ],
  ];
  for (const [name, answer, expected] of cases) {
    const peer = await startPeer(t, answer);
    const { hub } = makeHub(t, [peer.url], { limits: { answerBytes: 200_000 } });
    const [{ error, reachable } = {}] = await hub.list();
    assert.equal(reachable, false, name);
    assert.match(error ?? '', expected, name);
  }
  assert.equal(elsewhere.seen.length, 0);
});

test('facts of a hostile peer are cut, and of their types', async (t) => {
  const peer = await startPeer(
    t,
    oursWith([
      {
        ...running('web'),
        description: 'x'.repeat(5000),
        pid: 'no',
        evil: { deep: [1] },
        last_end: { text: 'e', a: 1 },
      },
      { name: 1 },
      null as unknown as object,
    ]),
  );
  const { hub } = makeHub(t, [peer.url]);
  const [proc, ...others] = (await hub.list())[0]?.processes ?? [];
  assert.deepEqual(others, []);
  assert.equal(proc?.description?.length, 300);
  assert.deepEqual(proc?.last_end, { text: 'e' });
  assert.ok(proc !== undefined && !('evil' in proc) && !('pid' in proc));
});

test('memory for processes is bounded', async (t) => {
  const many = Array.from({ length: 100 }, (_, index) => running(`p${index}`));
  const peers = await Promise.all([0, 1, 2].map(() => startPeer(t, oursWith(many))));
  const urls = peers.map(({ url }) => url);
  const { hub } = makeHub(t, urls, { limits: { processBytes: 5000, totalBytes: 6000 } });
  const answers = await hub.list();
  assert.ok(answers.every(({ capped }) => capped === true));
  assert.ok(JSON.stringify(answers.map(({ processes }) => processes)).length < 6100);
});

test('the password goes in a header only, and a file is read for each round', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'onevisor-peers-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'password');
  writeFileSync(file, 'geheim1\n');
  const peer = await startPeer(t, oursWith([]));
  const { hub } = makeHub(t, [peer.url], { options: { peers_username: 'hub', peers_password_file: file } });
  const answers = [await hub.list()];
  writeFileSync(file, 'geheim2');
  answers.push(await hub.list());
  const sent = peer.seen.map(({ headers }) => Buffer.from(headers.authorization?.slice(6) ?? '', 'base64').toString());
  assert.deepEqual([...new Set(sent)], ['hub:geheim1', 'hub:geheim2']);
  rmSync(file);
  const [gone] = await hub.list();
  assert.match(gone?.error ?? '', /^cannot read peers_password_file .*password: /);
  assert.doesNotMatch(JSON.stringify([answers, gone]), /geheim|aHVi/);
});

test('each address of a name is a peer, of one family, in order', async (t) => {
  const one = await startPeer(t, oursWith([running('a')]), '127.0.0.2');
  await startPeer(t, oursWith([running('b')]), '127.0.0.10', one.port);
  const lookup = lookUpIn({ web: ['127.0.0.10', '::1', '127.0.0.2', '127.0.0.2'] });
  const { hub } = makeHub(t, [`dns+http://web:${one.port}`], { lookup });
  const answers = await hub.list();
  assert.deepEqual(
    answers.map(({ name, resolved, reachable }) => [name, resolved, reachable]),
    [
      [`web:${one.port} (127.0.0.2)`, '127.0.0.2', true],
      [`web:${one.port} (127.0.0.10)`, '127.0.0.10', true],
    ],
  );
  assert.equal(one.seen[0]?.headers.host, `web:${one.port}`);
  assert.notEqual(answers[0]?.id, answers[1]?.id);
});

test('names: a limit, changes, failures, and addresses that outlive a failure', async (t) => {
  let now = 0;
  const table: Record<string, string[]> = { web: ['127.0.0.2', '127.0.0.3', '127.0.0.4'] };
  const limits = { addresses: 2, namesFreshMs: 10, namesKeptMs: 100, requestMs: 2000 };
  const { hub, lines } = makeHub(t, ['dns+http://web:1', 'dns+http://nowhere:1'], {
    lookup: lookUpIn(table),
    nowMs: () => now,
    limits,
  });
  const resolved = async (): Promise<Array<string | undefined>> => (await hub.list()).map((peer) => peer.resolved);
  assert.deepEqual(await resolved(), ['127.0.0.2', '127.0.0.3', undefined]);
  assert.deepEqual(lines, ['warn dns+http://web:1 has 3 addresses; the dashboard shows 2']);
  assert.equal((await hub.list())[2]?.error, 'the host is not known');
  table['web'] = ['127.0.0.9'];
  assert.deepEqual(await resolved(), ['127.0.0.2', '127.0.0.3', undefined]);
  now = 10;
  await hub.list();
  assert.deepEqual(await resolved(), ['127.0.0.9', undefined]);
  delete table['web'];
  now = 50;
  await hub.list();
  assert.deepEqual(await resolved(), ['127.0.0.9', undefined]);
  now = 120;
  await hub.list();
  assert.deepEqual(
    (await hub.list()).map(({ error }) => error),
    ['the host is not known', 'the host is not known'],
  );
});

test('only ids of configured addresses are found', async (t) => {
  const peer = await startPeer(t, oursWith([]));
  const { hub } = makeHub(t, [peer.url]);
  const [{ id } = { id: '' }] = await hub.list();
  assert.equal((await hub.find(id))?.id, id);
  for (const wrong of ['', peer.url, '127.0.0.1', '../x', id.slice(1), `${id}0`, '__proto__'])
    assert.equal(await hub.find(wrong), null, wrong);
});

test('actions and logs of a supervisor of ours', async (t) => {
  let polls = 0;
  const peer = await startPeer(
    t,
    oursWith([running('web')], (request, response) => {
      if (request.url === '/api/v1/processes/pool%3A*/restart')
        sendJson(response, { id: 'e-7', status: 'running', results: [] }, 202);
      else if (request.url.startsWith('/api/v1/changes/e-7/wait?')) {
        polls += 1;
        const isDone = polls === 2;
        sendJson(response, {
          id: 'e-7',
          status: isDone ? 'done' : 'running',
          results: isDone ? [{ name: 'pool:a', ok: true, text: 'started' }, { name: 3 }] : [],
        });
      } else if (request.url === '/api/v1/processes/forger/stop')
        sendJson(
          response,
          { id: 'e-8', status: 'done', results: [{ name: 'f', ok: false, text: 'a\nINFO forged' }] },
          202,
        );
      else if (request.url === '/api/v1/processes/evil/stop')
        sendJson(response, { id: '../../x', status: 'running' }, 202);
      else if (request.url.startsWith('/api/v1/logs?names=web&limit=2&streams=stderr'))
        sendJson(response, {
          more: true,
          lines: [
            { name: 'web', stream: 'stderr', text: 'a', at: 5, seq: 1, pid: 3, x: 1 },
            { event: 'state', text: 'e', seq: 2 },
            { name: 'web', stream: 'stderr', text: 'b' },
          ],
        });
      else sendJson(response, { error: { code: 'bad_name', message: 'there is no process "no"' } }, 404);
    }),
  );
  const { hub, lines } = makeHub(t, [`shop=${peer.url}`]);
  const [{ id } = { id: '' }] = await hub.list();
  const target = await hub.find(id);
  assert.ok(target !== null);
  assert.deepEqual(await hub.act(target, 'pool:*', 'restart', 'tcp client 1 as "ann"'), [
    { name: 'pool:a', ok: true, text: 'started' },
  ]);
  const post = peer.seen.find(({ method }) => method === 'POST');
  assert.deepEqual(
    [post?.headers['content-type'], post?.headers['x-onevisor'], post?.headers['x-onevisor-peer'], post?.body],
    ['application/json', '1', '1', '{}'],
  );
  assert.deepEqual(await hub.act(target, 'no', 'stop', 'x'), [
    { name: 'no', ok: false, text: 'no: ERROR (there is no process "no")' },
  ]);
  assert.match((await hub.act(target, 'evil', 'stop', 'x'))[0]?.text ?? '', /without an id/);
  assert.deepEqual(lines.slice(0, 3), [
    'info tcp client 1 as "ann" asks the peer shop to restart pool:*',
    'info x asks the peer shop to stop no',
    'warn the peer shop did not stop no: there is no process "no"',
  ]);
  assert.deepEqual(await hub.lines(target, { name: 'web', stream: 'stderr', limit: 2 }), {
    lines: [
      { name: 'web', stream: 'stderr', text: 'a', seq: 1, at: 5, pid: 3 },
      { name: 'web', stream: 'stderr', text: 'b' },
    ],
    more: true,
  });
  await assert.rejects(hub.lines(target, { name: 'no', stream: null, limit: 2 }), PeerError);
  await hub.act(target, 'forger', 'stop', 'x');
  assert.equal(lines.at(-1), 'warn the peer shop did not stop forger: a\\nINFO forged');
});

test('connections are kept between rounds, and closed some time after the last client', async (t) => {
  const peer = await startPeer(t, oursWith([]));
  let connections = 0;
  const open = new Set<object>();
  peer.server.on('connection', (socket) => {
    connections += 1;
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  const { hub } = makeHub(t, [peer.url], { limits: { idleMs: 200 } });
  await hub.list();
  await hub.list();
  assert.equal(connections, 1);
  while (open.size > 0) await new Promise(setImmediate);
  const [again] = await hub.list();
  assert.equal(again?.reachable, true);
  // The peer closes the kept connection just before it is used again.
  peer.server.closeIdleConnections();
  assert.equal((await hub.list())[0]?.reachable, true);
});

test('an answer of a Supervisor with too many processes is told as such', async (t) => {
  const many = `<value><int>1</int></value>`.repeat(60_000);
  const peer = await startPeer(t, ({ url }, response) => {
    if (url !== '/RPC2') return sendJson(response, {}, 404);
    response.setHeader('Content-Type', 'text/xml');
    response.end(
      `<?xml version='1.0'?>\n<methodResponse><params><param><value><array><data>${many}</data></array>` +
        '</value></param></params></methodResponse>',
    );
  });
  const { hub } = makeHub(t, [peer.url]);
  assert.match((await hub.list())[0]?.error ?? '', /cannot read its answer: .*more than 100000 elements/);
});
