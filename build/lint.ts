/**
 * `npm run lint`: the linter, the formatter, the layers, the layout, the lockfile. Every finding is an error; nothing
 * is repaired. The rules themselves are in oxlint.json, layers.ts and layout.ts.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { check, resolveConfig } from 'prettier';
import { layerViolations } from './layers.ts';
import { layoutProblems, lockfileProblems, strangersAtTop } from './layout.ts';
import type { Lockfile } from './layout.ts';
import { ROOT } from './platform.ts';

const run = promisify(execFile);

/** Endings of the files that people write here. */
const SOURCE = /\.(ts|tsx|c|h|cjs)$/;
/** Endings of those that the formatter lays out. */
const FORMATTED = /\.(ts|tsx|cjs)$/;

const problems = [...(await linterFindings()), ...(await formatFindings()), ...(await ruleFindings())];
for (const problem of problems) console.log(problem);
console.log(problems.length === 0 ? 'lint: nothing found' : `lint: ${problems.length} found`);
process.exitCode = problems.length === 0 ? 0 : 1;

/** What oxlint says, as it prints it. */
async function linterFindings(): Promise<string[]> {
  try {
    await run(
      join(ROOT, 'node_modules', '.bin', 'oxlint'),
      ['--config', 'build/oxlint.json', '--deny-warnings', 'src', 'build', 'test'],
      { cwd: ROOT, maxBuffer: 1 << 26 },
    );
    return [];
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    return [`${stdout ?? ''}${stderr ?? ''}`.trim() || String(error)];
  }
}

/** Files that `npm run format` would change. */
async function formatFindings(): Promise<string[]> {
  const configuration = await resolveConfig(join(ROOT, 'build/prettier.json'), {
    config: join(ROOT, 'build/prettier.json'),
  });
  const found: string[] = [];
  for (const file of await sources()) {
    if (!FORMATTED.test(file)) continue;
    const isFormatted = await check(await readFile(join(ROOT, file), 'utf8'), { ...configuration, filepath: file });
    if (!isFormatted) found.push(`${file}:1: is not laid out as the formatter does it: npm run format`);
  }
  return found;
}

/** What the rules of this project say: `FILE:LINE: sentence`. */
async function ruleFindings(): Promise<string[]> {
  const found = strangersAtTop(await readdir(ROOT)).map((name) => `${name}:1: does not belong into the top folder`);
  for (const file of await sources()) {
    const source = await readFile(join(ROOT, file), 'utf8');
    found.push(...layoutProblems(file, source).map(({ line, message }) => `${file}:${line}: ${message}`));
    if (file.startsWith('src/') && /\.tsx?$/.test(file))
      found.push(
        ...layerViolations(file.slice('src/'.length), source).map(({ line, message }) => `${file}:${line}: ${message}`),
      );
  }
  found.push(
    ...lockfileProblems(JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as Lockfile).map(
      (message) => `package-lock.json:1: ${message}`,
    ),
  );
  return found;
}

async function sources(): Promise<string[]> {
  return (await Promise.all(['src', 'build', 'test'].map((folder) => sourcesBelow(folder)))).flat();
}

async function sourcesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && SOURCE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .sort();
}
