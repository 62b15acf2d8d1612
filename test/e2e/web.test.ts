/** The web page of the built executable and, if installed, that of Supervisor: the results of the same actions. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { launch, pid1SkipReason } from './launch.ts';
import { freePort } from './ports.ts';

const run = promisify(execFile);
const skip = (await pid1SkipReason()) ?? false;
const skipReal =
  skip ||
  (await run('supervisord', ['--version']).then(
    ({ stdout }) => (stdout.startsWith('4.') ? false : `supervisord is ${stdout.trim()}`),
    () => 'Supervisor is not installed',
  ));

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly text: string;
}

function send(port: number, method: string, path: string, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers =
      body === ''
        ? {}
        : { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': Buffer.byteLength(body) };
    const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (part: string) => (text += part))
        .on('end', () => resolve({ status: response.statusCode ?? 0, location: response.headers.location, text }))
        .on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

const config = (port: number): string => `[supervisord]
nodaemon=true
user=root
logfile=%FOLDER%/supervisord.log
pidfile=%FOLDER%/supervisord.pid
childlogdir=%FOLDER%
[inet_http_server]
port=127.0.0.1:${port}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:web]
command=/bin/sh -c "echo '<script>alert(1)</script>'; exec sleep 1000"
[program:pool]
command=sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=2
autostart=false
[program:crashes]
command=false
autostart=false
startretries=0
[program:missing]
command=/nowhere/at/all
autostart=false
`;

const ACTIONS = [
  'stop web',
  'start web',
  'start web',
  'restart web',
  'start pool:pool_1',
  'restart pool:pool_0',
  'start crashes',
  'stop missing',
  'start missing',
  'clearlog web',
  'start nope',
  'stopall ',
  'restartall ',
];

async function messagesOf(
  t: TestContext,
  program: string | null,
  act: (port: number, action: string, name: string) => Promise<Answer>,
): Promise<{ messages: string[]; port: number; stop: () => Promise<void> }> {
  const port = await freePort();
  const launched = await launch(t, { config: config(port), ...(program === null ? {} : { executable: program }) });
  await launched.waitForLine(/success: web entered RUNNING/);
  const messages: string[] = [];
  for (const line of ACTIONS) {
    const [action = '', name = ''] = line.split(' ');
    const { location = '' } = await act(port, action, name);
    messages.push(
      (new URL(location, 'http://x').searchParams.get('message') ?? `no message: ${location}`).replace(
        / at .*\d\d:\d\d:\d\d.*/,
        ' at TIME',
      ),
    );
  }
  const stop = async (): Promise<void> => {
    launched.signal('SIGTERM');
    await launched.exit;
  };
  return { messages, port, stop };
}

/** Submits a form of our page, with its token. */
async function actOnOurs(port: number, action: string, name: string): Promise<Answer> {
  const { text } = await send(port, 'GET', '/index.html');
  const token = /name="token" value="([^"]+)"/.exec(text)?.[1] ?? '';
  return send(
    port,
    'POST',
    '/index.html',
    new URLSearchParams({ token, do: name === '' ? action : `${action} ${name}` }).toString(),
  );
}

const EXPECTED = [
  'Process web stopped',
  'Process web started',
  'ERROR: Process web: already started',
  'Process web restarted',
  'Process pool:pool_1 started',
  'Process pool:pool_0 restarted',
  'ERROR: Process crashes: spawn error',
  'unexpected rpc fault [70] NOT_RUNNING: missing',
  'ERROR: Process missing: no such file',
  'Log for web cleared',
  'No such process named nope',
  'All stopped at TIME',
  'All restarted at TIME',
];

test('every action by a form, the page after it, and links that only ask', { skip }, async (t) => {
  const { messages, port, stop } = await messagesOf(t, null, actOnOurs);
  assert.deepEqual(messages, EXPECTED);
  const page = (await send(port, 'GET', '/index.html')).text;
  assert.match(
    page,
    new RegExp(
      'RUNNING</span></td>\\s*<td class="name"><a href="tail\\.html\\?processname=web">web</a></td>\\s*' +
        '<td class="what">pid \\d+, uptime 0:00:0\\d<',
    ),
  );
  assert.match(
    (await send(port, 'GET', '/tail.html?processname=web')).text,
    /<pre>(&lt;script&gt;alert\(1\)&lt;\/script&gt;\n)+<\/pre>/,
  );
  assert.match((await send(port, 'GET', '/index.html?action=stopall')).text, /Stop all processes\?/);
  assert.match(
    (await send(port, 'GET', '/index.html')).text,
    /RUNNING<\/span><\/td>\s*<td class="name"><a href="tail\.html\?processname=web">/,
  );
  assert.equal((await send(port, 'GET', '/ok.html')).text, 'OK');
  await stop();
});

test('the page of Supervisor has the same results', { skip: skipReal }, async (t) => {
  const { messages, stop } = await messagesOf(t, 'supervisord', (port, action, name) =>
    send(
      port,
      'GET',
      `/index.html?${new URLSearchParams({ action, ...(name === '' ? {} : { processname: name }) }).toString()}`,
    ),
  );
  assert.deepEqual(messages, EXPECTED);
  await stop();
});
