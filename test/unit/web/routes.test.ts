/**
 * The pages over a real server with programs in memory: requests that change something, requests that only ask, and
 * refused requests.
 */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createMethodTable } from '../../../src/rpc/method-table.ts';
import { ProcessTimes } from '../../../src/rpc/process-times.ts';
import { DashboardPages } from '../../../src/web/dashboard-routes.ts';
import { webRoutes } from '../../../src/web/routes.ts';
import { PageSecret } from '../../../src/web/secret.ts';
import type { Route } from '../../../src/http/route.ts';
import type { HttpUser } from '../../../src/http/authentication.ts';
import { createRoutes } from '../../../src/http/routes.ts';
import { ServerWorld, type WorldOptions } from '../http/server-world.ts';
import { encodeCall } from '../../../src/rpc/xmlrpc.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

interface Site {
  readonly world: ServerWorld;
  readonly token: string;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** Sends a form, with the right token by default. */
  post(fields: Record<string, string>, headers?: Record<string, string>, path?: string): Promise<Answer>;
  /** Sends a form, follows the redirect and returns the message. */
  do(action: string): Promise<string>;
}

type Connection = { readonly socketPath: string } | { readonly host: string; readonly port: number };

function send(
  connection: Connection,
  [method, path]: readonly [method: string, path: string],
  headers: Record<string, string>,
  body: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ ...connection, method, path, headers, agent: false }, (response) => {
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (part: string) => (text += part))
        .on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
        .on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

interface SiteOptions extends WorldOptions {
  /** True if the server is on loopback and not on a unix socket. */
  readonly isInet?: boolean;
  readonly isInsecureAllowed?: boolean;
  readonly users?: readonly HttpUser[];
}

async function onSite(options: SiteOptions, run: (site: Site) => Promise<void>): Promise<void> {
  const world = new ServerWorld(options);
  const secret = new PageSecret();
  const dashboard = new DashboardPages(() =>
    Promise.resolve({ page: gzipSync('<p>dashboard'), policy: "default-src 'none'" }),
  );
  const sources = {
    api: world.api,
    methods: createMethodTable(),
    times: new ProcessTimes(world.api),
  };
  const routes: Route[] = createRoutes({
    ...sources,
    version: '1.2.3',
    residentBytes: () => null,
    more: webRoutes(sources, secret, dashboard),
  });
  world.routes.splice(0, world.routes.length, ...routes);
  try {
    const server =
      options.isInet === true
        ? await world.openInet({ isInsecureAllowed: options.isInsecureAllowed ?? false, users: options.users ?? [] })
        : await world.open();
    const connection: Connection =
      options.isInet === true ? { host: '127.0.0.1', port: server.port ?? 0 } : { socketPath: world.socketPath };
    const site: Site = {
      world,
      token: secret.token,
      get: (path, headers = {}) => send(connection, ['GET', path], headers, ''),
      post: (fields, headers = {}, path = '/index.html') =>
        send(
          connection,
          ['POST', path],
          { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
          new URLSearchParams({ token: secret.token, ...fields }).toString(),
        ),
      do: async (action) => {
        const { status, headers } = await site.post({ do: action });
        assert.equal(status, 303);
        const page = await site.get(`/${String(headers['location'])}`);
        return (
          /<p class="note( bad)?" role="status">([^<]*)</
            .exec(page.text)
            ?.slice(1)
            .map((part) => part ?? '')
            .join('|') ?? ''
        );
      },
    };
    await run(site);
  } finally {
    await world.end();
  }
}

const PROGRAMS = [
  { name: 'web', options: { startsecs: 0 } },
  { name: 'missing', objection: { fault: 'NO_FILE', reason: 'x' } },
  { name: 'bad', spawnError: 'no' },
  { name: 'a<b', group: 'g', options: { startsecs: 0 } },
] as const;

test('the effects of the buttons, with the texts of Supervisor', () =>
  onSite({ programs: PROGRAMS }, async ({ world, do: act }) => {
    assert.equal(await act('start web'), '|Process web started');
    assert.equal(world.api.process('web:web')?.record.state, 'RUNNING');
    assert.equal(await act('start web'), ' bad|ERROR: Process web: already started');
    assert.equal(await act('restart web'), '|Process web restarted');
    assert.equal(await act('stop web'), '|Process web stopped');
    assert.equal(world.api.process('web:web')?.record.state, 'STOPPED');
    assert.equal(await act('stop web'), ' bad|unexpected rpc fault [70] NOT_RUNNING: web');
    assert.equal(await act('restart web'), '|Process web restarted');
    assert.equal(await act('start missing'), ' bad|ERROR: Process missing: no such file');
    assert.equal(await act('start bad'), ' bad|ERROR: Process bad: spawn error');
    assert.equal(await act('start nope'), ' bad|No such process named nope');
    assert.equal(await act('start g:a<b'), '|Process g:a&lt;b started');
    assert.equal(await act('clearlog web'), '|Log for web cleared');
    assert.match(await act('stopall'), /^\|All stopped at \d\d:\d\d:\d\d$/);
    assert.equal(world.api.process('web:web')?.record.state, 'STOPPED');
    assert.match(await act('restartall'), /^\|All restarted at \d\d:\d\d:\d\d$/);
    assert.equal(world.api.process('web:web')?.record.state, 'RUNNING');
  }));

test('a start that executed nothing is not shown with an end in 1970', () =>
  onSite({ programs: [{ name: 'bad', spawnError: 'no' }] }, async ({ get, do: act }) => {
    await act('start bad');
    assert.equal(await act('stop bad'), '|Process bad stopped');
    assert.match((await get('/index.html')).text, /<td class="what">Not started<\/td>/);
  }));

test('a link changes nothing: it leads to a question', () =>
  onSite({ programs: PROGRAMS }, async ({ world, get, do: act }) => {
    await act('start web');
    const { status, text } = await get('/index.html?action=stop&processname=web');
    assert.equal(status, 200);
    assert.match(text, /<p>Stop web\?<\/p>.*name="token".*name="do" value="stop web"/s);
    assert.equal(world.api.process('web:web')?.record.state, 'RUNNING');
    assert.match((await get('/?processname=g%3Aa%3Cb&action=clearlog')).text, /Clear the log of g:a&lt;b\?/);
    assert.match((await get('/index.html?action=restartall')).text, /Restart all processes\?/);
    assert.match((await get('/index.html?action=refresh')).text, /of 4 running/);
    for (const query of [
      'action=stop',
      'action=nonsense',
      'action=__proto__&processname=web',
      'action=stopall&processname=x',
    ])
      assert.equal((await get(`/index.html?${query}`)).status, 400, query);
    assert.doesNotMatch((await get('/?message=Call+us')).text, /Call us/);
  }));

test('a form of another site changes nothing', () =>
  onSite({ programs: PROGRAMS, isInet: true }, async ({ world, get, post, do: act }) => {
    await act('start web');
    const host = 'localhost:9001';
    const refused: Array<[Record<string, string>, Record<string, string>?]> = [
      [{ token: '' }],
      [{ token: 'x'.repeat(32) }],
      [{}, { Origin: 'http://evil.example', Host: host }],
      [{}, { Origin: 'null', Host: host }],
      [{}, { Origin: `http://${host}`, Host: host, 'Sec-Fetch-Site': 'cross-site.ts' }],
      [{}, { Origin: `http://${host}`, Host: host, 'Sec-Fetch-Site': 'same-site' }],
      [{}, { Origin: 'http://localhost:8000', Host: host }],
      // The name of another site that resolves to this machine.
      [{}, { Origin: 'http://evil.example:9001', Host: 'evil.example:9001' }],
    ];
    for (const [fields, headers] of refused)
      assert.equal((await post({ do: 'stop web', ...fields }, headers)).status, 403, JSON.stringify([fields, headers]));
    assert.equal((await post({ do: 'stop web' }, { 'Content-Type': 'text/plain' })).status, 415);
    assert.equal((await post({ do: 'stop web' }, {}, '/other')).status, 404);
    // Parsing a large form would block the loop.
    assert.equal((await post({ do: '+'.repeat(22_000) })).status, 413);
    assert.equal((await post({ do: `stop ${'x'.repeat(4096)}` })).status, 303, 'the longest name');
    for (const action of ['', 'stop', 'stop ', 'stopall web', 'nonsense web', 'toString'])
      assert.equal((await post({ do: action })).status, 400, action);
    assert.equal(world.api.process('web:web')?.record.state, 'RUNNING');
    assert.equal(
      (await post({ do: 'stop web' }, { Origin: `http://${host}`, Host: host, 'Sec-Fetch-Site': 'same-origin' }))
        .status,
      303,
    );
    assert.equal(world.api.process('web:web')?.record.state, 'STOPPED');
    // Browsers send an Origin with every POST; programs do not.
    assert.equal((await get('/', { Host: 'evil.example' })).status, 403);
    for (const name of ['localhost:9001', '127.0.0.1:9001', '[::1]:9001', '10.0.0.1', 'x.localhost'])
      assert.equal((await get('/', { Host: name })).status, 200, name);
  }));

test('XML-RPC is closed to pages of other sites, and open to programs that use a name of this machine', () =>
  onSite({ programs: PROGRAMS, isInet: true }, async ({ world }) => {
    const { port } = await world.openInet();
    const call = (headers: Record<string, string>): Promise<Answer> =>
      send(
        { host: '127.0.0.1', port: port ?? 0 },
        ['POST', '/RPC2'],
        { 'Content-Type': 'text/plain', ...headers },
        encodeCall('supervisor.getState', []),
      );
    assert.equal((await call({})).status, 200);
    for (const host of ['127.0.0.1:9001', 'localhost', 'LOCALHOST.:9001', '[::1]:9001'])
      assert.equal((await call({ Host: host })).status, 200, host);
    for (const host of [
      'app:9001',
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'evil.example:80@127.0.0.1',
      '[evil.example]',
    ])
      assert.equal((await call({ Host: host })).status, 403, host);
    assert.equal((await call({ Origin: 'http://evil.example' })).status, 403);
    assert.equal((await call({ Origin: 'http://evil.example', Host: 'evil.example' })).status, 403);
    assert.equal((await call({ 'Sec-Fetch-Site': 'cross-site.ts' })).status, 403);
  }));

test('with a password, or if no password is required on purpose, any host name is accepted', async () => {
  const credentials = { username: 'user', password: 'pass' };
  const Authorization = `Basic ${Buffer.from('user:pass').toString('base64')}`;
  await onSite({ programs: PROGRAMS, isInet: true, credentials }, async ({ get, post }) => {
    assert.equal((await get('/')).status, 401);
    assert.equal((await get('/tail.html?processname=web')).status, 401);
    assert.equal((await post({ do: 'stopall' })).status, 401);
    assert.equal((await get('/', { Host: 'status.example', Authorization })).status, 200);
    assert.equal(
      (await post({ do: 'start web' }, { Host: 'status.example', Origin: 'https://status.example', Authorization }))
        .status,
      303,
    );
    // A proxy does not pass on the host name, and the browser sends its origin.
    assert.equal(
      (
        await post(
          { do: 'stop web' },
          { Host: '127.0.0.1:9001', Origin: 'https://status.example', 'Sec-Fetch-Site': 'same-origin', Authorization },
        )
      ).status,
      303,
    );
  });
  await onSite({ programs: PROGRAMS, isInet: true, isInsecureAllowed: true }, async ({ get }) =>
    assert.equal((await get('/', { Host: 'app:9001' })).status, 200),
  );
});

test('a reader sees the page without a button, and can start nothing', async () => {
  const users = [
    { name: 'bob', password: 'x', role: 'read' },
    { name: 'ops', password: 'x', role: 'admin' },
  ] as const;
  const as = (name: string): { Authorization: string } => ({
    Authorization: `Basic ${Buffer.from(`${name}:x`).toString('base64')}`,
  });
  await onSite({ programs: PROGRAMS, isInet: true, users }, async ({ world, get, post }) => {
    const { status, text } = await get('/index.html', as('bob'));
    assert.equal(status, 200);
    assert.match(text, /web/);
    assert.doesNotMatch(text, /<button|<form|token|>Action</);
    assert.match((await get('/index.html', as('ops'))).text, /<form[^]*<button[^]*>Action</);
    const question = await get('/index.html?action=stopall', as('bob'));
    assert.equal(question.status, 403);
    assert.match(question.text, /this needs the role admin, and yours is read/);
    assert.equal((await post({ do: 'start web' }, as('bob'))).status, 403);
    assert.equal(world.api.process('web:web')?.record.state, 'STOPPED');
    assert.equal((await post({ do: 'start web' }, as('ops'))).status, 303);
    assert.match(
      world.api.requests.join('\n'),
      /^supervisor.startProcess web by the web page \(user ops, 127.0.0.1\)$/,
    );
  });
});

test('the end of any log is shown as text', () =>
  onSite(
    {
      programs: [
        {
          name: 'web',
          stdout: `cut off ${'.'.repeat(1100)}<b>\nsecond & last\n`,
          stderr: 'problem\n',
          options: { startsecs: 0 },
        },
        { name: 'mute', hasNoLog: true },
      ],
    },
    async ({ get, do: act }) => {
      await act('start web');
      const all = await get('/tail.html?processname=web');
      assert.match(all.text, /<pre>cut off \.+&lt;b&gt;\nsecond &amp; last\n<\/pre>/);
      // compat: at least 1,024 bytes.
      assert.match((await get('/tail.html?processname=web&stream=stderr&limit=1')).text, /<pre>problem\n<\/pre>/);
      assert.match((await get('/tail.html?processname=web&limit=20')).text, /<pre>second &amp; last\n<\/pre>/);
      assert.match((await get('/tail.html?processname=web&stream=stderr&limit=x')).text, /<pre>problem\n<\/pre>/);
      assert.match((await get('/tail.html?processname=mute')).text, /There is no stdout log of mute/);
      assert.equal((await get('/tail.html?processname=%3Cb%3E')).status, 404);
      assert.match((await get('/tail.html?processname=%3Cb%3E')).text, /No such process named &lt;b&gt;/);
      assert.equal((await get('/tail.html')).status, 404);
      for (const page of [all, await get('/index.html'), await get('/index.html?action=x')]) {
        assert.match(String(page.headers['content-security-policy']), /^default-src 'none'/);
        assert.equal(page.headers['x-content-type-options'], 'nosniff');
        assert.equal(page.headers['cache-control'], 'no-store');
      }
    },
  ));

test('other paths', () =>
  onSite({ programs: PROGRAMS }, async ({ world, get }) => {
    const { text, headers } = await get('/ok.html');
    assert.deepEqual([text, headers['content-type']], ['OK', 'text/plain']);
    const style = await get('/stylesheets/supervisor.css');
    assert.deepEqual([style.status, style.headers['content-type']], [200, 'text/css']);
    assert.match(style.text, /body \{/);
    for (const path of ['/stylesheets/other.css', '/stylesheets/supervisor.css/x', '/favicon.ico', '/index.htm'])
      assert.equal((await get(path)).status, 404, path);
    assert.match(await world.connect().send('GET / HTTP/1.0\r\n\r\n').end(), /^HTTP\/1\.0 200/);
  }));

test('the dashboard is at /, compressed for those who accept it, with its own policy', async () => {
  await onSite({}, async ({ get }) => {
    const plain = await get('/', { Accept: 'text/html,*/*;q=0.8' });
    assert.equal(plain.text, '<p>dashboard');
    // A script searches the page of Supervisor for names.
    assert.match((await get('/', { Accept: '*/*' })).text, /<form method="post"/);
    assert.equal(plain.headers['content-security-policy'], "default-src 'none'");
    assert.equal(plain.headers['content-encoding'], undefined);
    const compressed = await get('/', { Accept: 'text/html', 'Accept-Encoding': 'gzip' });
    assert.equal(compressed.headers['content-encoding'], 'gzip');
    // The links of Supervisor's page lead to the page without scripts.
    assert.match((await get('/?action=stopall')).text, /<form method="post"/);
  });
});
