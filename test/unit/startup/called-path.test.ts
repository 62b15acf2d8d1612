/** The path by which we were called: with a slash, by $PATH, through links, and if it leads elsewhere. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findCalledPath } from '../../../src/startup/called-path.ts';

test('returns the path of the link that was called, as Supervisor takes it from argv[0]', (t) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'onevisor-called-')));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ['real', 'bin', 'other']) mkdirSync(join(folder, name));
  const executable = join(folder, 'real/onevisor');
  const link = join(folder, 'bin/supervisord');
  writeFileSync(executable, '');
  writeFileSync(join(folder, 'other/supervisord'), 'another program of that name');
  symlinkSync('../real/onevisor', link);
  const path = [join(folder, 'none'), join(folder, 'other'), join(folder, 'bin')].join(':');
  assert.equal(findCalledPath('supervisord', path, executable), link);
  assert.equal(findCalledPath(link, '', executable), link);
  assert.equal(findCalledPath(join(folder, 'bin/../bin/supervisord'), '', executable), link);
  assert.equal(findCalledPath('supervisord', join(folder, 'other'), executable), executable);
  assert.equal(findCalledPath('something that exec was told to say', path, executable), executable);
});
