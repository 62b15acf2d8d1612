/**
 * Joins the executable that pkg has made and the libraries inside (build/libc/libraries.ts) to one file: the data of
 * ICU is cut, pages that are not used are taken out, the libraries are appended as further segments, and the start of
 * the process becomes theirs. Pure.
 */
import { cutIcuData } from './icu-data.ts';
import { typeStripperPages } from './type-stripper.ts';
import { ElfImage, HeaderField, roundUp, SEGMENT_BYTES, SegmentType, writeSegments } from './elf-image.ts';
import { PAGE_BYTES, withoutRange } from './free-pages.ts';
import type { Segment } from './elf-image.ts';
import type { Layout } from './free-pages.ts';

/** Two tables of segments in the libraries (src/native/libc/tables.h): a counter, then room for this many. */
export const TABLE_CAPACITY = 40;
/** Bytes between the begin of such a table and its first segment. */
const COUNTER_BYTES = 8;
const SEGMENT_ALIGNMENT = 8;

/** Tables of segments. */
interface Tables {
  /** For the kernel: Node and the libraries, without a dynamic loader. It is the end of the file. */
  readonly kernel: readonly Segment[];
  /** In the libraries, by the names there. */
  readonly inside: {
    /** For glibc inside: Node with the thread-local variables of both. */
    readonly inside_table: readonly Segment[];
    /** For the system's dynamic loader: Node as its linker has made it. */
    readonly system_table: readonly Segment[];
  };
}

/** Returns the bytes of the joined executable. */
export function joinLibraries(executable: Uint8Array, libraries: Uint8Array): Uint8Array {
  const node = new ElfImage(executable);
  const inside = new ElfImage(libraries);
  const pageBytes = PAGE_BYTES[node.arch];
  const cut = cutUnused(node);
  const start = roundUp(cut.bytes.length, pageBytes);
  const insideEnd = Math.max(...inside.loads.map(({ offset, fileSize }) => offset + fileSize));
  const appended = inside.loads.map((load) => ({ ...load, offset: load.offset + start }));
  requireFreeAddresses(cut.segments, appended);

  const addresses = inside.namedAddresses();
  const places: Places = {
    addressOf: (name) => {
      const address = addresses.get(name);
      if (address === undefined) throw new Error(`cannot find ${name} in the libraries inside`);
      return address;
    },
    offsetOf: (address) => inside.offsetOf(address) + start,
  };
  const own = [SegmentType.threadLocal, SegmentType.readOnlyAfterRelocation]
    .map((type) => inside.segment(type))
    .map((segment) => ({ ...segment, offset: segment.offset + start }));
  requireWholePages([...cut.segments.filter(({ type }) => type === SegmentType.load), ...appended], pageBytes);
  const tables = makeTables({ node: cut.segments, libraries: appended, own }, places);
  // A file that lost its end has no table, and the kernel refuses it.
  const tableStart = roundUp(start + insideEnd, SEGMENT_ALIGNMENT);
  const joined = Buffer.alloc(tableStart + tables.kernel.length * SEGMENT_BYTES);
  joined.set(cut.bytes);
  joined.set(libraries.subarray(0, insideEnd), start);
  writeSegments(joined, tableStart, tables.kernel);
  for (const [name, segments] of Object.entries(tables.inside)) {
    if (segments.length > TABLE_CAPACITY) throw new Error(`cannot write ${name}: ${segments.length} segments`);
    const at = places.offsetOf(places.addressOf(name));
    joined.writeBigUInt64LE(BigInt(segments.length), at);
    writeSegments(joined, at + COUNTER_BYTES, segments);
  }
  writeHeader(joined, { entry: inside.entry, table: tableStart, count: tables.kernel.length });
  return joined;
}

/** Cuts the data of ICU, and takes out the pages that it leaves and those of the compiler of TypeScript. */
function cutUnused(node: ElfImage): Layout {
  const data = node.dynamicSymbols().find(({ name }) => /^icudt\d+_dat$/.test(name));
  if (data === undefined) throw new Error('cannot find the data of ICU in Node');
  const offset = node.offsetOf(data.address);
  const bytes = Buffer.from(node.bytes);
  const smaller = cutIcuData(bytes.subarray(offset, offset + data.size));
  bytes.set(smaller, offset);
  bytes.fill(0, offset + smaller.length, offset + data.size);
  const range = { start: data.address + smaller.length, end: data.address + data.size };
  const pageBytes = PAGE_BYTES[node.arch];
  const layout = withoutRange({ bytes, segments: node.segments }, typeStripperPages(node), pageBytes);
  return withoutRange(layout, range, pageBytes);
}

/**
 * A kernel maps whole pages: an address and its offset in the file must have the same place in a page, and a page
 * belongs to one segment. For arm64, pages of 64 KiB are the largest.
 */
function requireWholePages(segments: readonly Segment[], pageBytes: number): void {
  let free = 0;
  for (const { offset, address, memorySize } of segments) {
    const place = `cannot map the segment at 0x${address.toString(16)}`;
    if (offset % pageBytes !== address % pageBytes) throw new Error(`${place}: not on a page`);
    if (address - (address % pageBytes) < free) throw new Error(`${place}: its page belongs to another segment`);
    free = roundUp(address + memorySize, pageBytes);
  }
}

function requireFreeAddresses(segments: readonly Segment[], appended: readonly Segment[]): void {
  const ends = segments.filter(({ type }) => type === SegmentType.load).map((one) => one.address + one.memorySize);
  const begin = Math.min(...appended.map(({ address }) => address));
  if (Math.max(...ends) > begin) throw new Error('cannot append the libraries: Node occupies their addresses');
}

/** Finds things of the libraries: the address of a symbol, and where the bytes of an address are in the file. */
interface Places {
  readonly addressOf: (name: string) => number;
  readonly offsetOf: (address: number) => number;
}

/** Segments of the parts of the file. */
interface Parts {
  readonly node: readonly Segment[];
  readonly libraries: readonly Segment[];
  /** Entries of the libraries for glibc: the thread-local variables of both parts, and the libraries' constants. */
  readonly own: readonly Segment[];
}

function makeTables({ node, libraries, own }: Parts, places: Places): Tables {
  const { interpreter, dynamic, table, threadLocal, readOnlyAfterRelocation, load } = SegmentType;
  const dynamicOnly: readonly number[] = [interpreter, dynamic, table, threadLocal, readOnlyAfterRelocation];
  const inside = [...node.filter(({ type }) => !dynamicOnly.includes(type)), ...own];
  const system = node.filter(({ type }) => type !== table);
  const lastLoad = inside.findLastIndex(({ type }) => type === load);
  return {
    // The kernel wants the loads in the order of their addresses.
    kernel: inside.toSpliced(lastLoad + 1, 0, ...libraries),
    inside: {
      inside_table: withOwnEntry(inside, 'inside_table', places),
      system_table: withOwnEntry(system, 'system_table', places),
    },
  };
}

/** Puts the entry for the table itself first, from which a loader finds out that nothing was moved. */
function withOwnEntry(segments: readonly Segment[], name: keyof Tables['inside'], places: Places): Segment[] {
  const address = places.addressOf(name) + COUNTER_BYTES;
  const size = (segments.length + 1) * SEGMENT_BYTES;
  const own = { type: SegmentType.table, flags: 4, alignment: 8, address, fileSize: size, memorySize: size };
  return [{ ...own, offset: places.offsetOf(address) }, ...segments];
}

/** Changes the header of the file. Its sections go: their offsets are those of the file before the cut. */
function writeHeader(file: Buffer, header: { entry: number; table: number; count: number }): void {
  file.writeBigUInt64LE(BigInt(header.entry), HeaderField.entry);
  file.writeBigUInt64LE(BigInt(header.table), HeaderField.segments);
  file.writeBigUInt64LE(0n, HeaderField.sections);
  // Size and number of segments, then size and number of sections, and the section with their names.
  [SEGMENT_BYTES, header.count, 64, 0, 0].forEach((value, index) =>
    file.writeUInt16LE(value, HeaderField.counts + index * 2),
  );
}
