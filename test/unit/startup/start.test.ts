/** Decisions before any program runs: the program that is meant, and its environment. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { chooseProgram } from '../../../src/startup/choose-program.ts';
import { cleanStart, originalStart } from '../../../src/startup/clean-start.ts';
import { originalArguments, originalVariables } from '../../../src/startup/original-bytes.ts';

test('the program is chosen by the called name, then by the first argument', () => {
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

test('variables that Node reads itself are set aside and restored', () => {
  const given = {
    env: { PATH: '/bin', NODE_DEBUG: 'net', NODE_OPTIONS: '--require /x', NODE_UNIQUE_ID: '1' },
    args: ['-n'],
  };
  const clean = cleanStart(given);
  assert.ok(clean !== null);
  assert.deepEqual(Object.keys(clean.env).toSorted(), ['NODE_OPTIONS', 'ONEVISOR_SET_ASIDE', 'PATH']);
  assert.equal(cleanStart(clean), null);
  assert.deepEqual(originalStart(clean), given);
});

test('so are strings that are not UTF-8, which Node would not pass on', () => {
  const given = {
    env: { PATH: '/bin', NODE_DEBUG: 'net', BYTES: 'z\udce9\udcff', '\udce9': 'name' },
    args: ['--', 'echo', '\udcff'],
  };
  const clean = cleanStart(given);
  assert.ok(clean !== null && Object.values(clean.env).every((value) => /^[\x20-\x7e]*$/.test(value)));
  assert.deepEqual(Object.keys(clean.env).toSorted(), ['ONEVISOR_SET_ASIDE', 'PATH']);
  assert.deepEqual(originalStart({ env: clean.env, args: ['--', 'echo', '\uFFFD'] }), given);
});

test('a start without such variables is unchanged', () => {
  assert.equal(cleanStart({ env: { PATH: '/bin', BYTES: '\udce9' }, args: ['\udce9'] }), null);
  assert.deepEqual(originalStart({ env: { PATH: '/bin' }, args: ['x'] }), { env: { PATH: '/bin' }, args: ['x'] });
});

test('bytes that Node has replaced are read from /proc', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'onevisor-bytes-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'strings');
  const give = (...strings: string[]): void =>
    writeFileSync(path, Buffer.from(strings.map((text) => `${text}\0`).join(''), 'latin1'));
  give('onevisor', '--', 'echo', '\xe9\xff', 'a');
  assert.deepEqual(originalArguments(['--', 'echo', '\uFFFD\uFFFD', 'a'], path), ['--', 'echo', '\udce9\udcff', 'a']);
  // /proc has different strings, too few, or none: the decoded ones are kept.
  assert.deepEqual(originalArguments(['--', 'other', '\uFFFD', 'a'], path), ['--', 'other', '\uFFFD', 'a']);
  assert.deepEqual(originalArguments(['1', '2', '3', '4', '5', '\uFFFD'], path), ['1', '2', '3', '4', '5', '\uFFFD']);
  assert.deepEqual(originalArguments(['\uFFFD'], join(folder, 'none')), ['\uFFFD']);
  assert.deepEqual(originalArguments(['plain'], join(folder, 'none')), ['plain']);
  give('A=1', 'B=z\xe9\xff', 'B=second', 'no variable', '=C:=x', 'D=');
  assert.deepEqual(originalVariables({ A: '1', B: 'z\uFFFD' }, path), {
    A: '1',
    B: 'z\udce9\udcff',
    '=C:': 'x',
    D: '',
  });
  assert.deepEqual(originalVariables({ B: 'z\uFFFD' }, join(folder, 'none')), { B: 'z\uFFFD' });
  assert.deepEqual(originalVariables({ A: '1', U: undefined }, path), { A: '1', U: undefined });
});
