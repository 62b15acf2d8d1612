/** Pages are taken out of a file so that every address keeps its bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SegmentType, type Segment } from '../../../../build/libc/elf-image.ts';
import { withoutRange } from '../../../../build/libc/free-pages.ts';

const PAGE = 16;

function load(offset: number, address: number, fileSize: number, memorySize = fileSize): Segment {
  return { type: SegmentType.load, flags: 4, offset, address, fileSize, memorySize, alignment: 64 };
}

/** Byte at an address, by the segments. */
function byteAt({ bytes, segments }: { bytes: Uint8Array; segments: readonly Segment[] }, address: number): number {
  const one = segments.find((segment) => segment.address <= address && address < segment.address + segment.fileSize);
  return one === undefined ? -1 : (bytes[one.offset + address - one.address] ?? -1);
}

const before = {
  bytes: Uint8Array.from({ length: 160 }, (_, index) => index),
  segments: [load(0, 1000 - (1000 % PAGE), 96), load(96, 2000, 48, 80), { ...load(100, 2004, 8), type: 4 }],
};
const base = before.segments[0]?.address ?? 0;

test('whole pages of a range go, and all other bytes stay where they are in memory', () => {
  const after = withoutRange(before, { start: base + 20, end: base + 75 }, PAGE);
  assert.equal(after.bytes.length, 160 - 32);
  assert.equal(after.segments.length, 4);
  for (let address = base; address < base + 96; address += 1)
    assert.equal(byteAt(after, address), address >= base + 32 && address < base + 64 ? -1 : byteAt(before, address));
  for (let address = 2000; address < 2048; address += 1) assert.equal(byteAt(after, address), byteAt(before, address));
  const last = after.segments.at(-1);
  assert.equal(last?.offset, 68, 'entries that are no loads move, too');
  assert.deepEqual(
    after.segments.map(({ alignment }) => alignment),
    [PAGE, PAGE, PAGE, 64],
  );
  assert.equal(after.segments[2]?.memorySize, 80);
});

test('less than a page is left alone, and a range of two segments is refused', () => {
  assert.equal(withoutRange(before, { start: base + 20, end: base + 40 }, PAGE).bytes, before.bytes);
  assert.throws(() => withoutRange(before, { start: base + 20, end: 2040 }, PAGE), /no segment has them all/);
});
