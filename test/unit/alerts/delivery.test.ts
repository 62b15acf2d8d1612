/** One attempt to deliver an alert, with real servers that stall, fail, redirect, flood or hang. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import {
  createServer as createTcpServer,
  type AddressInfo,
  type LookupFunction,
  type Server as TcpServer,
} from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test, type TestContext } from 'node:test';
import { deliver, type DeliveryParts } from '../../../src/alerts/delivery.ts';
import type { NotifyConfig } from '../../../src/config/model.ts';
import type { AlertFailure } from '../../../src/core/alert-queue.ts';
import type { Job, JobOutcome } from '../../../src/engine/ports.ts';
import { HostLookups } from '../../../src/health/host-lookups.ts';
import { systemClock } from '../../../src/process/clock.ts';
import { readText } from '../config/memory-source.ts';
import { alertOf } from '../core/alerts.ts';

const folder = mkdtempSync(join(tmpdir(), 'onevisor-alerts-'));
after(() => rmSync(folder, { recursive: true }));

/** Listens on a free port until the end of the test. */
async function listen(t: TestContext, server: Server | TcpServer): Promise<number> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket: { destroy(): void }) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const serve = (t: TestContext, answer: RequestListener): Promise<number> => listen(t, createServer(answer));

function sectionOf(options: string): NotifyConfig {
  const { config, errors } = readText(`[supervisord]\n[notify:ops]\nevents=fatal\n${options}\n`);
  assert.deepEqual(errors, []);
  const section = config?.notifications[0];
  assert.ok(section !== undefined);
  return section;
}

function attempt(
  options: string,
  parts: Partial<DeliveryParts> = {},
): { readonly outcome: Promise<AlertFailure | null>; readonly cancel: () => void } {
  const { promise, resolve } = Promise.withResolvers<AlertFailure | null>();
  const cancel = deliver(
    { section: sectionOf(options), alert: alertOf(), name: 'notification' },
    {
      clock: systemClock,
      jobs: { run: () => assert.fail('no command') },
      lookup: new HostLookups().lookup,
      ...parts,
    },
    resolve,
  );
  return { outcome: promise, cancel };
}

const outcomeOf = (options: string, parts: Partial<DeliveryParts> = {}): Promise<AlertFailure | null> =>
  attempt(options, parts).outcome;
const reasonOf = async (options: string, parts: Partial<DeliveryParts> = {}): Promise<string> =>
  (await outcomeOf(options, parts))?.reason ?? 'delivered';

test('the facts or a template, with headers and their file', async (t) => {
  const requests: Array<{ readonly request: IncomingMessage; readonly body: string }> = [];
  const port = await serve(t, (request, response) => {
    void text(request).then((body) => {
      requests.push({ request, body });
      response.writeHead(204).end();
    });
  });
  writeFileSync(join(folder, 'header'), 'Authorization: Bearer abc\ncontent-type: application/vnd.x\n');
  writeFileSync(join(folder, 'url'), `http://me:p%40ss@127.0.0.1:${port}/b?c=d\n`);
  assert.equal(await outcomeOf(`url=http://127.0.0.1:${port}/a\nheaders=X-Token="t"`), null);
  assert.equal(
    await outcomeOf(
      `url_file=${join(folder, 'url')}\nheader_file=${join(folder, 'header')}\ntemplate={"t": "%(message)s"}`,
    ),
    null,
  );
  const [plain, shaped] = requests;
  assert.deepEqual([plain?.request.method, plain?.request.url], ['POST', '/a']);
  assert.equal(plain?.request.headers['x-token'], 't');
  assert.equal(plain.request.headers['content-type'], 'application/json');
  assert.equal((JSON.parse(plain.body) as Record<string, unknown>)['event'], 'fatal');
  assert.equal(shaped?.request.url, '/b?c=d');
  assert.equal(shaped.request.headers['content-type'], 'application/vnd.x');
  // RFC 9110, 11.6.2: the header of the file replaces the user of the URL.
  assert.equal(shaped.request.headers.authorization, 'Bearer abc');
  assert.equal(shaped.body, '{"t": "web is FATAL: it fails"}');
});

test('statuses: success, another attempt, or none', async (t) => {
  const port = await serve(t, (request, response) => {
    const [, status = '', after] = (request.url ?? '').split('/');
    response.writeHead(Number(status), {
      ...(after === undefined ? {} : { 'retry-after': after }),
      location: 'http://127.0.0.1:1/stolen',
    });
    response.end('geheim');
  });
  const cases: Array<[string, AlertFailure | null]> = [
    ['200', null],
    ['299', null],
    ['404', { reason: 'HTTP 404 Not Found', isFinal: true, pauseMs: null }],
    ['408', { reason: 'HTTP 408 Request Timeout', isFinal: false, pauseMs: null }],
    ['429/7', { reason: 'HTTP 429 Too Many Requests', isFinal: false, pauseMs: 7000 }],
    ['503/soon', { reason: 'HTTP 503 Service Unavailable', isFinal: false, pauseMs: null }],
    ['599', { reason: 'HTTP 599', isFinal: false, pauseMs: null }],
    ['307', { reason: 'HTTP 307 Temporary Redirect: redirections are not followed', isFinal: true, pauseMs: null }],
  ];
  for (const [path, outcome] of cases)
    assert.deepEqual(await outcomeOf(`url=http://127.0.0.1:${port}/${path}`), outcome, path);
});

test('servers that stall, close, talk nonsense, change the protocol, or are not there', async (t) => {
  const silent = await listen(t, createTcpServer());
  const closing = await listen(
    t,
    createTcpServer((socket) => socket.on('data', () => socket.destroy())),
  );
  const nonsense = await listen(
    t,
    createTcpServer((socket) => socket.end('hello\r\n\r\n')),
  );
  const other = await listen(
    t,
    createTcpServer((socket) =>
      socket.on('data', () => socket.write('HTTP/1.1 101 X\r\nUpgrade: y\r\nConnection: upgrade\r\n\r\n')),
    ),
  );
  const gone = await listen(t, createTcpServer());
  const before = readdirSync('/proc/self/fd').length;
  assert.equal(await reasonOf(`url=http://127.0.0.1:${silent}/\ntimeout=50ms`), 'no answer within 0.05 s');
  assert.equal(await reasonOf(`url=http://127.0.0.1:${closing}/`), 'connection closed without an answer');
  assert.match(await reasonOf(`url=http://127.0.0.1:${nonsense}/`), /^the answer is not HTTP \(HPE_/);
  assert.equal(await reasonOf(`url=http://127.0.0.1:${other}/`), 'the answer is another protocol than HTTP');
  assert.equal(await reasonOf('url=http://127.0.0.1:1/'), 'connection refused');
  assert.ok(gone > 0);
  // Sockets are closed in the next turns of the loop. Those of the servers are in this process too.
  const hasClosed = (): boolean => readdirSync('/proc/self/fd').length <= before + 4;
  while (!hasClosed()) await new Promise(setImmediate);
});

test('a body that stalls or never ends does not matter', async (t) => {
  const port = await serve(t, (request, response) => {
    response.writeHead(request.url === '/fail' ? 500 : 200);
    response.write('x');
    if (request.url !== '/flood') return;
    const chunk = Buffer.alloc(65_536);
    const pump = (): void => {
      while (response.write(chunk));
      response.once('drain', pump);
    };
    pump();
  });
  assert.equal(await outcomeOf(`url=http://127.0.0.1:${port}/flood`), null);
  assert.equal(await outcomeOf(`url=http://127.0.0.1:${port}/stall\ntimeout=100ms`), null);
  assert.equal(await reasonOf(`url=http://127.0.0.1:${port}/fail\ntimeout=100ms`), 'HTTP 500 Internal Server Error');
});

test('a look-up that hangs ends with the timeout, and a late answer is ignored', async () => {
  let late: (() => void) | null = null;
  const lookup: LookupFunction = (_host, _options, callback) => {
    late = () => callback(null, [{ address: '127.0.0.1', family: 4 }]);
  };
  assert.equal(await reasonOf('url=http://hooks.example.test/\ntimeout=50ms', { lookup }), 'no answer within 0.05 s');
  assert.ok(late !== null);
  (late as () => void)();
});

test('cancelled', async (t) => {
  const silent = await listen(t, createTcpServer());
  const { outcome, cancel } = attempt(`url=http://127.0.0.1:${silent}/`);
  cancel();
  assert.deepEqual(await outcome, { reason: 'cancelled', isFinal: true, pauseMs: null });
});

test('files with secrets are named, and not shown', async () => {
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const cases: Array<[string, RegExp]> = [
    [`url_file=${folder}/none`, /^cannot read url_file .*\/none: there is no such file$/],
    [`url_file=${folder}`, /^cannot read url_file .*: it is a directory$/],
    [`url_file=${file('u', 'geheim')}`, /^url_file .*\/u has no URL with http or https$/],
    [`url_file=${file('u2', 'x'.repeat(70_000))}`, /it is larger than 65536 bytes$/],
    [`url=http://localhost:1/\nheader_file=${file('h', 'geheim')}`, /^header_file .*\/h has a line that is no header/],
    [
      `url=https://localhost:1/\nca_file=${file('c', 'geheim')}`,
      /^ca_file .*\/c has no certificates, or cannot be read$/,
    ],
    [`url_file=${file('u3', 'http://localhost:1/geh\u0001eim\u00e9')}`, /^connection refused$/],
  ];
  for (const [options, reason] of cases) {
    const failure = await outcomeOf(options);
    assert.match(failure?.reason ?? 'delivered', reason);
    assert.doesNotMatch(failure?.reason ?? '', /geheim/);
    assert.equal(failure?.isFinal, false, 'the file may be corrected');
  }
});

test('https verifies the certificate, also of this machine', async (t) => {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  try {
    const subject = ['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    execFileSync('openssl', ['req', ...kind, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
  } catch (error) {
    return t.skip(`no certificate can be made: ${String(error)}`);
  }
  const options = { key: readFileSync(key), cert: readFileSync(cert) };
  const port = await listen(
    t,
    createHttpsServer(options, (_request, response) => void response.end()),
  );
  const url = `url=https://localhost:${port}/`;
  assert.match(await reasonOf(url), /^the certificate is not accepted \(/);
  assert.equal(await reasonOf(`${url}\nca_file=${cert}`), 'delivered');
  assert.match(
    await reasonOf(`url=https://127.0.0.1:${port}/\nca_file=${cert}`),
    /^the certificate is not accepted \(/,
  );
});

test('a command gets the facts, and its outcome counts', async () => {
  const jobs: Job[] = [];
  const outcome = async (end: JobOutcome): Promise<AlertFailure | null> =>
    outcomeOf('command=/bin/mail -s x', {
      jobs: {
        run: (proc, job, done) => {
          assert.deepEqual([proc.group, proc.name], ['notify:ops', 'ops']);
          jobs.push(job);
          queueMicrotask(() => done(end));
          return () => undefined;
        },
      },
    });
  const ended = (code: number, output: string): JobOutcome => ({
    kind: 'ended',
    status: { kind: 'exited', code },
    output,
  });
  assert.equal(await outcome(ended(0, 'fine')), null);
  const { input = '', environment, ...job } = jobs[0] ?? assert.fail('not run');
  assert.deepEqual(job, { name: 'notification', command: '/bin/mail -s x', timeoutMs: 10_000, output: 'keep' });
  assert.match(input, /^\{"event":"fatal",.*\}\n$/);
  assert.deepEqual(
    ['SUPERVISOR_PROCESS_NAME', 'SUPERVISOR_GROUP_NAME', 'NOTIFY_MESSAGE', 'NOTIFY_PID'].map((name) =>
      environment.get(name),
    ),
    ['web', 'web', 'web is FATAL: it fails', ''],
  );
  const cases: Array<[JobOutcome, string, boolean]> = [
    [ended(75, 'account default not found\n'), 'account default not found', false],
    [ended(1, ''), 'exit status 1', false],
    [{ kind: 'timeout', output: '' }, 'no answer within 10 s', false],
    [{ kind: 'failed', reason: "can't find command '/bin/mail'" }, "can't find command '/bin/mail'", false],
    [{ kind: 'cancelled' }, 'cancelled', true],
  ];
  for (const [end, reason, isFinal] of cases) assert.deepEqual(await outcome(end), { reason, isFinal, pauseMs: null });
});
