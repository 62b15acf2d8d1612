/**
 * Compares what a test run covered with the files that must be covered to the last line.
 * A file that no test loads is uncovered as a whole, unless it holds types only.
 */
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { transform } from 'esbuild';
import { ROOT } from './platform.ts';

/** One file of a coverage report: how often each of its lines ran. */
export interface CoveredFile {
  readonly path: string;
  readonly lines: ReadonlyArray<{ readonly line: number; readonly count: number }>;
}

/** Says for each file below `folders` (such as src/core) what did not run; nothing when all did. */
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

/** Whether anything is left of a file when its types are taken out. */
async function hasCode(file: string): Promise<boolean> {
  const { code } = await transform(await readFile(join(ROOT, file), 'utf8'), { loader: 'ts', minifyWhitespace: true });
  return code.trim().replace(/^export\s*\{\s*\};?$/, '') !== '';
}

/** 1, 2, 3, 7 → `1-3, 7`. */
export function formatRanges(lines: readonly number[]): string {
  const ranges: Array<[number, number]> = [];
  for (const line of lines) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === line - 1) last[1] = line;
    else ranges.push([line, line]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
}
