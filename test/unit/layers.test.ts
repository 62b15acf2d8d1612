/**
 * The rules of build/layers.ts and build/layout.ts: each finds its violations and accepts everything else. `npm run
 * lint` checks that src/ keeps them.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { LAYERS, layerViolations, parseImports } from '../../build/layers.ts';
import { layoutProblems, lockfileProblems, LONGEST_FILE, strangersAtTop } from '../../build/layout.ts';

/** File (below src/), import line, expected message; null if the import is allowed. */
const IMPORTS: ReadonlyArray<readonly [string, string, RegExp | null]> = [
  ['core/process-machine.ts', `import { a } from './states.ts';`, null],
  [
    'core/process-machine.ts',
    `import { readFile } from 'node:fs';`,
    /core\/ may not import node:fs: the machines are pure/,
  ],
  ['core/process-machine.ts', `import { Cron } from 'croner';`, /core\/ may not import npm:croner/],
  [
    'core/process-machine.ts',
    `import type { Config } from '../config/model.ts';`,
    /core\/ may not import config\/model\.ts/,
  ],
  ['core/process-machine.ts', `export { a } from '../engine/engine.ts';`, /may not import engine\/engine\.ts/],
  ['core/process-machine.ts', `const fs = process.getBuiltinModule('node:fs');`, /may not import node:fs/],
  ['config/sections.ts', `import ini from 'ini';`, null],
  [
    'config/sections.ts',
    `import { readFileSync } from 'node:fs';`,
    /config\/ may not import node:fs: .*only config\/source\.ts/,
  ],
  ['config/source.ts', `import { readFileSync } from 'node:fs';`, null],
  ['config/sections.ts', `import { spawn } from '../process/spawn.ts';`, /may not import process\/spawn\.ts/],
  ['engine/engine.ts', `import type { Config } from '../config/model.ts';`, null],
  ['engine/engine.ts', `import { diff } from '../config/diff.ts';`, /may import only types of config\/diff\.ts/],
  ['engine/engine.ts', `import { setTimeout } from 'node:timers/promises';`, /may not import node:timers\/promises/],
  ['process/spawn.ts', `import { loadAddon } from '../native/load.ts';`, null],
  ['process/spawn.ts', `import { Engine } from '../engine/engine.ts';`, /may import only types/],
  ['native/load.ts', `import { formatState } from '../core/states.ts';`, null],
  ['native/load.ts', `import { readPidFile } from '../files/read-file.ts';`, /native\/ may not import files/],
  ['logs/frame.ts', `import { spawn } from '../process/spawn.ts';`, /logs\/ may not import process/],
  ['http/routes.ts', `import { reap } from '../process/reaper.ts';`, /the inside of a process is closed/],
  ['ctl/status.ts', `import { parseXml } from '../rpc/xmlrpc.ts';`, null],
  ['ctl/status.ts', `import { registry } from '../rpc/registry.ts';`, /may import only types of rpc\/registry\.ts/],
  ['ctl/status.ts', `import { loadAddon } from '../native/load.ts';`, /ctl\/ may not import native/],
  ['ctl/status.ts', `const { loadAddon } = await import('../native/load.ts');`, /ctl\/ may not import native/],
  ['ctl/status.ts', `const { setTimeout } = await import('node:timers/promises');`, /the executable has no import\(\)/],
  ['ctl/status.ts', `const { loadAddon } = await import('./wait.ts');`, null],
  ['programs/check.ts', `import { parse } from '../config/parse.ts';`, null],
  ['engine/engine.ts', `import { supervise } from '../programs/supervise.ts';`, /may not import programs/],
  ['main.ts', `import { supervise } from './programs/supervise.ts';`, null],
  ['process/spawn.ts', `import { spawn } from 'node:child_process';`, /our reaper owns every exit status/],
  ['main.ts', `import cluster from 'node:cluster';`, /our reaper owns every exit status/],
  ['helpers/x.ts', `import { a } from '../core/states.ts';`, /is in no layer/],
];

for (const [file, source, expected] of IMPORTS) {
  test(`layers: ${file}: ${source} ${expected === null ? 'passes' : 'is found'}`, () => {
    const messages = layerViolations(file, source).map((violation) => violation.message);
    if (expected === null) assert.deepEqual(messages, []);
    else {
      assert.equal(messages.length, 1);
      assert.match(messages[0] ?? '', expected);
    }
  });
}

test('layers: imports are found over several lines and not in comments', () => {
  const source =
    `// from 'no-1'\n/*\nimport a from 'no-2';\n*/\nimport {\n  b,\n  c,\n} from 'yes-1';\n` +
    `import type { D } from "yes-2";\nimport 'yes-3';\nexport type { E } from 'yes-4';\nconst x = 'from';\n`;
  assert.deepEqual(parseImports(source), [
    { specifier: 'yes-1', line: 5, typeOnly: false, isDynamic: false },
    { specifier: 'yes-2', line: 9, typeOnly: true, isDynamic: false },
    { specifier: 'yes-4', line: 11, typeOnly: true, isDynamic: false },
    { specifier: 'yes-3', line: 10, typeOnly: false, isDynamic: false },
  ]);
});

test('layers: only main.ts and client.ts import programs/', () => {
  const importers = Object.entries(LAYERS).filter(([, layer]) =>
    [...layer.may, ...(layer.types ?? [])].includes('programs/'),
  );
  assert.deepEqual(
    importers.map(([name]) => name),
    ['client.ts', 'main.ts', 'programs/'],
  );
});

test('layout: unknown entries at the top are found', () => {
  assert.deepEqual(strangersAtTop(['src', 'build', '.ci', 'LICENSE', 'lib', 'binding.gyp']), ['lib', 'binding.gyp']);
});

test('layout: length, beginning and names', () => {
  const messagesOf = (file: string, source: string): string[] =>
    layoutProblems(file, source).map(({ message }) => message);
  assert.deepEqual(
    messagesOf('src/core/states.ts', '/** Owns. */\nexport const x = 1;\nexport const reopen = 1;\n'),
    [],
  );
  assert.match(messagesOf('src/core/a.ts', 'const x = 1;\n')[0] ?? '', /without a comment/);
  assert.match(messagesOf('src/core/a.ts', `/** A. */\n${'\n'.repeat(LONGEST_FILE)}`)[0] ?? '', /at most/);
  assert.match(messagesOf('src/core/log-manager.ts', '/** A. */\n')[0] ?? '', /"manager"/);
  assert.match(messagesOf('src/core/a.ts', '/** A. */\nclass ProcessManager {}\n')[0] ?? '', /ProcessManager/);
  assert.match(messagesOf('src/core/a.ts', '/** A. */\nfunction onExitHandler() {}\n')[0] ?? '', /"handler"/);
  assert.match(messagesOf('test/a.ts', `// ${'x'.repeat(118)}`)[0] ?? '', /121 columns/);
  for (const line of ['const NAME = 1;', 'const f = (NAME: X) => 1;', 'const { NAME } = x;'])
    assert.match(messagesOf('test/a.ts', line.replace('NAME', 'process'))[0] ?? '', /called process/);
  assert.deepEqual(messagesOf('test/a.ts', 'f(process, { process: 1 });'), []);
  assert.match(messagesOf('src/core/exitStatus.ts', '/** A. */\n')[0] ?? '', /kebab-case/);
});

test('layout: a lockfile that works on one machine only is found', () => {
  const whole = { '': { optionalDependencies: { a: '1' } }, 'node_modules/a': {} };
  assert.deepEqual(lockfileProblems({ packages: whole }), []);
  assert.match(lockfileProblems({ packages: { '': { optionalDependencies: { a: '1' } } } })[0] ?? '', /wants a/);
  assert.match(
    lockfileProblems({ packages: { 'node_modules/a': { resolved: 'https://registry/a.tgz' } } })[0] ?? '',
    /names a registry/,
  );
});

test('linter: a banned import is found at level error', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-lint-'));
  try {
    await mkdir(join(folder, 'src', 'core'), { recursive: true });
    await mkdir(join(folder, 'src', 'http'), { recursive: true });
    await writeFile(
      join(folder, 'src', 'core', 'a.ts'),
      'export default function now(): number { setTimeout(() => console.log(process.pid), 1); return ' +
        'Date.now() + Math.random(); }\n',
    );
    await writeFile(
      join(folder, 'src', 'http', 'b.ts'),
      `export function end(): void { process.exit(1); process.kill(1, 9); }\n` +
        `export const home = process.env['HOME'];\n`,
    );
    const root = join(import.meta.dirname, '..', '..');
    const { status, stdout } = await lint(root, folder);
    assert.equal(status, 1);
    for (const name of [
      "'setTimeout'",
      "'console'",
      "'process'",
      "'Date'",
      "'Math.random'",
      "'process.exit'",
      "'process.kill'",
      "'process.env'",
      'no-default-export',
    ]) {
      assert.ok(stdout.includes(name), `${name} is not found in:\n${stdout}`);
    }
    assert.doesNotMatch(stdout, /\[Warning/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

async function lint(root: string, folder: string): Promise<{ status: number; stdout: string }> {
  const run = promisify(execFile);
  const args = [
    '--config',
    join(root, 'build', 'oxlint.json'),
    '--tsconfig',
    join(root, 'tsconfig.json'),
    '--format',
    'unix',
    folder,
  ];
  return run(join(root, 'node_modules', '.bin', 'oxlint'), args, { cwd: root }).then(
    ({ stdout }) => ({ status: 0, stdout }),
    (error: { code: number; stdout: string }) => ({ status: error.code, stdout: error.stdout }),
  );
}
