/** Additions of our client to supervisorctl, and its behaviour with a server that stalls, fails or is missing. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { RpcFault } from '../../../src/core/faults.ts';
import type { CtlIo } from '../../../src/ctl/io.ts';
import { openLines } from '../../../src/ctl/lines.ts';
import type { XmlRpcStruct, XmlRpcValue } from '../../../src/rpc/xmlrpc.ts';
import { type FakeServer, findDeadPort, type Methods, processStruct, run, serve, start } from './fake-server.ts';

/** Runs a test with a server, and closes the server afterwards. */
async function withServer(
  methods: Methods,
  test: (server: FakeServer) => Promise<void>,
  logs?: Parameters<typeof serve>[1],
): Promise<void> {
  const server = await serve(methods, logs);
  try {
    await test(server);
  } finally {
    await server.close();
  }
}

const processes = [
  processStruct('web', 'RUNNING', { pid: 7, description: 'pid 7, uptime 0:00:01' }),
  processStruct('jobs:a', 'RUNNING', { pid: 8 }),
  processStruct('jobs:b', 'STOPPED', { description: 'Not started' }),
];
const listing: Methods = { getAllProcessInfo: () => processes };

describe('additions of the client', () => {
  it('status --json prints the answer of the server, and problems on stderr', () =>
    withServer(listing, async (server) => {
      const all = await run(server, 'status --json');
      assert.deepEqual(JSON.parse(all.stdout), processes);
      assert.equal(all.code, 3);
      const some = await run(server, 'status web nosuch --json');
      assert.deepEqual(JSON.parse(some.stdout), [processes[0]]);
      assert.equal(some.stderr, 'nosuch: ERROR (no such process)\n');
      assert.equal(some.code, 4);
    }));

  it('status --watch continues until Ctrl-C, through failures', async () => {
    let asked = 0;
    const methods: Methods = {
      getAllProcessInfo: () => {
        asked += 1;
        if (asked === 2) throw RpcFault.of('SHUTDOWN_STATE');
        return [processStruct('web', 'RUNNING', { description: `time ${asked}` })];
      },
    };
    await withServer(methods, async (server) => {
      const running = start(['status', '--watch=0.1', 'web'], { cwd: server.directory });
      await running.sees('time 3');
      running.interrupt();
      assert.equal(await running.code, 0);
      assert.match(
        running.text(),
        /^web {30}RUNNING {3}time 1\nerror: .*SHUTDOWN_STATE.*\nweb {30}RUNNING {3}time 3\n/,
      );
    });
  });

  it('patterns select processes', () =>
    withServer(
      {
        ...listing,
        startProcess: () => true,
        stopProcess: () => true,
        signalProcess: () => true,
        clearProcessLogs: () => true,
        getProcessInfo: (name) => processStruct(name as string, 'RUNNING', { pid: 9 }),
      },
      async (server) => {
        assert.equal((await run(server, 'status *a')).stdout, 'jobs:a                           RUNNING   \n');
        assert.equal((await run(server, 'stop w?b jobs:*')).stdout.split('\n')[0], 'web: stopped');
        assert.equal((await run(server, 'start *')).stdout, 'web: started\njobs:a: started\njobs:b: started\n');
        assert.equal(
          (await run(server, 'signal HUP job* web')).stdout,
          'jobs:a: signalled\njobs:b: signalled\nweb: signalled\n',
        );
        assert.equal((await run(server, 'clear jobs:*')).stdout, 'jobs:a: cleared\njobs:b: cleared\n');
        assert.equal((await run(server, 'pid j*')).stdout, '9\n9\n');
        assert.deepEqual(await run(server, 'status x*'), {
          stdout: 'x*: ERROR (no such process)\n',
          stderr: '',
          code: 4,
        });
        assert.deepEqual(
          server.calls.filter((call) => call.startsWith('startProcess')),
          ['startProcess(web)', 'startProcess(jobs:a)', 'startProcess(jobs:b)'],
        );
      },
    ));

  it('reopen and rotate act on each process that names mean', () =>
    withServer(
      {
        ...listing,
        'onevisor.reopenProcessLogs': () => true,
        'onevisor.rotateProcessLogs': (name) => {
          if (name === 'web') throw RpcFault.of('FAILED', 'cannot rotate the logs of web: disk full');
          if (name === 'no') throw RpcFault.of('BAD_NAME', 'no');
          return true;
        },
      },
      async (server) => {
        assert.equal((await run(server, 'reopen jobs:*')).stdout, 'jobs:a: logs reopened\njobs:b: logs reopened\n');
        const all = await run(server, 'rotate all');
        assert.equal(
          all.stdout,
          'web: ERROR (cannot rotate the logs of web: disk full)\njobs:a: logs rotated\njobs:b: logs rotated\n',
        );
        assert.equal(all.code, 1);
        assert.equal((await run(server, 'rotate no')).stdout, 'no: ERROR (no such process)\n');
      },
    ));

  it('reopen tells that the supervisor is too old', () =>
    withServer(listing, async (server) =>
      assert.match((await run(server, 'reopen web')).stdout, /^the supervisor is older .*SIGUSR2/),
    ));

  it('scale says what it has started and stopped', () =>
    withServer(
      {
        ...listing,
        'onevisor.scaleProgram': (program, count) => {
          if (program === 'old') throw RpcFault.of('UNKNOWN_METHOD');
          if (program === 'no') throw RpcFault.of('BAD_NAME', 'no');
          if (program === 'bad') throw RpcFault.of('FAILED', 'cannot scale bad: it is a listener');
          return count === 2
            ? { from: 2, started: [], stopped: [] }
            : { from: 2, started: ['web_2'], stopped: ['web_9'] };
        },
      },
      async (server) => {
        assert.equal(
          (await run(server, 'scale web=3 api=2')).stdout,
          'web_9: stopped\nweb_2: added\nweb: scaled from 2 to 3\napi: has 2 processes already\n',
        );
        const failed = await run(server, 'scale no=1 bad=1 old=1');
        assert.equal(
          failed.stdout,
          'no: ERROR (no such program; use the x of [program:x])\nbad: ERROR (cannot scale bad: it is a listener)\n' +
            'old: ERROR (the supervisor is older than this command)\n',
        );
        assert.equal(failed.code, 1);
        for (const word of ['web', 'web=0', 'web=-1', 'web=x', '=3', 'web=100000'])
          assert.match((await run(server, `scale ${word}`)).stdout, /^Error: scale takes PROGRAM=COUNT/, word);
        assert.match((await run(server, 'scale')).stdout, /^Error: scale requires PROGRAM=COUNT/);
      },
    ));

  it('the server resolves a group', () =>
    withServer({ ...listing, stopProcessGroup: () => [] }, async (server) => {
      await run(server, 'stop jobs:*');
      assert.deepEqual(server.calls, ['stopProcessGroup(jobs)']);
    }));

  it('update --dry-run prints the plan and does nothing', () =>
    withServer(
      { reloadConfig: () => [[['new'], ['other'], ['old']]], getAllProcessInfo: () => processes },
      async (server) => {
        assert.deepEqual(await run(server, 'update --dry-run'), {
          stdout: 'old: would be stopped and removed\nother: would be updated\nnew: would be added\n',
          stderr: '',
          code: 0,
        });
        assert.deepEqual(await run(server, 'update new nosuch --dry-run'), {
          stdout: 'ERROR: no such group: nosuch\nnew: would be added\n',
          stderr: '',
          code: 1,
        });
        assert.deepEqual(server.calls, [
          'reloadConfig()',
          'onevisor.updateSettings(false)',
          'onevisor.planUpdate(other)',
          'onevisor.planNotifications()',
          'reloadConfig()',
          'getAllProcessInfo()',
        ]);
      },
    ));

  it('update --dry-run lists each process if the server can plan', async () => {
    const plans: Record<string, XmlRpcStruct> = {
      jobs: { stopped: ['d'], restarted: ['a'], started: ['e', 'f'], changed: ['b'] },
      web: { stopped: [], restarted: ['web'], started: [], changed: [] },
      order: { stopped: [], restarted: [], started: [], changed: [] },
    };
    const planUpdate = (name: XmlRpcValue | undefined): XmlRpcStruct => {
      const plan = typeof name === 'string' ? plans[name] : undefined;
      if (plan === undefined) throw RpcFault.of('BAD_NAME');
      return plan;
    };
    await withServer(
      {
        reloadConfig: () => [[['new'], ['jobs', 'web', 'order', 'listener'], ['old']]],
        'onevisor.planUpdate': planUpdate,
      },
      async (server) => {
        assert.deepEqual(await run(server, 'update --dry-run'), {
          code: 0,
          stderr: '',
          stdout: `old: would be stopped and removed
jobs: would be updated
  jobs:d would be stopped
  jobs:a would be restarted
  jobs:e would be started
  jobs:f would be started
  jobs:b would change without a restart
web: would be updated
  web would be restarted
order: would be updated
listener: would be updated
  all its processes would be stopped and started
new: would be added
`,
        });
        assert.deepEqual(server.calls, [
          'reloadConfig()',
          'onevisor.updateSettings(false)',
          ...['jobs', 'web', 'order', 'listener'].map((name) => `onevisor.planUpdate(${name})`),
          'onevisor.planNotifications()',
        ]);
      },
    );
    await withServer(
      {
        reloadConfig: () => [[[], ['web'], []]],
        'onevisor.planUpdate': () => {
          throw RpcFault.of('FAILED');
        },
      },
      async (server) => {
        const { stdout, code } = await run(server, 'update --dry-run');
        assert.deepEqual([/FAILED/.test(stdout), code], [true, 1], stdout);
      },
    );
  });

  it('update applies changed sections [notify:x] too, unless groups are named', async () => {
    let changes: XmlRpcStruct = { added: ['new'], changed: ['other'], removed: ['old'] };
    await withServer(
      {
        reloadConfig: () => [[[], [], []]],
        getAllProcessInfo: () => [processStruct('web', 'RUNNING')],
        'onevisor.planNotifications': () => changes,
        'onevisor.updateNotifications': () => changes,
      },
      async (server) => {
        assert.equal(
          (await run(server, 'update --dry-run')).stdout,
          'No config updates to processes\n' +
            'notify:old: would be removed\nnotify:other: would be updated\nnotify:new: would be added\n',
        );
        assert.ok(!server.calls.includes('onevisor.updateNotifications()'));
        assert.deepEqual(await run(server, 'update all'), {
          stdout: 'notify:old: removed\nnotify:other: updated\nnotify:new: added\n',
          stderr: '',
          code: 0,
        });
        assert.equal((await run(server, 'update web')).stdout, '');
        changes = { added: [], changed: [], removed: [] };
        const before = server.calls.length;
        assert.equal((await run(server, 'update')).stdout, '');
        assert.deepEqual(server.calls.slice(before), [
          'reloadConfig()',
          'onevisor.updateSettings(true)',
          'onevisor.planNotifications()',
        ]);
      },
    );
  });

  it('notify prints the outcome of each section', async () => {
    const outcomes: Record<string, string> = { ops: '', mail: 'exit status 1' };
    const testNotification = (name: XmlRpcValue | undefined): string => {
      const outcome = typeof name === 'string' ? outcomes[name] : undefined;
      if (outcome === undefined) throw RpcFault.of('BAD_NAME');
      return outcome;
    };
    await withServer({ 'onevisor.testNotification': testNotification }, async (server) => {
      assert.deepEqual(await run(server, 'notify ops mail nosuch'), {
        stdout:
          'ops: delivered\nmail: ERROR (exit status 1)\n' +
          'nosuch: ERROR (there is no such section; use the x of [notify:x])\n',
        stderr: '',
        code: 1,
      });
      assert.match((await run(server, 'notify')).stdout, /^Error: notify requires the x of a \[notify:x\]/);
    });
    await withServer({}, async (server) => {
      assert.match((await run(server, 'notify ops')).stdout, /^ops: ERROR \(the supervisor is older than/);
    });
  });

  it('on a terminal start shows once what it waits for, and exits after --timeout with 124', async () => {
    const held = (): XmlRpcStruct[] => [
      processStruct('web', 'STOPPED', { hold: 'waiting', description: 'waits for db to be started' }),
      processStruct('db', 'STARTING'),
      processStruct('tidy', 'STARTING', { start_waits_for: 'post_stop_command' }),
    ];
    const waits = ['web waits for db to be started', 'tidy waits for post_stop_command of its last run'];
    const late = 'timeout after 2.5 s; the start continues without supervisorctl';
    const stall = new Promise<never>(() => undefined);
    await withServer({ getAllProcessInfo: held, startProcess: () => stall }, async (server) => {
      const stdout = Object.assign(new PassThrough(), { isTTY: true });
      const running = start(['start', '--timeout=2500ms', 'web', 'tidy'], { cwd: server.directory, stdout });
      assert.equal(await running.code, 124);
      assert.equal(running.text(), [...waits, ...waits.map((line) => `${line}: ERROR (${late})`), ''].join('\n'));
      const silent = start(['restart', 'web', '--timeout', '1'], { cwd: server.directory });
      assert.equal(await silent.code, 1, 'stopProcess is not known here');
    });
    await withServer({ getAllProcessInfo: held, startProcess: () => stall }, async (server) => {
      const running = start(['start', 'web'], {
        cwd: server.directory,
        stdout: Object.assign(new PassThrough(), { isTTY: true }),
      });
      await running.sees('waits for db');
      running.interrupt();
      assert.equal(await running.code, 130);
    });
    await withServer({ startProcess: () => true }, async (server) => {
      assert.deepEqual(await run(server, 'start web --timeout 5s'), { stdout: 'web: started\n', stderr: '', code: 0 });
      assert.deepEqual(await run(server, 'start web --timeout'), {
        stdout:
          'Error: --timeout: the value is empty; expected a duration: a number of seconds, or with units: 500ms, ' +
          '30s, 1m30s, 2h, 1d\n',
        stderr: '',
        code: 2,
      });
    });
  });

  it('with what depends, or what is needed: in order, or an error if the server does not know', async () => {
    const calls: string[] = [];
    const noted =
      (method: string) =>
      (...names: readonly XmlRpcValue[]): boolean => {
        calls.push(`${method} ${JSON.stringify(names)}`);
        return true;
      };
    const methods: Methods = {
      getAllProcessInfo: () => [
        processStruct('db', 'RUNNING'),
        processStruct('app', 'RUNNING'),
        processStruct('web', 'STARTING'),
        processStruct('off', 'STOPPED'),
      ],
      startProcess: noted('start'),
      stopProcess: noted('stop'),
      'onevisor.getDependents': () => ['app', 'off', 'web'],
      'onevisor.getMissingDependencies': () => ['db'],
    };
    await withServer(methods, async (server) => {
      assert.equal(
        (await run(server, 'restart --with-dependents db')).stdout,
        'web: stopped\napp: stopped\ndb: stopped\ndb: started\napp: started\nweb: started\n',
      );
      assert.equal(
        (await run(server, 'stop db --with-dependents')).stdout,
        'web: stopped\napp: stopped\ndb: stopped\n',
      );
      assert.equal((await run(server, 'start --with-dependencies app')).stdout, 'db: started\napp: started\n');
    });
    calls.length = 0;
    const { 'onevisor.getDependents': _one, 'onevisor.getMissingDependencies': _other, ...older } = methods;
    await withServer(older, async (server) => {
      for (const line of ['restart --with-dependents db', 'stop --with-dependents db'])
        assert.deepEqual(await run(server, line), {
          stdout: '--with-dependents: ERROR (this supervisor does not know dependencies)\n',
          stderr: '',
          code: 1,
        });
      const { stdout, code } = await run(server, 'start --with-dependencies app');
      assert.deepEqual(
        [stdout, code],
        ['--with-dependencies: ERROR (this supervisor does not know dependencies)\n', 1],
      );
    });
    assert.deepEqual(calls, []);
  });

  it('restart of a process that did not run does not print stopped, although it cancels a due start', async () => {
    const processes = [
      processStruct('web', 'STOPPED', { hold: 'waiting' }),
      processStruct('jobs:a', 'RUNNING'),
      processStruct('jobs:b', 'EXITED'),
    ];
    const ok = (name: string): XmlRpcStruct => ({ group: 'jobs', name, status: 80, description: 'OK' });
    const methods: Methods = {
      getAllProcessInfo: () => processes,
      stopProcess: () => true,
      startProcess: () => true,
      stopProcessGroup: () => [ok('a'), ok('b')],
      startProcessGroup: () => [ok('a'), ok('b')],
    };
    await withServer(methods, async (server) => {
      assert.deepEqual(await run(server, 'restart web jobs:a'), {
        stdout: 'web: ERROR (not running)\njobs:a: stopped\nweb: started\njobs:a: started\n',
        stderr: '',
        code: 0,
      });
      assert.deepEqual(await run(server, 'restart jobs:*'), {
        stdout: 'jobs:a: stopped\njobs:a: started\njobs:b: started\n',
        stderr: '',
        code: 0,
      });
      assert.deepEqual(
        server.calls.filter((call) => call.startsWith('stop')),
        ['stopProcess(web)', 'stopProcess(jobs:a)', 'stopProcessGroup(jobs)'],
      );
    });
  });

  it('reload with an invalid configuration prints the reasons', () =>
    withServer(
      {
        restart: () => {
          throw RpcFault.of('CANT_REREAD', '/c.conf:3: no');
        },
      },
      async (server) => {
        assert.deepEqual(await run(server, 'reload'), {
          stdout: "error: <class 'xmlrpc.client.Fault'>, <Fault 92: 'CANT_REREAD: /c.conf:3: no'>\n",
          stderr: '',
          code: 1,
        });
      },
    ));

  it('restart --rolling restarts one process after the other', () =>
    withServer(
      {
        ...listing,
        stopProcess: (name) => {
          if (name === 'jobs:b') throw RpcFault.of('NOT_RUNNING');
          return true;
        },
        startProcess: () => true,
        getProcessInfo: (name) => processStruct(name as string, 'RUNNING'),
      },
      async (server) => {
        assert.deepEqual(await run(server, 'restart --rolling all'), {
          stdout:
            'web: stopped\nweb: started\njobs:a: stopped\njobs:a: started\njobs:b: ERROR (not running)\n' +
            'jobs:b: started\n',
          stderr: '',
          code: 0,
        });
        assert.deepEqual(
          server.calls.filter((call) => /^(start|stop)/.test(call)),
          [
            'stopProcess(web)',
            'startProcess(web)',
            'stopProcess(jobs:a)',
            'startProcess(jobs:a)',
            'stopProcess(jobs:b)',
            'startProcess(jobs:b)',
          ],
        );
      },
    ));

  it('restart --rolling stops at the first process that does not come up or become healthy', async () => {
    await withServer(
      {
        ...listing,
        stopProcess: () => true,
        startProcess: () => {
          throw RpcFault.of('SPAWN_ERROR');
        },
      },
      async (server) => {
        assert.deepEqual(await run(server, 'restart --rolling jobs:* web'), {
          stdout:
            'jobs:a: stopped\njobs:a: ERROR (spawn error)\n' +
            'rolling restart stopped at jobs:a: the processes after it were not restarted\n',
          stderr: '',
          code: 7,
        });
      },
    );
    const healths = ['starting', 'healthy', 'unhealthy'];
    await withServer(
      {
        ...listing,
        stopProcess: () => true,
        startProcess: () => true,
        getProcessInfo: (name) => processStruct(name as string, 'RUNNING', { health: healths.shift() ?? '' }),
      },
      async (server) => {
        assert.deepEqual(await run(server, 'restart --rolling all'), {
          stdout:
            'web: stopped\nweb: started\njobs:a: stopped\njobs:a: started\njobs:a: ERROR (not healthy)\n' +
            'rolling restart stopped at jobs:a: the processes after it were not restarted\n',
          stderr: '',
          code: 1,
        });
      },
    );
  });

  it('health exits with 0 or 1, and prints a line for each problem', async () => {
    const config = (name: string, autostart: boolean) => ({
      name,
      group: name,
      inuse: true,
      autostart,
      group_prio: 999,
      process_prio: 999,
      exitcodes: [0],
    });
    const methods = (state: 'RUNNING' | 'FATAL'): Methods => ({
      getAllProcessInfo: () => [processStruct('web', state, { description: 'why' })],
      getAllConfigInfo: () => [config('web', true)],
    });
    await withServer(methods('RUNNING'), async (server) =>
      assert.deepEqual(await run(server, 'health'), { stdout: '', stderr: '', code: 0 }),
    );
    await withServer(methods('FATAL'), async (server) =>
      assert.deepEqual(await run(server, 'health'), { stdout: 'web: FATAL why\n', stderr: '', code: 1 }),
    );
    const directory = mkdtempSync(join(tmpdir(), 'ctl-'));
    writeFileSync(join(directory, 'supervisord.conf'), '[supervisorctl]\nserverurl=unix:///nonexistent.sock\n');
    const away = start(['health'], { cwd: directory });
    assert.equal(await away.code, 1);
    rmSync(directory, { recursive: true });
  });

  it('help describes the additions, and its list is that of Supervisor', () =>
    withServer({}, async (server) => {
      assert.match((await run(server, 'help additions')).stdout, /^ {2}status --problems .*\n[^]*\n {2}health /);
      assert.doesNotMatch((await run(server, 'help')).stdout, /health/);
    }));
});

describe('servers that misbehave', () => {
  const stall = new Promise<never>(() => undefined);

  it('Ctrl-C ends the wait for a stalled server, with 130', () =>
    withServer({ stopProcess: () => stall }, async (server) => {
      const running = start(['stop', 'web'], { cwd: server.directory });
      while (server.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
      running.interrupt();
      assert.equal(await running.code, 130);
      assert.equal(running.text(), '');
    }));

  it('a log that floods is not kept in memory, and its bytes stay unchanged', async () => {
    const block = Buffer.alloc(64 * 1024, 0xff);
    let sent = 0;
    const stdout = new PassThrough({ highWaterMark: 1024 });
    await withServer(
      {},
      async (server) => {
        const running = start(['tail', '-f', 'web'], { cwd: server.directory, stdout });
        await running.sees('==> Press');
        // The reader stops here.
        stdout.pause();
        let before = -1;
        while (sent !== before) {
          before = sent;
          await new Promise((resolve) => setTimeout(resolve, 300));
        }
        assert.ok(sent < 20_000_000, `${sent} bytes were taken while nobody read`);
        stdout.resume();
        running.interrupt();
        assert.equal(await running.code, 0);
      },
      (_request, response) => {
        response.writeHead(200);
        const pump = (): void => {
          while (!response.destroyed) {
            sent += block.length;
            if (!response.write(block)) break;
          }
        };
        response.on('drain', pump);
        pump();
      },
    );
  });

  it('tail -f ends when its reader has gone', async () => {
    const stdout = new PassThrough();
    await withServer(
      {},
      async (server) => {
        const running = start(['tail', '-f', 'web'], { cwd: server.directory, stdout });
        await running.sees('first');
        stdout.destroy(Object.assign(new Error('gone'), { code: 'EPIPE' }));
        assert.equal(await running.code, 0);
      },
      (_request, response) => {
        response.writeHead(200).write('first\n');
        const timer = setInterval(() => response.write('more\n'), 20);
        response.on('close', () => clearInterval(timer));
      },
    );
  });

  it('an answer of an undocumented form is an error, not a crash', async () => {
    for (const answer of [1, 'text', [1], [{ name: 'x' }], {}, null]) {
      await withServer({ getAllProcessInfo: () => answer }, async (server) => {
        const { stdout, code } = await run(server, 'status');
        assert.match(stdout, /^error: <class 'xmlrpc.client.ResponseError'>, the answer of the server is not /);
        assert.equal(code, 1);
      });
    }
  });

  it('lines from a pipe are commands, and the shell exits with 0', () =>
    withServer(listing, async (server) => {
      const { stdout, code } = await run(server, '', 'pid nosuch\nstatus web\nhelp quit');
      assert.match(
        stdout,
        new RegExp(
          String.raw`^web .*\njobs:a .*\njobs:b .*\nsupervisor> .*\nsupervisor> web ` +
            String.raw`{30}RUNNING.*\nsupervisor> quit\tExit the supervisor shell\.\nsupervisor> \n$`,
        ),
      );
      assert.equal(code, 0);
    }));

  it('reports a closed port', async () => {
    const port = await findDeadPort();
    const directory = mkdtempSync(join(tmpdir(), 'ctl-'));
    writeFileSync(join(directory, 'supervisord.conf'), `[supervisorctl]\nserverurl=http://127.0.0.1:${port}\n`);
    const running = start(['pid'], { cwd: directory });
    assert.equal(await running.code, 4);
    assert.equal(running.text(), `http://127.0.0.1:${port} refused connection\n`);
    rmSync(directory, { recursive: true });
  });
});

it('the editor ends lines with LF only; a raw terminal turns LF into CR LF, and CR LF into CR CR LF', async () => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  let text = '';
  stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const io: CtlIo = {
    stdin,
    stdout,
    stderr: new PassThrough(),
    env: {},
    cwd: '/',
    calledAs: 'supervisorctl',
    onInterrupt: () => () => undefined,
  };
  const lines = openLines(io, []);
  for (const prompt of ['> ', '']) {
    const line = lines.readLine(prompt, new AbortController().signal);
    stdin.write('status\r');
    assert.equal(await line, 'status');
  }
  stdout.emit('resize');
  lines.close();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([text.includes('\r\n'), text.match(/\n/g)?.length, stdout.listenerCount('resize')], [false, 2, 0]);
});
