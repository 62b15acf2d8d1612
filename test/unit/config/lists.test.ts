import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLineError, joinCommandLine, splitCommandLine } from '../../../src/core/command-line.ts';
import { expandPieces } from '../../../src/config/expand.ts';
import { ListError, parseKeyValueList } from '../../../src/config/key-value-list.ts';
import { editDistance, formatSuggestion, nearestName } from '../../../src/config/nearest.ts';
import { formatPythonString, isSpace, splitLines, splitWords, strip } from '../../../src/config/python-text.ts';

const pairs = (text: string, names: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(parseKeyValueList(expandPieces(text, new Map(Object.entries(names)))).pairs);

const lists: ReadonlyArray<readonly [string, Record<string, string>]> = [
  ['', {}],
  ['A=1', { A: '1' }],
  ['A=1,B=2', { A: '1', B: '2' }],
  ['A="1 2",B=\'x,y\'', { A: '1 2', B: 'x,y' }],
  ['A = 1 , B = 2,', { A: '1', B: '2' }],
  ['A=1,\n  B=2', { A: '1', B: '2' }],
  ['A=/a/b.c+d-e:(f)', { A: '/a/b.c+d-e:(f)' }],
  ['A=""', { A: '' }],
  [`A="'x'"`, { A: 'x' }],
  ['A=x"y', { A: 'x"y' }],
  ['A=$HOME', { A: '$' }],
  ['A=1,A=2', { A: '2' }],
  ['A=a#b', { A: 'a' }],
  ['A=a#b,\nc', { A: 'ac' }],
  ['# c\nA=1', { A: '1' }],
  ['A="a#b"', { A: 'a#b' }],
  ['A=50%%', { A: '50' }],
  ['A="50%%"', { A: '50%' }],
];
for (const [text, expected] of lists)
  test(`pairs: ${JSON.stringify(text)}`, () => assert.deepEqual(pairs(text), expected));

for (const text of ['A', 'A=', '=1', 'A=,B=1', 'A=a@b', 'A="x', "A='x", 'A B=1', 'A=1\nB=2'])
  test(`pairs: ${JSON.stringify(text)} is refused`, () => assert.throws(() => pairs(text), ListError));

test('pairs: an error has its place and shows only punctuation, since other text may be part of a password', () => {
  const message = (text: string): string => {
    try {
      return JSON.stringify(pairs(text));
    } catch (error) {
      return String(error);
    }
  };
  assert.match(message('A=1,URL=db://u@hunter2'), /, found other text after the value of URL; put values /);
  assert.match(message('PW=a@hunter2,B=2'), /, found other text after the value of PW; /);
  assert.match(message('"hunter2"'), /, found other text at the beginning; /);
  assert.match(message('A=1,,B=2'), /, found "," after the value of A; /);
  assert.match(message('@A=1'), /, found "@" at the beginning; /);
  for (const text of [
    'A=a@hunter2',
    'A=hunter2 B=2',
    'A=a@"hunter2"',
    'A="a"b"hunter2"',
    "A='x'y'hunter2',B=1 hunter2=z",
  ])
    assert.doesNotMatch(message(text).replace(/^\{.*/, ''), /hunter2/, text);
});

test('pairs: secrets may contain any character', () => {
  const secret = `p"a's,s=w %(here)s 100% #x\n\\`;
  assert.deepEqual(pairs('A=%(S)s,B="%(S)s",C="<%(S)s>",D=1', { S: secret }), {
    A: secret,
    B: secret,
    C: `<${secret}>`,
    D: '1',
  });
  assert.deepEqual(pairs('%(N)s_X=1', { N: 'P' }), { P_X: '1' });
  assert.deepEqual(pairs('A=%(S)s,B=1', { S: '' }), { A: '', B: '1' });
});

test('pairs: compat: a variable may contain whole pairs', () => {
  assert.deepEqual(pairs('%(P)s', { P: 'A=1,B=2' }), { A: '1', B: '2' });
  assert.deepEqual(pairs('Z=0,%(P)s', { P: 'A=1,B=2' }), { Z: '0', A: '1', B: '2' });
  assert.throws(() => pairs('Z=0,%(P)s', { P: 'A' }), ListError);
});

const lines: ReadonlyArray<readonly [string, readonly string[]]> = [
  ['', []],
  ['a  b\t"c d"\n', ['a', 'b', 'c d']],
  [`a 'b "c"' "d 'e'"`, ['a', 'b "c"', "d 'e'"]],
  ['a\\ b "\\$x \\" \\\\" \'\\n\'', ['a b', '\\$x " \\', '\\n']],
  ['a"b"c ""', ['abc', '']],
  ["a ''", ['a', '']],
  ['a # b', ['a', '#', 'b']],
  ["$'x'", ['$x']],
];
for (const [line, words] of lines) {
  test(`words: ${JSON.stringify(line)}`, () => {
    assert.deepEqual(splitCommandLine(line), words);
    assert.deepEqual(splitCommandLine(joinCommandLine(words)), words);
  });
}

test('words: quotes that are not closed', () => {
  for (const line of ['a "b', "a 'b", 'a "\\"'])
    assert.throws(
      () => splitCommandLine(line),
      (error) => error instanceof CommandLineError && error.message === 'No closing quotation' && error.position === 2,
    );
  assert.throws(
    () => splitCommandLine('a \\'),
    (error) => error instanceof CommandLineError && error.message === 'No escaped character' && error.position === 2,
  );
});

test('nearest: inserted, deleted, replaced and swapped letters', () => {
  assert.deepEqual(
    [
      editDistance('', 'abc'),
      editDistance('abc', 'abc'),
      editDistance('abc', 'acb'),
      editDistance('kitten', 'sitting'),
    ],
    [3, 0, 1, 3],
  );
  assert.equal(nearestName('comand', ['command', 'umask']), 'command');
  assert.equal(nearestName('COMAND', ['command']), 'command');
  assert.equal(nearestName('zzzzzz', ['command']), null);
  assert.equal(formatSuggestion('autosart', ['autostart']), ' (did you mean autostart?)');
  assert.equal(formatSuggestion('zzzzzz', ['autostart']), '');
});

test('text: whitespace is defined as in Python', () => {
  for (const character of ['\t', '\v', '\x1c', '\x85', '\xa0', '\u2028', '\u3000']) assert.ok(isSpace(character));
  for (const character of ['a', '\uFEFF', '\u200b', '', '  ']) assert.ok(!isSpace(character));
  assert.equal(strip(' \x85\uFEFFa \n'), '\uFEFFa');
  assert.deepEqual(splitWords(' a\tb\n\nc '), ['a', 'b', 'c']);
  assert.deepEqual(splitLines('a\r\nb\rc\n\nd\n'), ['a', 'b', 'c', '', 'd']);
});

test('text: strings as Python shows them', () => {
  assert.equal(formatPythonString(`it's`), `"it's"`);
  assert.equal(formatPythonString(`"it's"\n\\\x01`), `'"it\\'s"\\n\\\\\\x01'`);
});

test(
  'environment: a quote within double quotes is written with a backslash, as in Supervisor 4.4, where the rest ' +
    'would be lost otherwise',
  () => {
    const rows: ReadonlyArray<readonly [text: string, expected: Record<string, string>]> = [
      [String.raw`A="1\"2"`, { A: '1"2' }],
      [String.raw`A="say \"yes, no\"",B=2`, { A: 'say "yes, no"', B: '2' }],
      [String.raw`A="C:\\x \"y\"",B='\"'`, { A: String.raw`C:\x "y"`, B: String.raw`\"` }],
      [String.raw`A="\n \"",B=x`, { A: String.raw`\n "`, B: 'x' }],
      // Text that 4.3 reads without loss stays as it is.
      [String.raw`A="C:\dir\",B=2`, { A: String.raw`C:\dir` + '\\', B: '2' }],
      [String.raw`A='\"'`, { A: String.raw`\"`.slice(0, 1) }],
    ];
    for (const [text, expected] of rows) assert.deepEqual(pairs(text), expected, text);
    assert.deepEqual(pairs(String.raw`A="\"%(ENV_Q)s\"",B=1`, { ENV_Q: String.raw`x\"y` }), {
      A: String.raw`"x\"y"`,
      B: '1',
    });
  },
);

test('environment: names of the values that lose text', () => {
  const cut = (text: string): readonly string[] => parseKeyValueList([{ text, isValue: false }]).cut;
  assert.deepEqual(cut('A=-Xmx1g -Xms1g'), ['A']);
  assert.deepEqual(cut('A="1"abc'), ['A']);
  assert.deepEqual(cut(String.raw`A="x\" y`), ['A']);
  assert.deepEqual(cut('A="1",B=2 x C=3,'), ['B']);
  assert.throws(() => cut('A="1"abc,'), ListError);
  assert.deepEqual(cut('A="1", B="x y" , C=3,'), []);
});
