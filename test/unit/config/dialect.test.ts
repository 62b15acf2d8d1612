import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addText, emptyDocument, type RawOption } from '../../../src/config/dialect.ts';

function parse(text: string): {
  sections: Record<string, Record<string, string>>;
  defaults: Record<string, string>;
  problems: string[];
} {
  const document = emptyDocument();
  const problems = addText(document, text, 'f', '/here').errors.map(({ line, reason }) => `${line}: ${reason}`);
  const plain = (options: ReadonlyMap<string, RawOption>): Record<string, string> =>
    Object.fromEntries([...options].map(([name, { value }]) => [name, value]));
  return {
    sections: Object.fromEntries([...document.sections].map(([name, { options }]) => [name, plain(options)])),
    defaults: plain(document.defaults),
    problems,
  };
}

const cases: ReadonlyArray<readonly [string, string, Record<string, Record<string, string>>]> = [
  ['both delimiters, the first one counts', '[s]\na=b:c\nd: e=f\n', { s: { a: 'b:c', d: 'e=f' } }],
  ['names in lower case, values as they are', '[S]\nKey = Value\n', { S: { key: 'Value' } }],
  ['empty values', '[s]\na=\nb:\n', { s: { a: '', b: '' } }],
  ['comment lines, also indented', '; x\n# y\n[s]\n  ; z\na=1\n', { s: { a: '1' } }],
  [
    'inline comments need a space before',
    '[s]\na=1 ; x\nb=1;x\nc=1 # x\nd=1#x\ne=1\t;x\n',
    { s: { a: '1', b: '1;x', c: '1', d: '1#x', e: '1' } },
  ],
  [
    'a glued semicolon hides a comment found later than another kind',
    '[s]\na=x;y ;z #w\nb=x;y ;z\n',
    { s: { a: 'x;y ;z', b: 'x;y' } },
  ],
  ['continuation lines, and blank ones within', '[s]\na=1\n  2\n\n  3\n\nb=4\n', { s: { a: '1\n2\n\n3', b: '4' } }],
  ['a comment within a continued value leaves no trace', '[s]\na=1,\n  ; c\n  2\n', { s: { a: '1,\n2' } }],
  ['indentation is relative to the option', '[s]\n  a=1\n  b=2\n   c=3\n', { s: { a: '1', b: '2\nc=3' } }],
  ['a section header that is indented continues', '[s]\na=1\n [t]\n', { s: { a: '1\n[t]' } }],
  ['after a header nothing continues', '[s]\n  a=1\n', { s: { a: '1' } }],
  ['what follows a header is ignored', '[s] ; comment\na=1\n[t] x\n', { s: { a: '1' }, t: {} }],
  ['sections and options twice: the last one', '[s]\na=1\n[t]\n[s]\na=2\nb=3\n', { s: { a: '2', b: '3' }, t: {} }],
  [
    'dots, brackets and quotes are plain',
    '[a.b]\nc.d[]="x"\ne=\'y\'\n[a]\nb=1\n',
    { 'a.b': { 'c.d[]': '"x"', e: "'y'" }, a: { b: '1' } },
  ],
  ['backslashes are plain', '[s]\na=\\;b \\n\n', { s: { a: '\\;b \\n' } }],
  [
    'words that mean values elsewhere',
    '[s]\na=true\nb=null\nc=false\nd\t=\t1\n',
    { s: { a: 'true', b: 'null', c: 'false', d: '1' } },
  ],
  [
    'names of prototypes',
    '[constructor]\ntoString=1\n[s]\nhasOwnProperty=2\n',
    { constructor: { tostring: '1' }, s: { hasownproperty: '2' } },
  ],
  ['CRLF and CR', '[s]\r\na=1\r\n  2\rb=3', { s: { a: '1\n2', b: '3' } }],
  ['separators that only JavaScript takes for line ends', '[s]\na=x\u2028y\n', { s: { a: 'x\u2028y' } }],
  ['spaces within names', '[s t]\na b = c\n', { 's t': { 'a b': 'c' } }],
  ['the option name may not be empty, but brackets in one', '[s]\n[x = 1\n', { s: { '[x': '1' } }],
];
for (const [name, text, expected] of cases) {
  test(`dialect: ${name}`, () => assert.deepEqual(parse(text), { sections: expected, defaults: {}, problems: [] }));
}

test('dialect: __proto__ is a section and an option like any other', () => {
  const document = emptyDocument();
  addText(document, '[__proto__]\n__proto__=1\n', 'f', '/');
  assert.equal(document.sections.get('__proto__')?.options.get('__proto__')?.value, '1');
});

test('dialect: [DEFAULT] is separate from the sections', () => {
  assert.deepEqual(parse('[DEFAULT]\na=1\n[s]\n'), { sections: { s: {} }, defaults: { a: '1' }, problems: [] });
});

test('dialect: every invalid line is reported', () => {
  assert.deepEqual(
    parse('[s]\nfoo\na=1\n=x\n[]\n').problems.map((problem) => problem.split(':')[0]),
    ['2', '4', '5'],
  );
  assert.match(parse(`[s]\n${'x'.repeat(100)}\n`).problems[0] ?? '', /x{77}\.\.\.$/);
});

test('dialect: text before the first section is reported once', () => {
  assert.deepEqual(parse('a=1\nb=2\n[s]\n').problems, ['1: the first option stands before any [section]: a=1']);
});

test('dialect: a byte order mark is reported as such', () => {
  assert.match(parse('\uFEFF[s]\na=1\n').problems[0] ?? '', /^1: the file begins with a byte order mark/);
});

test('dialect: every value has its line and its file', () => {
  const document = emptyDocument();
  addText(document, '; c\n[s]\n\na=1\n 2\nb=3\n[s]\na=4\n', 'one', '/one');
  addText(document, '[s]\nc=5\n', 'two', '/two');
  const places = [...(document.sections.get('s')?.options ?? [])].map(
    ([name, { place, here }]) => `${name} ${place.file}:${place.line} ${here}`,
  );
  assert.deepEqual(places, ['a one:8 /one', 'b one:6 /one', 'c two:2 /two']);
  assert.deepEqual(document.sections.get('s')?.place, { file: 'one', line: 2 });
});

test('dialect: a repeated option is reported', () => {
  assert.deepEqual(addText(emptyDocument(), '[s]\na=1\n[t]\na=1\n[s]\nA=2\n', 'f', '/').warnings, [
    { file: 'f', line: 6, section: 's', option: 'a', reason: 'is set in line 2 already; this value is used' },
  ]);
});

test('dialect: parsing never throws, and line numbers stay within the file', () => {
  const bits = fc.constantFrom(
    '[s]\n',
    '[DEFAULT]\n',
    '__proto__',
    'a',
    '=',
    ':',
    ';',
    '#',
    ' ',
    '\n',
    '\n ',
    '\r',
    '[',
    ']',
    '"',
    "'",
    '\\',
    '.',
    'true',
    '\u2028',
    '\uFEFF',
    '\0',
    '\ud800',
  );
  const texts = fc.oneof(
    fc.array(bits, { maxLength: 40 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const document = emptyDocument();
      const { errors, warnings } = addText(document, text, 'f', '/');
      const count = text.split(/\r\n|\r|\n/).length;
      const lines = [
        ...[...errors, ...warnings].map(({ line }) => line),
        ...[...document.sections.values()].flatMap(({ place, options }) => [
          place.line,
          ...[...options.values()].map((option) => option.place.line),
        ]),
      ];
      for (const line of lines) assert.ok(line >= 1 && line <= count, `line ${line} of ${count}`);
    }),
    { seed: 20_261_121, numRuns: 2000 },
  );
});

test('a document takes only the sections that it is made for, and checks every line', () => {
  const text = '[DEFAULT]\nd=0\n[s]\na=1\n more\nwrong\n[t]\na = 2 ; c\n b\nwrong\n[s]\nb=3\n';
  const document = emptyDocument((name) => name === 's');
  const { errors } = addText(document, text, 'f', '/');
  assert.deepEqual([...document.sections.keys()], ['s']);
  assert.deepEqual(
    [...(document.sections.get('s')?.options ?? [])].map(([name, { value }]) => `${name}=${value}`),
    ['a=1\nmore', 'b=3'],
  );
  assert.deepEqual([...document.defaults.keys()], ['d']);
  assert.deepEqual(
    errors.map(({ line }) => line),
    [6, 10],
  );
});

test('the errors of a text do not depend on the sections that are taken', () => {
  const bits = fc.constantFrom('[s]', '[t]', 'a=1', 'B: 2', 'x', ' y', ' ;', '#', '=', '\n', '\r\n', '\t', ' ');
  const texts = fc.array(bits, { maxLength: 30 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(texts, (text) => {
      const [all, some] = [emptyDocument(), emptyDocument((name) => name === 's')];
      const errors = addText(all, text, 'f', '/').errors;
      assert.deepEqual(addText(some, text, 'f', '/').errors, errors);
      assert.deepEqual(some.sections.get('s'), all.sections.get('s'));
    }),
    { seed: 20_261_129, numRuns: 5000 },
  );
});
