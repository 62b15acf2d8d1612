/**
 * Paths where another user has created links, in a directory like /tmp: pid file, logs, sockets, files with variables.
 */
import assert from 'node:assert/strict';
import { chmod, lchown, lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { launch, pid1SkipReason } from './launch.ts';

const NOBODY = 65_534;
const skip =
  process.getuid?.() === 0 ? ((await pid1SkipReason()) ?? false) : 'only root can give a link to another user';

const NAMES = ['pid', 'main.log', 'out.log', 'env', 'directory'];
const PLACE = 'in a directory that everybody can write to, so it is not followed';
const REASON = `belongs to another user \\(uid ${NOBODY}\\), ${PLACE}`;

/** Creates a directory like /tmp with links of an unprivileged user. They lead to the directory `goal` next to it. */
async function makeTrap(t: TestContext): Promise<string> {
  const trap = await mkdtemp(join(tmpdir(), 'onevisor-trap-'));
  t.after(() => rm(trap, { recursive: true }));
  await mkdir(join(trap, 'goal'));
  await mkdir(join(trap, 'tmp'));
  await chmod(join(trap, 'tmp'), 0o1777);
  await writeFile(join(trap, 'goal/env'), 'STOLEN=yes\n');
  for (const name of NAMES) {
    await symlink(name === 'directory' ? join(trap, 'goal') : join(trap, 'goal', name), join(trap, 'tmp', name));
    await lchown(join(trap, 'tmp', name), NOBODY, NOBODY);
  }
  return trap;
}

test('no file is written or read through such a link, and each is reported', { skip }, async (t) => {
  const trap = await makeTrap(t);
  const launched = await launch(t, {
    config:
      `[supervisord]\nlogfile=${trap}/tmp/main.log\npidfile=${trap}/tmp/pid\n` +
      `[program:a]\ncommand=sh -c "while echo said; do sleep 0.1; done"\n` +
      `stdout_logfile=${trap}/tmp/out.log, /dev/stdout\n` +
      `[program:b]\ncommand=env\nenvironment_file=${trap}/tmp/env\nstartretries=0\n` +
      `[fcgi-program:c]\ncommand=cat\nsocket=unix://${trap}/tmp/directory/fcgi\nstartretries=0\n`,
  });
  await Promise.all([
    launched.waitForLine(/^said$/),
    ...NAMES.map((name) => launched.waitForLine(new RegExp(`the symbolic link ${trap}/tmp/${name} ${REASON}`))),
  ]);
  assert.deepEqual(await readdir(join(trap, 'goal')), ['env']);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  for (const name of NAMES) assert.ok((await lstat(join(trap, 'tmp', name))).isSymbolicLink(), name);
});

test('a control socket is not created behind such a link', { skip }, async (t) => {
  const trap = await makeTrap(t);
  const launched = await launch(t, { config: `[supervisord]\n[unix_http_server]\nfile=${trap}/tmp/directory/sock\n` });
  await launched.waitForLine(
    new RegExp(`cannot listen on ${trap}/tmp/directory/sock: the symbolic link ${trap}/tmp/directory ${REASON}`),
  );
  assert.deepEqual(await launched.exit, { code: 2, signal: null });
  assert.deepEqual(await readdir(join(trap, 'goal')), ['env']);
});

test('links of the owner of the directory are followed', { skip }, async (t) => {
  const own = await mkdtemp(join(tmpdir(), 'onevisor-own-'));
  t.after(() => rm(own, { recursive: true }));
  await chmod(own, 0o1777);
  await mkdir(join(own, 'goal'));
  for (const name of ['pid', 'out.log']) await symlink(`goal/${name}`, join(own, name));
  const launched = await launch(t, {
    config:
      `[supervisord]\npidfile=${own}/pid\n[program:a]\ncommand=sh -c "echo said; exec sleep 1000"\n` +
      `stdout_logfile=${own}/out.log\n`,
  });
  await launched.waitForLine(/success: a entered RUNNING state/);
  assert.equal(await readFile(join(own, 'goal/pid'), 'utf8'), '1\n');
  assert.equal((await launched.ctl('tail', 'a')).stdout, 'said\n\n');
  assert.equal(await readFile(join(own, 'goal/out.log'), 'utf8'), 'said\n');
});
