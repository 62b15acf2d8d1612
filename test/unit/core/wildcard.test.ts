/** Patterns with `*`: their matches, and the time, which is bounded for every pattern. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMatches } from '../../../src/config/glob.ts';
import { createMatcher, createNameMatcher } from '../../../src/core/wildcard.ts';

test('the parts are found in order, the first at the beginning, the last at the end', () => {
  const match = (pieces: readonly string[], text: string): boolean => createMatcher(pieces, 's')(text);
  assert.deepEqual(
    ['abc', 'ab', 'abcd', 'xabc'].map((text) => match(['abc'], text)),
    [true, false, false, false],
  );
  assert.deepEqual(
    ['a.b', 'ab', 'a', 'xa', 'a\nbb', 'abx'].map((text) => match(['a', 'b'], text)),
    [true, true, false, false, true, false],
  );
  assert.deepEqual(
    ['aba', 'aa', 'abba', 'ab'].map((text) => match(['a', 'b', 'a'], text)),
    [true, false, true, false],
  );
  assert.deepEqual(
    ['', 'x', 'a'].map((text) => match(['', '', ''], text)),
    [true, true, true],
  );
  assert.equal(match(['a', 'a'], 'a'), false, 'a character counts once');
  assert.equal(match(['', '[z-a]', ''], 'z'), false, 'no regular expression');
});

test('names: a star stands for any text, and every other character for itself', () => {
  const isMatch = createNameMatcher(['PATH', 'LC_*', 'A.B']);
  assert.deepEqual(['PATH', 'LC_', 'LC_ALL', 'A.B', 'PATHS', 'XLC_ALL', 'AxB', ''].map(isMatch), [
    true,
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  assert.equal(createNameMatcher([])('PATH'), false);
});

test('a pattern that is longer than any path matches nothing', () => {
  assert.equal(createMatcher(['', 'a'.repeat(5000), ''], 's')('a'.repeat(5000)), false);
  assert.deepEqual(
    findMatches(`/d/*${'a'.repeat(5000)}`, {
      list: () => ['a'.repeat(5000)],
      isFile: () => true,
      isDirectory: () => true,
    }),
    [],
  );
});

test('many stars take no longer than a few', () => {
  assert.deepEqual(
    findMatches(`/d/${'*a'.repeat(60)}*b`, {
      list: () => ['a'.repeat(255)],
      isFile: () => true,
      isDirectory: () => true,
    }),
    [],
  );
});
