/** The readers of ELF files in the build: a damaged file is a clear error, in bounded time and memory. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { neededVersions } from '../../build/elf.ts';
import { sortImports } from '../../build/libc/import-rules.ts';
import { ElfImage } from '../../build/libc/elf-image.ts';
import { platformOf } from '../../build/platform.ts';
import { bySize } from '../slow.ts';
import { Random, SEED } from './random.ts';

const FOR_MS = bySize({ brief: 2000, long: 120_000 });
const SLOW_MS = 2000;
const MOST_VERSIONS = 100_000;

/** Makes a small shared library with imports. */
function makeLibrary(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'onevisor-fuzz-elf-'));
  try {
    const [source, product] = [join(folder, 'x.c'), join(folder, 'x.so')];
    writeFileSync(
      source,
      '#include <stdio.h>\n#include <stdlib.h>\nextern char **environ;\n' +
        'int (*table[])(const char *) = {puts, system};\n' +
        'int call(void) { puts(environ[0]); return atoi("1"); }\n',
    );
    execFileSync(platformOf(undefined, undefined).cc, ['-shared', '-fPIC', source, '-o', product]);
    return readFileSync(product);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const VALUES = [0, 1, 0xff, 0x7f, 0x80, 0xffff, 0x7fffffff, 0xffffffff];

/** Changes some bytes, mostly in the tables at the beginning and at the end, or cuts the file. */
function damage(file: Buffer, random: Random): Buffer {
  const damaged = Buffer.from(file);
  for (let count = 1 + random.below(6); count > 0; count -= 1) {
    const place = random.below(3);
    const within = [random.below(0x400), random.below(file.length), file.length - 1 - random.below(0x800)][place] ?? 0;
    const at = Math.max(0, Math.min(within, file.length - 8));
    const width = random.pick([1, 2, 4] as const);
    damaged.writeUIntLE(random.pick(VALUES) % 2 ** (8 * width), at, width);
  }
  return random.chance(0.1) ? damaged.subarray(0, random.below(file.length)) : damaged;
}

/** Reads all that the build reads. */
function readAll(file: Uint8Array): void {
  assert.ok(neededVersions(file).length < MOST_VERSIONS);
  const image = new ElfImage(file);
  image.relocations();
  sortImports(image);
}

test('a damaged ELF file is a clear error', (context) => {
  const file = makeLibrary();
  const random = new Random(SEED);
  const endMs = performance.now() + FOR_MS;
  let cases = 0;
  let refused = 0;
  while (performance.now() < endMs) {
    const damaged = damage(file, random);
    const shown = `TEST_SEED=${SEED}, case ${cases}`;
    const before = process.cpuUsage();
    for (const read of [() => void neededVersions(damaged), () => readAll(damaged)])
      try {
        read();
      } catch (error) {
        refused += 1;
        const isClear =
          error instanceof Error && error.constructor === Error && /^cannot |^.*\bis not\b|no rule/.test(error.message);
        assert.ok(isClear, `${shown}: ${String(error)}\n${error instanceof Error ? error.stack : ''}`);
      }
    const { user, system } = process.cpuUsage(before);
    const tookMs = (user + system) / 1000;
    assert.ok(tookMs < SLOW_MS, `${shown}: it took ${Math.round(tookMs)} ms`);
    cases += 1;
  }
  context.diagnostic(`${cases} damaged files, ${refused} errors`);
});
