/** Start, stop and signal in every state. The answers and faults were recorded from Supervisor 4.2.5. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Client, settle } from './calls.ts';

const ok = (name: string, group = name) => ({ name, group, status: 80, description: 'OK' });

describe('startProcess', () => {
  test('answers when the process is RUNNING, or at once without wait', async () => {
    const client = new Client([
      { name: 'web' },
      { name: 'fast', options: { startsecs: 0 } },
      { name: 'slow', options: { startsecs: 3 } },
    ]);
    assert.deepEqual(await client.callFor(2000, 'startProcess', 'web'), { value: true, afterMs: 1000 });
    assert.equal(await client.state('web'), 'RUNNING');
    assert.deepEqual(await client.callFor(100, 'startProcess', 'fast'), { value: true, afterMs: 0 });
    assert.equal(await client.state('fast'), 'RUNNING');
    assert.deepEqual(await client.callFor(100, 'startProcess', 'slow', false), { value: true, afterMs: 0 });
    assert.equal(await client.state('slow'), 'STARTING');
  });

  test('reports the first failure, although more tries follow', async () => {
    const client = new Client([{ name: 'quick', exitAfterMs: 30, exitCode: 3 }]);
    assert.deepEqual(await client.callFor(500, 'startProcess', 'quick'), {
      value: 'FAULT 50 SPAWN_ERROR: quick',
      afterMs: 30,
    });
    assert.equal(await client.state('quick'), 'BACKOFF');
    assert.equal((await client.info('quick'))['exitstatus'], 0);
    assert.equal(await client.call('startProcess', 'quick'), 'FAULT 60 ALREADY_STARTED: quick');
  });

  test('a failed spawn is a fault, also without wait', async () => {
    const client = new Client([{ name: 'bad', spawnError: 'no memory', options: { startretries: 0 } }]);
    assert.equal(await client.call('startProcess', 'bad', false), 'FAULT 50 SPAWN_ERROR: bad');
    assert.equal(await client.state('bad'), 'FATAL');
    assert.equal((await client.info('bad'))['description'], 'no memory');
  });

  test('a missing command is a fault, and the process does not change', async () => {
    const client = new Client([
      { name: 'noexec', objection: { fault: 'NO_FILE', reason: "can't find command '/nonexistent/x'" } },
      { name: 'notexec', objection: { fault: 'NOT_EXECUTABLE', reason: "command at '/etc/passwd' is not executable" } },
    ]);
    assert.equal(await client.call('startProcess', 'noexec'), "FAULT 20 NO_FILE: can't find command '/nonexistent/x'");
    assert.equal(
      await client.call('startProcess', 'notexec'),
      "FAULT 21 NOT_EXECUTABLE: command at '/etc/passwd' is not executable",
    );
    assert.equal((await client.info('noexec'))['description'], 'Not started');
  });

  test('while STARTING, RUNNING, STOPPING', async () => {
    const client = new Client([{ name: 'slow', ignores: [15] }]);
    await client.call('startProcess', 'slow', false);
    assert.equal(await client.call('startProcess', 'slow'), 'FAULT 60 ALREADY_STARTED: slow');
    client.clock.advance(1000);
    assert.equal(await client.call('startProcess', 'slow'), 'FAULT 60 ALREADY_STARTED: slow');
    assert.equal(await client.call('stopProcess', 'slow', false), true);
    assert.equal(await client.call('startProcess', 'slow'), 'FAULT 40 ABNORMAL_TERMINATION: slow');
    assert.equal(await client.call('startProcess', 'slow', false), true);
    assert.equal(await client.state('slow'), 'STOPPING');
  });

  test('a stop while a client waits for the start', async () => {
    const client = new Client([{ name: 'web', ignores: [15] }]);
    const start = client.call('startProcess', 'web');
    await settle();
    assert.equal(await client.call('stopProcess', 'web', false), true);
    assert.equal(await start, 'FAULT 40 ABNORMAL_TERMINATION: web');
  });

  test('starts an exited and a failed process again', async () => {
    const client = new Client([
      { name: 'done', exitAfterMs: 1200, options: { autorestart: 'false' } },
      { name: 'quick', exitAfterMs: 5, options: { startretries: 0 } },
    ]);
    assert.equal((await client.callFor(2000, 'startProcess', 'done')).value, true);
    client.clock.advance(500);
    assert.equal(await client.state('done'), 'EXITED');
    assert.equal((await client.callFor(2000, 'startProcess', 'done')).value, true);
    assert.equal((await client.callFor(2000, 'startProcess', 'quick')).value, 'FAULT 50 SPAWN_ERROR: quick');
    assert.equal(await client.state('quick'), 'FATAL');
    assert.equal(await client.call('startProcess', 'quick', false), true);
  });

  test('a process that cannot be signalled is UNKNOWN: FAILED to stop, FAILED to start', async () => {
    const client = new Client([{ name: 'lost' }]);
    await client.callFor(2000, 'startProcess', 'lost');
    client.api.signalError = 'EPERM';
    assert.equal(await client.call('signalProcess', 'lost', 'HUP'), 'FAULT 30 FAILED: cannot signal lost: EPERM');
    assert.equal(
      await client.call('stopProcess', 'lost'),
      'FAULT 30 FAILED: cannot stop lost: it could not be signalled',
    );
    assert.equal(await client.state('lost'), 'UNKNOWN');
    assert.equal(await client.call('startProcess', 'lost'), 'FAULT 30 FAILED: lost is in an unknown process state');
    assert.equal(await client.call('stopProcess', 'lost'), 'FAULT 70 NOT_RUNNING: lost');
  });

  test('a client that disconnects ends the wait', async () => {
    const client = new Client([{ name: 'web' }]);
    const start = client.call('startProcess', 'web');
    await settle();
    client.hangUp.abort();
    await assert.rejects(start, { name: 'AbortError' });
    client.clock.advance(1000);
    assert.equal(await client.state('web'), 'RUNNING');
  });

  test('a group that is removed during the wait for its start', async () => {
    const client = new Client([{ name: 'quick', exitAfterMs: 5 }]);
    const start = client.call('startProcess', 'quick');
    client.clock.advance(10);
    assert.equal(await start, 'FAULT 50 SPAWN_ERROR: quick');
    await client.call('stopProcess', 'quick');
    assert.equal(await client.call('removeProcessGroup', 'quick'), true);
    assert.equal(await client.call('startProcess', 'quick'), 'FAULT 10 BAD_NAME: quick');
  });
});

describe('stopProcess', () => {
  test('cancels a restart that is due', async () => {
    const client = new Client([
      { name: 'web', exitAfterMs: 1500, exitCode: 1, options: { autorestart: 'true', restartpause: 60 } },
    ]);
    await client.call('startProcess', 'web', false);
    client.clock.advance(1500);
    assert.equal(await client.state('web'), 'EXITED');
    assert.equal(await client.call('stopProcess', 'web'), true);
    assert.equal(await client.call('stopProcess', 'web'), 'FAULT 70 NOT_RUNNING: web');
    client.clock.advance(60_000);
    assert.equal(await client.state('web'), 'EXITED');
  });

  test('answers when the process is STOPPED, or at once without wait', async () => {
    const client = new Client([{ name: 'web', ignores: [15], options: { stopwaitsecs: 4 } }]);
    await client.callFor(2000, 'startProcess', 'web');
    const { value, afterMs } = await client.callFor(6000, 'stopProcess', 'web');
    assert.equal(value, true);
    assert.ok(afterMs >= 4000 && afterMs < 4100, `${afterMs}`);
    assert.deepEqual((await client.info('web'))['exitstatus'], -1);
    assert.deepEqual(client.api.signals, ['15 web', '9 web']);
  });

  test('in STOPPED, EXITED and FATAL: NOT_RUNNING', async () => {
    const client = new Client([
      { name: 'off' },
      { name: 'done', exitAfterMs: 1200 },
      { name: 'quick', exitAfterMs: 5, options: { startretries: 0 } },
    ]);
    await client.callFor(3000, 'startAllProcesses');
    client.clock.advance(500);
    for (const name of ['done', 'quick'])
      assert.equal(await client.call('stopProcess', name), `FAULT 70 NOT_RUNNING: ${name}`);
    await client.callFor(100, 'stopProcess', 'off');
    assert.equal(await client.call('stopProcess', 'off'), 'FAULT 70 NOT_RUNNING: off');
  });

  test('in BACKOFF: stopped at once', async () => {
    const client = new Client([{ name: 'backoff', exitAfterMs: 5 }]);
    await client.callFor(100, 'startProcess', 'backoff');
    assert.equal(await client.call('stopProcess', 'backoff'), true);
    const info = await client.info('backoff');
    assert.deepEqual(
      [info['statename'], info['spawnerr'], info['exitstatus']],
      ['STOPPED', 'Exited too quickly (process log may have details)', 0],
    );
    assert.match(JSON.stringify(info['description']), /^"[A-Z][a-z]{2} \d\d \d\d:\d\d [AP]M"$/);
  });

  test('a second time: SIGKILL', async () => {
    const client = new Client([{ name: 'web', ignores: [15] }]);
    await client.callFor(2000, 'startProcess', 'web');
    await client.call('stopProcess', 'web', false);
    assert.deepEqual(await client.callFor(1000, 'stopProcess', 'web'), { value: true, afterMs: 10 });
    assert.deepEqual(client.api.signals, ['15 web', '9 web']);
  });
});

describe('names', () => {
  const programs = [{ name: 'run', group: 'g', groupPriority: 5 }, { name: 'cat', group: 'g' }, { name: 'web' }];

  for (const name of ['nope', 'nope:x', 'nope:*', 'g', 'run', 'g:nope', '*', ':run', 'g:run:x', '', ' web']) {
    test(`"${name}" is BAD_NAME for start, stop, signal and info`, async () => {
      const client = new Client(programs);
      for (const call of ['startProcess', 'stopProcess', 'getProcessInfo'])
        assert.equal(await client.call(call, name), `FAULT 10 BAD_NAME: ${name}`);
      assert.equal(await client.call('signalProcess', name, 'XX'), `FAULT 10 BAD_NAME: ${name}`);
    });
  }

  test('a whole group by g:* and g:, but only for methods that allow it', async () => {
    const client = new Client(programs);
    assert.deepEqual((await client.callFor(2000, 'startProcess', 'g:*')).value, [ok('run', 'g'), ok('cat', 'g')]);
    assert.deepEqual(await client.call('startProcess', 'g:'), []);
    for (const call of ['getProcessInfo', 'clearProcessLogs'])
      assert.equal(await client.call(call, 'g:*'), 'FAULT 10 BAD_NAME: g:*');
    assert.equal(await client.call('sendProcessStdin', 'g:*', 'x'), 'FAULT 10 BAD_NAME: g:*');
    assert.deepEqual((await client.callFor(100, 'stopProcess', 'g:*')).value, [ok('run', 'g'), ok('cat', 'g')]);
    assert.deepEqual(await client.call('stopProcess', 'g:*'), []);
  });

  test('an unknown group', async () => {
    const client = new Client(programs);
    for (const call of ['startProcessGroup', 'stopProcessGroup'])
      assert.equal(await client.call(call, 'nope'), 'FAULT 10 BAD_NAME: nope');
    assert.equal(await client.call('signalProcessGroup', 'nope', 'HUP'), 'FAULT 10 BAD_NAME: nope');
  });
});

describe('all processes', () => {
  test('results: immediate failures first, then by duration, in rounds of 50 ms', async () => {
    const client = new Client([
      { name: 'late', options: { startsecs: 2 } },
      { name: 'web' },
      { name: 'quick', exitAfterMs: 5 },
      { name: 'app' },
      { name: 'noexec', objection: { fault: 'NO_FILE', reason: "can't find command 'x'" } },
    ]);
    assert.deepEqual((await client.callFor(3000, 'startAllProcesses')).value, [
      { name: 'noexec', group: 'noexec', status: 20, description: "NO_FILE: can't find command 'x'" },
      { name: 'quick', group: 'quick', status: 50, description: 'SPAWN_ERROR: quick' },
      ok('web'),
      ok('app'),
      ok('late'),
    ]);
  });

  test('processes are stopped in reverse order of their start; stopping ones are left alone', async () => {
    const client = new Client([
      { name: 'db', groupPriority: 1 },
      { name: 'web', groupPriority: 10 },
      { name: 'stuck', groupPriority: 20, ignores: [15] },
    ]);
    await client.callFor(3000, 'startAllProcesses');
    await client.call('stopProcess', 'stuck', false);
    assert.deepEqual((await client.callFor(100, 'stopAllProcesses')).value, [ok('db'), ok('web')]);
    assert.deepEqual(client.api.signals, ['15 stuck', '15 web', '15 db']);
  });

  test('signals are sent to processes with a pid', async () => {
    const client = new Client([{ name: 'a' }, { name: 'b' }, { name: 'off' }]);
    await client.callFor(3000, 'startProcess', 'a');
    await client.callFor(3000, 'startProcess', 'b');
    assert.deepEqual(await client.call('signalAllProcesses', 'CONT'), [ok('a'), ok('b')]);
    assert.deepEqual(await client.call('signalProcess', 'off:*', 'CONT'), []);
    assert.deepEqual(await client.call('signalProcessGroup', 'a', 'XX'), [
      { name: 'a', group: 'a', status: 11, description: 'BAD_SIGNAL: XX' },
    ]);
  });
});

describe('signalProcess', () => {
  const cases: ReadonlyArray<readonly [requested: string | number | boolean | readonly string[], answer: unknown]> = [
    ['NOPE', 'FAULT 11 BAD_SIGNAL: NOPE'],
    ['99', 'FAULT 11 BAD_SIGNAL: 99'],
    ['0', true],
    [0, true],
    [18, true],
    [18.5, true],
    ['sigcont', true],
    ['  CONT ', true],
    [[], 'FAULT 2 INCORRECT_PARAMETERS'],
  ];
  for (const [requested, answer] of cases) {
    test(JSON.stringify(requested), async () => {
      const client = new Client([{ name: 'web' }]);
      assert.equal(await client.call('signalProcess', 'web', 'CONT'), 'FAULT 70 NOT_RUNNING: web');
      await client.callFor(2000, 'startProcess', 'web');
      assert.equal(await client.call('signalProcess', 'web', requested), answer);
    });
  }

  test('in BACKOFF: NOT_RUNNING; in STOPPING the signal is sent', async () => {
    const client = new Client([
      { name: 'backoff', exitAfterMs: 5 },
      { name: 'web', ignores: [15] },
    ]);
    await client.callFor(2000, 'startAllProcesses');
    assert.equal(await client.call('signalProcess', 'backoff', 'HUP'), 'FAULT 70 NOT_RUNNING: backoff');
    await client.call('stopProcess', 'web', false);
    assert.equal(await client.call('signalProcess', 'web', 'CONT'), true);
  });
});
