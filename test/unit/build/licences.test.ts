/** The licences of the executable: all are collected, and a missing one is an error. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { collectLicences, licenceOf } from '../../../build/licences.ts';
import { platformOf } from '../../../build/platform.ts';

test('Node and each package, with version and text', async () => {
  const text = await collectLicences(platformOf(undefined, undefined), ['ini', 'signal-exit']);
  for (const title of [/^Node\.js 24\.\d+\.\d+$/m, /^ini \S+ \(ISC\)$/m, /^signal-exit \S+ \(ISC\)$/m])
    assert.match(text, title);
  assert.match(
    text,
    /^GNU C Library 2\.\d+\S* \(LGPL-2\.1-or-later\)$[^]*The[a-z ]* source is [^]*GNU LESSER GENERAL PUBLIC/m,
  );
  assert.match(text, /^How to link onevisor with another glibc[^]*npm run build -- --cc /m);
  assert.match(text, /^libstdc\+\+ and libgcc \d+\.\d+\.\d+\S* \(GPL-3\.0-or-later WITH GCC-exception-3\.1\)$/m);
  assert.match(text, /^GCC RUNTIME LIBRARY EXCEPTION$[^]*^2\. No Weakening of GCC Copyleft\.$/m);
  assert.match(text, /Copyright Node\.js contributors/);
  assert.equal(text.split('Copyright (c) Isaac Z. Schlueter').length > 1, true);
});

test('a package without a licence fails the build', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'onevisor-licence-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const manifest = (content: object): void =>
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'x', version: '1', ...content }));
  for (const content of [{ license: 'MIT' }, { license: 'BSD-4-Clause', author: 'A' }]) {
    manifest(content);
    await assert.rejects(licenceOf(folder), /cannot pass on x: there is no text/);
  }
  manifest({ license: 'MIT', author: 'A. Author' });
  assert.match((await licenceOf(folder)).text, /^Copyright \(c\) A\. Author\n\nPermission is hereby granted/);
  writeFileSync(join(folder, 'LICENSE.md'), 'Permission\n');
  assert.deepEqual(await licenceOf(folder), { title: 'x 1 (MIT)', text: 'Permission' });
  manifest({ author: 'A. Author' });
  await assert.rejects(licenceOf(folder), /cannot pass on x/);
});
