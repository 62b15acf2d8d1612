/** The addon under ASan and UBSan: random calls, with the right and with wrong types, and framing against a model. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { buildAddon } from '../../build/addon.ts';
import { platformOf } from '../../build/platform.ts';
import { bySize } from '../slow.ts';
import { SEED } from './random.ts';

const run = promisify(execFile);
const FOR_MS = bySize({ brief: 3000, long: 240_000 });

test('no call of the addon reads or writes outside of its memory', async (context) => {
  const platform = platformOf(undefined, undefined);
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-fuzz-addon-'));
  context.after(() => rm(folder, { recursive: true }));
  const built = await buildAddon({ ...platform, sanitize: true, out: join(folder, 'sanitized.node') }).catch(String);
  const { stdout: library } = await run(platform.cc, ['-print-file-name=libasan.so']);
  if (!library.startsWith('/') || !built.startsWith('/')) return context.skip(`${platform.cc} has no sanitizers`);
  const script = join(import.meta.dirname, 'addon-calls.ts');
  const { stdout } = await run(process.execPath, [script, built, String(SEED), String(FOR_MS)], {
    env: { PATH: '/usr/bin:/bin', LD_PRELOAD: library.trim(), ASAN_OPTIONS: 'detect_leaks=0' },
  }).catch((error: Error & { stderr?: string }) => {
    throw new Error(`TEST_SEED=${SEED}: ${error.stderr ?? ''}`, { cause: error });
  });
  assert.match(stdout, /^\d+ calls/);
  context.diagnostic(stdout.trim());
});
