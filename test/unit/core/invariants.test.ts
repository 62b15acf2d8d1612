/**
 * Invariants of src/ARCHITECTURE.md that the source text shows: one place collects any child, and core/ and engine/
 * have no timer, clock, random number or system call.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ROOT } from '../../../build/platform.ts';

/** Returns the code of each file below src/ without its comments. */
function codeOf(...patterns: readonly string[]): Array<readonly [file: string, code: string]> {
  const files = patterns.flatMap((pattern) => globSync(`src/${pattern}`, { cwd: ROOT })).toSorted();
  assert.ok(files.length > 0, 'the patterns match no file');
  return files.map((file) => {
    const text = readFileSync(`${ROOT}/${file}`, 'utf8');
    return [file, text.replace(/\/\*[^]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1')] as const;
  });
}

/** Returns each match of a pattern, with its file. */
function find(pattern: RegExp, ...patterns: readonly string[]): string[] {
  return codeOf(...patterns).flatMap(([file, code]) => (code.match(pattern) ?? []).map((match) => `${file}: ${match}`));
}

test('wait4 is called for any child in one place, and waitpid for one known child in one other', () => {
  const calls = find(/\b(?:waitpid|waitid|wait[34]|wait)\([^)]*\)/g, 'native/*.c', 'native/*.h');
  assert.deepEqual(calls, [
    'src/native/spawn.c: waitpid(pid, NULL, 0)',
    'src/native/syscalls.c: wait4(-1, status, WNOHANG, usage)',
  ]);
});

test('the reaper is the only caller of the function that collects any child', () => {
  const callers = find(/\.reap\(/g, '**/*.ts');
  assert.deepEqual(callers, ['src/process/reaper.ts: .reap(']);
});

const FORBIDDEN = [
  /\bset(?:Timeout|Interval|Immediate)\b/g,
  /\b(?:Date\.now|new Date|performance\.now|hrtime)\b/g,
  /\bMath\.random\b/g,
  /\bprocess\.(?!ts\b)\w+/g,
  /\bnode:\w+/g,
  /\bconsole\.\w+/g,
];

test('core/ and engine/ have no timer, no clock, no random number, no system call and no console', () => {
  for (const pattern of FORBIDDEN) assert.deepEqual(find(pattern, 'core/*.ts', 'engine/*.ts'), [], String(pattern));
});
