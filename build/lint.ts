/**
 * `npm run lint`: runs the linter, the formatter, and the checks of layers, layout and lockfile. Every finding is an
 * error. Repairs nothing. The rules are in oxlint.json, layers.ts and layout.ts.
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

/** Endings of source files. */
const SOURCE = /\.(ts|tsx|c|h|cjs)$/;
/** Endings of files that the formatter handles. */
const FORMATTED = /\.(ts|tsx|cjs)$/;

const problems = [...(await linterFindings()), ...(await formatFindings()), ...(await ruleFindings())];
for (const problem of problems) console.log(problem);
console.log(problems.length === 0 ? 'lint: nothing found' : `lint: ${problems.length} found`);
process.exitCode = problems.length === 0 ? 0 : 1;

/** Returns the output of oxlint. */
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

/** Returns the files that `npm run format` would change. */
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

/** Returns the findings of our own rules: `FILE:LINE: sentence`. */
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
