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

/** Runs of the bench at the same time. The cases of a run follow each other. The figures are not judged here. */
const LANES = 3;

const canRun = ({ name }: { readonly name: string }): boolean => !NEED_NAMESPACES.has(name) || noPid1 === null;
const lanes = Array.from({ length: LANES }, (_, lane) =>
  measure(CASES.filter(canRun).flatMap(({ name }, index) => (index % LANES === lane ? [name] : []))),
);

/** Measures cases, small. Returns the end of standard error too, for the message of a case without an answer. */
async function measure(names: readonly string[]): Promise<Answer & { readonly stderr: string }> {
  const script = join(import.meta.dirname, 'bench.ts');
  const words = [script, '--quick', '--json', '--executable', executable, ...names];
  // The exit code 1 says that a goal is missed, and 2 that a case has failed.
  const { stdout, stderr } = await run(process.execPath, words).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  return { cases: stdout === '' ? [] : (JSON.parse(stdout) as Answer).cases, stderr };
}

for (const { name } of CASES) {
  test(`${name} is measured`, { skip: NEED_NAMESPACES.has(name) && noPid1 !== null ? noPid1 : false }, async () => {
    const answers = await Promise.all(lanes);
    const [only, ...others] = answers.flatMap(({ cases }) => cases.filter((one) => one.name === name));
    assert.ok(only !== undefined, answers.map(({ stderr }) => stderr).join('\n'));
    assert.deepEqual(others, []);
    assert.equal(only.failure, null);
    assert.ok(only.rows.length > 0);
    for (const { what, ours, peer, peerName } of only.rows) {
      assert.ok(ours !== null && Number.isFinite(ours.median), `${what} has no figure of ours`);
      const isExplained = peerName === '' || / is not installed/.test(peerName);
      assert.ok(peer !== null || isExplained, `${what} has no figure of ${peerName}`);
    }
  });
}
