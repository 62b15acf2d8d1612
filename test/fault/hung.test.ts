/**
 * A file system that hangs under any file that the supervisor opens while it runs. Clients are answered,
 * children are reaped, and TERM ends the supervisor all the time.
 */
import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test, type TestContext } from 'node:test';
import { until } from '../e2e/observe.ts';
import { type HungFiles, hungSkipReason, mountHung } from './hung.ts';
import { type Info, killAndAwait, startWorld, type World } from './world.ts';

const OPTIONS = 'startsecs=0\nautostart=false\nstopwaitsecs=2\nstdout_logfile=NONE\nstderr_logfile=NONE';

const CONFIG = `[unix_http_server]
file=%FOLDER%/ctl.sock
[supervisord]
nodaemon=true
logfile=%FOLDER%/main.log
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:steady]
command=sleep 86401
startsecs=0
[program:near]
command=sleep 86404
restart_on_change=%FOLDER%/watched/*
startsecs=0
[program:program]
command=%FOLDER%/far/program
${OPTIONS}
[program:interpreter]
command=%FOLDER%/script
${OPTIONS}
[program:directory]
command=sleep 86407
directory=%FOLDER%/far/directory
${OPTIONS}
[program:user]
command=sleep 86408
user=nobody
${OPTIONS}
[program:log]
command=sh -c 'while sleep 0.01; do echo a line; done'
startsecs=0
autostart=false
stopwaitsecs=2
stdout_logfile=%FOLDER%/far/log
stdout_logfile_maxbytes=0
stderr_logfile=NONE
[program:watched]
command=sleep 86409
restart_on_change=%FOLDER%/far/watched
${OPTIONS}
`;

/** Programs and sections with files that are looked at again while the supervisor runs. */
const LATER = `
[program:hooks]
command=sleep 86411
stop_command=%FOLDER%/far/program
post_stop_command=%FOLDER%/far/program
reload_command=%FOLDER%/far/program
startsecs=0
[program:before]
command=sleep 86412
pre_start_command=%FOLDER%/far/program
${OPTIONS}
[program:checked]
command=sleep 86413
healthcheck=%FOLDER%/far/program
healthcheck_interval=1
healthcheck_retries=1
startsecs=0
[program:connected]
command=sleep 86414
healthcheck=unix://%FOLDER%/far/socket
healthcheck_interval=1
healthcheck_retries=1
startsecs=0
[program:variables]
command=sleep 86415
environment_file=%FOLDER%/far/log
${OPTIONS}
[program:secret]
command=sleep 86416
environment=TOKEN_FILE="%FOLDER%/far/log"
expand_file_variables=TOKEN
${OPTIONS}
[program:listening]
command=sleep 86417
listen=unix://%FOLDER%/far/socket
autostart=false
[fcgi-program:accepting]
command=sleep 86418
socket=unix://%FOLDER%/far/accepting
startsecs=0
[program:remote]
command=sh -c 'while sleep 0.1; do echo a line; done'
stdout_logfile=syslog+tls://127.0.0.1:1?ca=%FOLDER%/far/log
startsecs=0
autostart=false
[notify:command]
events=fatal
command=%FOLDER%/far/program
[notify:url]
events=fatal
url_file=%FOLDER%/far/log
[notify:authority]
events=fatal
url=https://127.0.0.1:1/
ca_file=%FOLDER%/far/log
[dashboard]
peers=one=http://127.0.0.1:1, two=unix://%FOLDER%/far/socket
peers_username=one
peers_password_file=%FOLDER%/far/log
peers_insecure=true
[api_user:one]
role=read
password_file=%FOLDER%/far/log
`;

/** More logs than the pool has threads, and one on a local disk. */
const LOGS = `
[program:many]
command=sh -c 'while sleep 0.05; do echo a line; done'
process_name=many%(process_num)d
numprocs=10
stdout_logfile=%FOLDER%/far/log%(process_num)d
stdout_logfile_maxbytes=0
stderr_logfile=NONE
startsecs=0
autostart=false
[program:local]
command=sh -c 'while sleep 0.05; do echo a line; done'
stdout_logfile=%FOLDER%/local.log
startsecs=0
`;

/** Longest time of an answer. Without the guard there is none while the file system hangs. */
const ANSWER_MS = 10_000;
/** Time within which TERM ends everything, also on a busy machine. */
const END_MS = 20_000;
const NUMBER_OF_ANSWERS = 20;

const SILENT = /cannot be reached: the file system \S+ \(fuse\.hung\) does not answer/;

const skip = (await hungSkipReason()) ?? false;

interface Scene {
  readonly world: World;
  readonly files: HungFiles;
  readonly infoOf: (name: string) => Promise<Info>;
}

async function begin(context: TestContext, more = '', ours = ''): Promise<Scene> {
  const world = await startWorld(context, {
    config: CONFIG.replace('[supervisord]', `[supervisord]\n${ours}`) + more,
    files: {
      'watched/file': 'a',
      'far/.keep': '',
      'far/log': 'secret',
      'directory/.keep': '',
      script: '#!%FOLDER%/far/program\n',
    },
    prepare: 'chmod 755 .',
  });
  await world.app.waitForLine(/success: steady/);
  const files = await mountHung(context, world.app.pid, world.path('far'));
  // The kernel learns that a close need not wait.
  await world.app.enter(['sh', '-c', ': >> far/log']);
  const infoOf = async (name: string): Promise<Info> => (await world.call('supervisor.getProcessInfo', name)) as Info;
  return { world, files, infoOf };
}

/** Asks for the status again and again. Returns the longest time of an answer in milliseconds. */
async function slowestAnswer({ world }: Scene): Promise<number> {
  let slowest = 0;
  for (let count = 0; count < NUMBER_OF_ANSWERS; count += 1) {
    const began = performance.now();
    await world.processes(ANSWER_MS);
    slowest = Math.max(slowest, performance.now() - began);
  }
  return slowest;
}

/** Looks at everything that must go on while files hang, and then ends the supervisor. */
async function goesOn(context: TestContext, scene: Scene): Promise<void> {
  const { world } = scene;
  const slowest = await slowestAnswer(scene);
  await killAndAwait(world, 'steady', '86401');
  context.diagnostic(`slowest of ${NUMBER_OF_ANSWERS} answers: ${slowest.toFixed(0)} ms`);
}

/** Reads a configuration again whose files and directories are on the file system that hangs. */
async function reloads({ world }: Scene): Promise<void> {
  const more =
    '\n[program:added]\ncommand=sleep 86410\nautostart=false\nstdout_logfile=%FOLDER%/far/logs/a.log\n' +
    'directory=%FOLDER%/far/directory\n';
  await writeFile(world.path('supervisord.conf'), (CONFIG + more).replaceAll('%FOLDER%', world.app.folder));
  const answer = await world.call('supervisor.reloadConfig');
  assert.deepEqual(answer, [[['added'], [], []]]);
}

async function ends(context: TestContext, { world }: Scene): Promise<void> {
  const began = performance.now();
  world.app.signal('SIGTERM');
  const ending = await Promise.race([
    world.app.exit,
    new Promise((resolve) => setTimeout(() => resolve('it has not ended'), END_MS).unref()),
  ]);
  assert.deepEqual(ending, { code: 0, signal: null }, world.log().slice(-10).join('\n'));
  context.diagnostic(`TERM to the end: ${(performance.now() - began).toFixed(0)} ms`);
}

const untilState = ({ infoOf }: Scene, name: string, state: string): Promise<Info> =>
  until(`${name} to be ${state}`, async () => {
    const info = await infoOf(name);
    return info.statename === state && info;
  });

/** Reads a page over the control socket. */
function getText(socketPath: string, path: string, timeout = ANSWER_MS): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ socketPath, path, timeout }, (response) => void text(response).then(resolve, reject))
      .on('timeout', () => reject(new Error(`no answer to ${path}`)))
      .on('error', reject);
  });
}

describe('a file system that hangs', { skip, concurrency: 2 }, () => {
  for (const name of ['program', 'interpreter', 'directory', 'user'])
    test(`under the ${name} of a program`, async (context) => {
      const scene = await begin(context);
      const { world, files, infoOf } = scene;
      if (name === 'user') {
        const there = await world.app.enter(['mount', '--bind', world.path('far/log'), '/etc/passwd']);
        assert.equal(there.code, 0, there.stderr);
      } else {
        await world.call('supervisor.startProcess', name);
        await world.call('supervisor.stopProcess', name);
      }
      await files.hang();
      await world.call('supervisor.startProcess', name, false);
      await goesOn(context, scene);
      const { spawnerr } = await until('the reason', async () => {
        const info = await infoOf(name);
        return info.spawnerr !== '' && info;
      });
      assert.match(spawnerr, /cannot be reached: the file system \S+ \(fuse\.hung\) does not answer/);
      await files.answer();
      if (name !== 'user') await untilState(scene, name, 'RUNNING');
      await files.hang();
      await world.call('supervisor.stopProcess', name, false).catch(() => undefined);
      await world.call('supervisor.startProcess', name, false).catch(() => undefined);
      await ends(context, scene);
    });

  test('under a log', async (context) => {
    const scene = await begin(context);
    const { world, files } = scene;
    await world.call('supervisor.startProcess', 'log');
    await files.hang();
    await goesOn(context, scene);
    await reloads(scene);
    await files.answer();
    await untilState(scene, 'log', 'RUNNING');
    await files.hang();
    await ends(context, scene);
  });

  test('under many logs, and under their readers', async (context) => {
    const scene = await begin(context, LOGS);
    const { world, files } = scene;
    await world.call('supervisor.startProcessGroup', 'many');
    const goesOnLogging = async (): Promise<void> => {
      const { size } = await stat(world.path('local.log'));
      await until('the local log to grow', async () => (await stat(world.path('local.log'))).size > size);
    };
    await files.hang();
    // Until all of them have something to write.
    await sleep(500);
    await goesOnLogging();
    const ofFirst = encodeURIComponent('many:many0');
    const reads = Array.from({ length: 10 }, (_, index) => [
      getText(world.path('ctl.sock'), `/tail.html?processname=many%3Amany${index}`),
      getText(world.path('ctl.sock'), `/api/v1/logs/files?name=many%3Amany${index}`),
      getText(world.path('ctl.sock'), `/logtail/${ofFirst}/stdout`, 1000),
    ]).flat();
    for (const read of reads) read.catch(() => undefined);
    await sleep(500);
    await goesOnLogging();
    await goesOn(context, scene);
    assert.match(await reads[1]!, SILENT);
    await ends(context, scene);
    const last = (await readFile(world.path('main.log'), 'utf8')).split('\n').slice(-15).join('\n');
    assert.match(last, /cannot write the last \d+ lines? .* to \S+far\/log9: /);
  });

  test('under watched files', async (context) => {
    const scene = await begin(context);
    const { world, files } = scene;
    await files.hang();
    await world.call('supervisor.startProcess', 'watched', false);
    await goesOn(context, scene);
    const before = (await scene.infoOf('near')).pid;
    await writeFile(world.path('watched/file'), 'changed');
    await until('the near program to be restarted', async () => (await scene.infoOf('near')).pid !== before);
    assert.match(await readFile(world.path('main.log'), 'utf8'), /does not answer/);
    await ends(context, scene);
  });

  test('under hooks, checks, messages, secrets and sockets', async (context) => {
    const scene = await begin(context, LATER, 'pidfile=%FOLDER%/far/pid');
    const { world, files, infoOf } = scene;
    await untilState(scene, 'connected', 'RUNNING');
    await files.hang();
    const refusals = new Map<string, Promise<string>>();
    const call = async (method: string, ...words: readonly (string | boolean)[]): Promise<void> => {
      const answer = world.call(method, ...words).then(String, String);
      refusals.set(`${method} ${words[0]}`, answer);
      // A call that makes the supervisor hang is the one before the answer that does not come.
      await world
        .processes(ANSWER_MS)
        .catch((error: unknown) => assert.fail(`${method} ${words[0]}: ${String(error)}`));
    };
    for (const name of ['before', 'variables', 'secret', 'listening', 'remote'])
      await call('supervisor.startProcess', name, false);
    await call('onevisor.getLaunchSettings', 'variables');
    await call('onevisor.reloadProcess', 'hooks');
    for (const name of ['command', 'url', 'authority']) await call('onevisor.testNotification', name);
    await call('supervisor.reloadConfig');
    const peers = getText(world.path('ctl.sock'), '/api/v1/peers');
    await goesOn(context, scene);
    assert.match(await refusals.get('onevisor.getLaunchSettings variables')!, SILENT);
    assert.match(await refusals.get('supervisor.reloadConfig undefined')!, SILENT);
    for (const name of ['command', 'url', 'authority'])
      assert.match(await refusals.get(`onevisor.testNotification ${name}`)!, SILENT);
    for (const name of ['before', 'variables', 'secret', 'listening'])
      await until(`${name} to be refused`, async () => SILENT.test((await infoOf(name)).spawnerr));
    assert.equal(typeof (await peers), 'string');
    await until('the peers to be refused', async () =>
      SILENT.test(await getText(world.path('ctl.sock'), '/api/v1/peers')),
    );
    for (const name of ['checked', 'connected'])
      await until(`the check of ${name}`, async () => SILENT.test(JSON.stringify(await infoOf(name))));
    await until('the server to be lost', () => world.log().some((line) => /syslog\+tls.*cannot be reached/.test(line)));
    await call('supervisor.stopProcess', 'hooks');
    await until('the hooks to fail', () =>
      ['reload_command', 'stop_command', 'post_stop_command'].every((hook) =>
        world.log().some((line) => line.includes(hook) && SILENT.test(line)),
      ),
    );
    await ends(context, scene);
  });

  test('under files of the configuration', async (context) => {
    const scene = await begin(context, '\n[include]\nfiles=%FOLDER%/far/*.conf\n');
    const { world, files } = scene;
    const none = [[[], [], []]];
    assert.deepEqual(await world.call('supervisor.reloadConfig'), none);
    await files.hang();
    const refused = world.call('supervisor.reloadConfig').then(() => 'read', String);
    world.app.signal('SIGHUP');
    await goesOn(context, scene);
    assert.match(await refused, /cannot read the files: \S+far cannot be reached: the file system .* does not answer/);
    await until('the refusal of SIGHUP', () => world.log().some((line) => line.includes('cannot reload')));
    await files.answer();
    await until('the files to be read', async () => {
      const answer = await world.call('supervisor.reloadConfig').catch(() => null);
      return JSON.stringify(answer) === JSON.stringify(none);
    });
    await files.hang();
    await ends(context, scene);
  });
});
