/** XML-RPC: Python's client reads what we write, we read what it writes, and both accept the same changed texts. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { decodeCall, encodeCall, type XmlRpcValue } from '../../src/rpc/xmlrpc.ts';
import { bySize } from '../slow.ts';
import { shrinkInBatches } from './guided.ts';
import { askXmlRpc, missingOracle } from './oracle.ts';
import { mutate, Random, SEED } from './random.ts';

const ROUND = bySize({ brief: 2000, long: 10_000 });
const ROUNDS = bySize({ brief: 1, long: 20 });

const TEXTS = [
  '',
  ' ',
  'a',
  '<',
  '&',
  '>',
  ']]>',
  '\n',
  '\r',
  '\t',
  'é',
  '😀',
  '"',
  "'",
  'x'.repeat(50),
  '\u2028',
  '&lt;',
];

/** Makes a value that both sides can carry: no control characters, and integers of 32 bits. */
function makeValue(random: Random, depth: number): XmlRpcValue {
  switch (random.below(depth > 3 ? 4 : 6)) {
    case 0:
      return random.join(TEXTS, 4);
    case 1:
      return random.chance(0.5);
    case 2:
      return random.pick([0, 1, -1, 2 ** 31 - 1, -(2 ** 31), random.below(1000)]);
    case 3:
      return random.pick([0.5, -1.25e-10, 1e-7, 123.456, random.next()]);
    case 4:
      return Array.from({ length: random.below(4) }, () => makeValue(random, depth + 1));
    default:
      return Object.fromEntries(
        Array.from({ length: random.below(4) }, () => [random.join(TEXTS, 2), makeValue(random, depth + 1)]),
      );
  }
}

const makeParams = (random: Random): XmlRpcValue[] =>
  Array.from({ length: random.below(4) }, () => makeValue(random, 0));

/** XML turns the end of a line into \n. */
const withNewlines = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value).replaceAll('\\r\\n', '\\n').replaceAll('\\r', '\\n'));

const PARTS = [
  '<value>',
  '</value>',
  '<int>',
  '</int>',
  '<i4>1</i4>',
  '<string>',
  '</string>',
  '<array><data>',
  '<nil/>',
  '&amp;',
  '&#65;',
  '&#x42;',
  ' ',
  '\n',
  '<!-- c -->',
  '<?p x?>',
  '<![CDATA[x<y]]>',
  '<param>',
  '</param>',
  '-',
  '+',
  '1',
  '.5',
  'e3',
  '<boolean>1</boolean>',
];

function decodeOurselves(text: string): unknown {
  try {
    return decodeCall(text);
  } catch {
    return null;
  }
}

describe('XML-RPC agrees with Python', { skip: missingOracle() }, () => {
  test('Python reads the calls that we write', (context) => {
    const random = new Random(SEED);
    let cases = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const all = Array.from({ length: ROUND }, () => makeParams(random));
      const answers = askXmlRpc(all.map((params) => ({ what: 'loads', text: encodeCall('m', params) })));
      cases += all.length;
      for (const [index, params] of all.entries())
        assert.deepEqual(
          answers[index],
          { ok: true, value: { method: 'm', params: JSON.parse(JSON.stringify(params)) as unknown } },
          `TEST_SEED=${SEED}`,
        );
    }
    context.diagnostic(`${cases} calls`);
  });

  test('we read the calls that Python writes', (context) => {
    const random = new Random(SEED + 1);
    let cases = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const all = Array.from({ length: ROUND }, () => makeParams(random));
      const answers = askXmlRpc(all.map((params) => ({ what: 'dumps', text: JSON.stringify(params) })));
      cases += all.length;
      for (const [index, params] of all.entries()) {
        const { value } = answers[index] ?? {};
        const decoded = decodeCall(String(value)).params;
        assert.deepEqual(withNewlines(decoded), withNewlines(params), `TEST_SEED=${SEED}: ${String(value)}`);
      }
    }
    context.diagnostic(`${cases} calls`);
  });

  test('a changed call means the same to both, if both accept it', (context) => {
    const random = new Random(SEED + 2);
    const judge = (all: readonly string[]): boolean[] => {
      const answers = askXmlRpc(all.map((text) => ({ what: 'loads', text })));
      return all.map((text, index) => !isSame(text, answers[index]?.value));
    };
    let cases = 0;
    let accepted = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const texts = Array.from({ length: ROUND }, () =>
        mutate(encodeCall('m', makeParams(random)), random, PARTS),
      ).filter((text) => text.isWellFormed());
      const answers = askXmlRpc(texts.map((text) => ({ what: 'loads', text })));
      cases += texts.length;
      accepted += answers.filter(({ ok }) => ok).length;
      const wrong = texts.find((text, index) => !isSame(text, answers[index]?.value));
      if (wrong === undefined) continue;
      const smallest = shrinkInBatches(wrong, judge);
      const python = JSON.stringify(askXmlRpc([{ what: 'loads', text: smallest }]));
      assert.fail(`TEST_SEED=${SEED}: ${smallest}\nPython ${python}, we ${JSON.stringify(decodeOurselves(smallest))}`);
    }
    context.diagnostic(`${cases} texts, of which Python accepts ${accepted}`);
  });
});

/** Each side may refuse what the other accepts: Python's client is lax about types, and knows extensions. */
function isSame(text: string, answer: unknown): boolean {
  const ours = decodeOurselves(text);
  if (ours === null || answer === undefined) return true;
  // We take spaces around the name of a method away.
  const { method, ...rest } = answer as { method: unknown };
  const python = { method: typeof method === 'string' ? method.trim() : method, ...rest };
  // JSON.stringify makes -0 to 0, and the JSON of Python does not.
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  return isDeepStrictEqual(plain(ours), plain(python));
}
