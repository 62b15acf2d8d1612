/** Starts as a person sees them: what goes on during the wait, why a start has failed, and that there is no answer. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { RpcFault } from '../../../src/core/faults.ts';
import { SILENCE_MS } from '../../../src/ctl/session.ts';
import { type Methods, processStruct, run, runForPerson, serve, start } from './fake-server.ts';
import { endStruct, EXIT_3, NOW } from './status-structs.ts';

type Closing = { after(close: () => Promise<void>): void };

async function open(t: Closing, methods: Methods): ReturnType<typeof serve> {
  const server = await serve(methods);
  t.after(() => server.close());
  return server;
}

const fails = (fault: 'SPAWN_ERROR' | 'ABNORMAL_TERMINATION') => (): never => {
  throw RpcFault.of(fault);
};
const BAD = {
  ...processStruct('bad', 'FATAL', { now: NOW, description: 'Exited too quickly' }),
  last_end: endStruct(0, EXIT_3),
  last_line: 'no module named flask',
  restarts: 0,
};

for (const [fault, words] of [
  ['SPAWN_ERROR', 'spawn error'],
  ['ABNORMAL_TERMINATION', 'abnormal termination'],
] as const)
  test(`a person sees why a start has failed (${words})`, async (t) => {
    const server = await open(t, {
      getAllProcessInfo: () => [BAD],
      'onevisor.getStatus': () => [processStruct('web', 'RUNNING'), BAD],
      startProcess: fails(fault),
    });
    const line = `bad: ERROR (${words})\n`;
    assert.deepEqual(await runForPerson(server, 'start bad'), {
      stdout: `${line}bad is FATAL: exit 3, just now: no module named flask; see onevisor why bad\n`,
      code: 7,
    });
    assert.equal((await run(server, 'start bad')).stdout, line);
  });

test('with a supervisord there is no more than its words', async (t) => {
  const server = await open(t, { getAllProcessInfo: () => [BAD], startProcess: fails('SPAWN_ERROR') });
  assert.equal((await runForPerson(server, 'start bad')).stdout, 'bad: ERROR (spawn error)\n');
});

test('a start shows the processes that are on their way', async (t) => {
  const server = await open(t, {
    getAllProcessInfo: () => [
      processStruct('slow', 'STARTING'),
      processStruct('again', 'BACKOFF'),
      processStruct('up', 'RUNNING'),
    ],
    startAllProcesses: () => new Promise(() => undefined),
  });
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  const running = start(['start', 'all'], { cwd: server.directory, stdout, isOwnName: true });
  await running.sees('\r\x1b[Kslow is starting, again has failed, and is tried again (2 s)');
  running.interrupt();
  assert.equal(await running.code, 130);
});

test('a person is told that there is no answer, a script is not', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const isOwnName of [true, false]) {
    let isAsked: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    const server = await open(t, {
      getVersion: () => {
        isAsked();
        return new Promise(() => undefined);
      },
    });
    const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
    const running = start(['pid'], { cwd: server.directory, stdout, isOwnName });
    await asked;
    t.mock.timers.tick(SILENCE_MS - 1);
    assert.equal(running.errorText(), '');
    t.mock.timers.tick(1);
    const said = /^unix:\S+ \(from .*\) takes connections, and has not answered for 5 s; Ctrl-C ends the wait\nThe /;
    if (isOwnName) assert.match(running.errorText(), said);
    else assert.equal(running.errorText(), '');
    running.interrupt();
    assert.equal(await running.code, 130);
  }
});

test('a shutdown without a supervisor is explained to a person', async () => {
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  const running = start(['-s', 'unix:///none', 'shutdown'], { cwd: '/', stdout, isOwnName: true });
  assert.equal(await running.code, 1);
  assert.match(
    running.text(),
    /^Error: no supervisor answers at unix:\/\/\/none \(from -s\): there is no such socket\n/,
  );
  const script = start(['-s', 'unix:///none', 'shutdown'], { cwd: '/' });
  await script.code;
  assert.equal(script.text(), 'ERROR: unix:///none no such file (already shut down?)\n');
});
