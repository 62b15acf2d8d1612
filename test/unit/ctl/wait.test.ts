/** `onevisor wait` and `health --wait`, from the command line to the exit code. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { RpcFault } from '../../../src/core/faults.ts';
import type { XmlRpcStruct, XmlRpcValue } from '../../../src/rpc/xmlrpc.ts';
import { type FakeServer, findDeadPort, type Methods, processStruct, run, serve, start } from './fake-server.ts';
import { endStruct, EXIT_3 } from './status-structs.ts';

/** A supervisor whose processes change with each event. */
class Scene {
  readonly #steps: ReadonlyArray<readonly XmlRpcStruct[]>;
  #at = 0;
  /** Events by step: those that lead to it. */
  readonly events: ReadonlyArray<readonly XmlRpcStruct[]>;

  constructor(steps: ReadonlyArray<readonly XmlRpcStruct[]>, events: ReadonlyArray<readonly XmlRpcStruct[]> = []) {
    this.#steps = steps;
    this.events = events;
  }

  get processes(): readonly XmlRpcStruct[] {
    return this.#steps[Math.min(this.#at, this.#steps.length - 1)] ?? [];
  }

  get methods(): Methods {
    return {
      getAllConfigInfo: () => [],
      getAllProcessInfo: () => [...this.processes],
      'onevisor.getStatus': () => [...this.processes],
      'onevisor.readEvents': (after, _limit, wait) => this.#read(after as number, wait as number),
    };
  }

  #read(after: number, wait: number): XmlRpcValue | Promise<XmlRpcValue> {
    if (wait === 0) return { events: [], complete: true, next: 100 };
    this.#at += 1;
    if (this.#at >= this.#steps.length) return new Promise(() => undefined);
    return { events: [...(this.events[this.#at] ?? [])], complete: true, next: after + 1 };
  }
}

async function withServer(methods: Methods, test: (server: FakeServer) => Promise<void>): Promise<void> {
  const server = await serve(methods);
  try {
    await test(server);
  } finally {
    await server.close();
  }
}

/** Resolves when the client has called a method. */
async function called(server: FakeServer, call: string): Promise<void> {
  while (!server.calls.includes(call)) await new Promise((resolve) => setImmediate(resolve));
}

const STARTING = processStruct('web', 'STARTING', { pid: 7 });
const RUNNING = processStruct('web', 'RUNNING', { pid: 7 });
const JOB = processStruct('jobs:a', 'RUNNING', { pid: 8, health: 'healthy' });

test('a wait ends when all conditions are met', () =>
  withServer(
    new Scene([
      [STARTING, JOB],
      [STARTING, JOB],
      [RUNNING, JOB],
    ]).methods,
    async (server) => {
      const { stdout, code } = await run(server, 'wait web jobs:*');
      assert.equal(stdout, 'jobs:a: healthy\nweb: started\n');
      assert.equal(code, 0);
      assert.ok(server.calls.includes('onevisor.readEvents(101, 1000, 10000)'));
    },
  ));

test('an end that is over before the next look counts', () => {
  const end = {
    kind: 'state',
    name: 'web:web',
    to: 'EXITED',
    end: { outcome: 'exited', expected: true, exit_code: 0 },
  };
  const scene = new Scene([[RUNNING], [RUNNING]], [[], [{ kind: 'request' }, { ...end, name: 'x:x' }, end]]);
  return withServer(scene.methods, async (server) => {
    assert.equal((await run(server, 'wait web:completed')).stdout, 'web: completed\n');
  });
});

test('a condition that can no longer be met ends the wait with a code of its own', () => {
  const fatal = processStruct('web', 'FATAL', { now: 60, last_end: endStruct(0, EXIT_3), last_line: 'no file' });
  return withServer(new Scene([[STARTING, JOB], [fatal, JOB], []]).methods, async (server) => {
    const { stdout, code } = await run(server, 'wait web:ready');
    assert.match(stdout, /^web: ERROR \(cannot be ready: FATAL, exit 3, .*: no file\)\n$/);
    assert.equal(code, 3);
  });
});

test('a word after a name that is no condition is named, with those that exist', () =>
  withServer(new Scene([[STARTING, JOB]]).methods, async (server) => {
    const { stdout, code } = await run(server, 'wait web:heathy jobs:a:x');
    const known = 'use started, ready, healthy, completed or exited';
    assert.equal(
      stdout,
      `web:heathy: ERROR (there is no condition heathy; ${known})\n` +
        `jobs:a:x: ERROR (there is no condition x; ${known})\n`,
    );
    assert.equal(code, 4);
  }));

test('a process that is removed during the wait', () =>
  withServer(new Scene([[STARTING], []]).methods, async (server) => {
    const { stdout, code } = await run(server, 'wait web');
    assert.equal(stdout, 'web: ERROR (cannot be started: it is not configured any more)\n');
    assert.equal(code, 3);
  }));

test('the timeout has the code of timeout(1), and the reason', () =>
  withServer(new Scene([[STARTING, JOB]]).methods, async (server) => {
    const { stdout, code } = await run(server, 'wait --timeout 3 web jobs:a:exited');
    assert.equal(
      stdout,
      'web: ERROR (not started after 3 s: STARTING)\njobs:a: ERROR (not exited after 3 s: RUNNING, healthy)\n',
    );
    assert.equal(code, 124);
  }));

test('a supervisor that does not answer', async () => {
  await withServer({ 'onevisor.readEvents': () => new Promise(() => undefined) }, async (server) => {
    const { stdout, code } = await run(server, 'wait --timeout=0.1 web');
    assert.deepEqual([stdout, code], ['ERROR (no answer after 0.1 s)\n', 124]);
  });
  const url = `http://127.0.0.1:${await findDeadPort()}`;
  const running = start(['-s', url, 'wait', 'web'], { cwd: '/' });
  assert.equal(await running.code, 4);
  const methods: Methods = {
    getAllProcessInfo: () => [STARTING],
    'onevisor.readEvents': () => ({ next: 1, events: [] }),
  };
  const server = await serve(methods);
  const lost = start(['wait', 'web'], { cwd: server.directory });
  await called(server, 'getAllProcessInfo()');
  await server.close();
  assert.equal(await lost.code, 4);
});

test('wrong names, wrong words and Ctrl-C', () =>
  withServer(new Scene([[STARTING]]).methods, async (server) => {
    const { stdout, code } = await run(server, 'wait nosuch:ready web:started');
    assert.deepEqual([stdout, code], ['nosuch: ERROR (no such process)\n', 4]);
    assert.equal((await run(server, 'wait')).code, 2);
    assert.equal((await run(server, 'wait --timeout x web')).code, 2);
    const running = start(['wait', 'web'], { cwd: server.directory });
    await called(server, 'onevisor.readEvents(100, 1000, 10000)');
    running.interrupt();
    assert.equal(await running.code, 130);
  }));

test('a supervisord and a supervisor with too many clients are asked every second', async () => {
  let looks = 0;
  const getAllProcessInfo = (): XmlRpcValue => [looks++ < 2 ? STARTING : RUNNING];
  const busy = (_after: XmlRpcValue, _limit: XmlRpcValue, wait: XmlRpcValue): XmlRpcValue => {
    if (wait === 0) return { events: [], next: 5 };
    throw RpcFault.of('FAILED', 'too many clients');
  };
  for (const methods of [{ getAllProcessInfo }, { getAllProcessInfo, 'onevisor.readEvents': busy } as Methods]) {
    looks = 0;
    await withServer(methods, async (server) => {
      const { stdout, code } = await run(server, 'wait web');
      assert.deepEqual([stdout, code], ['web: started\n', 0]);
    });
  }
  const broken = (): XmlRpcValue => {
    throw RpcFault.of('SHUTDOWN_STATE');
  };
  await withServer({ 'onevisor.readEvents': broken }, async (server) => {
    assert.equal((await run(server, 'wait web')).code, 1);
  });
});

test('a terminal shows what the wait is for', () =>
  withServer(new Scene([[STARTING, JOB]]).methods, async (server) => {
    const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
    const running = start(['wait', '--timeout', '1.5', 'web', 'jobs:a:exited'], { cwd: server.directory, stdout });
    await running.sees('waits for web to be started and 1 more: STARTING (1 s)');
    assert.equal(await running.code, 124);
    assert.match(running.text(), /\r\x1b\[Kweb: ERROR \(not started after 1\.5 s: STARTING\)\n/);
  }));

test('a start shows what it waits for, and for how long', async () => {
  const held = processStruct('web', 'STOPPED', { hold: 'waiting', description: 'waits for db to be healthy' });
  const methods: Methods = { getAllProcessInfo: () => [held], startProcess: () => new Promise(() => undefined) };
  await withServer(methods, async (server) => {
    const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
    const options = { cwd: server.directory, stdout, isOwnName: true };
    const running = start(['start', '--timeout', '3', 'web'], options);
    await running.sees('\r\x1b[Kweb waits for db to be healthy (2 s)');
    assert.equal(await running.code, 124);
    assert.match(running.text(), /\r\x1b\[Kweb waits for db to be healthy: ERROR \(timeout after 3 s/);
  });
});

test('health --wait ends when there is no problem', async () => {
  const sick = processStruct('web', 'RUNNING', { health: 'starting', problem: 'RUNNING starting, no \n' });
  await withServer(new Scene([[sick], [sick], [RUNNING]]).methods, async (server) => {
    const { stdout, code } = await run(server, 'health --wait');
    assert.deepEqual([stdout, code], ['', 0]);
    assert.equal(server.calls.filter((call) => call.startsWith('onevisor.readEvents(100')).length, 2);
  });
  await withServer(new Scene([[sick]]).methods, async (server) => {
    const { stdout, code } = await run(server, 'health');
    assert.deepEqual([stdout, code], ['web: RUNNING starting, no \\n\n', 1]);
  });
  await withServer(new Scene([[sick]]).methods, async (server) => {
    const { stdout, code } = await run(server, 'health --wait=3 web');
    assert.deepEqual([stdout, code], ['web: RUNNING starting\n', 1]);
  });
  await withServer({ 'onevisor.readEvents': () => new Promise(() => undefined) }, async (server) => {
    const { stdout, code } = await run(server, 'health --wait=0.1');
    assert.deepEqual([stdout, code], ['ERROR (no answer after 0.1 s)\n', 1]);
  });
  const url = `http://127.0.0.1:${await findDeadPort()}`;
  const dead = start(['-s', url, 'health', '--wait=0.2'], { cwd: '/' });
  assert.equal(await dead.code, 1);
  assert.match(dead.text(), /Connection refused/);
  const broken = (): XmlRpcValue => {
    throw RpcFault.of('SHUTDOWN_STATE');
  };
  await withServer({ 'onevisor.readEvents': broken }, async (server) => {
    assert.match((await run(server, 'health --wait')).stdout, /SHUTDOWN_STATE/);
  });
});

test('health counts a crash loop only with --flapping', () => {
  const loop = processStruct('web', 'RUNNING', { flapping: true, unexpected_restarts: 4 });
  return withServer(new Scene([[loop, JOB]]).methods, async (server) => {
    assert.equal((await run(server, 'health')).code, 0);
    for (const line of ['health --flapping', 'health --flapping web', 'health --flapping all']) {
      const { stdout, code } = await run(server, line);
      assert.deepEqual([stdout, code], ['web: RUNNING flapping, 4 unexpected restarts\n', 1]);
    }
    assert.equal((await run(server, 'health --flapping jobs:a')).code, 0);
    for (const wrong of ['health --wait=x', 'health --flap']) {
      const { stdout, code } = await run(server, wrong);
      assert.match(stdout, /^Error: /);
      assert.equal(code, 1);
    }
  });
});
