/**
 * Each case of the bench can be measured: once, small, and whatever the figures are. A peer that is not installed is
 * skipped by the case itself, and said in its row.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { pid1SkipReason } from '../e2e/launch.ts';
import { CASES } from './cases.ts';
import type { Row } from './figures.ts';

const run = promisify(execFile);

/** Cases with a PID 1. */
const NEED_NAMESPACES: ReadonlySet<string> = new Set(['orphans', 'term']);

const executable = join(import.meta.dirname, '..', '..', 'dist', 'onevisor');
const noPid1 = await pid1SkipReason();

interface Answer {
  readonly cases: ReadonlyArray<{ readonly name: string; readonly failure: string | null; readonly rows: Row[] }>;
}

for (const { name } of CASES) {
  test(`${name} is measured`, { skip: NEED_NAMESPACES.has(name) && noPid1 !== null ? noPid1 : false }, async () => {
    const script = join(import.meta.dirname, 'bench.ts');
    const words = [script, '--quick', '--json', '--executable', executable, name];
    // The exit code 1 says that a goal is missed, which is not judged here.
    const { stdout, stderr } = await run(process.execPath, words).catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    assert.ok(stdout !== '', stderr);
    const [only, ...others] = (JSON.parse(stdout) as Answer).cases;
    assert.deepEqual(others, []);
    assert.equal(only?.failure, null);
    assert.ok(only.rows.length > 0);
    for (const { what, ours, peer, peerName } of only.rows) {
      assert.ok(ours !== null && Number.isFinite(ours.median), `${what} has no figure of ours`);
      const isExplained = peerName === '' || / is not installed/.test(peerName);
      assert.ok(peer !== null || isExplained, `${what} has no figure of ${peerName}`);
    }
  });
}
