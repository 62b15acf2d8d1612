/**
 * The JSON API of the built executable as PID 1, over a unix socket and over TCP. Each answer is held against the
 * document that the executable itself sends, with programs in many states.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { Validator } from '@seriousme/openapi-schema-validator';
import type * as Api from '../../src/api/types.ts';
import { launch, pid1SkipReason } from './launch.ts';
import { freePort } from './ports.ts';

const skip = (await pid1SkipReason()) ?? false;

type Target = { readonly socketPath: string } | { readonly host: string; readonly port: number };

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** A client of the API that checks each answer. */
class Client {
  readonly #target: Target;
  readonly #authorization: Record<string, string>;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });

  constructor(target: Target, password = '') {
    this.#target = target;
    const token = Buffer.from(`bob:${password}`).toString('base64');
    this.#authorization = password === '' ? {} : { Authorization: `Basic ${token}` };
  }

  /** Reads the document. */
  async open(): Promise<void> {
    const { text } = await this.send('GET', '/openapi.json');
    const result = await new Validator().validate(JSON.parse(text));
    assert.ok(result.valid, JSON.stringify(result.errors));
    this.#ajv.addSchema({ $id: 'api', ...JSON.parse(text) });
  }

  send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const own = method === 'POST' ? { 'Content-Type': 'application/json', 'X-Onevisor': '1' } : {};
    const all = { ...own, ...this.#authorization, 'Content-Length': Buffer.byteLength(text), ...headers };
    return new Promise((resolve, reject) => {
      const options = { ...this.#target, method, path: `/api/v1${path}`, headers: all, agent: false };
      const sent = request(options, (response) => {
        let received = '';
        response
          .setEncoding('utf8')
          .on('data', (part: string) => (received += part))
          .on('end', () => resolve({ status: response.statusCode ?? 0, text: received }))
          .on('error', reject);
      });
      sent.on('error', reject).end(text);
    });
  }

  async get<T>(path: string, schema: string, status = 200): Promise<T> {
    return this.#checked(await this.send('GET', path), schema, status) as T;
  }

  /** Requests a change, and waits for its end. */
  async change(path: string, body?: unknown): Promise<Api.ChangeAnswer> {
    const { id } = this.#checked(await this.send('POST', path, body), 'Change', 202) as Api.ChangeAnswer;
    for (;;) {
      const change = await this.get<Api.ChangeAnswer>(`/changes/${id}/wait?timeout=60`, 'Change');
      if (change.status !== 'running') return change;
    }
  }

  #checked({ status, text }: Answer, schema: string, wanted: number): unknown {
    assert.equal(status, wanted, text);
    const validate = this.#ajv.getSchema(`api#/components/schemas/${schema}`);
    assert.ok(validate !== undefined);
    const json: unknown = JSON.parse(text);
    assert.ok(validate(json), `${schema}: ${this.#ajv.errorsText(validate.errors)}\n${text}`);
    return json;
  }
}

const SECRET = 'hunter2-of-the-test';

const config = (port: number, more = ''): string => `[supervisord]
logfile=%FOLDER%/supervisord.log
pidfile=%FOLDER%/supervisord.pid
environment=COMMON_TOKEN="${SECRET}"
[unix_http_server]
file=%FOLDER%/s.sock
[inet_http_server]
port=127.0.0.1:${port}
username=bob
password=${SECRET}
[program:web]
command=/bin/sh -c "echo 'INFO started'; echo 'ERROR disk is full' >&2; read line; echo got $line; exec sleep 1000"
environment=DB_PASSWORD="${SECRET}"
startsecs=0
[program:pool]
command=sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=3
startsecs=0
[program:checked]
command=sleep 1000
healthcheck=true
healthcheck_interval=1
startsecs=0
[program:ended]
command=/bin/sh -c "echo last words >&2; exit 3"
startsecs=0
autorestart=false
[program:missing]
command=/nowhere/at/all --password ${SECRET}
startretries=0
[program:waits]
command=sleep 1000
depends_on=missing
[program:job]
command=true
cron=0 4 * * *
${more}`;

const words = ({ results }: Api.ChangeAnswer): string[] => results.map(({ text }) => text);

test('the API of the executable: facts, changes, lines, events, update', { skip }, async (context) => {
  const port = await freePort();
  const files = { 'supervisord.conf': config(port) };
  const pid1 = await launch(context, { config: config(port), files });
  await pid1.waitForLine(/exited: ended/);
  const unix = new Client({ socketPath: join(pid1.folder, 's.sock') });
  const tcp = new Client({ host: '127.0.0.1', port }, SECRET);
  const texts: string[] = [];
  for (const client of [unix, tcp]) {
    await client.open();
    const version = await client.get<Api.VersionAnswer>('/version', 'Version');
    assert.deepEqual([version.pid, version.state, version.role], [1, 'RUNNING', 'admin']);
    assert.equal(version.user, client === tcp ? 'bob' : null);
    const { processes } = await client.get<Api.ProcessesAnswer>('/processes?usage=true', 'Processes');
    for (const { group, name } of processes) {
      const path = `/processes/${encodeURIComponent(group === name ? name : `${group}:${name}`)}`;
      for (const [rest, schema] of [
        ['', 'Status'],
        ['/describe', 'Description'],
        ['/runs', 'Runs'],
      ] as const)
        texts.push(JSON.stringify(await client.get(path + rest, schema)));
    }
    for (const [path, schema] of [
      ['/health', 'Health'],
      ['/groups', 'Groups'],
      ['/events', 'Events'],
      ['/logs?events=true', 'Logs'],
      ['/config', 'Config'],
      ['/config?all=true', 'Config'],
      ['/config/pending', 'Pending'],
      ['/changes', 'Changes'],
    ] as const)
      texts.push(JSON.stringify(await client.get(path, schema)));
  }
  for (const text of texts) assert.ok(!text.includes(SECRET), text);

  // Without the password.
  assert.equal((await new Client({ host: '127.0.0.1', port }).send('GET', '/version')).status, 401);

  // Changes.
  const rolling = await unix.change('/restart', { names: ['pool:*', 'checked'], rolling: true });
  assert.deepEqual(
    [rolling.status, ...words(rolling)],
    [
      'done',
      ...['checked', 'pool:pool_0', 'pool:pool_1', 'pool:pool_2'].flatMap((name) => [
        `${name}: stopped`,
        `${name}: started`,
      ]),
    ],
  );
  assert.deepEqual(words(await tcp.change('/processes/web/stdin', { text: 'hello\n' })), ['web: written']);
  const stopped = await tcp.change('/processes/pool%3Apool_1/stop');
  assert.deepEqual(words(stopped), ['pool:pool_1: stopped']);
  const status = await unix.get<Api.StatusAnswer>('/processes/pool:pool_1', 'Status');
  assert.equal(status.stop_cause?.user, 'bob');
  assert.equal((await unix.change('/start', { names: ['missing'] })).status, 'failed');
  assert.deepEqual(words(await unix.change('/programs/pool/scale', { count: 2 })), [
    'pool_2: stopped',
    'pool: scaled from 3 to 2',
  ]);

  // Lines.
  const lines = await unix.get<Api.LogsAnswer>('/logs?names=web&level=error', 'Logs');
  assert.deepEqual(
    lines.lines.map((line) => [line.name, line.text]),
    [['web', 'ERROR disk is full']],
  );
  const answer = await unix.get<Api.LogsAnswer>('/logs?names=web&grep=got&after=0&wait=30', 'Logs');
  const found =
    answer.lines.length > 0
      ? answer
      : await unix.get<Api.LogsAnswer>(`/logs?names=web&grep=got&after=${answer.next}&wait=30`, 'Logs');
  assert.equal(found.lines[0]?.text, 'got hello');

  // Events, with long polling.
  const { next } = await unix.get<Api.EventsAnswer>('/events', 'Events');
  const waiting = tcp.get<Api.EventsAnswer>(`/events?after=${next}&timeout=30`, 'Events');
  assert.deepEqual(words(await unix.change('/processes/web/signal', { signal: 'CONT' })), ['web: signalled']);
  assert.equal((await waiting).events[0]?.kind, 'request');

  // The configuration: a place, a dry run, an update.
  const { sections } = await unix.get<Api.ConfigAnswer>('/config?names=pool:pool_0', 'Config');
  const numprocs = sections[0]?.options.find(({ name }) => name === 'numprocs');
  assert.match(String(numprocs?.file), /supervisord\.conf$/);
  assert.equal(config(port).split('\n')[(numprocs?.line ?? 0) - 1], 'numprocs=3');
  const file = join(pid1.folder, 'supervisord.conf');
  const fill = (text: string): Promise<void> => writeFile(file, text.replaceAll('%FOLDER%', pid1.folder));
  await fill(
    config(port, '[program:new]\ncommand=sleep 1000\nstartsecs=0\n').replace('[program:job]', '[program:task]'),
  );
  const pending = await unix.get<Api.PendingAnswer>('/config/pending', 'Pending');
  // The look at the pending changes is no reread: a group of the files alone cannot be added.
  assert.equal((await unix.send('POST', '/groups/new/add')).status, 404);
  const dry = await pid1.ctl('update', '--dry-run');
  assert.equal(`${pending.text.join('\n')}\n`, dry.stdout);
  assert.deepEqual([pending.added, pending.removed], [['new', 'task'], ['job']]);
  assert.deepEqual(words(await unix.change('/config/update')), [
    'job: stopped',
    'job: removed process group',
    'new: added process group',
    'task: added process group',
  ]);
  await fill(`${config(port)}\n[program:wrong]\n`);
  const invalid = await unix.get<Api.ApiErrorBody>('/config/pending', 'Error', 409);
  assert.match(invalid.error.message, /program:wrong.*command/);
  assert.equal((await unix.send('POST', '/supervisor/reload')).status, 409);

  // The end. The supervisor may be gone before it can be asked for the result.
  assert.equal((await unix.send('POST', '/supervisor/shutdown')).status, 202);
  assert.equal((await pid1.exit).code, 0);
});

test('refused requests change nothing, over curl as well', { skip }, async (context) => {
  const pid1 = await launch(context, { config: config(await freePort()) });
  await pid1.waitForLine(/exited: ended/);
  const curl = async (...args: string[]): Promise<string> => {
    const { stdout } = await pid1.enter(['curl', '-s', '--unix-socket', join(pid1.folder, 's.sock'), ...args]);
    return stdout;
  };
  const url = 'http://localhost/api/v1';
  const status = ['-o', '/dev/null', '-w', '%{http_code}'];
  assert.equal(await curl(...status, `${url}/version`), '200');
  assert.equal(await curl(...status, '-X', 'POST', `${url}/processes/web/stop`), '415');
  const json = ['-H', 'Content-Type: application/json'];
  assert.equal(await curl(...status, '-X', 'POST', ...json, `${url}/processes/web/stop`), '403');
  const both = [...json, '-H', 'X-Onevisor: 1'];
  // A browser sends X-Onevisor for the page of another site only after this question, which gets no permission.
  const preflight = ['-X', 'OPTIONS', '-H', 'Access-Control-Request-Headers: x-onevisor'];
  const origin = ['-H', 'Origin: http://evil.example'];
  assert.doesNotMatch(await curl('-i', ...preflight, ...origin, `${url}/processes/web/stop`), /access-control/i);
  assert.equal(await curl(...status, '-X', 'POST', ...json, ...origin, `${url}/processes/web/stop`), '403');
  const cross = ['-H', 'Sec-Fetch-Site: cross-site'];
  assert.equal(await curl(...status, '-X', 'POST', ...both, ...cross, `${url}/processes/web/stop`), '403');
  assert.equal(await curl(...status, '-X', 'OPTIONS', `${url}/processes/web/stop`), '405');
  assert.match(await curl(...both, '-d', '{"names":["web",]}', `${url}/stop`), /"bad_json".*line 1, column 17/);
  const { statename } = JSON.parse(await curl(`${url}/processes/web`)) as Api.StatusAnswer;
  assert.equal(statename, 'RUNNING');
  assert.match(await curl('-X', 'POST', ...both, `${url}/processes/web/stop`), /"action":"stop"/);
});
