/** Decisions before any program runs: the program that is meant, and its environment. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { frozenWords } from '../../../src/cli/commands.ts';
import { chooseProgram, isFrozenWord } from '../../../src/startup/choose-program.ts';
import { environmentForPrograms, libcChoice, usesSystemLibc } from '../../../src/startup/own-libc.ts';
import { originalArguments, originalVariables } from '../../../src/startup/original-bytes.ts';

test('the program is chosen by the called name, then by the first argument', () => {
  const rows: ReadonlyArray<[argv0: string, args: string[], program: string, rest: string[]]> = [
    ['/usr/bin/supervisord', ['-n'], 'supervise', ['-n']],
    ['supervisorctl', ['status'], 'ctl', ['status']],
    ['echo_supervisord_conf', [], 'echo-conf', []],
    ['pidproxy', ['a', 'b'], 'pidproxy', ['a', 'b']],
    ['onevisor', ['ctl', 'status'], 'ctl', ['status']],
    ['onevisor', ['check', '--json'], 'check', ['--json']],
    ['onevisor', ['install', '/bin'], 'install', ['/bin']],
    ['/x/onevisor', ['-c', 'file'], 'supervise', ['-c', 'file']],
    ['onevisor', ['--', 'check'], 'supervise', ['--', 'check']],
    ['onevisor', ['--version'], 'version', []],
    ['supervisord', ['--version'], 'supervise', ['--version']],
    ['onevisor', [], 'supervise', []],
    ['onevisor', ['health', 'web'], 'health', ['web']],
    ['onevisor', ['--help'], 'overview', []],
    ['onevisor', ['-n', '--help'], 'supervise', ['-n', '--help']],
    ['supervisord', ['--help'], 'supervise', ['--help']],
    ['supervisorctl', ['status', '--help'], 'ctl', ['status', '--help']],
    ['onevisor', ['check', '--help'], 'help', ['command', 'check']],
    ['onevisor', ['schema', 'environment'], 'schema', ['environment']],
    ['onevisor', ['completion', 'bash'], 'completion', ['bash']],
  ];
  for (const [argv0, args, program, rest] of rows) {
    const choice = chooseProgram(argv0, args, () => assert.fail('the mode does not matter'));
    assert.deepEqual([choice.program, choice.args], [program, rest], `${argv0} ${args.join(' ')}`);
  }
});

test('in the main process of a container, a word is the command to run, unless it is frozen', () => {
  for (const args of [['bash'], ['status'], ['top', '-d', '1'], ['wait', '--help'], ['chekc']]) {
    const choice = chooseProgram('onevisor', args, () => true);
    assert.deepEqual([choice.program, choice.args], ['supervise', ['--', ...args]]);
  }
});

test('a command that asks no supervisor exists outside the main process of a container', () => {
  for (const name of ['grafana', 'alerts']) {
    const [own, help] = [
      [name, '-c', 'x'],
      [name, '--help'],
    ].map((args) => chooseProgram('onevisor', args, () => false));
    assert.deepEqual([own?.program, own?.args, own?.calledAs], [name, ['-c', 'x'], `onevisor ${name}`]);
    assert.deepEqual([help?.program, help?.args], ['help', ['command', name]]);
    const inMain = chooseProgram('onevisor', [name], () => true);
    assert.deepEqual([inMain.program, inMain.args], ['supervise', ['--', name]]);
  }
});

test('in any other process, a word is a command of the client, or unknown', () => {
  const rows: ReadonlyArray<[args: string[], program: string]> = [
    [['status', '--help'], 'ctl'],
    [['tail', '-f', 'web'], 'ctl'],
    [['quit'], 'unknown'],
    [['bash'], 'unknown'],
    [['chekc'], 'unknown'],
  ];
  for (const [args, program] of rows) {
    const choice = chooseProgram('/x/onevisor', args, () => false);
    assert.deepEqual([choice.program, choice.args, choice.calledAs], [program, args, 'onevisor']);
  }
});

/** A promise to users: `docker run image WORD` keeps its meaning. Never change this list. */
const FROZEN = 'check completion ctl demo echo-conf health help install pidproxy schema unpack';

test('the list of frozen words is the promised one, and each has a program', () => {
  assert.equal([...frozenWords].toSorted().join(' '), FROZEN);
  for (const word of frozenWords) assert.ok(isFrozenWord(word), word);
});

test('variables that were set aside come back, and the choice of the libc is not for programs', () => {
  const env = { PATH: '/bin', ONEVISOR_SET_ASIDE_NODE_DEBUG: 'net', ONEVISOR_LIBC: 'system', ONEVISOR_CONF: '/x' };
  assert.deepEqual(environmentForPrograms(env), { PATH: '/bin', NODE_DEBUG: 'net', ONEVISOR_CONF: '/x' });
  assert.deepEqual(libcChoice(env), { ONEVISOR_LIBC: 'system' });
  assert.deepEqual(libcChoice({ PATH: '/bin', ONEVISOR_LIBC: '' }), {});
  assert.deepEqual([usesSystemLibc(env), usesSystemLibc({})], [true, false]);
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
