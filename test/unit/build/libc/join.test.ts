/** Two small programs, joined as Node and its libraries are, make one that the kernel starts. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { ElfImage, SEGMENT_BYTES, SegmentType } from '../../../../build/libc/elf-image.ts';
import { joinLibraries } from '../../../../build/libc/join.ts';
import { platformOf, ROOT, toolOf } from '../../../../build/platform.ts';
import { makeIcuData } from './icu-fixture.ts';

const run = promisify(execFile);
const platform = platformOf(undefined, undefined);
const folder = await mkdtemp(join(tmpdir(), 'onevisor-join-'));
after(() => rm(folder, { recursive: true, force: true }));

/** Several pages for another language, of which all but parts of two are taken out. */
const GERMAN = 'x'.repeat(300_000);
await writeFile(join(folder, 'icu.dat'), makeIcuData({ 'de.res': GERMAN, 'en.res': 'english\0' }));
/** As in parts/node.c. */
const COMPILER_BYTES = 1_500_000;
const PAGE = platform.arch === 'x64' ? 0x1000 : 0x10000;

/** Compiles one of the parts. */
async function compile(name: 'node' | 'libraries', flags: readonly string[], output: string = name): Promise<Buffer> {
  const forBoth = ['-O1', '-fno-pie', '-no-pie', '-nostartfiles', '-fno-stack-protector', '-fuse-ld=bfd'];
  const source = join(import.meta.dirname, 'parts', `${name}.c`);
  const lines = [...forBoth, `-I${join(ROOT, 'src', 'native', 'libc')}`, '-Wl,-z,relro', '-Wl,--build-id=none'];
  await run(platform.cc, [...lines, ...flags, source, '-o', output], { cwd: folder });
  return readFile(join(folder, output));
}

const NODE_FLAGS = ['-rdynamic', '-Wl,--no-as-needed', '-Wl,-e,node_start', `-Wl,-z,max-page-size=${PAGE}`];
const nodeBytes = await compile('node', NODE_FLAGS);
const node = new ElfImage(nodeBytes);
const variable = node.dynamicSymbols().find(({ name }) => name === 'variable');

/** Options for the libraries at an address. */
const librariesAt = (address: number): string[] => [
  '-static',
  '-Wl,-e,start',
  `-Wl,-Ttext-segment=0x${address.toString(16)}`,
  `-Wl,--defsym=node_variable=${variable?.address}`,
  `-Wl,-z,max-page-size=${PAGE}`,
];
const libraryBytes = await compile('libraries', librariesAt(0x20000000));
const libraries = new ElfImage(libraryBytes);
const joinedBytes = joinLibraries(nodeBytes, libraryBytes);
const joined = new ElfImage(joinedBytes);

const typesOf = (image: ElfImage): number[] => image.segments.map(({ type }) => type);

/** Reads a table of segments that lies in the joined libraries. */
function tableInside(name: string): ElfImage['segments'] {
  const at = joined.offsetOf(libraries.namedAddresses().get(name) ?? 0);
  const count = Number(Buffer.from(joinedBytes).readBigUInt64LE(at));
  // An image whose header points to this table.
  const bytes = Buffer.from(joinedBytes);
  bytes.writeBigUInt64LE(BigInt(at + 8), 0x20);
  bytes.writeUInt16LE(count, 0x38);
  return new ElfImage(bytes).segments;
}

describe('two joined programs', () => {
  test('run: the libraries begin, and see the data of the other part where they expect it', async () => {
    await writeFile(join(folder, 'joined'), joinedBytes, { mode: 0o755 });
    const counts = tableInside('inside_table').length * 10 + tableInside('system_table').length;
    await assert.rejects(run(join(folder, 'joined')), (error: Error & { code?: number; stdout?: string }) => {
      assert.deepEqual([error.code, error.stdout], [counts % 256, 'behind the cut\n']);
      return true;
    });
  });

  test('have no loader, no sections, and a table of segments that is the end of the file', () => {
    assert.equal(joined.entry, libraries.entry);
    assert.equal(joined.loads.length, node.loads.length + 2 + libraries.loads.length, 'two cuts in one segment');
    assert.ok(typesOf(node).includes(SegmentType.interpreter) && typesOf(node).includes(SegmentType.dynamic));
    assert.ok(!typesOf(joined).includes(SegmentType.interpreter) && !typesOf(joined).includes(SegmentType.dynamic));
    const header = Buffer.from(joinedBytes);
    assert.equal(Number(header.readBigUInt64LE(0x20)) + joined.segments.length * SEGMENT_BYTES, header.length);
    assert.deepEqual(
      [Number(header.readBigUInt64LE(0x28)), header.readUInt16LE(0x3c), header.readUInt16LE(0x3e)],
      [0, 0, 0],
    );
  });

  test('lack the pages of other languages and of the compiler, and every load is on pages of its own', () => {
    const pagesOut = nodeBytes.length + libraryBytes.length - joinedBytes.length;
    assert.ok(pagesOut > GERMAN.length + COMPILER_BYTES - 5 * PAGE, `${pagesOut}`);
    assert.equal(Buffer.from(joinedBytes).includes('xxxxxxxx'), false);
    joined.loads.reduce((end, { address, offset, memorySize }) => {
      assert.equal(address % PAGE, offset % PAGE);
      assert.ok(address - (address % PAGE) >= end, `0x${address.toString(16)}`);
      return address + memorySize;
    }, 0);
  });

  test('tell glibc inside of the thread-local variables of the libraries, and the loader of those of Node', () => {
    const inside = tableInside('inside_table');
    const system = tableInside('system_table');
    for (const table of [inside, system]) {
      assert.equal(table[0]?.type, SegmentType.table, 'the entry for the table itself is the first');
      assert.equal(table[0].fileSize, table.length * SEGMENT_BYTES);
      assert.equal(joined.offsetOf(table[0].address), table[0].offset);
    }
    const threadLocal = (table: ElfImage['segments']): unknown[] =>
      table.filter(({ type }) => type === SegmentType.threadLocal).map(({ address }) => address);
    assert.deepEqual(threadLocal(inside), [libraries.segment(SegmentType.threadLocal).address]);
    assert.deepEqual(threadLocal(system), [node.segment(SegmentType.threadLocal).address]);
    assert.ok(!inside.some(({ type }) => type === SegmentType.interpreter));
    assert.ok(system.some(({ type }) => type === SegmentType.interpreter));
    assert.ok([...inside, ...system].every(({ type, address }) => type !== SegmentType.load || address < 0x20000000));
  });
});

describe('programs that cannot be joined stop the build:', () => {
  test('libraries at addresses of Node', async () => {
    const wrong = await compile('libraries', librariesAt(0x400000), 'low');
    assert.throws(() => joinLibraries(nodeBytes, wrong), /cannot append the libraries: Node occupies their addresses/);
  });

  test('libraries without symbols', async () => {
    await run(await toolOf(platform, 'strip'), ['-o', 'stripped', 'libraries'], { cwd: folder });
    const stripped = await readFile(join(folder, 'stripped'));
    assert.throws(() => joinLibraries(nodeBytes, stripped), /cannot find inside_table in the libraries inside/);
  });

  /** The libraries with a change to one field of their last load. */
  const withLastLoad = (field: number, change: (value: number) => number): Buffer => {
    const bytes = Buffer.from(libraryBytes);
    const index = libraries.segments.findLastIndex(({ type }) => type === SegmentType.load);
    const at = Number(bytes.readBigUInt64LE(0x20)) + index * SEGMENT_BYTES + field;
    bytes.writeBigUInt64LE(BigInt(change(Number(bytes.readBigUInt64LE(at)))), at);
    return bytes;
  };
  const OFFSET = 8;
  const ADDRESS = 16;

  test('a segment that does not begin at a place of a page as in the file', () => {
    const wrong = withLastLoad(OFFSET, (value) => value - 256);
    assert.throws(() => joinLibraries(nodeBytes, wrong), /cannot map the segment at 0x[0-9a-f]+: not on a page/);
  });

  test('two segments that would share a page', () => {
    const before = libraries.loads.at(-2);
    assert.ok(before !== undefined);
    const page = before.address - (before.address % PAGE);
    const wrong = withLastLoad(ADDRESS, (value) => page + (value % PAGE));
    assert.throws(() => joinLibraries(nodeBytes, wrong), /at 0x[0-9a-f]+: its page belongs to another segment/);
  });

  test('a Node without data of ICU', async () => {
    const bytes = Buffer.from(nodeBytes);
    for (let at = bytes.indexOf('icudt78_dat'); at >= 0; at = bytes.indexOf('icudt78_dat', at))
      bytes.write('other78_dat', at);
    assert.throws(() => joinLibraries(bytes, libraryBytes), /cannot find the data of ICU in Node/);
  });
});
