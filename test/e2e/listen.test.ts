/**
 * Sockets of `listen`: a program gets them as from systemd, connections wait while it restarts, and a lazy program
 * starts at the first one. The servers are a small C program, gunicorn and php-cgi.
 */
import assert from 'node:assert/strict';
import { lstat, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isInstalled } from '../../build/rootfs.ts';
import { exchange, generateLoad, order, statusOf } from './connections.ts';
import { EXECUTABLE, launch, type Launched, pid1SkipReason } from './launch.ts';
import { compile, until } from './observe.ts';
import { freePort } from './ports.ts';

const skip = (await pid1SkipReason()) ?? ((await isInstalled('cc')) ? false : 'there is no C compiler');
const skipGunicorn = skip || ((await isInstalled('gunicorn')) ? false : 'gunicorn is not installed');

const HEAD = '[supervisord]\n[unix_http_server]\nfile=%FOLDER%/ctl.sock\n';
const NUMBERED = 'process_name=%(program_name)s_%(process_num)d';

/** The server of most tests. */
const server = skip === false ? await compile({ after: (hook) => after(hook as () => void) }, 'accepts') : '';

const tcp = (port: number): { host: string; port: number } => ({ host: '127.0.0.1', port });
const ask = (options: Parameters<typeof exchange>[0]): Promise<string> => exchange(options, 'hello\n');
const isServed = (answer: string): boolean => answer.startsWith('served by ');
const pidIn = (answer: string): number => Number(/served by (\d+)/.exec(answer)?.[1]);

async function restart(launched: Launched, name: string): Promise<void> {
  await order(launched, 'supervisor.stopProcess', name);
  await order(launched, 'supervisor.startProcess', name);
}

/** Returns the state of a process with the text of `status`. */
async function stateOf(launched: Launched, name: string): Promise<string> {
  const { statename, description } = await statusOf(launched, name);
  return `${statename} ${description}`;
}

async function configure({ folder }: Launched, text: string): Promise<void> {
  await writeFile(join(folder, 'supervisord.conf'), text.replaceAll('%FOLDER%', folder));
}

test(
  'a program has its sockets as from systemd, with owner and mode, and the paths go with it',
  { skip },
  async (t) => {
    const port = await freePort();
    const launched = await launch(t, {
      config:
        `${HEAD}[program:web]\ncommand=${server}\nuser=nobody\nnotification_fd=5\n` +
        `listen=tcp://127.0.0.1:${port};name=http, unix://%FOLDER%/app.sock;mode=0660;owner=nobody:daemon\n`,
    });
    const path = join(launched.folder, 'app.sock');
    await launched.waitForLine(new RegExp(`up: 2 sockets tcp ${path}$`));
    assert.match(await ask(tcp(port)), /at http\n$/);
    assert.match(await ask({ path }), /at web\n$/);
    const { mode, uid, gid } = await lstat(path);
    assert.deepEqual([mode & 0o7777, uid, gid], [0o660, 65_534, 1]);
    assert.match((await launched.ctl('describe', 'web')).stdout, /Sockets: tcp:\/\/127\.0\.0\.1:\d+;name=http, unix:/);
    launched.signal('SIGTERM');
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
    await assert.rejects(lstat(path), { code: 'ENOENT' });
  },
);

test('100 restarts under load: no connection is refused, and a graceful server loses none', { skip }, async (t) => {
  const port = await freePort();
  const launched = await launch(t, {
    config: `${HEAD}[program:web]\ncommand=${server}\nstartsecs=0\nlisten=tcp://127.0.0.1:${port}\n`,
  });
  await launched.waitForLine(/up: 1 sockets/);
  const load = generateLoad(tcp(port), 'hello\n', isServed);
  for (let i = 0; i < 100; i += 1) await restart(launched, 'web');
  const { served, refused, lost } = await load.stop();
  t.diagnostic(`${served} served, ${refused} refused, ${lost} lost`);
  assert.deepEqual([refused, lost], [0, 0]);
  assert.ok(served > 100, `${served}`);
  assert.equal(launched.stdout.all.filter((line) => line.includes('Creating socket')).length, 1);
});

test('a killed server loses what it has accepted, and nothing is refused', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `${HEAD}[program:web]\ncommand=${server}\nstartsecs=0\nstopsignal=KILL\nlisten=unix://%FOLDER%/app.sock\n`,
  });
  await launched.waitForLine(/up: 1 sockets/);
  const load = generateLoad({ path: join(launched.folder, 'app.sock') }, 'hello\n', isServed);
  for (let i = 0; i < 100; i += 1) await restart(launched, 'web');
  const { served, refused, lost } = await load.stop();
  t.diagnostic(`${served} served, ${refused} refused, ${lost} lost`);
  assert.equal(refused, 0);
  assert.ok(lost <= 100, `one at a time is accepted, and ${lost} are lost`);
});

test('while it is stopped, connections wait, and the next start serves them', { skip }, async (t) => {
  const port = await freePort();
  const launched = await launch(t, {
    config: `${HEAD}[program:web]\ncommand=${server}\nlisten=tcp://127.0.0.1:${port}\n`,
  });
  await launched.waitForLine(/up: 1 sockets/);
  await order(launched, 'supervisor.stopProcess', 'web');
  const waiting = ask(tcp(port));
  launched.signal('SIGHUP');
  await launched.waitForLine(/spawned: 'web'/, { count: 2 });
  assert.ok(isServed(await waiting), 'also over a restart of the supervisor with the same socket');
  await order(launched, 'supervisor.stopProcess', 'web');
  assert.equal((await launched.ctl('remove', 'web')).stdout, 'web: removed process group\n');
  await assert.rejects(ask(tcp(port)), { code: 'ECONNREFUSED' });
});

test('processes and programs that name one socket share it', { skip }, async (t) => {
  const port = await freePort();
  const launched = await launch(t, {
    config:
      `${HEAD}[program:web]\ncommand=${server}\nnumprocs=2\n${NUMBERED}\n` +
      `listen=tcp://127.0.0.1:${port}, unix://%FOLDER%/%(process_num)d.sock\n` +
      `[program:other]\ncommand=${server}\nlisten=tcp://127.0.0.1:${port}\n`,
  });
  await launched.waitForLine(/up: \d sockets/, { count: 3 });
  const pids = new Set<number>();
  for (const number of [0, 1]) pids.add(pidIn(await ask({ path: join(launched.folder, `${number}.sock`) })));
  assert.equal(pids.size, 2);
  const inodes = new Set<string>();
  for (const name of ['web_0', 'web_1', 'other']) {
    const { pid } = await statusOf(launched, name);
    inodes.add((await launched.enter(['readlink', `/proc/${pid}/fd/3`])).stdout);
  }
  assert.equal(inodes.size, 1);
});

test(
  'update: a refused socket changes nothing, and names its line; an overlapping one replaces the old',
  { skip },
  async (t) => {
    const [port, other] = [await freePort(), await freePort()];
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    t.after(() => taken.close());
    const { port: busy } = taken.address() as { port: number };
    const text = (listen: string): string => `${HEAD}[program:web]\ncommand=${server}\nstartsecs=0\nlisten=${listen}\n`;
    const launched = await launch(t, { config: text(`tcp://127.0.0.1:${port}`) });
    await launched.waitForLine(/up: 1 sockets/);
    const first = pidIn(await ask(tcp(port)));

    await configure(launched, text(`tcp://127.0.0.1:${other}, unix://%FOLDER%/new.sock, tcp://127.0.0.1:${busy}`));
    const refused = await launched.ctl('update');
    assert.equal(
      refused.stdout,
      `web: ERROR (${launched.folder}/supervisord.conf:7: [program:web] listen: cannot listen at ` +
        `tcp://127.0.0.1:${busy}: address already in use (EADDRINUSE))\n`,
    );
    assert.equal(refused.code, 1);
    assert.equal(pidIn(await ask(tcp(port))), first);
    await assert.rejects(ask(tcp(other)), { code: 'ECONNREFUSED' });
    await assert.rejects(lstat(join(launched.folder, 'new.sock')), { code: 'ENOENT' });

    await configure(launched, text(`tcp://0.0.0.0:${port}, tcp://127.0.0.1:${busy}`));
    assert.match((await launched.ctl('update')).stdout, /^web: ERROR /);
    assert.equal(pidIn(await ask(tcp(port))), first);

    await configure(launched, text(`tcp://0.0.0.0:${port}, tcp://127.0.0.1:${other}`));
    assert.equal((await launched.ctl('update')).stdout, 'web: stopped\nweb: updated process group\n');
    await launched.waitForLine(/up: 2 sockets/);
    assert.notEqual(pidIn(await ask(tcp(port))), first);
    assert.ok(isServed(await ask(tcp(other))));

    await configure(
      launched,
      `${text(`tcp://0.0.0.0:${port}`)}[program:new]\ncommand=x\nlisten=tcp://127.0.0.1:${busy}\n`,
    );
    const partly = await launched.ctl('update');
    assert.match(
      partly.stdout,
      /^web: stopped\nweb: updated process group\nnew: ERROR \(\S+:10: \[program:new\] listen: /,
    );
    assert.equal(partly.code, 1);
    await assert.rejects(ask(tcp(other)), { code: 'ECONNREFUSED' });

    await configure(
      launched,
      `${text(`tcp://0.0.0.0:${port}`)}[program:new]\ncommand=x\nlisten=tcp://127.0.0.1:${port}\n`,
    );
    assert.match((await launched.ctl('update')).stdout, /^new: ERROR \(\S+:10: \[program:new\] listen: /);
    assert.match(
      (await launched.ctl('status')).stdout,
      /^web +RUNNING [^\n]*\n$/,
      'the socket of another group is in its way',
    );
  },
);

test('paths: stale sockets are replaced; files, live sockets and planted links are not', { skip }, async (t) => {
  const launched = await launch(t, {
    files: { file: 'precious' },
    prepare: 'python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\'stale\')"; ln -s target link',
    config: `${HEAD}${['file', 'stale', 'link', 'ctl.sock']
      .map((name) => `[program:${name[0]}]\ncommand=${server}\nstartretries=0\nlisten=unix://%FOLDER%/${name}\n`)
      .join('')}`.replace('file=%FOLDER%/ctl.sock', 'file=%FOLDER%/own.sock'),
  });
  await launched.waitForLine(/f is FATAL: cannot listen at unix:\S+: the path exists and is not a socket/);
  await launched.waitForLine(/l is FATAL: cannot listen at unix:\S+: the path exists and is not a socket/);
  await launched.waitForLine(/ERRO \S+:7: \[program:f\] listen: cannot listen at unix:/);
  assert.ok(isServed(await ask({ path: join(launched.folder, 'stale') })));
  assert.equal(await readFile(join(launched.folder, 'file'), 'utf8'), 'precious');
  const path = join(launched.folder, 'ctl.sock');
  assert.ok(isServed(await ask({ path })));
  // Somebody replaces the socket: the file is not ours any more, and stays.
  await launched.enter(['sh', '-c', `rm ${path}; echo theirs > ${path}`]);
  launched.signal('SIGTERM');
  await launched.exit;
  assert.equal(await readFile(path, 'utf8'), 'theirs\n');
});

test('a lazy program starts at the first connection, and again after it has ended', { skip }, async (t) => {
  const port = await freePort();
  const launched = await launch(t, {
    config:
      `${HEAD}[program:web]\ncommand=${server} once\nstartsecs=0\n` +
      `listen=tcp://127.0.0.1:${port}\nlisten_lazy=true\n`,
  });
  await launched.waitForLine(new RegExp(`web waits for a connection to tcp://127.0.0.1:${port}$`));
  assert.equal((await launched.enter([EXECUTABLE, 'health'])).code, 0, 'it is ready');
  assert.ok(!launched.stdout.all.some((line) => line.includes('spawned')));
  const waits = `waits for a connection to tcp://127.0.0.1:${port}`;
  assert.match((await launched.ctl('status', 'web')).stdout, new RegExp(`^web +STOPPED +${waits}\n$`));
  const first = pidIn(await ask(tcp(port)));
  const second = pidIn(await ask(tcp(port)));
  assert.ok(first > 0 && second > 0 && first !== second);
  await until('it to wait', async () => /waits for a connection/.test(await stateOf(launched, 'web')));
  const { stdout } = await launched.ctl('describe', 'web');
  assert.match(stdout, /started: a connection to tcp:/);

  assert.equal((await launched.ctl('stop', 'web')).stdout, 'web: stopped\n');
  assert.doesNotMatch(await stateOf(launched, 'web'), /waits/);
  const count = launched.stdout.all.filter((line) => line.includes('spawned')).length;
  const waiting = ask(tcp(port));
  assert.doesNotMatch(await stateOf(launched, 'web'), /STARTING|RUNNING/);
  assert.equal(launched.stdout.all.filter((line) => line.includes('spawned')).length, count);
  await order(launched, 'supervisor.startProcess', 'web');
  assert.ok(isServed(await waiting));
});

test('a lazy program that accepts nothing does not keep the supervisor busy', { skip }, async (t) => {
  const [port, bad] = [await freePort(), await freePort()];
  const launched = await launch(t, {
    config:
      `${HEAD}[program:web]\ncommand=${server} never\nstartsecs=0\nlisten=tcp://127.0.0.1:${port}\nlisten_lazy=true\n` +
      `[program:bad]\ncommand=false\nstartretries=1\nlisten=tcp://127.0.0.1:${bad}\nlisten_lazy=true\n`,
  });
  await launched.waitForLine(/waits for a connection/, { count: 2 });
  const lost = [ask(tcp(port)), ask(tcp(bad))].map((asked) =>
    asked.catch((error: NodeJS.ErrnoException) => error.code),
  );
  await launched.waitForLine(/spawned: 'web'/, { count: 3 });
  const times = launched.stdout.all
    .filter((line) => line.includes("spawned: 'web'"))
    .map((line) => Date.parse(`${line.slice(0, 19).replace(' ', 'T')}.${line.slice(20, 23)}Z`));
  for (const [index, time] of times.entries())
    if (index > 0) assert.ok(time - (times[index - 1] ?? 0) >= 990, `${times.join(' ')}: a second apart`);
  await launched.waitForLine(/bad is FATAL/);
  assert.equal(await lost[1], 'ECONNRESET');
  await assert.rejects(ask(tcp(bad)), { code: 'ECONNREFUSED' }, 'a program that is given up refuses');
  const jiffies = async (): Promise<number> => {
    const fields = (await readFile(`/proc/${launched.pid}/stat`, 'latin1')).split(') ')[1]?.split(' ') ?? [];
    return Number(fields[11]) + Number(fields[12]);
  };
  await order(launched, 'supervisor.stopProcess', 'web');
  const before = await jiffies();
  await launched.enter(['sleep', '1']);
  assert.ok((await jiffies()) - before < 50, 'a connection that waits at a stopped program costs nothing');
  launched.signal('SIGTERM');
  await launched.exit;
  assert.equal(await lost[0], 'ECONNRESET');
});

test('[supervisord] user: sockets are opened as root, and belong to that user', { skip }, async (t) => {
  const launched = await launch(t, {
    prepare: 'mkdir -m 755 /run/closed',
    config:
      `[supervisord]\nuser=nobody\npidfile=/dev/null\n` +
      `[program:web]\ncommand=${server}\nlisten=unix:///run/closed/a\n`,
  });
  await launched.waitForLine(/up: 1 sockets \/run\/closed\/a$/);
  assert.match((await launched.enter(['stat', '-c', '%u %a', '/run/closed/a'])).stdout, /^65534 700$/m);
});

test('in init mode, the command has the sockets of the service manager, and its own pid', { skip }, async (t) => {
  const activator =
    'import os, socket, sys\n' +
    's = socket.socket(socket.AF_UNIX); s.bind("%FOLDER%/passed"); s.listen()\n' +
    'os.dup2(s.fileno(), 3); os.set_inheritable(3, True)\n' +
    'os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="web")\n' +
    'os.execv(sys.argv[1], sys.argv[1:])\n';
  const launched = await launch(t, {
    files: { 'activator.py': activator },
    under: ['python3', 'activator.py'],
    args: ['--', server],
  });
  await launched.stdout.waitFor(new RegExp(`^up: 1 sockets ${launched.folder}/passed$`));
  assert.match(await ask({ path: join(launched.folder, 'passed') }), /at web\n$/);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });

  const supervised = await launch(t, {
    files: { 'activator.py': activator },
    under: ['python3', 'activator.py'],
    config: `[supervisord]\n[program:web]\ncommand=${server}\nexitcodes=3\nautorestart=false\n`,
  });
  await supervised.waitForLine(/WARN the sockets of LISTEN_FDS=1 are not passed on: only a command after --/);
  await supervised.waitForLine(/not activated: LISTEN_PID=$/);
});

test('a program that removes its path at its end gets a new socket at its next start', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `${HEAD}[program:web]\ncommand=${server}\nstartsecs=0\nlisten=unix://%FOLDER%/a.sock\n`,
  });
  const path = join(launched.folder, 'a.sock');
  await launched.waitForLine(/up: 1 sockets/);
  await launched.enter(['rm', path]);
  await restart(launched, 'web');
  await launched.waitForLine(/WARN a program has removed unix:\S+\/a\.sock; it is created again/);
  assert.ok(isServed(await ask({ path })));
});

const APP = `def app(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', '7')])
    return [b'served\\n']
`;

test('gunicorn restarts under load, and no request is refused or lost', { skip: skipGunicorn }, async (t) => {
  const port = await freePort();
  const launched = await launch(t, {
    files: { 'app.py': APP },
    config:
      `${HEAD}[program:web]\ncommand=/usr/bin/gunicorn --chdir %FOLDER% --pythonpath %FOLDER% app:app\nstartsecs=0\n` +
      `listen=tcp://127.0.0.1:${port}\n`,
  });
  await launched.waitForLine(/Creating socket/);
  const load = generateLoad(tcp(port), 'GET / HTTP/1.0\r\n\r\n', (answer) => answer.endsWith('served\n'));
  for (let i = 1; i <= 5; i += 1) {
    await launched.waitForLine(/Booting worker with pid/, { count: i });
    await restart(launched, 'web');
  }
  await launched.waitForLine(/Booting worker with pid/, { count: 6 });
  const { served, refused, lost } = await load.stop();
  t.diagnostic(`${served} served, ${refused} refused, ${lost} lost`);
  assert.deepEqual([refused, lost], [0, 0]);
  assert.ok(served > 0);
});

test('a directory with a link of another user is not entered', { skip }, async (t) => {
  const launched = await launch(t, {
    prepare: 'mkdir -m 1777 /run/open; mkdir /run/target; ln -s /run/target /run/open/d; chown -h nobody /run/open/d',
    config: `${HEAD}[program:web]\ncommand=${server}\nstartretries=0\nlisten=unix:///run/open/d/a.sock\n`,
  });
  await launched.waitForLine(/cannot listen at unix:\S+: the symbolic link \/run\/open\/d belongs to another user/);
});
