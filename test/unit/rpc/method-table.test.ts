/** The method table: names, signatures, help, unknown methods, multicall. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createMethodTable } from '../../../src/rpc/method-table.ts';
import { Client } from './calls.ts';

/** Answers of `system.listMethods` and `system.methodSignature` of Supervisor 4.2.5. */
const signatures: Readonly<Record<string, string>> = {
  'supervisor.addProcessGroup': 'boolean string',
  'supervisor.clearAllProcessLogs': 'array',
  'supervisor.clearLog': 'boolean',
  'supervisor.clearProcessLog': 'boolean string',
  'supervisor.clearProcessLogs': 'boolean string',
  'supervisor.getAPIVersion': 'string',
  'supervisor.getAllConfigInfo': 'array',
  'supervisor.getAllProcessInfo': 'array',
  'supervisor.getIdentification': 'string',
  'supervisor.getPID': 'int',
  'supervisor.getProcessInfo': 'struct string',
  'supervisor.getState': 'struct',
  'supervisor.getSupervisorVersion': 'string',
  'supervisor.getVersion': 'string',
  'supervisor.readLog': 'string int int',
  'supervisor.readMainLog': 'string int int',
  'supervisor.readProcessLog': 'string string int int',
  'supervisor.readProcessStderrLog': 'string string int int',
  'supervisor.readProcessStdoutLog': 'string string int int',
  'supervisor.reloadConfig': 'array',
  'supervisor.removeProcessGroup': 'boolean string',
  'supervisor.restart': 'boolean',
  'supervisor.sendProcessStdin': 'boolean string string',
  'supervisor.sendRemoteCommEvent': 'boolean string string',
  'supervisor.shutdown': 'boolean',
  'supervisor.signalAllProcesses': 'array string',
  'supervisor.signalProcess': 'boolean string string',
  'supervisor.signalProcessGroup': 'array string string',
  'supervisor.startAllProcesses': 'array boolean',
  'supervisor.startProcess': 'boolean string boolean',
  'supervisor.startProcessGroup': 'array string boolean',
  'supervisor.stopAllProcesses': 'array boolean',
  'supervisor.stopProcess': 'boolean string boolean',
  'supervisor.stopProcessGroup': 'array string boolean',
  'supervisor.tailProcessLog': 'array string int int',
  'supervisor.tailProcessStderrLog': 'array string int int',
  'supervisor.tailProcessStdoutLog': 'array string int int',
  'system.listMethods': 'array',
  'system.methodHelp': 'string string',
  'system.methodSignature': 'array string',
  'system.multicall': 'array array',
};

describe('the table', () => {
  test('has all methods with their signatures, and no other', async () => {
    const client = new Client([]);
    assert.deepEqual(await client.call('system.listMethods'), Object.keys(signatures));
    for (const [name, signature] of Object.entries(signatures))
      assert.deepEqual(await client.call('system.methodSignature', name), signature.split(' '), name);
  });

  test('the help matches the signature', async () => {
    const client = new Client([]);
    const help = await client.text('system.methodHelp', 'supervisor.startProcess');
    assert.deepEqual(help.match(/@(param|return) \w+ \w+/g), [
      '@param string name',
      '@param boolean wait',
      '@return boolean result',
    ]);
    for (const name of ['x.y', 'supervisor', '']) {
      assert.equal(await client.call('system.methodHelp', name), 'FAULT 4 SIGNATURE_UNSUPPORTED');
      assert.equal(await client.call('system.methodSignature', name), 'FAULT 4 SIGNATURE_UNSUPPORTED');
    }
  });

  for (const name of [
    'system.__class__',
    'system.__proto__',
    'supervisor.constructor',
    'supervisor.__init__',
    'system.listMethods.__call__',
    'constructor',
    'supervisor.supervisord.options',
    'supervisor._update',
    'supervisor.',
    'x',
    '',
  ]) {
    test(`"${name}" is UNKNOWN_METHOD (CVE-2017-11610)`, async () => {
      const client = new Client([]);
      assert.equal(await client.call(name.includes('.') ? name : `.${name}`), 'FAULT 1 UNKNOWN_METHOD');
    });
  }

  test('has the methods of further interfaces', async () => {
    const table = createMethodTable([
      {
        name: 'twiddler.ping',
        help: 'Ping',
        parameters: [],
        returns: { type: 'string', name: 'result', help: 'pong' },
        call: () => 'pong',
      },
    ]);
    assert.ok(table.has('twiddler.ping') && table.has('supervisor.getState'));
  });

  const wrong: ReadonlyArray<
    readonly [
      name: string,
      args: ReadonlyArray<string | number | boolean | null | readonly string[] | { readonly a: string }>,
    ]
  > = [
    ['startProcess', []],
    ['startProcess', ['web', true, 1]],
    ['startProcess', [5]],
    ['startProcess', [[]]],
    ['startProcess', [null]],
    ['getProcessInfo', [{ a: 'b' }]],
    ['getState', [1]],
    ['readLog', []],
    ['readLog', ['x', 1]],
    ['signalProcess', ['web']],
    ['stopProcess', [5]],
    ['addProcessGroup', [[]]],
    ['system.listMethods', [1]],
    ['system.methodHelp', []],
    ['system.multicall', []],
    ['system.multicall', [5]],
    ['system.multicall', ['abc']],
  ];
  for (const [name, args] of wrong) {
    test(`${name}(${JSON.stringify(args)}) is INCORRECT_PARAMETERS`, async () => {
      assert.equal(await new Client([{ name: 'web' }]).call(name, ...args), 'FAULT 2 INCORRECT_PARAMETERS');
    });
  }

  test('any value can stand for true or false in wait', async () => {
    for (const wait of ['', 0, null, [], {}]) {
      const client = new Client([{ name: 'web' }]);
      assert.deepEqual(
        await client.callFor(5, 'startProcess', 'web', wait),
        { value: true, afterMs: 0 },
        JSON.stringify(wait),
      );
    }
    for (const wait of ['yes', 2, ['x'], { length: 0 }]) {
      const client = new Client([{ name: 'web' }]);
      assert.deepEqual(
        await client.callFor(2000, 'startProcess', 'web', wait),
        { value: true, afterMs: 1000 },
        JSON.stringify(wait),
      );
    }
  });
});

describe('multicall', () => {
  test('returns values unchanged and faults as structs, one call after the other', async () => {
    const client = new Client([{ name: 'web' }, { name: 'quick', exitAfterMs: 5 }]);
    const answer = await client.callFor(3000, 'system.multicall', [
      { methodName: 'supervisor.startProcess', params: ['web'] },
      { methodName: 'supervisor.getState' },
      { methodName: 'supervisor.getProcessInfo', params: ['nope'] },
      { methodName: 'system.multicall', params: [[]] },
      { params: [] },
      { methodName: 'system.__class__' },
      { methodName: 'supervisor.getState', params: [1] },
      { methodName: 'supervisor.getState', params: 5 },
      { methodName: 'supervisor.getPID', params: {} },
      { methodName: 5 },
      7,
      { methodName: 'supervisor.startProcess', params: ['quick'] },
      { methodName: 'supervisor.stopProcessGroup', params: ['web'] },
    ]);
    assert.deepEqual(answer.value, [
      true,
      { statecode: 1, statename: 'RUNNING' },
      { faultCode: 10, faultString: 'BAD_NAME: nope' },
      { faultCode: 2, faultString: 'INCORRECT_PARAMETERS: Recursive system.multicall forbidden' },
      { faultCode: 2, faultString: 'INCORRECT_PARAMETERS: No methodName' },
      { faultCode: 1, faultString: 'UNKNOWN_METHOD' },
      { faultCode: 2, faultString: 'INCORRECT_PARAMETERS' },
      { faultCode: 2, faultString: 'INCORRECT_PARAMETERS' },
      4711,
      { faultCode: 1, faultString: 'UNKNOWN_METHOD' },
      { faultCode: 2, faultString: 'INCORRECT_PARAMETERS: No methodName' },
      { faultCode: 50, faultString: 'SPAWN_ERROR: quick' },
      [{ name: 'web', group: 'web', status: 80, description: 'OK' }],
    ]);
    assert.deepEqual(await client.call('system.multicall', []), []);
  });

  test('an internal error is a fault of that call only, and is logged', async () => {
    const client = new Client([]);
    client.api.reread = () => Promise.reject(new Error('disk on fire'));
    assert.deepEqual(
      await client.call('system.multicall', [
        { methodName: 'supervisor.reloadConfig' },
        { methodName: 'supervisor.getPID' },
      ]),
      [{ faultCode: 30, faultString: 'FAILED: internal error' }, 4711],
    );
    assert.ok(client.api.reports.some(([level, text]) => level === 'critical' && text.includes('disk on fire')));
  });

  test('the answers have a common size limit', async () => {
    const client = new Client([]);
    client.api.log.push('x'.repeat(5 * 1024 * 1024));
    const read = { methodName: 'supervisor.readLog', params: [0, 0] };
    const answers = (await client.call('system.multicall', [read, read, read])) as unknown[];
    assert.deepEqual(
      answers.map((answer) => typeof answer),
      ['string', 'string', 'object'],
    );
    assert.deepEqual(answers[2], {
      faultCode: 30,
      faultString: 'FAILED: the answers of this multicall are too large; ask for less at a time',
    });
  });

  test('stops when the client disconnects', async () => {
    const client = new Client([{ name: 'web' }]);
    const call = client.call('system.multicall', [
      { methodName: 'supervisor.startProcess', params: ['web'] },
      { methodName: 'supervisor.shutdown' },
    ]);
    await new Promise((resolve) => setImmediate(resolve));
    client.hangUp.abort();
    await assert.rejects(call, { name: 'AbortError' });
    assert.equal(client.api.state(), 'RUNNING');
  });
});
