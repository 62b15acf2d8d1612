/** src/ARCHITECTURE.md has a row for each folder of src/. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const text = readFileSync(join(ROOT, 'src/ARCHITECTURE.md'), 'utf8');

test('the page has a row for each folder of src/', () => {
  for (const entry of readdirSync(join(ROOT, 'src'), { withFileTypes: true }))
    if (entry.isDirectory() && entry.name !== 'manual')
      assert.ok(text.includes(`| \`${entry.name}/\` |`), `${entry.name}/ has no row`);
});
