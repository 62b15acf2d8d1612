/** The imports of the real Node are all sorted, and an import without a rule stops the build with its name. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { ElfImage } from '../../../../build/libc/elf-image.ts';
import { sortImports } from '../../../../build/libc/import-rules.ts';
import { importTables, nodeHeader, nodeSymbols, sharedAddresses } from '../../../../build/libc/import-table.ts';
import { nodeFor, platformOf } from '../../../../build/platform.ts';

const original = readFileSync(await nodeFor(platformOf(undefined, undefined)));
const node = new ElfImage(original);
const imports = sortImports(node);

/** Node with other names of the same length for some of its imports. */
function withNames(...renamed: ReadonlyArray<readonly [name: string, other: string]>): ElfImage {
  const bytes = Buffer.from(original);
  const names = node.offsetOf(node.namesAddress);
  for (const [name, other] of renamed) {
    const at = bytes.indexOf(`\0${name}\0`, names);
    assert.equal(name.length, other.length);
    bytes.write(other, at + 1, 'latin1');
  }
  return new ElfImage(bytes);
}

describe('the imports of Node', () => {
  test('are all sorted', () => {
    const total = node.relocations().length;
    const sharedNames = new Set(imports.shared.map(({ address }) => address));
    assert.equal(imports.words.length + imports.copies.length + imports.threadWords.length + sharedNames.size, total);
    assert.equal(sharedNames.size, 9);
    assert.deepEqual(
      imports.shared.filter(({ symbol }) => symbol.includes('environ')).map(({ symbol }) => symbol),
      ['__environ', '_environ', 'environ'],
    );
    assert.ok(imports.words.some(({ symbol }) => symbol === 'malloc'));
    assert.ok(imports.copies.some(({ symbol, size }) => symbol === 'in6addr_any' && size === 16));
    assert.equal(imports.threadWords.length, 2);
  });

  test('of a dynamic loader are answered by our own functions', () => {
    const names = imports.words.map(({ symbol }) => symbol);
    for (const name of ['start_node_main', 'inside_dlopen', 'inside_dlsym', 'dl_iterate_phdr'])
      assert.ok(names.includes(name), name);
    for (const name of ['dlopen', '__libc_start_main']) assert.ok(!names.includes(name), name);
  });

  test('that are hooks which no library has may stay undefined, and no others', () => {
    assert.ok(imports.optional.includes('__gmon_start__'));
    assert.ok(!imports.optional.includes('__pthread_key_create'));
  });
});

describe('an import without a rule stops the build:', () => {
  const rows = [
    ['a function of a loader', 'dladdr', 'dlinfo', /there is no rule for the function dlinfo; add one to/],
    ['a variable', 'stderr', 'stdxxx', /there is no rule for the variable stdxxx;/],
    ['another start', '__libc_start_main', '__libc_start_call', /the function __libc_start_call/],
  ] as const;
  for (const [what, name, other, message] of rows)
    test(what, () => assert.throws(() => sortImports(withNames([name, other])), message));

  test('a type of relocation', () => {
    const bytes = Buffer.from(original);
    const [first] = node.relocations();
    assert.ok(first !== undefined);
    const entry = Buffer.alloc(12);
    entry.writeBigUInt64LE(BigInt(first.address), 0);
    entry.writeUInt32LE(first.type, 8);
    const at = bytes.indexOf(entry);
    assert.notEqual(at, -1);
    bytes.writeUInt32LE(99, at + 8);
    assert.throws(() => sortImports(new ElfImage(bytes)), /there is no rule for a relocation of type 99/);
  });

  test('all are named at once', () => {
    const altered = withNames(['dladdr', 'dlinfo'], ['stderr', 'stdxxx']);
    assert.throws(() => sortImports(altered), /no rule for the variable stdxxx, the function dlinfo; add/);
  });
});

test('the sources for the linker', () => {
  const small = {
    words: [
      { address: 0x1000, symbol: 'malloc', addend: 0 },
      { address: 0x1008, symbol: 'table', addend: 16 },
      { address: 0x1010, symbol: null, addend: -5 },
    ],
    copies: [{ address: 0x2000, symbol: 'in6addr_any', size: 16 }],
    shared: [{ symbol: 'stdin', address: 0x3000 }],
    threadWords: [{ address: 0x4000, symbol: 'x', addend: 0 }],
    optional: ['__gmon_start__'],
  };
  const tables = importTables(node, small);
  assert.match(tables, /^\.weak __gmon_start__$/m);
  assert.match(
    tables,
    /^node_words:\n\.quad 0x1000, malloc\n\.quad 0x1008, table \+ 16\n\.quad 0x1010, -5\nnode_words_end:/m,
  );
  assert.match(tables, /^node_copies:\n\.quad 0x2000, in6addr_any, 16\nnode_copies_end:/m);
  assert.match(tables, /^\.section \.node_thread,"awT",%progbits$/m);
  const header = nodeHeader(node, small);
  assert.match(header, /^#define NODE_THREAD_WORDS\(X\) X\(0x4000UL, x, 0\)$/m);
  assert.match(header, /^#define NODE_ADDRESS_stdin 0x3000UL$/m);
  assert.ok(header.includes(`#define NODE_ENTRY 0x${node.entry.toString(16)}UL\n`));
  assert.deepEqual(sharedAddresses(small), ['-Wl,--defsym=stdin=0x3000']);
  assert.match(
    nodeSymbols(node, ['napi_create_object']),
    /^\.globl napi_create_object\nnapi_create_object = 0x[0-9a-f]+$/m,
  );
  assert.throws(() => nodeSymbols(node, ['napi_no_such_function']), /Node has no napi_no_such_function/);
});
