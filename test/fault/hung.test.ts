/**
 * A file system that hangs under a program, its directory, its log, the users, or watched files. Clients are answered,
 * children are reaped, and TERM ends the supervisor all the time.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
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

/** Longest time of an answer. Without the guard there is none while the file system hangs. */
const ANSWER_MS = 10_000;
/** Time within which TERM ends everything, also on a busy machine. */
const END_MS = 20_000;
const NUMBER_OF_ANSWERS = 20;

const skip = (await hungSkipReason()) ?? false;

interface Scene {
  readonly world: World;
  readonly files: HungFiles;
  readonly infoOf: (name: string) => Promise<Info>;
}

async function begin(context: TestContext, more = ''): Promise<Scene> {
  const world = await startWorld(context, {
    config: CONFIG + more,
    files: { 'watched/file': 'a', 'far/.keep': '', 'directory/.keep': '' },
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

describe('a file system that hangs', { skip, concurrency: 2 }, () => {
  for (const name of ['program', 'directory', 'user'])
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
