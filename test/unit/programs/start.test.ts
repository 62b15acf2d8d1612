/** What is decided before any program of ours runs: which one is meant, and with which environment. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseProgram } from '../../../src/programs/choice.ts';
import { cleanEnvironment, originalEnvironment } from '../../../src/programs/clean-start.ts';

test('the name it is called by decides, then the first argument', () => {
  const rows: Array<[argv0: string, args: string[], program: string, rest: string[]]> = [
    ['/usr/bin/supervisord', ['-n'], 'supervise', ['-n']],
    ['supervisorctl', ['status'], 'ctl', ['status']],
    ['echo_supervisord_conf', [], 'echo-conf', []],
    ['pidproxy', ['a', 'b'], 'pidproxy', ['a', 'b']],
    ['onevisor', ['ctl', 'status'], 'ctl', ['status']],
    ['onevisor', ['check', '--json'], 'check', ['--json']],
    ['/x/onevisor', ['-c', 'file'], 'supervise', ['-c', 'file']],
    ['onevisor', ['--', 'check'], 'supervise', ['--', 'check']],
    ['onevisor', ['--version'], 'version', []],
    ['supervisord', ['--version'], 'supervise', ['--version']],
    ['onevisor', [], 'supervise', []],
    ['onevisor', ['health', 'web'], 'health', ['web']],
  ];
  for (const [argv0, args, program, rest] of rows) {
    const choice = chooseProgram(argv0, args);
    assert.deepEqual([choice.program, choice.args], [program, rest], `${argv0} ${args.join(' ')}`);
  }
});

test('variables that Node reads itself are set aside and come back', () => {
  const given = { PATH: '/bin', NODE_DEBUG: 'net', NODE_OPTIONS: '--require /x', NODE_UNIQUE_ID: '1' };
  const clean = cleanEnvironment(given);
  assert.ok(clean !== null);
  assert.deepEqual(Object.keys(clean).toSorted(), ['NODE_OPTIONS', 'ONEVISOR_SET_ASIDE', 'PATH']);
  assert.equal(cleanEnvironment(clean), null);
  assert.deepEqual(originalEnvironment(clean), given);
});

test('an environment without them is left alone', () => {
  assert.equal(cleanEnvironment({ PATH: '/bin' }), null);
  assert.deepEqual(originalEnvironment({ PATH: '/bin' }), { PATH: '/bin' });
});
