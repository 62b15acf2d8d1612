/**
 * The dialect of configurations, lists of variables, command lines and expansions: random texts mean the same as in the
 * installed Supervisor. Texts of one round are one question to Python.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { addText, emptyDocument, type RawOption } from '../../src/config/dialect.ts';
import { expand } from '../../src/config/expand.ts';
import { parseKeyValueList } from '../../src/config/key-value-list.ts';
import { splitCommandLine } from '../../src/core/command-line.ts';
import { bySize } from '../slow.ts';
import { shrinkInBatches } from './guided.ts';
import { type Answer, askSupervisor, missingOracle, type Question } from './oracle.ts';
import { mutate, Random, SEED } from './random.ts';

const ROUND = bySize({ brief: 2500, long: 8000 });
const FOR_MS = bySize({ brief: 1500, long: 60_000 });
const NAMES = { t: "it's", n: 42, m: -7, ENV_A: 'va' } as const;

/** A grammar of texts for one function. */
interface Subject {
  readonly what: string;
  readonly pieces: readonly string[];
  readonly seeds: readonly string[];
  readonly answer: (text: string) => unknown;
  /** True for a text whose different result is a known difference (test/conformance/config-cases.ts). */
  readonly isKnown: (text: string, real: Answer, ours: Answer) => boolean;
}

const plain = (options: ReadonlyMap<string, RawOption>): Record<string, string> =>
  Object.fromEntries([...options].map(([name, { value }]) => [name, value]));

function readDialect(text: string): unknown {
  const document = emptyDocument();
  const [problem] = addText(document, text, 'f', '/').errors;
  if (problem !== undefined) throw new Error(problem.reason);
  return {
    sections: Object.fromEntries([...document.sections].map(([name, { options }]) => [name, plain(options)])),
    defaults: plain(document.defaults),
  };
}

const SUBJECTS: readonly Subject[] = [
  {
    what: 'dialect',
    pieces: [
      '[s]\n',
      '[t]',
      '[',
      ']',
      'a',
      'B',
      '=',
      ':',
      ' ',
      '\t',
      '\n',
      '\r\n',
      '\r',
      ';',
      ' ;',
      '#',
      '\n ',
      '1',
      '"',
      '\f',
      '\u00a0',
      '\u0085',
      '\x1c',
      '[DEFAULT]\n',
    ],
    seeds: [
      '[s]\na=x;y ;z #w\nb=x#y ;z;w #v ;u\n',
      '[s]\na=1\n 2\n\n 3 ; c\nb: x;y\n[t] ; c\n# x\nc = d\n',
      '[a]\nx=\n  ; y\n  z\n',
    ],
    answer: readDialect,
    isKnown: () => false,
  },
  {
    what: 'pairs',
    pieces: ['A', '=', '"', "'", ',', ' ', '\n', '\\', 'b c', '%', '/', ':', '-', '#', '\t', '\r', '1', '.', '$'],
    seeds: ['A="1",B=2', "A='x y', B=/a/b:c\n,C=", 'A="a,b"'],
    answer: (text) => Object.fromEntries(parseKeyValueList([{ text, isValue: false }]).pairs),
    isKnown: (text) => text.includes('\\'),
  },
  {
    what: 'words',
    pieces: ['a', ' ', '"', "'", '\\', '\n', '\t', '$', '#', '\r', '\u00a0', 'b', '|', '>', '\v', '\f'],
    seeds: ['a "b c" \'d\'e\\ f', '"a\\"b" \'\''],
    answer: splitCommandLine,
    isKnown: () => false,
  },
  {
    what: 'format',
    pieces: [
      '%',
      '(',
      ')',
      's',
      'd',
      'n',
      't',
      'm',
      '%(n)s',
      '%(m)05d',
      '%(t)',
      '%%',
      '-',
      '+',
      '0',
      '.',
      '3',
      ' ',
      '#',
      'x',
      'r',
      'i',
      'e',
      '%(ENV_A)s',
      'c',
      'X',
      'o',
      'f',
      'g',
      'u',
      'l',
      '*',
    ],
    seeds: ['%(n)s %(t)s %% %(m)03d', 'x%(ENV_A)sy'],
    answer: (text) => expand(text, new Map(Object.entries(NAMES))),
    // Widths and places have limits here, and a variable may have a default.
    isKnown: (text, _real, ours) =>
      (!ours.ok && /places are too many|is too wide/.test(ours.error ?? '')) || /%\(ENV_\w+:[-?]/.test(text),
  },
];

function answerOurselves({ answer }: Subject, text: string): Answer {
  try {
    return { ok: true, value: answer(text) };
  } catch (error) {
    return { ok: false, error: String(error) };
  }
}

function makeText({ pieces, seeds }: Subject, random: Random): string {
  if (random.chance(0.6)) return random.join(pieces, 14);
  return mutate(random.pick(seeds), random, pieces);
}

/** False for texts that JSON cannot carry to Python and back, and for widths for which Python takes gigabytes. */
const isCarried = (text: string): boolean => text.isWellFormed() && !text.includes('@HERE@') && !/\d{6}/.test(text);

function isSame(subject: Subject, text: string, real: Answer): boolean {
  return isSameAnswer(subject, text, [real, answerOurselves(subject, text)]);
}

function isSameAnswer(subject: Subject, text: string, [real, ours]: readonly [Answer, Answer]): boolean {
  if (subject.isKnown(text, real, ours)) return true;
  return (
    real.ok === ours.ok &&
    (!real.ok ||
      isDeepStrictEqual({ ...(real.value as object) }, { ...(ours.value as object) }) ||
      real.value === ours.value)
  );
}

const ask = (what: string, text: string): Question => ({ what, text, names: NAMES, env: {} });

describe('random texts have the same result as in the installed Supervisor', { skip: missingOracle() }, () => {
  for (const subject of SUBJECTS) {
    test(subject.what, (context) => {
      const random = new Random(SEED);
      const endMs = performance.now() + FOR_MS;
      let cases = 0;
      let accepted = 0;
      do {
        const texts = Array.from({ length: ROUND }, () => makeText(subject, random)).filter(isCarried);
        const real = askSupervisor(texts.map((text) => ask(subject.what, text)));
        cases += texts.length;
        accepted += real.filter(({ ok }) => ok).length;
        const answers = texts.map((text, index) => [real[index] as Answer, answerOurselves(subject, text)] as const);
        const wrong = texts.flatMap((text, index) => {
          const both = answers[index];
          return both === undefined || isSameAnswer(subject, text, both) ? [] : [{ text, both }];
        });
        if (wrong.length > 0) report(subject, wrong);
      } while (performance.now() < endMs);
      context.diagnostic(`${subject.what}: ${cases} texts, of which ${accepted} are valid`);
    });
  }
});

/** Fails with the smallest of the texts that differ, and the answers that one of them had in its round. */
function report(subject: Subject, wrong: ReadonlyArray<{ text: string; both: readonly [Answer, Answer] }>): never {
  const [first] = wrong.toSorted((a, b) => a.text.length - b.text.length);
  const askOne = (text: string): Answer => askSupervisor([ask(subject.what, text)])[0] as Answer;
  const smallest = shrinkInBatches(first?.text ?? '', (all) => {
    const real = askSupervisor(all.map((text) => ask(subject.what, text)));
    return all.map((text, index) => isCarried(text) && !isSame(subject, text, real[index] as Answer));
  });
  assert.fail(
    `${subject.what}: TEST_SEED=${SEED}, ${wrong.length} texts differ, such as ${JSON.stringify(smallest)}: ` +
      `Supervisor ${JSON.stringify(askOne(smallest))}, we ${JSON.stringify(answerOurselves(subject, smallest))}; ` +
      `in the round ${JSON.stringify(first)}`,
  );
}
