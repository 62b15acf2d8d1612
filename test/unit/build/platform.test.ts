/** Facts about sources and compilers: the commit that an executable names, and a missing compiler. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { checkedOutCommit, compilerVersion, pathWithoutShims } from '../../../build/platform.ts';
import { isInstalled } from '../../../build/rootfs.ts';

const run = promisify(execFile);
const skip = (await isInstalled('git')) ? false : 'git is not installed';

test('changed files, and sources that git does not have, make a commit dirty', { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-commit-'));
  t.after(() => rm(folder, { recursive: true }));
  const git = (...args: string[]): Promise<unknown> =>
    run('git', ['-c', 'user.name=a', '-c', 'user.email=a@localhost', ...args], { cwd: folder });
  assert.equal(await checkedOutCommit(folder), null);

  await mkdir(join(folder, 'src'));
  await writeFile(join(folder, 'src', 'one.ts'), '');
  await writeFile(join(folder, '.gitignore'), '*.log\n');
  await git('init', '--quiet');
  await git('add', '.');
  await git('commit', '--quiet', '--message=first');
  await writeFile(join(folder, 'notes'), 'in no build');
  await writeFile(join(folder, 'src', 'a.log'), 'ignored');
  const clean = await checkedOutCommit(folder);
  assert.match(clean ?? '', /^[\da-f]{40}$/);

  await writeFile(join(folder, 'src', 'two.ts'), '');
  assert.equal(await checkedOutCommit(folder), `${clean}-dirty`);
  await rm(join(folder, 'src', 'two.ts'));
  await writeFile(join(folder, '.gitignore'), '*.txt\n*.log\n');
  assert.equal(await checkedOutCommit(folder), `${clean}-dirty`);
});

test('a compiler that is not installed is named, with the package', async () => {
  await assert.rejects(compilerVersion('no-such-cc'), /^Error: cannot run no-such-cc: install g\+\+ with its/);
});

test('a python3 that is a script makes room for the Python that it starts', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-shims-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = `${folder}:/usr/bin:/bin`;
  assert.equal(await pathWithoutShims(path), path);
  await writeFile(join(folder, 'python3'), '#!/bin/sh\necho /some/where/python3.99\n', { mode: 0o755 });
  assert.equal(await pathWithoutShims(path), `/some/where:${path}`);
  assert.equal(await pathWithoutShims('/nowhere'), '/nowhere');
});
