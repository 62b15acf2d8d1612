/** Logs over RPC: offsets, faults, and any bytes. The answers were recorded from Supervisor if XML could carry them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeResponse } from '../../../src/rpc/xmlrpc.ts';
import { Client } from './calls.ts';

async function running(): Promise<Client> {
  const client = new Client([
    { name: 'run', group: 'g', stdout: 'hello\n', stderr: 'err\n' },
    { name: 'merged', stdout: 'both\n', options: { redirect_stderr: true } },
    { name: 'nolog', hasNoLog: true },
    { name: 'bytes', stdout: Buffer.from('a\x01\xff\xc3\xa9<&>\r\n\x1b[0m', 'latin1') },
  ]);
  await client.callFor(2000, 'startAllProcesses');
  return client;
}

describe('reading', () => {
  const reads: ReadonlyArray<readonly [args: readonly (string | number | boolean)[], answer: unknown]> = [
    [['g:run', 0, 0], 'hello\n'],
    [['g:run', -4, 0], 'llo\n'],
    [['g:run', -4, 1], 'FAULT 3 BAD_ARGUMENTS'],
    [['g:run', 0, -1], 'FAULT 3 BAD_ARGUMENTS'],
    [['g:run', 2, 3], 'llo'],
    [['g:run', 100, 0], ''],
    [['g:run', 100, 5], ''],
    [['g:run', -100, 0], 'hello\n'],
    [['nope', 0, 0], 'FAULT 10 BAD_NAME: nope'],
    [['g', 0, 0], 'FAULT 10 BAD_NAME: g'],
    [['nolog', 0, 0], 'FAULT 20 NO_FILE'],
    [['g:run', '0', '0'], 'hello\n'],
    [['g:run', 1.7, '2'], 'el'],
    [['g:run', true, 2], 'el'],
    [['g:run', 'x', 0], 'FAULT 2 INCORRECT_PARAMETERS'],
    [['g:run', 0], 'FAULT 2 INCORRECT_PARAMETERS'],
    [['g:run', 0, 0, 0], 'FAULT 2 INCORRECT_PARAMETERS'],
  ];
  for (const [args, answer] of reads) {
    test(`readProcessStdoutLog(${args.join(', ')})`, async () => {
      const client = await running();
      assert.deepEqual(await client.call('readProcessStdoutLog', ...args), answer);
      assert.deepEqual(await client.call('readProcessLog', ...args), answer);
    });
  }

  test('readProcessStderrLog, also of a process whose stderr is its stdout', async () => {
    const client = await running();
    assert.equal(await client.call('readProcessStderrLog', 'g:run', 0, 0), 'err\n');
    assert.equal(await client.call('readProcessStderrLog', 'merged', 0, 0), 'FAULT 20 NO_FILE');
  });

  test('a missing or unreadable file', async () => {
    const client = await running();
    const log = client.api.logOf('g:run', 'stdout');
    log.trouble = { kind: 'noFile', path: '/var/log/run.log' };
    assert.equal(await client.call('readProcessStdoutLog', 'g:run', 0, 0), 'FAULT 20 NO_FILE: /var/log/run.log');
    log.trouble = { kind: 'failed', reason: 'EIO' };
    assert.equal(await client.call('readProcessStdoutLog', 'g:run', 0, 0), 'FAULT 30 FAILED: EIO');
  });

  test('any bytes are sent as text that XML can carry', async () => {
    const client = await running();
    const text = await client.call('readProcessStdoutLog', 'bytes', 0, 0);
    assert.equal(text, 'a\x01\ufffdé<&>\r\n\x1b[0m');
    assert.ok(
      encodeResponse(text).includes('<string>a\ufffd\ufffdé&lt;&amp;&gt;&#13;\n\ufffd[0m</string>'),
      encodeResponse(text),
    );
  });
});

describe('tails', () => {
  const tails: ReadonlyArray<readonly [args: readonly (string | number)[], answer: unknown]> = [
    [
      ['g:run', 0, 100],
      ['hello\n', 6, false],
    ],
    [
      ['g:run', 0, 2],
      ['o\n', 6, true],
    ],
    [
      ['g:run', 6, 10],
      ['', 6, false],
    ],
    [
      ['g:run', 5, 10],
      ['hello\n', 6, false],
    ],
    [
      ['g:run', 100, 10],
      ['', 6, false],
    ],
    [
      ['g:run', -2, 10],
      ['hello\n', 6, false],
    ],
    [
      ['g:run', 0, -1],
      ['', 6, true],
    ],
    [
      ['g:run', 0, 0],
      ['', 6, true],
    ],
    [['nope', 0, 0], 'FAULT 10 BAD_NAME: nope'],
    [
      ['nolog', 0, 100],
      ['', 0, false],
    ],
    [
      ['g:run', '0', '10'],
      ['hello\n', 6, false],
    ],
  ];
  for (const [args, answer] of tails) {
    test(`tailProcessStdoutLog(${args.join(', ')})`, async () => {
      const client = await running();
      assert.deepEqual(await client.call('tailProcessStdoutLog', ...args), answer);
      assert.deepEqual(await client.call('tailProcessLog', ...args), answer);
    });
  }

  test('tailProcessStderrLog', async () => {
    const client = await running();
    assert.deepEqual(await client.call('tailProcessStderrLog', 'g:run', 0, 100), ['err\n', 4, false]);
    assert.deepEqual(await client.call('tailProcessStderrLog', 'merged', 0, 100), ['', 0, false]);
  });
});

describe('clearing', () => {
  test('both logs of a process', async () => {
    const client = await running();
    assert.equal(await client.call('clearProcessLogs', 'g:run'), true);
    assert.equal(await client.call('readProcessStdoutLog', 'g:run', 0, 0), '');
    assert.equal(await client.call('readProcessStderrLog', 'g:run', 0, 0), '');
    assert.equal(await client.call('clearProcessLog', 'nolog'), true);
    assert.equal(await client.call('clearProcessLogs', 'nope'), 'FAULT 10 BAD_NAME: nope');
    client.api.logOf('g:run', 'stderr').trouble = { kind: 'failed', reason: 'EACCES' };
    assert.equal(await client.call('clearProcessLogs', 'g:run'), 'FAULT 30 FAILED: g:run: EACCES');
    client.api.logOf('g:run', 'stderr').trouble = { kind: 'noFile', path: null };
    assert.equal(await client.call('clearProcessLogs', 'g:run'), true);
  });

  test('the logs of all processes', async () => {
    const client = await running();
    client.api.logOf('merged:merged', 'stdout').trouble = { kind: 'failed', reason: 'EIO' };
    assert.deepEqual(await client.call('clearAllProcessLogs'), [
      { name: 'run', group: 'g', status: 80, description: 'OK' },
      { name: 'merged', group: 'merged', status: 30, description: 'FAILED: merged: EIO' },
      { name: 'nolog', group: 'nolog', status: 80, description: 'OK' },
      { name: 'bytes', group: 'bytes', status: 80, description: 'OK' },
    ]);
  });
});

test('clearing all logs returns the processes in their order, however long each takes', async () => {
  const client = await running();
  const log = client.api.logOf('g:run', 'stdout');
  const clear = log.clear.bind(log);
  log.clear = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    // Longer than Supervisor's rounds of 50 ms, which determine the order of other results.
    client.clock.advance(500);
    return clear();
  };
  const listed = (await client.call('clearAllProcessLogs')) as ReadonlyArray<{ readonly name: string }>;
  assert.deepEqual(
    listed.map(({ name }) => name),
    ['run', 'merged', 'nolog', 'bytes'],
  );
});

describe('the log of the supervisor', () => {
  test('is read and cleared', async () => {
    const client = await running();
    await client.call('clearLog');
    client.api.log.push('0123456789');
    for (const name of ['readLog', 'readMainLog']) {
      assert.equal(await client.call(name, 0, 4), '0123');
      assert.equal(await client.call(name, -3, 0), '789');
      assert.equal(await client.call(name, -3, 1), 'FAULT 3 BAD_ARGUMENTS');
    }
    assert.equal(await client.call('clearLog'), true);
    assert.equal(await client.call('readLog', 0, 0), '');
  });

  test('does not exist', async () => {
    const client = await running();
    client.api.log.trouble = { kind: 'noFile', path: '/var/log/main.log' };
    assert.equal(await client.call('readLog', 0, 0), 'FAULT 20 NO_FILE: /var/log/main.log');
    assert.equal(await client.call('clearLog'), 'FAULT 20 NO_FILE');
    client.api.log.trouble = { kind: 'failed', reason: 'EROFS' };
    assert.equal(await client.call('clearLog'), 'FAULT 30 FAILED: EROFS');
    client.api.hasMainLog = false;
    assert.equal(await client.call('readLog', 0, 0), 'FAULT 20 NO_FILE');
    assert.equal(await client.call('clearLog'), 'FAULT 20 NO_FILE');
  });
});
