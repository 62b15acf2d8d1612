/** Names with `*` and `?`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNameFilter, createNameMatcher, isPattern } from '../../../src/core/name-pattern.ts';

const processes = ['web:web', 'web:other', 'jobs:w.1', 'jobs:w.2'].map((id) => {
  const [group = '', name = ''] = id.split(':');
  return { group, name };
});

function matches(test: (named: (typeof processes)[number]) => boolean): readonly string[] {
  return processes.filter(test).map(({ group, name }) => `${group}:${name}`);
}

test('patterns match names with and without their group', () => {
  assert.deepEqual(matches(createNameMatcher('w*')), ['web:web', 'web:other', 'jobs:w.1', 'jobs:w.2']);
  assert.deepEqual(matches(createNameMatcher('jobs:*?2')), ['jobs:w.2']);
  assert.deepEqual(matches(createNameMatcher('w.?')), ['jobs:w.1', 'jobs:w.2']);
  assert.deepEqual(matches(createNameMatcher('*'.repeat(5000))), []);
  assert.deepEqual(
    ['w*', 'g:a?', '*:*', 'web', 'web:*', 'web:'].map((name) => isPattern(name)),
    [true, true, true, false, false, false],
  );
});

test('a filter takes plain names, whole groups and patterns', () => {
  assert.deepEqual(matches(createNameFilter(['web'])), ['web:web']);
  assert.deepEqual(matches(createNameFilter(['web:*', '*1'])), ['web:web', 'web:other', 'jobs:w.1']);
  assert.deepEqual(matches(createNameFilter(['jobs:w.2', 'nosuch'])), ['jobs:w.2']);
  assert.deepEqual(matches(createNameFilter([])), []);
});
