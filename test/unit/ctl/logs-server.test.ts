/** `logs` with servers that lose lines, restart, refuse, or are a Python supervisord. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RpcFault } from '../../../src/core/faults.ts';
import type { XmlRpcStruct, XmlRpcValue } from '../../../src/rpc/xmlrpc.ts';
import { type FakeServer, type Methods, processStruct, run, serve, start } from './fake-server.ts';

const listing: Methods = {
  getAllProcessInfo: () => [processStruct('web', 'RUNNING'), processStruct('jobs:a', 'STOPPED')],
};

async function withServer(methods: Methods, act: (server: FakeServer) => Promise<void>): Promise<void> {
  const server = await serve({ ...listing, ...methods });
  try {
    await act(server);
  } finally {
    await server.close();
  }
}

function answer(texts: readonly string[], more: XmlRpcStruct = {}): XmlRpcStruct {
  const lines = texts.map((text, index) => ({
    seq: index + 1,
    at: 1_795_951_353_456,
    name: 'web:web',
    stream: 'stdout',
    pid: 5,
    text,
  }));
  return { lines: JSON.stringify(lines), next: texts.length, more: false, missed: [], epoch: 'first', ...more };
}

test('a Python supervisord shows the ends of both streams, of one process', () =>
  withServer(
    {
      readProcessStdoutLog: () => 'out\n',
      readProcessStderrLog: (name) => {
        if (name === 'jobs:a') throw RpcFault.of('NO_FILE');
        return 'err\n';
      },
    },
    async (server) => {
      const one = await run(server, 'logs web');
      assert.deepEqual([one.code, one.stdout], [0, 'out\nerr\n']);
      assert.match(one.stderr, /keeps no times of lines/);
      assert.equal((await run(server, 'logs --stderr web')).stdout, 'err\n');
      assert.equal((await run(server, 'logs jobs:a')).stdout, 'out\n');
      const several = await run(server, 'logs web jobs:a');
      assert.equal(several.code, 1);
      assert.match(several.stdout, /^Error: this supervisor cannot merge the logs of several processes: name one/);
      assert.equal((await run(server, 'logs --stderr jobs:a')).code, 1);
    },
  ));

test('following reports lost lines, a lost connection and a new supervisor, and nothing else in JSON', () => {
  const answers: ReadonlyArray<() => XmlRpcValue> = [
    () => answer(['one']),
    () => answer(['two'], { missed: [{ name: 'web:web', stream: 'stdout', bytes: 7 }] }),
    () => {
      throw RpcFault.of('SHUTDOWN_STATE');
    },
    () => answer(['three'], { epoch: 'second' }),
  ];
  let asked = 0;
  const stalled = new Promise<XmlRpcValue>(() => undefined);
  const methods: Methods = { 'onevisor.readLines': () => answers[asked++]?.() ?? stalled };
  return withServer(methods, async (server) => {
    const running = start(['logs', '-f'], { cwd: server.directory });
    await running.sees('three');
    running.interrupt();
    assert.equal(await running.code, 130);
    assert.deepEqual(running.text().trimEnd().split('\n'), [
      'web    | one',
      'web    * … 7 bytes of web (stdout) were lost before they could be read',
      'web    | two',
      'supervisor * no supervisor answers; trying again until Ctrl-C',
      'supervisor * the supervisor has restarted',
      'web        | three',
    ]);
    asked = 0;
    const json = start(['logs', '-f', '--json'], { cwd: server.directory });
    await json.sees('three');
    json.interrupt();
    await json.code;
    const objects = json
      .text()
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text) as { event?: string; text: string });
    assert.deepEqual(
      objects.map(({ event, text }) => event ?? text),
      ['one', 'missed', 'two', 'disconnected', 'restarted', 'three'],
    );
  });
});

test('an error that does not pass ends the following', () => {
  let asked = 0;
  const methods: Methods = {
    'onevisor.readLines': () => {
      if (asked++ > 0) throw RpcFault.of('BAD_NAME');
      return answer(['one']);
    },
  };
  return withServer(methods, async (server) => {
    const { stdout, code } = await run(server, 'logs -f');
    assert.equal(code, 1);
    assert.match(stdout, /^web {4}\| one\nerror: .*BAD_NAME/);
  });
});

test('older lines are read page by page', () => {
  const page = (from: number, count: number, more: boolean): XmlRpcStruct => {
    const lines = Array.from({ length: count }, (_, index) => ({
      seq: from + index,
      at: 1,
      name: 'web:web',
      stream: 'stdout',
      pid: 5,
      text: `line ${from + index}`,
    }));
    return { lines: JSON.stringify(lines), next: 9, more, missed: [], epoch: 'first' };
  };
  const pages = [page(5, 3, true), page(3, 2, true), page(0, 0, true)];
  const methods: Methods = { 'onevisor.readLines': () => pages.shift() as XmlRpcValue };
  return withServer(methods, async (server) => {
    const { stdout } = await run(server, 'logs -n 6 --no-prefix --no-events');
    assert.equal(stdout, 'line 3\nline 4\nline 5\nline 6\nline 7\n');
    assert.match(server.calls.at(-1) ?? '', /"before":3/);
  });
});
