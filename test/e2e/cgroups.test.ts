/** Control groups of programs, in the cgroup v2 of this machine: a new group in it is made for each test. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { findCgroup } from '../../src/core/cgroup-limits.ts';
import { until } from './observe.ts';
import { type Launched, launch, pid1SkipReason } from './launch.ts';

const own = findCgroup(readFileSync('/proc/self/mountinfo', 'latin1'), readFileSync('/proc/self/cgroup', 'latin1'));

/** Makes a group that the supervisor is moved into; null if that is not possible here. */
function makeGroup(): string | null {
  const path = join(own ?? '/nowhere', `onevisor-test-${process.pid}-${Date.now()}`);
  try {
    mkdirSync(path);
    return path;
  } catch {
    return null;
  }
}

/** Removes a group with those below it, when its processes have ended. */
async function removeGroup(path: string): Promise<void> {
  await until('the groups are empty', () => {
    try {
      for (const entry of readdirSync(path, { withFileTypes: true }))
        if (entry.isDirectory()) rmdirSync(join(path, entry.name));
      rmdirSync(path);
      return true;
    } catch {
      return false;
    }
  });
}

const probe = makeGroup();
if (probe !== null) rmdirSync(probe);
const skip = (await pid1SkipReason()) ?? (probe === null ? 'no cgroup v2 that can be written to' : false);

/** Starts the supervisor in a new group, which is removed after it. */
async function launchInGroup(t: TestContext, config: string): Promise<{ launched: Launched; path: string }> {
  const path = makeGroup();
  assert.ok(path !== null);
  const launched = await launch(t, { config, prepare: `echo $$ >${path}/cgroup.procs` });
  // Registered after the hooks of the launch, which end its processes.
  t.after(() => removeGroup(path));
  return { launched, path };
}

test('kill_orphans=cgroup ends also what has left the process group', { skip }, async (t) => {
  const { launched, path } = await launchInGroup(
    t,
    `[supervisord]
[unix_http_server]
file=%FOLDER%/s.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[program:web]
command=sh -c "(setsid sh -c 'sleep 4242 & sleep 4243 & wait' &); exec sleep 4244"
kill_orphans=cgroup
[program:next]
command=sleep 1000
`,
  );
  await launched.waitForLine(/web entered RUNNING/);
  const members = (): string[] =>
    readFileSync(join(path, 'onevisor-web:web', 'cgroup.procs'), 'latin1')
      .split('\n')
      .filter(Boolean);
  await until('all processes are in the group', () => members().length === 4);
  const status = JSON.parse((await launched.ctl('status', '--stats', '--json', 'web')).stdout);
  assert.equal(status[0].usage.processes, 4, JSON.stringify(status[0].usage));
  await launched.ctl('stop', 'web');
  await launched.waitForLine(/stopping the remaining processes of the group of 'web' \(kill_orphans\)/);
  await until('none is left', () => members().length === 0);
  assert.equal((await launched.ctl('start', 'web')).stdout, 'web: started\n');
  await until('the group is used again', () => members().length === 4);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.deepEqual(
    readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory()),
    [],
    'the groups are removed',
  );
});

test('a limit whose controller is not there is said once, and the program runs', { skip }, async (t) => {
  const { launched, path } = await launchInGroup(
    t,
    '[supervisord]\n[program:web]\ncommand=sleep 1000\npids_max=50\nmemory_max=100MB\n',
  );
  const available = readFileSync(join(path, 'cgroup.controllers'), 'latin1').split(/\s+/);
  await launched.waitForLine(/web entered RUNNING/);
  const text = `${launched.stdout.text}${launched.stderr.text}`;
  const read = (file: string): string => readFileSync(join(path, 'onevisor-web:web', file), 'latin1');
  if (available.includes('pids')) assert.equal(read('pids.max'), '50\n');
  else assert.match(text, /cannot set pids_max for 'web': the controller pids is not available in .*; without effect/);
  if (available.includes('memory')) assert.equal(read('memory.max'), `${100 * 1024 * 1024}\n`);
  else assert.match(text, /memory_max is checked every 10 seconds, as max_memory/);
});
