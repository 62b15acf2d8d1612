/**
 * The Dockerfile at the top: it builds from the files in git, and the image is as its first lines describe. The base
 * image node:24-bookworm is made here from Debian's compiler and the Node and npm of this machine.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { buildImage, image, IMAGES, runContainer, skipReason } from './containers.ts';

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

  const licences = await runContainer(t, {
    image: { tag: TAG },
    mountExecutable: false,
    flags: ['--entrypoint=cat'],
    command: ['/THIRD_PARTY_LICENSES.txt'],
  });
  assert.match(licences.stdout, /^Node\.js \d+[^]*Permission is hereby granted/m);

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
