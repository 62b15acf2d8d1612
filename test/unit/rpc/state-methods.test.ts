/** Facts about the supervisor and its processes; groups, standard input, events, shutdown. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatDaytime, formatUptime } from '../../../src/rpc/durations.ts';
import { ProcessTimes } from '../../../src/rpc/process-times.ts';
import { Client } from './calls.ts';

describe('the supervisor', () => {
  test('returns its identification', async () => {
    const client = new Client([]);
    assert.deepEqual(
      await Promise.all(
        [
          'getAPIVersion',
          'getVersion',
          'getSupervisorVersion',
          'getIdentification',
          'getState',
          'getPID',
          'getAllProcessInfo',
        ].map((name) => client.call(name)),
      ),
      ['3.0', '3.0', '4.3.0', 'fake', { statecode: 1, statename: 'RUNNING' }, 4711, []],
    );
  });

  for (const way of ['shutdown', 'restart']) {
    test(`after ${way} only system methods answer`, async () => {
      const client = new Client([{ name: 'web', ignores: [15] }]);
      await client.callFor(2000, 'startProcess', 'web');
      assert.equal(await client.call(way), true);
      for (const name of ['getState', 'getAllProcessInfo', 'shutdown', 'restart', 'getAPIVersion'])
        assert.equal(await client.call(name), 'FAULT 6 SHUTDOWN_STATE');
      assert.equal(await client.call('getProcessInfo', 5), 'FAULT 6 SHUTDOWN_STATE');
      assert.equal(await client.call('startProcess'), 'FAULT 2 INCORRECT_PARAMETERS');
      assert.equal(await client.call('nope'), 'FAULT 1 UNKNOWN_METHOD');
      assert.ok(Array.isArray(await client.call('system.listMethods')));
      assert.deepEqual(await client.call('system.multicall', [{ methodName: 'supervisor.getPID' }]), [
        { faultCode: 6, faultString: 'SHUTDOWN_STATE' },
      ]);
    });
  }
});

test('a restart with an invalid configuration is a fault with the reasons, and nothing is restarted', async () => {
  const client = new Client([{ name: 'web' }]);
  client.api.restartProblem = '/c.conf:3: [program:web] user: there is no user "x"';
  assert.equal(
    await client.call('restart'),
    'FAULT 92 CANT_REREAD: /c.conf:3: [program:web] user: there is no user "x"',
  );
  assert.equal(client.api.state(), 'RUNNING');
});

describe('process info', () => {
  test(
    'stop is the time of the latest end, however it came: an exit within startsecs too, a start that made no ' +
      'process does not',
    async () => {
      const client = new Client([
        { name: 'quick', exitAfterMs: 5, options: { startretries: 0 } },
        { name: 'none', spawnError: "can't find command 'x'", options: { startretries: 0 } },
      ]);
      const before = Math.floor(client.api.wallMs() / 1000);
      await client.callFor(100, 'startProcess', 'quick');
      assert.ok(Number((await client.info('quick'))['stop']) >= before);
      await client.callFor(100, 'startProcess', 'none');
      const none = await client.info('none');
      assert.deepEqual([none['statename'], none['stop']], ['FATAL', 0]);
      const late = { ...client.context, times: new ProcessTimes(client.api) };
      assert.equal(late.times.of(client.api.process('none:none') ?? assert.fail()).stop, 0);
      const quick = client.api.process('quick:quick') ?? assert.fail();
      const { stop } = client.context.times.of(quick);
      client.api.tellRestarted('quick:quick');
      assert.equal(client.context.times.of(quick).stop, stop);
    },
  );

  test('the dependencies that a start waits for are data, and the description names them', async () => {
    const client = new Client([{ name: 'db' }, { name: 'web', dependsOn: 'db' }, { name: 'log', dependsOn: 'web' }]);
    assert.equal(
      await client.call('startProcess', 'log'),
      'FAULT 50 SPAWN_ERROR: log: cannot start: web must be started and is STOPPED',
    );
    client.api.engine.removeGroup('db');
    await client.call('startProcess', 'web', false);
    await client.call('startProcess', 'log', false);
    const log = await client.info('log');
    assert.equal(
      log['description'],
      'cannot start: db must be started and is not configured any more (web depends on it)',
    );
    assert.deepEqual(
      [log['hold'], log['blocked_by']],
      ['stuck', [{ name: 'db', conditions: ['started'], blocks: ['web'] }]],
    );
    const outcomes = await client.call('startAllProcesses');
    assert.match(
      JSON.stringify(outcomes),
      /"reason":"cannot start: db must be started and is not configured any more"/,
    );
  });

  test('the description of a waiting start names its dependencies', async () => {
    const client = new Client([{ name: 'db' }, { name: 'web', dependsOn: 'db' }]);
    await client.call('startProcess', 'db', false);
    await client.call('startProcess', 'web', false);
    const web = await client.info('web');
    assert.deepEqual(
      [web['hold'], web['waits_for'], web['description']],
      ['waiting', [{ name: 'db', conditions: ['started'] }], 'waits for db to be started'],
    );
  });

  test('remarks are separate members, and texts at the end of the description', async () => {
    const client = new Client([{ name: 'web', options: { startsecs: 0 } }]);
    await client.call('startProcess', 'web');
    const nextMs = new Date(2027, 10, 21, 4, 0, 5).getTime();
    client.api.remarksOf.set('web:web', [
      { kind: 'healthFailure', reason: 'HTTP 503' },
      { kind: 'nextRun', atMs: nextMs, hasSeconds: true },
      { kind: 'statusText', text: 'serving' },
      { kind: 'outOfMemory', atS: new Date(2026, 10, 21, 14, 30).getTime() / 1000 },
    ]);
    const info = await client.info('web');
    assert.equal(
      info['description'],
      'pid 1000, uptime 0:00:00, HTTP 503, next run Nov 21 2027 04:00:05 AM, serving, out of memory Nov 21 02:30 PM',
    );
    assert.deepEqual(
      [info['health_reason'], info['next_run'], info['status_text']],
      ['HTTP 503', nextMs / 1000, 'serving'],
    );
  });

  test('a start under way tells the step that it waits for', async () => {
    const client = new Client([{ name: 'web' }]);
    await client.call('startProcess', 'web', false);
    client.api.remarksOf.set('web:web', [{ kind: 'startWait', wait: 'post_stop_command' }]);
    const { start_waits_for: step, description } = await client.info('web');
    assert.deepEqual([step, description], ['post_stop_command', 'waits for post_stop_command of its last run']);
  });

  test('from before its first start to after its end', async () => {
    const client = new Client([{ name: 'done', exitAfterMs: 2500, exitCode: 2, options: { autorestart: 'false' } }]);
    const second = (ms: number): number => Math.floor((client.api.wallOffsetMs + ms) / 1000);
    const paths = {
      logfile: '/tmp/done-stdout---fake-AUTO.log',
      stdout_logfile: '/tmp/done-stdout---fake-AUTO.log',
      stderr_logfile: '/tmp/done-stderr---fake-AUTO.log',
    };
    const fixed = { name: 'done', group: 'done', ...paths };
    assert.deepEqual(await client.info('done'), {
      ...fixed,
      start: 0,
      stop: 0,
      now: second(1000),
      state: 0,
      statename: 'STOPPED',
      spawnerr: '',
      exitstatus: 0,
      pid: 0,
      description: 'Not started',
    });
    await client.call('startProcess', 'done', false);
    assert.deepEqual(await client.info('done'), {
      ...fixed,
      start: second(1000),
      stop: 0,
      now: second(1000),
      state: 10,
      statename: 'STARTING',
      spawnerr: '',
      exitstatus: 0,
      pid: 1000,
      description: '',
    });
    client.clock.advance(2000);
    assert.deepEqual(await client.info('done'), {
      ...fixed,
      start: second(1000),
      stop: 0,
      now: second(3000),
      state: 20,
      statename: 'RUNNING',
      spawnerr: '',
      exitstatus: 0,
      pid: 1000,
      description: 'pid 1000, uptime 0:00:02',
    });
    client.clock.advance(10_000);
    const description = formatDaytime(second(3500));
    assert.deepEqual(await client.info('done'), {
      ...fixed,
      start: second(1000),
      stop: second(3500),
      now: second(13_000),
      state: 100,
      statename: 'EXITED',
      spawnerr: 'Bad exit code 2',
      failure: 'bad_exit',
      exitstatus: 2,
      pid: 0,
      description,
      exit_code: 2,
    });
    await client.call('startProcess', 'done', false);
    const again = await client.info('done');
    assert.deepEqual(
      [again['start'], again['stop'], again['exitstatus'], again['spawnerr']],
      [second(13_000), second(3500), 0, ''],
      'the end before this start is still told',
    );
  });

  test('a change of the wall clock changes neither recorded times nor the uptime', async () => {
    const client = new Client([{ name: 'web' }]);
    await client.callFor(2000, 'startProcess', 'web');
    const before = await client.info('web');
    client.api.wallOffsetMs += 3_600_000;
    client.clock.advance(5000);
    const after = await client.info('web');
    assert.equal(after['start'], before['start']);
    assert.equal(after['description'], 'pid 1000, uptime 0:00:06');
  });

  test('a failed start', async () => {
    const client = new Client([{ name: 'quick', exitAfterMs: 5, options: { startretries: 0 } }]);
    await client.callFor(100, 'startProcess', 'quick');
    const info = await client.info('quick');
    const text = 'Exited too quickly (process log may have details)';
    assert.deepEqual(
      [info['statename'], info['state'], info['spawnerr'], info['description'], info['exitstatus']],
      ['FATAL', 200, text, text, 0],
    );
  });

  test('the latest exit has separate members, also during the next run and in FATAL', async () => {
    const client = new Client([
      { name: 'loop', exitAfterMs: 1500, exitCode: 7, options: { autorestart: 'true' } },
      { name: 'none', spawnError: 'no', options: { startretries: 0 } },
    ]);
    await client.callFor(2000, 'startProcess', 'loop');
    assert.equal('exit_code' in (await client.info('loop')), false, 'none yet');
    client.clock.advance(2500);
    const again = await client.info('loop');
    assert.deepEqual(
      [again['statename'], again['exitstatus'], again['exit_code'], again['exit_signal'], again['oom_kills']],
      ['STARTING', 0, 7, undefined, undefined],
    );
    client.api.signal('loop:loop', 9, client.context.request);
    client.api.oomKillsOf.set('loop:loop', 3);
    client.clock.advance(2000);
    const killed = await client.info('loop');
    assert.deepEqual([killed['exit_signal'], killed['exit_code'], killed['oom_kills']], [9, undefined, 3]);
    await client.callFor(100, 'startProcess', 'none');
    assert.equal((await client.info('none'))['exit_code'], 127);
  });

  test('all processes, sorted by group and name, whatever the priorities', async () => {
    const client = new Client([
      { name: 'zeta', groupPriority: 1 },
      { name: 'run', group: 'g' },
      { name: 'cat', group: 'g' },
      { name: 'alpha' },
    ]);
    const all = await client.call('getAllProcessInfo');
    assert.deepEqual(
      (all as Array<Record<string, unknown>>).map(({ group, name }) => `${String(group)}:${String(name)}`),
      ['alpha:alpha', 'g:cat', 'g:run', 'zeta:zeta'],
    );
  });

  test('uptimes and days as in Python', () => {
    assert.deepEqual([-5, 8000, 3_725_900, 86_400_000, 2 * 86_400_000 + 11_045_000].map(formatUptime), [
      '0:00:00',
      '0:00:08',
      '1:02:05',
      '1 day, 0:00:00',
      '2 days, 3:04:05',
    ]);
    assert.deepEqual(
      [
        [0, 1],
        [12, 0],
        [13, 5],
        [23, 59],
      ].map(([hours = 0, minutes = 0]) => formatDaytime(new Date(2026, 10, 2, hours, minutes).getTime() / 1000)),
      ['Nov 02 12:01 AM', 'Nov 02 12:00 PM', 'Nov 02 01:05 PM', 'Nov 02 11:59 PM'],
    );
  });
});

describe('configuration and groups', () => {
  test('getAllConfigInfo, sorted by name, including inactive processes', async () => {
    const client = new Client([
      {
        name: 'web',
        options: {
          directory: '/srv',
          stopsignal: [1],
          exitcodes: [0, 3],
          redirect_stderr: true,
          stdout_logfile: [{ kind: 'syslog' }],
          serverurl: 'AUTO',
        },
      },
    ]);
    client.api.configure([{ name: 'app', groupPriority: 7, options: { serverurl: 'http://x:9001' } }]);
    const all = (await client.call('getAllConfigInfo')) as Array<Record<string, unknown>>;
    assert.deepEqual(
      all.map(({ name, inuse }) => [name, inuse]),
      [
        ['app', false],
        ['web', true],
      ],
    );
    assert.deepEqual(all[1], {
      autostart: false,
      directory: '/srv',
      uid: 'none',
      command: '/bin/web',
      exitcodes: [0, 3],
      group: 'web',
      group_prio: 999,
      inuse: true,
      killasgroup: false,
      name: 'web',
      process_prio: 999,
      redirect_stderr: true,
      startretries: 3,
      startsecs: 1,
      stdout_capture_maxbytes: 0,
      stdout_events_enabled: false,
      stdout_logfile: '/tmp/web-stdout---fake-AUTO.log',
      stdout_logfile_backups: 10,
      stdout_logfile_maxbytes: 52_428_800,
      stdout_syslog: true,
      stopsignal: 1,
      stopwaitsecs: 10,
      stderr_capture_maxbytes: 0,
      stderr_events_enabled: false,
      stderr_logfile: 'none',
      stderr_logfile_backups: 10,
      stderr_logfile_maxbytes: 52_428_800,
      stderr_syslog: false,
      serverurl: 'none',
    });
    assert.deepEqual(
      [all[0]?.['group_prio'], all[0]?.['serverurl'], all[0]?.['directory']],
      [7, 'http://x:9001', 'none'],
    );
  });

  test('reread', async () => {
    const client = new Client([]);
    client.api.rereadAnswer = { kind: 'changes', added: ['a'], changed: ['b', 'c'], removed: [] };
    assert.deepEqual(await client.call('reloadConfig'), [[['a'], ['b', 'c'], []]]);
    client.api.rereadAnswer = { kind: 'invalid', reason: 'x.conf:3: [program:x] startsecs: must be a number' };
    assert.equal(
      await client.call('reloadConfig'),
      'FAULT 92 CANT_REREAD: x.conf:3: [program:x] startsecs: must be a number',
    );
  });

  test('add and remove', async () => {
    const client = new Client([{ name: 'web' }]);
    client.api.configure([{ name: 'app', options: { autostart: true } }]);
    assert.equal(await client.call('addProcessGroup', 'nope'), 'FAULT 10 BAD_NAME: nope');
    assert.equal(await client.call('addProcessGroup', 5), 'FAULT 10 BAD_NAME: 5');
    assert.equal(await client.call('addProcessGroup', 'web'), 'FAULT 90 ALREADY_ADDED: web');
    assert.equal(await client.call('addProcessGroup', 'app'), true);
    assert.equal(await client.state('app'), 'STARTING');
    assert.equal(await client.call('removeProcessGroup', 'app'), 'FAULT 91 STILL_RUNNING: app');
    await client.callFor(100, 'stopProcess', 'app');
    assert.equal(await client.call('removeProcessGroup', 'app'), true);
    assert.equal(await client.call('getProcessInfo', 'app'), 'FAULT 10 BAD_NAME: app');
    assert.equal(await client.call('removeProcessGroup', 'app'), 'FAULT 10 BAD_NAME: app');
    assert.equal(await client.call('addProcessGroup', 'app'), true);
    assert.equal((await client.info('app'))['stop'], 0, 'a group that was forgotten has no past');
  });
});

describe('standard input and events', () => {
  test('sendProcessStdin', async () => {
    const client = new Client([{ name: 'cat', isEchoing: true, ignores: [15] }, { name: 'off' }]);
    await client.callFor(2000, 'startProcess', 'cat');
    assert.equal(await client.call('sendProcessStdin', 'cat', 'héllo\n'), true);
    assert.equal(await client.call('sendProcessStdin', 'cat', Buffer.from('abc')), true);
    assert.equal(await client.call('sendProcessStdin', 'cat', ''), true);
    assert.equal(await client.call('readProcessStdoutLog', 'cat', 0, 0), 'héllo\nabc');
    assert.equal(await client.call('sendProcessStdin', 'cat', 5), 'FAULT 2 INCORRECT_PARAMETERS: 5');
    assert.equal(await client.call('sendProcessStdin', 'cat', []), 'FAULT 2 INCORRECT_PARAMETERS');
    assert.equal(await client.call('sendProcessStdin', 'nope', 'x'), 'FAULT 10 BAD_NAME: nope');
    assert.equal(await client.call('sendProcessStdin', 'off', 'x'), 'FAULT 70 NOT_RUNNING: off');
    client.api.stdinAnswer = 'closed';
    assert.equal(await client.call('sendProcessStdin', 'cat', 'x'), 'FAULT 20 NO_FILE: cat');
    client.api.stdinAnswer = 'full';
    assert.equal(
      await client.call('sendProcessStdin', 'cat', 'x'),
      'FAULT 30 FAILED: cannot write to the standard input of cat: it does not read',
    );
    await client.call('stopProcess', 'cat', false);
    assert.equal(await client.call('sendProcessStdin', 'cat', 'x'), 'FAULT 70 NOT_RUNNING: cat');
  });

  test('sendRemoteCommEvent', async () => {
    const client = new Client([]);
    assert.equal(await client.call('sendRemoteCommEvent', 'type', 'data'), true);
    assert.equal(await client.call('sendRemoteCommEvent', 1, Buffer.from('é')), true);
    assert.equal(await client.call('sendRemoteCommEvent', 'type'), 'FAULT 2 INCORRECT_PARAMETERS');
    assert.deepEqual(client.api.remoteCommunications, ['type data', '1 é']);
  });
});
