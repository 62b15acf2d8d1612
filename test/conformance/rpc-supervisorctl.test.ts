/** Supervisor's supervisorctl with our servers, over a unix socket and over TCP with a password. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, describe, test } from 'node:test';
import { realCommand } from './ctl-world.ts';
import type { FakeProgram } from '../unit/rpc/fake-api.ts';
import { inWorld, type ServerWorld } from '../unit/http/server-world.ts';

const isThere = spawnSync('sh', ['-c', 'command -v supervisorctl']).status === 0;
const credentials = { username: 'user', password: '{SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d' };
const programs: readonly FakeProgram[] = [
  { name: 'cat', group: 'g', isEchoing: true, options: { startsecs: 0 } },
  { name: 'run', group: 'g', stdout: 'hello\n', stderr: 'err\n', options: { startsecs: 0 } },
  { name: 'quick', exitAfterMs: 5, options: { startretries: 0 } },
  { name: 'noexec', objection: { fault: 'NO_FILE', reason: "can't find command 'x'" } },
];

const directory = mkdtempSync(join(tmpdir(), 'onevisor-ctl-'));
const config = join(directory, 'ctl.conf');
writeFileSync(config, '[supervisorctl]\n');
after(() => rmSync(directory, { recursive: true }));

function start(select: readonly string[], args: readonly string[]): ReturnType<typeof spawn> {
  const [command, ...first] = realCommand;
  return spawn(command, [...first, '-c', config, ...select, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function control(select: readonly string[], ...args: readonly string[]): Promise<string> {
  const child = start(select, args);
  const readAll = async (stream: Readable | null): Promise<string> => {
    let text = '';
    for await (const part of stream?.setEncoding('utf8') ?? []) text += String(part);
    return text;
  };
  const [stdout, stderr] = await Promise.all([readAll(child.stdout), readAll(child.stderr)]);
  return (stdout + stderr)
    .replace(/pid \d+, uptime [\d:]+/g, 'pid PID, uptime TIME')
    .replace(/[A-Z][a-z]{2} \d\d \d\d:\d\d [AP]M/g, 'DATE');
}

/** Returns the output of a continuous command once it matches. */
async function printed(select: readonly string[], args: readonly string[], isEnough: RegExp): Promise<string> {
  const child = start(select, args);
  let text = '';
  for await (const part of child.stdout?.setEncoding('utf8') ?? []) {
    text += String(part);
    if (isEnough.test(text)) break;
  }
  child.kill();
  return text;
}

async function exercise(world: ServerWorld, select: readonly string[]): Promise<void> {
  assert.equal(
    await control(select, 'status'),
    'g:cat                            STOPPED   Not started\n' +
      'g:run                            STOPPED   Not started\n' +
      'noexec                           STOPPED   Not started\n' +
      'quick                            STOPPED   Not started\n',
  );
  assert.equal(
    await control(select, 'start', 'g:*', 'quick', 'noexec', 'nope'),
    'g:cat: started\ng:run: started\nquick: ERROR (spawn error)\nnoexec: ERROR (no such file)\n' +
      'nope: ERROR (no such process)\n',
  );
  assert.equal(
    await control(select, 'status', 'g:run', 'quick'),
    'g:run                            RUNNING   pid PID, uptime TIME\n' +
      'quick                            FATAL     Exited too quickly (process log may have details)\n',
  );
  assert.equal(await control(select, 'start', 'g:run'), 'g:run: ERROR (already started)\n');
  assert.equal(await control(select, 'signal', 'CONT', 'g:run'), 'g:run: signalled\n');
  assert.equal(await control(select, 'tail', 'g:run'), 'hello\n\n');
  assert.equal(await control(select, 'tail', 'g:run', 'stderr'), 'err\n\n');
  assert.match(await printed(select, ['tail', '-f', 'g:run'], /hello\n/), /==> Press Ctrl-C to exit <==\nhello\n/);
  world.api.log.push('the main log\n');
  assert.match(await printed(select, ['maintail', '-f'], /the main log\n/), /the main log\n/);
  assert.equal(await control(select, 'clear', 'g:run'), 'g:run: cleared\n');
  assert.equal(await control(select, 'tail', 'g:run'), '\n');
  assert.equal(await control(select, 'pid'), '4711\n');
  assert.equal(await control(select, 'version'), '4.3.0\n');
  assert.equal(await control(select, 'reread'), 'No config updates to processes\n');
  assert.match(await control(select, 'avail'), /^g:cat {28}in use {4}manual {4}999:999$/m);
  assert.equal(await control(select, 'stop', 'all'), 'g:cat: stopped\ng:run: stopped\n');
  assert.equal(await control(select, 'stop', 'g:run'), 'g:run: ERROR (not running)\n');
  assert.equal(await control(select, 'shutdown'), 'Shut down\n');
}

/** Commands that change something, or that lead to a change. */
const CHANGES = [
  'start g:cat',
  'stop g:cat',
  'restart g:cat',
  'start all',
  'signal HUP g:cat',
  'clear g:cat',
  'reread',
  'update',
  'add g',
  'remove g',
  'shutdown',
  'reload',
];

describe(
  'the real supervisorctl',
  { skip: isThere ? false : 'no supervisorctl on this machine', concurrency: 2 },
  () => {
    test('over a unix socket', () =>
      inWorld({ programs }, async (world) => {
        await world.open();
        await exercise(world, ['-s', `unix://${world.socketPath}`]);
      }));

    test('over TCP with a password', () =>
      inWorld({ programs, credentials }, async (world) => {
        const { port } = await world.openInet();
        await exercise(world, ['-s', `http://127.0.0.1:${port}`, '-u', 'user', '-p', 'thepassword']);
      }));

    test('as users of [api_user:x]: an admin, and one that may only read', () =>
      inWorld({ programs }, async (world) => {
        const users = [
          { name: 'ops', password: 'x', role: 'admin' },
          { name: 'bob', password: credentials.password, role: 'read' },
        ] as const;
        const { port } = await world.openInet({ users });
        const server = ['-s', `http://127.0.0.1:${port}`];
        const reader = [...server, '-u', 'bob', '-p', 'thepassword'];
        assert.match(await control(reader, 'status'), /^g:cat +STOPPED/m);
        assert.match(await control(reader, 'pid'), /^4711$/m);
        const missing = /403 Forbidden: this needs the role admin, and yours is read>/;
        for (const command of CHANGES) assert.match(await control(reader, ...command.split(' ')), missing, command);
        await exercise(world, [...server, '-u', 'ops', '-p', 'x']);
      }));

    test('with a wrong password', () =>
      inWorld({ programs, credentials }, async (world) => {
        const { port } = await world.openInet();
        for (const select of [['-u', 'user', '-p', 'wrong'], ['-u', 'other', '-p', 'thepassword'], []])
          assert.match(
            await control(['-s', `http://127.0.0.1:${port}`, ...select], 'status'),
            /^Server requires authentication\n/,
          );
      }));
  },
);
