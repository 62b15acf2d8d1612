/** Values of options that processes share: nothing but the memory shows it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffConfigs, isExecutionChanged } from '../../../src/config/diff.ts';
import type { Config } from '../../../src/config/model.ts';
import { programOptions } from '../../../src/config/options.ts';
import { read } from './memory-source.ts';

function configOf(text: string): Config {
  const { config, errors } = read({ files: { '/etc/supervisord.conf': `[supervisord]\n${text}` } });
  assert.ok(config !== null, JSON.stringify(errors));
  return config;
}

/** Returns the names of all options, own and shared. */
function namesOf(options: object): string[] {
  const names: string[] = [];
  for (const name in options) names.push(name);
  return names.toSorted();
}

const MANY = Array.from({ length: 3 }, (_, index) => `[program:p${index}]\ncommand=run ${index}\n`).join('');

test('processes have the values that differ as their own, and all others', () => {
  const [first, ...others] = configOf(`${MANY}[eventlistener:e]\ncommand=listen\nevents=TICK_5\n`)
    .groups.flatMap(({ processes }) => processes)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  assert.equal(first?.name, 'e');
  const owned = others.map(({ options }) => Object.keys(options).length);
  assert.ok(
    owned.slice(1).every((count) => count < 5),
    owned.join(),
  );
  for (const { name, options } of others) {
    assert.equal(options.command, `run ${name.slice(1)}`);
    assert.equal(options.startsecs, 1);
    assert.deepEqual(namesOf(options), namesOf(others[0]?.options ?? options));
    for (const option of Object.keys(programOptions)) assert.ok(option in options, option);
    assert.equal('events' in options, false, 'another type of program has other options');
  }
  assert.ok(first.options.events !== undefined);
});

test('a comparison sees the values that are shared, too', () => {
  const before = configOf(MANY);
  assert.deepEqual(diffConfigs(before, configOf(MANY)).changed, []);
  // The first program has all values as its own in one configuration, and shares them in the other.
  const more = configOf(`[program:first]\ncommand=run\npriority=1\nstartsecs=7\numask=077\n${MANY}`);
  assert.deepEqual(diffConfigs(before, more), { added: ['first'], changed: [], removed: [] });
  const changed = configOf(MANY.replaceAll('command', 'startsecs=3\ncommand'));
  assert.deepEqual(diffConfigs(before, changed).changed, ['p0', 'p1', 'p2']);
  const first = ({ groups }: Config) => groups.find(({ name }) => name === 'p0')?.processes[0];
  const [old, same, other] = [before, more, configOf(MANY.replaceAll('command', 'umask=077\ncommand'))].map(first);
  assert.ok(old !== undefined && same !== undefined && other !== undefined);
  assert.equal(isExecutionChanged(old, other), true);
  // The order of own and shared values is no change.
  assert.equal(isExecutionChanged(old, same), false);
});
