/** The answers of all rows that tell facts, held against the OpenAPI document, with programs in many states. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { openApiDocument } from '../../../src/api/openapi.ts';
import type * as Api from '../../../src/api/types.ts';
import { parseProbe } from '../../../src/core/probe.ts';
import type { FakeProgram } from '../rpc/fake-api.ts';
import { type ApiWorld, check, inApi, TABLE } from './api-world.ts';

const SECRET = 'hunter2';

/** One program for each state. */
const PROGRAMS: readonly FakeProgram[] = [
  { name: 'web', options: { autostart: true } },
  { name: 'quick', options: { autostart: true, startsecs: 0 } },
  { name: 'a', group: 'pool', options: { autostart: true } },
  { name: 'b', group: 'pool' },
  { name: 'slow', options: { autostart: true, startsecs: 600 } },
  { name: 'ended', options: { autostart: true, startsecs: 0, autorestart: 'false' }, exitAfterMs: 1, exitCode: 3 },
  { name: 'retried', options: { autostart: true, startretries: 9 }, exitAfterMs: 1, exitCode: 1 },
  { name: 'missing', options: { autostart: true, startretries: 0 }, spawnError: "can't find command '/x'" },
  { name: 'waiting', options: { autostart: true }, dependsOn: 'slow' },
  { name: 'stuck', options: { autostart: true }, dependsOn: 'missing' },
  { name: 'stubborn', options: { autostart: true, startsecs: 0 }, ignores: [15] },
  { name: 'checked', options: { autostart: true, startsecs: 0, healthcheck: parseProbe('http://localhost:80/') } },
  {
    name: 'rich',
    options: {
      command: `/bin/rich --password=${SECRET} --db postgres://app:${SECRET}@db/x`,
      environment: new Map([['DB_PASSWORD', SECRET]]),
      max_memory: 1_000_000,
      listen: [],
      exit_on_failure: true,
    },
  },
];

async function answer<T>(api: ApiWorld, path: string, schema: string): Promise<T> {
  const { status, json, text } = await api.get(path);
  assert.equal(status, 200, text);
  check(schema, json);
  return json as T;
}

/** Waits until programs are as their names say. */
async function settle(api: ApiWorld): Promise<void> {
  for (;;) {
    const { processes } = await answer<Api.ProcessesAnswer>(api, '/processes', 'Processes');
    const states = new Map(processes.map(({ name, statename }) => [name, statename]));
    if (states.get('ended') === 'EXITED' && states.get('retried') === 'BACKOFF') return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('each answer about processes fits its schema in each state', async () => {
  await inApi({ programs: PROGRAMS }, async (api) => {
    await settle(api);
    await api.post('/processes/stubborn/stop');
    api.api.usages.set('web:web', {
      residentBytes: 5,
      cpuMs: 1.5,
      cpuPercent: 0.25,
      processes: [{ pid: 1, parent: 0, name: 'web', residentBytes: 5, cpuMs: 1.5 }],
    });
    api.api.oomKillsOf.set('web:web', 2);
    api.api.remarksOf.set('web:web', [
      { kind: 'nextRun', atMs: 1_795_000_000_500, hasSeconds: false },
      { kind: 'startWait', wait: 'pre_start_command' },
      { kind: 'statusText', text: 'fine' },
      { kind: 'outOfMemory', atS: 1_795_000_000 },
      { kind: 'healthFailure', reason: 'no answer' },
    ]);
    api.api.checkAnswer = { atMs: 5, failure: 'exit 1', output: 'no' };
    api.api.lastLines.set('ended:ended', { stream: 'stderr', text: 'oops' });
    const { processes, epoch, seq } = await answer<Api.ProcessesAnswer>(api, '/processes?usage=true', 'Processes');
    assert.equal(epoch, 'fake-1');
    assert.ok(seq > 0);
    assert.deepEqual(
      new Set(processes.map(({ statename, hold }) => hold ?? statename)),
      new Set(['STARTING', 'RUNNING', 'STOPPED', 'EXITED', 'BACKOFF', 'FATAL', 'waiting', 'stuck', 'STOPPING']),
    );
    assert.equal(processes.find(({ name }) => name === 'web')?.usage?.cpu_percent, 0.3);
    for (const { group, name } of processes) {
      const path = `/processes/${group === name ? name : `${group}%3A${name}`}`;
      assert.equal((await answer<Api.StatusAnswer>(api, path, 'Status')).name, name);
      await answer(api, `${path}/describe`, 'Description');
      await answer(api, `${path}/runs`, 'Runs');
    }
  });
});

test('names choose processes, in the order of the supervisor', async () => {
  await inApi({ programs: PROGRAMS }, async (api) => {
    const names = async (query: string): Promise<string[]> =>
      (await answer<Api.ProcessesAnswer>(api, `/processes?${query}`, 'Processes')).processes.map(({ name }) => name);
    assert.deepEqual(await names('names=pool:*&names=web'), ['web', 'a', 'b']);
    assert.deepEqual(await names('names=*eb&names=pool%3Ab'), ['web', 'b']);
    assert.equal((await names('names=*')).length, PROGRAMS.length);
    const { groups } = await answer<Api.GroupsAnswer>(api, '/groups', 'Groups');
    assert.deepEqual(groups.find(({ name }) => name === 'pool')?.processes, ['pool:a', 'pool:b']);
  });
});

test('the version tells the epoch and the role, and the health its problems', async () => {
  await inApi({ programs: PROGRAMS }, async (api) => {
    await settle(api);
    const version = await answer<Api.VersionAnswer>(api, '/version', 'Version');
    assert.deepEqual(
      [version.onevisor, version.api, version.epoch, version.host, version.role, version.user, version.state],
      ['1.2.3', 1, 'fake-1', 'box', 'admin', null, 'RUNNING'],
    );
    const metrics = await api.get('/version', { role: 'metrics' });
    assert.equal((metrics.json as Api.VersionAnswer).role, 'metrics');
    const health = await answer<Api.HealthAnswer>(api, '/health', 'Health');
    assert.deepEqual([health.ready, health.alive], [false, false]);
    assert.ok(health.problems.includes('ended: EXITED exit status 3'), health.problems.join('\n'));
  });
});

test('events of each kind fit their schema, with display names', async () => {
  await inApi({ programs: PROGRAMS }, async (api) => {
    await settle(api);
    api.api.history.noteReload(
      'web:web',
      { kind: 'boot' },
      { way: { kind: 'signal', signal: 1 }, failure: 'no such process' },
    );
    api.api.history.noteRequest(
      { kind: 'request', method: 'x.y', client: { door: 'tcp', user: 'bob', peer: '10.0.0.7' } },
      'web',
    );
    await api.change('/groups/pool/stop');
    await api.change('/groups/pool/remove');
    const { events, complete } = await answer<Api.EventsAnswer>(api, '/events', 'Events');
    assert.equal(complete, true);
    const kinds = new Set(events.map(({ kind }) => kind));
    for (const kind of ['state', 'held', 'reload', 'request', 'group'] as const)
      assert.ok(kinds.has(kind), `${kind} is missing among ${[...kinds].join()}`);
    const named = new Set(events.map(({ name }) => name));
    assert.ok(named.has('web') && named.has('pool:a') && !named.has('web:web'));
    const all = events.map(({ seq }) => seq);
    const rest = await answer<Api.EventsAnswer>(api, `/events?after=${all[2]}&limit=2`, 'Events');
    assert.deepEqual([rest.events.map(({ seq }) => seq), rest.next], [all.slice(3, 5), all[4]]);
    const other = await answer<Api.EventsAnswer>(api, `/events?after=${all[2]}&epoch=old-1`, 'Events');
    assert.equal(other.events.length, events.length);
  });
});

test('a request for events waits for one, and too many that wait are refused', async () => {
  await inApi({ programs: [{ name: 'web', options: { startsecs: 600 } }] }, async (api) => {
    const { next } = await answer<Api.EventsAnswer>(api, '/events', 'Events');
    const waiting = answer<Api.EventsAnswer>(api, `/events?after=${next}&timeout=30`, 'Events');
    await api.post('/processes/web/start');
    const { events } = await waiting;
    assert.ok(events.some(({ to }) => to === 'STARTING') || events.some(({ kind }) => kind === 'request'));
    const more = await answer<Api.EventsAnswer>(api, '/events', 'Events');
    const leaver = new AbortController();
    const { signal } = leaver;
    const path = `/events?after=${more.next + 1000}&timeout=30`;
    const clients = Array.from({ length: 200 }, () => api.get(path, { signal }));
    const first = await Promise.race(clients);
    assert.deepEqual([first.status, first.headers['retry-after']], [503, '1'], first.text);
    check('Error', first.json);
    leaver.abort();
    await Promise.allSettled(clients);
  });
});

test('no secret of a program or of the supervisor is in any answer', async () => {
  await inApi({ programs: PROGRAMS, credentials: { username: 'bob', password: SECRET } }, async (api) => {
    const headers = { Authorization: `Basic ${Buffer.from(`bob:${SECRET}`).toString('base64')}` };
    const paths = ['/config', '/config?all=true', '/processes', '/processes/rich', '/processes/rich/describe'];
    for (const path of [...paths, '/config/pending', '/changes', '/events', '/logs', '/version']) {
      const { status, text } = await api.get(path, { headers });
      assert.equal(status, 200, text);
      assert.ok(!text.includes(SECRET), `${path}: ${text}`);
    }
    const { text } = await api.get('/processes/rich/describe', { headers });
    assert.match(text, /--password=\*\*\* --db postgres:\/\/\*\*\*@db\/x/);
  });
});

test('the configuration has each option with its place', async () => {
  await inApi({ programs: [{ name: 'web', options: { startretries: 7 } }, { name: 'db' }] }, async (api) => {
    const config = await answer<Api.ConfigAnswer>(api, '/config', 'Config');
    assert.deepEqual(
      config.sections.map(({ section, process: name }) => [section, name]),
      [
        ['supervisord', undefined],
        ['program:web', 'web'],
        ['program:db', 'db'],
      ],
    );
    const find = ({ sections }: Api.ConfigAnswer, at: number, name: string): Api.OptionAnswer | undefined =>
      sections[at]?.options.find((option) => option.name === name);
    assert.deepEqual(find(config, 0, 'identifier'), {
      name: 'identifier',
      value: 'fake',
      set: true,
      file: 'ONEVISOR_CONF_TEXT',
      line: 2,
    });
    assert.deepEqual(find(config, 1, 'startretries'), { name: 'startretries', value: 7, set: false });
    assert.equal(find(config, 1, 'autorestart'), undefined);
    const all = await answer<Api.ConfigAnswer>(api, '/config?all=true&names=web', 'Config');
    assert.deepEqual([all.sections.length, find(all, 0, 'startsecs')?.value], [1, 1]);
  });
});

test('answers with the configuration are made one after the other', async () => {
  const programs = Array.from({ length: 30 }, (_, index) => ({ name: `web${index}` }));
  await inApi({ programs }, async (api) => {
    const made: string[] = [];
    const read = api.api.effectiveConfig.bind(api.api);
    let count = 0;
    api.api.effectiveConfig = () => {
      const id = (count += 1);
      const { sections, ...rest } = read();
      const noted = sections.map((section) => ({
        ...section,
        options: (all: boolean) => {
          made.push(String(id));
          return section.options(all);
        },
      }));
      return { ...rest, sections: noted };
    };
    const answers = await Promise.all([api.get('/config'), api.get('/config'), api.get('/config')]);
    assert.ok(answers.every(({ status }) => status === 200));
    assert.match(made.join(''), /^1+2+3+$/);
  });
});

test('the pending changes are those of the dry run', async () => {
  await inApi({ programs: [{ name: 'web' }] }, async (api) => {
    api.api.rereadAnswer = { kind: 'changes', added: ['new'], changed: ['web'], removed: ['old'] };
    api.api.notificationChanges = { added: ['mail'], removed: [], changed: [] };
    const { status, json } = await api.get('/config/pending', { role: 'read' });
    assert.equal(status, 200);
    check('Pending', json);
    const pending = json as Api.PendingAnswer;
    assert.deepEqual(pending.text, [
      '[supervisord]: loglevel would be updated',
      'not applied: umask; use onevisor reload, which restarts all programs',
      'old: would be stopped and removed',
      'web: would be updated',
      '  all its processes would be stopped and started',
      'new: would be added',
      'notify:mail: would be added',
    ]);
    assert.deepEqual(pending.plans, { web: null });
    api.api.planAnswer = { stopped: ['a'], restarted: ['web'], started: [], changed: [] };
    const dry = await api.post('/config/update', { groups: ['web'], dry_run: true });
    assert.equal(dry.status, 200);
    check('Pending', dry.json);
    assert.deepEqual((dry.json as Api.PendingAnswer).text, [
      'web: would be updated',
      '  web:a would be stopped',
      '  web would be restarted',
    ]);
    assert.deepEqual(api.api.settingsUpdates, [false]);
    assert.equal(api.api.requests.length, 0);
    api.api.rereadAnswer = { kind: 'invalid', reason: 'file:1: wrong' };
    const invalid = await api.get('/config/pending');
    assert.deepEqual(
      [invalid.status, invalid.json],
      [409, { error: { code: 'cant_reread', message: 'file:1: wrong' } }],
    );
    assert.equal((await api.post('/config/update')).status, 409);
  });
});

test('the document is valid OpenAPI, is what the server sends, and has every row', async () => {
  await inApi({}, async (api) => {
    const { json, status, text } = await api.get('/openapi.json');
    assert.equal(status, 200);
    assert.deepEqual(json, JSON.parse(JSON.stringify(openApiDocument(TABLE, '1.2.3'))));
    const result = await new Validator().validate(JSON.parse(text));
    assert.ok(result.valid, JSON.stringify(result.errors));
    const { paths } = json as { paths: Record<string, Record<string, { operationId: string }>> };
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    assert.deepEqual(operations.toSorted(), api.rows.map(({ method, path }) => `${method} ${path}`).toSorted());
    const ids = Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
    assert.equal(new Set(ids).size, ids.length);
    const references = [...JSON.stringify(json).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    const schemas = (json as { components: { schemas: object } }).components.schemas;
    for (const name of references) assert.ok(Object.hasOwn(schemas, name ?? ''), `${name} has no schema`);
  });
});
