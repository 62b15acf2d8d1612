/** Linear patterns: what they match, what they refuse, and that their time is proportional to the text. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LinearPattern, PatternError } from '../../../src/core/linear-pattern.ts';
import { randomLine } from './random-line.ts';

const bytesOf = (text: string): Buffer => Buffer.from(text);
const isMatch = (pattern: string, line: string | Uint8Array): boolean =>
  new LinearPattern(pattern).matches(typeof line === 'string' ? bytesOf(line) : line);

/** Patterns with lines that match, and lines that do not. */
const CASES: ReadonlyArray<readonly [pattern: string, matching: readonly string[], other: readonly string[]]> = [
  ['ready', ['ready', 'I am ready.', 'rereready'], ['', 'read', 'Ready', 'rea dy']],
  ['^ready', ['ready', 'ready now'], ['not ready', '', ' ready']],
  ['ready$', ['ready', 'not ready', 'ready\r'], ['ready now', 'ready\r\r']],
  ['^$', ['', '\r'], ['a', '\r\r']],
  ['(?:)', ['', 'a'], []],
  ['a|', ['', 'b'], []],
  ['^(?:a|bc|d*)$', ['a', 'bc', '', 'ddd'], ['ab', 'b']],
  ['^a*b+c?$', ['b', 'aabbc'], ['a', 'bcc']],
  ['^a{2}b{1,2}c{2,}d{0}$', ['aabcc', 'aabbccc'], ['abcc', 'aabbbcc', 'aabc', 'aabccd']],
  ['^a{0,2}?$', ['', 'a', 'aa'], ['aaa']],
  ['^(?:a*)*$', ['', 'aaa'], ['b']],
  ['{"level":"info"}', ['{"level":"info"}'], ['{level}']],
  ['a{,2}', ['a{,2}'], ['aa']],
  ['^[a-c_-]+$', ['abc_-'], ['d', '']],
  ['^[^a-c]$', ['d', 'é', '😀'], ['a', 'dd']],
  ['^[\\d\\s]+$', ['1 2\t3'], ['a']],
  ['^\\w+\\W\\d\\D\\s\\S$', ['ab 1x y'], ['a']],
  ['^.$', ['a', 'é', '😀', '€'], ['', 'ab']],
  ['^[à-ü]$', ['é'], ['e', 'É']],
  ['\\bcat\\b', ['cat', 'a cat!', 'x-cat'], ['cats', 'concat', 'bobcats']],
  ['\\Bcat\\B', ['bobcats'], ['cat', 'cats', 'bobcat']],
  ['\\b', ['a', ' a'], ['', '  ']],
  ['\\B', ['', 'ab'], ['a']],
  ['(?i)ready', ['READY', 'Ready', 'ready'], ['read']],
  ['(?i)^straße é$', ['STRAßE É', 'straße é', 'strAẞe É'], ['strasse é']],
  ['(?i)^[^a]$', ['b', 'B'], ['a', 'A']],
  ['(?i)^[Σ]+$', ['σςΣ'], ['s']],
  ['(?i)[k]', ['K'], ['\u212a']],
  ['a(?i:b)c', ['abc', 'aBc'], ['abC', 'Abc']],
  ['^(?:a(?i)b|c)d$', ['aBd', 'Cd', 'cd'], ['Abd', 'cD']],
  ['(?<year>\\d{4})-(?P<month>\\d\\d)', ['on 2024-05-01'], ['2024-5']],
  ['\\x41\\u00e9\\u{1f600}\\x{42}', ['Aé😀B'], ['A']],
  ['\\t\\f\\v\\.\\[\\]\\/\\-\\*', ['\t\f\v.[]/-*'], ['t']],
  ['[\\b]', ['\b'], ['b']],
  ['[a\\-z]', ['-', 'a', 'z'], ['b']],
  ['[a-]', ['-', 'a'], ['b']],
  ['a\rb', ['a\rb'], ['ab']],
  ['a\\rb', ['a\rb', 'x\r\ra\rb'], ['ab', 'a\r\rb']],
  ['^a\r*$', ['a\r\r\r', 'a'], ['b']],
  ['(^|x)a', ['a', 'bxa'], ['ba']],
  ['$^', ['', '\r'], ['a']],
  ['\\b^foo', ['foo'], [' foo', '-foo']],
  ['foo$\\b', ['foo'], ['foo ', 'foo-']],
];

/** Texts that are not patterns, with a part of the message. */
const REFUSED: ReadonlyArray<readonly [pattern: string, message: RegExp]> = [
  ['', /^a pattern$/],
  ['a'.repeat(1001), /more than 1000 characters/],
  ['(a)\\1', /"\\1" refers back/],
  ['(?<n>a)\\k<n>', /"\\k" refers back/],
  ['a(?=b)', /"\(\?=" looks ahead/],
  ['a(?!b)', /"\(\?!" looks ahead/],
  ['(?<=a)b', /"\(\?<=" looks behind/],
  ['(?<!a)b', /"\(\?<!" looks behind/],
  ['(?>a)', /"\(\?>" is atomic/],
  ['(?m)a', /"\(\?m" is unknown/],
  ['(?', /"\(\?" is unknown/],
  ['(?<a', /not closed by ">"/],
  ['(?<>a)', /not closed by ">"/],
  ['(a', /a "\(" has no "\)"/],
  ['a)', /a "\)" has no "\("/],
  ['[a', /a "\[" has no "\]"/],
  ['[^', /a "\[" has no "\]"/],
  ['[]', /"\[\]" is empty/],
  ['[[:alpha:]]', /write for example/],
  ['[b-a]', /wrong order/],
  ['[a-\\d]', /end of a range/],
  ['[\\w-z]', /end of a range/],
  ['*a', /nothing is before the repetition/],
  ['a|+', /nothing is before the repetition/],
  ['{2}', /nothing is before the repetition/],
  ['(?i)*', /nothing is before the repetition/],
  ['a**', /follows another/],
  ['a{2}{3}', /follows another/],
  ['a++', /takes backtracking/],
  ['a{3,2}', /wrong order/],
  ['a{1001}', /above 1000/],
  ['a{0,1001}', /above 1000/],
  ['(?:a{100}){100}', /too large/],
  ['(?:(?:(?:){1000}){1000}){1000}', /too large/],
  ['a\\', /nothing is after its last/],
  ['\\n', /no line has/],
  ['\\pL', /is unknown; write the characters/],
  ['\\q', /"\\q" is unknown/],
  ['\\0', /"\\0" is unknown/],
  ['\\x4', /needs the number of a character/],
  ['\\u{}', /needs the number of a character/],
  ['\\u{110000}', /needs the number of a character/],
  ['\\u{41', /needs the number of a character/],
  ['('.repeat(51) + ')'.repeat(51), /groups in each other/],
];

describe('linear patterns', () => {
  for (const [pattern, matching, other] of CASES) {
    test(pattern, () => {
      for (const line of matching) assert.equal(isMatch(pattern, line), true, JSON.stringify(line));
      for (const line of other) assert.equal(isMatch(pattern, line), false, JSON.stringify(line));
    });
  }

  test('refused texts are named', () => {
    for (const [pattern, message] of REFUSED) {
      const accept = (): LinearPattern => new LinearPattern(pattern);
      assert.throws(accept, (error) => error instanceof PatternError && message.test(error.message), pattern);
    }
  });

  test('bytes that are not UTF-8 are characters of their own', () => {
    for (const bytes of [[0xff], [0xc3], [0x80], [0xed], [0xc0]])
      assert.equal(isMatch('^.$', Uint8Array.from(bytes)), true, String(bytes));
    // A surrogate, a form that is too long, and a character that stays incomplete.
    for (const bytes of [
      [0xed, 0xa0, 0x80],
      [0xe0, 0x80, 0x80],
      [0xf4, 0x90, 0x41],
      [0xe2, 0x82, 0x41],
      [0xe2, 0x82, 0xe2],
    ])
      assert.equal(isMatch('^...$', Uint8Array.from(bytes)), true, String(bytes));
    assert.equal(isMatch('^a\\u{dcff}\udc80b$', Uint8Array.from([0x61, 0xff, 0x80, 0x62])), true);
    assert.equal(isMatch('^\\u{dce2}\\u{dc82}\r*$', Uint8Array.from([0xe2, 0x82, 0x0d, 0x0d])), true);
  });
});

/** Patterns of the parts that JavaScript has with the same meaning, with the flag u. */
const pattern = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom('a', 'b', ' ', 'é', '€', '.', '[ab]', '[^a]', '\\w', '\\W', '\\d', '\\s', '^', '$', '\\b', '\\B'),
    fc.tuple(tie('node'), tie('node')).map(([one, other]) => one + other),
    fc.tuple(tie('node'), tie('node')).map(([one, other]) => `(${one}|${other})`),
    fc
      .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{1,}', '{0,2}', '*?'))
      .map(([one, times]) => `(?:${one})${times}`),
  ),
})).node;

const line = fc
  .array(fc.constantFrom('a', 'b', 'A', ' ', 'é', '€', '1', '_', '-'), { maxLength: 8 })
  .map((all) => all.join(''));

describe('linear patterns as properties', () => {
  test('match what the regular expressions of JavaScript match', () => {
    fc.assert(
      fc.property(pattern, line, fc.boolean(), (source, text, isCaseIgnored) => {
        const expected = new RegExp(source, isCaseIgnored ? 'iu' : 'u').test(text);
        assert.equal(isMatch(isCaseIgnored ? `(?i)${source}` : source, text), expected);
      }),
      { numRuns: 3000 },
    );
  });

  test('match the same in a program of many instructions', () => {
    fc.assert(
      fc.property(pattern, line, fc.nat(70), fc.nat(70), (source, text, before, after) => {
        const expected = new RegExp(source, 'u').test(text);
        assert.equal(isMatch(`(?:z{${before}}z|)(?:${source})(?:z{${after}}z|)`, text), expected);
      }),
      { numRuns: 1000 },
    );
  });

  test('a stream in pieces gives the same as whole lines', () => {
    fc.assert(
      fc.property(
        pattern,
        fc.array(line, { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(5)),
        (source, lines, cuts) => {
          const parsed = new LinearPattern(source);
          const expected = lines.some((one) => parsed.matches(bytesOf(one)));
          const scanner = parsed.scanner();
          let rest = bytesOf(lines.join('\r\n'));
          let isFound = false;
          for (const length of cuts) {
            isFound ||= scanner.read(rest.subarray(0, length));
            rest = rest.subarray(length);
          }
          isFound ||= scanner.read(rest) || scanner.end();
          assert.equal(isFound, expected);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('the work for a character', () => {
  const text = randomLine(20_000);
  const stepsOf = (source: string): number => {
    const parsed = new LinearPattern(source);
    assert.equal(parsed.matches(bytesOf(text)), false);
    return parsed.steps / text.length;
  };

  test('is small for a pattern that leads to a new state at each character', () => {
    for (const source of ['[ab]*a[ab]{180}c', 'a[ab]{199}c', '\\ba[ab]{199}c$'])
      assert.ok(stepsOf(source) < 100, `${source}: ${stepsOf(source)} steps`);
  });

  test('is next to nothing for other patterns', () => {
    for (const source of ['ERROR.*timeout', '^(?:\\d+|c).{0,200}x', '(?:[ab]?){90}c'])
      assert.ok(stepsOf(source) < 1, `${source}: ${stepsOf(source)} steps`);
  });

  test('has a limit for any pattern', () => {
    for (const source of ['(?:[ab]?){240}c', '(?:a?b?){120}c', 'x(?:a?b?c?d?e?){40}y', '[ab]*'.repeat(190)])
      assert.throws(() => new LinearPattern(source), /it is too large; use smaller numbers/);
    for (const source of ['a(?:[ab]|\\b){150}c', 'a(?:[ab]|b|a){120}c', '.{0,240}c', '\\w{1,240}='])
      assert.ok(stepsOf(source) <= 3000, `${source}: ${stepsOf(source)} steps`);
  });
});

describe('the scanner', () => {
  test('knows a match before the line ends', () => {
    const scanner = new LinearPattern('listening on \\d').scanner();
    assert.equal(scanner.read(bytesOf('starting\nlisten')), false);
    assert.equal(scanner.read(bytesOf('ing on ')), false);
    assert.equal(scanner.read(bytesOf('8080')), true);
    assert.equal(scanner.read(bytesOf(' more')), true);
    scanner.reset();
    assert.equal(scanner.read(bytesOf(' more')), false);
  });

  test('skips the rest of a line that cannot match', () => {
    const scanner = new LinearPattern('^ready$').scanner();
    assert.equal(scanner.read(bytesOf('not ready')), false);
    assert.equal(scanner.read(bytesOf(' ready')), false);
    assert.equal(scanner.read(bytesOf('\nready')), false);
    assert.equal(scanner.read(bytesOf('\r')), false);
    assert.equal(scanner.read(bytesOf('\n')), true);
  });

  test('a match that a carriage return completes', () => {
    const scanner = new LinearPattern('\\bend\\b').scanner();
    assert.equal(scanner.read(bytesOf('end\r')), false);
    assert.equal(scanner.read(bytesOf('é')), true);
    assert.equal(scanner.end(), true);
  });

  test('one pattern has a limit for its states, and forgets them without losing a match', () => {
    // After each a or b, another set of the 200 next characters may be the one that must be a.
    const parsed = new LinearPattern('a[ab]{199}c');
    const [one, other] = [parsed.scanner(), parsed.scanner()];
    const random = randomLine(120_000);
    assert.equal(one.read(bytesOf('b')), false);
    for (let at = 0; at < random.length; at += 10_000)
      assert.equal(other.read(bytesOf(random.slice(at, at + 10_000))), false);
    assert.equal(one.read(bytesOf(`a${'b'.repeat(199)}c`)), true);
    assert.equal(other.read(bytesOf(`a${'b'.repeat(199)}c`)), true);
  });

  test('patterns that backtracking takes years for', () => {
    const text = `${'a'.repeat(100_000)}!`;
    for (const source of ['(a+)+$', '(a|aa)+$', '(.*)(.*)(.*)(.*)(.*)[^!]$', '^(([a-z])+.)+[A-Z]([a-z])+$'])
      assert.equal(isMatch(source, text), false, source);
  });
});
