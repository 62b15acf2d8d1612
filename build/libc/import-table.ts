/**
 * Writes what the sorted imports of Node are as source text for the compiler and the linker of the libraries inside:
 * tables in assembler, numbers for C, addresses for the linker. Pure.
 */
import { SegmentType } from './elf-image.ts';
import { typeStripperPages } from './type-stripper.ts';
import type { ElfImage, Segment } from './elf-image.ts';
import type { Imports } from './import-rules.ts';

/** Section of the place for Node's thread-local variables; the linker script moves it where Node expects it. */
export const THREAD_SECTION = '.node_thread';

const NO_EXECUTABLE_STACK = '.section .note.GNU-stack,"",%progbits\n';

/** Tables of the words and copies, for src/native/libc/bind.c, and the place for Node's thread-local variables. */
export function importTables(node: ElfImage, { words, copies, optional }: Imports): string {
  const lines = [
    ...optional.map((name) => `.weak ${name}`),
    '.section .data.rel.ro.imports,"aw"',
    '.balign 8',
    ...table('node_words', words, ({ address, symbol, addend }) => `${hex(address)}, ${sum(symbol, addend)}`),
    ...table('node_copies', copies, ({ address, symbol, size }) => `${hex(address)}, ${symbol}, ${size}`),
    ...threadPlace(node),
  ];
  return `${lines.join('\n')}\n${NO_EXECUTABLE_STACK}`;
}

/** Rows of a table between two labels, NAME and NAME_end. */
function table<Row>(name: string, rows: readonly Row[], format: (row: Row) => string): string[] {
  return [`.globl ${name}, ${name}_end`, `${name}:`, ...rows.map((row) => `.quad ${format(row)}`), `${name}_end:`];
}

function threadPlace(node: ElfImage): string[] {
  const { offset, fileSize, memorySize } = node.segment(SegmentType.threadLocal);
  const values = [...node.bytes.subarray(offset, offset + fileSize)];
  return [
    `.section ${THREAD_SECTION},"awT",%progbits`,
    '.balign 8',
    ...(values.length > 0 ? [`.byte ${values.join(', ')}`] : []),
    `.zero ${memorySize - fileSize}`,
  ];
}

/** Symbols of Node that the addon calls, as fixed addresses. Throws if Node lacks one. */
export function nodeSymbols(node: ElfImage, wanted: readonly string[]): string {
  const addresses = new Map(
    node.dynamicSymbols().flatMap(({ name, isDefined, address }) => (isDefined ? [[name, address] as const] : [])),
  );
  const lines = wanted.map((name) => {
    const address = addresses.get(name);
    if (address === undefined) throw new Error(`cannot link the addon: Node has no ${name}`);
    return `.globl ${name}\n${name} = ${hex(address)}\n`;
  });
  return `${lines.join('')}${NO_EXECUTABLE_STACK}`;
}

/** Numbers of Node's image, for src/native/libc. */
export function nodeHeader(node: ElfImage, { shared, threadWords }: Imports): string {
  const constants = node.segment(SegmentType.readOnlyAfterRelocation);
  const absent = typeStripperPages(node);
  const threadRows = threadWords.map(({ address, symbol, addend }) => `X(${hex(address)}UL, ${symbol}, ${addend})`);
  return [
    '/* Made by build/libc/import-table.ts from the Node that goes into the executable. */',
    `#define NODE_ENTRY ${hex(node.entry)}UL`,
    `#define NODE_CONSTANTS ${hex(constants.address)}UL`,
    `#define NODE_CONSTANTS_END ${hex(constants.address + constants.memorySize)}UL`,
    `#define NODE_START ${hex(node.loads[0]?.address ?? 0)}UL`,
    `#define NODE_SYMBOLS ${hex(node.symbolsAddress)}UL`,
    `#define NODE_NAMES ${hex(node.namesAddress)}UL`,
    `#define NODE_ABSENT_START ${hex(absent.start)}UL`,
    `#define NODE_ABSENT_END ${hex(absent.end)}UL`,
    `#define NODE_THREAD_WORDS(X) ${threadRows.join(' ')}`,
    ...shared.map(({ symbol, address }) => `#define NODE_ADDRESS_${symbol} ${hex(address)}UL`),
    '',
  ].join('\n');
}

/** Options of the linker that put the shared variables into Node's memory. */
export function sharedAddresses({ shared }: Imports): string[] {
  return shared.map(({ symbol, address }) => `-Wl,--defsym=${symbol}=${hex(address)}`);
}

/** Size of Node's thread-local variables, as they count in the linker script. */
export function threadSize(node: ElfImage): number {
  const { memorySize }: Segment = node.segment(SegmentType.threadLocal);
  return memorySize;
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}

function sum(symbol: string | null, addend: number): string {
  if (symbol === null) return String(addend);
  return addend === 0 ? symbol : `${symbol} + ${addend}`;
}
