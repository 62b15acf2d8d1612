/** The schema language: the check of a value and its JSON Schema agree, and the place of an error in JSON is found. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { locateJsonError } from '../../../src/api/json-error.ts';
import {
  constant,
  dictionary,
  either,
  integer,
  list,
  maybe,
  nullable,
  number,
  object,
  oneOf,
  type Schema,
  SchemaError,
  text,
  truth,
} from '../../../src/api/schema.ts';

interface Sample {
  readonly name: string;
  readonly kind: 'a' | 'b';
  readonly count: number;
  readonly share?: number;
  readonly isOn?: boolean;
  readonly tags?: ReadonlyArray<string | number>;
  readonly child?: { readonly id: 7 } | null;
  readonly sizes?: Readonly<Record<string, number>>;
}

const sample: Schema<Sample> = object<Sample>({
  name: text({ min: 1, max: 5 }),
  kind: oneOf(['a', 'b']),
  count: integer({ min: 0, max: 9 }),
  share: maybe(number({ max: 1 })),
  isOn: maybe(truth()),
  tags: maybe(list(either<string | number>([text(), integer()]), { min: 1, max: 3 })),
  child: maybe(nullable(object<{ readonly id: 7 }>({ id: constant(7) }))),
  sizes: maybe(dictionary(number())),
});

const scalars = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'c', 'toolong', 0, 7, 9, 10, -1, 0.5, 2, true, false, null),
  fc.constantFrom([], ['a'], [1, 'b'], ['a', 'b', 'c', 'd'], [true], {}, { id: 7 }, { id: 8 }, { x: 1 }, { x: 'y' }),
);

test('a value is accepted by the check exactly if its JSON Schema accepts it', () => {
  const validate = new Ajv2020({ strict: false }).compile(sample.json);
  const members = ['name', 'kind', 'count', 'share', 'isOn', 'tags', 'child', 'sizes', 'other'];
  const right = { name: 'a', kind: 'a', count: 1 };
  const change = fc.dictionary(fc.constantFrom(...members), scalars, { maxKeys: 3, noNullPrototype: true });
  fc.assert(
    fc.property(change, fc.boolean(), (changes, isFull) => {
      const value: unknown = isFull ? { ...right, ...changes } : changes;
      const isValid = validate(value);
      let isAccepted = true;
      try {
        assert.deepEqual(sample.check(value, ''), value);
      } catch (error) {
        if (!(error instanceof SchemaError)) throw error;
        isAccepted = false;
      }
      assert.equal(isAccepted, isValid);
    }),
    { numRuns: 3000 },
  );
});

test('an error names the place, the rule, and the nearest known name', () => {
  const messageOf = (value: unknown): string => {
    try {
      sample.check(value, '');
      return 'accepted';
    } catch (error) {
      return (error as SchemaError).message;
    }
  };
  const right = { name: 'a', kind: 'a', count: 1 };
  assert.equal(messageOf(3), 'the body must be an object');
  assert.equal(messageOf({ ...right, nme: 1 }), 'there is no member nme (did you mean name?)');
  assert.match(messageOf({ ...right, zzzzzzzzzz: 1 }), /^there is no member zzzzzzzzzz; members: name, kind, count/);
  assert.equal(messageOf({ ...right, count: 10 }), 'count must be an integer from 0 to 9');
  assert.equal(messageOf({ ...right, share: 2 }), 'share must be a number of at most 1');
  assert.equal(messageOf({ ...right, tags: ['a', null] }), 'tags[1] must be an integer');
  assert.equal(messageOf({ ...right, child: { id: 8 } }), 'child.id must be 7');
  assert.equal(messageOf({ ...right, name: '' }), 'name must be a string that is not empty');
  assert.equal(messageOf({ name: 'a', kind: 'a' }), 'count is missing');
  // The name of the client is cut before it is compared: the comparison is quadratic.
  assert.ok(messageOf({ ...right, ['x'.repeat(60_000)]: 1 }).length < 300);
});

test('the place of an error in JSON is that of the first wrong token', () => {
  const place = (wrong: string): string => Object.values(locateJsonError(wrong)).join(':');
  for (const [wrong, at] of [
    ['', '1:1'],
    ['{', '1:2'],
    ['{"a":1,}', '1:8'],
    ['{"a" 1}', '1:6'],
    ['[1 2]', '1:4'],
    ['[1,]', '1:4'],
    ['{"a":\n\n  nul}', '3:3'],
    ['{"a":1} x', '1:9'],
    ['{a:1}', '1:2'],
    ['[01]', '1:2'],
    ['["\n"]', '1:2'],
    ['[1}', '1:3'],
    ["{'a':1}", '1:2'],
    ['TRUE', '1:1'],
  ] as const)
    assert.equal(place(wrong), at, wrong);
});

test('a JSON text that is cut or has a wrong character is located inside of it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), fc.nat(), (json, cut) => {
      const wrong = `${json.slice(0, cut % json.length)}\u0001`;
      const { line, column } = locateJsonError(wrong);
      const lines = wrong.split('\n');
      assert.ok(line >= 1 && line <= lines.length);
      assert.ok(column >= 1 && column <= (lines[line - 1] ?? '').length + 1);
    }),
  );
});
