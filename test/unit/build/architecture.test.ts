/**
 * src/ARCHITECTURE.md and CONTRIBUTING name only existing files, and ARCHITECTURE.md has a row for every folder of
 * src/.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const text = readFileSync(join(ROOT, 'src/ARCHITECTURE.md'), 'utf8');
const contributing = readFileSync(join(ROOT, '.github/CONTRIBUTING.md'), 'utf8');

test('the files that the pages name exist', () => {
  const named = [...(text + contributing).matchAll(/`((?:[a-z-]+\/)+[a-z-]+\.(?:ts|c|h|md))`/g)].map(
    ([, path = '']) => path,
  );
  assert.ok(named.length > 20, 'the page names files');
  for (const path of new Set(named))
    assert.ok(existsSync(join(ROOT, 'src', path)) || existsSync(join(ROOT, path)), `${path} does not exist`);
});

test('the page has a row for each folder of src/', () => {
  for (const entry of readdirSync(join(ROOT, 'src'), { withFileTypes: true }))
    if (entry.isDirectory() && entry.name !== 'manual')
      assert.ok(text.includes(`| \`${entry.name}/\` |`), `${entry.name}/ has no row`);
});
