/** The piece of the program that the loader chooses must be able to run what the call turns out to be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { typedCommands } from '../../../src/cli/commands.ts';
import { chooseBundle, OTHER_LINKS, OTHER_WORDS } from '../../../src/startup/bundles.ts';
import { chooseProgram, LINK_NAMES } from '../../../src/startup/choose-program.ts';

const isClient = (argv0: string, args: readonly string[]): boolean =>
  ['ctl', 'health'].includes(chooseProgram(argv0, args, () => false).program);

test('every command and every link of the client has its piece, and no other one has', () => {
  const words = [...typedCommands.map(({ name }) => name), ...OTHER_WORDS, 'ctl', 'health'];
  for (const word of words)
    assert.equal(chooseBundle('/bin/onevisor', [word], 7), isClient('onevisor', [word]) ? 'client' : 'onevisor', word);
  for (const name of [...LINK_NAMES, ...OTHER_LINKS])
    assert.equal(chooseBundle(`/bin/${name}`, ['status'], 7), isClient(name, ['status']) ? 'client' : 'onevisor', name);
});

test('options, nothing and an empty word are for the supervisor', () => {
  for (const args of [[], [''], ['-n'], ['--', 'ctl'], ['--version'], ['--help']])
    assert.equal(chooseBundle('onevisor', args, 7), 'onevisor', args.join(' '));
});

test('PID 1 takes a word for the command to run, unless the word is a program of ours everywhere', () => {
  assert.equal(chooseBundle('onevisor', ['status'], 1), 'onevisor');
  assert.equal(chooseBundle('onevisor', ['nginx', '-g'], 1), 'onevisor');
  assert.equal(chooseBundle('onevisor', ['health'], 1), 'client');
  assert.equal(chooseBundle('onevisor', ['ctl', 'status'], 1), 'client');
  assert.equal(chooseBundle('supervisorctl', ['status'], 1), 'client');
});

test('an unknown word outside PID 1 is looked at by the client first, which passes it on', () => {
  assert.equal(chooseBundle('onevisor', ['chekc'], 7), 'client');
});
