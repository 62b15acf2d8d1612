/** The pure parts of `logs`: options, times, levels, pieces of lines, and the text on a terminal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArgumentError } from '../../../src/ctl/command.ts';
import { CtlError } from '../../../src/ctl/errors.ts';
import { type Entry, type LineEntry, makeNotice, parseEntries } from '../../../src/ctl/logs/entry.ts';
import { LineFilter } from '../../../src/ctl/logs/filter.ts';
import { Joiner, MAX_JOINED, PATIENCE_MS } from '../../../src/ctl/logs/joiner.ts';
import { guessLevel, isAtLeast, isContinuation, parseLevel } from '../../../src/core/line-level.ts';
import { type LogsOptions, parseLogs } from '../../../src/ctl/logs/options.ts';
import { findOverlap } from '../../../src/ctl/logs/overlap.ts';
import { Patterns } from '../../../src/ctl/logs/pattern.ts';
import { Renderer, type RenderOptions } from '../../../src/ctl/logs/render.ts';
import { markSpans, showLine } from '../../../src/ctl/logs/shown-line.ts';
import { formatTime, parseMoment, timeOfLine } from '../../../src/ctl/logs/times.ts';
import { splitQuoted } from '../../../src/ctl/logs/words.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');

function line(text: string, more: Partial<LineEntry> = {}): LineEntry {
  const base = { kind: 'line', seq: 1, at: NOW, name: 'web:web', stream: 'stdout', pid: 5 } as const;
  return { ...base, text, isPartial: false, isRest: false, ...more };
}

const options = (...words: string[]): LogsOptions => parseLogs(words, NOW);

test('options and names may be mixed', () => {
  const { names, isFollowing, lines, stream, patterns, level, form } = options(
    'a',
    '-fn5',
    'b',
    '--grep=x y',
    '--json',
  );
  assert.deepEqual([names, isFollowing, lines, stream, patterns], [['a', 'b'], true, 5, null, ['x y']]);
  assert.deepEqual([level, form], [null, 'json']);
  assert.deepEqual(options('--', '-f').names, ['-f']);
  assert.deepEqual(options('a', 'all').names, []);
  assert.equal(options().lines, 100);
  assert.equal(options('--since', '1h').lines, Infinity);
  assert.equal(options('--previous').lines, Infinity);
  assert.equal(options('--since', '1h', '--tail', '3').lines, 3);
  assert.equal(options('-n', 'all').lines, Infinity);
  assert.equal(options('--stderr').stream, 'stderr');
  assert.equal(options('--stream', 'out').stream, 'stdout');
  assert.equal(options('--stdout', '--stderr').stream, null);
  assert.equal(options('--level', 'WARNING').level, 'warn');
  const all = options(
    ...'-i -v -t --utc --no-prefix --no-color --no-events --until-exit --output raw --highlight x'.split(' '),
  );
  const { isCaseIgnored, isInverted, hasTimes, isUtc, hasPrefix, hasColours, hasEvents, isUntilExit, highlight } = all;
  assert.deepEqual([isCaseIgnored, isInverted, hasTimes, isUtc, isUntilExit], [true, true, true, true, true]);
  assert.deepEqual([hasPrefix, hasColours, hasEvents, highlight, all.isFollowing], [false, false, false, ['x'], true]);
  assert.equal(options('--color', '--follow', '--ignore-case', '--invert', '--timestamps').hasColours, true);
});

test('wrong options name the way out', () => {
  const cases: ReadonlyArray<readonly [words: string, message: string]> = [
    ['--nope', 'Error: logs has no option --nope; see onevisor logs --help'],
    ['-fx', 'Error: logs has no option -x; see onevisor logs --help'],
    ['-n', 'Error: -n needs a value: a number of lines, or all'],
    ['-n five', 'Error: -n: "five" is not a number of lines, or all'],
    ['--follow=1', 'Error: --follow takes no value'],
    ['--grep (', 'Error: --grep: "(" is not a regular expression of JavaScript'],
    ['--level loud', 'Error: --level: "loud" is not trace, debug, info, warn, error, fatal'],
    ['--output xml', 'Error: --output: "xml" is not text, json or raw'],
    ['--stream both', 'Error: --stream: "both" is not out or err'],
    ['-f --until 1m', 'Error: -f follows without an end: leave out -f or --until'],
    ['-f --previous', 'Error: the previous run has ended: leave out -f or --previous'],
    ['--since 1m --until 2m', 'Error: --until is before --since'],
  ];
  for (const [words, message] of cases)
    assert.throws(
      () => options(...words.split(' ')),
      (error) => error instanceof ArgumentError && error.message === message && error.exitCode === 2,
      words,
    );
  assert.throws(() => options('--since', '10'), /--since: "10" is not 10m, 1h30m/);
});

test('times of options', () => {
  assert.equal(parseMoment('1h30m', NOW), NOW - 5_400_000);
  assert.equal(parseMoment('2026-11-29T10:30:00Z', NOW), NOW - 5_400_000);
  assert.equal(parseMoment('2026-11-29 13:30:00+02:00', NOW), NOW - 1_800_000);
  assert.equal(parseMoment('10:30', NOW), new Date(2026, 10, 29, 10, 30).getTime());
  assert.equal(parseMoment('2026-11-29', NOW), new Date(2026, 10, 29).getTime());
  for (const wrong of ['', '5', 'soon', '2026-13-40', '10m ago', '29.11.2026'])
    assert.equal(parseMoment(wrong, NOW), null, wrong);
});

test('times that lines begin with', () => {
  const at = (text: string): number | null => timeOfLine(text, NOW);
  const exact = Date.parse('2026-11-29T11:22:33.456Z');
  const second = Date.parse('2026-11-29T11:22:33Z');
  const local = new Date(2026, 10, 29, 11, 22, 33).getTime();
  const cases: ReadonlyArray<readonly [text: string, ms: number | null]> = [
    ['2026-11-29T11:22:33.456Z web up', exact],
    ['[2026-11-29T11:22:33.456789+00:00] up', exact],
    ['2026-11-29 11:22:33,456 INFO up', local + 456],
    ['2026/11/29 11:22:33 [error] 7#7: nginx', local],
    ['time=2026-11-29T11:22:33Z level=info', second],
    ['time="2026-11-29T13:22:33+0200" level=info', second],
    ['{"level":30,"time":1795951353456,"msg":"pino"}', exact],
    ['{"ts":1795951353.456,"msg":"zap"}', exact],
    ['{"@timestamp":"2026-11-29T11:22:33.456Z"}', exact],
    ['{"time":"1795951353456"}', exact],
    ['{"msg":"none"}', null],
    ['Nov 29 11:22:33 host sshd[1]: x', local],
    ['<13>Nov 29 11:22:33 host x', local],
    ['Dec 31 11:22:33 of the year before', new Date(2025, 11, 31, 11, 22, 33).getTime()],
    ['10.0.0.1 - - [29/Nov/2026:11:22:33 +0000] "GET / HTTP/1.1" 200', second],
    ['[1795951353.456] x', exact],
    ['1795951353456 x', exact],
    ['1795951353 x', second],
    ['Foo 29 11:22:33 x', null],
    ['2026-13-29T11:22:33Z x', null],
    ['12345678901 x', null],
    ['', null],
  ];
  for (const [text, ms] of cases) assert.equal(at(text), ms, text);
  assert.equal(formatTime(exact, true), '2026-11-29T11:22:33.456Z');
  assert.equal(formatTime(local + 7, false), '2026-11-29 11:22:33.007');
});

test('levels are guessed from JSON, logfmt, the beginning, and capitals', () => {
  const cases: ReadonlyArray<readonly [text: string, level: string | null]> = [
    ['{"level":30,"msg":"error"}', 'info'],
    ['{"msg":"x","severity":"WARNING"}', 'warn'],
    ['{"@l":"Fatal"}', 'fatal'],
    ['{"log.level":"debug"}', 'debug'],
    ['{"level":60}', 'fatal'],
    ['{"level":3}', 'error'],
    ['{"level":"loud"}', null],
    ['{"msg":"ERROR"}', null],
    ['time=2026 level=warn msg="an error"', 'warn'],
    ['2026-11-29 11:22:33,456 - ERROR: x', 'error'],
    ['[notice] x', 'info'],
    ['\x1b[31merror\x1b[0m: x', 'error'],
    ['<3>x', 'error'],
    ['E1129 12:33:56.1 x', 'error'],
    ['worker 7 said WARN once', 'warn'],
    ['no error here', null],
    ['errors: none', null],
    ['info-desk', null],
  ];
  for (const [text, level] of cases) assert.equal(guessLevel(text), level, text);
  assert.deepEqual([isAtLeast('error', 'warn'), isAtLeast('info', 'warn')], [true, false]);
  assert.deepEqual([parseLevel('ERR'), parseLevel('loud')], ['error', null]);
  assert.deepEqual(
    ['  at x', 'Caused by: y', 'ValueError: z', 'next'].map((text) => isContinuation(text)),
    [true, true, true, false],
  );
});

test('filters choose lines, and stack traces stay with their level', () => {
  const texts = (found: readonly Entry[]): readonly string[] => found.map(({ text }) => text);
  const entries = ['ERROR a', '  at a', 'INFO b', '  at b', 'c'].map((text) => line(text));
  const events = [...entries, makeNotice('state', 'running')];
  assert.deepEqual(texts(new LineFilter(options()).choose(events)).length, 6);
  assert.deepEqual(texts(new LineFilter(options('--level', 'warn')).choose(events)), ['ERROR a', '  at a']);
  assert.deepEqual(texts(new LineFilter(options('--grep', 'A$', '-i')).choose(events)), ['ERROR a', '  at a']);
  assert.deepEqual(texts(new LineFilter(options('--grep', 'a$', '--grep', 'b', '-v')).choose(events)), ['c']);
});

test('a pattern that takes too long is an error, and does not hang', () => {
  const slow = new Patterns(['(a+)+$'], false);
  assert.throws(() => slow.test([`${'a'.repeat(60)}b`]), { name: 'CtlError', message: /takes too long/ });
  assert.deepEqual(new Patterns(['o', 'oo'], false).spans(['foo', '']), [
    [
      [1, 2],
      [1, 3],
      [2, 3],
    ],
    [],
  ]);
  assert.deepEqual(new Patterns(['end'], false).test([`${'x'.repeat(100_000)}end`]), [false]);
  assert.throws(() => new Patterns(['('], false), SyntaxError);
});

test('pieces of lines are joined, in limits', () => {
  const joiner = new Joiner();
  const piece = (text: string, isPartial: boolean, isRest: boolean, name = 'a:a') =>
    joiner.add(line(text, { isPartial, isRest, name }), 0).map((entry) => [entry.text, entry.isPartial, entry.isRest]);
  assert.deepEqual(piece('whole', false, false), [['whole', false, false]]);
  assert.deepEqual(piece('rest', false, true), [['rest', false, true]]);
  assert.deepEqual(piece('be', true, false), []);
  assert.deepEqual(piece('other', false, false, 'b:b'), [['other', false, false]]);
  assert.deepEqual(piece('gi', true, true), []);
  assert.deepEqual(piece('n', false, true), [['begin', false, false]]);
  assert.equal(joiner.isHolding, false);
  piece('cut', true, false);
  assert.deepEqual(piece('next run', false, false), [
    ['cut', true, false],
    ['next run', false, false],
  ]);
  assert.deepEqual(piece('x'.repeat(MAX_JOINED), true, false).length, 1);
  piece('prompt', true, false);
  piece('of b', true, false, 'b:b');
  assert.deepEqual(joiner.stale(PATIENCE_MS - 1), []);
  assert.deepEqual(joiner.flush('b:b').length, 1);
  assert.deepEqual(
    joiner.stale(PATIENCE_MS).map(({ text }) => text),
    ['prompt'],
  );
  piece('last', true, false);
  assert.deepEqual(joiner.flush().length, 1);
});

test('the place of the memory in a file', () => {
  const overlap = (file: string, memory: string): number | null => findOverlap(Buffer.from(file), Buffer.from(memory));
  assert.equal(overlap('one\ntwo\nthree\n', 'two\nthree\n'), 4);
  assert.equal(overlap('one\ntwo\n', 'two\nthree\n'), 4, 'the end of the file is older');
  assert.equal(overlap('one\ntwo\nthree\nfour\n', 'two\nthree\n'), 4, 'the file is newer');
  assert.equal(overlap('x\nx\nx\nx\n', 'x\nx\n'), 4, 'of several places the last counts');
  assert.equal(overlap('wo\nthree\n', 'two\nthree\n'), null);
  assert.equal(overlap('one\nt', 'two\n'), null, 'a part of a line is no proof');
  assert.equal(overlap('', 'two\n'), null);
  assert.equal(overlap('abcabcabd', 'abcabd'), 3);
  assert.equal(overlap('one\n', ''), null);
});

test('a terminal gets colours and no other control', () => {
  assert.equal(showLine('plain é😀', true), 'plain é😀');
  assert.equal(showLine('\x1b[31mred\x1b[0m\ttab\r', true), '\x1b[31mred\x1b[0m\ttab\x1b[0m');
  assert.equal(showLine('\x1b[31mred', false), 'red');
  assert.equal(showLine('a\x1b[2J\x1b]0;title\x07\x1b(B\x1bcb', true), 'ab');
  assert.equal(showLine('\x1b[2', true), '\\u001b[2');
  assert.equal(showLine('50%\r100%\x00', true), '50%\\r100%\\u0000');
  assert.equal(showLine('\udcff', true), '\\udcff');
  assert.equal(
    markSpans('foobar', [
      [0, 1],
      [0, 3],
      [1, 2],
    ]),
    '\x1b[7mf\x1b[27m\x1b[7moo\x1b[27mbar',
  );
});

const PLAIN: RenderOptions = {
  form: 'text',
  hasPrefix: true,
  hasColours: false,
  isTerminal: false,
  hasTimes: false,
  isUtc: true,
  highlight: [],
  isCaseIgnored: false,
};

test('text has names, signs and times', () => {
  const render = (more: Partial<RenderOptions>, ...entries: Entry[]): string =>
    String(new Renderer({ ...PLAIN, ...more }, ['web:web', 'jobs:a']).render(entries));
  const event = { ...makeNotice('state', 'running: pid 5'), name: 'jobs:a', at: NOW };
  assert.equal(
    render({}, line('x'), line('y', { stream: 'stderr' }), event),
    'web    | x\nweb    ! y\njobs:a * running: pid 5\n',
  );
  assert.equal(render({ hasPrefix: false }, line('x'), event), 'x\n* running: pid 5\n');
  const stamp = '2026-11-29T12:00:00.000Z';
  const dash = '-'.padEnd(24);
  assert.equal(
    render({ hasTimes: true }, line('x'), line('y', { at: null })),
    `${stamp} web    | x\n${dash} web    | y\n`,
  );
  const colours = render(
    { hasColours: true, isTerminal: true },
    line('\x1b[31mx'),
    line('y', { stream: 'stderr' }),
    event,
  );
  assert.equal(
    colours,
    '\x1b[33mweb   \x1b[0m \x1b[33m|\x1b[0m \x1b[31mx\x1b[0m\n' +
      '\x1b[33mweb   \x1b[0m \x1b[31m!\x1b[0m y\n' +
      '\x1b[36mjobs:a\x1b[0m \x1b[36m*\x1b[0m \x1b[90mrunning: pid 5\x1b[0m\n',
  );
  const marked = render({ hasColours: true, hasPrefix: false, highlight: ['o+'] }, line('\x1b[31mfoo'));
  assert.equal(marked, 'f\x1b[7moo\x1b[27m\n');
  const long = line('x', { name: 'group-of-workers:worker-number-12' });
  assert.equal(render({}, long), 'group-of-wo…er-number-12 | x\n');
});

test('JSON is one object a line, and raw text is the bytes of the program', () => {
  const json = new Renderer({ ...PLAIN, form: 'json' }, []);
  const entries = parseEntries(
    JSON.stringify([
      { seq: 1, at: NOW, name: 'g:a', stream: 'stderr', pid: 5, text: 'WARN x', partial: true, rest: true },
      { seq: 9, at: NOW, name: 'g:a', event: 'state', text: 'ended', end: { code: 3 } },
    ]),
  );
  const time = '2026-11-29T12:00:00.000Z';
  assert.deepEqual(
    String(json.render([...entries, line('y', { seq: null, at: null, pid: null })]))
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text) as unknown),
    [
      { time, seq: 1, name: 'g:a', stream: 'stderr', pid: 5, level: 'warn', text: 'WARN x', partial: true, rest: true },
      { time, seq: 9, name: 'g:a', event: 'state', text: 'ended', end: { code: 3 } },
      { name: 'web', stream: 'stdout', text: 'y' },
    ],
  );
  const raw = new Renderer({ ...PLAIN, form: 'raw' }, []);
  assert.deepEqual(raw.render([line('a\udcff'), makeNotice('x', 'y')]), Buffer.from([0x61, 0xff, 0x0a]));
});

test('answers that are no lines are errors', () => {
  for (const wrong of ['', '{}', '[{}]', '[{"seq":1,"at":1,"name":"a","text":"x"}]'])
    assert.throws(() => parseEntries(wrong), CtlError, wrong);
});

test('quotes in the shell keep spaces', () => {
  assert.deepEqual(splitQuoted(`--grep 'a b' "c \\"d" e\\ f g'h i'j ''`), [
    '--grep',
    'a b',
    'c "d',
    'e f',
    'gh ij',
    '',
  ]);
  assert.deepEqual(splitQuoted(`it's  x`), ["it's", 'x']);
  assert.deepEqual(splitQuoted(' '), []);
});
