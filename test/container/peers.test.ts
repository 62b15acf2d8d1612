/**
 * One dashboard for several containers: two replicas behind one name, a container with a shared socket, a Supervisor in
 * Python, and the container that asks them. A container that stops or hangs delays no answer.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { PeerAnswer, PeerLogsAnswer, PeersAnswer } from '../../src/api/peer-types.ts';
import type { ChangeAnswer } from '../../src/api/types.ts';
import { until } from '../e2e/observe.ts';
import { freePort } from '../e2e/ports.ts';
import { skipReason, startContainer } from './containers.ts';

const run = promisify(execFile);
const skip =
  (await skipReason()) ??
  (await run('supervisord', ['--version']).then(
    () => false,
    () => 'Supervisor is not installed',
  ));

const PASSWORD = 'peer-geheim';
const PROGRAMS =
  '[program:web]\ncommand=sh -c "echo hello from $HOSTNAME; exec sleep 1000"\n' +
  '[program:pool]\ncommand=sleep 1000\nnumprocs=2\nprocess_name=pool_%(process_num)d\n';

interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

function send(port: number, method: 'GET' | 'POST', path: string): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const headers = {
      Authorization: `Basic ${Buffer.from('ops:hub-geheim').toString('base64')}`,
      ...(method === 'POST' ? { 'Content-Type': 'application/json', 'X-Onevisor': '1' } : {}),
    };
    const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (part: string) => (text += part))
        .on('end', () => resolve({ status: response.statusCode ?? 0, text }))
        .on('error', reject);
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Starts the Supervisor in Python. It ends with the test. */
async function startReal(t: TestContext, folder: string): Promise<number> {
  const port = await freePort();
  const file = join(folder, 'old.conf');
  await writeFile(
    file,
    `[supervisord]\nnodaemon=true\nlogfile=${folder}/old.log\npidfile=${folder}/old.pid\nchildlogdir=${folder}\n` +
      `identifier=old\n[inet_http_server]\nport=127.0.0.1:${port}\nusername=hub\npassword=${PASSWORD}\n` +
      `[rpcinterface:supervisor]\n` +
      `supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n${PROGRAMS}`,
  );
  // A test file that is killed takes the server with it.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', 'supervisord', '-c', file], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.after(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return port;
}

function pidOf(peer: PeerAnswer | undefined, name: string): number | undefined {
  return peer?.processes.find((proc) => proc.name === name)?.pid;
}

test('one page for several containers', { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-peers-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o777);
  const [port, hubPort, deadPort] = [await freePort(), await freePort(), await freePort()];
  const realPort = await startReal(t, folder);
  const server = (host: string, at: number): string =>
    `[inet_http_server]\nport=${host}:${at}\nusername=hub\npassword=${PASSWORD}\n`;
  // The containers share the network of the machine: each replica has a loopback address of its own.
  const replicas = await Promise.all(
    ['127.0.5.1', '127.0.5.2'].map((host) =>
      startContainer(t, { config: `[supervisord]\n${server(host, port)}${PROGRAMS}` }),
    ),
  );
  const cache = await startContainer(t, {
    config:
      `[supervisord]\nidentifier=cache\n[unix_http_server]\nfile=/shared/cache.sock\nusername=hub\n` +
      `password=${PASSWORD}\n${PROGRAMS}`,
    flags: ['--volume', `${folder}:/shared`],
  });
  await writeFile(join(folder, 'password'), `${PASSWORD}\n`);
  const hub = await startContainer(t, {
    config:
      `[supervisord]\n[inet_http_server]\nport=127.0.0.1:${hubPort}\nusername=ops\npassword=hub-geheim\n` +
      `[program:own]\ncommand=sleep 1000\n`,
    env: {
      ONEVISOR_DASHBOARD__PEERS:
        `dns+http://web:${port}, cache=unix:///shared/cache.sock, old=http://127.0.0.1:${realPort}, ` +
        `dead=http://127.0.0.1:${deadPort}`,
      ONEVISOR_DASHBOARD__PEERS_USERNAME: 'hub',
      ONEVISOR_DASHBOARD__PEERS_PASSWORD_FILE: '/shared/password',
      ONEVISOR_DASHBOARD__PEERS_INSECURE: 'true',
    },
    flags: ['--volume', `${folder}:/shared`, '--add-host=web:127.0.5.1', '--add-host=web:127.0.5.2'],
  });
  await hub.waitForLine(/success: own entered RUNNING/);
  const list = async (): Promise<PeersAnswer> => {
    const { status, text } = await send(hubPort, 'GET', '/api/v1/peers');
    assert.equal(status, 200, text);
    assert.doesNotMatch(text, /geheim/);
    return JSON.parse(text) as PeersAnswer;
  };

  const peers = await until('all peers run', async () => {
    const { peers: all } = await list();
    return all.filter((peer) => pidOf(peer, 'web') !== undefined && pidOf(peer, 'pool_1') !== 0).length === 4 && all;
  });
  assert.deepEqual(
    peers.map(({ name, kind, reachable, error }) => [name, kind, reachable, error]),
    [
      [`web:${port} (127.0.5.1)`, 'onevisor', true, undefined],
      [`web:${port} (127.0.5.2)`, 'onevisor', true, undefined],
      ['cache', 'onevisor', true, undefined],
      ['old', 'supervisor', true, undefined],
      ['dead', null, false, 'connection refused'],
    ],
  );
  assert.deepEqual(
    peers.slice(2, 4).map(({ identifier }) => identifier),
    ['cache', 'old'],
  );

  // An action reaches the replica that was named, and no other.
  const [first, second, third, real] = peers;
  assert.ok(first !== undefined && second !== undefined && third !== undefined && real !== undefined);
  const change = async (peer: PeerAnswer, name: string, action: string): Promise<ChangeAnswer> => {
    const path = `/api/v1/peers/${peer.id}/processes/${encodeURIComponent(name)}/${action}`;
    const begun = await send(hubPort, 'POST', path);
    assert.equal(begun.status, 202, begun.text);
    const { id } = JSON.parse(begun.text) as ChangeAnswer;
    return JSON.parse((await send(hubPort, 'GET', `/api/v1/changes/${id}/wait?timeout=60`)).text) as ChangeAnswer;
  };
  for (const peer of [second, third, real]) {
    const { status, results } = await change(peer, 'pool:*', 'restart');
    assert.equal(status, 'done', JSON.stringify(results));
  }
  const after = (await list()).peers;
  for (const [index, peer] of [first, second, third, real].entries())
    assert.equal(pidOf(after[index], 'pool_0') === pidOf(peer, 'pool_0'), index === 0, peer.name);
  await hub.waitForLine(/a client over TCP \(user ops, 127\.0\.0\.1\) asks the peer cache to restart pool:\*/);
  await cache.waitForLine(/requested by a client \(user hub/);
  for (const peer of [first, real]) {
    const { text } = await send(hubPort, 'GET', `/api/v1/peers/${peer.id}/logs?name=nobody`);
    assert.match(text, /"code":"peer_failed"/);
  }
  const lines = JSON.parse((await send(hubPort, 'GET', `/api/v1/peers/${real.id}/logs?name=web`)).text);
  assert.match((lines as PeerLogsAnswer).lines[0]?.text ?? '', /^hello from/);

  // A container that hangs delays nothing: it is asked on its own, and becomes an error.
  await replicas[0]?.kill('STOP');
  await until('the frozen container is noticed', async () => {
    const { peers: all } = await list();
    assert.ok(all.slice(1, 4).every(({ reachable }) => reachable));
    return all[0]?.reachable === false;
  });
  await replicas[0]?.kill('CONT');
  await cache.stop();
  await until('one is back, and one is gone', async () => {
    const { peers: all } = await list();
    return all[0]?.reachable === true && all[2]?.reachable === false;
  });
  assert.doesNotMatch([...hub.stdout.all, ...hub.stderr.all].join('\n'), /geheim/);
});

test('the routes refuse other addresses, paths and further peers', { skip }, async (t) => {
  const hubPort = await freePort();
  const hub = await startContainer(t, {
    config:
      `[supervisord]\n[inet_http_server]\nport=127.0.0.1:${hubPort}\nusername=ops\npassword=hub-geheim\n` +
      `[dashboard]\npeers=self=http://127.0.0.1:${hubPort}\npeers_username=ops\npeers_password=hub-geheim\n` +
      `peers_insecure=true\n[program:own]\ncommand=sleep 1000\n`,
  });
  await hub.waitForLine(/success: own entered RUNNING/);
  const self = await until('it has asked itself', async () => {
    const { peers } = JSON.parse((await send(hubPort, 'GET', '/api/v1/peers')).text) as PeersAnswer;
    return peers[0]?.reachable === true && peers[0];
  });
  assert.equal(self.self, true);
  const statusOf = async (method: 'GET' | 'POST', path: string): Promise<number> =>
    (await send(hubPort, method, `/api/v1/peers/${path}`)).status;
  const outside = encodeURIComponent('http://127.0.0.1:1/');
  for (const id of [outside, '127.0.0.1', '..', '%00', `${self.id}0`]) {
    assert.equal(await statusOf('POST', `${id}/processes/own/stop`), 404, id);
    assert.equal(await statusOf('GET', `${id}/logs?name=own`), 404, id);
  }
  for (const name of ['..', '..%2f..%2fRPC2', '.', 'a%5cb', 'a%0d%0ab', 'own%3fx', '*', 'o*'])
    assert.equal(await statusOf('POST', `${self.id}/processes/${name}/stop`), 400, name);
  assert.equal(await statusOf('GET', `${self.id}/processes/own/stop`), 405);
  assert.equal(await statusOf('GET', `${self.id}/logs?name=own&url=x`), 400);
});
