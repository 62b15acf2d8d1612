/** Changes over a real server with programs in memory: their actions, words, causes and limits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../../../src/api/api-error.ts';
import { type ChangeLimits, Changes } from '../../../src/api/changes.ts';
import type { ChangeAnswer } from '../../../src/api/types.ts';
import { RpcFault } from '../../../src/core/faults.ts';
import { parseProbe } from '../../../src/core/probe.ts';
import type { FakeProgram } from '../rpc/fake-api.ts';
import { check, inApi } from './api-world.ts';

const quick = { startsecs: 0 };
const up = { autostart: true, startsecs: 0 };
const words = ({ results }: ChangeAnswer): string[] => results.map(({ text }) => text);

test('start, stop and restart say the words of supervisorctl', async () => {
  const programs: FakeProgram[] = [
    { name: 'web', options: quick },
    { name: 'bad', options: { startretries: 0 }, spawnError: 'no' },
  ];
  await inApi({ programs }, async (api) => {
    const started = await api.change('/processes/web/start');
    assert.deepEqual([started.status, words(started)], ['done', ['web: started']]);
    assert.deepEqual([started.action, started.names], ['start', ['web']]);
    assert.equal(started.by, 'a client (uid 0, pid 77)');
    const again = await api.change('/processes/web/start');
    assert.deepEqual([again.status, words(again)], ['done', ['web: ERROR (already started)']]);
    assert.deepEqual(words(await api.change('/processes/web/restart')), ['web: stopped', 'web: started']);
    assert.deepEqual(words(await api.change('/processes/web/stop')), ['web: stopped']);
    assert.deepEqual(words(await api.change('/processes/web/stop')), ['web: ERROR (not running)']);
    assert.deepEqual(words(await api.change('/processes/web/restart')), ['web: started']);
    const failed = await api.change('/start', { names: ['bad', 'web'] });
    assert.equal(failed.status, 'failed');
    assert.deepEqual(words(failed).toSorted(), ['bad: ERROR (spawn error)', 'web: ERROR (already started)']);
    const outcomes = new Map(failed.results.map(({ name, ok }) => [name, ok]));
    assert.deepEqual(
      outcomes,
      new Map([
        ['bad', false],
        ['web', true],
      ]),
    );
    assert.ok(api.api.requests.includes('supervisor.stopProcess web:web by a client (uid 0, pid 77)'));
  });
});

test('all, groups and patterns choose processes; dependencies start first', async () => {
  const programs: FakeProgram[] = [
    { name: 'app', options: quick, dependsOn: 'db' },
    { name: 'db', options: quick },
    { name: 'a', group: 'pool', options: quick },
    { name: 'b', group: 'pool', options: quick },
  ];
  await inApi({ programs }, async (api) => {
    assert.deepEqual(words(await api.change('/start', { names: ['app', 'db'] })), ['db: started', 'app: started']);
    const pool = await api.change('/groups/pool/start');
    assert.deepEqual(words(pool).toSorted(), ['pool:a: started', 'pool:b: started']);
    assert.deepEqual(words(await api.change('/stop', { names: ['pool:?'] })).toSorted(), [
      'pool:a: stopped',
      'pool:b: stopped',
    ]);
    api.api.requests.length = 0;
    assert.equal((await api.change('/restart', { names: ['*'] })).status, 'done');
    assert.deepEqual(
      api.api.requests.map((request) => request.split(' ')[0]),
      ['supervisor.stopAllProcesses', 'supervisor.startAllProcesses'],
    );
    const { json } = await api.get('/processes');
    const { processes } = json as { processes: Array<{ statename: string }> };
    assert.deepEqual(new Set(processes.map(({ statename }) => statename)), new Set(['RUNNING']));
  });
});

test('a rolling restart has one process down at a time, and ends at the first that does not come up', async () => {
  const programs: FakeProgram[] = [
    { name: 'a', group: 'pool', options: up },
    { name: 'b', group: 'pool', options: { ...up, startretries: 0 }, objection: { fault: 'NO_FILE', reason: 'no' } },
    { name: 'c', group: 'pool', options: up },
  ];
  await inApi({ programs }, async (api) => {
    let [down, most] = [0, 0];
    const isDown = (state: string): boolean => state !== 'RUNNING';
    api.api.subscribe((event) => {
      if (event.type !== 'process') return;
      down = api.api.processes().filter(({ record }) => isDown(record.state)).length;
      most = Math.max(most, down);
    });
    const change = await api.change('/restart', { names: ['pool:*'], rolling: true });
    assert.deepEqual(words(change), [
      'pool:a: stopped',
      'pool:a: started',
      'pool:b: stopped',
      'pool:b: ERROR (no such file)',
      'rolling restart stopped at pool:b: the processes after it were not restarted',
    ]);
    assert.deepEqual([change.status, most], ['failed', 1]);
  });
});

test('a rolling restart waits until a process is healthy, and ends at an unhealthy one', async () => {
  const healthcheck = parseProbe('tcp://localhost:80');
  const programs: FakeProgram[] = ['a', 'b', 'c'].map((name) => ({
    name,
    group: 'pool',
    options: { ...up, healthcheck },
  }));
  await inApi({ programs }, async (api) => {
    const { engine } = api.api;
    // As the health checks of a supervisor do.
    engine.subscribe((event) => {
      if (event.type === 'spawned') engine.reportHealth(event.process.id, event.run, 'starting');
    });
    const begun = (await api.post('/restart', { names: ['pool:*'], rolling: true })).json as ChangeAnswer;
    const results = async (count: number): Promise<ChangeAnswer> => {
      for (;;) {
        const change = (await api.get(`/changes/${begun.id}`)).json as ChangeAnswer;
        if (change.results.length >= count) return change;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const report = (id: string, health: 'healthy' | 'unhealthy'): void => {
      engine.reportHealth(id, engine.process(id)?.record.run ?? 0, health);
    };
    assert.deepEqual(words(await results(2)), ['pool:a: stopped', 'pool:a: started']);
    assert.equal(engine.process('pool:b')?.record.run, 1);
    report('pool:a', 'healthy');
    assert.deepEqual(words(await results(4)).slice(2), ['pool:b: stopped', 'pool:b: started']);
    report('pool:b', 'unhealthy');
    const ended = (await api.get(`/changes/${begun.id}/wait`)).json as ChangeAnswer;
    assert.deepEqual(words(ended).slice(4), [
      'pool:b: ERROR (not healthy)',
      'rolling restart stopped at pool:b: the processes after it were not restarted',
    ]);
    assert.equal(engine.process('pool:c')?.record.run, 1);
  });
});

test('signal, standard input, reload and logs have rows of their own', async () => {
  await inApi({ programs: [{ name: 'web', options: up, ignores: [10, 12] }, { name: 'off' }] }, async (api) => {
    assert.deepEqual(words(await api.change('/processes/web/signal', { signal: 'USR1' })), ['web: signalled']);
    assert.deepEqual(words(await api.change('/processes/web/signal', { signal: 12 })), ['web: signalled']);
    assert.deepEqual(api.api.signals, ['10 web', '12 web']);
    assert.deepEqual(words(await api.change('/processes/off/signal', { signal: 'HUP' })), ['off: ERROR (not running)']);
    assert.deepEqual(words(await api.change('/processes/web/stdin', { text: 'hé' })), ['web: written']);
    api.api.stdinAnswer = 'closed';
    const closed = await api.change('/processes/web/stdin', { text: 'x' });
    assert.deepEqual(words(closed), ['web: ERROR (it has closed its standard input)']);
    assert.equal(closed.status, 'failed');
    assert.deepEqual(words(await api.change('/processes/web/clear-logs')), ['web: cleared']);
    assert.deepEqual(words(await api.change('/processes/web/reload')), [
      'web: ERROR (cannot reload web:web: no answer)',
    ]);
    api.api.reloadAnswer = { kind: 'tried', result: { way: { kind: 'signal', signal: 1 }, failure: null } };
    assert.deepEqual(words(await api.change('/processes/web/reload')), ['web: reloaded (SIGHUP)']);
  });
});

test('groups are added and removed, and programs are scaled', async () => {
  await inApi({ programs: [{ name: 'web', options: up }] }, async (api) => {
    api.api.configure([{ name: 'new', options: quick }]);
    assert.deepEqual(words(await api.change('/groups/new/add')), ['new: added process group']);
    assert.deepEqual(words(await api.change('/groups/new/add')), ['ERROR: process group already active']);
    assert.deepEqual(words(await api.change('/groups/web/remove')), ['ERROR: process/group still running: web']);
    assert.deepEqual(words(await api.change('/groups/new/remove')), ['new: removed process group']);
    api.api.scaleAnswer = { kind: 'scaled', from: 1, started: ['web:2'], stopped: [] };
    assert.deepEqual(words(await api.change('/programs/web/scale', { count: 2 })), [
      'web:2: added',
      'web: scaled from 1 to 2',
    ]);
    api.api.scaleAnswer = { kind: 'refused', reason: 'it has a port' };
    const refused = await api.change('/programs/web/scale', { count: 3 });
    assert.deepEqual(words(refused), ['web: ERROR (cannot scale web: it has a port)']);
    assert.deepEqual(api.api.scaled, ['web=2', 'web=3']);
  });
});

test('an update goes in the order of supervisorctl, with its words', async () => {
  await inApi(
    {
      programs: [
        { name: 'old', options: up },
        { name: 'web', options: up },
      ],
    },
    async (api) => {
      api.api.configure([{ name: 'new', options: quick }]);
      api.api.rereadAnswer = { kind: 'changes', added: ['new'], changed: ['web'], removed: ['old'] };
      api.api.notificationChanges = { added: [], removed: ['mail'], changed: [] };
      assert.deepEqual(words(await api.change('/config/update')), [
        '[supervisord]: loglevel updated',
        'not applied: umask; use onevisor reload, which restarts all programs',
        'old: stopped',
        'old: removed process group',
        'web: stopped',
        'web: updated process group',
        'new: added process group',
        'notify:mail: removed',
      ]);
      api.api.rereadAnswer = { kind: 'changes', added: [], changed: ['web'], removed: [] };
      assert.deepEqual(words(await api.change('/groups/web/update')), ['web: stopped', 'web: updated process group']);
    },
  );
});

test('a reload with an invalid configuration is refused, and changes nothing', async () => {
  await inApi({ programs: [{ name: 'web', options: up }] }, async (api) => {
    api.api.restartProblem = 'file:3: wrong';
    const refused = await api.post('/supervisor/reload');
    assert.deepEqual(
      [refused.status, refused.json],
      [409, { error: { code: 'cant_reread', message: 'file:3: wrong' } }],
    );
    api.api.restartProblem = null;
    assert.deepEqual(words(await api.change('/supervisor/reload')), ['Restarted supervisord']);
  });
});

test('a change goes on when its client has left, and waits end when their clients leave', async () => {
  await inApi({ programs: [{ name: 'slow', options: { startsecs: 60 } }] }, async (api) => {
    const begun = (await api.post('/processes/slow/start')).json as ChangeAnswer;
    assert.deepEqual([begun.status, begun.results], ['running', []]);
    const short = await api.get(`/changes/${begun.id}/wait?timeout=0`);
    assert.equal((short.json as ChangeAnswer).status, 'running');
    const leaver = new AbortController();
    const left = api.get(`/changes/${begun.id}/wait`, { signal: leaver.signal });
    setTimeout(() => leaver.abort(), 20);
    await assert.rejects(left);
    const list = await api.get('/changes');
    check('Changes', list.json);
    const stop = await api.change('/processes/slow/stop');
    assert.equal(stop.status, 'done');
    const ended = (await api.get(`/changes/${begun.id}/wait`)).json as ChangeAnswer;
    assert.deepEqual(words(ended), ['slow: ERROR (abnormal termination)']);
  });
});

/** A list of changes without a server. */
function listOf(limits: Partial<ChangeLimits>): { changes: Changes; reports: string[] } {
  const reports: string[] = [];
  const all = { kept: 3, running: 2, waiting: 1, resultsOfOne: 2, results: 100, ...limits };
  const report = (_level: string, text: string): void => void reports.push(text);
  return { changes: new Changes({ epoch: 'e-1', wallMs: () => 5.4, report, limits: all }), reports };
}

const wanted = { action: 'start', names: ['web'], client: { door: 'tcp', user: 'bob', peer: '10.0.0.7' } } as const;
const forever = (): Promise<void> => new Promise(() => undefined);

test('the list of changes is bounded; those that run are never dropped', async () => {
  const { changes } = listOf({});
  const first = changes.begin(wanted, forever);
  assert.deepEqual([first.id, first.by, first.at], ['e-1-1', 'a client over TCP (user bob, 10.0.0.7)', 5]);
  for (let number = 0; number < 5; number += 1) {
    const { id } = changes.begin(wanted, async () => undefined);
    assert.equal((await changes.wait(id, 1000, new AbortController().signal))?.status, 'done');
  }
  assert.deepEqual(
    changes.list().map(({ id, status }) => [id, status]),
    [
      ['e-1-1', 'running'],
      ['e-1-5', 'done'],
      ['e-1-6', 'done'],
    ],
  );
  assert.equal(changes.get('e-1-2'), null);
  changes.begin(wanted, forever);
  assert.throws(
    () => changes.begin(wanted, forever),
    (error) => error instanceof ApiError && error.status === 429 && error.headers['Retry-After'] === '1',
  );
  assert.equal(changes.begin({ ...wanted, isUrgent: true }, async () => undefined).id, 'e-1-8');
});

test('results are bounded, and a failure among those that are left out is kept', async () => {
  const { changes } = listOf({ results: 3 });
  const { id } = changes.begin(wanted, async (note) => {
    for (const ok of [true, true, true, false, true]) note({ name: 'web', ok, text: String(ok) });
  });
  const ended = await changes.wait(id, 1000, new AbortController().signal);
  assert.deepEqual(
    [ended?.status, ended?.capped, ended?.results.map(({ text }) => text)],
    ['failed', true, ['true', 'false']],
  );
  const other = changes.begin(wanted, async (note) => {
    for (const text of ['a', 'b']) note({ name: 'web', ok: true, text });
  });
  await changes.wait(other.id, 1000, new AbortController().signal);
  assert.deepEqual(
    changes.list().map((change) => change.id),
    [other.id],
  );
});

test('the number of clients that wait is bounded, and a wait ends with its signal', async () => {
  const { changes } = listOf({});
  const { id } = changes.begin(wanted, forever);
  const leaver = new AbortController();
  const waiting = changes.wait(id, 60_000, leaver.signal);
  await assert.rejects(
    changes.wait(id, 60_000, new AbortController().signal),
    (error) => error instanceof ApiError && error.status === 503,
  );
  leaver.abort();
  assert.equal((await waiting)?.status, 'running');
  assert.equal((await changes.wait(id, 1, new AbortController().signal))?.status, 'running');
  assert.equal(await changes.wait('e-1-99', 1, new AbortController().signal), null);
});

test('a fault ends a change with its text, a mistake of ours with a line in the log', async () => {
  const { changes, reports } = listOf({});
  const signal = new AbortController().signal;
  const faulty = changes.begin(wanted, () => Promise.reject(RpcFault.of('FAILED', 'the disk is full')));
  assert.equal((await changes.wait(faulty.id, 1000, signal))?.error, 'the disk is full');
  const broken = changes.begin(wanted, () => Promise.reject(new Error('secret detail')));
  const ended = await changes.wait(broken.id, 1000, signal);
  assert.deepEqual([ended?.status, ended?.error], ['failed', 'internal error; see the log of the supervisor']);
  assert.match(reports.join(), /cannot start for a client: .*secret detail/);
});
