/**
 * Every regular expression in src/ is linear: its time grows with the length of the text, not with the square. PID 1
 * has one thread, so a slower pattern would block everything. The literals are read from the source. Each is tried with
 * long repetitions of its own characters.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('../../src', import.meta.url));

/** Patterns that are not linear, but only used with short texts. */
const BOUNDED: ReadonlyMap<string, string> = new Map([
  ['config/expand.ts /\\.?0+(?=e|$)/', 'a number with at most 100 places, as toFixed() and toPrecision() give it'],
]);

/** Matches a literal at a place where an expression may begin. A division is not matched. */
const LITERAL = new RegExp(
  String.raw`(?<=[(,=:[!&|?{;\s]|=>\s?|return\s)\/(?![/*\s])((?:\\.|\[(?:\\.` +
    String.raw`|[^\]\\\n])*\]|[^/\\\n[])+)\/([gimsuyd]*)(?=[.,;)\]\s:}]|$)`,
  'gm',
);

interface Pattern {
  readonly where: string;
  readonly expression: RegExp;
}

/** Returns the literals of a source text, except those in comments. */
function findPatterns(file: string, source: string): Pattern[] {
  const text = source
    .replace(/\/\*[^]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/^\s*\/\/.*$/gm, '')
    .replace(/ \/\/ .*$/gm, '');
  return [...text.matchAll(LITERAL)].map(([literal, body = '', flags]) => ({
    where: `${file} ${literal}`,
    expression: new RegExp(body, flags),
  }));
}

/** Returns the characters that stand for themselves in a pattern, and some for its classes. */
function alphabetOf({ source }: RegExp): string[] {
  const characters = new Set<string>();
  const plain = source
    .replace(/\\x([0-9a-f]{2})|\\u([0-9a-f]{4})/gi, (_whole, two: string | undefined, four: string | undefined) =>
      String.fromCharCode(Number.parseInt(two ?? four ?? '', 16)),
    )
    .replace(/\\([^dswDSWbBnrtpP])/g, (_whole, character: string) => (characters.add(character), ''))
    .replace(/\\[a-zA-Z]|\{\d+(?:,\d*)?\}|\(\?(?:[:=!]|<[=!])|[()[\]^$|?*+.]/g, '');
  if (/\\s|\\S|\[\^/.test(source)) for (const character of ' \na') characters.add(character);
  if (/\\d|\\w|\./.test(source)) for (const character of 'a1') characters.add(character);
  if (/\\[nr]/.test(source)) for (const character of '\n\r') characters.add(character);
  for (const character of plain) characters.add(character);
  return [...characters].slice(0, 20);
}

const SCREEN_LENGTH = 2000;
const SCREEN_US = 250;
const LENGTH = 20_000;
const LIMIT_US = 50_000;
const ENDS = ['\0', '\n', '\r!'];

/** Generates texts to try a pattern with: beginning, repeated part and end. */
function* attacksOn(expression: RegExp): Generator<readonly [head: string, pump: string, end: string]> {
  const alphabet = alphabetOf(expression);
  const pairs = alphabet.length <= 10 ? alphabet.flatMap((a) => alphabet.filter((b) => b !== a).map((b) => a + b)) : [];
  const lead = /^\^?((?:\\\/|[\w:/-])+)/.exec(expression.source)?.[1]?.replaceAll('\\/', '/') ?? '';
  for (const end of ENDS) {
    for (const pump of alphabet) for (const head of ['', '!', lead, ...alphabet, ...pairs]) yield [head, pump, end];
    for (const pump of pairs) for (const head of ['', '!', lead]) yield [head, pump, end];
  }
}

/** Returns the processor time for one replacement, which tries the pattern at every position. */
function measure(expression: RegExp, text: string): number {
  const began = process.cpuUsage();
  text.replace(expression, '');
  const { user, system } = process.cpuUsage(began);
  return user + system;
}

function build(head: string, pump: string, end: string, length: number): string {
  return head + pump.repeat(length / pump.length) + end;
}

/** Returns the text that makes a pattern slow, with its time; null if there is none. */
function findSlowness(expression: RegExp): string | null {
  for (const [head, pump, end] of attacksOn(expression)) {
    const screen = build(head, pump, end, SCREEN_LENGTH);
    if (measure(expression, screen) < SCREEN_US || measure(expression, screen) < SCREEN_US) continue;
    const text = build(head, pump, end, LENGTH);
    const time = Math.min(measure(expression, text), measure(expression, text), measure(expression, text));
    if (time > LIMIT_US) return `${JSON.stringify([head, pump, end])} took ${time} µs for ${LENGTH} characters`;
  }
  return null;
}

const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const patterns = files.flatMap((file) => findPatterns(file, readFileSync(`${SOURCE}/${file}`, 'utf8')));

describe('the regular expressions of src/', () => {
  test('are found', () => {
    const count = files.reduce(
      (sum, file) => sum + readFileSync(`${SOURCE}/${file}`, 'utf8').split(/(?:\.test|\.exec)\(/).length - 1,
      0,
    );
    assert.ok(patterns.length > 100 && patterns.length > count / 2, `${patterns.length} literals`);
    assert.deepEqual(
      [...BOUNDED.keys()].filter((known) => !patterns.some(({ where }) => where === known)),
      [],
      'the list of exceptions is up to date',
    );
  });

  test('the search finds patterns that are not linear', () => {
    for (const slow of [
      /^\/+|\/+$/g,
      /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i,
      /\s*\n\s*/g,
      /%\(([^)]*)\)s/g,
      /^(\w+)\s*:\s*(.+)$/,
      /\S*$/,
    ])
      assert.notEqual(findSlowness(slow), null, String(slow));
  });

  for (const [file, ofFile] of Map.groupBy(patterns, ({ where }) => where.slice(0, where.indexOf(' ')))) {
    test(file, () => {
      for (const { where, expression } of ofFile)
        if (!BOUNDED.has(where)) assert.equal(findSlowness(expression), null, where);
    });
  }
});
