/** A real Supervisor as a peer of the dashboard, over TCP with a password and over a unix socket. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { PeerAnswer } from '../../src/api/peer-types.ts';
import { freePort } from '../e2e/ports.ts';
import { makeHub } from '../unit/peers/fake-peers.ts';
import { needsSupervisor, until } from './ctl-world.ts';

const PROGRAMS =
  '[program:web]\ncommand=sh -c "echo one; echo two; echo bad >&2; exec sleep 1000"\n' +
  '[program:pool]\ncommand=sleep 1000\nnumprocs=2\nprocess_name=%(program_name)s_%(process_num)d\n' +
  '[program:broken]\ncommand=/nonexistent/x\nautostart=false\n';

interface Real {
  readonly port: number;
  readonly socket: string;
}

async function startReal(t: TestContext): Promise<Real> {
  const directory = mkdtempSync(join(tmpdir(), 'onevisor-peer-'));
  const port = await freePort();
  const socket = join(directory, 's.sock');
  writeFileSync(
    join(directory, 's.conf'),
    `[supervisord]\nnodaemon=true\nlogfile=${directory}/main.log\npidfile=${directory}/pid\n` +
      `childlogdir=${directory}\nidentifier=old\n[unix_http_server]\nfile=${socket}\n` +
      `[inet_http_server]\nport=127.0.0.1:${port}\nusername=me\npassword=geheim\n` +
      `[rpcinterface:supervisor]\n` +
      `supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n${PROGRAMS}`,
  );
  const output = openSync(join(directory, 'output'), 'w');
  // A test file that is killed takes the server with it.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', 'supervisord', '-c', join(directory, 's.conf')], {
    stdio: ['ignore', output, output],
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: directory },
  });
  closeSync(output);
  t.after(async () => {
    child.kill('SIGTERM');
    await ended(child);
    rmSync(directory, { recursive: true });
  });
  return { port, socket };
}

function ended(child: ChildProcess): Promise<void> {
  return child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', () => resolve()));
}

function stateOf(peer: PeerAnswer | undefined, name: string): string | undefined {
  return peer?.processes.find((proc) => proc.name === name)?.statename;
}

test('facts, actions and logs of a real Supervisor', needsSupervisor, async (t) => {
  const { port, socket } = await startReal(t);
  const { hub } = makeHub(t, [`http://127.0.0.1:${port}`, `old=unix://${socket}`], {
    options: { peers_username: 'me', peers_password: 'geheim' },
  });
  await until(async () => {
    const peers = await hub.list();
    return peers.every((peer) => stateOf(peer, 'web') === 'RUNNING' && stateOf(peer, 'pool_1') === 'RUNNING');
  });
  const [tcp, unix] = await hub.list();
  assert.ok(tcp !== undefined && unix !== undefined);
  assert.deepEqual([tcp.kind, tcp.identifier, tcp.state, tcp.host], ['supervisor', 'old', 'RUNNING', null]);
  assert.match(tcp.version ?? '', /^4\./);
  assert.equal(unix.name, 'old');
  assert.deepEqual(tcp.processes.map(({ group, name, statename }) => `${group}:${name} ${statename}`).toSorted(), [
    'broken:broken STOPPED',
    'pool:pool_0 RUNNING',
    'pool:pool_1 RUNNING',
    'web:web RUNNING',
  ]);

  const target = await hub.find(tcp.id);
  assert.ok(target !== null);
  assert.deepEqual(await hub.act(target, 'web', 'start', 'x'), [
    { name: 'web', ok: false, text: 'web: ERROR (already started)' },
  ]);
  // Supervisor answers in the order in which the processes have ended.
  const stopped = await hub.act(target, 'pool:*', 'stop', 'x');
  assert.deepEqual(
    stopped.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
    [
      { name: 'pool:pool_0', ok: true, text: 'pool:pool_0: stopped' },
      { name: 'pool:pool_1', ok: true, text: 'pool:pool_1: stopped' },
    ],
  );
  assert.equal(stateOf((await hub.list())[0], 'pool_0'), 'STOPPED');
  // A restart starts what does not run.
  assert.deepEqual(await hub.act(target, 'pool:pool_0', 'restart', 'x'), [
    { name: 'pool:pool_0', ok: true, text: 'pool:pool_0: started' },
  ]);
  assert.deepEqual(await hub.act(target, 'pool:*', 'restart', 'x'), [
    { name: 'pool:pool_0', ok: true, text: 'pool:pool_0: stopped' },
    { name: 'pool:pool_0', ok: true, text: 'pool:pool_0: started' },
    { name: 'pool:pool_1', ok: true, text: 'pool:pool_1: started' },
  ]);
  assert.deepEqual(await hub.act(target, 'nobody', 'stop', 'x'), [
    { name: 'nobody', ok: false, text: 'nobody: ERROR (no such process)' },
  ]);
  assert.match((await hub.act(target, 'broken', 'start', 'x'))[0]?.text ?? '', /^broken: ERROR \(no such file\)$/);

  const lines = async (stream: 'stdout' | 'stderr' | null, limit: number): Promise<string[]> =>
    (await hub.lines(target, { name: 'web', stream, limit })).lines.map(({ text }) => text);
  assert.deepEqual(await lines(null, 10), ['one', 'two']);
  assert.deepEqual(await lines('stdout', 1), ['two']);
  assert.deepEqual(await lines('stderr', 10), ['bad']);
  await assert.rejects(hub.lines(target, { name: 'nobody', stream: null, limit: 1 }), /no such process/);
});

test('a wrong password is an error in words', needsSupervisor, async (t) => {
  const { port } = await startReal(t);
  const { hub } = makeHub(t, [`http://127.0.0.1:${port}`], {
    options: { peers_username: 'me', peers_password: 'geheim2' },
  });
  await until(async () => /user and the password/.test((await hub.list())[0]?.error ?? ''));
  assert.doesNotMatch(JSON.stringify(await hub.list()), /geheim/);
});
