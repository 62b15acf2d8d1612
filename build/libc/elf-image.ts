/**
 * Reads the parts of a 64-bit little-endian ELF file that the kernel and the dynamic loader use, and writes tables of
 * segments. Addresses and offsets are numbers: those of an executable are far below 2^53.
 */
import { ELF_MAGIC, FileView } from '../file-view.ts';
import type { Arch } from '../platform.ts';

/** Types of segments (elf(5), p_type). */
export const SegmentType = {
  load: 1,
  dynamic: 2,
  interpreter: 3,
  table: 6,
  threadLocal: 7,
  readOnlyAfterRelocation: 0x6474e552,
} as const;

/** Size of an entry of the table of segments (Elf64_Phdr). */
export const SEGMENT_BYTES = 56;

/** Offsets of the fields of the file header (Elf64_Ehdr) that are read or written. */
export const HeaderField = { machine: 0x12, entry: 0x18, segments: 0x20, sections: 0x28, counts: 0x36 } as const;

const MACHINES: Readonly<Record<number, Arch>> = { 62: 'x64', 183: 'arm64' };

/** Tags of the dynamic table (elf(5), d_tag). */
const DynamicTag = { end: 0, jumpSize: 2, strings: 5, symbols: 6, relocations: 7, relocationSize: 8, jumps: 23 };

const SYMBOL_BYTES = 24;
const RELOCATION_BYTES = 24;
const SECTION_BYTES = 64;
/** Section type of `.symtab`. */
const SHT_SYMTAB = 2;
/** Symbol binding "weak": the symbol may stay undefined. */
const STB_WEAK = 2;

/** A segment, or another entry of the table of segments. */
export interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly alignment: number;
}

/** An entry of a table of symbols. */
export interface ElfSymbol {
  readonly name: string;
  readonly isWeak: boolean;
  readonly isDefined: boolean;
  readonly address: number;
  readonly size: number;
}

/** A relocation with an addend; `type` is a number of the processor's ABI. */
export interface Relocation {
  readonly type: number;
  readonly address: number;
  /** Null for a relocation without a symbol. */
  readonly symbol: ElfSymbol | null;
  readonly addend: number;
}

/** An ELF file in memory. The constructor throws if the bytes are no such file for a known processor. */
export class ElfImage {
  readonly bytes: Uint8Array;
  readonly arch: Arch;
  readonly entry: number;
  readonly segments: readonly Segment[];
  readonly #view: FileView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new FileView(bytes);
    const isElf64Little =
      this.#view.getUint32(0) === ELF_MAGIC && this.#view.getUint8(4) === 2 && this.#view.getUint8(5) === 1;
    const arch = isElf64Little ? MACHINES[this.#view.getUint16(HeaderField.machine)] : undefined;
    if (arch === undefined) throw new Error('cannot read the executable: not an ELF file for x64 or arm64');
    this.arch = arch;
    this.entry = this.#word(HeaderField.entry);
    const table = this.#word(HeaderField.segments);
    const count = this.#view.getUint16(HeaderField.counts + 2);
    this.segments = Array.from({ length: count }, (_, index) => this.#segmentAt(table + index * SEGMENT_BYTES));
  }

  /** The one segment of a type. Throws if there is none. */
  segment(type: number): Segment {
    const found = this.segments.find((segment) => segment.type === type);
    if (found === undefined) throw new Error(`cannot find a segment of type ${type} in the executable`);
    return found;
  }

  /** Segments that the kernel maps into memory. */
  get loads(): readonly Segment[] {
    return this.segments.filter(({ type }) => type === SegmentType.load);
  }

  /** Offset in the file of an address in memory. Throws if the file has no byte for the address. */
  offsetOf(address: number): number {
    const load = this.loads.find((one) => one.address <= address && address < one.address + one.fileSize);
    if (load === undefined) throw new Error(`cannot find the address 0x${address.toString(16)} in the file`);
    return load.offset + address - load.address;
  }

  /** Address in memory of a byte of the file. Throws if the kernel does not map the byte. */
  addressOf(offset: number): number {
    const load = this.loads.find((one) => one.offset <= offset && offset < one.offset + one.fileSize);
    if (load === undefined) throw new Error(`cannot find the offset 0x${offset.toString(16)} in the memory`);
    return load.address + offset - load.offset;
  }

  /** Relocations that the dynamic loader carries out at a start. */
  relocations(): readonly Relocation[] {
    const dynamic = this.#dynamicTable();
    const tables = [
      { address: dynamic.get(DynamicTag.relocations), size: dynamic.get(DynamicTag.relocationSize) ?? 0 },
      { address: dynamic.get(DynamicTag.jumps), size: dynamic.get(DynamicTag.jumpSize) ?? 0 },
    ];
    return tables.flatMap(({ address, size }) => {
      if (address === undefined) return [];
      const start = this.offsetOf(address);
      this.#view.require(start, size);
      return Array.from({ length: size / RELOCATION_BYTES }, (_, index) =>
        this.#relocationAt(start + index * RELOCATION_BYTES),
      );
    });
  }

  /** Address of the dynamic symbols. */
  get symbolsAddress(): number {
    return this.#requireDynamic(DynamicTag.symbols);
  }

  /** Address of the names of the dynamic symbols, which linkers put directly behind them. */
  get namesAddress(): number {
    return this.#requireDynamic(DynamicTag.strings);
  }

  /** Symbols of the dynamic table. */
  dynamicSymbols(): readonly ElfSymbol[] {
    const { symbols, strings } = this.#dynamicSymbolTables();
    const count = Math.floor((strings - symbols) / SYMBOL_BYTES);
    return Array.from({ length: count }, (_, index) => this.#symbolAt(symbols + index * SYMBOL_BYTES, strings));
  }

  /** Address and size of each symbol of `.symtab`, by name. Empty for a stripped file. */
  namedAddresses(): ReadonlyMap<string, number> {
    const table = this.#word(HeaderField.sections);
    const count = this.#view.getUint16(0x3c);
    const starts = Array.from({ length: count }, (_, index) => table + index * SECTION_BYTES);
    const symbols = starts.find((start) => this.#view.getUint32(start + 4) === SHT_SYMTAB);
    const named = new Map<string, number>();
    if (symbols === undefined) return named;
    const names = this.#word(table + this.#view.getUint32(symbols + 0x28) * SECTION_BYTES + 0x18);
    const first = this.#word(symbols + 0x18);
    for (let at = first; at < first + this.#word(symbols + 0x20); at += SYMBOL_BYTES) {
      const { name, address } = this.#symbolAt(at, names);
      if (name !== '') named.set(name, address);
    }
    return named;
  }

  #dynamicTable(): ReadonlyMap<number, number> {
    const table = new Map<number, number>();
    for (let at = this.segment(SegmentType.dynamic).offset; this.#word(at) !== DynamicTag.end; at += 16)
      table.set(this.#word(at), this.#word(at + 8));
    return table;
  }

  #requireDynamic(tag: number): number {
    const value = this.#dynamicTable().get(tag);
    if (value === undefined) throw new Error(`cannot find the tag ${tag} in the dynamic table of the executable`);
    return value;
  }

  /** Offsets in the file of the dynamic symbols and of their names. */
  #dynamicSymbolTables(): { readonly symbols: number; readonly strings: number } {
    return { symbols: this.offsetOf(this.symbolsAddress), strings: this.offsetOf(this.namesAddress) };
  }

  #relocationAt(at: number): Relocation {
    const { symbols, strings } = this.#dynamicSymbolTables();
    const index = this.#view.getUint32(at + 12);
    return {
      type: this.#view.getUint32(at + 8),
      address: this.#word(at),
      symbol: index === 0 ? null : this.#symbolAt(symbols + index * SYMBOL_BYTES, strings),
      addend: Number(this.#view.getBigInt64(at + 16)),
    };
  }

  #symbolAt(at: number, names: number): ElfSymbol {
    const name = names + this.#view.getUint32(at);
    return {
      name: this.#view.textAt(name),
      isWeak: this.#view.getUint8(at + 4) >> 4 === STB_WEAK,
      isDefined: this.#view.getUint16(at + 6) !== 0,
      address: this.#word(at + 8),
      size: this.#word(at + 16),
    };
  }

  #segmentAt(at: number): Segment {
    return {
      type: this.#view.getUint32(at),
      flags: this.#view.getUint32(at + 4),
      offset: this.#word(at + 8),
      address: this.#word(at + 16),
      fileSize: this.#word(at + 32),
      memorySize: this.#word(at + 40),
      alignment: this.#word(at + 48),
    };
  }

  #word(at: number): number {
    return Number(this.#view.getBigUint64(at));
  }
}

/** Writes a table of segments into `bytes` at `offset`. */
export function writeSegments(bytes: Uint8Array, offset: number, segments: readonly Segment[]): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  segments.forEach((segment, index) => {
    const at = offset + index * SEGMENT_BYTES;
    view.setUint32(at, segment.type, true);
    view.setUint32(at + 4, segment.flags, true);
    const { address, fileSize, memorySize, alignment } = segment;
    // The physical address, which only firmware uses, is that in memory.
    [segment.offset, address, address, fileSize, memorySize, alignment].forEach((word, field) =>
      view.setBigUint64(at + 8 + field * 8, BigInt(word), true),
    );
  });
}

/** Rounds up to a multiple of `unit`. */
export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
