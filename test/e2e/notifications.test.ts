/**
 * [notify:x] on the executable, as PID 1: requests and commands, broken receivers, secrets, updates, and the shutdown.
 */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { order } from './connections.ts';
import { launch, type Launched, pid1SkipReason } from './launch.ts';
import { countZombies, until } from './observe.ts';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

const skip = (await pid1SkipReason()) ?? false;

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver of requests in this process. The namespaces of the tests share the network. */
class Receiver {
  readonly received: Received[] = [];
  port = 0;
  /** Answers a request; 200 by default. */
  answer: (response: ServerResponse, count: number) => void = (response) => void response.end('ok');

  async listen(t: TestContext): Promise<this> {
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        this.received.push({ path: request.url ?? '', headers: request.headers, body });
        this.answer(response, this.received.length);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    this.port = (server.address() as AddressInfo).port;
    return this;
  }

  get events(): unknown[] {
    return this.received.map(({ body }) => (JSON.parse(body) as Record<string, unknown>)['event']);
  }

  /** Waits for a number of requests. */
  async waitFor(count: number): Promise<readonly Received[]> {
    await until(`${count} requests`, () => this.received.length >= count);
    return this.received;
  }
}

const CRASHING = '[program:web]\ncommand=sh -c "echo last words; exit 3"\nstartsecs=0\nautorestart=false\n';

test('a webhook gets its template, and its secrets are shown nowhere', { skip }, async (t) => {
  const receiver = await new Receiver().listen(t);
  const launched = await launch(t, {
    config: `[supervisord]\nloglevel=blather\n${CRASHING}[notify:ops]
events=exited-unexpectedly
url=http://user:hidden-password@127.0.0.1:${receiver.port}/hidden-path
template={"text": "%(message)s", "line": "%(last_line)s", "code": %(exit_code)d}
headers=X-Token="hidden-token"
header_file=%FOLDER%/header
`,
    files: { header: 'X-Other: hidden-header\n' },
  });
  const [request] = await receiver.waitFor(1);
  assert.deepEqual(JSON.parse(request?.body ?? ''), {
    text: 'web has ended unexpectedly: exit status 3',
    line: 'last words',
    code: 3,
  });
  assert.equal(request?.path, '/hidden-path');
  assert.equal(request.headers.authorization, `Basic ${btoa('user:hidden-password')}`);
  assert.deepEqual([request.headers['x-token'], request.headers['x-other']], ['hidden-token', 'hidden-header']);
  assert.match((await launched.ctl('notify', 'ops')).stdout, /^ops: delivered$/m);
  // Failures are logged without them too.
  receiver.answer = (response) => void response.writeHead(404).end();
  const failed = await launched.ctl('notify', 'ops', 'none');
  assert.match(failed.stdout, /^ops: ERROR \(HTTP 404 Not Found\)\nnone: ERROR \(there is no such section; /);
  assert.equal(failed.code, 1);
  await launched.ctl('restart', 'web');
  await launched.ctl('update');
  const describe = await launched.ctl('describe', 'web');
  assert.match(describe.stdout, /Told about: +by notify:ops/);
  const check = await launched.enter(['/proc/1/exe', 'check', '--json', '-c', `${launched.folder}/supervisord.conf`]);
  const plain = await launched.enter(['/proc/1/exe', 'check', '-c', `${launched.folder}/supervisord.conf`]);
  for (const output of [check, plain]) assert.match(output.stdout, /http:\/\/127\.0\.0\.1:\d+\/\*\*\*/);
  const all = [
    check,
    plain,
    describe,
    failed,
    await launched.ctl('status', '--json'),
    await launched.ctl('maintail', '-9999'),
  ];
  const shown = [
    ...all.flatMap(({ stdout, stderr }) => [stdout, stderr]),
    ...launched.stdout.all,
    ...launched.stderr.all,
  ];
  assert.doesNotMatch(shown.join('\n'), /hidden/);
});

test('a receiver that fails, closes and redirects gets another attempt, or none', { skip }, async (t) => {
  const [receiver, thief] = [await new Receiver().listen(t), await new Receiver().listen(t)];
  receiver.answer = (response, count) => {
    if (count === 1) response.writeHead(500).end();
    else if (count === 2) response.destroy();
    else if (count === 4) response.writeHead(302, { location: `http://127.0.0.1:${thief.port}/` }).end();
    else response.end();
  };
  const launched = await launch(t, {
    config: `[supervisord]\n${CRASHING}[notify:ops]\nevents=exited-unexpectedly\nthrottle=0
url=http://127.0.0.1:${receiver.port}/\nheaders=X-Token="t"\n`,
  });
  await launched.waitForLine(/WARN cannot notify by notify:ops: HTTP 500 Internal Server Error; it is tried again$/);
  await launched.waitForLine(/INFO notify:ops works again$/);
  assert.equal(new Set(receiver.received.map(({ body }) => body)).size, 1);
  await order(launched, 'supervisor.startProcess', 'web');
  await launched.waitForLine(
    /WARN cannot notify by notify:ops: HTTP 302 Found: redirections are not followed; 1 notification is lost$/,
  );
  assert.equal(thief.received.length, 0);
  await order(launched, 'supervisor.startProcess', 'web');
  const last = (await receiver.waitFor(5)).at(-1);
  assert.equal((JSON.parse(last?.body ?? '') as Record<string, unknown>)['left_out'], 1);
  await launched.waitForLine(/INFO notify:ops works again; 1 notification is lost$/);
});

test('a command gets variables and JSON; one that never ends leaves nothing', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `[supervisord]\n[program:web]\ncommand=sh -c "exit 3"\nstartsecs=0\nautorestart=false
[notify:mail]\nevents=exited-unexpectedly\nuser=${process.getuid?.() === 0 ? '65534' : '0'}\ndirectory=/
environment=TO="a@b"
command=sh -c 'echo "$NOTIFY_EVENT $NOTIFY_NAME $NOTIFY_EXIT_CODE $TO $(id -u) $PWD"; cat; exit 1'\nretries=0
[notify:stuck]\nevents=exited-unexpectedly\nretries=0\ntimeout=1s\ncommand=sh -c 'yes & exec sleep 1001'
[notify:deaf]\nevents=exited-unexpectedly\ncommand=sh -c 'exec <&-; exec sleep 0.1'
[notify:none]\nevents=exited-unexpectedly\nretries=0\ncommand=/nonexistent
`,
  });
  // The last line of a failed command is the reason.
  const [, json = ''] = await launched.waitForLine(
    /WARN cannot notify by notify:mail: (\{.*); 1 notification is lost$/,
  );
  assert.match(json, /^\{"event":"exited-unexpectedly","message":"web has ended unexpectedly: exit status 3",/);
  await launched.waitForLine(/WARN cannot notify by notify:stuck: no answer within 1 s; 1 notification is lost$/);
  await launched.waitForLine(
    /WARN cannot notify by notify:none: can't find command '\/nonexistent'; 1 notification is lost$/,
  );
  const names = async (): Promise<string> => (await launched.enter(['ps', '-eo', 'args'])).stdout;
  await until('nothing is left', async () => !/sleep 1001|\byes\b/.test(await names()));
  await until('the zombies to be reaped', async () => (await countZombies(launched.pid)) === 0);
});

test('the shutdown is told about within the stop budget, also if a receiver stalls', { skip }, async (t) => {
  const [receiver, stalled] = [await new Receiver().listen(t), await new Receiver().listen(t)];
  stalled.answer = () => undefined;
  const launched = await launch(t, {
    config: `[supervisord]\nstop_budget=3s\n[program:web]\ncommand=sleep 1000
[notify:ops]\nevents=shutdown\nurl=http://127.0.0.1:${receiver.port}/
[notify:stalled]\nevents=shutdown\ntimeout=600\nurl=http://127.0.0.1:${stalled.port}/
[notify:command]\nevents=shutdown\ncommand=sh -c 'sleep 0.3; cat >%FOLDER%/told'
[notify:stuck]\nevents=shutdown\ncommand=sleep 1001\n`,
  });
  await launched.waitForLine(/success: web entered RUNNING/);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.deepEqual(receiver.events, ['shutdown']);
  assert.match(
    await readFile(`${launched.folder}/told`, 'utf8'),
    /^\{"event":"shutdown","message":"the supervisor shuts down: received SIGTERM"/,
  );
  const lost = launched.stdout.all.filter((line) =>
    line.includes('no time was left before the exit; 1 notification is lost'),
  );
  assert.deepEqual(lost.map((line) => /notify:\w+/.exec(line)?.[0] ?? '').toSorted(), [
    'notify:stalled',
    'notify:stuck',
  ]);
});

test('a program that ends the container is told about before the exit', { skip }, async (t) => {
  const receiver = await new Receiver().listen(t);
  const launched = await launch(t, {
    config: `[supervisord]\n[program:web]\ncommand=sh -c "exit 3"\nstartretries=0\nexit_on_failure=true
[notify:ops]\nevents=fatal, shutdown\nurl=http://127.0.0.1:${receiver.port}/\n`,
  });
  assert.equal((await launched.exit).code, 3);
  assert.deepEqual(receiver.events, ['fatal', 'shutdown']);
});

test('update applies changed sections, and a reload keeps them working', { skip }, async (t) => {
  const receiver = await new Receiver().listen(t);
  const section = (name: string, path: string): string =>
    `[notify:${name}]\nevents=PROCESS_STATE_EXITED\nthrottle=0\nurl=http://127.0.0.1:${receiver.port}/${path}\n`;
  const launched = await launch(t, { config: `[supervisord]\n${CRASHING}${section('a', '1')}${section('b', '2')}` });
  await receiver.waitFor(2);
  const configure = (sections: string): Promise<void> =>
    writeFile(`${launched.folder}/supervisord.conf`, `[supervisord]\n${CRASHING}${sections}`);
  await configure(section('a', '3') + section('c', '4'));
  assert.equal(
    (await launched.ctl('update', '--dry-run')).stdout,
    'No config updates to processes\n' +
      'notify:b: would be removed\nnotify:a: would be updated\nnotify:c: would be added\n',
  );
  assert.equal((await launched.ctl('update')).stdout, 'notify:b: removed\nnotify:a: updated\nnotify:c: added\n');
  assert.equal((await launched.ctl('update')).stdout, '');
  await order(launched, 'supervisor.startProcess', 'web');
  const paths = (): string[] => receiver.received.map(({ path }) => path).sort();
  await until('both are told', () => paths().join('') === '/1/2/3/4');
  await configure('[notify:a]\nevents=oops\nurl=http://localhost/\n');
  assert.match((await launched.ctl('update')).stdout, /\[notify:a\] events: there is no event named "oops"/);
  await configure(section('d', '5'));
  await launched.ctl('reload');
  await until('the new section is told', () => paths().includes('/5'));
  assert.deepEqual(paths(), ['/1', '/2', '/3', '/4', '/5']);
});

async function descriptorsOf({ pid }: Launched): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

async function residentBytes({ pid }: Launched): Promise<number> {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

test('300 programs in a crash loop: few messages, and nothing piles up', { skip }, async (t) => {
  const [receiver, stalled] = [await new Receiver().listen(t), await new Receiver().listen(t)];
  stalled.answer = () => undefined;
  const launched = await launch(t, {
    config: `[supervisord]\nloglevel=warn\nminfds=1024\n[program:web]\ncommand=false\nprocess_name=w%(process_num)d
numprocs=300\nstartsecs=0\nautorestart=true\nrestartpause=0
[notify:ops]\nevents=exited-unexpectedly, flapping\nthrottle=1s\nurl=http://127.0.0.1:${receiver.port}/
[notify:all]\nevents=PROCESS_STATE\nthrottle=0\ntimeout=2s\nurl=http://127.0.0.1:${stalled.port}/
[notify:command]\nevents=PROCESS_STATE\nthrottle=1s\ncommand=true\n`,
  });
  await until('a summary', () => receiver.events.includes('summary'));
  const [fds, bytes] = [await descriptorsOf(launched), await residentBytes(launched)];
  await until('two more summaries', () => receiver.events.filter((event) => event === 'summary').length > 2, 120_000);
  assert.ok(receiver.events.length <= 11 * 5, `${receiver.events.length} messages`);
  await launched.waitForLine(
    /WARN cannot notify by notify:all: 100 notifications wait for delivery; 1 notification is lost/,
  );
  assert.ok((await descriptorsOf(launched)) < fds + 100, 'pipes of running programs come and go');
  assert.ok((await residentBytes(launched)) < bytes + 100 * 1024 * 1024);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});
