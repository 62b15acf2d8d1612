/**
 * The write-up "Supervisor: 一个 screen 的强力竞品": where the file is searched, comments with #, a group of hugo servers, two
 * supervisors at once.
 */
import assert from 'node:assert/strict';
import { cp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, untilFile } from '../e2e/observe.ts';
import { assertOrder, describeWriteUp, isRoot, standIn, withRpc, type World } from './write-up-world.ts';

const LEFT_OUT = {
  'apt install -y supervisor': 'installs a package',
  'ps -aux | grep supervisord | grep -v grep': 'looks at all of the machine; the pidfile says the same',
  "ps -aux | grep supervisord | grep -v grep | awk '{print $2}' | xargs kill -9":
    'would end every supervisord of the machine; the one of the test is killed by its pid',
};

/** "配置文件的读取顺序", with files that each have a different missing directory. */
async function searchOrder(world: World): Promise<void> {
  const places = [...world.text.matchAll(/^\d\. `(.*)`/gm)].map(([, place = '']) => place);
  assert.deepEqual(places, [
    '../etc/supervisord.conf',
    '../supervisord.conf',
    '$CWD/supervisord.conf',
    '$CWD/etc/supervisord.conf',
    '/etc/supervisord.conf',
    '/etc/supervisor/supervisord.conf',
  ]);
  world.cwd = '/work';
  const files = places.map((place) => place.replace('..', '/usr').replace('$CWD', '/work'));
  for (const [index, file] of files.entries())
    await world.place(
      file,
      `[supervisord]\nlogfile=${world.at('/nowhere')}/${index}/x\n` +
        `[supervisorctl]\nserverurl=unix://${world.at('/nowhere')}/${index}.sock\n`,
    );
  // The files under /etc are visible there only in a namespace. The accounts must stay.
  const withinEtc = (command: string): string =>
    `unshare ${isRoot ? '' : '--user --map-root-user '}--mount sh -c 'mount --bind ${world.at('/etc')} //etc ` +
    `&& exec ${command}'`;
  for (const name of ['passwd', 'group', 'nsswitch.conf', 'ld.so.cache'])
    await cp(join('/etc', name), world.at(`/etc/${name}`), { dereference: true });
  const canBind = (await world.shell(withinEtc('true'))).code === 0;
  for (const [index, file] of files.entries()) {
    const isElsewhere = !file.startsWith('/etc/');
    if (!isElsewhere && !canBind) {
      world.test.diagnostic(`not searched in ${file}: no namespaces here`);
      continue;
    }
    const within = isElsewhere ? (command: string): string => command : withinEtc;
    const { code, stderr } = await world.shell(within('supervisord'));
    assert.equal(code, 2, stderr);
    assert.ok(stderr.includes(`/nowhere/${index}/x`), `${file} is number ${index}: ${stderr}`);
    assert.match(
      (await world.shell(within('supervisorctl status'))).stdout,
      new RegExp(`/nowhere/${index}\\.sock no such file\n$`),
      file,
    );
    await rm(world.at(file));
  }
}

/** The commented main file, and the commented program in /etc/supervisor/conf.d. */
async function commented(world: World): Promise<void> {
  // The text omits the section that Supervisor needs for supervisorctl.
  await world.place(
    '/etc/supervisor/supervisord.conf',
    withRpc(world, world.block('[unix_http_server]', '# UNIX说明socket说明')),
  );
  const program = world.block('[program:test]');
  const conf = '/etc/supervisor/conf.d/test.conf';
  await world.place(conf, program);
  world.cwd = '/etc/supervisor';
  const start = 'supervisord -c /etc/supervisor/supervisord.conf';
  // There is no user `test` here. Both report it.
  const refused = await world.run(start);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /\[program:test\]|program:test|Invalid user name test/);

  const mine = program.replace('user=test ', `user=${isRoot ? 'nobody' : process.getuid?.()} `);
  const copy = (name: string, command: string): string =>
    mine.replace('[program:test]', `[program:${name}]`).replace('/bin/sleep 100', command).replaceAll('test_sv', name);
  await world.place(conf, mine);
  await world.place(
    '/etc/supervisor/conf.d/more.conf',
    [
      copy('two', '/bin/sleep 100').replace('numprocs=1 ', 'numprocs=2 '),
      copy('expected', 'sh -c "sleep 1.3; exit 2"'),
      copy('unexpected', 'sh -c "sleep 1.3; echo out; echo err >&2; exit 1"'),
      copy('fails', 'false'),
    ].join('\n'),
  );
  assert.deepEqual(await world.run(start), { code: 0, stdout: '', stderr: '' });
  assert.equal(await world.mode('/tmp/supervisor.sock'), 0o700);
  await assert.rejects(world.page(null), 'the web server is commented out');

  await world.untilStatus('test:*', /^test:test_00 +RUNNING/);
  await world.untilStatus('two:*', /^two:two_00 .*RUNNING.*\ntwo:two_01 .*RUNNING/);
  assert.equal((await stat(world.at('/tmp/test_sv.log'))).size, 0);
  // With this process_name the process is test:test_00. The bare name is that of the group, and Supervisor knows no
  // process of that name.
  assert.equal((await world.run('supervisorctl start test')).stdout, 'test: ERROR (no such process)\n');
  assert.equal(await world.ctl('stop test:test_00'), 'test:test_00: stopped\n');
  assert.equal(await world.ctl('start test:*'), 'test:test_00: started\n');

  const log = await world.untilFile(
    '/tmp/supervisord.log',
    new RegExp(
      '^(?=[^]*exited: expected_00)' +
        "(?=[^]*(spawned: 'unexpected_00'[^]*){2})" +
        '[^]*gave up: fails_00 entered FATAL state, too many start retries too quickly',
    ),
  );
  assert.match(log, /exited: expected_00 \(exit status 2; expected\)/);
  assert.match(log, /exited: unexpected_00 \(exit status 1; not expected\)/);
  // On a loaded machine `false` may outlast its startsecs and count as started. Its retries then begin again.
  const sinceSuccess = log.split('success: fails_00 entered RUNNING').at(-1) ?? '';
  assert.equal(sinceSuccess.split("spawned: 'fails_00'").length - 1, 4, 'one start and three retries');
  assert.match(await world.ctl('status expected:*'), /EXITED/);
  assert.match(await world.ctl('status fails:*'), /FATAL {5}Exited too quickly \(process log may have details\)/);
  // redirect_stderr=false: each stream has its own file.
  assert.match(await world.read('/tmp/unexpected.log'), /^(out\n)+$/);
  assert.match(await world.read('/tmp/unexpected.err'), /^(err\n)+$/);
}

/** The example: its main file, its program docs, and a blog and an api next to it. */
async function example(world: World): Promise<void> {
  const docs = world.block('[program:docs]');
  const included = [
    docs,
    docs.replaceAll('docs', 'blog'),
    '[program:api]',
    `command=${world.at('/root/app/hugo')} api`,
    `stdout_logfile=${world.at('/tmp/log/supervisor/api.log')}`,
  ]
    .join('\n')
    .replaceAll('local-blog', 'local-docs');
  await world.place('/etc/supervisord.conf', world.block('[group:hugo]'));
  for (const path of ['/var/log/supervisor', '/tmp/log/supervisor', '/mnt/d/Workspace/Git/Repo/Blog/local-docs'])
    await world.makeFolder(path);
  await world.place('/root/app/hugo', standIn('hugo'));
  world.cwd = '/etc';
  const start = 'supervisord -c /etc/supervisord.conf';
  const missing = world.move('unix:///var/run/supervisor.sock no such file\n');
  assert.equal((await world.run('supervisorctl status')).stdout, missing);

  // files= is a path, not a folder. From a folder nothing is read, and the group has no programs.
  await world.place('/root/app/supervisor/conf/hugo.conf', included);
  const refused = await world.run(start);
  assert.equal(refused.code, 2);
  assert.match(
    refused.stderr,
    world.subject.isOurs ? /docs|directory/ : /\[group:hugo\] names unknown program or fcgi-program docs/,
  );
  await rm(world.at('/root/app/supervisor/conf'), { recursive: true });
  await world.place('/root/app/supervisor/conf', included);
  assert.equal((await world.run(start)).code, 0);
  const daemon = await world.daemon('/var/run/supervisord.pid');
  assert.equal(await world.mode('/var/run/supervisor.sock'), 0o700);
  const users = Number((await world.shell('getent group users')).stdout.split(':')[2]);
  const { uid, gid } = await stat(world.at('/var/run/supervisor.sock'));
  if (isRoot) assert.deepEqual([uid, gid], [0, users]);
  assert.deepEqual([(await world.page('admin:123456')).status, (await world.page(null)).status], [200, 401]);

  await world.untilStatus('hugo:docs', /RUNNING/);
  await world.untilFile(
    '/tmp/log/supervisor/docs.out.log',
    /hugo out server -p 1314 --minify --theme book --watch -D -E -F\n/,
  );
  await world.untilFile('/tmp/log/supervisor/docs.err.log', /hugo err/);
  // The group has priority 500, the separate program 999.
  assertOrder(
    await world.read('/var/log/supervisor/supervisord.log'),
    /spawned: 'docs'/,
    /spawned: 'blog'/,
    /spawned: 'api'/,
  );

  assert.match(
    (await world.run('supervisorctl help')).stdout,
    /^\ndefault commands \(type help <topic>\):\n=+\nadd +exit +open/,
  );
  assert.match((await world.run('supervisorctl status')).stdout, /^api .*\nhugo:blog .*\nhugo:docs .*\n$/);
  // hugo is a group, which Supervisor calls hugo:*.
  assert.equal((await world.run('supervisorctl stop hugo')).stdout, 'hugo: ERROR (no such process)\n');
  assert.deepEqual((await world.ctl('stop hugo:*')).split('\n').toSorted(), [
    '',
    'hugo:blog: stopped',
    'hugo:docs: stopped',
  ]);
  assert.equal((await world.run('supervisorctl clear api')).stdout, 'api: cleared\n');
  assert.equal(await world.read('/tmp/log/supervisor/api.log'), '');
  const api = await world.pidOf('api');
  assert.deepEqual((await world.run('supervisorctl restart all')).stdout.split('\n').toSorted(), [
    '',
    'api: started',
    'api: stopped',
    'hugo:blog: started',
    'hugo:docs: started',
  ]);
  assert.notEqual(await world.pidOf('api'), api);
  assert.equal((await world.run('supervisorctl update all')).stdout, '');
  assert.equal((await world.run('supervisorctl reload')).stdout, 'Restarted supervisord\n');
  await world.untilStatus('all', /^api .*RUNNING.*\nhugo:blog .*RUNNING.*\nhugo:docs .*RUNNING/);

  await twoAtOnce(world, start, daemon);
}

/** "启动了多个 Supervisor": a second one is refused; the stale socket after kill -9 blocks nothing. */
async function twoAtOnce(world: World, start: string, daemon: number): Promise<void> {
  const second = await world.run(start);
  assert.equal(second.code, 2);
  assert.match(second.stderr, /^Error: .*(another program|Another program)/s);
  assert.equal(await world.daemon('/var/run/supervisord.pid'), daemon);
  process.kill(daemon, 'SIGKILL');
  await world.untilEnded(daemon);
  assert.ok((await stat(world.at('/var/run/supervisor.sock'))).isSocket(), 'the socket is left behind');
  assert.match(await world.ctl('status'), /refused connection/);
  const again = await world.run(start);
  assert.equal(again.code, 0);
  // Other users than root also get the message that the socket cannot be given to root.
  assert.ok(again.stderr.startsWith(world.move('Unlinking stale socket /var/run/supervisor.sock\n')), again.stderr);
  await untilFile(world.at('/var/run/supervisord.pid'), new RegExp(`^(?!${daemon}\n)\\d+\n$`));
  assert.ok(await isAlive(await world.daemon('/var/run/supervisord.pid')));
}

describeWriteUp('search-paths-and-groups', LEFT_OUT, {
  'where the file is searched': searchOrder,
  'the commented configuration': commented,
  'the example': example,
});
