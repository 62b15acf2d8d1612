/**
 * The Dockerfile at the top: it builds from the files in git, and the image is as its first lines describe. The base
 * image node:24-bookworm is made here from Debian's compiler and the Node and npm of this machine.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { buildImage, image, IMAGES, runContainer, skipReason, startContainer } from './containers.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
const TAG = 'localhost/onevisor:test';

const skip = (await skipReason()) ?? false;

test('Dockerfile: the image has the executable, the links, and the licences', { skip, timeout: 600_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-image-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await makeNodeImage(join(folder, 'node'));
  await image('slim');
  await buildImage(ROOT, TAG, '--no-cache');

  const direct = await runContainer(t, { image: { tag: TAG }, mountExecutable: false, command: ['--version'] });
  assert.equal(direct.code, 0, direct.stderr);
  assert.match(direct.stdout, /4\.3\.0/);
  const link = await runContainer(t, {
    image: { tag: TAG },
    mountExecutable: false,
    flags: ['--entrypoint=supervisord'],
    command: ['--version'],
  });
  assert.equal(link.stdout.trim(), '4.3.0', link.stderr);

  await lookAtImage(t);

  // The Dockerfile of a user.
  await writeFile(
    join(folder, 'Dockerfile'),
    `FROM debian:bookworm-slim\nCOPY --from=${TAG} /onevisor /usr/local/bin/\nENTRYPOINT ["onevisor"]\n`,
  );
  await buildImage(folder, 'localhost/onevisor-user:test');
  const user = await runContainer(t, {
    image: { tag: 'localhost/onevisor-user:test' },
    mountExecutable: false,
    command: ['--version'],
    flags: ['--read-only', '--read-only-tmpfs=false', '--user=1000'],
  });
  assert.equal(user.code, 0, user.stderr);
  assert.match(user.stdout, /4\.3\.0/);
  const init = await runContainer(t, {
    image: { tag: 'localhost/onevisor-user:test' },
    mountExecutable: false,
    command: ['--', 'sh', '-c', 'echo as $(id -u); exit 7'],
    flags: ['--read-only', '--read-only-tmpfs=false', '--user=1000'],
  });
  assert.equal(init.code, 7, init.stderr);
  assert.match(init.stdout, /^as 1000$/m);
  await makeLinksFromScratch(t, join(folder, 'scratch'));
});

/** Names of the files in the image. */
const CONTENTS = [
  'THIRD_PARTY_LICENSES.txt',
  'onevisor',
  ...['echo_supervisord_conf', 'onevisor', 'pidproxy', 'supervisorctl', 'supervisord'].map(
    (name) => `usr/local/bin/${name}`,
  ),
];

/** Checks that nothing but our files is in the image, that the licences are complete, and that programs run in it. */
async function lookAtImage(t: TestContext): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-look-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await buildImage(ROOT, TAG, '--output', `type=local,dest=${folder}`);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  // podman leaves the files in etc/ that it makes for a step.
  const own = names.map((name) => relative(folder, name)).filter((name) => !name.startsWith('etc/'));
  assert.deepEqual(own.sort(), CONTENTS);
  const licences = await readFile(join(folder, 'THIRD_PARTY_LICENSES.txt'), 'utf8');
  assert.match(licences, /^Node\.js \d+[^]*Permission is hereby granted/m);

  const demo = await runContainer(t, { image: { tag: TAG }, mountExecutable: false, command: ['demo'] });
  assert.equal(demo.code, 1);
  assert.match(demo.stderr, /^Error: cannot run the demo: its programs need \/bin\/sh/);
  const container = await startContainer(t, {
    image: { tag: TAG },
    mountExecutable: false,
    env: {
      ONEVISOR_PROGRAM_LISTENER: '/onevisor pidproxy /none /onevisor',
      ONEVISOR_PROGRAM_LISTENER__AUTOSTART: 'false',
    },
  });
  await container.waitForLine(/supervisord started/);
  const status = await container.exec('supervisorctl', 'status');
  assert.match(status.stdout, /^listener +STOPPED/, status.stderr);
  await container.stop();
  assert.equal(await container.exit, 0);
}

/** Makes the links where there is no shell, in the step that the manual shows (images.md). */
async function makeLinksFromScratch(t: TestContext, folder: string): Promise<void> {
  const tag = 'localhost/onevisor-scratch:test';
  await mkdir(folder);
  await writeFile(
    join(folder, 'Dockerfile'),
    `FROM scratch\nCOPY --from=${TAG} /onevisor /usr/local/bin/\nRUN ["onevisor", "install", "/usr/local/bin"]\n`,
  );
  await buildImage(folder, tag);
  const flags = ['--entrypoint=supervisord'];
  const link = await runContainer(t, { image: { tag }, mountExecutable: false, flags, command: ['--version'] });
  assert.equal(link.stdout.trim(), '4.3.0', link.stderr);
}

/** Makes localhost/node:24-bookworm, which `FROM node:24-bookworm` finds before any registry. */
async function makeNodeImage(folder: string): Promise<void> {
  await image('compiler');
  await mkdir(folder);
  await copyFile(process.execPath, join(folder, 'node'));
  const modules = (await run('npm', ['root', '--global'])).stdout.trim();
  await cp(join(modules, 'npm'), join(folder, 'npm'), { recursive: true, dereference: true });
  // Behind an inspecting proxy, a machine trusts more authorities than Debian does. A build there needs them too.
  const authorities = (await run('npm', ['config', 'get', 'cafile'])).stdout.trim();
  const known = authorities !== 'null' && authorities !== '';
  if (known) await copyFile(authorities, join(folder, 'ca.crt'));
  await writeFile(join(folder, 'npmrc'), known ? 'cafile=/usr/local/etc/ca.crt\n' : '');
  await writeFile(
    join(folder, 'Dockerfile'),
    [
      `FROM ${IMAGES.compiler.tag}`,
      'COPY node /usr/local/bin/node',
      'COPY npm /usr/local/lib/node_modules/npm',
      `COPY npmrc ${known ? 'ca.crt ' : ''}/usr/local/etc/`,
      'RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && ln -s gcc /usr/bin/cc || true',
    ].join('\n'),
  );
  await buildImage(folder, 'localhost/node:24-bookworm');
}
