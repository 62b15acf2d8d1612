/**
 * Compares the coverage of a test run with the files that must be covered completely. A file that no test loads counts
 * as uncovered, unless it has only types.
 */
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { transform } from 'esbuild';
import { ROOT } from './platform.ts';

/** One file of a coverage report: the number of times that each line ran. */
export interface CoveredFile {
  readonly path: string;
  readonly lines: ReadonlyArray<{ readonly line: number; readonly count: number }>;
}

/** Describes the uncovered lines of each file below `folders` (such as src/core). Empty if all lines are covered. */
export async function uncoveredIn(folders: readonly string[], report: readonly CoveredFile[]): Promise<string[]> {
  const reported = new Map(report.map((file) => [relative(ROOT, file.path), file]));
  const files = globSync(
    folders.map((folder) => `${folder}/**/*.ts`),
    { cwd: ROOT },
  )
    .filter((file) => !file.endsWith('.d.ts'))
    .sort();
  if (files.length === 0) return [`no file in ${folders.join(', ')}`];
  const found: string[] = [];
  for (const file of files) {
    const lines =
      reported
        .get(file)
        ?.lines.filter(({ count }) => count === 0)
        .map(({ line }) => line) ?? null;
    if (lines === null) {
      if (await hasCode(file)) found.push(`${file}: no test loads it`);
    } else if (lines.length > 0) found.push(`${file}: ${formatRanges(lines)}`);
  }
  return found;
}

/** True if a file has code besides its types. */
async function hasCode(file: string): Promise<boolean> {
  const { code } = await transform(await readFile(join(ROOT, file), 'utf8'), { loader: 'ts', minifyWhitespace: true });
  return code.trim().replace(/^export\s*\{\s*\};?$/, '') !== '';
}

/** Formats line numbers as ranges: 1, 2, 3, 7 becomes `1-3, 7`. */
export function formatRanges(lines: readonly number[]): string {
  const ranges: Array<[number, number]> = [];
  for (const line of lines) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === line - 1) last[1] = line;
    else ranges.push([line, line]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
}
