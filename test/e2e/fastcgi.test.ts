/**
 * `[fcgi-program:x]`: one socket for all processes of a program, with nginx and alone: permissions, lifetime, and
 * errors.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { lstat, stat } from 'node:fs/promises';
import { get } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { isInstalled } from '../../build/rootfs.ts';
import { order, statusesOf } from './connections.ts';
import { launch, type Launched, pid1SkipReason } from './launch.ts';
import { programFile, until } from './observe.ts';

const NUMBERED = 'process_name=%(program_name)s_%(process_num)d';
const GUARDED_SOCKET =
  'socket=unix://%FOLDER%/%(program_name)s.sock\nsocket_owner=nobody:nogroup\nsocket_mode=0760\nsocket_backlog=7';

const run = promisify(execFile);
const skip = (await pid1SkipReason()) ?? false;
const skipNginx =
  skip ||
  (await run('nginx', ['-v']).then(
    () => false as const,
    () => 'nginx is not installed',
  ));

const APP = `/usr/bin/env python3 ${programFile('fastcgi-app.py')}`;

const app = (name: string, options: string): string => `[fcgi-program:${name}]\ncommand=${APP}\n${options}\n`;

/** Encodes parameters of FastCGI whose names and values have fewer than 128 bytes. */
function encodeParameters(parameters: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(parameters).map(([name, value]) =>
      Buffer.concat([Buffer.from([name.length, value.length]), Buffer.from(name + value)]),
    ),
  );
}

/** Sends one request of FastCGI to a socket and returns the pid that served it. */
function ask(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ path });
    const record = (kind: number, content: Buffer): Buffer =>
      Buffer.concat([Buffer.from([1, kind, 0, 1, content.length >> 8, content.length & 255, 0, 0]), content]);
    let answer = '';
    socket.write(
      Buffer.concat([
        record(1, Buffer.from([0, 1, 0, 0, 0, 0, 0, 0])),
        ...(Object.keys(parameters).length === 0 ? [] : [record(4, encodeParameters(parameters))]),
        record(4, Buffer.alloc(0)),
        record(5, Buffer.alloc(0)),
      ]),
    );
    socket.on('data', (bytes: Buffer) => (answer += bytes.toString('latin1')));
    socket.on('error', reject);
    socket.on('close', () => {
      const pid = /served by (\d+)/.exec(answer)?.[1];
      if (pid === undefined) reject(new Error(`no answer: ${JSON.stringify(answer)}`));
      else resolve(Number(pid));
    });
  });
}

function getPage(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ socketPath, path: '/', agent: false }, (response) => {
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (part: string) => (text += part))
        .on('end', () => resolve(text))
        .on('error', reject);
    }).on('error', reject);
  });
}

async function pidsOf(launched: Launched): Promise<number[]> {
  return (await statusesOf(launched)).map(({ pid }) => pid).filter((pid) => pid > 0);
}

const NGINX = `daemon off;
user root;
worker_processes 1;
pid %FOLDER%/nginx.pid;
error_log %FOLDER%/nginx.err;
events {}
http {
  access_log off;
  server {
    listen unix:%FOLDER%/http.sock;
    location / { fastcgi_pass unix:%FOLDER%/app.sock; fastcgi_param SCRIPT_NAME /; }
  }
}
`;

test(
  'nginx and three processes on one socket: one is killed, and every request is answered',
  { skip: skipNginx },
  async (t) => {
    const launched = await launch(t, {
      files: { 'nginx.conf': NGINX },
      config:
        '[supervisord]\nuser=root\n[program:nginx]\n' +
        'command=nginx -p %FOLDER% -c %FOLDER%/nginx.conf -e %FOLDER%/nginx.err\n' +
        app('app', `socket=unix://%FOLDER%/app.sock\nsocket_mode=0777\nnumprocs=3\n${NUMBERED}`),
    });
    await launched.waitForLine(/success: nginx entered RUNNING/);
    await launched.waitForLine(/success: app_/, { count: 3 });
    const request = async (): Promise<number> => {
      const answer = await getPage(join(launched.folder, 'http.sock'));
      const pid = /^served by (\d+)$/m.exec(answer)?.[1];
      assert.ok(pid !== undefined, answer);
      return Number(pid);
    };
    const first = await request();
    const served = new Set<number>();
    let isKilled = false;
    // With any server, a request that the killed process is handling would be lost. So the process is killed while it
    // waits for a request, and the next request waits for its end: until then, accept(2) may still give it one.
    for (let i = 0; i < 60; i += 1) {
      if (i === 20) {
        const { code } = await launched.enter(['kill', '-9', String(first)]);
        assert.equal(code, 0);
        await launched.waitForLine(/exited: app_\d \(terminated by SIGKILL; not expected\)/);
        isKilled = true;
      }
      const pid = await request();
      assert.ok(!isKilled || pid !== first, 'a killed process answers nothing');
      served.add(pid);
    }
    await launched.waitForLine(/spawned: 'app_\d'/, { count: 4 });
    assert.ok(served.size > 1, 'the processes share the work');
    assert.equal(launched.stdout.all.filter((line) => line.includes('Creating socket')).length, 1);
  },
);

test(
  'the socket: shared, blocking, with its owner and mode, open from the first start to the last stop',
  { skip },
  async (t) => {
    const launched = await launch(t, {
      config:
        `[supervisord]\n${app('app', `${GUARDED_SOCKET}\nnumprocs=2\n${NUMBERED}\nautostart=false`)}` +
        app('late', 'socket=unix://%FOLDER%/late.sock\nautostart=false'),
    });
    const path = join(launched.folder, 'app.sock');
    await launched.waitForLine(/supervisord started/);
    await assert.rejects(lstat(path), { code: 'ENOENT' });
    assert.equal((await launched.ctl('start', 'app:*')).stdout, 'app:app_0: started\napp:app_1: started\n');
    await launched.waitForLine(new RegExp(`INFO Creating socket unix://${path}$`));
    await launched.waitForLine(/up: listens=1 blocks=True umask=22/, { count: 2 });
    const { mode, uid, gid } = await stat(path);
    assert.deepEqual([mode & 0o7777, uid, gid], [0o760, 65534, 65534]);
    const inside = await pidsOf(launched);
    const inodes = new Set(
      await Promise.all(inside.map(async (pid) => (await launched.enter(['readlink', `/proc/${pid}/fd/0`])).stdout)),
    );
    assert.equal(inodes.size, 1, 'one socket');
    await order(launched, 'supervisor.startProcess', 'late');
    assert.ok(inside.includes(await ask(path)));

    await order(launched, 'supervisor.stopProcess', 'app:app_0');
    assert.ok((await stat(path)).isSocket());
    assert.equal(
      launched.stdout.all.some((line) => line.includes('Closing socket')),
      false,
    );
    await order(launched, 'supervisor.stopProcess', 'app:app_1');
    await launched.waitForLine(new RegExp(`INFO Closing socket unix://${path}$`));
    await assert.rejects(lstat(path), { code: 'ENOENT' });

    launched.signal('SIGTERM');
    await launched.exit;
    assert.ok(launched.stdout.all.some((line) => line.endsWith(`Closing socket unix://${launched.folder}/late.sock`)));
    await assert.rejects(lstat(join(launched.folder, 'late.sock')), { code: 'ENOENT' });
  },
);

test('the only process is killed: connections in the meantime wait and are served', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `[supervisord]\n${app('app', 'socket=unix://%FOLDER%/app.sock\nuser=nobody')}`,
  });
  await launched.waitForLine(/success: app entered RUNNING/);
  const path = join(launched.folder, 'app.sock');
  assert.equal((await stat(path)).uid, 65534, 'without an owner of its own it belongs to the user of the program');
  const before = await ask(path);
  await launched.enter(['kill', '-9', String(before)]);
  // Until then the kernel may still give a connection to the dying process.
  await launched.waitForLine(/exited: app \(terminated by SIGKILL/);
  assert.notEqual(await ask(path), before);
  assert.equal(
    launched.stdout.all.some((line) => line.includes('Closing socket')),
    false,
  );
});

test(
  'sockets that cannot be created: the start fails with the reason; a stale socket is replaced',
  { skip },
  async (t) => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    t.after(() => taken.close());
    const { port } = taken.address() as { port: number };
    const launched = await launch(t, {
      files: { 'file.sock': 'precious' },
      config: `[supervisord]\n${[
        app('port', `socket=tcp://localhost:${port}\nautostart=false\nstartretries=0`),
        app('folder', 'socket=unix:///nowhere/app.sock\nautostart=false\nstartretries=0'),
        app('file', 'socket=unix://%FOLDER%/file.sock\nautostart=false\nstartretries=0'),
        app('name', 'socket=tcp://nobody.knows.invalid:9000\nautostart=false\nstartretries=0'),
        app('stale', 'socket=unix://%FOLDER%/stale.sock\nautostart=false'),
        app('tcp', 'socket=tcp://127.0.0.1:39517\nautostart=false'),
      ].join('')}`,
    });
    await launched.waitForLine(/supervisord started/);
    const reasons = {
      port: 'address already in use (EADDRINUSE)',
      folder: 'no such file or directory (ENOENT)',
      file: 'the path exists and is not a socket',
      name: '/etc/hosts has no address for nobody.knows.invalid; use a numeric address',
    };
    for (const [name, reason] of Object.entries(reasons)) {
      assert.equal((await launched.ctl('start', name)).stdout, `${name}: ERROR (spawn error)\n`);
      const line = launched.stdout.all.find((text) => text.includes('spawnerr: ') && text.endsWith(reason));
      assert.match(
        line ?? '',
        /INFO spawnerr: Could not create FastCGI socket (tcp|unix):\/\/\S+: /,
        `${name}: ${launched.stdout.text}`,
      );
    }
    assert.match((await launched.enter(['cat', join(launched.folder, 'file.sock')])).stdout, /precious/);
    await run('python3', [
      '-c',
      'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])',
      join(launched.folder, 'stale.sock'),
    ]);
    assert.equal((await launched.ctl('start', 'stale')).stdout, 'stale: started\n');
    assert.ok((await ask(join(launched.folder, 'stale.sock'))) > 1);
    assert.equal((await launched.ctl('start', 'tcp')).stdout, 'tcp: started\n');
    await launched.waitForLine(/INFO Creating socket tcp:\/\/127\.0\.0\.1:39517$/);
    assert.equal((await launched.ctl('stop', 'tcp')).stdout, 'tcp: stopped\n');
    // The port can be used again at once.
    assert.equal((await launched.ctl('start', 'tcp')).stdout, 'tcp: started\n');
  },
);

test('the socket of a program that never comes up is closed when the program is FATAL', { skip }, async (t) => {
  const launched = await launch(t, {
    config: '[supervisord]\n[fcgi-program:crash]\ncommand=false\nsocket=unix://%FOLDER%/crash.sock\nstartretries=1\n',
  });
  await launched.waitForLine(/gave up: crash entered FATAL/);
  await launched.waitForLine(/Closing socket/);
  await until('the socket to be gone', async () =>
    lstat(join(launched.folder, 'crash.sock')).then(
      () => false,
      () => true,
    ),
  );
});

test('programs of a group: each has its own socket', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      `[supervisord]\n[group:site]\nprograms=a,b\n` +
      `${app('a', 'socket=unix://%FOLDER%/a.sock')}${app('b', 'socket=unix://%FOLDER%/b.sock')}`,
  });
  await launched.waitForLine(/success: [ab] entered RUNNING/, { count: 2 });
  assert.notEqual(await ask(join(launched.folder, 'a.sock')), await ask(join(launched.folder, 'b.sock')));
});

const skipPhp = skip || ((await isInstalled('php-cgi')) ? false : 'php-cgi is not installed');

test(
  'php-cgi: with %(process_num)d each process has a socket of its own, and restarts refuse no request',
  { skip: skipPhp },
  async (t) => {
    const launched = await launch(t, {
      files: { 'index.php': '<?php echo "served by ", getmypid(), "\\n";' },
      config:
        '[supervisord]\n[fcgi-program:php]\ncommand=php-cgi\nstartsecs=0\nnumprocs=2\n' +
        `socket=unix://%FOLDER%/php%(process_num)d.sock\n${NUMBERED}\n`,
    });
    await launched.waitForLine(/spawned: 'php_\d'/, { count: 2 });
    const request = (number: number): Promise<number> =>
      ask(join(launched.folder, `php${number}.sock`), {
        SCRIPT_FILENAME: join(launched.folder, 'index.php'),
        REQUEST_METHOD: 'GET',
        REDIRECT_STATUS: '200',
      });
    const [first, second] = await pidsOf(launched);
    assert.deepEqual([await request(0), await request(1)], [first, second]);
    for (let i = 0; i < 3; i += 1) {
      const before = await request(0);
      // One process stops, and its socket stays: the request waits for the next process.
      await launched.enter(['kill', '-9', String(before)]);
      await launched.waitForLine(/exited: php_0 \(terminated by SIGKILL/, { count: i + 1 });
      assert.notEqual(await request(0), before);
    }
    assert.equal(await request(1), second);
  },
);
