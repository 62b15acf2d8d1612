/**
 * The layout of Markdown as plain text for a terminal.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layOutMarkdown } from '../../../src/manual/layout.ts';

const laidOut = (markdown: string, width = 40): string[] => layOutMarkdown(markdown, width).split('\n');

test('titles are underlined, and paragraphs are wrapped at the width', () => {
  assert.deepEqual(laidOut('# Logs\n\nOne two three four five\nsix seven eight nine ten.\n\n## Rotation\n'), [
    'Logs',
    '====',
    '',
    'One two three four five six seven eight',
    'nine ten.',
    '',
    'Rotation',
    '--------',
    '',
  ]);
});

test('code is indented and never wrapped, and comments are left out', () => {
  const long = `x=${'y'.repeat(60)}`;
  assert.deepEqual(laidOut(`<!-- example: a -->\n\`\`\`ini\n[a]\n\n${long}\n\`\`\`\nafter\n`), [
    '    [a]',
    '',
    `    ${long}`,
    '',
    'after',
    '',
  ]);
});

test('entries of lists are wrapped below their text', () => {
  assert.deepEqual(laidOut('- one two three four five six seven eight nine\n- ten\n\n1. first\n', 30), [
    '- one two three four five six',
    '  seven eight nine',
    '- ten',
    '',
    '1. first',
    '',
  ]);
});

test('emphasis and links become text, code keeps its quotes', () => {
  assert.deepEqual(
    laidOut('**Bold** and `a*b`, see [logs](logs.md), [`x`](y.md) and [the site](https://example.org/).', 200),
    ['Bold and `a*b`, see logs, `x` and the site (https://example.org/).', ''],
  );
});

test('tables are laid out in columns, cells wrapped, with bars within cells', () => {
  assert.deepEqual(
    laidOut('| what | meaning |\n| --- | --- |\n| `a \\| b` | one two three four five six |\n| c |  |\n', 32),
    [
      'what     meaning',
      '-------  -----------------------',
      '`a | b`  one two three four five',
      '         six',
      'c',
      '',
    ],
  );
});

test('a table that does not fit becomes a paragraph for each row', () => {
  const row = ['name', 'first long text', 'second long text', 'third long text'];
  assert.deepEqual(laidOut(`| n | a | b | c |\n| - | - | - | - |\n| ${row.join(' | ')} |\n`, 30), [
    'name',
    '    a: first long text',
    '    b: second long text',
    '    c: third long text',
    '',
  ]);
});

test('a terminal that is too narrow gets lines that are longer', () => {
  assert.ok(laidOut('one two three four five six', 5).every((line) => line.length <= 30));
});
