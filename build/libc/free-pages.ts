/**
 * Takes pages that are not used out of an executable: a segment with such a range becomes two, and the bytes between
 * them leave the file. Every address stays as it is. Pure.
 */
import { roundUp, SegmentType } from './elf-image.ts';
import type { Segment } from './elf-image.ts';

/** The bytes of an executable and its table of segments, which does not lie in the bytes yet. */
export interface Layout {
  readonly bytes: Uint8Array;
  readonly segments: readonly Segment[];
}

/** Addresses from `start` up to `end`. */
export interface AddressRange {
  readonly start: number;
  readonly end: number;
}

/** Sizes of pages that the kernels for a processor may have: executables are laid out for the largest. */
export const PAGE_BYTES = { x64: 0x1000, arm64: 0x10000 } as const;

/** Takes the whole pages of a range out. Throws if the range is not inside one segment. */
export function withoutRange({ bytes, segments }: Layout, range: AddressRange, pageBytes: number): Layout {
  const start = roundUp(range.start, pageBytes);
  const end = range.end - (range.end % pageBytes);
  if (start >= end) return { bytes, segments };
  const holder = segments.find(
    ({ type, address, fileSize }) => type === SegmentType.load && address <= start && end <= address + fileSize,
  );
  if (holder === undefined) throw new Error('cannot take pages out of the executable: no segment has them all');
  const cutStart = holder.offset + start - holder.address;
  const cutEnd = holder.offset + end - holder.address;
  // The parts keep no larger alignment than that of a page: their offsets in the file move.
  const aligned = { ...holder, alignment: pageBytes };
  const before: Segment = { ...aligned, fileSize: start - holder.address, memorySize: start - holder.address };
  const behind: Segment = {
    ...aligned,
    offset: cutEnd,
    address: end,
    fileSize: holder.address + holder.fileSize - end,
    memorySize: holder.address + holder.memorySize - end,
  };
  const split = segments.flatMap((segment) => (segment === holder ? [before, behind] : [segment]));
  return {
    bytes: Buffer.concat([bytes.subarray(0, cutStart), bytes.subarray(cutEnd)]),
    segments: split.map((segment) => moved(segment, cutEnd, cutEnd - cutStart, pageBytes)),
  };
}

/** Moves a segment that lies behind the cut. */
function moved(segment: Segment, cutEnd: number, cutBytes: number, pageBytes: number): Segment {
  if (segment.offset < cutEnd) return segment;
  const alignment = segment.type === SegmentType.load ? Math.min(segment.alignment, pageBytes) : segment.alignment;
  return { ...segment, offset: segment.offset - cutBytes, alignment };
}
