/** The pages of the compiler of TypeScript are found in the real Node, and a Node without them stops the build. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ElfImage } from '../../../../build/libc/elf-image.ts';
import { PAGE_BYTES } from '../../../../build/libc/free-pages.ts';
import { typeStripperPages } from '../../../../build/libc/type-stripper.ts';
import { nodeFor, platformOf } from '../../../../build/platform.ts';

const bytes = readFileSync(await nodeFor(platformOf(undefined, undefined)));
const node = new ElfImage(bytes);

test('whole pages of WebAssembly in base64, and nothing else', () => {
  const { start, end } = typeStripperPages(node);
  assert.deepEqual([start % PAGE_BYTES[node.arch], end % PAGE_BYTES[node.arch]], [0, 0]);
  assert.ok(end - start > 3e6, `${end - start}`);
  const [first, last] = [node.offsetOf(start), node.offsetOf(end - 1)];
  assert.equal(last - first, end - 1 - start);
  assert.match(bytes.toString('latin1', first, last + 1), /^[A-Za-z0-9+/=]+$/);
  // The one text of amaro: its other words stand close by.
  const before = bytes.toString('latin1', first - 20_000, first);
  assert.match(before, /AGFzbQ/);
  assert.match(before, /transformSync/);
});

test('a Node without them stops the build', () => {
  const { start, end } = typeStripperPages(node);
  const other = Buffer.from(bytes);
  other.fill(0, node.offsetOf(start), node.offsetOf(end - 1));
  assert.throws(() => typeStripperPages(new ElfImage(other)), /cannot find the compiler of TypeScript \(amaro\)/);
});
