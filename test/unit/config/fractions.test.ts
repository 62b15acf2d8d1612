/** Seconds with a fraction or a unit in options that Supervisor has, and the note that Supervisor refuses them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isExecutionChanged } from '../../../src/config/diff.ts';
import type { ProcessConfig } from '../../../src/config/model.ts';
import { policyOf } from '../../../src/engine/policy.ts';
import { formatConfigInfo } from '../../../src/rpc/config-info.ts';
import { configOf, printed, readText } from './memory-source.ts';

const NOTE = 'note: Supervisor refuses this value: it accepts a whole number of seconds only';

function read(lines: string, env: Record<string, string> = {}): { proc: ProcessConfig; warnings: string[] } {
  const reading = readText(`[supervisord]\n[program:web]\ncommand=x\n${lines}\n`, { env });
  const [proc] = configOf(reading).groups[0]?.processes ?? [];
  assert.ok(proc !== undefined);
  return { proc, warnings: printed(reading.warnings).map((line) => line.replace('/etc/supervisord.conf:', '')) };
}

const timesOf = ({ options }: ProcessConfig): number[] => [options.startsecs, options.stopwaitsecs];

test('startsecs and stopwaitsecs take fractions and units, with a note', () => {
  const { proc, warnings } = read('startsecs=0.5\nstopwaitsecs=1m30s');
  assert.deepEqual(timesOf(proc), [0.5, 90]);
  assert.deepEqual(warnings, [`4: [program:web] startsecs: ${NOTE}`, `5: [program:web] stopwaitsecs: ${NOTE}`]);
  assert.deepEqual(timesOf(read('startsecs=500ms\nstopwaitsecs=1.5').proc), [0.5, 1.5]);
});

test('compat: whole numbers as Python reads them have no note', () => {
  const { proc, warnings } = read('startsecs=+1_0\nstopwaitsecs= 0 ');
  assert.deepEqual([timesOf(proc), warnings], [[10, 0], []]);
});

test('a value from a variable is judged by what it stands for', () => {
  assert.deepEqual(read('startsecs=%(ENV_S)s', { S: '2' }).warnings, []);
  assert.deepEqual(read('startsecs=%(ENV_S)s', { S: '0.25' }).warnings, [`4: [program:web] startsecs: ${NOTE}`]);
});

test('the policy has whole milliseconds', () => {
  const { proc } = read('startsecs=1.1\nstopwaitsecs=0.0004');
  const { startMs, stopWaitMs, firstWaitMs } = policyOf(proc);
  assert.deepEqual([startMs, stopWaitMs, firstWaitMs], [1100, 0, 0]);
});

test('compat: getAllConfigInfo has whole seconds, rounded up', () => {
  const { proc } = read('startsecs=0.5\nstopwaitsecs=1.5');
  const group = { name: 'web', priority: 999, type: 'program', processes: [proc] } as const;
  const info = formatConfigInfo(group, proc, { isActive: true, uid: null, stdoutPath: null, stderrPath: null });
  assert.deepEqual([info['startsecs'], info['stopwaitsecs']], [1, 2]);
});

test('a change applies to a running process', () => {
  assert.equal(isExecutionChanged(read('startsecs=1').proc, read('startsecs=0.5\nstopwaitsecs=2.5').proc), false);
});
