/**
 * Joins small test files into groups. The files of a group run in one process, one file after the other, since the
 * start of a process with its imports takes longer than the tests of most files.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './platform.ts';

/** Hooks outside of a suite belong to the whole process, so a file with hooks is not joined. */
const HAS_HOOKS = /^(?:await )?(?:before|after)(?:Each)?\(/m;

/** Modules that import the files of one group. */
const FOLDER = join(ROOT, 'dist', '.cache', 'test-groups');

/** Files for the runner, by path. */
export interface Groups {
  /** Paths for Node's runner: files, and modules that import several files. */
  readonly paths: readonly string[];
  /** Returns the path for the runner that contains a test file. */
  pathOf(file: string): string;
}

/** Joins files (absolute paths, in order) into at most `count` groups of neighbours, which often import the same. */
export async function joinFiles(files: readonly string[], count: number): Promise<Groups> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  const small = files.filter((_, index) => !HAS_HOOKS.test(texts[index] ?? ''));
  const alone = files.filter((file) => !small.includes(file));
  const size = Math.max(1, Math.ceil(small.length / count));
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  const groupOf = new Map<string, string>();
  for (let start = 0; start < small.length; start += size) {
    const members = small.slice(start, start + size);
    const path = join(FOLDER, `${String(start / size + 1).padStart(2, '0')}.test.mjs`);
    await writeFile(path, moduleOf(members));
    for (const file of members) groupOf.set(file, path);
  }
  return { paths: [...new Set(groupOf.values()), ...alone], pathOf: (file) => groupOf.get(file) ?? file };
}

/** Returns the text of a module that imports all files. An import that fails is a failed test. */
function moduleOf(files: readonly string[]): string {
  const imports = files.map(
    (file) =>
      `await import(${JSON.stringify(pathToFileURL(file).href)})` +
      `.catch((error) => test(${JSON.stringify(relative(ROOT, file))}, () => Promise.reject(error)));`,
  );
  return [`import { test } from 'node:test';`, ...imports, ''].join('\n');
}
