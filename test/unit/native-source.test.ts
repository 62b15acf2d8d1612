/** Invariants of the addon that only its source text shows. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../src/native', import.meta.url));

/** Finds the calls of a function of the wait(2) family in the C files: the file, and the first argument. */
function findWaits(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.c'))
    .flatMap((name) =>
      [...readFileSync(`${FOLDER}/${name}`, 'utf8').matchAll(/\b(wait\w*)\(([^,)]+),/g)]
        .filter(([, called = '']) => /^wait(?:pid|id|3|4)?$/.test(called))
        .map(([, called, target]) => `${name}: ${called}(${target})`),
    );
}

test('one call takes any child, and a failed spawn takes only its own', () => {
  assert.deepEqual(findWaits(), ['spawn.c: waitpid(pid)', 'syscalls.c: wait4(-1)']);
});
