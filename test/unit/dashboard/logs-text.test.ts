/** The text of rows: colours, readable JSON, matches, times, and the address of the view. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinearPattern } from '../../../src/core/linear-pattern.ts';
import { splitColours, stripSequences } from '../../../src/dashboard/logs/ansi.ts';
import { readableJson } from '../../../src/dashboard/logs/json-line.ts';
import { LOG_TEXTS } from '../../../src/dashboard/logs/log-texts.ts';
import { formatLogsQuery, parseLogsQuery } from '../../../src/dashboard/logs/logs-query.ts';
import { Matcher } from '../../../src/dashboard/logs/matcher.ts';
import { piecesOf, SHOWN_CHARACTERS } from '../../../src/dashboard/logs/row-pieces.ts';
import { fullTime, offsetText, rowTime } from '../../../src/dashboard/logs/times.ts';

const plain = (pieces: ReadonlyArray<{ readonly text: string }> | null): string =>
  (pieces ?? []).map(({ text }) => text).join('');

function matcher(text: string): Matcher {
  const found = Matcher.parse(text);
  assert.ok(found instanceof Matcher);
  return found;
}

test('colours become classes and colours', () => {
  assert.deepEqual(splitColours('a\x1b[1;31mb\x1b[0mc\r'), [
    { text: 'a', look: '' },
    { text: 'b', look: 'bold fg1' },
    { text: 'c', look: '' },
  ]);
  assert.deepEqual(splitColours('\x1b[38;5;9;48;5;16ma'), [{ text: 'a', look: 'fg9', background: '#000000' }]);
  assert.deepEqual(splitColours('\x1b[38;5;196;48;5;232ma'), [
    { text: 'a', look: '', color: '#ff0000', background: '#080808' },
  ]);
  assert.deepEqual(splitColours('\x1b[38;2;1;2;300ma\x1b[39mb'), [
    { text: 'a', look: '', color: '#0102ff' },
    { text: 'b', look: '' },
  ]);
  assert.deepEqual(splitColours('\x1b[38:2::1:2:3ma'), [{ text: 'a', look: '', color: '#010203' }]);
  assert.deepEqual(splitColours('\x1b[97;104;4;7;9;3;2ma\x1b[24;27;29;23;22;39;49mb'), [
    { text: 'a', look: 'under inverse strike italic dim fg15 bg12' },
    { text: 'b', look: '' },
  ]);
  assert.deepEqual(splitColours(''), []);
  assert.deepEqual(
    splitColours('\x1b[38;5ma\x1b[38;2;1mb\x1b[38;5;999mc\x1b[999md').map(({ look }) => look),
    ['', '', '', ''],
  );
});

test('all other control sequences are removed, and control characters are visible', () => {
  const hostile = [
    'a\x1b[2Jb',
    'a\x1b]0;title\x07b',
    'a\x1b]8;;http://x\x1b\\b',
    'a\x1bPq…\x1b\\b',
    'a\x9b31mb',
    'a\x1b(Bb',
    'a\x1b7b',
    'ab\x1b[3',
    'ab\x1b',
    'ab\x1b]52;c;AAAA',
  ];
  for (const line of hostile) {
    assert.equal(plain(splitColours(line)), 'ab', JSON.stringify(line));
    assert.equal(stripSequences(line), 'ab', JSON.stringify(line));
  }
  assert.equal(plain(splitColours('a\tb\x00c\u202ed\re')), String.raw`a	b\u0000c\u202ed\re`);
});

test('JSON lines are readable', () => {
  const text =
    '{"level":"warn","time":1764000000000,"msg":"hello <b>","user":"a b","n":5,"list":[1],"nil":null,"e":""}';
  const pieces = readableJson(text);
  assert.equal(plain(pieces), '2025-11-24T16:00:00.000Z WARN  hello <b> user="a b" n=5 list=[1] nil=null e=""');
  assert.deepEqual(
    pieces?.slice(0, 3).map(({ look }) => look),
    ['jtime', 'jlevel warn', ''],
  );
  assert.equal(plain(readableJson('{"level":30,"ts":1764000000.5,"message":"x"}')), '2025-11-24T16:00:00.500Z INFO  x');
  assert.equal(plain(readableJson('{"a":{"b":1}}')), 'a={"b":1}');
  assert.equal(plain(readableJson(String.raw`{"msg":"a\nb\u001b[31m"}`)), String.raw`a⏎b\u001b[31m`);
  assert.equal(plain(readableJson('{"level":{"x":1},"__proto__":1}')), 'level={"x":1} __proto__=1');
  for (const other of ['[1]', '{x}', '{"a":1', 'text', `{"a":"${'x'.repeat(70_000)}"}`, '{"a":1} x'])
    assert.equal(readableJson(other), null);
  const many = JSON.stringify(Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`k${index}`, index])));
  assert.ok(plain(readableJson(many)).endsWith('k199=199 …'));
});

test('a search text is plain, or a pattern between slashes', () => {
  assert.equal(Matcher.parse('  '), null);
  assert.equal(typeof Matcher.parse('/(/'), 'string');
  assert.deepEqual(matcher('a.b').spans('A.B axb a.b'), [
    [0, 3],
    [8, 11],
  ]);
  assert.equal(matcher('Error').test('an error'), false);
  assert.equal(matcher('/^a+$/').test('aaa'), true);
  assert.equal(matcher('/A/i').test('a'), true);
  assert.equal(matcher('/A/').test('a'), false);
  assert.deepEqual(matcher('/x*/').spans('aaa'), []);
  assert.equal(matcher('a').spans('a'.repeat(1000)).length, 200);
  assert.equal(matcher('needle').test(`${'x'.repeat(20_000)}needle`), false);
});

test('a search text becomes a pattern that the server can read', () => {
  const grepOf = (text: string): string => matcher(text).query.grep;
  assert.deepEqual(['a.1é', 'Ab/', '/x[a-c]\\d/i', '/x/'].map(grepOf), [
    String.raw`(?i)a\.1é`,
    'Ab/',
    String.raw`(?i)x[a-c]\d`,
    'x',
  ]);
  const encoder = new TextEncoder();
  for (const text of ['some text', String.raw`a+b*c?d.e^f$g|h(i)j[k]{2}\l/m-n`, 'A B', '/^x+$/'])
    assert.equal(new LinearPattern(grepOf(text)).matches(encoder.encode(text === '/^x+$/' ? 'xx' : text)), true, text);
});

test('matches are marked within colours, and the first text wins', () => {
  const marks = [
    [matcher('lo w'), 'found'],
    [matcher('world'), 'high'],
  ] as const;
  const { pieces } = piecesOf('hel\x1b[31mlo world', { isRaw: false, isWhole: false, marks });
  assert.deepEqual(pieces, [
    { text: 'hel', look: '' },
    { text: 'lo ', look: 'fg1 found' },
    { text: 'w', look: 'fg1 high found' },
    { text: 'orld', look: 'fg1 high' },
  ]);
});

test('a long line is cut, and can be shown whole', () => {
  const line = 'x'.repeat(100_000);
  const short = piecesOf(line, { isRaw: false, isWhole: false, marks: [] });
  assert.deepEqual([plain(short.pieces).length, short.isCut], [SHOWN_CHARACTERS, true]);
  const whole = piecesOf(line, { isRaw: false, isWhole: true, marks: [] });
  assert.deepEqual([plain(whole.pieces).length, whole.isCut], [100_000, false]);
  const json = piecesOf(JSON.stringify({ msg: 'y'.repeat(5000), k: 1 }), { isRaw: false, isWhole: false, marks: [] });
  assert.deepEqual([json.isJson, json.isCut, plain(json.pieces).length], [true, true, SHOWN_CHARACTERS]);
  assert.equal(piecesOf('{"msg":"z"}', { isRaw: true, isWhole: false, marks: [] }).isJson, false);
});

test('times', () => {
  const at = Date.UTC(2026, 10, 29, 12, 33, 56, 123);
  assert.equal(fullTime(at, true), '2026-11-29 12:33:56.123Z');
  assert.match(fullTime(at, false), /^2026-11-\d\d \d\d:\d\d:56\.123[+-]\d\d:\d\d$/);
  assert.equal(new Date(fullTime(at, false).replace(' ', 'T')).getTime(), at);
  assert.equal(fullTime(Number.NaN, true), '?');
  assert.deepEqual([offsetText(330), offsetText(-150), offsetText(0)], ['+05:30', '-02:30', '+00:00']);
  assert.equal(rowTime(at, 'utc', at), '12:33:56.123Z');
  assert.equal(rowTime(at, 'utc', at + 86_400_000), '11-29 12:33:56.123Z');
  assert.equal(rowTime(at, 'none', at), '');
});

test('the address of the view', () => {
  const text =
    'names=web&names=pool%3A*&streams=stderr&layout=columns&sync=1&filter=a+b&context=3&level=warn&find=x' +
    '&highlight=y&since=5&until=9&at=ab-c-77';
  const query = parseLogsQuery(new URLSearchParams(text));
  assert.equal(formatLogsQuery(query), text);
  assert.deepEqual(query.at, { epoch: 'ab-c', seq: 77 });
  assert.equal(formatLogsQuery(parseLogsQuery(new URLSearchParams(''))), '');
  const wrong = 'names=*&names=&streams=x&context=999&level=loud&since=-1&until=x&at=77';
  assert.deepEqual(
    { ...parseLogsQuery(new URLSearchParams(wrong)) },
    { ...parseLogsQuery(new URLSearchParams('')), context: 20 },
  );
});

test('each text has both languages, and the same values in both', () => {
  for (const [key, [english, chinese]] of Object.entries<readonly [string, string]>(LOG_TEXTS)) {
    const values = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
    assert.deepEqual(values(english), values(chinese), key);
    assert.ok(english !== '' && chinese !== '', key);
  }
});
